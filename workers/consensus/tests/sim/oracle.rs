//! Sees everything that any node does, and says when a rule is broken.

use super::app::dissenters;
use cicada_consensus::{digest, Answer, Ballot, Outcome, Output, Position, Record, Seat};
use cicada_core::hash::{Hash, Native};
use cicada_core::report::{Feed, Report};
use parity_scale_codec::Decode;
use std::collections::{BTreeMap, BTreeSet};

/// What the whole committee did so far.
pub struct Oracle {
    n: u8,
    quorum: usize,
    // Durable votes, and what they make chosen.
    votes: BTreeMap<(Position, Ballot), (Hash, BTreeSet<Seat>)>,
    chosen: BTreeMap<Position, Hash>,
    pub decided: BTreeMap<Position, Hash>,
    // What has left each node.
    promised: BTreeMap<Seat, Ballot>,
    used_by: BTreeMap<Ballot, u64>,
    signed: BTreeMap<(Seat, Feed, u64), Hash>,
    certified: BTreeMap<(Feed, u64), Hash>,
    pub acknowledged: BTreeSet<Position>,
    pub finished: u64,
    pub failed_with_refusals: u64,
    pub violation: Option<String>,
}

impl Oracle {
    pub fn new(n: u8, quorum: u8) -> Self {
        Self {
            n,
            quorum: usize::from(quorum),
            votes: BTreeMap::new(),
            chosen: BTreeMap::new(),
            decided: BTreeMap::new(),
            promised: BTreeMap::new(),
            used_by: BTreeMap::new(),
            signed: BTreeMap::new(),
            certified: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            finished: 0,
            failed_with_refusals: 0,
            violation: None,
        }
    }

    pub fn broken(&mut self, rule: String) {
        self.violation.get_or_insert(rule);
    }

    /// A record has reached the disk of a node.
    pub fn durable(&mut self, seat: Seat, record: &Record) {
        match record {
            Record::Voted(vote) => {
                if self.promised.get(&seat).is_some_and(|p| *p > vote.ballot) {
                    self.broken(format!("seat {seat} voted below its promise"));
                }
                let hash = digest(&vote.value);
                let entry = self.votes.entry((vote.position, vote.ballot));
                let (value, seats) = entry.or_insert((hash, BTreeSet::new()));
                if *value != hash {
                    return self.broken(format!("two values in ballot {}", vote.ballot));
                }
                seats.insert(seat);
                if seats.len() >= self.quorum {
                    let chosen = *self.chosen.entry(vote.position).or_insert(hash);
                    if chosen != hash {
                        self.broken(format!("two values chosen at {}", vote.position));
                    }
                }
            }
            Record::Decided { position, value } => self.decided(seat, *position, value),
            _ => {}
        }
    }

    fn decided(&mut self, seat: Seat, position: Position, value: &[u8]) {
        let hash = digest(value);
        let decided = *self.decided.entry(position).or_insert(hash);
        if decided != hash {
            return self.broken(format!("seat {seat} learned another value at {position}"));
        }
        if let Ok(report) = Report::decode(&mut &value[..]) {
            let agree = u32::from(self.n) - dissenters(&report).count_ones();
            if (agree as usize) < self.quorum {
                self.broken(format!("position {position}: {agree} nodes find it valid"));
            }
        }
    }

    /// A leader's campaign has left a node: `life` counts the node's starts.
    pub fn campaigned(&mut self, ballot: Ballot, life: u64) {
        if *self.used_by.entry(ballot).or_insert(life) != life {
            self.broken(format!("ballot {ballot} was used before a restart"));
        }
    }

    /// An output other than records has left a node.
    pub fn left(
        &mut self,
        seat: Seat,
        output: &Output,
        report: impl Fn(Position) -> Option<Report>,
    ) {
        match output {
            Output::Answer(Answer::Promise { ballot, .. }) => {
                let promised = self.promised.entry(seat).or_default();
                if *promised > *ballot {
                    self.broken(format!("seat {seat} promised a lower ballot"));
                } else {
                    *promised = *ballot;
                }
            }
            Output::Answer(Answer::Accepted { ballot, .. }) => {
                if self.promised.get(&seat).is_some_and(|p| *p > *ballot) {
                    self.broken(format!("seat {seat} accepted below its promise"));
                }
            }
            Output::Answer(Answer::Attested { position, .. }) => {
                let Some(report) = report(*position) else {
                    return self.broken(format!("seat {seat} attested what it did not apply"));
                };
                let message = report.digest::<Native>();
                let key = (seat, report.feed, report.slot);
                if *self.signed.entry(key).or_insert(message) != message {
                    self.broken(format!("seat {seat} attested two reports of one slot"));
                }
            }
            Output::Certified { position } => {
                let Some(report) = report(*position) else {
                    return self.broken(format!("seat {seat} certified an unknown report"));
                };
                let message = report.digest::<Native>();
                let known = self.certified.entry((report.feed, report.slot));
                if *known.or_insert(message) != message {
                    self.broken(format!("two certificates for slot {}", report.slot));
                }
            }
            Output::Finished { outcome, .. } => self.ended(seat, outcome),
            Output::Halt { reason } => self.broken(format!("seat {seat} halted: {reason}")),
            Output::Persist(_) | Output::Send { .. } | Output::Applied { .. } => {}
            Output::Answer(_) | Output::Contradiction(_) => {}
        }
    }

    fn ended(&mut self, seat: Seat, outcome: &Outcome) {
        let position = match outcome {
            Outcome::Certified { position, .. } | Outcome::PassedOver { position } => *position,
            Outcome::Failed { decided, refusals, .. } => {
                self.failed_with_refusals += u64::from(!refusals.is_empty());
                match decided {
                    Some(position) => *position,
                    None => return,
                }
            }
            Outcome::Refused(_) | Outcome::Busy => return,
        };
        self.finished += u64::from(matches!(outcome, Outcome::Certified { .. }));
        self.acknowledged.insert(position);
        if !self.decided.contains_key(&position) {
            self.broken(format!("seat {seat} acknowledged {position} without a record"));
        }
    }
}

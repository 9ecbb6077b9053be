//! Sees everything that any honest node does, and says when a rule is broken.

use crate::app::dissenters;
use crate::keys::Ring;
use cicada_consensus::byzantine::{Kind, Mandate, QuorumCertificate, Statement};
use cicada_consensus::{digest, Answer, Ballot, Outcome, Output, Pledge, Position, Record};
use cicada_consensus::{Config, Justification, Keys, Seat, Successor, View, FIRST_VIEW};
use cicada_core::certificate::Certificate;
use cicada_core::hash::{Digest, Native};
use cicada_core::quorum::Quorum;
use cicada_core::report::{Feed, Report};
use parity_scale_codec::Decode;
use std::collections::{BTreeMap, BTreeSet};

/// More views than any run can need.
const MAX_VIEW: View = 100_000;

/// What the whole committee did so far.
#[derive(Debug)]
pub struct Oracle {
    quorum: Quorum,
    liars: BTreeSet<Seat>,
    // Crash mode: durable votes, and what they make chosen.
    votes: BTreeMap<(Position, Ballot), (Digest, BTreeSet<Seat>)>,
    // Byzantine: commits that left, by statement.
    commits: BTreeMap<Statement, BTreeSet<Seat>>,
    signed: BTreeMap<(Seat, Kind, Position, View), Digest>,
    chosen: BTreeMap<Position, (View, Digest)>,
    // What genuine justifications allowed, by the node that was shown them and the view.
    mandates: BTreeMap<(Seat, View), Vec<Mandate>>,
    // What attestations of decided reports sign.
    messages: BTreeMap<Position, Digest>,
    /// What honest nodes have on disk as decided.
    pub decided: BTreeMap<Position, Digest>,
    // The committee without any bug, to verify what honest nodes keep.
    config: Config,
    ring: Ring,
    // What has left each node.
    promised: BTreeMap<Seat, Ballot>,
    used_by: BTreeMap<Ballot, u64>,
    attested: BTreeMap<(Seat, Feed, u64), Digest>,
    certified: BTreeMap<(Feed, u64), Digest>,
    /// Positions that a proposer was told of.
    pub acknowledged: BTreeSet<Position>,
    /// Proposals that ended certified.
    pub finished: u64,
    /// Proposals that ended undecided because nodes refused them.
    pub failed_with_refusals: u64,
    /// The highest view that an honest node pledged.
    pub highest_view: View,
    /// The first rule broken.
    pub violation: Option<String>,
    /// The last position of the epoch and who follows, once an honest node has applied it.
    pub end: Option<(Position, Successor)>,
    // Who has said that it applied that position.
    ended: BTreeSet<Seat>,
}

impl Oracle {
    /// For a committee with some liars.
    pub fn new(quorum: Quorum, config: Config, ring: Ring, liars: BTreeSet<Seat>) -> Self {
        Self {
            config,
            ring,
            quorum,
            liars,
            votes: BTreeMap::new(),
            commits: BTreeMap::new(),
            signed: BTreeMap::new(),
            chosen: BTreeMap::new(),
            mandates: BTreeMap::new(),
            messages: BTreeMap::new(),
            decided: BTreeMap::new(),
            promised: BTreeMap::new(),
            used_by: BTreeMap::new(),
            attested: BTreeMap::new(),
            certified: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            finished: 0,
            failed_with_refusals: 0,
            highest_view: 0,
            violation: None,
            end: None,
            ended: BTreeSet::new(),
        }
    }

    /// Notes the first broken rule.
    pub fn broken(&mut self, rule: String) {
        self.violation.get_or_insert(rule);
    }

    fn hold(&mut self, holds: bool, rule: impl Fn() -> String) {
        if !holds {
            self.broken(rule());
        }
    }

    fn choose(&mut self, position: Position, view: View, hash: Digest) {
        if self.chosen.entry(position).or_insert((view, hash)).1 != hash {
            self.broken(format!("two values chosen at {position}"));
        }
    }

    /// A record has reached the disk of a node.
    pub fn durable(&mut self, seat: Seat, record: &Record) {
        if let Record::Voted(vote) = record {
            if self.promised.get(&seat).is_some_and(|p| *p > vote.ballot) {
                self.broken(format!("seat {seat} voted below its promise"));
            }
        }
        self.found(seat, record);
    }

    /// A record is found on the disk of a node that starts: it may have been written when the
    /// power failed.
    pub fn found(&mut self, seat: Seat, record: &Record) {
        match record {
            Record::Voted(vote) => {
                let hash = digest(&vote.value);
                let entry = self.votes.entry((vote.position, vote.ballot));
                let (value, seats) = entry.or_insert((hash, BTreeSet::new()));
                if *value != hash {
                    return self.broken(format!("two values in ballot {}", vote.ballot));
                }
                seats.insert(seat);
                if seats.len() >= usize::from(self.quorum.size()) {
                    self.choose(vote.position, vote.ballot.round, hash);
                }
            }
            Record::Decided { position, value } => self.decided(seat, *position, value),
            Record::Locked(lock) => self.verify(seat, Kind::Prepared, lock),
            Record::Proven(proof) => self.verify(seat, Kind::Committed, proof),
            Record::Certified { position, certificate } => {
                let form = match self.config.closed_at(*position) {
                    Some(closed) => certificate.check_form(closed.epoch, &closed.attestation),
                    None => certificate.check_form(self.config.epoch, &self.config.attestation),
                };
                if form.is_err() || !self.attested_by_its_signers(*position, certificate) {
                    self.broken(format!("seat {seat} keeps a certificate that is not genuine"));
                }
            }
            _ => {}
        }
    }

    fn verify(&mut self, seat: Seat, kind: Kind, certificate: &QuorumCertificate) {
        // What earlier epochs decided bears the signatures of their committees.
        let genuine = match kind {
            Kind::Committed => certificate.decides(&self.config, &self.ring),
            _ => certificate.genuine(kind, &self.config, &self.ring),
        };
        if !genuine {
            self.broken(format!("seat {seat} believes a {kind:?} that is not genuine"));
        }
    }

    // Every signature is one of its seat under the report that is decided there.
    fn attested_by_its_signers(&self, position: Position, certificate: &Certificate) -> bool {
        let Some(message) = self.messages.get(&position) else {
            return false;
        };
        let mut shares = certificate.seats().zip(&certificate.signatures);
        shares.all(|(seat, share)| match self.config.closed_at(position) {
            Some(closed) => {
                self.ring.verify_earlier_attestation(closed.epoch, seat, message, share)
            }
            None => self.ring.verify_attestation(seat, message, share),
        })
    }

    fn decided(&mut self, seat: Seat, position: Position, value: &[u8]) {
        let hash = digest(value);
        let decided = *self.decided.entry(position).or_insert(hash);
        if decided != hash {
            return self.broken(format!("seat {seat} learned another value at {position}"));
        }
        if let Ok(report) = Report::decode(&mut &value[..]) {
            let closed = self.config.closed_at(position);
            let committee = closed.map_or(self.config.config_digest, |c| c.config_digest);
            let message = report.attestation_message::<Native>(&committee);
            self.messages.insert(position, message);
            if closed.is_some() {
                // Its own committee found it valid, or its oracle has said otherwise.
                return;
            }
            let against = dissenters(&report);
            let agrees = |seat: &Seat| against >> seat & 1 == 0 && !self.liars.contains(seat);
            let agree = (0..self.quorum.n()).filter(agrees).count();
            // In crash mode who first proposed it did.
            let needed = match self.config.byzantine() {
                true => usize::from(self.quorum.size()).saturating_sub(self.liars.len()),
                false => 1,
            };
            if agree < needed {
                self.broken(format!("position {position}: {agree} honest nodes find it valid"));
            }
        }
    }

    /// A leader's campaign has left a node: `life` counts the node's starts.
    pub fn campaigned(&mut self, ballot: Ballot, life: u64) {
        if *self.used_by.entry(ballot).or_insert(life) != life {
            self.broken(format!("ballot {ballot} was used before a restart"));
        }
    }

    /// An honest node was shown why a leader may propose.
    pub fn shown(&mut self, seat: Seat, justification: &Justification) {
        if let Ok(mandate) = justification.judge(&self.config, &self.ring) {
            let known = self.mandates.entry((seat, mandate.view())).or_default();
            if !known.contains(&mandate) {
                known.push(mandate);
            }
        }
    }

    // Whether a genuine justification of the view allows the value.
    fn allowed(&self, seat: Seat, statement: Statement) -> bool {
        let Statement { position, view, digest, .. } = statement;
        let mut mandates = self.mandates.get(&(seat, view)).into_iter().flatten();
        view == FIRST_VIEW || mandates.any(|mandate| mandate.allows(position, &digest))
    }

    /// A signed statement has left an honest node.
    pub fn signed(&mut self, seat: Seat, statement: Statement) {
        let Statement { kind, position, view, digest } = statement;
        let end = self.end.filter(|_| self.ended.contains(&seat));
        if position <= self.config.base() || end.is_some_and(|(last, _)| position > last) {
            self.broken(format!("seat {seat} signed {kind:?} at {position} outside its epoch"));
        }
        if self.promised.get(&seat).is_some_and(|p| p.round > view) {
            self.broken(format!("seat {seat} signed {kind:?} below its pledge"));
        }
        if kind == Kind::Prepared && !self.allowed(seat, statement) {
            self.broken(format!("seat {seat} prepared without a mandate in view {view}"));
        }
        let chosen = self.chosen.get(&position);
        let another = chosen.is_some_and(|(earlier, hash)| *earlier < view && *hash != digest);
        if kind == Kind::Prepared && another {
            self.broken(format!("seat {seat} prepared another value than the one chosen"));
        }
        if *self.signed.entry((seat, kind, position, view)).or_insert(digest) != digest {
            self.broken(format!("seat {seat} signed two values: {kind:?} {position} view {view}"));
        }
        if kind == Kind::Committed {
            let seats = self.commits.entry(statement).or_default();
            seats.insert(seat);
            // The liars sign anything.
            if seats.len().saturating_add(self.liars.len()) >= usize::from(self.quorum.size()) {
                self.choose(position, view, digest);
            }
        }
    }

    fn pledged(&mut self, seat: Seat, pledge: &Pledge) {
        self.promise(seat, Ballot { round: pledge.view, seat: 0 });
        self.highest_view = self.highest_view.max(pledge.view);
        let withstood = self.liars.len() <= usize::from(self.quorum.max_liars());
        if pledge.view > MAX_VIEW && withstood {
            self.broken("the views were pushed ahead".into());
        }
        let from = (seat, Kind::Committed, pledge.tip.saturating_add(1), 0);
        let to = (seat, Kind::Committed, Position::MAX, View::MAX);
        let mut hidden = None;
        for (_, _, position, view) in self.signed.range(from..to).map(|(key, _)| *key) {
            let named =
                |claim: &cicada_consensus::Claim| claim.position == position && claim.view >= view;
            if view < pledge.view && !pledge.claims.iter().any(named) {
                hidden = Some(position);
            }
        }
        if let Some(position) = hidden {
            self.broken(format!("seat {seat} hid its lock at {position}"));
        }
    }

    fn promise(&mut self, seat: Seat, ballot: Ballot) {
        let promised = self.promised.entry(seat).or_default();
        if *promised > ballot {
            self.broken(format!("seat {seat} promised a lower ballot"));
        } else {
            *promised = ballot;
        }
    }

    /// An honest node has said that it applied a position; `end` is the end of the epoch, if
    /// it knows it.
    pub fn applied(&mut self, seat: Seat, position: Position, end: Option<(Position, Successor)>) {
        let Some(end) = end.filter(|(last, _)| position >= *last) else {
            return;
        };
        if *self.end.get_or_insert(end) != end {
            self.broken(format!("seat {seat} ends the epoch in another way"));
        }
        if position > end.0 {
            self.broken(format!("seat {seat} applied {position} beyond the end of the epoch"));
        }
        self.ended.insert(seat);
    }

    /// An output other than records has left an honest node.
    pub fn left(
        &mut self,
        seat: Seat,
        output: &Output,
        report: impl Fn(Position) -> Option<Report>,
    ) {
        match output {
            Output::Answer(Answer::Promise { ballot, .. }) => self.promise(seat, *ballot),
            Output::Answer(Answer::Pledged { pledge, .. }) => self.pledged(seat, pledge),
            Output::Answer(Answer::Accepted { ballot, .. }) => {
                let promised = self.promised.get(&seat).copied().unwrap_or_default();
                self.hold(promised <= *ballot, || {
                    format!("seat {seat} accepted below its promise")
                });
            }
            Output::Answer(Answer::Attested { position, .. }) => {
                let Some(report) = report(*position) else {
                    return self.broken(format!("seat {seat} attested what it did not apply"));
                };
                let message = report.digest::<Native>();
                let key = (seat, report.feed, report.slot);
                if *self.attested.entry(key).or_insert(message) != message {
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
            Output::Contradiction(found) if !self.liars.contains(&found.seat) => {
                self.broken(format!("honest seat {} was accused", found.seat));
            }
            _ => {}
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

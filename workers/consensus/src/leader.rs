//! The leader of crash mode: campaign, proposals in flight, back-off.

mod flights;
mod snapshot;

use crate::choice::{choose, Choice};
use crate::io::{Application, Keys};
use crate::message::Request;
use crate::mutant::Mutant;
use crate::node::Node;
use crate::resend::Resend;
use crate::types::{digest, Ballot, Position, Record, Seat, Value, Vote, MAX_ROUND_JUMP};
use cicada_core::hash::Hash;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
struct Campaign {
    ballot: Ballot,
    votes: BTreeMap<Seat, Vec<Vote>>,
    // The furthest that any of the promises knows the decisions.
    decided: Position,
    quorum_ms: Option<u64>,
    resend: Resend,
}

#[derive(Clone, Debug)]
struct Flight {
    value: Value,
    digest: Hash,
    since: Ballot,
    accepted: BTreeSet<Seat>,
    refused: BTreeSet<Seat>,
    resend: Resend,
}

#[derive(Clone, Debug)]
struct Reign {
    ballot: Ballot,
    promised: BTreeSet<Seat>,
    flights: BTreeMap<Position, Flight>,
    next: Position,
}

#[derive(Clone, Debug, Default)]
enum Role {
    #[default]
    Follower,
    Campaigning(Campaign),
    Leading(Reign),
}

/// What a node does to get values decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leader {
    role: Role,
    // Preemptions since the last decision.
    attempts: u32,
    not_before_ms: u64,
    // The highest ballot heard of.
    seen: Ballot,
    stirred_ms: u64,
}

impl Leader {
    /// The ballot that this node leads.
    pub(crate) fn leading(&self) -> Option<Ballot> {
        match &self.role {
            Role::Leading(reign) => Some(reign.ballot),
            Role::Follower | Role::Campaigning(_) => None,
        }
    }

    /// The ballot that this node campaigns with or leads.
    pub(crate) fn ballot(&self) -> Option<Ballot> {
        match &self.role {
            Role::Follower => None,
            Role::Campaigning(campaign) => Some(campaign.ballot),
            Role::Leading(reign) => Some(reign.ballot),
        }
    }

    fn reign(&mut self, ballot: Ballot) -> Option<&mut Reign> {
        match &mut self.role {
            Role::Leading(reign) if reign.ballot == ballot => Some(reign),
            _ => None,
        }
    }

    fn flight(&mut self, ballot: Ballot, position: Position) -> Option<&mut Flight> {
        self.reign(ballot)?.flights.get_mut(&position)
    }

    /// Something moved: no reason to take over for a while.
    pub(crate) fn stir(&mut self, now: u64) {
        self.stirred_ms = now;
    }

    /// A position is decided, by whomever; the digest of what was in flight there.
    pub(crate) fn decided(&mut self, position: Position) -> Option<Hash> {
        self.attempts = 0;
        let Role::Leading(reign) = &mut self.role else {
            return None;
        };
        reign.next = reign.next.max(position.saturating_add(1));
        reign.flights.remove(&position).map(|flight| flight.digest)
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    /// Starts a campaign if there is something to decide, and the back-off is over.
    pub(crate) fn campaign_if_needed(&mut self) {
        let now = self.now.timer_ms;
        let idle = matches!(self.leader.role, Role::Follower) && now >= self.leader.not_before_ms;
        if !idle {
            return;
        }
        let timing = self.config.timing;
        let patience = timing
            .takeover_ms
            .saturating_add((timing.takeover_ms / 4).saturating_mul(u64::from(self.config.seat)));
        let stale = now >= self.leader.stirred_ms.saturating_add(patience);
        if self.proposals.any_waiting() || (stale && self.unfinished()) {
            self.campaign();
        }
    }

    // Whether there is a position that some nodes voted about and that is not decided here.
    fn unfinished(&self) -> bool {
        let undecided = |vote: &Vote| self.log.get(vote.position).is_none();
        self.acceptor.votes().any(undecided) || self.log.has_gap()
    }

    fn campaign(&mut self) {
        let now = self.now.timer_ms;
        let highest = self.acceptor.promised().max(self.leader.seen);
        let ballot = Ballot { round: highest.round.saturating_add(1), seat: self.config.seat };
        // On disk before anybody hears of it: no restart can use the round twice.
        self.acceptor.promise(ballot);
        self.persist(Record::Promised(ballot));
        self.leader.stir(now);
        let own = self.acceptor.votes().cloned().collect();
        self.leader.role = Role::Campaigning(Campaign {
            ballot,
            votes: BTreeMap::from([(self.config.seat, own)]),
            decided: self.log.applied(),
            quorum_ms: None,
            resend: Resend::new(now, self.config.timing.resend_ms),
        });
        let others = self.config.others().collect();
        let from = self.log.applied().saturating_add(1);
        self.send(others, Request::Prepare { ballot, from });
        self.lead_if_possible();
    }

    pub(crate) fn on_promise(
        &mut self,
        from: Seat,
        ballot: Ballot,
        votes: Vec<Vote>,
        decided: Position,
    ) {
        if decided > self.log.applied() {
            self.fetch(from);
        }
        match &mut self.leader.role {
            Role::Campaigning(campaign) if campaign.ballot == ballot => {
                campaign.votes.entry(from).or_insert(votes);
                campaign.decided = campaign.decided.max(decided);
                self.lead_if_possible();
            }
            Role::Leading(reign) if reign.ballot == ballot => {
                reign.promised.insert(from);
            }
            _ => {}
        }
    }

    /// Leads, once a quorum has promised, everything decided is known, and it is clear, or
    /// will not become clearer, which values must be adopted.
    pub(crate) fn lead_if_possible(&mut self) {
        let Role::Campaigning(campaign) = &mut self.leader.role else {
            return;
        };
        let (quorum, now) = (&self.config.quorum, self.now.timer_ms);
        if campaign.votes.len() < usize::from(quorum.size()) {
            return;
        }
        let since = *campaign.quorum_ms.get_or_insert(now);
        let applied = self.log.applied();
        if campaign.decided > applied {
            return;
        }
        let last = campaign.votes.values().flatten().map(|vote| vote.position);
        let last = last.max().unwrap_or(applied);
        let positions = applied.saturating_add(1)..=last;
        let mut choices: BTreeMap<Position, Choice> = positions
            .map(|position| (position, choose(quorum, &campaign.votes, position)))
            .collect();
        if self.config.mutated(Mutant::CrashAdoptsNothing) {
            choices.values_mut().for_each(|choice| *choice = Choice::Free);
        }
        let unclear = |choice: &Choice| matches!(choice, Choice::Adopt { unclear: true, .. });
        let patient = now < since.saturating_add(self.config.timing.grace_ms);
        if patient && choices.values().any(unclear) {
            return;
        }
        // Free positions after the last that is taken need no no-op.
        while choices.last_entry().is_some_and(|last| *last.get() == Choice::Free) {
            choices.pop_last();
        }
        let ballot = campaign.ballot;
        self.leader.role = Role::Leading(Reign {
            ballot,
            promised: campaign.votes.keys().copied().collect(),
            flights: BTreeMap::new(),
            next: choices.keys().next_back().copied().unwrap_or(applied).saturating_add(1),
        });
        self.recover_positions(ballot, choices);
        self.pump();
    }

    fn recover_positions(&mut self, ballot: Ballot, choices: BTreeMap<Position, Choice>) {
        for (position, choice) in choices {
            if self.log.get(position).is_some() {
                continue;
            }
            match choice {
                Choice::Chosen(value) => {
                    self.learn(position, value, None);
                    self.announce(position);
                }
                Choice::Adopt { value, since, .. } => self.launch(ballot, position, value, since),
                Choice::Free => self.launch(ballot, position, Value::new(), ballot),
            }
        }
    }

    pub(crate) fn on_outbid(&mut self, promised: Ballot) {
        let known = self.acceptor.promised().max(self.leader.seen);
        if promised.round <= known.round.saturating_add(MAX_ROUND_JUMP) {
            self.leader.seen = self.leader.seen.max(promised);
            self.yield_to(promised);
        }
    }

    /// Stops leading if `ballot` is above the own one.
    pub(crate) fn yield_to(&mut self, ballot: Ballot) {
        if self.leader.ballot().is_some_and(|own| own < ballot) {
            self.step_down();
        }
    }

    // Back to the ranks, for a time that grows with each attempt and differs between seats.
    fn step_down(&mut self) {
        self.leader.role = Role::Follower;
        self.proposals.recall();
        let attempt = self.leader.attempts;
        self.leader.attempts = attempt.saturating_add(1);
        let span = self.config.timing.backoff_ms << attempt.min(5);
        let scatter = digest(&[self.config.seat, attempt.to_le_bytes()[0]]);
        let share = u64::from(u16::from_le_bytes([scatter[0], scatter[1]]));
        let extra = span.saturating_mul(share) >> 16;
        let wait = (span / 2).saturating_add(extra);
        self.leader.not_before_ms = self.now.timer_ms.saturating_add(wait);
    }

    pub(crate) fn tick_leader(&mut self) {
        self.campaign_if_needed();
        let idle = !self.proposals.any_waiting() && !self.unfinished();
        let timing = self.config.timing;
        let now = self.now.timer_ms;
        match &mut self.leader.role {
            Role::Follower => {}
            Role::Campaigning(_) if idle => self.leader.role = Role::Follower,
            Role::Campaigning(campaign) => {
                let stuck = campaign
                    .quorum_ms
                    .is_some_and(|since| now >= since.saturating_add(timing.grace_ms << 2));
                if stuck {
                    return self.step_down();
                }
                if campaign.resend.due(now, timing.resend_ms) {
                    let ballot = campaign.ballot;
                    let silent = |seat: &Seat| !campaign.votes.contains_key(seat);
                    let to = self.config.others().filter(silent).collect();
                    let from = self.log.applied().saturating_add(1);
                    self.send(to, Request::Prepare { ballot, from });
                }
                self.lead_if_possible();
            }
            Role::Leading(reign) => {
                let ballot = reign.ballot;
                self.resend_flights(ballot);
            }
        }
    }
}

//! The leader of crash mode: pre-vote, campaign, proposals in flight, back-off.

mod flights;
mod snapshot;

use crate::choice::{choose, Choice};
use crate::io::{Application, Keys};
use crate::message::Request;
use crate::mutant::Mutant;
use crate::node::Node;
use crate::resend::Resend;
use crate::suggestions::Suggestions;
use crate::types::{digest, Ballot, Position, Record, Seat, Value, Vote, MAX_ROUND_JUMP};
use cicada_core::hash::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// How often a pause doubles.
const MAX_DOUBLINGS: u32 = 5;

#[derive(Clone, Debug)]
struct Canvass {
    ballot: Ballot,
    yes: BTreeSet<Seat>,
    until_ms: u64,
}

#[derive(Clone, Debug)]
struct Campaign {
    ballot: Ballot,
    votes: BTreeMap<Seat, Vec<Vote>>,
    // The furthest that any of the promises knows the decisions.
    decided: Position,
    quorum_ms: Option<u64>,
    until_ms: u64,
    resend: Resend,
}

#[derive(Clone, Debug)]
struct Flight {
    value: Value,
    digest: Digest,
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
    Canvassing(Canvass),
    Campaigning(Campaign),
    Leading(Reign),
}

/// What a node does to get values decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leader {
    role: Role,
    // Fruitless rounds since the last decision.
    attempts: u32,
    not_before_ms: u64,
    // When to hand the own values to the leader again.
    suggest_ms: u64,
    // The highest ballot heard of.
    seen: Ballot,
    // When something moved last.
    stirred_ms: Option<u64>,
}

impl Leader {
    /// The ballot that this node leads.
    pub(crate) fn leading(&self) -> Option<Ballot> {
        match &self.role {
            Role::Leading(reign) => Some(reign.ballot),
            Role::Follower | Role::Canvassing(_) | Role::Campaigning(_) => None,
        }
    }

    /// The ballot that this node asks for, campaigns with or leads.
    pub(crate) fn ballot(&self) -> Option<Ballot> {
        match &self.role {
            Role::Follower => None,
            Role::Canvassing(canvass) => Some(canvass.ballot),
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
        self.stirred_ms = Some(now);
    }

    /// Whether nothing has moved for this long.
    pub(crate) fn is_quiet(&self, now: u64, patience_ms: u64) -> bool {
        self.stirred_ms.is_none_or(|stirred| now >= stirred.saturating_add(patience_ms))
    }

    /// A position is decided, by whomever; the digest of what was in flight there.
    pub(crate) fn decided(&mut self, position: Position) -> Option<Digest> {
        self.attempts = 0;
        let Role::Leading(reign) = &mut self.role else {
            return None;
        };
        reign.next = reign.next.max(position.saturating_add(1));
        reign.flights.remove(&position).map(|flight| flight.digest)
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    /// Asks the others for a ballot if there is something to decide, the leader is silent, and
    /// the back-off is over.
    pub(crate) fn canvass_if_needed(&mut self) {
        let now = self.now.timer_ms;
        let idle = matches!(self.leader.role, Role::Follower) && now >= self.leader.not_before_ms;
        if idle && self.has_cause() && self.would_follow(self.config.seat) {
            self.canvass();
        }
    }

    // Whether there are values to propose, or votes that nobody else seems to finish.
    fn has_cause(&self) -> bool {
        let timing = self.config.timing;
        let stagger = (timing.takeover_ms / 4).saturating_mul(u64::from(self.config.seat));
        let patience = timing.takeover_ms.saturating_add(stagger);
        let since = self.leader.stirred_ms.unwrap_or(0);
        let stale = self.now.timer_ms >= since.saturating_add(patience);
        self.proposals.any_waiting() || (stale && self.unfinished())
    }

    // Whether there is a position that some nodes voted about and that is not decided here.
    fn unfinished(&self) -> bool {
        let undecided = |vote: &Vote| self.log.get(vote.position).is_none();
        self.acceptor.votes().any(undecided) || self.log.has_gap()
    }

    // Phase 0: nothing is promised yet, so a node that nobody would follow disturbs nobody.
    fn canvass(&mut self) {
        let highest = self.acceptor.promised().max(self.leader.seen);
        let ballot = Ballot { round: highest.round.saturating_add(1), seat: self.config.seat };
        let timing = self.config.timing;
        let pause = timing.resend_ms << self.leader.attempts.min(MAX_DOUBLINGS);
        self.leader.role = Role::Canvassing(Canvass {
            ballot,
            yes: BTreeSet::new(),
            until_ms: self.now.timer_ms.saturating_add(pause.min(timing.takeover_ms)),
        });
        let others = self.config.others().collect();
        self.send(others, Request::PreVote { ballot });
        self.on_pre_voted(self.config.seat, ballot);
    }

    pub(crate) fn on_pre_voted(&mut self, from: Seat, asked: Ballot) {
        let willing = self.would_follow(self.config.seat);
        match &mut self.leader.role {
            Role::Canvassing(canvass) if canvass.ballot == asked && willing => {
                canvass.yes.insert(from);
                if canvass.yes.len() >= usize::from(self.config.quorum.size()) {
                    self.campaign(asked);
                }
            }
            _ => {}
        }
    }

    // Phase 1.
    fn campaign(&mut self, ballot: Ballot) {
        let now = self.now.timer_ms;
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
            until_ms: now.saturating_add(self.config.timing.takeover_ms),
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
        // Who wants them decided knows them.
        self.suggestions = Suggestions::default();
        let attempt = self.leader.attempts;
        self.leader.attempts = attempt.saturating_add(1);
        let span = self.config.timing.backoff_ms << attempt.min(MAX_DOUBLINGS);
        let scatter = digest(&[self.config.seat, attempt.to_le_bytes()[0]]);
        let share = u64::from(u16::from_le_bytes([scatter.0[0], scatter.0[1]]));
        let extra = span.saturating_mul(share) >> 16;
        let wait = (span / 2).saturating_add(extra);
        self.leader.not_before_ms = self.now.timer_ms.saturating_add(wait);
    }

    pub(crate) fn tick_leader(&mut self) {
        let now = self.now.timer_ms;
        match &self.leader.role {
            Role::Follower => {}
            Role::Canvassing(canvass) => {
                let fruitless = now >= canvass.until_ms;
                // Somebody else leads, or there is nothing left to do.
                if !self.has_cause() || !self.would_follow(self.config.seat) {
                    self.leader.role = Role::Follower;
                } else if fruitless {
                    self.step_down();
                }
            }
            Role::Campaigning(_) => self.tick_campaign(),
            Role::Leading(reign) => {
                let ballot = reign.ballot;
                self.resend_flights(ballot);
            }
        }
        self.canvass_if_needed();
        if now >= self.leader.suggest_ms {
            self.leader.suggest_ms = now.saturating_add(self.config.timing.resend_ms);
            self.suggest_own();
        }
        if self.working_leader().is_some() {
            self.tick_suggestions();
        }
    }

    fn tick_campaign(&mut self) {
        let idle = !self.proposals.any_waiting() && !self.unfinished();
        let (timing, now) = (self.config.timing, self.now.timer_ms);
        let Role::Campaigning(campaign) = &mut self.leader.role else {
            return;
        };
        if idle {
            self.leader.role = Role::Follower;
            return;
        }
        let unclear = |since: u64| since.saturating_add(timing.grace_ms << 2);
        if now >= campaign.quorum_ms.map_or(campaign.until_ms, unclear) {
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

    /// The leader that works, as far as this node can tell.
    pub(crate) fn working_leader(&self) -> Option<Seat> {
        let leader = self.acceptor.promised().max(self.leader.seen).seat;
        (!self.would_follow(self.config.seat)).then_some(leader)
    }
}

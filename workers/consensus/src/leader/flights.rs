//! The proposals of a leader that are in flight: sent, counted, decided or given up.

use super::{Flight, Role};
use crate::io::{Application, Keys, Outcome, Refusal};
use crate::message::Request;
use crate::mutant::Mutant;
use crate::node::Node;
use crate::proposals::Stage;
use crate::resend::Resend;
use crate::types::{digest, Ballot, Position, Seat, Value, Vote};
use cicada_core::hash::Digest;
use std::collections::BTreeSet;

impl<A: Application, K: Keys> Node<A, K> {
    /// Proposes waiting values while the window has room: the own first.
    pub(crate) fn pump(&mut self) {
        loop {
            let Role::Leading(reign) = &self.leader.role else {
                return;
            };
            let (ballot, position) = (reign.ballot, reign.next);
            if position > self.log.applied().saturating_add(self.config.window) {
                return;
            }
            let flying = |hash: &Digest| reign.flights.values().any(|f| f.digest == *hash);
            let own = self.proposals.next_waiting().map(|p| (p.digest, p.value.clone()));
            let Some((hash, value)) = own.or_else(|| self.suggestions.next(flying)) else {
                return;
            };
            let (promised, flying) = (reign.promised.clone(), flying(&hash));
            for twin in self.proposals.undecided(hash) {
                twin.stage = Stage::InFlight;
                twin.promised.clone_from(&promised);
            }
            if flying {
                continue;
            }
            if let Err(refusal) = self.application.wants(&value, self.now) {
                self.suggestions.remove(&hash);
                self.refuse_own(hash, &refusal);
                continue;
            }
            if let Role::Leading(reign) = &mut self.leader.role {
                reign.next = position.saturating_add(1);
            }
            self.launch(ballot, position, value, ballot);
        }
    }

    /// Ends the own proposals of a value that this node itself does not find valid.
    pub(crate) fn refuse_own(&mut self, hash: Digest, refusal: &Refusal) {
        let twins = self.proposals.take(|p| p.digest == hash && p.stage == Stage::InFlight);
        for twin in twins {
            self.finish(twin.ticket, Outcome::Refused(refusal.clone()));
        }
    }

    pub(super) fn launch(
        &mut self,
        ballot: Ballot,
        position: Position,
        value: Value,
        since: Ballot,
    ) {
        let flight = Flight {
            digest: digest(&value),
            value,
            since,
            accepted: BTreeSet::new(),
            refused: BTreeSet::new(),
            resend: Resend::new(self.now.timer_ms, self.config.timing.resend_ms),
        };
        let request = self.accept_request(ballot, position, &flight);
        if let Some(reign) = self.leader.reign(ballot) {
            reign.flights.insert(position, flight);
        }
        let others = self.config.others().collect();
        self.send(others, request);
        self.decide_if_possible(ballot, position);
    }

    fn accept_request(&self, ballot: Ballot, position: Position, flight: &Flight) -> Request {
        Request::Accept {
            ballot,
            position,
            since: flight.since,
            value: flight.value.clone(),
            tip: self.log.tip(),
        }
    }

    pub(crate) fn on_accepted(&mut self, from: Seat, ballot: Ballot, position: Position) {
        if let Some(flight) = self.leader.flight(ballot, position) {
            flight.accepted.insert(from);
            self.decide_if_possible(ballot, position);
        }
    }

    // Decides with a quorum of votes. The leader's own comes last, so that a value that nobody
    // else accepts leaves no vote behind.
    fn decide_if_possible(&mut self, ballot: Ballot, position: Position) {
        let seat = self.config.seat;
        let fewer = usize::from(self.config.mutated(Mutant::CrashSmallQuorum));
        let needed = usize::from(self.config.quorum.size()).saturating_sub(fewer);
        let Some(flight) = self.leader.flight(ballot, position) else {
            return;
        };
        let own_makes_it = flight.accepted.len().saturating_add(1) >= needed;
        let own_is_open = !flight.accepted.contains(&seat);
        if !own_makes_it {
            return;
        }
        let vote = Vote { position, ballot, since: flight.since, value: flight.value.clone() };
        if own_is_open {
            if self.acceptor.promised() > ballot {
                return self.step_down();
            }
            // A fresh value was checked when its turn came; an adopted one is not refused.
            self.cast(vote.clone());
            if let Some(flight) = self.leader.flight(ballot, position) {
                flight.accepted.insert(seat);
            }
        }
        let Some(flight) = self.leader.flight(ballot, position) else {
            return;
        };
        if flight.accepted.len() < needed {
            return;
        }
        let (accepted, hash) = (flight.accepted.clone(), flight.digest);
        for proposal in self.proposals.undecided(hash) {
            proposal.accepted.clone_from(&accepted);
        }
        self.learn_digested(position, vote.value, hash, None);
        self.announce(position);
        self.pump();
    }

    pub(crate) fn on_refused(
        &mut self,
        from: Seat,
        ballot: Ballot,
        position: Position,
        reason: &str,
    ) {
        let spare = usize::from(self.config.quorum.max_unresponsive());
        let Some(flight) = self.leader.flight(ballot, position) else {
            return;
        };
        flight.refused.insert(from);
        let fresh = flight.since == ballot;
        let hopeless = flight.refused.len() > spare;
        let hash = flight.digest;
        self.proposals.note_refusal(fresh.then_some(hash), from, reason);
        if !hopeless {
            return;
        }
        if fresh {
            self.fail_refused(hash);
        }
        // The position can take another value only in another ballot.
        self.step_down();
    }

    pub(super) fn resend_flights(&mut self, ballot: Ballot) {
        let (now, pause) = (self.now.timer_ms, self.config.timing.resend_ms);
        let Some(reign) = self.leader.reign(ballot) else {
            return;
        };
        let due = |flight: &mut Flight| flight.resend.due(now, pause);
        let due: Vec<Position> = reign
            .flights
            .iter_mut()
            .filter_map(|(position, flight)| due(flight).then_some(*position))
            .collect();
        for position in due {
            let Role::Leading(reign) = &self.leader.role else {
                return;
            };
            if let Some(flight) = reign.flights.get(&position) {
                let request = self.accept_request(ballot, position, flight);
                let silent = |s: &Seat| !flight.accepted.contains(s) && !flight.refused.contains(s);
                let to = self.config.others().filter(silent).collect();
                self.send(to, request);
            }
        }
    }

    /// A node is behind: it will soon have caught up, so ask it again sooner.
    pub(crate) fn soon(&mut self) {
        let soon = self.now.timer_ms.saturating_add(self.config.timing.resend_ms / 4);
        if let Role::Leading(reign) = &mut self.leader.role {
            for flight in reign.flights.values_mut() {
                flight.resend.at_ms = flight.resend.at_ms.min(soon);
            }
        }
    }
}

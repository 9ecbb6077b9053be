//! The proposals of a view's leader that are in flight.

use super::leader::{Reign, Role};
use super::statement::{Kind, QuorumCertificate, Statement};
use crate::io::{Application, Keys};
use crate::message::{Proposal, Request};
use crate::node::Node;
use crate::resend::Resend;
use crate::types::{digest, Position, Seat, Value, View};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// How far a proposal has come.
#[derive(Clone, Debug)]
enum Phase {
    Preparing,
    Committing(QuorumCertificate),
}

/// A proposal on its way.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(super) digest: Digest,
    proposal: Proposal,
    phase: Phase,
    shares: BTreeMap<Seat, Signature>,
    refused: BTreeSet<Seat>,
    resend: Resend,
}

impl Flight {
    fn statement(&self, kind: Kind) -> Statement {
        let Proposal { view, position, .. } = self.proposal;
        Statement { kind, position, view, digest: self.digest }
    }

    fn awaited(&self) -> Kind {
        match self.phase {
            Phase::Preparing => Kind::Prepared,
            Phase::Committing(_) => Kind::Committed,
        }
    }
}

impl Reign {
    fn request(&self, flight: &Flight, to: Seat, again: bool) -> Request {
        match &flight.phase {
            Phase::Preparing => {
                let new = !self.informed.contains(&to);
                Request::Propose {
                    proposal: flight.proposal.clone(),
                    justification: self.justification.clone().filter(|_| new),
                }
            }
            Phase::Committing(certificate) => Request::Commit {
                certificate: certificate.clone(),
                value: again.then(|| flight.proposal.value.clone()),
            },
        }
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    /// Proposes waiting values while the window has room: the own first.
    pub(crate) fn pump_values(&mut self) {
        // A new member learns first what the earlier epochs decided.
        if self.log.applied() < self.config.base() {
            return;
        }
        loop {
            let window_end = self.log.applied().saturating_add(self.config.window);
            let Role::Leading(reign) = &self.byzantine.role else {
                return;
            };
            let position = reign.next;
            if position > window_end {
                return;
            }
            let pledged = reign.pledged.clone();
            let flying = |hash: &Digest| reign.flights.values().any(|f| f.digest == *hash);
            let own = self.proposals.next_waiting().map(|p| (p.digest, p.value.clone()));
            let Some((hash, value)) = own.or_else(|| self.suggestions.next(flying)) else {
                return;
            };
            let flying = flying(&hash);
            for twin in self.proposals.undecided(hash) {
                twin.stage = crate::proposals::Stage::InFlight;
                twin.promised.clone_from(&pledged);
            }
            if flying {
                continue;
            }
            if let Err(refusal) = self.application.wants(&value, self.now) {
                self.suggestions.remove(&hash);
                self.refuse_own(hash, &refusal);
                continue;
            }
            if let Some(reign) = self.byzantine.role.reign() {
                reign.next = position.saturating_add(1);
            }
            self.launch_value(position, value);
        }
    }

    /// 1c: prepares a value here, then asks all others to.
    pub(super) fn launch_value(&mut self, position: Position, value: Value) {
        let Some(mandate) = self.byzantine.role.reign().map(|reign| reign.mandate.clone()) else {
            return;
        };
        let Ok(share) = self.prepare(&mandate, position, &value) else {
            return;
        };
        let (view, hash) = (mandate.view(), digest(&value));
        let statement = Statement { kind: Kind::Proposal, position, view, digest: hash };
        let signature = statement.sign(&self.config, &self.keys);
        let flight = Flight {
            digest: hash,
            proposal: Proposal { view, position, value, signature },
            phase: Phase::Preparing,
            shares: BTreeMap::from([(self.config.seat, share)]),
            refused: BTreeSet::new(),
            resend: Resend::new(self.now.timer_ms, self.config.timing.resend_ms),
        };
        if let Some(reign) = self.byzantine.role.reign() {
            reign.flights.insert(position, flight);
        }
        let others: Vec<Seat> = self.config.others().collect();
        self.send_flight(position, &others, false);
        self.proceed(position);
    }

    // Sends what a flight needs next. Those that get the same share one message.
    fn send_flight(&mut self, position: Position, to: &[Seat], again: bool) {
        let Role::Leading(reign) = &self.byzantine.role else {
            return;
        };
        let Some(flight) = reign.flights.get(&position) else {
            return;
        };
        let (informed, new): (Vec<Seat>, Vec<Seat>) =
            to.iter().partition(|seat| reign.informed.contains(seat));
        let requests: Vec<(Vec<Seat>, Request)> = [informed, new]
            .into_iter()
            .filter_map(|seats| {
                let request = reign.request(flight, *seats.first()?, again);
                Some((seats, request))
            })
            .collect();
        for (seats, request) in requests {
            self.send(seats, request);
        }
    }

    /// 2av and 2b come in.
    pub(crate) fn on_share(
        &mut self,
        from: Seat,
        kind: Kind,
        view: View,
        position: Position,
        signature: Signature,
    ) {
        let Some(reign) = self.byzantine.role.reign().filter(|r| r.mandate.view() == view) else {
            return;
        };
        reign.informed.insert(from);
        let Some(flight) = reign.flights.get_mut(&position) else {
            return;
        };
        if flight.awaited() != kind || flight.shares.contains_key(&from) {
            return;
        }
        let statement = flight.statement(kind);
        if statement.verify(&self.config, &self.keys, from, &signature) {
            flight.shares.insert(from, signature);
            self.proceed(position);
        }
    }

    // Takes a flight to its next phase, or to the decision, once a quorum has signed.
    fn proceed(&mut self, position: Position) {
        loop {
            let Some(reign) = self.byzantine.role.reign() else {
                return;
            };
            let Some(flight) = reign.flights.get(&position) else {
                return;
            };
            let statement = flight.statement(flight.awaited());
            let Some(certificate) =
                QuorumCertificate::assemble(&self.config, statement, &flight.shares)
            else {
                return;
            };
            if statement.kind == Kind::Committed {
                let value = flight.proposal.value.clone();
                return self.decide(position, value, certificate);
            }
            let Ok(share) = self.commit(&certificate, None) else {
                return;
            };
            let seat = self.config.seat;
            let resend = Resend::new(self.now.timer_ms, self.config.timing.resend_ms);
            let Some(reign) = self.byzantine.role.reign() else {
                return;
            };
            if let Some(flight) = reign.flights.get_mut(&position) {
                flight.phase = Phase::Committing(certificate);
                flight.shares = BTreeMap::from([(seat, share)]);
                flight.refused.clear();
                flight.resend = resend;
            }
            let others: Vec<Seat> = self.config.others().collect();
            self.send_flight(position, &others, false);
        }
    }

    fn decide(&mut self, position: Position, value: Value, proof: QuorumCertificate) {
        let hash = proof.statement.digest;
        self.learn_digested(position, value, hash, Some(proof));
        self.announce(position);
        self.pump_values();
    }

    pub(crate) fn on_unjustified(&mut self, from: Seat, view: View) {
        let Some(reign) = self.byzantine.role.reign().filter(|r| r.mandate.view() == view) else {
            return;
        };
        reign.informed.remove(&from);
        let open: Vec<Position> = reign
            .flights
            .iter()
            .filter(|(_, flight)| matches!(flight.phase, Phase::Preparing))
            .map(|(position, _)| *position)
            .collect();
        for position in open {
            self.send_flight(position, &[from], true);
        }
    }

    pub(crate) fn on_lacking(&mut self, from: Seat, view: View, position: Position) {
        if self.byzantine.role.reign().is_some_and(|reign| reign.mandate.view() == view) {
            self.send_flight(position, &[from], true);
        }
    }

    /// A node does not find a value valid. If too many do not, the view cannot decide anything
    /// there: the leader leaves it.
    pub(crate) fn on_refused_value(
        &mut self,
        from: Seat,
        view: View,
        position: Position,
        reason: &str,
    ) {
        let spare = usize::from(self.config.quorum.max_unresponsive());
        let Some(reign) = self.byzantine.role.reign().filter(|r| r.mandate.view() == view) else {
            return;
        };
        reign.informed.insert(from);
        let Some(flight) = reign.flights.get_mut(&position) else {
            return;
        };
        if !matches!(flight.phase, Phase::Preparing) {
            return;
        }
        flight.refused.insert(from);
        let (hash, hopeless) = (flight.digest, flight.refused.len() > spare);
        self.proposals.note_refusal(Some(hash), from, reason);
        if hopeless {
            self.suggestions.remove(&hash);
            self.fail_refused(hash);
            self.wish(view.saturating_add(1));
        }
    }

    pub(crate) fn tick_flights(&mut self) {
        let (now, pause) = (self.now.timer_ms, self.config.timing.resend_ms);
        let Some(reign) = self.byzantine.role.reign() else {
            return;
        };
        let mut due = Vec::new();
        for (position, flight) in &mut reign.flights {
            if flight.resend.due(now, pause) {
                let known: BTreeSet<Seat> =
                    flight.shares.keys().chain(&flight.refused).copied().collect();
                due.push((*position, known));
            }
        }
        for (position, known) in due {
            let silent: Vec<Seat> =
                self.config.others().filter(|seat| !known.contains(seat)).collect();
            self.send_flight(position, &silent, true);
        }
    }
}

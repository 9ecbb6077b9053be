//! After the decision: the attestations that make a certificate.

use crate::byzantine::QuorumCertificate;
use crate::io::{Application, Keys, Output};
use crate::message::{Answer, Request};
use crate::mutant::Mutant;
use crate::node::{invalid, Node};
use crate::types::{Position, Record, Seat};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Digest;
use std::collections::BTreeMap;

/// How many uncertified reports are worked on at once, the oldest first.
const ROUNDS_AT_ONCE: usize = 16;

/// The attestations of one report, as far as they are in.
#[derive(Clone, Debug)]
struct Round {
    shares: BTreeMap<Seat, Signature>,
    due_ms: u64,
    attempt: u32,
}

/// The rounds that are open at this node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds(BTreeMap<Position, Round>);

impl Rounds {
    pub(crate) fn has_share(&self, position: Position, seat: Seat) -> bool {
        let round = self.0.get(&position);
        round.is_some_and(|round| round.shares.contains_key(&seat))
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    /// Opens the round of a report just applied. Its first request is the leader's; the other
    /// nodes ask only if no certificate comes.
    pub(crate) fn open_round(&mut self, position: Position) {
        // The committees before certify their own reports.
        let own = position > self.config.base();
        if own && self.log.uncertified().contains_key(&position) {
            let patience = u64::from(self.config.seat).saturating_mul(2).saturating_add(8);
            let wait = self.config.timing.certify_ms.saturating_mul(patience);
            let round = Round {
                shares: BTreeMap::new(),
                due_ms: self.now.timer_ms.saturating_add(wait),
                attempt: 0,
            };
            self.rounds.0.insert(position, round);
        }
    }

    fn decided_request(&self, position: Position) -> Option<Request> {
        let slot = self.log.get(position)?;
        Some(Request::Decided {
            position,
            digest: slot.digest,
            proof: slot.proof.as_deref().cloned(),
        })
    }

    /// Tells all others that a position is decided, and asks for their attestations.
    pub(crate) fn announce(&mut self, position: Position) {
        let Some(request) = self.decided_request(position) else {
            return;
        };
        let others = self.config.others().collect();
        self.send(others, request);
        let due = self.now.timer_ms.saturating_add(self.config.timing.certify_ms);
        if let Some(round) = self.rounds.0.get_mut(&position) {
            round.due_ms = due;
        }
        self.add_own_share(position);
    }

    pub(crate) fn on_decided(
        &mut self,
        from: Seat,
        position: Position,
        decided: Digest,
        proof: Option<QuorumCertificate>,
    ) -> Answer {
        match self.config.byzantine() {
            true => {
                if let Some(answer) = self.beyond_end(position) {
                    return answer;
                }
                self.learn_by_proof(proof.clone());
            }
            false => self.learn_by_vote(position, decided),
        }
        let Some(slot) = self.log.applied_slot(position) else {
            self.fetch(from);
            let decided = self.log.applied();
            return Answer::Behind { decided };
        };
        if slot.digest != decided {
            let reason = format!("seat {from} reports another decision at position {position}");
            let proved = proof.is_some_and(|proof| self.proves(&proof, position, decided));
            if proved || !self.config.byzantine() {
                self.halt(reason.clone());
            }
            return invalid(&reason);
        }
        if let Some(certificate) = slot.certificate.as_deref().cloned() {
            return Answer::AlreadyCertified { position, certificate };
        }
        if slot.attestation.is_none() {
            return Answer::NothingToAttest { position };
        }
        match self.attest(position) {
            Some(signature) => Answer::Attested { position, signature },
            None => invalid("another report of this slot has my attestation"),
        }
    }

    // Signs the report at a position, unless another report of its slot was ever signed. What
    // is signed is durable before the signature leaves.
    fn attest(&mut self, position: Position) -> Option<Signature> {
        if position <= self.config.base() {
            return None;
        }
        let request = *self.log.applied_slot(position)?.attestation.as_deref()?;
        let (feed, slot) = (request.report.feed, request.report.slot);
        match self.attested.get(&(feed, slot)) {
            Some(message) if *message != request.message => return None,
            Some(_) => {}
            None => {
                self.attested.insert((feed, slot), request.message);
                self.persist(Record::Attested { feed, slot, message: request.message });
            }
        }
        Some(self.keys.attest(&request.message))
    }

    fn add_own_share(&mut self, position: Position) {
        let seat = self.config.seat;
        if self.log.uncertified().contains_key(&position) && !self.rounds.has_share(position, seat)
        {
            if let Some(signature) = self.attest(position) {
                self.add_share(position, seat, signature);
            }
        }
    }

    pub(crate) fn on_attested(&mut self, from: Seat, position: Position, signature: Signature) {
        let Some(request) = self.log.uncertified().get(&position) else {
            return;
        };
        if self.keys.verify_attestation(from, &request.message, &signature) {
            self.add_share(position, from, signature);
        }
    }

    fn add_share(&mut self, position: Position, seat: Seat, signature: Signature) {
        let Some(round) = self.rounds.0.get_mut(&position) else {
            return;
        };
        round.shares.entry(seat).or_insert(signature);
        let shares = round.shares.iter().map(|(seat, share)| (*seat, *share));
        let quorum = &self.config.attestation;
        let Some(certificate) = Certificate::assemble(self.config.epoch, quorum, shares) else {
            return;
        };
        // Each share was verified when it came.
        if self.keep(position, certificate.clone()) {
            let others = self.config.others().collect();
            self.send(others, Request::Certified { position, certificate });
        }
    }

    pub(crate) fn on_certified(
        &mut self,
        from: Seat,
        position: Position,
        certificate: Certificate,
    ) -> Answer {
        if self.log.applied_slot(position).is_none() {
            self.fetch(from);
            let decided = self.log.applied();
            return Answer::Behind { decided };
        }
        self.certify(position, certificate);
        Answer::Noted
    }

    /// Keeps a certificate if it is genuine and news. Whether it was.
    pub(crate) fn certify(&mut self, position: Position, certificate: Certificate) -> bool {
        self.genuine(position, &certificate) && self.keep(position, certificate)
    }

    fn keep(&mut self, position: Position, certificate: Certificate) -> bool {
        if !self.log.certify(position, certificate.clone()) {
            return false;
        }
        self.persist(Record::Certified { position, certificate });
        self.application.certified(position);
        self.rounds.0.remove(&position);
        self.emit(Output::Certified { position });
        self.finish_decided(position);
        true
    }

    /// Whether a certificate is one of the uncertified report at a position.
    pub(crate) fn genuine(&self, position: Position, certificate: &Certificate) -> bool {
        let Some(request) = self.log.uncertified().get(&position) else {
            return false;
        };
        if let Some(closed) = self.config.closed_at(position) {
            let form = certificate.check_form(closed.epoch, &closed.attestation);
            let (epoch, message) = (closed.epoch, &request.message);
            let mut shares = certificate.seats().zip(&certificate.signatures);
            let verify =
                |(seat, share)| self.keys.verify_earlier_attestation(epoch, seat, message, share);
            return form.is_ok() && shares.all(verify);
        }
        let form = certificate.check_form(self.config.epoch, &self.config.attestation);
        if self.config.mutated(Mutant::BelieveAttestations) {
            return true;
        }
        form.is_ok() && self.keys.verify_certificate(certificate, &request.message)
    }

    /// Asks for all missing attestations at the next tick; with `own_only` just in the rounds
    /// in which this node has asked before.
    pub(crate) fn hurry_rounds(&mut self, own_only: bool) {
        for round in self.rounds.0.values_mut() {
            if !own_only || round.attempt > 0 {
                round.due_ms = round.due_ms.min(self.now.timer_ms);
            }
        }
    }

    pub(crate) fn tick_rounds(&mut self) {
        let now = self.now.timer_ms;
        let mut asked = Vec::new();
        // A node that restarted has uncertified reports without a round.
        let unopened = |position: &&Position| !self.rounds.0.contains_key(position);
        let positions = self.log.uncertified().keys();
        let unopened: Vec<Position> = positions.filter(unopened).copied().collect();
        for position in unopened {
            self.open_round(position);
        }
        for (position, round) in self.rounds.0.iter_mut().take(ROUNDS_AT_ONCE) {
            if round.due_ms <= now {
                let pause = self.config.timing.certify_ms << round.attempt.min(4);
                round.due_ms = now.saturating_add(pause);
                round.attempt = round.attempt.saturating_add(1);
                asked.push(*position);
            }
        }
        for position in asked {
            self.add_own_share(position);
            let missing = |seat: &Seat| !self.rounds.has_share(position, *seat);
            let missing = self.config.others().filter(missing).collect();
            // The own share may have completed it.
            if self.log.uncertified().contains_key(&position) {
                if let Some(request) = self.decided_request(position) {
                    self.send(missing, request);
                }
            }
        }
    }
}

//! Learning what is decided, and catching up with others.

use crate::byzantine::QuorumCertificate;
use crate::io::{Application, Keys, Output};
use crate::message::Request;
use crate::mutant::Mutant;
use crate::node::{Node, FETCH_LIMIT};
use crate::proposals::Stage;
use crate::types::{digest, Entry, Position, Record, Seat, Value};
use cicada_core::hash::Digest;
use std::hash::{Hash as _, Hasher};

/// When to ask others for what this node lacks.
#[derive(Clone, Debug, Default)]
pub(crate) struct CatchUp {
    fetch_again_ms: u64,
    sync_at_ms: u64,
    syncs: u64,
}

impl CatchUp {
    /// For [`Node::hash_state`].
    pub(crate) fn hash_state(&self, state: &mut impl Hasher) {
        self.syncs.hash(state);
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    // Learns that the value this node voted for is decided, if its digest is the one given.
    pub(crate) fn learn_by_vote(&mut self, position: Position, decided: Digest) {
        if self.log.get(position).is_some() {
            return;
        }
        let vote = self.acceptor.vote(position);
        if let Some(vote) = vote.filter(|vote| digest(&vote.value) == decided) {
            let value = vote.value.clone();
            self.learn_digested(position, value, decided, None);
        }
    }

    /// Takes note of a decision, applies what can be applied.
    pub(crate) fn learn(
        &mut self,
        position: Position,
        value: Value,
        proof: Option<QuorumCertificate>,
    ) {
        let decided = digest(&value);
        self.learn_digested(position, value, decided, proof);
    }

    /// The same, if the caller has the digest of the value already.
    pub(crate) fn learn_digested(
        &mut self,
        position: Position,
        value: Value,
        decided: Digest,
        proof: Option<QuorumCertificate>,
    ) {
        if self.is_beyond_end(position) {
            return;
        }
        match self.log.decide(position, value.clone(), decided, proof.clone()) {
            Ok(false) => return,
            Ok(true) if self.config.mutated(Mutant::ForgetDecisions) => {}
            Ok(true) => {
                self.persist(Record::Decided { position, value });
                self.persist_all(proof.into_iter().map(Record::Proven).collect());
            }
            Err(reason) => return self.halt(reason),
        }
        for proposal in self.proposals.undecided(decided) {
            proposal.stage = Stage::Decided(position);
        }
        let overtaken = self.leader.decided(position);
        if let Some(overtaken) = overtaken.or(self.decided_in_view(position, &decided)) {
            for proposal in self.proposals.undecided(overtaken) {
                proposal.stage = Stage::Waiting;
            }
        }
        self.leader.stir(self.now.timer_ms);
        loop {
            match self.apply_next() {
                Ok(Some(position)) => {
                    self.emit(Output::Applied { position });
                    self.open_round(position);
                    self.finish_decided(position);
                }
                Ok(None) => break,
                Err(reason) => return self.halt(reason.into()),
            }
        }
        self.acceptor.forget_up_to(self.log.applied());
        self.byzantine.forget_up_to(self.log.applied());
    }

    pub(crate) fn on_entries(&mut self, from: Seat, entries: Vec<Entry>, decided: Position) {
        self.catch_up.fetch_again_ms = 0;
        let before = self.log.applied();
        for entry in entries {
            if !self.entry_is_proved(&entry) {
                continue;
            }
            self.learn(entry.position, entry.value, entry.proof);
            if let Some(certificate) = entry.certificate {
                self.certify(entry.position, certificate);
            }
        }
        let applied = self.log.applied();
        if applied > before {
            if decided > applied {
                self.fetch(from);
            }
            self.advance();
        }
    }

    // In crash mode a peer's word will do.
    fn entry_is_proved(&self, entry: &Entry) -> bool {
        if !self.config.byzantine() || self.config.mutated(Mutant::BelieveEntries) {
            return true;
        }
        let known = self.log.get(entry.position).map(|slot| slot.digest);
        let hash = digest(&entry.value);
        let proof = entry.proof.as_ref();
        known == Some(hash) || proof.is_some_and(|proof| self.proves(proof, entry.position, hash))
    }

    // Asks one other node, each in turn, for what this one lacks: decided values, or the
    // certificates of old reports. More often in the beginning.
    pub(crate) fn sync_if_due(&mut self) {
        if self.now.timer_ms < self.catch_up.sync_at_ms {
            return;
        }
        let eager = self.catch_up.syncs < 6;
        let pause = self.config.timing.sync_ms / if eager { 8 } else { 1 };
        self.catch_up.sync_at_ms = self.now.timer_ms.saturating_add(pause.max(1));
        let others: Vec<Seat> = self.config.others().collect();
        let turn = self.catch_up.syncs.saturating_add(u64::from(self.config.seat));
        self.catch_up.syncs = self.catch_up.syncs.saturating_add(1);
        let Some(index) = turn.checked_rem(others.len() as u64) else {
            return;
        };
        let next = self.log.applied().saturating_add(1);
        let oldest = self.log.uncertified().keys().next().copied();
        let from = oldest.filter(|_| self.catch_up.syncs.is_multiple_of(2)).unwrap_or(next);
        let to = others.get(index as usize).copied().into_iter().collect();
        self.send(to, Request::Fetch { from, limit: FETCH_LIMIT });
    }

    /// Asks a node that knows more for decided values; one request at a time.
    pub(crate) fn fetch(&mut self, seat: Seat) {
        if self.now.timer_ms < self.catch_up.fetch_again_ms || seat == self.config.seat {
            return;
        }
        let again = self.now.timer_ms.saturating_add(self.config.timing.resend_ms);
        self.catch_up.fetch_again_ms = again;
        let from = self.log.applied().saturating_add(1);
        let request = Request::Fetch { from, limit: FETCH_LIMIT };
        self.send(vec![seat], request);
    }
}

//! Made-up decisions, certificates, locks and signatures.

use crate::Liar;
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Application, Ballot, Claim, Entry, Keys, Pledge, Position, Request, Seat,
    Value, Vote, FIRST_VIEW,
};
use cicada_core::certificate::{Certificate, Signature};

/// How many ticks pass between two unasked forgeries.
const PAUSE: u64 = 8;
/// How many false decisions one answer holds.
const ENTRIES: u64 = 4;
/// How far ahead false views and positions are.
const AHEAD: u64 = 5;

impl<A: Application, K: Keys> Liar<A, K> {
    // Bytes where a signature belongs; others each time.
    fn scribble(&self, salt: u64) -> Signature {
        let mut signature = [0; 64];
        let noise = digest(&[self.steps.to_le_bytes(), salt.to_le_bytes()].concat());
        for (byte, noise) in signature.iter_mut().zip(noise.0.iter().cycle()) {
            *byte = *noise;
        }
        signature
    }

    fn forged_proof(&self, statement: Statement) -> QuorumCertificate {
        let size = self.config.quorum_size();
        let signatures = (0..u64::from(size)).map(|salt| self.scribble(salt)).collect();
        let signers = (0..size).fold(0, |bits: u32, seat| bits | 1 << seat);
        QuorumCertificate { statement, signers, signatures }
    }

    fn forged_certificate(&self) -> Option<Certificate> {
        let quorum = &self.config.attestation;
        let shares = (0..quorum.size()).map(|seat| (seat, self.scribble(u64::from(seat))));
        Certificate::assemble(self.config.epoch, quorum, shares)
    }

    // A value for one seat only.
    fn false_value(&self, position: Position, seat: Seat) -> Value {
        let by = u64::from(seat).saturating_add(1);
        let twisted = self.seen.as_ref().and_then(|value| (self.twist)(value, by));
        twisted.unwrap_or_else(|| format!("false value {position} for seat {seat}").into_bytes())
    }

    fn false_entry(&self, position: Position, seat: Seat) -> Entry {
        let value = self.false_value(position, seat);
        let (view, digest) = (FIRST_VIEW, digest(&value));
        let statement = Statement { kind: Kind::Committed, position, view, digest };
        let certificate = self.forged_certificate();
        let proof = self.config.byzantine().then(|| self.forged_proof(statement));
        Entry { position, value, certificate, proof }
    }

    fn false_timeout(&self) -> QuorumCertificate {
        let view = self.node.status().promised.round.saturating_add(AHEAD);
        self.forged_proof(Statement::timeout(view))
    }

    /// Sends a request of the honest node with something false in it.
    pub(crate) fn say_forged(&mut self, to: Vec<Seat>, request: Request) {
        let request = match request {
            Request::Commit { certificate, value } => {
                let certificate = self.forged_proof(certificate.statement);
                Request::Commit { certificate, value }
            }
            Request::Certified { position, certificate } => {
                let certificate = self.forged_certificate().unwrap_or(certificate);
                Request::Certified { position, certificate }
            }
            Request::Timeout { view, signature, .. } => {
                Request::Timeout { view, signature, entered: Some(self.false_timeout()) }
            }
            Request::Decided { position, .. } => {
                let others = to;
                return self.announce_false(position, others);
            }
            honest => honest,
        };
        self.send(to, request);
    }

    // Another decision for each.
    fn announce_false(&mut self, position: Position, to: Vec<Seat>) {
        for seat in to {
            let entry = self.false_entry(position, seat);
            let (digest, proof) = (digest(&entry.value), entry.proof);
            self.send(vec![seat], Request::Decided { position, digest, proof });
        }
    }

    /// What nobody asked for: false decisions, certificates and views.
    pub(crate) fn spread(&mut self) {
        if !self.ticks.is_multiple_of(PAUSE) {
            return;
        }
        let decided = self.node.status().decided;
        let others = self.others();
        self.announce_false(decided.saturating_add(1), others.clone());
        if decided > 0 {
            self.announce_false(decided, others.clone());
        }
        if let Some(certificate) = self.forged_certificate() {
            let position = decided.max(1);
            self.send(others.clone(), Request::Certified { position, certificate });
        }
        if self.config.byzantine() {
            let entered = self.false_timeout();
            let view = entered.statement.view;
            let signature = self.scribble(0);
            let lead = Request::Lead { view, entered: entered.clone() };
            self.send(others.clone(), lead);
            self.send(others, Request::Timeout { view, signature, entered: Some(entered) });
        }
    }

    /// Answers with something false.
    pub(crate) fn answer_forged(
        &mut self,
        from: Seat,
        request: &Request,
        honest: Answer,
    ) -> Answer {
        let signature = self.scribble(u64::from(from));
        match honest {
            Answer::Entries { decided, .. } => {
                let first = match request {
                    Request::Fetch { from, .. } => *from,
                    _ => decided.saturating_add(1),
                };
                let entry = |step: u64| self.false_entry(first.saturating_add(step), from);
                let entries = (0..ENTRIES).map(entry).collect();
                Answer::Entries { entries, decided: first.saturating_add(ENTRIES) }
            }
            Answer::Prepared { view, position, .. } => {
                Answer::Prepared { view, position, signature }
            }
            Answer::Committed { view, position, .. } => {
                Answer::Committed { view, position, signature }
            }
            Answer::Attested { position, .. } => Answer::Attested { position, signature },
            Answer::AlreadyCertified { position, certificate } => {
                let certificate = self.forged_certificate().unwrap_or(certificate);
                Answer::AlreadyCertified { position, certificate }
            }
            Answer::Pledged { pledge, tip, .. } => self.forged_pledge(from, pledge, tip),
            Answer::View { view, decided, .. } => Answer::View {
                view,
                entered: Some(self.false_timeout()),
                decided: decided.saturating_add(AHEAD),
            },
            Answer::Promise { ballot, decided, .. } => {
                let position = decided.saturating_add(1);
                let before = Ballot { round: ballot.round.saturating_sub(1), seat: ballot.seat };
                let value = self.false_value(position, from);
                let vote = Vote { position, ballot: before, since: before, value };
                Answer::Promise { ballot, votes: vec![vote], decided }
            }
            other => other,
        }
    }

    // A pledge, rightly signed, with a lock that never was.
    fn forged_pledge(&self, from: Seat, honest: Pledge, tip: Option<QuorumCertificate>) -> Answer {
        let position = honest.tip.saturating_add(1);
        let value = self.false_value(position, from);
        let (view, digest) = (honest.view.saturating_sub(1), digest(&value));
        let lock = Statement { kind: Kind::Prepared, position, view, digest };
        let mut pledge = Pledge { claims: vec![Claim { position, view, digest }], ..honest };
        pledge.signature = self.sign(&pledge.statement());
        let locks = vec![self.forged_proof(lock)];
        Answer::Pledged { pledge, tip, locks, values: vec![(position, value)] }
    }
}

//! Made-up and repeated messages.

use super::Liar;
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Entry, Output, Pledge, Position, Proposal, Request, Seat, Value, View,
};
use cicada_core::certificate::Certificate;
use cicada_core::report::Report;
use parity_scale_codec::{Decode, Encode};

impl Liar {
    // What it answers instead of the truth.
    pub(super) fn answer(&mut self, request: &Request) -> Option<Answer> {
        match request {
            Request::Propose { proposal, .. }
                if self.lies.spoil || self.rng.chance(self.lies.forge) =>
            {
                let Proposal { view, position, .. } = *proposal;
                Some(Answer::Prepared { view, position, signature: [9; 64] })
            }
            Request::Propose { proposal, .. } if self.lies.agree => {
                let Proposal { view, position, ref value, .. } = *proposal;
                let statement =
                    Statement { kind: Kind::Prepared, position, view, digest: digest(value) };
                Some(Answer::Prepared { view, position, signature: self.sign(statement) })
            }
            Request::Commit { certificate, .. } if self.lies.agree => {
                let Statement { position, view, .. } = certificate.statement;
                let statement = Statement { kind: Kind::Committed, ..certificate.statement };
                Some(Answer::Committed { view, position, signature: self.sign(statement) })
            }
            Request::Lead { view, .. } if self.lies.hide => {
                let mut pledge = Pledge {
                    seat: self.config.seat,
                    view: *view,
                    tip: 0,
                    claims: Vec::new(),
                    signature: [0; 64],
                };
                pledge.signature = self.sign(pledge.statement());
                Some(Answer::Pledged { pledge, tip: None, locks: vec![], values: vec![] })
            }
            Request::Fetch { from: first, .. } if self.rng.chance(self.lies.forge) => {
                let value = self.other_value(&[])?;
                let proof = self.forged(Kind::Committed, *first, self.view, &value);
                let entry =
                    Entry { position: *first, value, certificate: None, proof: Some(proof) };
                Some(Answer::Entries { entries: vec![entry], decided: *first + 3 })
            }
            Request::Decided { position, .. } if self.rng.chance(self.lies.forge) => {
                let position = *position;
                Some(match self.rng.chance(500) {
                    true => Answer::Attested { position, signature: [9; 64] },
                    false => Answer::AlreadyCertified { position, certificate: self.unearned() },
                })
            }
            _ => None,
        }
    }

    // A certificate without a quorum behind it: of the liars alone, filled up with repetitions,
    // with made-up signatures, or with those of another statement.
    fn forged(
        &mut self,
        kind: Kind,
        position: Position,
        view: View,
        value: &Value,
    ) -> QuorumCertificate {
        let statement = Statement { kind, position, view, digest: digest(value) };
        let own = self.sign(statement);
        let size = usize::from(self.config.quorum.size());
        let way = self.rng.below(4);
        let signers = match way {
            0 => self.liars.iter().fold(0, |bits, seat| bits | 1u32 << seat),
            1 => 1 << self.config.seat,
            _ => (1u32 << size) - 1,
        };
        let mut signatures = vec![own; size];
        if way == 3 {
            for (seat, signature) in signatures.iter_mut().enumerate() {
                *signature = [seat as u8; 64];
            }
        }
        QuorumCertificate { statement, signers, signatures }
    }

    // A certificate of signatures that nobody made.
    fn unearned(&self) -> Certificate {
        let size = usize::from(self.config.attestation.size());
        let (scheme, epoch) = (cicada_core::certificate::SCHEME_SR25519, self.config.epoch);
        Certificate { scheme, epoch, signers: (1 << size) - 1, signatures: vec![[9; 64]; size] }
    }

    // What somebody proposed, made out to be further than it is: committed without a quorum, or
    // decided by what is only prepared.
    fn too_far(&mut self) -> Option<Request> {
        let heard = self.heard.iter().rev().find_map(|request| match request {
            Request::Propose { proposal, .. } => Some(Err(proposal.clone())),
            Request::Commit { certificate, .. } => Some(Ok(certificate.clone())),
            _ => None,
        });
        Some(match heard? {
            Ok(prepared) => Request::Decided {
                position: prepared.statement.position,
                digest: prepared.statement.digest,
                proof: Some(prepared),
            },
            Err(Proposal { position, view, value, .. }) => Request::Commit {
                certificate: self.forged(Kind::Prepared, position, view, &value),
                value: Some(value),
            },
        })
    }

    // A value that the others find valid as well: the same report with another root.
    pub(super) fn other_value(&mut self, value: &[u8]) -> Option<Value> {
        let mut report = match Report::decode(&mut &value[..]) {
            Ok(report) => report,
            Err(_) => {
                let last = self.heard.iter().rev().find_map(|request| match request {
                    Request::Propose { proposal, .. } => Some(proposal.value.clone()),
                    Request::Suggest { value } => Some(value.clone()),
                    _ => None,
                });
                Report::decode(&mut &last?[..]).ok()?
            }
        };
        report.root.0[8..16].copy_from_slice(&self.rng.roll().to_le_bytes());
        Some(report.encode())
    }

    // Unasked lies.
    pub(super) fn mischief(&mut self, out: &mut Vec<Output>) {
        let n = u64::from(self.config.quorum.n());
        let some: Vec<Seat> = (0..3).map(|_| self.rng.below(n) as Seat).collect();
        if self.rng.chance(self.lies.replay) && !self.heard.is_empty() {
            let at = self.rng.below(self.heard.len() as u64) as usize;
            let request = self.heard[at].clone();
            out.push(Output::Send { to: some.clone(), request });
        }
        if self.rng.chance(self.lies.hurry) {
            let view = self.view + [1, 1, 2, 1 << 40][self.rng.below(4) as usize];
            let signature = self.sign(Statement::timeout(view));
            let request = Request::Timeout { view, signature, entered: None };
            out.push(Output::Send { to: some.clone(), request });
        }
        if self.rng.chance(self.lies.forge) {
            if let Some(request) = self.too_far() {
                let to = (0..self.config.quorum.n()).collect();
                out.push(Output::Send { to, request });
            }
            let position = self.node.status().decided.max(1);
            let request = Request::Certified { position, certificate: self.unearned() };
            out.push(Output::Send { to: some.clone(), request });
        }
        if self.rng.chance(self.lies.forge) {
            let position = self.node.status().decided + 1 + self.rng.below(2);
            if let Some(value) = self.other_value(&[]) {
                let view = self.view;
                let request = match self.rng.below(4) {
                    0 => Request::Commit {
                        certificate: self.forged(Kind::Prepared, position, view, &value),
                        value: Some(value),
                    },
                    1 => Request::Decided {
                        position,
                        digest: digest(&value),
                        proof: Some(self.forged(Kind::Committed, position, view, &value)),
                    },
                    2 => Request::Lead {
                        view: view + 1,
                        entered: self.forged(Kind::Timeout, 0, view + 1, &Value::new()),
                    },
                    _ => Request::Suggest { value },
                };
                out.push(Output::Send { to: some, request });
            }
        }
    }
}

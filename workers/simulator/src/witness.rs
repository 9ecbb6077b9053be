//! An auditor who hears everything that is signed, and says afterwards who lied.

use crate::keys::Ring;
use cicada_audit::Pool;
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Config, Input, Justification, Output, Pledge, Proposal, Request, Seat,
};
use cicada_core::certificate::Signature;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
enum Heard {
    Statement(Seat, Statement, Signature),
    Pledge(Pledge),
    Certificate(QuorumCertificate),
    Justification(Justification),
}

/// What was heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness(Vec<Heard>);

/// What the answer to a request signs, if it says yes.
pub(crate) fn signs(input: &Input) -> Option<Statement> {
    let Input::Request { request, .. } = input else {
        return None;
    };
    match request {
        Request::Propose { proposal, .. } => Some(statement(Kind::Prepared, proposal)),
        Request::Commit { certificate, .. } => {
            Some(Statement { kind: Kind::Committed, ..certificate.statement })
        }
        _ => None,
    }
}

fn statement(kind: Kind, proposal: &Proposal) -> Statement {
    let Proposal { position, view, .. } = *proposal;
    Statement { kind, position, view, digest: digest(&proposal.value) }
}

impl Witness {
    /// A node says something; `signs` is what its answer signs.
    pub(crate) fn hear(&mut self, seat: Seat, output: &Output, signs: Option<Statement>) {
        match output {
            Output::Answer(
                Answer::Prepared { signature, .. } | Answer::Committed { signature, .. },
            ) => {
                self.0.extend(signs.map(|signs| Heard::Statement(seat, signs, *signature)));
            }
            Output::Answer(Answer::Pledged { pledge, tip, locks, .. }) => {
                self.0.push(Heard::Pledge(pledge.clone()));
                self.0.extend(locks.iter().chain(tip).cloned().map(Heard::Certificate));
            }
            Output::Send { request: Request::Propose { proposal, justification }, .. } => {
                let said = statement(Kind::Proposal, proposal);
                self.0.push(Heard::Statement(seat, said, proposal.signature));
                self.0.extend(justification.iter().cloned().map(Heard::Justification));
            }
            Output::Send { request: Request::Commit { certificate, .. }, .. } => {
                self.0.push(Heard::Certificate(certificate.clone()));
            }
            Output::Send { request: Request::Decided { proof: Some(proof), .. }, .. } => {
                self.0.push(Heard::Certificate(proof.clone()));
            }
            _ => {}
        }
    }

    /// Who is convicted by it.
    pub(crate) fn culprits(&self, config: &Config, ring: &Ring) -> BTreeSet<Seat> {
        let mut pool = Pool::new(config, ring);
        for heard in &self.0 {
            // What is forged does not enter.
            let _ = match heard {
                Heard::Statement(seat, statement, signature) => {
                    pool.add_statement(*seat, *statement, *signature)
                }
                Heard::Pledge(pledge) => pool.add_pledge(pledge),
                Heard::Certificate(certificate) => pool.add_certificate(certificate),
                Heard::Justification(justification) => pool.add_justification(justification),
            };
        }
        pool.verdicts().keys().copied().collect()
    }
}

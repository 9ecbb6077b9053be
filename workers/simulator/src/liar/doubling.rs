//! Two values at once.

use super::Liar;
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Claim, Justification, Keys, Output, Pledge, Position, Proposal, Request, Seat,
    Value, View,
};
use cicada_core::certificate::Signature;
use std::collections::BTreeMap;

/// The second of two values, for one half of the others.
pub(super) struct Double {
    proposal: Proposal,
    to: Vec<Seat>,
    prepared: BTreeMap<Seat, Signature>,
    committed: BTreeMap<Seat, Signature>,
    certificate: Option<QuorumCertificate>,
    decided: bool,
}

impl Liar {
    // A justification that suits a value: with pledges that are bent, too few, the same again,
    // or of other views.
    fn bent(&mut self, honest: Justification, proposal: &Proposal) -> Justification {
        let mut bent = honest;
        let tip = bent.tip.as_ref().map_or(0, |tip| tip.statement.position);
        let own = self.own_pledge(proposal, tip);
        let bare = self.signed_pledge(Pledge { claims: Vec::new(), ..own.clone() });
        bent.locks.retain(|lock| lock.statement.position != proposal.position);
        match self.rng.below(4) {
            0 => {
                for pledge in &mut bent.pledges {
                    if pledge.seat == own.seat {
                        pledge.clone_from(&own);
                    }
                }
            }
            1 => bent.pledges.retain(|pledge| self.liars.contains(&pledge.seat)),
            2 => bent.pledges = vec![bare; bent.pledges.len()],
            _ => {
                let old = self.pledges.iter().filter(|pledge| pledge.claims.is_empty());
                let by_seat: BTreeMap<Seat, Pledge> =
                    old.map(|pledge| (pledge.seat, pledge.clone())).collect();
                for pledge in bent.pledges.iter_mut().skip(1) {
                    if let Some(old) = by_seat.get(&pledge.seat) {
                        pledge.clone_from(old);
                    }
                }
            }
        }
        bent
    }

    // A pledge that claims a lock on the value.
    fn own_pledge(&self, proposal: &Proposal, tip: Position) -> Pledge {
        let claim = Claim {
            position: proposal.position,
            view: proposal.view.saturating_sub(1),
            digest: digest(&proposal.value),
        };
        let (seat, view) = (self.config.seat, proposal.view);
        self.signed_pledge(Pledge { seat, view, tip, claims: vec![claim], signature: [0; 64] })
    }

    fn signed_pledge(&self, mut pledge: Pledge) -> Pledge {
        pledge.signature = self.sign(pledge.statement());
        pledge
    }

    // Those who were told the first of two values: the liars were told both.
    pub(super) fn first_half(&self, to: &[Seat], view: View, position: Position) -> Vec<Seat> {
        let double = self.doubles.get(&(view, position));
        let first = |seat: &Seat| {
            self.liars.contains(seat) || double.is_none_or(|double| !double.to.contains(seat))
        };
        to.iter().copied().filter(first).collect()
    }

    // One value to some, another to the rest, both to the other liars.
    pub(super) fn equivocate(
        &mut self,
        to: &[Seat],
        proposal: Proposal,
        justification: Option<Justification>,
        out: &mut Vec<Output>,
    ) {
        let request = Request::Propose { proposal: proposal.clone(), justification };
        let key = (proposal.view, proposal.position);
        let Some(value) = self.other_value(&proposal.value) else {
            out.push(Output::Send { to: to.to_vec(), request });
            return;
        };
        if !self.doubles.contains_key(&key) {
            let double = self.double(&proposal, value);
            self.doubles.insert(key, double);
        }
        let Request::Propose { justification, .. } = &request else {
            return;
        };
        let double = &self.doubles[&key];
        let second: Vec<Seat> =
            double.to.iter().copied().filter(|seat| to.contains(seat)).collect();
        let second_proposal = double.proposal.clone();
        let lie = Request::Propose {
            justification: match justification.clone() {
                Some(honest) if self.lies.bend => Some(self.bent(honest, &second_proposal)),
                other => other,
            },
            proposal: second_proposal,
        };
        // To some it tells both.
        let first = match self.lies.split {
            true => self.first_half(to, key.0, key.1),
            false => to.to_vec(),
        };
        out.push(Output::Send { to: second, request: lie });
        out.push(Output::Send { to: first, request });
    }

    // A second value, signed, and who is to hear of it.
    fn double(&mut self, proposal: &Proposal, value: Value) -> Double {
        let Proposal { view, position, .. } = *proposal;
        let statement = Statement { kind: Kind::Proposal, position, view, digest: digest(&value) };
        let signature = self.sign(statement);
        let honest = self.config.quorum.n() - self.liars.len() as u8;
        let half = match self.lies.split {
            true => usize::from(honest / 2),
            false => self.rng.below(u64::from(honest) + 1) as usize,
        };
        let honest = (0..self.config.quorum.n()).filter(|seat| !self.liars.contains(seat));
        let mut to: Vec<Seat> = honest.collect();
        self.rng.shuffle(&mut to);
        to.truncate(half);
        to.extend(&self.liars);
        let prepared = Statement { kind: Kind::Prepared, ..statement };
        Double {
            proposal: Proposal { view, position, value, signature },
            to,
            prepared: BTreeMap::from([(self.config.seat, self.sign(prepared))]),
            committed: BTreeMap::new(),
            certificate: None,
            decided: false,
        }
    }

    // Collects the shares of second values, and goes on with them like an honest leader.
    pub(super) fn count(&mut self, from: Seat, answer: &Answer, out: &mut Vec<Output>) {
        let (kind, view, position, signature) = match answer {
            Answer::Prepared { view, position, signature } => {
                (Kind::Prepared, *view, *position, *signature)
            }
            Answer::Committed { view, position, signature } => {
                (Kind::Committed, *view, *position, *signature)
            }
            _ => return,
        };
        let Some(double) = self.doubles.get_mut(&(view, position)) else {
            return;
        };
        let statement = Statement { kind, position, view, digest: digest(&double.proposal.value) };
        let message = statement.message(&self.config.config_digest);
        if !self.ring.verify(from, &message, &signature) {
            return;
        }
        let everyone: Vec<Seat> = (0..self.config.quorum.n()).collect();
        if kind == Kind::Prepared {
            double.prepared.insert(from, signature);
            let made = QuorumCertificate::assemble(&self.config, statement, &double.prepared);
            if let (Some(certificate), None) = (made, &double.certificate) {
                double.certificate = Some(certificate.clone());
                let value = Some(double.proposal.value.clone());
                let own = Statement { kind: Kind::Committed, ..statement };
                let own = self.ring.sign(&own.message(&self.config.config_digest));
                double.committed.insert(self.config.seat, own);
                // Often only to some, so that they alone are locked.
                let some = self.rng.below(everyone.len() as u64 + 1) as usize;
                let to = match self.lies.split {
                    true => double.to.clone(),
                    false if self.rng.chance(500) => everyone,
                    false => everyone[..some].to_vec(),
                };
                out.push(Output::Send { to, request: Request::Commit { certificate, value } });
            }
        } else {
            double.committed.insert(from, signature);
            let made = QuorumCertificate::assemble(&self.config, statement, &double.committed);
            if let (Some(proof), false) = (made, double.decided) {
                double.decided = true;
                let (digest, to) = (statement.digest, double.to.clone());
                let proof = Some(proof);
                out.push(Output::Send {
                    to,
                    request: Request::Decided { position, digest, proof },
                });
            }
        }
    }
}

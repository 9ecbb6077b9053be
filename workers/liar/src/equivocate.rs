//! Two tongues: one value for each half of the nodes, and a signature under anything.

use crate::{as_kind, Liar};
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Application, Entry, Keys, Pledge, Position, Proposal, Request, Seat, Value,
    View, FIRST_VIEW,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use std::collections::BTreeMap;

/// How many second values are remembered.
const DOUBLES: usize = 64;

/// A second value, and who has fallen for it.
#[derive(Clone, Debug)]
struct Double {
    statement: Statement,
    value: Value,
    prepared: BTreeMap<Seat, Signature>,
    committed: BTreeMap<Seat, Signature>,
    told: Option<Kind>,
}

/// The second values, by position and view or round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubles(BTreeMap<(Position, View), Double>);

impl Doubles {
    fn newest_at(&self, position: Position) -> Option<&Double> {
        self.0.range((position, 0)..=(position, View::MAX)).next_back().map(|(_, double)| double)
    }
}

impl<A: Application, K: Keys> Liar<A, K> {
    // Whether a seat is in the half that hears the second value: every second one of the others.
    fn second_half(&self, seat: Seat) -> bool {
        seat.saturating_sub(u8::from(seat > self.config.seat)) % 2 == 1
    }

    // Makes the second value, unless there is one. Whether it is new; `None` if there is none.
    fn double(&mut self, position: Position, view: View, value: &[u8]) -> Option<bool> {
        let key = (position, view);
        if self.doubles.0.contains_key(&key) {
            return Some(false);
        }
        let value = (self.twist)(value, 1)?;
        let statement = Statement { kind: Kind::Prepared, position, view, digest: digest(&value) };
        let committed = as_kind(Kind::Committed, &statement);
        let seat = self.config.seat;
        let double = Double {
            prepared: BTreeMap::from([(seat, self.sign(&statement))]),
            committed: BTreeMap::from([(seat, self.sign(&committed))]),
            statement,
            value,
            told: None,
        };
        if self.doubles.0.len() >= DOUBLES {
            self.doubles.0.pop_first();
        }
        self.doubles.0.insert(key, double);
        Some(true)
    }

    fn second(&self, position: Position, view: View) -> Option<(Value, Digest)> {
        let double = self.doubles.0.get(&(position, view))?;
        Some((double.value.clone(), double.statement.digest))
    }

    /// Sends a request of the honest node, and another one to one half.
    pub(crate) fn say_double(&mut self, to: Vec<Seat>, request: Request) {
        let halves = |liar: &Self| to.iter().partition(|seat| liar.second_half(**seat));
        let (second, first): (Vec<Seat>, Vec<Seat>) = halves(self);
        match &request {
            Request::Propose { proposal, justification } => {
                let Proposal { view, position, value, .. } = proposal;
                let Some(new) = self.double(*position, *view, value) else {
                    return self.send(to, request);
                };
                let Some(proposal) = self.second_proposal(*position, *view) else {
                    return self.send(to, request);
                };
                let justification = justification.clone();
                let other = Request::Propose { proposal, justification };
                if new {
                    self.send(first, request);
                    self.send(second, other);
                } else {
                    // Later everybody gets both: liars will sign both.
                    self.send(to.clone(), request);
                    self.send(to, other);
                }
            }
            Request::Accept { ballot, position, since, value, tip } => {
                let made = self.double(*position, ballot.round, value);
                let Some((value, _)) = made.and_then(|_| self.second(*position, ballot.round))
                else {
                    return self.send(to, request);
                };
                let tip = (tip.0, self.second_digest(tip.0).unwrap_or(tip.1));
                let (ballot, position, since) = (*ballot, *position, *since);
                self.send(first, request);
                self.send(second, Request::Accept { ballot, position, since, value, tip });
            }
            Request::Decided { position, proof: None, .. } => {
                let Some(digest) = self.second_digest(*position) else {
                    return self.send(to, request);
                };
                let position = *position;
                self.send(first, request);
                self.send(second, Request::Decided { position, digest, proof: None });
            }
            _ => self.send(to, request),
        }
    }

    fn second_digest(&self, position: Position) -> Option<Digest> {
        self.doubles.newest_at(position).map(|double| double.statement.digest)
    }

    fn second_proposal(&self, position: Position, view: View) -> Option<Proposal> {
        let (value, digest) = self.second(position, view)?;
        let statement = Statement { kind: Kind::Proposal, position, view, digest };
        Some(Proposal { view, position, value, signature: self.sign(&statement) })
    }

    /// Signatures under the second value come in; a quorum of them would break agreement.
    pub(crate) fn collect(&mut self, from: Seat, answer: &Answer) {
        let (kind, view, position, signature) = match answer {
            Answer::Prepared { view, position, signature } => {
                (Kind::Prepared, *view, *position, *signature)
            }
            Answer::Committed { view, position, signature } => {
                (Kind::Committed, *view, *position, *signature)
            }
            _ => return,
        };
        let Some(double) = self.doubles.0.get(&(position, view)) else {
            return;
        };
        let statement = as_kind(kind, &double.statement);
        if !self.signed_by(from, &statement, &signature) {
            return;
        }
        let Some(double) = self.doubles.0.get_mut(&(position, view)) else {
            return;
        };
        let shares = match kind {
            Kind::Prepared => &mut double.prepared,
            _ => &mut double.committed,
        };
        shares.insert(from, signature);
        let certificate = QuorumCertificate::assemble(&self.config, statement, shares);
        let Some(certificate) = certificate.filter(|_| double.told < Some(kind)) else {
            return;
        };
        double.told = Some(kind);
        let digest = statement.digest;
        let request = match kind {
            Kind::Prepared => Request::Commit { certificate, value: Some(double.value.clone()) },
            _ => Request::Decided { position, digest, proof: Some(certificate) },
        };
        let others = self.others();
        self.send(others, request);
    }

    /// Signs whatever it is asked to sign, and hides what it signed before.
    pub(crate) fn answer_double(
        &mut self,
        from: Seat,
        request: &Request,
        honest: Answer,
    ) -> Answer {
        match request {
            Request::Propose { proposal, .. } => {
                let Proposal { view, position, value, .. } = proposal;
                let (view, position, digest) = (*view, *position, digest(value));
                let statement = Statement { kind: Kind::Prepared, position, view, digest };
                Answer::Prepared { view, position, signature: self.sign(&statement) }
            }
            Request::Commit { certificate, .. } => {
                let statement = as_kind(Kind::Committed, &certificate.statement);
                let Statement { view, position, .. } = statement;
                Answer::Committed { view, position, signature: self.sign(&statement) }
            }
            Request::Lead { view, .. } if *view > FIRST_VIEW => self.bare_pledge(*view, honest),
            Request::Prepare { ballot, .. } => {
                Answer::Promise { ballot: *ballot, votes: Vec::new(), decided: 0 }
            }
            Request::Accept { ballot, position, .. } => {
                Answer::Accepted { ballot: *ballot, position: *position }
            }
            Request::Fetch { .. } if self.second_half(from) => self.double_entries(honest),
            _ => honest,
        }
    }

    // A pledge that names no lock, and half of the time no decision either.
    fn bare_pledge(&self, view: View, honest: Answer) -> Answer {
        let (mut at, mut proof) = (0, None);
        if let (Answer::Pledged { pledge, tip, .. }, true) = (honest, self.steps.is_multiple_of(2))
        {
            (at, proof) = (pledge.tip, tip);
        }
        let seat = self.config.seat;
        let mut pledge = Pledge { seat, view, tip: at, claims: Vec::new(), signature: [0; 64] };
        pledge.signature = self.sign(&pledge.statement());
        Answer::Pledged { pledge, tip: proof, locks: Vec::new(), values: Vec::new() }
    }

    // In crash mode a word is proof enough: the second half learns the second values.
    fn double_entries(&self, honest: Answer) -> Answer {
        let Answer::Entries { entries, decided } = honest else {
            return honest;
        };
        let second = |entry: Entry| match self.doubles.newest_at(entry.position) {
            Some(double) if entry.proof.is_none() => Entry { value: double.value.clone(), ..entry },
            _ => entry,
        };
        Answer::Entries { entries: entries.into_iter().map(second).collect(), decided }
    }
}

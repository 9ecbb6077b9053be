//! A seat that lies. It runs the real node to know what is going on, and says what it likes.
//!
//! Liars work together: each signs whatever any of them wants signed.

use crate::keys::Ring;
use crate::rng::Rng;
use crate::Simulated;
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Config, Entry, Input, Keys, Now, Output, Pledge, Position, Proposal, Request,
    Seat, Value, View,
};
use cicada_core::certificate::Signature;
use cicada_core::report::Report;
use parity_scale_codec::{Decode, Encode};
use std::collections::{BTreeMap, VecDeque};

/// How a liar lies, in a thousandth each.
#[derive(Clone, Copy, Debug)]
pub struct Lies {
    /// As a leader, proposes two values at once.
    pub equivocate: bool,
    /// Signs everything it is asked for.
    pub agree: bool,
    /// Pledges without its locks.
    pub hide: bool,
    /// Makes up certificates, decisions, entries and signatures.
    pub forge: u64,
    /// Says old things again.
    pub replay: u64,
    /// Wishes for other views.
    pub hurry: u64,
    /// Says nothing.
    pub silent: u64,
    /// Splits the honest nodes evenly, and keeps each half from hearing of the other value.
    pub split: bool,
}

impl Lies {
    /// A character.
    pub fn draw(rng: &mut Rng) -> Self {
        Self {
            equivocate: rng.chance(700),
            agree: rng.chance(800),
            hide: rng.chance(600),
            forge: rng.below(4) * 30,
            replay: rng.below(4) * 30,
            hurry: rng.below(3) * 20,
            silent: if rng.chance(150) { 1_000 } else { rng.below(3) * 100 },
            split: false,
        }
    }

    /// All for one aim: two decisions.
    pub fn attack() -> Self {
        let (equivocate, agree, split) = (true, true, true);
        Self { equivocate, agree, hide: true, forge: 0, replay: 0, hurry: 0, silent: 0, split }
    }
}

/// The second of two values, for one half of the others.
struct Double {
    proposal: Proposal,
    to: Vec<Seat>,
    prepared: BTreeMap<Seat, Signature>,
    committed: BTreeMap<Seat, Signature>,
    certificate: Option<QuorumCertificate>,
    decided: bool,
}

/// A lying seat.
pub struct Liar {
    node: Simulated,
    config: Config,
    ring: Ring,
    lies: Lies,
    rng: Rng,
    liars: Vec<Seat>,
    heard: VecDeque<Request>,
    doubles: BTreeMap<(View, Position), Double>,
    view: View,
}

impl Liar {
    /// A liar around a node that has all its keys.
    pub fn new(
        node: Simulated,
        config: Config,
        ring: Ring,
        lies: Lies,
        rng: Rng,
        liars: Vec<Seat>,
    ) -> Self {
        let (heard, doubles) = (VecDeque::new(), BTreeMap::new());
        Self { node, config, ring, lies, rng, liars, heard, doubles, view: 1 }
    }

    /// The node inside.
    pub fn node(&self) -> &Simulated {
        &self.node
    }

    /// Whether it never says anything.
    pub fn mute(&mut self) {
        self.lies.silent = 1_000;
    }

    /// Something happens; what it does about it.
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        if self.rng.chance(self.lies.silent) {
            return Vec::new();
        }
        let mut lie = None;
        let mut out = Vec::new();
        match &input {
            Input::Request { from, request } => {
                self.remember(request);
                lie = self.answer(*from, request);
            }
            Input::Answer { from, answer } => self.count(*from, answer, &mut out),
            Input::Tick => self.mischief(&mut out),
            _ => {}
        }
        for output in self.node.step(now, input) {
            match output {
                Output::Answer(honest) => out.push(Output::Answer(lie.take().unwrap_or(honest))),
                Output::Send { to, request: Request::Propose { proposal, justification } }
                    if self.lies.equivocate =>
                {
                    self.equivocate(&to, proposal, justification, &mut out);
                }
                Output::Send { to, request: Request::Commit { certificate, value } }
                    if self.lies.split =>
                {
                    let Statement { view, position, .. } = certificate.statement;
                    let to = self.first_half(&to, view, position);
                    let request = Request::Commit { certificate, value };
                    out.push(Output::Send { to, request });
                }
                Output::Persist(_) | Output::Halt { .. } => {}
                other => out.push(other),
            }
        }
        out
    }

    // Those who were told the first of two values: the liars were told both.
    fn first_half(&self, to: &[Seat], view: View, position: Position) -> Vec<Seat> {
        let double = self.doubles.get(&(view, position));
        let first = |seat: &Seat| {
            self.liars.contains(seat) || double.is_none_or(|double| !double.to.contains(seat))
        };
        to.iter().copied().filter(first).collect()
    }

    fn remember(&mut self, request: &Request) {
        match request {
            Request::Lead { view, .. } | Request::Timeout { view, .. } => {
                self.view = self.view.max(*view)
            }
            _ => {}
        }
        if self.rng.chance(100) {
            self.heard.push_back(request.clone());
            if self.heard.len() > 24 {
                self.heard.pop_front();
            }
        }
    }

    fn sign(&self, statement: Statement) -> Signature {
        self.ring.sign(&statement.message(&self.config.config_digest))
    }

    // What it answers instead of the truth.
    fn answer(&mut self, from: Seat, request: &Request) -> Option<Answer> {
        match request {
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
                let _ = from;
                Some(Answer::Attested { position: *position, signature: [9; 64] })
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

    // A value that the others find valid as well: the same report with another root.
    fn other_value(&mut self, value: &[u8]) -> Option<Value> {
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
        report.root[8..16].copy_from_slice(&self.rng.next().to_le_bytes());
        Some(report.encode())
    }

    // One value to some, another to the rest, both to the other liars.
    fn equivocate(
        &mut self,
        to: &[Seat],
        proposal: Proposal,
        justification: Option<cicada_consensus::Justification>,
        out: &mut Vec<Output>,
    ) {
        let request = Request::Propose { proposal: proposal.clone(), justification };
        let key = (proposal.view, proposal.position);
        let Some(value) = self.other_value(&proposal.value) else {
            out.push(Output::Send { to: to.to_vec(), request });
            return;
        };
        if !self.doubles.contains_key(&key) {
            let statement = Statement {
                kind: Kind::Proposal,
                position: proposal.position,
                view: proposal.view,
                digest: digest(&value),
            };
            let signature = self.sign(statement);
            let honest = self.config.quorum.n() - self.liars.len() as u8;
            let half = match self.lies.split {
                true => usize::from(honest / 2),
                false => self.rng.below(u64::from(honest) + 1) as usize,
            };
            let honest = (0..self.config.quorum.n()).filter(|seat| !self.liars.contains(seat));
            let mut second: Vec<Seat> = honest.collect();
            self.rng.shuffle(&mut second);
            second.truncate(half);
            second.extend(&self.liars);
            let prepared = Statement { kind: Kind::Prepared, ..statement };
            let own = BTreeMap::from([(self.config.seat, self.sign(prepared))]);
            let double = Double {
                proposal: Proposal { value, signature, ..proposal },
                to: second,
                prepared: own,
                committed: BTreeMap::new(),
                certificate: None,
                decided: false,
            };
            self.doubles.insert(key, double);
        }
        let Request::Propose { justification, .. } = &request else {
            return;
        };
        let double = &self.doubles[&key];
        let second: Vec<Seat> =
            double.to.iter().copied().filter(|seat| to.contains(seat)).collect();
        let lie = Request::Propose {
            proposal: double.proposal.clone(),
            justification: justification.clone(),
        };
        let first = self.first_half(to, key.0, key.1);
        out.push(Output::Send { to: second, request: lie });
        out.push(Output::Send { to: first, request });
    }

    // Collects the shares of second values, and goes on with them like an honest leader.
    fn count(&mut self, from: Seat, answer: &Answer, out: &mut Vec<Output>) {
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

    // Unasked lies.
    fn mischief(&mut self, out: &mut Vec<Output>) {
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

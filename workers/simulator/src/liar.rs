//! A seat that lies. It runs the real node to know what is going on, and says what it likes.
//!
//! Liars work together: each signs whatever any of them wants signed.

mod doubling;
mod forging;
mod lies;

use crate::keys::Ring;
use crate::Simulated;
use cicada_consensus::byzantine::Statement;
use cicada_consensus::{
    Answer, Config, Input, Keys, Now, Output, Pledge, Position, Request, Seat, View,
};
use cicada_core::certificate::Signature;
use cicada_dice::Dice;
use doubling::Double;
pub use lies::Lies;
use std::collections::{BTreeMap, VecDeque};

/// A lying seat.
pub struct Liar {
    node: Simulated,
    config: Config,
    ring: Ring,
    lies: Lies,
    rng: Dice,
    liars: Vec<Seat>,
    heard: VecDeque<Request>,
    pledges: VecDeque<Pledge>,
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
        rng: Dice,
        liars: Vec<Seat>,
    ) -> Self {
        Self {
            node,
            config,
            ring,
            lies,
            rng,
            liars,
            heard: VecDeque::new(),
            pledges: VecDeque::new(),
            doubles: BTreeMap::new(),
            view: 1,
        }
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
            Input::Request { request, .. } => {
                self.remember(request);
                lie = self.answer(request);
            }
            Input::Answer { from, answer } => {
                if let Answer::Pledged { pledge, .. } = answer {
                    self.pledges.push_back(pledge.clone());
                    self.pledges.truncate(64);
                }
                self.count(*from, answer, &mut out);
            }
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
                Output::Send { request: Request::Decided { .. }, .. } if self.lies.withhold => {}
                Output::Send { request: Request::Certified { .. }, .. } if self.lies.withhold => {}
                Output::Persist(_) | Output::Halt { .. } => {}
                other => out.push(other),
            }
        }
        out
    }

    fn remember(&mut self, request: &Request) {
        match request {
            Request::Lead { view, .. } | Request::Timeout { view, .. } => {
                self.view = self.view.max(*view)
            }
            Request::Propose { justification: Some(justification), .. } => {
                self.pledges.extend(justification.pledges.iter().cloned());
                self.pledges.truncate(64);
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
}

//! A node that lies: the honest [`Node`] with its words rewritten.
//!
//! It holds the real keys of a seat, speaks the real protocol, and breaks its rules. The node
//! inside stays honest, so the liar knows what an honest one would say, and keeps up. Like the
//! node it is free of input and output and deterministic: what it does depends on its inputs and
//! on a count of its steps.
//!
//! | module | lie |
//! |---|---|
//! | `equivocate` | two values to two halves, a signature under anything, pledges that hide locks |
//! | `forge` | decisions, certificates, locks and signatures that are made up |
//! | `replay` | old requests and answers, again and again |
//!
//! And silence, which needs no module.

mod equivocate;
mod forge;
mod replay;

use cicada_consensus::byzantine::{Kind, Statement};
use cicada_consensus::{
    Answer, Application, Config, Input, Keys, Node, Now, Output, Request, Seat, Value,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{self, Proposal};
use cicada_core::report::FeedState;
use equivocate::Doubles;
use parity_scale_codec::{DecodeAll, Encode};
use replay::Memory;
use std::fmt;
use std::str::FromStr;

/// How many steps a liar of all kinds keeps to one kind.
const MOOD: u64 = 64;

/// What a node does instead of telling the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// As a leader it proposes two values, one to each half; it signs whatever it is asked to;
    /// its pledges and promises hide what it voted for.
    Equivocate,
    /// It makes up decisions, certificates, locks, timeouts, and the signatures under them.
    Forge,
    /// It says again what it said before.
    Replay,
    /// It takes everything and says nothing.
    Silent,
    /// All of these by turns.
    All,
}

/// All, in the order of their names.
const LIES: [Lie; Lie::NAMES.len()] =
    [Lie::Equivocate, Lie::Forge, Lie::Replay, Lie::Silent, Lie::All];

impl Lie {
    /// All names, with [`Self::All`] last.
    pub const NAMES: [&'static str; 5] = ["equivocate", "forge", "replay", "silent", "all"];
}

impl FromStr for Lie {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = LIES.into_iter().find(|lie| lie.to_string() == name);
        known.ok_or_else(|| format!("write one of {}", Self::NAMES.join(", ")))
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize])
    }
}

/// Makes another value of the same kind out of a value: a different one for each number above
/// 0, and preferably one that others find valid. `None` if it cannot.
pub type Twist = fn(&[u8], u64) -> Option<Value>;

/// Twists a leaderboard: another time, and everything else to fit, so that it stays valid.
pub fn other_time(value: &[u8], by: u64) -> Option<Value> {
    let Proposal { report, board } = Proposal::decode_all(&mut &value[..]).ok()?;
    let slot = report.slot.checked_sub(1)?;
    let before = FeedState { slot, digest: report.previous, time_ms: 0 };
    let time_ms = report.time_ms.checked_add(by)?;
    let report = leaderboard::report::<Native>(report.feed, &before, &board, time_ms);
    Some(Proposal { report, board }.encode())
}

/// A lying node.
#[derive(Clone, Debug)]
pub struct Liar<A, K> {
    node: Node<A, K>,
    config: Config,
    keys: K,
    lie: Lie,
    twist: Twist,
    steps: u64,
    ticks: u64,
    doubles: Doubles,
    memory: Memory,
    // A value that somebody wanted decided: the raw material of forgeries.
    seen: Option<Value>,
    out: Vec<Output>,
}

impl<A: Application, K: Keys> Liar<A, K> {
    /// A liar around a node; `config` and `keys` are those of the node.
    pub fn new(node: Node<A, K>, config: Config, keys: K, lie: Lie, twist: Twist) -> Self {
        Self {
            node,
            config,
            keys,
            lie,
            twist,
            steps: 0,
            ticks: 0,
            doubles: Doubles::default(),
            memory: Memory::default(),
            seen: None,
            out: Vec::new(),
        }
    }

    /// The honest node inside.
    pub fn node(&self) -> &Node<A, K> {
        &self.node
    }

    /// What it does at present.
    fn mood(&self) -> Lie {
        let turn = self.steps / MOOD % 4;
        match (self.lie, turn) {
            (Lie::All, 0) => Lie::Equivocate,
            (Lie::All, 1) => Lie::Forge,
            (Lie::All, 2) => Lie::Replay,
            (Lie::All, _) => Lie::Silent,
            (lie, _) => lie,
        }
    }

    /// Like [`Node::step`], but nothing that comes out can be trusted. A request may stay without
    /// an answer.
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        self.steps = self.steps.wrapping_add(1);
        let mood = self.mood();
        let (mut asked, mut told) = (None, None);
        match &input {
            Input::Request { from, request } => asked = Some((*from, request.clone())),
            Input::Answer { from, answer } => told = Some((*from, answer.clone())),
            Input::Tick => self.ticks = self.ticks.wrapping_add(1),
            Input::Propose { value, .. } => self.seen = Some(value.clone()),
            Input::Certify => {}
        }
        if let Some((_, request)) = &asked {
            self.notice(request);
        }
        let tick = matches!(input, Input::Tick);
        for output in self.node.step(now, input) {
            match output {
                Output::Send { to, request } => self.say(mood, to, request),
                Output::Answer(answer) => {
                    if let Some((from, request)) = &asked {
                        self.answer(mood, *from, request, answer);
                    }
                }
                // A liar does not stop where an honest node must.
                Output::Halt { .. } => {}
                Output::Finished { .. } if mood == Lie::Silent => {}
                other => self.out.push(other),
            }
        }
        if let (Lie::Equivocate, Some((from, answer))) = (mood, told) {
            self.collect(from, &answer);
        }
        if tick {
            self.stir(mood);
        }
        std::mem::take(&mut self.out)
    }

    fn notice(&mut self, request: &Request) {
        match request {
            Request::Propose { proposal, .. } => self.seen = Some(proposal.value.clone()),
            Request::Accept { value, .. } | Request::Suggest { value } => {
                self.seen = Some(value.clone());
            }
            _ => {}
        }
    }

    fn say(&mut self, mood: Lie, to: Vec<Seat>, request: Request) {
        match mood {
            Lie::Equivocate => self.say_double(to, request),
            Lie::Forge => self.say_forged(to, request),
            Lie::Replay => {
                self.memory.note_request(&to, &request);
                self.send(to, request);
            }
            Lie::Silent | Lie::All => {}
        }
    }

    fn answer(&mut self, mood: Lie, from: Seat, request: &Request, honest: Answer) {
        let answer = match mood {
            Lie::Equivocate => self.answer_double(from, request, honest),
            Lie::Forge => self.answer_forged(from, request, honest),
            Lie::Replay => self.memory.answer(self.steps, honest),
            Lie::Silent | Lie::All => return,
        };
        self.out.push(Output::Answer(answer));
    }

    // What nobody asked for.
    fn stir(&mut self, mood: Lie) {
        match mood {
            Lie::Forge => self.spread(),
            Lie::Replay => {
                if let Some((to, request)) = self.memory.request(self.ticks) {
                    self.send(to, request);
                }
            }
            Lie::Equivocate | Lie::Silent | Lie::All => {}
        }
    }

    fn send(&mut self, to: Vec<Seat>, request: Request) {
        if !to.is_empty() {
            self.out.push(Output::Send { to, request });
        }
    }

    fn others(&self) -> Vec<Seat> {
        (0..self.config.quorum.n()).filter(|seat| *seat != self.config.seat).collect()
    }

    fn sign(&self, statement: &Statement) -> Signature {
        self.keys.sign(&statement.message(&self.config.config_digest))
    }

    fn signed_by(&self, seat: Seat, statement: &Statement, signature: &Signature) -> bool {
        self.keys.verify(seat, &statement.message(&self.config.config_digest), signature)
    }
}

/// The statement of a kind like another one's.
fn as_kind(kind: Kind, statement: &Statement) -> Statement {
    Statement { kind, ..*statement }
}

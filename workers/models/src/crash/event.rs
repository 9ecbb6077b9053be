//! What happens to one node, and what it does then.

use cicada_consensus::{
    Answer, Application, AttestationRequest, Ballot, Config, Input, Keys, Node, Now, Outcome,
    Output, Position, Record, Refusal, Request, Seat, Timing, Value, Vote,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use parity_scale_codec::Encode;
use std::collections::BTreeMap;
use std::hash::Hasher;

/// Time stands still; all patience but that for further promises is 0, so everything that
/// could be overdue is.
const NOW: Now = Now { timer_ms: 1, wall_ms: 1 };

/// Finds every value valid, attests none.
#[derive(Clone, Debug)]
pub struct Accepting;

impl Application for Accepting {
    fn check(&self, _: &[u8], _: Now) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: Position, _: &[u8]) -> Option<AttestationRequest> {
        None
    }
}

/// Crash mode signs nothing here.
#[derive(Clone, Debug)]
pub struct NoKeys;

impl Keys for NoKeys {
    fn attest(&self, _: &Digest) -> Signature {
        [0; 64]
    }

    fn verify_attestation(&self, _: Seat, _: &Digest, _: &Signature) -> bool {
        false
    }

    fn sign(&self, _: &Digest) -> Signature {
        [0; 64]
    }

    fn verify(&self, _: Seat, _: &Digest, _: &Signature) -> bool {
        false
    }
}

/// What a node finds after a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    promised: Ballot,
    votes: BTreeMap<Position, Vote>,
    decided: BTreeMap<Position, Value>,
}

/// What a restart forgets, to show that it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// The promises, as far as no vote implies them.
    Promises,
    /// The promises to itself: a leader uses its ballot again.
    OwnBallots,
    /// The votes.
    Votes,
    /// The decided values.
    Decisions,
}

impl Disk {
    fn write(&mut self, record: Record, seat: Seat, forget: Option<Forget>) {
        match record {
            Record::Promised(_) if forget == Some(Forget::Promises) => {}
            Record::Promised(b) if forget == Some(Forget::OwnBallots) && b.seat == seat => {}
            Record::Voted(_) if forget == Some(Forget::Votes) => {}
            Record::Decided { .. } if forget == Some(Forget::Decisions) => {}
            Record::Promised(ballot) => self.promised = self.promised.max(ballot),
            Record::Voted(vote) => {
                self.votes.insert(vote.position, vote);
            }
            Record::Decided { position, value } => {
                self.decided.insert(position, value);
            }
            _ => {}
        }
    }

    fn records(&self) -> Vec<Record> {
        let decided = self.decided.iter();
        let decided =
            decided.map(|(position, v)| Record::Decided { position: *position, value: v.clone() });
        let votes = self.votes.values().cloned().map(Record::Voted);
        decided.chain(votes).chain([Record::Promised(self.promised)]).collect()
    }
}

/// A message on its way. It stays on its way for ever: it may come late, often, or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub from: Seat,
    /// To whom.
    pub to: Seat,
    /// What it says.
    pub body: Body,
}

/// A request or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A request.
    Request(Request),
    /// An answer.
    Answer(Answer),
}

impl Message {
    /// What tells it from other messages.
    pub fn key(&self) -> Vec<u8> {
        match &self.body {
            Body::Request(request) => (self.from, self.to, 0u8, request).encode(),
            Body::Answer(answer) => (self.from, self.to, 1u8, answer).encode(),
        }
    }

    /// The position for which it asks a vote.
    pub fn position(&self) -> Position {
        match &self.body {
            Body::Request(Request::Accept { position, .. }) => *position,
            _ => 0,
        }
    }

    /// The round of the campaign that it prepares or opens.
    pub fn round(&self) -> u64 {
        match &self.body {
            Body::Request(Request::PreVote { ballot } | Request::Prepare { ballot, .. }) => {
                ballot.round
            }
            _ => 0,
        }
    }
}

/// Something that happens to a node.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A message arrives.
    Arrives(&'a Message),
    /// A client asks it to have this value decided.
    Propose(u8),
    /// Whatever it waits for has taken too long.
    Timeout,
    /// It stops and starts again from its disk.
    Restart,
}

/// A node with its disk.
#[derive(Clone)]
pub struct Machine {
    node: Node<Accepting, NoKeys>,
    config: Config,
    disk: Disk,
    forget: Option<Forget>,
    consent: bool,
    /// Whether it has stopped itself because a rule was broken.
    pub halted: bool,
}

/// What a node does.
#[derive(Default)]
pub struct Effects {
    /// What it sends.
    pub messages: Vec<Message>,
    /// What it acknowledges to its clients: where, and which value.
    pub acknowledged: Vec<(Position, u8)>,
}

// Keeps what it is fed.
#[derive(Default)]
struct Collector(Vec<u8>);

impl Hasher for Collector {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// A value by its number.
pub fn value(number: u8) -> Value {
    vec![b'a'.saturating_add(number)]
}

/// Patience for promises beyond a quorum, if `patient`; none for anything else.
pub fn timing(patient: bool) -> Timing {
    Timing {
        resend_ms: 0,
        grace_ms: if patient { 1_000 } else { 0 },
        backoff_ms: 0,
        takeover_ms: 0,
        certify_ms: 0,
        sync_ms: 0,
        view_ms: 0,
    }
}

impl Machine {
    /// A node that starts for the first time; with `consent` all others answer its pre-votes
    /// with yes, at once.
    ///
    /// # Panics
    /// If the configuration is not one of a committee.
    pub fn new(config: Config, forget: Option<Forget>, consent: bool) -> Self {
        let disk = Disk::default();
        Self { node: start(&config, &disk), config, disk, forget, consent, halted: false }
    }

    /// What tells its state from others.
    pub fn key(&self) -> Vec<u8> {
        let mut collector = Collector::default();
        self.node.hash_state(&mut collector);
        let disk = (self.disk.promised, &self.disk.votes, &self.disk.decided).encode();
        let head = (self.config.seat, self.halted, disk);
        [head.encode(), collector.0].concat()
    }

    /// What it knows to be decided.
    pub fn decided(&self) -> Vec<(Position, Value)> {
        self.node.entries(1, u16::MAX).into_iter().map(|e| (e.position, e.value)).collect()
    }

    /// Whether this message can never again have an effect here, beyond an answer without one.
    /// Ballots only rise and logs only grow, unless restarts forget.
    pub fn deaf_to(&self, message: &Message) -> bool {
        if self.forget.is_some() {
            return false;
        }
        let status = self.node.status();
        match &message.body {
            Body::Answer(answer) => match answer {
                Answer::Noted | Answer::NothingToAttest { .. } | Answer::Invalid { .. } => true,
                Answer::Entries { entries, decided } => {
                    let known = entries.iter().all(|entry| entry.position <= status.decided);
                    known && *decided <= status.decided
                }
                Answer::Promise { ballot, decided, .. } => {
                    self.is_past(*ballot) && *decided <= status.decided
                }
                // It may be asked for again until it is promised.
                Answer::PreVoted { ballot } => status.promised >= *ballot,
                Answer::Accepted { ballot, .. } | Answer::Refused { ballot, .. } => {
                    self.is_past(*ballot)
                }
                _ => false,
            },
            Body::Request(Request::Decided { position, .. }) => *position <= status.decided,
            Body::Request(_) => false,
        }
    }

    // Whether an own ballot is over.
    fn is_past(&self, ballot: Ballot) -> bool {
        self.node.ballot() != Some(ballot)
    }

    /// Lets something happen.
    pub fn happen(&mut self, event: &Event) -> Effects {
        let mut effects = Effects::default();
        let (from, input) = match event {
            Event::Restart => {
                self.node = start(&self.config, &self.disk);
                return effects;
            }
            Event::Timeout => (0, Input::Tick),
            Event::Propose(number) => {
                let ticket = u64::from(*number);
                let value = value(*number);
                (0, Input::Propose { ticket, value, deadline_ms: u64::MAX })
            }
            Event::Arrives(Message { from, body: Body::Request(request), .. }) => {
                (*from, Input::Request { from: *from, request: request.clone() })
            }
            Event::Arrives(Message { from, body: Body::Answer(answer), .. }) => {
                (*from, Input::Answer { from: *from, answer: answer.clone() })
            }
        };
        self.step(input, from, &mut effects);
        effects
    }

    fn step(&mut self, input: Input, asker: Seat, effects: &mut Effects) {
        for output in self.node.step(NOW, input) {
            match output {
                Output::Send { to, request: Request::PreVote { ballot } } if self.consent => {
                    for from in to {
                        let answer = Answer::PreVoted { ballot };
                        self.step(Input::Answer { from, answer }, from, effects);
                    }
                }
                output => self.obey(output, asker, effects),
            }
        }
    }

    fn obey(&mut self, output: Output, asker: Seat, effects: &mut Effects) {
        let seat = self.config.seat;
        let mut post = |to, body| effects.messages.push(Message { from: seat, to, body });
        match output {
            Output::Persist(records) => {
                records.into_iter().for_each(|r| self.disk.write(r, seat, self.forget));
            }
            Output::Send { to, request } => {
                to.into_iter().for_each(|to| post(to, Body::Request(request.clone())));
            }
            Output::Answer(answer) => post(asker, Body::Answer(answer)),
            Output::Finished { ticket, outcome } => match outcome {
                Outcome::PassedOver { position } | Outcome::Certified { position, .. } => {
                    let number = u8::try_from(ticket).unwrap_or(u8::MAX);
                    effects.acknowledged.push((position, number));
                }
                _ => {}
            },
            Output::Halt { .. } => self.halted = true,
            Output::Applied { .. } | Output::Certified { .. } | Output::Contradiction(_) => {}
        }
    }
}

// The model writes records only that a node has made, so they fit together.
fn start(config: &Config, disk: &Disk) -> Node<Accepting, NoKeys> {
    match Node::recover(config.clone(), Accepting, NoKeys, disk.records()) {
        Ok(node) => node,
        Err(error) => unreachable!("a node does not start from its own records: {error}"),
    }
}

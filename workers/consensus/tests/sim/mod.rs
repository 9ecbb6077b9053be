//! A committee in one thread: a network that loses, delays, doubles and reorders, disks that
//! keep only what was flushed, crashes, partitions. One seed, one run.

pub mod app;
mod faults;
pub mod oracle;
mod rng;

use app::{Chains, Stamp};
use cicada_consensus::{Answer, Config, Input, Node, Now, Output, Position, Record, Request, Seat};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::Report;
use oracle::Oracle;
use parity_scale_codec::Decode;
use rng::Rng;
use std::collections::{BTreeMap, VecDeque};

/// What to break on purpose, to see that the oracle would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    ForgetVotes,
    ForgetPromises,
    SendBeforeFlush,
    SmallQuorum,
    IgnoreVotes,
}

type Simulated = Node<Chains, Stamp>;

enum Event {
    Tick(Seat, u64),
    Flush(Seat, u64, usize),
    Ask(Seat, Seat, Request),
    Tell(Seat, Seat, Answer),
    Client,
    Fault,
    Restart(Seat),
}

struct Host {
    node: Option<Simulated>,
    // Counts the starts: events of an earlier life are void.
    life: u64,
    disk: Vec<Record>,
    // Outputs that wait for the flush, with the one who asked, for answers.
    pending: VecDeque<(Output, Seat)>,
    skew_ms: u64,
}

/// Everything of one run.
pub struct World {
    pub oracle: Oracle,
    pub rng: Rng,
    pub time: u64,
    n: u8,
    sabotage: Sabotage,
    window: u64,
    hosts: Vec<Host>,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    tickets: u64,
    cut: Vec<bool>,
    loss: u64,
    doubling: u64,
    delay: u64,
    faults: bool,
    pub clients: bool,
    dissent: bool,
}

impl World {
    pub fn new(seed: u64, n: u8, sabotage: Sabotage) -> Self {
        let mut rng = Rng::new(seed);
        let window = if rng.chance(300) { 4 } else { 1 };
        let crash = Quorum::of(FaultModel::Crash, n).unwrap();
        let mut world = Self {
            oracle: Oracle::new(n, crash.size()),
            time: 0,
            n,
            sabotage,
            window,
            hosts: Vec::new(),
            events: BTreeMap::new(),
            sequence: 0,
            tickets: 0,
            cut: vec![false; usize::from(n) * usize::from(n)],
            loss: rng.below(300),
            doubling: rng.below(200),
            delay: 1 + rng.below(120),
            faults: true,
            clients: true,
            dissent: rng.chance(300),
            rng,
        };
        for seat in 0..n {
            let skew_ms = world.rng.below(2_000);
            world.hosts.push(Host {
                node: None,
                life: 0,
                disk: Vec::new(),
                pending: VecDeque::new(),
                skew_ms,
            });
            world.start(seat);
        }
        world.at(10, Event::Client);
        world.at(50, Event::Fault);
        world
    }

    fn config(&self, seat: Seat) -> Config {
        let mut quorum = Quorum::of(FaultModel::Crash, self.n).unwrap();
        if self.sabotage == Sabotage::SmallQuorum {
            // No constructor allows it: n nodes, of which a majority may fail.
            quorum = Quorum::decode(&mut &[self.n, self.n / 2 + 1, 0][..]).unwrap();
        }
        let attestation = Quorum::of(FaultModel::Byzantine, self.n).unwrap();
        let mut config = Config::new(seat, quorum, attestation, 1, [7; 32]);
        config.window = self.window;
        config
    }

    fn at(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.time + delay, self.sequence), event);
    }

    fn start(&mut self, seat: Seat) {
        let config = self.config(seat);
        let host = &mut self.hosts[usize::from(seat)];
        if host.node.is_some() {
            return;
        }
        match self.sabotage {
            Sabotage::ForgetVotes => host.disk.retain(|r| !matches!(r, Record::Voted(_))),
            Sabotage::ForgetPromises => host.disk.retain(|r| !matches!(r, Record::Promised(_))),
            _ => {}
        }
        let feeds = BTreeMap::new();
        let records = host.disk.clone();
        let node = Node::recover(config, Chains { seat, feeds }, Stamp(seat), records);
        host.life += 1;
        let life = host.life;
        match node {
            Ok(node) => host.node = Some(node),
            Err(error) => self.oracle.broken(format!("seat {seat}: {error}")),
        }
        let first = self.rng.below(100);
        self.at(first, Event::Tick(seat, life));
    }

    // Power off: what waits for the flush is gone, or has just reached the disk in part.
    fn crash(&mut self, seat: Seat) {
        let reached = self.rng.below(4);
        let host = &mut self.hosts[usize::from(seat)];
        host.node = None;
        host.life += 1;
        let pending = std::mem::take(&mut host.pending);
        for (output, _) in pending.into_iter().take(reached as usize) {
            if let Output::Persist(records) = output {
                for record in records {
                    self.oracle.durable(seat, &record);
                    host.disk.push(record);
                }
            }
        }
    }

    fn step(&mut self, seat: Seat, from: Seat, input: Input) {
        let time = self.time;
        let host = &mut self.hosts[usize::from(seat)];
        let Some(node) = &mut host.node else {
            return;
        };
        let now = Now { timer_ms: time, wall_ms: time + 1_000_000 + host.skew_ms };
        let idle = host.pending.is_empty();
        for output in node.step(now, input) {
            host.pending.push_back((output, from));
        }
        if idle {
            self.flush(seat, 0);
        }
    }

    // Lets out what is durable, and flushes the next lot a little later.
    fn flush(&mut self, seat: Seat, durable: usize) {
        let mut done = 0;
        loop {
            let host = &mut self.hosts[usize::from(seat)];
            let Some((output, from)) = host.pending.front().cloned() else {
                return;
            };
            if matches!(output, Output::Persist(_)) && done >= durable {
                break;
            }
            host.pending.pop_front();
            done += 1;
            self.let_out(seat, from, output);
        }
        let host = &self.hosts[usize::from(seat)];
        let (life, lot) = (host.life, host.pending.len());
        if self.sabotage == Sabotage::SendBeforeFlush {
            let early = host.pending.clone();
            for (output, from) in early {
                if !matches!(output, Output::Persist(_)) {
                    self.let_out(seat, from, output);
                }
            }
            let records = |entry: &(Output, Seat)| matches!(entry.0, Output::Persist(_));
            self.hosts[usize::from(seat)].pending.retain(records);
        }
        let delay = 1 + self.rng.below(10);
        self.at(delay, Event::Flush(seat, life, lot));
    }

    fn let_out(&mut self, seat: Seat, from: Seat, output: Output) {
        let host = &self.hosts[usize::from(seat)];
        if let Some(node) = &host.node {
            let report = |position: Position| {
                let entry = node.entries(position, 1).pop()?;
                Report::decode(&mut &entry.value[..]).ok()
            };
            self.oracle.left(seat, &output, report);
        }
        match output {
            Output::Persist(records) => {
                for record in records {
                    self.oracle.durable(seat, &record);
                    self.hosts[usize::from(seat)].disk.push(record);
                }
            }
            Output::Send { to, request } => {
                if let Request::Prepare { ballot, .. } = request {
                    self.oracle.campaigned(ballot, host.life);
                }
                for peer in to {
                    self.post(seat, peer, |delay, world| {
                        world.at(delay, Event::Ask(seat, peer, request.clone()));
                    });
                }
            }
            Output::Answer(Answer::Promise { ballot, decided, .. })
                if self.sabotage == Sabotage::IgnoreVotes =>
            {
                let votes = Vec::new();
                let answer = Answer::Promise { ballot, votes, decided };
                self.post(seat, from, |delay, world| {
                    world.at(delay, Event::Tell(seat, from, answer.clone()));
                });
            }
            Output::Answer(answer) => self.post(seat, from, |delay, world| {
                world.at(delay, Event::Tell(seat, from, answer.clone()));
            }),
            _ => {}
        }
    }

    // The network: never, once or twice, after any time.
    fn post(&mut self, from: Seat, to: Seat, mut deliver: impl FnMut(u64, &mut Self)) {
        let link = usize::from(from) * usize::from(self.n) + usize::from(to);
        if self.cut[link] || self.rng.chance(self.loss) {
            return;
        }
        let copies = 1 + u64::from(self.rng.chance(self.doubling));
        for _ in 0..copies {
            let mut delay = 1 + self.rng.below(self.delay);
            if self.faults && self.rng.chance(10) {
                delay += self.rng.below(5_000);
            }
            deliver(delay, self);
        }
    }

    /// Runs until `end`, or until a rule is broken, or `enough`.
    pub fn run(&mut self, end: u64, enough: impl Fn(&Self) -> bool) {
        while self.oracle.violation.is_none() && !enough(self) {
            let Some(first) = self.events.first_entry() else {
                return;
            };
            if first.key().0 > end {
                return;
            }
            self.time = first.key().0;
            let event = first.remove();
            match event {
                Event::Tick(seat, life) => {
                    if self.hosts[usize::from(seat)].life == life {
                        self.step(seat, seat, Input::Tick);
                        self.at(100, Event::Tick(seat, life));
                    }
                }
                Event::Flush(seat, life, lot) => {
                    if self.hosts[usize::from(seat)].life == life {
                        self.flush(seat, lot);
                    }
                }
                Event::Ask(from, to, request) => {
                    self.step(to, from, Input::Request { from, request });
                }
                Event::Tell(from, to, answer) => {
                    self.step(to, from, Input::Answer { from, answer });
                }
                Event::Client => self.client(),
                Event::Fault => self.fault(),
                Event::Restart(seat) => self.start(seat),
            }
        }
    }

    /// Ends all faults. All nodes come back, or where nobody dissents just enough to certify.
    pub fn heal(&mut self) {
        self.faults = false;
        self.cut.fill(false);
        (self.loss, self.doubling, self.delay) = (0, 0, 20);
        let enough = Quorum::of(FaultModel::Byzantine, self.n).unwrap().size();
        let up = if self.dissent { self.n } else { enough };
        let first = self.rng.below(u64::from(self.n)) as Seat;
        for i in 0..self.n {
            let seat = (first + i) % self.n;
            if i < up {
                self.start(seat);
            } else {
                self.crash(seat);
            }
        }
    }

    /// For the message of a failure: what each node says about itself.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (seat, host) in self.hosts.iter().enumerate() {
            let status = host.node.as_ref().map(Node::status);
            text.push_str(&format!("\n seat {seat}: {status:?}"));
        }
        text
    }

    /// Whether all nodes that are up know the same, everything, and have it certified.
    pub fn converged(&self) -> bool {
        let last = self.oracle.decided.keys().next_back().copied().unwrap_or(0);
        self.hosts.iter().filter_map(|host| host.node.as_ref()).all(|node| {
            let status = node.status();
            status.decided == last && status.uncertified.is_empty()
        })
    }
}

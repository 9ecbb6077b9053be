//! The committee, its network and its clock.

use crate::app::{Chains, CONFIG_DIGEST};
use crate::disk::Disk;
use crate::epochs::Hearsay;
use crate::keys::Ring;
use crate::liar::{Liar, Lies};
use crate::oracle::Oracle;
use crate::plan::{Plan, Sabotage, Setup};
use crate::rng::Rng;
use crate::witness::{signs, Witness};
use crate::Simulated;
use cicada_consensus::byzantine::{Kind, Statement};
use cicada_consensus::{
    digest, Answer, Closed, Config, Input, Justification, Node, Now, Output, Position, Record,
    Request, Seat,
};
use cicada_core::hash::Hash;
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::Report;
use ed25519_dalek::SigningKey;
use parity_scale_codec::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

pub(crate) enum Event {
    Tick(Seat, u64),
    Flush(Seat, u64, usize),
    Ask(Seat, Seat, Rc<Request>),
    Tell(Seat, Seat, Rc<Answer>),
    Client,
    Fault,
    Restart(Seat),
}

// What one waits for with an output: who asked, and what an answer signs.
#[derive(Clone, Copy)]
struct Context {
    from: Seat,
    signs: Option<Statement>,
}

pub(crate) enum Actor {
    Down,
    Honest(Box<Simulated>),
    Lying(Box<Liar>),
}

/// Which committee of the run it is.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) epoch: u32,
    pub(crate) digest: Hash,
    pub(crate) closed: Vec<Closed>,
}

pub(crate) struct Host {
    pub(crate) actor: Actor,
    // Whether it has its disk already: a seat that goes on waits for the log of the epoch before.
    pub(crate) ready: bool,
    // Counts the starts: events of an earlier life are void.
    life: u64,
    pub(crate) disk: Disk,
    applied: Position,
    // Outputs that wait for the flush.
    pending: VecDeque<(Output, Context)>,
    pub(crate) skew_ms: u64,
}

impl Host {
    pub(crate) fn honest(&self) -> Option<&Simulated> {
        match &self.actor {
            Actor::Honest(node) => Some(node),
            Actor::Down | Actor::Lying(_) => None,
        }
    }

    /// Whether everything that its node has put out is done.
    pub(crate) fn idle(&self) -> bool {
        self.pending.is_empty()
    }
}

/// Everything of one run.
pub struct World {
    /// Who sees everything.
    pub oracle: Oracle,
    pub(crate) rng: Rng,
    /// Milliseconds since the start.
    pub time: u64,
    /// Events handled.
    pub steps: u64,
    /// Proposals made by clients.
    pub tickets: u64,
    pub(crate) setup: Setup,
    pub(crate) term: Term,
    // What the liars heard of this epoch, to say it again in the next.
    pub(crate) hearsay: Option<Hearsay>,
    pub(crate) plan: Plan,
    /// The seats that the rules do not hold for.
    pub(crate) liars: BTreeSet<Seat>,
    /// The one of them that does not lie but has a bad disk.
    pub(crate) bad_disk: Option<Seat>,
    /// Whether that disk forgets; else it rots, which the node must notice.
    forgetful: bool,
    pub(crate) hosts: Vec<Host>,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    pub(crate) cut: Vec<bool>,
    pub(crate) faults: bool,
    /// Whether clients propose.
    pub clients: bool,
    trace: u64,
    // Only where there are more liars than can be withstood.
    witness: Option<Witness>,
    keys: Option<Rc<Vec<SigningKey>>>,
}

impl World {
    /// The start of a run.
    pub fn new(setup: Setup) -> Self {
        let mut rng = Rng::new(setup.seed);
        let mut plan = Plan::draw(&setup, &mut rng);
        if setup.epochs > 1 {
            plan.suit_change(&mut rng);
        }
        let mut seats: Vec<Seat> = (0..setup.nodes).collect();
        rng.shuffle(&mut seats);
        let liars: BTreeSet<Seat> = seats.into_iter().take(usize::from(setup.liars)).collect();
        let term = Term { epoch: 1, digest: CONFIG_DIGEST, closed: Vec::new() };
        let mut world = Self::of(setup, plan, rng, liars, term, 0);
        world.hearsay = (setup.epochs > 1).then(Hearsay::default);
        world
    }

    /// One committee of a run. Only the first starts by itself.
    pub(crate) fn of(
        setup: Setup,
        plan: Plan,
        rng: Rng,
        liars: BTreeSet<Seat>,
        term: Term,
        time: u64,
    ) -> Self {
        let keys = plan.real_keys.then(|| Ring::real(setup.nodes));
        let ring = keys.clone().map_or(Ring::stamps(0), |keys| Ring::signing(0, keys));
        let ring = ring.of_epoch(term.epoch);
        let attestation = Quorum::of(FaultModel::Byzantine, setup.nodes).expect("1 to 32 nodes");
        let mut clean = Config::new(0, setup.quorum(), attestation, term.epoch, term.digest);
        clean.closed.clone_from(&term.closed);
        let bad_disk = liars.first().copied().filter(|_| plan.bad_disk);
        let n = usize::from(setup.nodes);
        let mut world = Self {
            oracle: Oracle::new(setup.quorum(), clean, ring, liars.clone()),
            time,
            steps: 0,
            tickets: 0,
            keys,
            setup,
            plan,
            term,
            hearsay: None,
            bad_disk,
            forgetful: false,
            liars,
            hosts: Vec::new(),
            events: BTreeMap::new(),
            sequence: 0,
            cut: vec![false; n * n],
            faults: true,
            clients: true,
            trace: 0,
            witness: (setup.liars > setup.quorum().max_liars()).then(Witness::default),
            rng,
        };
        let mut databases = world.plan.databases;
        for seat in 0..setup.nodes {
            let skew_ms = world.rng.below(2_000);
            world.hosts.push(Host {
                actor: Actor::Down,
                ready: world.term.epoch == 1,
                life: 0,
                disk: Disk::List(Vec::new()),
                applied: 0,
                pending: VecDeque::new(),
                skew_ms,
            });
            let honest = !world.liars.contains(&seat);
            if bad_disk == Some(seat) {
                world.forgetful = world.rng.chance(500);
                let disk = Disk::database(seat, world.forgetful);
                world.hosts[usize::from(seat)].disk = disk;
            } else if honest && databases > 0 {
                databases -= 1;
                world.hosts[usize::from(seat)].disk = Disk::database(seat, false);
            }
            if world.term.epoch == 1 {
                world.start(seat);
            }
        }
        world.at(10, Event::Client);
        world.at(50, Event::Fault);
        world
    }

    pub(crate) fn config(&self, seat: Seat) -> Config {
        let mut quorum = self.setup.quorum();
        if self.setup.sabotage == Sabotage::SmallQuorum {
            // No constructor allows it: n nodes, of which a majority may fail.
            let n = self.setup.nodes;
            quorum = Quorum::decode(&mut &[n, n / 2 + 1, 0][..]).expect("three bytes");
        }
        let attestation = Quorum::of(FaultModel::Byzantine, self.setup.nodes);
        let attestation = attestation.expect("1 to 32 nodes");
        let (epoch, digest) = (self.term.epoch, self.term.digest);
        let mut config = Config::new(seat, quorum, attestation, epoch, digest);
        config.closed.clone_from(&self.term.closed);
        config.window = self.plan.window;
        config.mutant = self.setup.mutant.filter(|_| !self.liars.contains(&seat));
        config
    }

    fn ring(&self, seat: Seat) -> Ring {
        match &self.keys {
            Some(keys) => Ring::signing(seat, keys.clone()),
            None => Ring::stamps(seat).of_epoch(self.term.epoch),
        }
    }

    pub(crate) fn at(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.time + delay, self.sequence), event);
    }

    /// A node, rather one that waits for its disk.
    pub(crate) fn busy_seat(&mut self) -> Seat {
        let n = u64::from(self.setup.nodes);
        let first = self.rng.below(n) as Seat;
        let seats = (0..self.setup.nodes).map(|i| (first + i) % self.setup.nodes);
        let busy = |seat: &Seat| !self.hosts[usize::from(*seat)].pending.is_empty();
        seats.into_iter().find(busy).unwrap_or(first)
    }

    // Whether the rules hold for a seat. A node whose disk rots may stop, but never lie.
    fn watched(&self, seat: Seat) -> bool {
        let rots = self.bad_disk == Some(seat) && !self.forgetful;
        rots || !self.liars.contains(&seat)
    }

    /// Starts a node that is down.
    pub(crate) fn start(&mut self, seat: Seat) {
        let config = self.config(seat);
        let ring = self.ring(seat);
        let host = &mut self.hosts[usize::from(seat)];
        if !matches!(host.actor, Actor::Down) || !host.ready {
            return;
        }
        let opened = host.disk.open();
        let mut records = match opened {
            Ok(records) => records,
            // A disk that cannot be read must not vote again.
            Err(_) if self.bad_disk == Some(seat) => return,
            Err(error) => return self.oracle.broken(format!("seat {seat} lost its disk: {error}")),
        };
        match self.setup.sabotage {
            Sabotage::ForgetVotes => records.retain(|record| !is_vote(record)),
            Sabotage::ForgetPromises => {
                records.retain(|record| !matches!(record, Record::Promised(_) | Record::Entered(_)))
            }
            _ => {}
        }
        let honest = !self.liars.contains(&seat);
        let watched = self.watched(seat);
        for record in records.iter().filter(|_| watched) {
            self.oracle.found(seat, record);
        }
        let node = Node::recover(config.clone(), Chains::new(seat), ring.clone(), records);
        let host = &mut self.hosts[usize::from(seat)];
        host.life += 1;
        let life = host.life;
        match node {
            Ok(node) if !honest && self.bad_disk != Some(seat) => {
                let lies = match self.plan.attack {
                    true => Lies::attack(),
                    false => Lies::draw(&mut self.rng),
                };
                let liars = self.liars.iter().copied().collect();
                let rng = self.rng.fork();
                let liar = Liar::new(node, config, ring, lies, rng, liars);
                self.hosts[usize::from(seat)].actor = Actor::Lying(Box::new(liar));
            }
            Ok(node) => self.hosts[usize::from(seat)].actor = Actor::Honest(Box::new(node)),
            Err(_) if !honest => {}
            Err(error) => self.oracle.broken(format!("seat {seat}: {error}")),
        }
        let first = self.rng.below(100);
        self.at(first, Event::Tick(seat, life));
    }

    /// Power off: what waits for the flush is gone, or has just reached the disk in part.
    pub(crate) fn crash(&mut self, seat: Seat) {
        if self.liars.contains(&seat) && self.bad_disk != Some(seat) {
            return;
        }
        let waiting = self.hosts[usize::from(seat)].pending.len() as u64;
        let reached = self.rng.below(waiting + 1);
        let host = &mut self.hosts[usize::from(seat)];
        host.actor = Actor::Down;
        host.life += 1;
        let pending = std::mem::take(&mut host.pending);
        host.disk.fail_soon(&mut self.rng);
        for (output, _) in pending.into_iter().take(reached as usize) {
            if let Output::Persist(records) = output {
                self.write(seat, records);
            }
        }
        let host = &mut self.hosts[usize::from(seat)];
        host.disk.power_off(&mut self.rng);
        if self.bad_disk == Some(seat) && !self.forgetful && self.rng.chance(500) {
            self.hosts[usize::from(seat)].disk.rot(&mut self.rng);
        }
    }

    fn write(&mut self, seat: Seat, records: Vec<Record>) {
        let host = &mut self.hosts[usize::from(seat)];
        let written = host.disk.write(&records, host.applied);
        if written && self.watched(seat) {
            for record in records {
                self.oracle.durable(seat, &record);
            }
        }
    }

    pub(crate) fn step(&mut self, seat: Seat, from: Seat, input: Input) {
        let time = self.time;
        let host = &mut self.hosts[usize::from(seat)];
        let now = Now { timer_ms: time, wall_ms: time + 1_000_000 + host.skew_ms };
        match &mut host.actor {
            Actor::Down => {}
            Actor::Lying(liar) => {
                let signs = signs(&input);
                for output in liar.step(now, input) {
                    if let Some(witness) = &mut self.witness {
                        witness.hear(seat, &output, signs);
                    }
                    self.post_output(seat, from, output);
                }
            }
            Actor::Honest(node) => {
                if let Some(justification) = shown(&input) {
                    self.oracle.shown(seat, justification);
                }
                let context = Context { from, signs: signs(&input) };
                let idle = host.pending.is_empty();
                for output in node.step(now, input) {
                    host.pending.push_back((output, context));
                }
                if idle {
                    self.flush(seat, 0);
                }
            }
        }
    }

    // Lets out what is durable, and flushes the next lot a little later.
    fn flush(&mut self, seat: Seat, durable: usize) {
        let mut done = 0;
        loop {
            let host = &mut self.hosts[usize::from(seat)];
            let Some((output, _)) = host.pending.front() else {
                return;
            };
            if matches!(output, Output::Persist(_)) && done >= durable {
                break;
            }
            let Some((output, context)) = host.pending.pop_front() else {
                return;
            };
            done += 1;
            self.let_out(seat, context, output);
        }
        let host = &mut self.hosts[usize::from(seat)];
        let (life, lot) = (host.life, host.pending.len());
        if self.setup.sabotage == Sabotage::SendBeforeFlush {
            let records = |entry: &(Output, Context)| matches!(entry.0, Output::Persist(_));
            let (kept, early) = std::mem::take(&mut host.pending).into_iter().partition(records);
            host.pending = kept;
            let early: VecDeque<(Output, Context)> = early;
            for (output, context) in early {
                self.let_out(seat, context, output);
            }
        }
        let delay = 1 + self.rng.below(10);
        self.at(delay, Event::Flush(seat, life, lot));
    }

    fn let_out(&mut self, seat: Seat, context: Context, output: Output) {
        let host = &self.hosts[usize::from(seat)];
        let life = host.life;
        let watched = self.watched(seat);
        if let Some(node) = host.honest().filter(|_| watched) {
            let report = |position: Position| {
                let entry = node.entries(position, 1).pop()?;
                Report::decode(&mut &entry.value[..]).ok()
            };
            self.oracle.left(seat, &output, report);
            if let Output::Applied { position } = output {
                self.oracle.applied(seat, position, node.epoch_end());
            }
        }
        let signs = context.signs;
        if let Some(witness) = &mut self.witness {
            witness.hear(seat, &output, signs);
        }
        match (&output, signs) {
            _ if !watched => {}
            (Output::Answer(Answer::Prepared { .. } | Answer::Committed { .. }), Some(signs)) => {
                self.oracle.signed(seat, signs);
            }
            (Output::Send { request, .. }, _) => self.leads(seat, request, life),
            _ => {}
        }
        match output {
            Output::Persist(records) => self.write(seat, records),
            Output::Applied { position } => {
                self.hosts[usize::from(seat)].applied = position;
            }
            Output::Answer(Answer::Promise { ballot, decided, .. })
                if self.setup.sabotage == Sabotage::IgnoreVotes =>
            {
                let answer = Answer::Promise { ballot, votes: Vec::new(), decided };
                self.post_output(seat, context.from, Output::Answer(answer));
            }
            other => self.post_output(seat, context.from, other),
        }
    }

    // A leader's message stands for its own signature as well.
    fn leads(&mut self, seat: Seat, request: &Request, life: u64) {
        match request {
            Request::Prepare { ballot, .. } => self.oracle.campaigned(*ballot, life),
            Request::Propose { proposal, justification } => {
                if let Some(justification) = justification {
                    self.oracle.shown(seat, justification);
                }
                let (position, view) = (proposal.position, proposal.view);
                let digest = digest(&proposal.value);
                for kind in [Kind::Proposal, Kind::Prepared] {
                    self.oracle.signed(seat, Statement { kind, position, view, digest });
                }
            }
            Request::Commit { certificate, .. } => {
                let statement = Statement { kind: Kind::Committed, ..certificate.statement };
                self.oracle.signed(seat, statement);
            }
            _ => {}
        }
    }

    fn post_output(&mut self, seat: Seat, from: Seat, output: Output) {
        match output {
            Output::Send { to, request } => {
                let request = Rc::new(request);
                for peer in to {
                    self.post(seat, peer, |delay, world| {
                        world.at(delay, Event::Ask(seat, peer, request.clone()));
                    });
                }
            }
            Output::Answer(answer) => {
                let answer = Rc::new(answer);
                self.post(seat, from, |delay, world| {
                    world.at(delay, Event::Tell(seat, from, answer.clone()));
                });
            }
            _ => {}
        }
    }

    // The network: never, once or twice, after any time.
    fn post(&mut self, from: Seat, to: Seat, mut deliver: impl FnMut(u64, &mut Self)) {
        let link = usize::from(from) * usize::from(self.setup.nodes) + usize::from(to);
        if self.cut[link] || self.rng.chance(self.plan.loss) {
            return;
        }
        let copies = 1 + u64::from(self.rng.chance(self.plan.doubling));
        for _ in 0..copies {
            let mut delay = 1 + self.rng.below(self.plan.delay);
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
            self.steps += 1;
            self.note(&event);
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
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
                if let Some(hearsay) = self.hearsay.as_mut().filter(|_| self.liars.contains(&to)) {
                    hearsay.hear(&request);
                }
                let request = Rc::try_unwrap(request).unwrap_or_else(|shared| (*shared).clone());
                self.step(to, from, Input::Request { from, request });
            }
            Event::Tell(from, to, answer) => {
                let answer = Rc::try_unwrap(answer).unwrap_or_else(|shared| (*shared).clone());
                self.step(to, from, Input::Answer { from, answer });
            }
            Event::Client => self.client(),
            Event::Fault => self.fault(),
            Event::Restart(seat) => self.start(seat),
        }
    }

    // Everything that happens goes into one number: the same seed, the same number.
    fn note(&mut self, event: &Event) {
        let (kind, a, b, bytes) = match event {
            Event::Tick(seat, _) => (0, *seat, 0, 0),
            Event::Flush(seat, ..) => (1, *seat, 0, 0),
            Event::Ask(from, to, request) => (2, *from, *to, request.encoded_size()),
            Event::Tell(from, to, answer) => (3, *from, *to, answer.encoded_size()),
            Event::Client => (4, 0, 0, 0),
            Event::Fault => (5, 0, 0, 0),
            Event::Restart(seat) => (6, *seat, 0, 0),
        };
        let word = u64::from_le_bytes([kind, a, b, 0, 0, 0, 0, 0]) ^ (bytes as u64) << 24;
        for part in [self.time, word] {
            self.trace = (self.trace.rotate_left(5) ^ part).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    /// The hash of everything that happened.
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// Whom an auditor convicts who heard everything; nobody where nobody listened.
    pub fn culprits(&self) -> BTreeSet<Seat> {
        let (config, ring) = (self.config(0), self.ring(0));
        self.witness.as_ref().map(|w| w.culprits(&config, &ring)).unwrap_or_default()
    }

    /// The honest nodes that are up.
    pub fn honest(&self) -> impl Iterator<Item = (Seat, &Simulated)> {
        let all = (0..).zip(&self.hosts).filter(|(seat, _)| !self.liars.contains(seat));
        all.filter_map(|(seat, host)| Some((seat, host.honest()?)))
    }

    /// For the message of a failure: what each node says about itself.
    pub fn describe(&self) -> String {
        let mut text = format!("\n {:?}\n liars {:?}", self.plan, self.liars);
        for (seat, node) in self.honest() {
            text.push_str(&format!("\n seat {seat}: {:?}", node.status()));
        }
        text
    }

    /// Whether all honest nodes that are up know the same, everything, and have it certified.
    pub fn converged(&self) -> bool {
        let last = self.oracle.decided.keys().next_back().copied().unwrap_or(0);
        // What was decided beyond the end of the epoch is void.
        let last = self.oracle.end.map_or(last, |(end, _)| end);
        self.honest().all(|(_, node)| {
            let status = node.status();
            status.decided == last && status.uncertified.is_empty()
        })
    }
}

fn is_vote(record: &Record) -> bool {
    matches!(record, Record::Voted(_) | Record::Prepared { .. } | Record::Locked(_))
}

fn shown(input: &Input) -> Option<&Justification> {
    match input {
        Input::Request { request: Request::Propose { justification, .. }, .. } => {
            justification.as_ref()
        }
        _ => None,
    }
}

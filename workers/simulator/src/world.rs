//! The committee and its clock.

use crate::app::CONFIG_DIGEST;
use crate::disk::Disk;
use crate::epochs::Hearsay;
use crate::hosts::Host;
use crate::keys::Ring;
use crate::oracle::Oracle;
use crate::plan::{Plan, Sabotage, Setup};
use crate::witness::Witness;
use crate::Simulated;
use cicada_consensus::{Answer, Closed, Config, Input, Request, Seat};
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_dice::Dice;
use ed25519_dalek::SigningKey;
use parity_scale_codec::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};
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

/// Which committee of the run it is.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) epoch: u32,
    pub(crate) digest: Digest,
    pub(crate) closed: Vec<Closed>,
}

/// Everything of one run.
pub struct World {
    /// Who sees everything.
    pub oracle: Oracle,
    pub(crate) rng: Dice,
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
    pub(crate) forgetful: bool,
    pub(crate) hosts: Vec<Host>,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    pub(crate) cut: Vec<bool>,
    pub(crate) faults: bool,
    /// Whether clients propose.
    pub clients: bool,
    trace: u64,
    // Only where there are more liars than can be withstood.
    pub(crate) witness: Option<Witness>,
    keys: Option<Rc<Vec<SigningKey>>>,
}

impl World {
    /// The start of a run.
    pub fn new(setup: Setup) -> Self {
        let mut rng = Dice::new(setup.seed);
        let mut plan = Plan::draw(&setup, &mut rng);
        if setup.epochs > 1 {
            plan.suit_change(&mut rng);
        }
        let mut seats: Vec<Seat> = (0..setup.nodes).collect();
        rng.shuffle(&mut seats);
        let liars: BTreeSet<Seat> = seats.into_iter().take(usize::from(setup.liars)).collect();
        let term = Term { epoch: 1, digest: Digest(CONFIG_DIGEST), closed: Vec::new() };
        let mut world = Self::of(setup, plan, rng, liars, term, 0);
        world.hearsay = (setup.epochs > 1).then(Hearsay::default);
        world
    }

    /// One committee of a run. Only the first starts by itself.
    pub(crate) fn of(
        setup: Setup,
        plan: Plan,
        rng: Dice,
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
        world.settle();
        world.at(10, Event::Client);
        world.at(50, Event::Fault);
        world
    }

    // Gives every seat its host and its disk.
    fn settle(&mut self) {
        let first = self.term.epoch == 1;
        let mut databases = self.plan.databases;
        for seat in 0..self.setup.nodes {
            let skew_ms = self.rng.below(2_000);
            let disk = if self.bad_disk == Some(seat) {
                self.forgetful = self.rng.chance(500);
                Disk::database(seat, self.forgetful)
            } else if !self.liars.contains(&seat) && databases > 0 {
                databases -= 1;
                Disk::database(seat, false)
            } else {
                Disk::List(Vec::new())
            };
            self.hosts.push(Host::new(first, disk, skew_ms));
            if first {
                self.start(seat);
            }
        }
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

    pub(crate) fn ring(&self, seat: Seat) -> Ring {
        match &self.keys {
            Some(keys) => Ring::signing(seat, keys.clone()),
            None => Ring::stamps(seat).of_epoch(self.term.epoch),
        }
    }

    pub(crate) fn at(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.time + delay, self.sequence), event);
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
                if self.hosts[usize::from(seat)].is_of_life(life) {
                    self.step(seat, seat, Input::Tick);
                    self.at(100, Event::Tick(seat, life));
                }
            }
            Event::Flush(seat, life, lot) => {
                if self.hosts[usize::from(seat)].is_of_life(life) {
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

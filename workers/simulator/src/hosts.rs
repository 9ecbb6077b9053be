//! The hosts: how nodes start, lose power, and get from a step to what leaves them.

use crate::app::Chains;
use crate::disk::Disk;
use crate::liar::{Liar, Lies};
use crate::plan::Sabotage;
use crate::witness::signs;
use crate::world::{Event, World};
use crate::Simulated;
use cicada_consensus::byzantine::{Kind, Statement};
use cicada_consensus::{
    digest, Answer, Input, Justification, Node, Now, Output, Position, Record, Request, Seat,
};
use cicada_core::report::Report;
use parity_scale_codec::Decode;
use std::collections::VecDeque;

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
    /// One that is down, with an empty disk.
    pub(crate) fn new(ready: bool, disk: Disk, skew_ms: u64) -> Self {
        let (actor, pending) = (Actor::Down, VecDeque::new());
        Self { actor, ready, life: 0, disk, applied: 0, pending, skew_ms }
    }

    pub(crate) fn is_of_life(&self, life: u64) -> bool {
        self.life == life
    }

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

impl World {
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
    pub(crate) fn flush(&mut self, seat: Seat, durable: usize) {
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

//! A run in which the committee changes: two committees, each a world of its own.
//!
//! A seat that goes on has a node and a disk in both worlds; the second disk begins with what
//! the closed log of the first carries over. A new member begins with an empty disk. The
//! liars of the second world say again what those of the first have heard.

use crate::app::{COMMITTEE, CONFIG_DIGEST};
use crate::plan::Setup;
use crate::run::{check, report, summary, Broken, Summary, RECOVERY_MS};
use crate::world::{Event, Term, World};
use cicada_consensus::byzantine::{Kind, QuorumCertificate};
use cicada_consensus::{carry_over, digest, Answer, Closed, Entry, Input, Request, Seat, Value};
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_dice::Dice;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// How many requests the liars remember.
const REMEMBERED: usize = 128;

/// How long the two worlds run apart from each other, in milliseconds.
const SLICE_MS: u64 = 50;

/// What the liars heard in an epoch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hearsay {
    requests: VecDeque<Request>,
    values: BTreeMap<Digest, Value>,
    proofs: BTreeMap<u64, QuorumCertificate>,
}

impl Hearsay {
    pub(crate) fn hear(&mut self, request: &Request) {
        match request {
            Request::Propose { proposal, .. } => {
                self.values.insert(digest(&proposal.value), proposal.value.clone());
            }
            Request::Decided { position, proof: Some(proof), .. }
                if proof.statement.kind == Kind::Committed =>
            {
                self.proofs.insert(*position, proof.clone());
            }
            Request::Commit { .. } | Request::Timeout { .. } | Request::Lead { .. } => {}
            _ => return,
        }
        if self.requests.len() >= REMEMBERED {
            self.requests.pop_front();
        }
        self.requests.push_back(request.clone());
    }

    // A decision of the old epoch, perhaps of another value than its proof says.
    fn entry(&self, rng: &mut Dice) -> Option<Entry> {
        // Rather one near or beyond the end.
        let back = rng.below(6.min(self.proofs.len() as u64)) as usize;
        let (position, proof) = self.proofs.iter().nth_back(back)?;
        let mut proof = proof.clone();
        let mut value = self.values.get(&proof.statement.digest)?.clone();
        if rng.chance(300) {
            value = self.values.values().nth(rng.below(self.values.len() as u64) as usize)?.clone();
            proof.statement.digest = digest(&value);
        }
        Some(Entry { position: *position, value, certificate: None, proof: Some(proof) })
    }
}

/// Both committees of a run.
struct Change {
    old: World,
    new: Option<World>,
    rng: Dice,
    // When the value that ends the epoch is proposed first, and again.
    propose_ms: u64,
    // The seats that have another owner in the second committee.
    replaced: BTreeSet<Seat>,
}

/// Runs a seed through both committees and both phases.
///
/// # Errors
/// The rule that was broken, with what each node says about itself.
pub fn run(setup: Setup) -> Result<Summary, Box<Broken>> {
    let mut rng = Dice::new(setup.seed ^ 0x000e_70c4);
    let propose_ms = 1_500 + rng.below(10_000);
    let old = World::new(setup);
    let mut change = Change { old, new: None, rng, propose_ms, replaced: BTreeSet::new() };
    let end = change.old.plan.faulty_ms + 5_000;
    change.run(end, |_| false)?;
    change.end_first()?;
    change.finish_second()
}

impl Change {
    // Runs both, slice by slice, until `end` or `enough`.
    fn run(&mut self, end: u64, enough: impl Fn(&Self) -> bool) -> Result<(), Box<Broken>> {
        let mut time = self.old.time;
        while time < end && !enough(self) {
            time += SLICE_MS;
            self.old.run(time, |_| false);
            check(&self.old)?;
            if time >= self.propose_ms && self.old.oracle.end.is_none() {
                self.propose_end();
                self.propose_ms = time + 200 + self.rng.below(600);
            }
            self.hand_over()?;
            if let Some(new) = &mut self.new {
                new.run(time, |_| false);
                check(new)?;
            }
            self.gossip();
        }
        Ok(())
    }

    // The value that ends the epoch, and with a window some for the positions behind it.
    fn propose_end(&mut self) {
        let old = &mut self.old;
        let leading = old.honest().find(|(_, node)| node.status().leading.is_some());
        let leader = leading.map(|(seat, _)| seat).filter(|_| self.rng.chance(700));
        let any = old.any_seat();
        let seat = leader.unwrap_or(any);
        let mut values = vec![old.extend(seat, COMMITTEE)];
        for _ in 1..old.plan.window {
            old.tickets += 1;
            values.push(old.next_value(seat));
        }
        for value in values.into_iter().flatten() {
            old.tickets += 1;
            let (ticket, deadline_ms) = (old.tickets, old.time + old.patience());
            old.step(seat, seat, Input::Propose { ticket, value, deadline_ms });
        }
    }

    // Whether the old log of a seat is whole and on its disk.
    fn closed(&self, seat: Seat) -> bool {
        let host = &self.old.hosts[usize::from(seat)];
        let honest = host.honest().filter(|_| !self.old.liars.contains(&seat));
        host.idle() && honest.is_some_and(|node| node.is_closed())
    }

    // Starts the second committee where the first has ended.
    fn hand_over(&mut self) -> Result<(), Box<Broken>> {
        let closed: Vec<Seat> =
            (0..self.old.setup.nodes).filter(|seat| self.closed(*seat)).collect();
        if self.new.is_none() && !closed.is_empty() {
            self.found();
        }
        for seat in closed {
            let Some(new) = &mut self.new else {
                return Ok(());
            };
            if new.hosts[usize::from(seat)].ready {
                continue;
            }
            let config = new.config(seat);
            let records = self.old.hosts[usize::from(seat)].disk.records().unwrap_or_default();
            let records = carry_over(&config, records);
            if let Err(error) = new.hosts[usize::from(seat)].disk.seed(&records) {
                return Err(report(new, &format!("seat {seat} cannot take over: {error}")));
            }
            new.hosts[usize::from(seat)].ready = true;
            new.start(seat);
        }
        Ok(())
    }

    fn found(&mut self) {
        let Some((last, next)) = self.old.oracle.end else {
            return;
        };
        let setup = self.old.setup;
        let quorum = setup.quorum();
        let attestation = Quorum::of(FaultModel::Byzantine, setup.nodes).expect("1 to 32 nodes");
        let epoch = 1;
        let closed =
            Closed { epoch, quorum, attestation, config_digest: Digest(CONFIG_DIGEST), last };
        let term = Term { epoch: next.epoch, digest: next.config_digest, closed: vec![closed] };
        let mut seats: Vec<Seat> = (0..setup.nodes).collect();
        self.rng.shuffle(&mut seats);
        let most = u64::from(quorum.max_liars().max(1));
        seats.truncate(1 + self.rng.below(most) as usize);
        self.replaced = seats.into_iter().collect();
        let mut liars: BTreeSet<Seat> = &self.old.liars - &self.replaced;
        for seat in &self.replaced {
            if liars.len() < usize::from(setup.liars) && self.rng.chance(500) {
                liars.insert(*seat);
            }
        }
        let mut new =
            World::of(setup, self.old.plan.clone(), self.rng.fork(), liars, term, self.old.time);
        new.tickets = self.old.tickets;
        let known = self.old.oracle.decided.range(..=last);
        new.oracle.decided = known.map(|(position, hash)| (*position, *hash)).collect();
        // Liars need no log, and new members have none.
        for seat in 0..setup.nodes {
            if self.replaced.contains(&seat) || new.liars.contains(&seat) {
                new.hosts[usize::from(seat)].ready = true;
                new.start(seat);
            }
        }
        self.new = Some(new);
    }

    // A liar of the second committee says again what was said in the first.
    fn gossip(&mut self) {
        let (Some(new), Some(hearsay)) = (&mut self.new, &self.old.hearsay) else {
            return;
        };
        let liars: Vec<Seat> = new.liars.iter().copied().collect();
        if liars.is_empty() || !new.faults && !new.plan.lie_on || self.rng.chance(700) {
            return;
        }
        let from = liars[self.rng.below(liars.len() as u64) as usize];
        let to = new.any_seat();
        if self.rng.chance(500) {
            if let Some(entry) = hearsay.entry(&mut self.rng) {
                let decided = entry.position;
                let answer = Answer::Entries { entries: vec![entry], decided };
                new.at(1, Event::Tell(from, to, Rc::new(answer)));
            }
        } else if !hearsay.requests.is_empty() {
            let index = self.rng.below(hearsay.requests.len() as u64) as usize;
            let request = Rc::new(hearsay.requests[index].clone());
            new.at(1, Event::Ask(from, to, request));
        }
    }

    // Without faults the epoch ends, and its log becomes whole, if it has not yet.
    fn end_first(&mut self) -> Result<(), Box<Broken>> {
        self.old.heal();
        let ended = |change: &Self| {
            let mut honest = change.old.honest();
            change.old.oracle.end.is_some() && honest.all(|(seat, _)| change.closed(seat))
        };
        self.run(self.old.time + RECOVERY_MS, ended)?;
        if !ended(self) {
            return Err(report(&self.old, "the epoch does not end after the faults"));
        }
        self.hand_over()?;
        let end = self.old.oracle.end.map_or(0, |(last, _)| last);
        if self.old.oracle.acknowledged.iter().any(|position| *position > end) {
            return Err(report(&self.old, "a void value was acknowledged"));
        }
        Ok(())
    }

    // The second committee decides, and all its members learn the whole log.
    fn finish_second(mut self) -> Result<Summary, Box<Broken>> {
        let Some(new) = &mut self.new else {
            return Err(report(&self.old, "nobody takes over"));
        };
        new.heal();
        let before = new.oracle.finished;
        let certified = |change: &Self| {
            change.new.as_ref().is_some_and(|new| new.oracle.finished >= before + 3)
        };
        self.run(self.old.time + RECOVERY_MS, certified)?;
        let decides = certified(&self);
        let Some(new) = &mut self.new else {
            return Err(report(&self.old, "nobody takes over"));
        };
        if !decides {
            return Err(report(new, "the new committee certifies nothing"));
        }
        new.clients = false;
        let converged = |change: &Self| change.new.as_ref().is_some_and(World::converged);
        self.run(self.old.time + RECOVERY_MS, converged)?;
        let Some(new) = &self.new else {
            return Err(report(&self.old, "nobody takes over"));
        };
        if !new.converged() {
            return Err(report(new, "the new members do not learn the whole log"));
        }
        let lost = |position: &u64| !new.oracle.decided.contains_key(position);
        let acknowledged = [&self.old.oracle.acknowledged, &new.oracle.acknowledged];
        if acknowledged.into_iter().flatten().any(lost) {
            return Err(report(new, "an acknowledged value is lost"));
        }
        let mut sum = summary(new);
        let first = summary(&self.old);
        sum.trace ^= first.trace.rotate_left(1);
        sum.decided -= self.old.oracle.end.map_or(0, |(last, _)| last);
        sum.add(&Summary { time_ms: 0, ..first });
        Ok(sum)
    }
}

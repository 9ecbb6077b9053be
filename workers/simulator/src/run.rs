//! One run: faults first, then none, and the committee must recover by itself.

use crate::plan::Setup;
use crate::world::World;
use cicada_consensus::Seat;
use std::collections::BTreeSet;

/// How long the committee may take to recover, in simulated milliseconds.
pub(crate) const RECOVERY_MS: u64 = 400_000;

/// What a run without a violation came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// The hash of everything that happened.
    pub trace: u64,
    /// Events handled.
    pub steps: u64,
    /// Simulated milliseconds.
    pub time_ms: u64,
    /// Decided positions.
    pub decided: u64,
    /// Proposals that ended certified.
    pub certified: u64,
    /// Proposals that nodes refused.
    pub refused: u64,
    /// The highest view pledged.
    pub views: u64,
}

/// Runs a seed through both phases.
///
/// # Errors
/// The rule that was broken, with what each node says about itself.
pub fn run(setup: Setup) -> Result<Summary, Box<Broken>> {
    if setup.epochs > 1 {
        return crate::epochs::run(setup);
    }
    let mut world = World::new(setup);
    let end = world.plan.faulty_ms;
    world.run(end, |_| false);
    check(&world)?;
    let before = world.oracle.finished;
    if setup.liars > setup.quorum().max_liars() {
        // More than it promises to decide with: only agreement is left to ask for.
        world.run(world.time + RECOVERY_MS / 4, |_| false);
        check(&world)?;
        return Ok(summary(&world));
    }
    world.heal();
    let end = world.time + RECOVERY_MS;
    world.run(end, |world| world.oracle.finished >= before + 3);
    check(&world)?;
    if world.oracle.finished < before + 3 {
        return Err(report(&world, "nothing is certified after the faults"));
    }
    world.clients = false;
    let end = world.time + RECOVERY_MS;
    world.run(end, World::converged);
    check(&world)?;
    if !world.converged() {
        return Err(report(&world, "the nodes do not converge after the faults"));
    }
    let lost = |position: &u64| !world.oracle.decided.contains_key(position);
    if world.oracle.acknowledged.iter().any(lost) {
        return Err(report(&world, "an acknowledged value is lost"));
    }
    Ok(summary(&world))
}

pub(crate) fn summary(world: &World) -> Summary {
    Summary {
        trace: world.trace(),
        steps: world.steps,
        time_ms: world.time,
        decided: world.oracle.decided.len() as u64,
        certified: world.oracle.finished,
        refused: world.oracle.failed_with_refusals,
        views: world.oracle.highest_view,
    }
}

pub(crate) fn check(world: &World) -> Result<(), Box<Broken>> {
    match &world.oracle.violation {
        Some(rule) => Err(report(world, rule)),
        None => Ok(()),
    }
}

/// A broken rule.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Which rule.
    pub rule: String,
    /// The run, and what each node says about itself.
    pub detail: String,
    /// The liars.
    pub liars: BTreeSet<Seat>,
    /// Whom an auditor convicts; only where there are more liars than can be withstood.
    pub culprits: BTreeSet<Seat>,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.rule, self.detail)
    }
}

pub(crate) fn report(world: &World, rule: &str) -> Box<Broken> {
    let setup = world.setup;
    Box::new(Broken {
        rule: format!("{rule} ({} ms)", world.time),
        detail: format!("\n {setup:?}{}", world.describe()),
        liars: world.liars.clone(),
        culprits: world.culprits(),
    })
}

impl Summary {
    /// Adds up.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.time_ms += other.time_ms;
        self.decided += other.decided;
        self.certified += other.certified;
        self.refused += other.refused;
        self.views = self.views.max(other.views);
    }
}

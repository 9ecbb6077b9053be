//! One run of a model, and what came out.

use stateright::{Checker, HasDiscoveries, Model};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// When a run gives up. Models ask it before they go on from a state.
#[derive(Debug)]
pub struct Limit {
    deadline: Instant,
    states: usize,
    seen: AtomicUsize,
    reached: AtomicBool,
    over: AtomicBool,
}

impl Limit {
    /// At most so long from now, and at most so many different states.
    pub fn new(time: Duration, states: usize) -> Self {
        Self {
            deadline: Instant::now() + time,
            states,
            seen: AtomicUsize::new(0),
            reached: AtomicBool::new(false),
            over: AtomicBool::new(false),
        }
    }

    /// The run is over: what it has found is told by going the way once more, without limit.
    pub fn lift(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether the run is to stop here. To be asked once for each state.
    pub fn stop(&self) -> bool {
        if self.over.load(Ordering::Relaxed) {
            return false;
        }
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        if self.reached() {
            return true;
        }
        let stop = seen >= self.states || Instant::now() >= self.deadline;
        if stop {
            self.reached.store(true, Ordering::Relaxed);
        }
        stop
    }

    /// Whether it has stopped anything.
    pub fn reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

/// A model with a limit.
pub trait Limited: Model {
    /// Its limit.
    fn limit(&self) -> &Limit;
}

/// The order in which states are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Deep first: needs less memory.
    Deep,
    /// Near first: counterexamples are the shortest.
    Near,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many steps were taken.
    pub steps: usize,
    /// How many different states were reached.
    pub states: usize,
    /// The longest way to a state.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Whether nothing was left to explore within the bounds of the model.
    pub complete: bool,
    /// The property that does not hold, and the steps that show it.
    pub broken: Option<(&'static str, Vec<String>)>,
    /// What should have been reached and was not.
    pub missed: Vec<&'static str>,
}

/// Checks a model with one thread.
pub fn check<M>(model: M, search: Search) -> Outcome
where
    M: Limited + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    let start = Instant::now();
    let checker = model.checker().threads(1).finish_when(HasDiscoveries::AnyFailures);
    match search {
        Search::Deep => outcome(&checker.spawn_dfs().join(), start),
        Search::Near => outcome(&checker.spawn_bfs().join(), start),
    }
}

fn outcome<M>(checker: &impl Checker<M>, start: Instant) -> Outcome
where
    M: Limited,
    M::State: Clone + Debug + Hash + PartialEq,
    M::Action: Clone + Debug + PartialEq,
{
    let time = start.elapsed();
    let model = checker.model();
    model.limit().lift();
    let mut broken = None;
    let mut missed = Vec::new();
    for property in model.properties() {
        let failure = property.expectation.discovery_is_failure();
        match checker.discovery(property.name) {
            Some(path) if failure && broken.is_none() => {
                let steps = path.into_actions();
                let steps = steps.iter().map(|step| model.format_action(step)).collect();
                broken = Some((property.name, steps));
            }
            None if !failure => missed.push(property.name),
            _ => {}
        }
    }
    Outcome {
        steps: checker.state_count(),
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        time,
        complete: broken.is_none() && !model.limit().reached(),
        broken,
        missed,
    }
}

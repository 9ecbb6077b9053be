//! What one run costs, and the median of several.

use anyhow::{ensure, Context, Result};
use rustix::time::{clock_gettime, ClockId, Timespec};
use serde::Serialize;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What the nodes of one cluster do, counted.
#[derive(Debug, Default)]
pub struct Tally {
    pub messages: Cell<u64>,
    pub signs: Cell<u64>,
    pub verifies: Cell<u64>,
}

/// Adds one.
pub fn count(counter: &Cell<u64>) {
    counter.set(counter.get().saturating_add(1));
}

/// One run: totals over all nodes.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub decisions: u64,
    pub wall: Duration,
    pub cpu: Duration,
    pub messages: u64,
    pub signs: u64,
    pub verifies: u64,
}

fn cpu_time() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    // The clock of the process starts at 0 and never goes back.
    let seconds = u64::try_from(tv_sec).unwrap_or(0);
    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(tv_nsec.unsigned_abs()))
}

/// Runs the work of a cluster that stands ready, and counts from zero.
///
/// # Errors
/// What `work` reports.
pub fn measure(
    tally: &Rc<Tally>,
    decisions: u64,
    work: impl FnOnce() -> Result<()>,
) -> Result<Sample> {
    for counter in [&tally.messages, &tally.signs, &tally.verifies] {
        counter.set(0);
    }
    let (wall, cpu) = (Instant::now(), cpu_time());
    work()?;
    Ok(Sample {
        decisions,
        wall: wall.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
        messages: tally.messages.get(),
        signs: tally.signs.get(),
        verifies: tally.verifies.get(),
    })
}

/// A row of a table: medians over the rounds, per decision.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub name: String,
    pub decided_per_second: f64,
    pub cpu_us: f64,
    pub messages: f64,
    pub signs: f64,
    pub verifies: f64,
    pub rounds: usize,
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Result<f64> {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle).context("no round was run; give --rounds 1 or more")?;
    let lower = if values.len().is_multiple_of(2) { values[middle - 1] } else { upper };
    Ok((lower + upper) / 2.0)
}

impl Row {
    /// # Errors
    /// If there is no sample, or one without a decision.
    pub fn of(name: &str, samples: &[Sample]) -> Result<Self> {
        ensure!(samples.iter().all(|sample| sample.decisions > 0), "{name} decided nothing");
        let per = |total: u64, sample: &Sample| total as f64 / sample.decisions as f64;
        Ok(Self {
            name: name.to_owned(),
            decided_per_second: median(samples, |s| s.decisions as f64 / s.wall.as_secs_f64())?,
            cpu_us: median(samples, |s| s.cpu.as_secs_f64() * 1e6 / s.decisions as f64)?,
            messages: median(samples, |s| per(s.messages, s))?,
            signs: median(samples, |s| per(s.signs, s))?,
            verifies: median(samples, |s| per(s.verifies, s))?,
            rounds: samples.len(),
        })
    }
}

//! How many events a minute store and scores take, beside the rules alone in memory.

use crate::epochs::Schedule;
use crate::recording::{contiguous, generate, START_MS};
use crate::replay::Replay;
use crate::rows::Block;
use crate::store::Store;
use anyhow::{ensure, Context, Result};
use cicada_core::activity::held::Held;
use cicada_core::activity::{tally, Event, Window};
use cicada_core::scores::scores;
use cicada_core::Account;
use std::path::Path;
use std::time::{Duration, Instant};

/// A generated epoch: four hours.
pub const EPOCH_MS: u64 = 14_400_000;
const SEED: u64 = 71;
const MINERS: u64 = 300;
/// A TAO a block is a pool like another.
const POOL: u128 = 1_000_000_000_000;
/// Blocks in one transaction while a validator catches up.
pub const CATCH_UP: usize = 64;

/// One measured way.
pub struct Row {
    /// What was done.
    pub what: &'static str,
    /// How long it took.
    pub took: Duration,
    /// With how many events.
    pub events: u64,
}

impl Row {
    /// Events in a minute at this speed.
    pub fn a_minute(&self) -> f64 {
        let seconds = self.took.as_secs_f64().max(1e-9);
        // Below 2^53.
        u32::try_from(self.events).map_or(f64::NAN, f64::from) * 60.0 / seconds
    }
}

/// Measures with `events` generated events; stores are made in `folder`.
///
/// # Errors
/// In words.
pub fn measure(events: u64, folder: &Path) -> Result<Vec<Row>> {
    let recorded = generate(SEED, events, MINERS);
    let blocks: Vec<Block> = contiguous(recorded.clone()).collect();
    let mut all = Vec::new();
    for (block, _, trades) in &recorded {
        all.extend(trades.iter().map(|(index, trade)| trade.event((*block, *index))));
    }
    let mut rows = vec![Row { what: "rules alone, in memory", took: in_memory(&all)?, events }];
    for (what, batch) in [
        ("store and rules, 64 blocks a transaction (catching up)", CATCH_UP),
        ("store and rules, each block a transaction (following)", 1),
    ] {
        let folder = folder.join(batch.to_string());
        let store = Store::open(&folder, b"bench")?;
        let replay = Replay {
            schedule: Schedule::new(START_MS, EPOCH_MS).context("the length of an epoch")?,
            pool: POOL,
            batch,
        };
        let begin = Instant::now();
        replay.run(&store, blocks.iter().cloned(), |_| ())?;
        let results = replay.results(&store)?;
        let took = begin.elapsed();
        ensure!(results["events"] == events, "not every event is in the store");
        rows.push(Row { what, took, events });
    }
    Ok(rows)
}

/// Tally and scores of the same epochs, without a disk.
fn in_memory(events: &[Event]) -> Result<Duration> {
    let begin = Instant::now();
    let until = |end_ms: u64| events.partition_point(|event| event.time_ms < end_ms);
    let all = |_: &Account| Held { before: u128::MAX, now: u128::MAX };
    let mut start_ms = START_MS;
    while until(start_ms) < events.len() {
        let end_ms = start_ms.saturating_add(EPOCH_MS);
        let window = Window::new(start_ms, end_ms).context("the length of an epoch")?;
        // Of the epoch and of the one before it.
        let both = until(window.before().start_ms())..until(end_ms);
        let counted = tally(events.get(both).unwrap_or_default(), &window, all);
        let counted = counted.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        std::hint::black_box(
            scores(&counted.activities, |_| true).map_err(|error| anyhow::anyhow!("{error:?}"))?,
        );
        start_ms = end_ms;
    }
    Ok(begin.elapsed())
}

/// The rows as a table.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<56} {:>9} {:>14}\n", "", "seconds", "events/min");
    for row in rows {
        let seconds = row.took.as_secs_f64();
        text.push_str(&format!("{:<56} {seconds:>9.3} {:>14.0}\n", row.what, row.a_minute()));
    }
    text
}

//! How many events a minute the store takes, beside how many can be read and made.

use crate::simulation::{identity, Simulation};
use crate::store::{Store, StoreError};
use std::path::Path;
use std::time::{Duration, Instant};

/// What was measured.
#[derive(Clone, Debug)]
pub struct Row {
    /// What.
    pub name: &'static str,
    /// Blocks.
    pub blocks: u64,
    /// Events.
    pub events: u64,
    /// How long it took.
    pub took: Duration,
}

/// Takes blocks with so many trades over, in a new store and once more in the same one.
///
/// # Errors
/// [`StoreError`].
pub fn measure(trades: u64, folder: &Path) -> Result<Vec<Row>, StoreError> {
    let start = Instant::now();
    let blocks = Simulation::new(71).blocks(trades);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let events = count(blocks.iter().map(|block| block.events.len()).sum());
    let row = |name, took| Row { name, blocks: count(blocks.len()), events, took };
    let mut rows = vec![row("making the events", start.elapsed())];
    let mut store = Store::open(folder, &identity())?;
    for name in ["store, each block a transaction of its own", "the same blocks brought again"] {
        let start = Instant::now();
        for block in &blocks {
            store.take(block)?;
        }
        rows.push(row(name, start.elapsed()));
    }
    Ok(rows)
}

/// The table that people read.
pub fn table(rows: &[Row]) -> String {
    let mut text =
        format!("{:<46} {:>8} {:>9} {:>8} {:>14}\n", "", "blocks", "events", "s", "events/minute");
    for row in rows {
        let ms = row.took.as_millis().max(1);
        let a_minute = u128::from(row.events).saturating_mul(60_000) / ms;
        let (whole, part) = (ms / 1_000, ms % 1_000 / 100);
        let Row { name, blocks, events, .. } = row;
        text += &format!("{name:<46} {blocks:>8} {events:>9} {whole:>6}.{part} {a_minute:>14}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_measurement_has_all_rows() {
        let folder = tempfile::tempdir().unwrap();
        let rows = measure(20, folder.path()).unwrap();
        assert_eq!(rows.len(), 3);
        assert!(table(&rows).lines().count() == 4);
    }
}

//! Tables, for people and for machines.

use crate::measure::Row;
use serde::Serialize;
use std::fmt;

/// Rows that were measured in turn.
#[derive(Debug, Serialize)]
pub struct Table {
    pub title: String,
    pub rows: Vec<Row>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Processor time leaves out what else the machine does.
        let first = self.rows.first().map_or(0.0, |row| row.cpu_us);
        writeln!(
            f,
            "\n| {} | decided/s | speed of ours beside it | CPU µs | messages | signs | verifies |",
            self.title
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} | {:.0} | {:.2} × | {:.1} | {:.1} | {:.1} | {:.1} |",
                row.name,
                row.decided_per_second,
                row.cpu_us / first,
                row.cpu_us,
                row.messages,
                row.signs,
                row.verifies
            )?;
        }
        Ok(())
    }
}

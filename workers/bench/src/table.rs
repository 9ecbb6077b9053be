//! Two columns of numbers, side by side.

use cicada_amounts::thousands;
use serde::Serialize;
use std::fmt;

/// A comparison: what, ours, theirs.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    title: String,
    ours: String,
    theirs: String,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    what: String,
    ours: u64,
    theirs: u64,
}

impl Table {
    /// An empty table with the names of its two columns.
    pub fn new(title: &str, ours: &str, theirs: &str) -> Self {
        Self { title: title.into(), ours: ours.into(), theirs: theirs.into(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn add(&mut self, what: impl Into<String>, ours: u64, theirs: u64) {
        self.rows.push(Row { what: what.into(), ours, theirs });
    }
}

/// Ours as a change from theirs, in percent with one decimal, rounded towards zero.
fn change(ours: u64, theirs: u64) -> String {
    let (ours, theirs) = (i128::from(ours), i128::from(theirs));
    if theirs == 0 {
        return "–".into();
    }
    let permille = (ours - theirs) * 1_000 / theirs;
    let sign = match ours.cmp(&theirs) {
        std::cmp::Ordering::Less => "−",
        std::cmp::Ordering::Equal => "",
        std::cmp::Ordering::Greater => "+",
    };
    let size = permille.abs();
    format!("{sign}{}.{} %", size / 10, size % 10)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, ours, theirs, rows } = self;
        let width = rows
            .iter()
            .map(|row| row.what.chars().count())
            .chain([title.chars().count()])
            .max()
            .unwrap_or(0);
        writeln!(f, "{title:<width$}  {ours:>18}  {theirs:>18}  {:>9}", "")?;
        for row in rows {
            writeln!(
                f,
                "{:<width$}  {:>18}  {:>18}  {:>9}",
                row.what,
                thousands(row.ours.into()),
                thousands(row.theirs.into()),
                change(row.ours, row.theirs)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_a_sign_and_one_decimal() {
        assert_eq!(change(90, 100), "−10.0 %");
        assert_eq!(change(100, 100), "0.0 %");
        assert_eq!(change(1_015, 1_000), "+1.5 %");
        assert_eq!(change(9_999, 10_000), "−0.0 %");
        assert_eq!(change(5, 0), "–");
    }
}

//! What a node keeps about liars: contradictions, one JSON object a line, for `audit`.
//!
//! ```text
//! {"seat":3,"first":{"kind":"proposal","position":7,"view":2,"digest":"…","signature":"…"},"second":{…}}
//! ```
//!
//! Digests and signatures are hexadecimal. Each of the two signatures is ed25519 of the seat over
//! the statement, so a line proves itself to whoever knows the committee.

use cicada_consensus::byzantine::{Contradiction, Kind, Statement};
use cicada_consensus::{Position, Seat, View};
use cicada_core::certificate::Signature;
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The file in the data directory.
pub const FILE: &str = "contradictions.jsonl";
/// The most lines in it: a liar must not fill the disk.
pub const MOST: usize = 1_000;

/// The evidence of one node.
pub struct Evidence {
    path: PathBuf,
    lines: usize,
    // One contradiction for each seat, view and position is enough.
    kept: BTreeSet<(Seat, View, Position)>,
}

impl Evidence {
    /// The evidence in a data directory; it need not exist yet.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn open(directory: &Path) -> std::io::Result<Self> {
        let path = directory.join(FILE);
        let lines = match File::open(&path) {
            Ok(file) => BufReader::new(file).lines().count(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { path, lines, kept: BTreeSet::new() })
    }

    /// Appends a contradiction, unless it is known since the start or there are enough.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&mut self, found: &Contradiction) -> std::io::Result<()> {
        let Statement { position, view, .. } = found.first.0;
        if self.lines >= MOST || !self.kept.insert((found.seat, view, position)) {
            return Ok(());
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(format!("{}\n", line(found)).as_bytes())?;
        file.sync_data()?;
        self.lines = self.lines.saturating_add(1);
        Ok(())
    }
}

fn line(found: &Contradiction) -> Value {
    json!({
        "seat": found.seat,
        "first": signed(&found.first),
        "second": signed(&found.second),
    })
}

fn signed((statement, signature): &(Statement, Signature)) -> Value {
    json!({
        "kind": name(statement.kind),
        "position": statement.position,
        "view": statement.view,
        "digest": hex::encode(statement.digest),
        "signature": hex::encode(signature),
    })
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Timeout => "timeout",
        Kind::Pledge => "pledge",
        Kind::Proposal => "proposal",
        Kind::Prepared => "prepared",
        Kind::Committed => "committed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradiction(position: Position) -> Contradiction {
        let statement = |digest| Statement { kind: Kind::Proposal, position, view: 2, digest };
        Contradiction {
            seat: 3,
            first: (statement([1; 32]), [4; 64]),
            second: (statement([2; 32]), [5; 64]),
        }
    }

    #[test]
    fn evidence_is_kept_once_and_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let mut evidence = Evidence::open(dir.path()).unwrap();
        evidence.keep(&contradiction(7)).unwrap();
        evidence.keep(&contradiction(7)).unwrap();
        let text = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
        let found: Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(found["seat"], 3);
        assert_eq!(found["first"]["kind"], "proposal");
        assert_eq!(found["second"]["digest"], "02".repeat(32));
        let lines = "{}\n".repeat(MOST - 1);
        std::fs::write(dir.path().join(FILE), lines).unwrap();
        let mut evidence = Evidence::open(dir.path()).unwrap();
        for position in 8..12 {
            evidence.keep(&contradiction(position)).unwrap();
        }
        let text = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert_eq!(text.lines().count(), MOST);
    }
}

//! What a node keeps about liars: contradictions, one JSON object a line, for `audit`.
//!
//! ```text
//! {"seat":3,"first":{"kind":"proposal","position":7,"view":2,"digest":"…","signature":"…"},"second":{…}}
//! ```
//!
//! Digests and signatures are hexadecimal, after `0x`. Each of the two signatures is ed25519 of the seat over
//! the statement, so a line proves itself to whoever knows the committee.

use cicada_consensus::byzantine::{Contradiction, Kind, Statement};
use cicada_consensus::{Position, Seat, View};
use cicada_core::certificate::Signature;
use cicada_node_api as api;
use cicada_node_api::Scale;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The file in the data directory.
pub const FILE: &str = "contradictions.jsonl";
/// The most lines of one seat in it: a liar must fill neither the disk nor the room of the others,
/// and one line convicts.
pub const MOST: usize = 32;

/// The evidence of one node.
pub struct Evidence {
    path: PathBuf,
    lines: BTreeMap<Seat, usize>,
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
        let mut evidence = Self { path, lines: BTreeMap::new(), kept: BTreeSet::new() };
        let file = match File::open(&evidence.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(evidence),
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).lines() {
            // What a crash left of the last line is of nobody.
            if let Ok(api::Contradiction { seat, .. }) = serde_json::from_str(&line?) {
                let lines = evidence.lines.entry(seat).or_default();
                *lines = lines.saturating_add(1);
            }
        }
        Ok(evidence)
    }

    /// Appends a contradiction, unless it is known since the start or there are enough of its seat.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&mut self, found: &Contradiction) -> std::io::Result<()> {
        let Statement { position, view, .. } = found.first.0;
        let lines = self.lines.entry(found.seat).or_default();
        if *lines >= MOST || !self.kept.insert((found.seat, view, position)) {
            return Ok(());
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let line = serde_json::to_string(&line(found))?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()?;
        *lines = lines.saturating_add(1);
        Ok(())
    }
}

fn line(found: &Contradiction) -> api::Contradiction {
    let (first, second) = (said(&found.first), said(&found.second));
    api::Contradiction { seat: found.seat, first, second }
}

fn said((statement, signature): &(Statement, Signature)) -> api::Said {
    api::Said {
        kind: name(statement.kind).into(),
        position: statement.position,
        view: statement.view,
        digest: Scale(statement.digest),
        signature: Scale(*signature),
    }
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
    use cicada_core::hash::Digest;
    use serde_json::Value;

    fn contradiction(seat: Seat, position: Position) -> Contradiction {
        let statement = |digest| Statement { kind: Kind::Proposal, position, view: 2, digest };
        Contradiction {
            seat,
            first: (statement(Digest([1; 32])), [4; 64]),
            second: (statement(Digest([2; 32])), [5; 64]),
        }
    }

    fn lines(dir: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(dir.join(FILE)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn evidence_is_kept_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut evidence = Evidence::open(dir.path()).unwrap();
        evidence.keep(&contradiction(3, 7)).unwrap();
        evidence.keep(&contradiction(3, 7)).unwrap();
        let all = lines(dir.path());
        assert_eq!(all.len(), 1);
        assert_eq!(all[0]["seat"], 3);
        assert_eq!(all[0]["first"]["kind"], "proposal");
        assert_eq!(all[0]["second"]["digest"], format!("0x{}", "02".repeat(32)));
    }

    #[test]
    fn a_liar_leaves_the_others_their_room_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let of = |seat: Seat| lines(dir.path()).iter().filter(|line| line["seat"] == seat).count();
        for _ in 0..2 {
            let mut evidence = Evidence::open(dir.path()).unwrap();
            for position in 0..100 {
                evidence.keep(&contradiction(3, position)).unwrap();
            }
        }
        assert_eq!(of(3), MOST);
        Evidence::open(dir.path()).unwrap().keep(&contradiction(4, 1)).unwrap();
        assert_eq!(of(4), 1);
    }
}

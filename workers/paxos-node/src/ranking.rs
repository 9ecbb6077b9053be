//! What this node's own results come to, read again only when their file has changed.

use cicada_core::hash::Native;
use cicada_core::leaderboard::Board;
use std::cell::RefCell;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

/// A file that changed less than this before it was read may change again without another time:
/// the coarsest clocks of file systems count two seconds.
const SETTLED_MS: i128 = 2_500;

/// What tells one state of a file from another. The time is that of the last change, not that of
/// the last modification, which programs may set as they like.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    changed_ns: i128,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let seconds = i128::from(metadata.ctime()).saturating_mul(1_000_000_000);
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            changed_ns: seconds.saturating_add(i128::from(metadata.ctime_nsec())),
        }
    }

    // Whether the file is old enough that any further change gives another stamp.
    fn settled(&self, wall_ms: u64) -> bool {
        let changed_ms = self.changed_ns / 1_000_000;
        changed_ms.saturating_add(SETTLED_MS) <= i128::from(wall_ms)
    }
}

#[derive(Clone, Debug)]
struct Known {
    stamp: Stamp,
    until_ms: u64,
    // No result is later, so the board is the same at every later time.
    whole: bool,
    board: Arc<Board>,
}

/// The results of this node.
pub(crate) struct Ranking {
    path: PathBuf,
    known: RefCell<Option<Known>>,
}

impl Ranking {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, known: RefCell::new(None) }
    }

    /// What all results up to a time come to, in milliseconds since 1970, with volumes of 0.
    /// `wall_ms` is now.
    ///
    /// # Errors
    /// If the file cannot be read; they name it.
    pub(crate) fn at(&self, until_ms: u64, wall_ms: u64) -> io::Result<Arc<Board>> {
        let before = self.stamp()?;
        if let Some(known) = self.known.borrow().as_ref() {
            let serves = known.until_ms == until_ms || known.whole && known.until_ms < until_ms;
            if serves && known.stamp == before {
                return Ok(known.board.clone());
            }
        }
        let results = cicada_results::read(&self.path, until_ms)?;
        let whole = results.later == 0;
        let board = Arc::new(Board::of::<Native>(&results.tally, |_| 0));
        // Kept only if what was read is what the stamp stands for.
        let kept = before.settled(wall_ms) && self.stamp()? == before;
        let known = Known { stamp: before, until_ms, whole, board: board.clone() };
        self.known.replace(kept.then_some(known));
        Ok(board)
    }

    fn stamp(&self) -> io::Result<Stamp> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        })?;
        Ok(Stamp::of(&metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;
    use std::time::SystemTime;

    fn line(framework: &str, points: u32, time: u64) -> String {
        format!(
            "{{\"framework\":\"{framework}\",\"shard\":3,\"challenge\":\"{points}-{time}\",\
             \"points\":{points},\"success\":true,\"evaluator\":\"e\",\"answer_hash\":\"{}\",\
             \"time\":{time}}}\n",
            "ab".repeat(32)
        )
    }

    fn scores(board: &Board) -> Vec<(&str, u64)> {
        board.standings.iter().map(|row| (row.framework.as_str(), row.score)).collect()
    }

    // The time at which a file that was just written is settled.
    fn settled() -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis() + 60_000).unwrap()
    }

    struct Bench {
        _dir: tempfile::TempDir,
        path: PathBuf,
        ranking: Ranking,
    }

    fn bench(text: &str) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        std::fs::write(&path, text).unwrap();
        Bench { ranking: Ranking::new(path.clone()), path, _dir: dir }
    }

    #[test]
    fn an_old_file_is_read_once() {
        let bench = bench(&line("claude", 5, 10));
        let first = bench.ranking.at(10, settled()).unwrap();
        let later = bench.ranking.at(99, settled()).unwrap();
        assert!(Arc::ptr_eq(&first, &later), "kept, for later times too");
        assert!(
            bench.ranking.at(9, settled()).unwrap().standings.is_empty(),
            "not for earlier ones"
        );
    }

    #[test]
    fn a_result_still_to_come_is_not_forgotten() {
        let text = line("claude", 5, 10) + &line("openai", 7, 20);
        let bench = bench(&text);
        let first = bench.ranking.at(15, settled()).unwrap();
        assert!(Arc::ptr_eq(&first, &bench.ranking.at(15, settled()).unwrap()));
        assert_eq!(scores(&first), [("claude", 5)]);
        let second = bench.ranking.at(20, settled()).unwrap();
        assert_eq!(scores(&second), [("openai", 7), ("claude", 5)]);
    }

    #[test]
    fn every_change_is_noticed() {
        let bench = bench(&line("claude", 5, 10));
        let now = settled();
        let found = || scores(&bench.ranking.at(50, now).unwrap()).first().map(|row| row.1);
        assert_eq!(found(), Some(5));
        let mut file = File::options().append(true).open(&bench.path).unwrap();
        file.write_all(line("claude", 6, 10).as_bytes()).unwrap();
        assert_eq!(found(), Some(11), "a line more");
        let before = std::fs::metadata(&bench.path).unwrap();
        // Until the clock of the file system has moved on.
        while bench.ranking.stamp().unwrap() == Stamp::of(&before) {
            std::fs::write(&bench.path, line("claude", 5, 10) + &line("claude", 7, 10)).unwrap();
            file.set_modified(before.modified().unwrap()).unwrap();
        }
        assert_eq!(found(), Some(12), "as long as before, and as old by its own account");
        let other = bench.path.with_extension("other");
        std::fs::write(&other, line("claude", 5, 10) + &line("claude", 8, 10)).unwrap();
        std::fs::rename(&other, &bench.path).unwrap();
        assert_eq!(found(), Some(13), "another file in its place");
        std::fs::remove_file(&bench.path).unwrap();
        let error = bench.ranking.at(50, now).unwrap_err().to_string();
        assert!(error.contains("results.jsonl"), "{error}");
    }

    #[test]
    fn a_file_that_has_just_changed_is_read_each_time() {
        let bench = bench(&line("claude", 5, 10));
        let now = settled() - 60_000;
        let first = bench.ranking.at(10, now).unwrap();
        assert!(!Arc::ptr_eq(&first, &bench.ranking.at(10, now).unwrap()));
    }
}

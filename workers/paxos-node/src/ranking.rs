//! What this node's own results come to. A thread of its own reads their file, so that the engine
//! never waits for it.

use cicada_core::goedel::commitment;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{rank, Board};
use cicada_core::report::{Report, ReportKind};
use cicada_results::{Follower, Index};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Between two looks at the file that nobody asks for.
const EVERY: Duration = Duration::from_millis(500);
/// How long a proposal waits for a look. A node that asks this one waits for three seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Looks that are waited for at once; one look serves all of them.
const WAITING: usize = 1_024;

/// The results of this node, as they were at the newest look. Clones share them.
#[derive(Clone, Debug)]
pub struct Results(Arc<Mutex<Result<Index, String>>>);

impl Results {
    /// What all results up to a time come to, in milliseconds since 1970, with volumes of 0.
    ///
    /// # Errors
    /// In words, if the file cannot be read; they name it.
    pub(crate) fn at(&self, until_ms: u64) -> Result<Board, String> {
        let index = self.known().clone()?;
        let sums = index.at(until_ms);
        let standings = rank(sums.scores, |_| 0);
        Ok(Board { standings, shards: commitment::<Native>(&sums.shards) })
    }

    fn known(&self) -> MutexGuard<'_, Result<Index, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that reads the file; it ends when this is dropped.
pub struct Reader(SyncSender<oneshot::Sender<()>>);

impl Reader {
    /// Reads a file, and goes on reading what is appended.
    ///
    /// # Errors
    /// If it cannot be read at first, or there is no thread.
    pub fn start(path: PathBuf) -> io::Result<(Results, Self)> {
        let mut follower = Follower::new(path);
        let results = Results(Arc::new(Mutex::new(Ok(follower.look()?))));
        let (ask, asked) = sync_channel(WAITING);
        let shown = results.clone();
        let thread = std::thread::Builder::new().name("results".into());
        thread.spawn(move || follow(&mut follower, &shown, &asked))?;
        Ok((results, Self(ask)))
    }

    /// Sees to it, before a leaderboard is judged, that the results are not older than now, unless
    /// that takes too long.
    pub async fn observe(&self, report: &Report) {
        if report.feed.kind == ReportKind::Leaderboard {
            self.refresh().await;
        }
    }

    async fn refresh(&self) {
        let (done, seen) = oneshot::channel();
        if self.0.try_send(done).is_ok() {
            let _ = tokio::time::timeout(PATIENCE, seen).await;
        }
    }
}

fn follow(follower: &mut Follower, shown: &Results, asked: &Receiver<oneshot::Sender<()>>) {
    loop {
        let first = match asked.recv_timeout(EVERY) {
            Ok(done) => Some(done),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let waiting: Vec<_> = first.into_iter().chain(asked.try_iter()).collect();
        let looked = follower.look().map_err(|error| error.to_string());
        let mut known = shown.known();
        if let (Ok(_), Err(error)) = (&*known, &looked) {
            tracing::warn!("cannot read the results: {error}");
        }
        *known = looked;
        drop(known);
        for done in waiting {
            // Who asked may have gone.
            let _ = done.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    const T: u64 = 1_738_425_600_000;

    fn line(framework: &str, points: u32, time: u64) -> String {
        format!(
            "{{\"framework\":\"{framework}\",\"shard\":3,\"challenge\":\"{points}-{time}\",\
             \"points\":{points},\"success\":true,\"evaluator\":\"e\",\"answer_hash\":\"{}\",\
             \"time\":{time}}}\n",
            "ab".repeat(32)
        )
    }

    fn scores(results: &Results, until_ms: u64) -> Vec<(String, u64)> {
        let board = results.at(until_ms).unwrap();
        let row = |row: cicada_core::leaderboard::Standing| (row.framework.to_string(), row.score);
        board.standings.into_iter().map(row).collect()
    }

    #[tokio::test]
    async fn every_time_is_served_from_one_reading() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        std::fs::write(&path, line("claude", 5, T + 10) + &line("openai", 7, T + 20)).unwrap();
        let (results, reader) = Reader::start(path.clone()).unwrap();
        assert!(scores(&results, T).is_empty());
        assert_eq!(scores(&results, T + 15), [("claude".into(), 5)]);
        assert_eq!(scores(&results, T + 20), [("openai".into(), 7), ("claude".into(), 5)]);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(line("claude", 6, T + 12).as_bytes()).unwrap();
        reader.refresh().await;
        assert_eq!(scores(&results, T + 15), [("claude".into(), 11)]);
    }

    #[tokio::test]
    async fn a_file_that_goes_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        assert!(Reader::start(path.clone()).is_err(), "it must be there at first");
        std::fs::write(&path, line("claude", 5, T)).unwrap();
        let (results, reader) = Reader::start(path.clone()).unwrap();
        std::fs::remove_file(&path).unwrap();
        reader.refresh().await;
        let error = results.at(T).unwrap_err();
        assert!(error.contains("results.jsonl"), "{error}");
    }
}

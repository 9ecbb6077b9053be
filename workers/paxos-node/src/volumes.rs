//! The exchange's 24-hour volumes, for leaderboards that have them.
//!
//! The node itself waits for nothing. So the volumes of a leaderboard that comes in are read from
//! the chain before the node is asked about it, and it judges by what was read.

mod connection;

#[cfg(test)]
mod tests;

pub use connection::Connection;

use crate::feeds::{begin, MAX_SKEW_MS};
use cicada_core::report::Feed;
use cicada_volumes::{FindError, Volumes};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Times whose volumes, or whose lack of a block, are remembered: more than the blocks of the time
/// in which a proposal may be made.
const KEPT: usize = 256;
/// Times that wait to be looked up.
const QUEUE: usize = 256;
/// How long the chain may take to answer. A node that asks this one waits for three seconds.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Between two looks at a chain whose newest final block is older than the time.
const AGAIN: Duration = Duration::from_millis(200);

/// How a look at the chain for a time ends.
type Looked = Result<Volumes, FindError<String>>;

/// What this node has read, and why it could not. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    read: BTreeMap<u64, Arc<Volumes>>,
    reasons: BTreeMap<u64, String>,
}

impl Seen {
    /// The volumes at the final block of a time.
    ///
    /// # Errors
    /// In words, if they were not read.
    pub(crate) fn at(&self, time_ms: u64) -> Result<Arc<Volumes>, String> {
        let inner = self.inner();
        match (inner.read.get(&time_ms), inner.reasons.get(&time_ms)) {
            (Some(volumes), _) => Ok(volumes.clone()),
            (None, Some(reason)) => Err(reason.clone()),
            (None, None) => Err("I have not read the volumes at its time".into()),
        }
    }

    fn knows(&self, time_ms: u64) -> bool {
        self.inner().read.contains_key(&time_ms)
    }

    /// Keeps how a look at the chain ended.
    pub(crate) fn keep(&self, time_ms: u64, looked: &Looked) {
        let mut inner = self.inner();
        match looked {
            Ok(volumes) => {
                inner.reasons.remove(&time_ms);
                inner.read.insert(time_ms, Arc::new(volumes.clone()));
            }
            Err(FindError::Chain(error)) => {
                let reason = format!("I cannot read the volumes from the chain: {error}");
                inner.reasons.insert(time_ms, reason);
            }
            Err(error) => drop(inner.reasons.insert(time_ms, error.to_string())),
        }
        // The oldest first.
        if inner.read.len() > KEPT {
            inner.read.pop_first();
        }
        if inner.reasons.len() > KEPT {
            inner.reasons.pop_first();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that finds the volumes of a time.
pub trait Lookup: Send + 'static {
    /// The volumes at the final block of a time.
    fn look(&mut self, time_ms: u64) -> impl Future<Output = Looked> + Send;
}

struct Wanted {
    time_ms: u64,
    // Whether it is worth to ask again soon.
    done: oneshot::Sender<bool>,
}

/// Reads volumes, one time after the other, so that a node asks its chain no more than that.
pub struct Reader {
    feed: Feed,
    seen: Seen,
    wanted: mpsc::Sender<Wanted>,
}

impl Reader {
    /// Starts a task that looks times up, for the leaderboards of `feed`.
    pub fn start(feed: Feed, seen: Seen, lookup: impl Lookup) -> Self {
        let (wanted, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(serve(lookup, seen.clone(), inbox));
        Self { feed, seen, wanted }
    }

    /// Reads what the node needs to judge a value; `wall_ms` is now. Not whether the value is
    /// right, but whether the reading came to an end is what it answers.
    pub async fn observe(&self, value: &[u8], wall_ms: u64) -> bool {
        let time_ms = match begin(value) {
            Some(report) if report.feed == self.feed => report.time_ms,
            _ => return true,
        };
        // What is too far from the clock is refused for that.
        if time_ms.abs_diff(wall_ms) > MAX_SKEW_MS {
            return true;
        }
        let mut asked_once = false;
        let asking = async {
            while !self.seen.knows(time_ms) && self.ask(time_ms).await {
                asked_once = true;
                tokio::time::sleep(AGAIN).await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, asking).await.is_ok();
        ended || asked_once
    }

    // Whether to ask again.
    async fn ask(&self, time_ms: u64) -> bool {
        let (done, answer) = oneshot::channel();
        if self.wanted.send(Wanted { time_ms, done }).await.is_err() {
            return false;
        }
        answer.await.unwrap_or(false)
    }
}

async fn serve(mut lookup: impl Lookup, seen: Seen, mut inbox: mpsc::Receiver<Wanted>) {
    // What was the newest final block a moment ago.
    let mut newest: Option<(Instant, u64)> = None;
    while let Some(Wanted { time_ms, done }) = inbox.recv().await {
        if done.is_closed() || seen.knows(time_ms) {
            let _ = done.send(false);
            continue;
        }
        let fresh = newest.filter(|(at, _)| at.elapsed() < AGAIN / 2);
        let looked = match fresh {
            Some((_, newest_ms)) if newest_ms < time_ms => Err(FindError::Later { newest_ms }),
            _ => tokio::time::timeout(PATIENCE, lookup.look(time_ms))
                .await
                .unwrap_or_else(|_| Err(FindError::Chain("it takes too long".into()))),
        };
        if let (None, Err(FindError::Later { newest_ms })) = (fresh, &looked) {
            newest = Some((Instant::now(), *newest_ms));
        }
        if let Err(error) = &looked {
            tracing::debug!(time_ms, %error, "no volumes");
        }
        seen.keep(time_ms, &looked);
        let _ = done.send(matches!(looked, Err(FindError::Later { .. })));
    }
}

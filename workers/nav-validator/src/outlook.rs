//! What is asked of the chain by many at once, asked once.

use crate::contracts::{Contracts, Office};
use anyhow::{anyhow, Result};
use cicada_core::report::FeedState;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// For how long an answer of the chain serves whoever asks.
const REMEMBERED: Duration = Duration::from_millis(500);

/// Who is in office, and which slots come next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The committee.
    pub office: Office,
    /// The newest basket.
    pub basket: FeedState,
    /// The newest NAV.
    pub nav: FeedState,
}

impl Outlook {
    /// As the final chain has it.
    ///
    /// # Errors
    /// In words.
    pub async fn ask(contracts: &Contracts) -> Result<Self> {
        let (basket, nav) = contracts.feeds().await?;
        Ok(Self { office: contracts.office().await?, basket, nav })
    }
}

struct Known<K, T> {
    key: K,
    since: Instant,
    outcome: Result<T, String>,
}

/// The newest of some costly thing. Whoever asks while it is being found waits for it, and a failure
/// is found once in half a second, however many ask.
pub struct Newest<K, T> {
    known: Mutex<Option<Known<K, T>>>,
}

impl<K, T> Default for Newest<K, T> {
    fn default() -> Self {
        Self { known: Mutex::default() }
    }
}

impl<K: PartialEq, T: Clone> Newest<K, T> {
    /// What was found for this key, or what is found now. It serves for ever if it `lasts`.
    ///
    /// # Errors
    /// In words.
    pub async fn of(
        &self,
        key: K,
        lasts: bool,
        find: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut known = self.known.lock().await;
        if let Some(Known { since, outcome, .. }) = known.as_ref().filter(|known| known.key == key)
        {
            if (lasts && outcome.is_ok()) || since.elapsed() < REMEMBERED {
                return outcome.clone().map_err(|error| anyhow!(error));
            }
        }
        let outcome = find.await.map_err(|error| format!("{error:#}"));
        *known = Some(Known { key, since: Instant::now(), outcome: outcome.clone() });
        outcome.map_err(|error| anyhow!(error))
    }

    /// What was found is asked again.
    pub async fn forget(&self) {
        *self.known.lock().await = None;
    }
}

/// The outlook of now.
pub type Outlooks = Newest<(), Arc<Outlook>>;

impl Outlooks {
    /// The outlook, at most half a second old.
    ///
    /// # Errors
    /// In words.
    pub async fn now(&self, contracts: &Contracts) -> Result<Arc<Outlook>> {
        self.of((), false, async { Outlook::ask(contracts).await.map(Arc::new) }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn however_many_ask_it_is_found_once() {
        let newest = Newest::<u64, u32>::default();
        let asked = AtomicU32::new(0);
        let find = |result: Result<u32, &'static str>| {
            let asked = &asked;
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                result.map_err(anyhow::Error::msg)
            }
        };
        let all = (0..600).map(|_| newest.of(999, false, find(Err("no"))));
        let all = futures::future::join_all(all).await;
        assert!(all.iter().all(|one| one.as_ref().unwrap_err().to_string() == "no"));
        assert_eq!(asked.load(Ordering::Relaxed), 1, "a failure too");
        assert_eq!(newest.of(5, true, find(Ok(7))).await.unwrap(), 7);
        assert_eq!(newest.of(5, true, find(Ok(8))).await.unwrap(), 7, "what was found stays");
        assert_eq!(newest.of(6, true, find(Ok(8))).await.unwrap(), 8);
        newest.forget().await;
        assert_eq!(newest.of(6, true, find(Ok(9))).await.unwrap(), 9);
    }
}

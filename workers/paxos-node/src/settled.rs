//! What the chain has of each feed. The node itself waits for nothing: a task reads it each second,
//! and before a value is judged that would need more than was read last.

use cicada_chain::{Bundle, Chain};
use cicada_core::hash::Hash;
use cicada_core::report::{Feed, FeedState};
use cicada_core::Account;
use cicada_network::Network;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Between two looks at the chain that nobody asks for.
const EVERY: Duration = Duration::from_secs(1);
/// How long a look may take. A node that asks this one waits for three seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Looks that are waited for at once; one look serves all of them.
const WAITING: usize = 256;

/// The newest slot of each feed on the final chain, as far as it was read; 0 before. Clones share
/// it. Who cannot read the chain goes on with what was read last.
#[derive(Clone, Debug, Default)]
pub struct Settled(Arc<Mutex<BTreeMap<Feed, u64>>>);

impl Settled {
    /// The newest slot of a feed.
    pub fn slot(&self, feed: &Feed) -> u64 {
        self.known().get(feed).copied().unwrap_or(0)
    }

    /// Notes what was read. The final chain does not go back.
    pub(crate) fn keep(&self, read: &[(Feed, u64)]) {
        let mut known = self.known();
        for (feed, slot) in read {
            let newest = known.entry(*feed).or_insert(*slot);
            *newest = (*newest).max(*slot);
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Feed, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that reads the newest slots.
pub trait Source: Send + 'static {
    /// The newest slots of all feeds that can be read, and why others cannot.
    fn read(&mut self) -> impl Future<Output = (Vec<(Feed, u64)>, Option<String>)> + Send;
}

/// The task that reads; it ends when this is dropped.
pub struct Reader {
    settled: Settled,
    asked: mpsc::Sender<oneshot::Sender<()>>,
}

impl Reader {
    /// Starts to read.
    pub fn start(settled: Settled, source: impl Source) -> Self {
        let (asked, inbox) = mpsc::channel(WAITING);
        tokio::spawn(follow(settled.clone(), source, inbox));
        Self { settled, asked }
    }

    /// Reads what a report needs that was not read yet: the slot before it. Whether there is an
    /// answer or not, it takes no longer than a node may wait.
    pub async fn observe(&self, feed: &Feed, slot: u64) {
        if slot <= self.settled.slot(feed).saturating_add(1) {
            return;
        }
        let (done, seen) = oneshot::channel();
        if self.asked.try_send(done).is_ok() {
            let _ = tokio::time::timeout(PATIENCE, seen).await;
        }
    }
}

async fn follow(
    settled: Settled,
    mut source: impl Source,
    mut asked: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut well = true;
    loop {
        let first = match tokio::time::timeout(EVERY, asked.recv()).await {
            Ok(Some(done)) => Some(done),
            Ok(None) => return,
            Err(_) => None,
        };
        let mut waiting: Vec<_> = first.into_iter().collect();
        while let Ok(done) = asked.try_recv() {
            waiting.push(done);
        }
        let late = || (Vec::new(), Some("it takes too long".to_owned()));
        let looked = tokio::time::timeout(PATIENCE, source.read()).await;
        let (read, problem) = looked.unwrap_or_else(|_| late());
        settled.keep(&read);
        if let (true, Some(problem)) = (well, &problem) {
            tracing::warn!("cannot read what the chain has settled: {problem}");
        }
        well = problem.is_none();
        for done in waiting {
            // Who asked may have gone.
            let _ = done.send(());
        }
    }
}

// A contract, and the message that tells of its feeds.
struct Contract {
    bundle: Arc<Bundle>,
    account: Account,
    says: Says,
}

enum Says {
    // The state of the feed, under this name.
    One(Feed, &'static str),
    // Those of basket and NAV.
    Index(Feed, Feed),
}

/// A connection to the contracts of a network that is made when it is needed, and anew when it
/// fails.
pub struct Contracts {
    url: String,
    genesis: Hash,
    contracts: Vec<Contract>,
    open: Option<Chain>,
}

impl Contracts {
    /// To those of a network, unless its rules ask for no chain; the metadata are in the folder
    /// `bundles`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn of(network: &Network, bundles: &Path) -> Result<Option<Self>, cicada_chain::Error> {
        if network.rules.backlog == 0 {
            return Ok(None);
        }
        let find = |name: &str, account, says| -> Result<Contract, cicada_chain::Error> {
            Ok(Contract { bundle: Arc::new(Bundle::find(bundles, name)?), account, says })
        };
        let at = &network.chain;
        let board = Says::One(network.leaderboard_feed(), "Leaderboard::latest");
        let mut contracts = vec![find("leaderboard", at.leaderboard, board)?];
        if let (Some(index), Some(basket), Some(nav)) =
            (at.index, network.basket_feed(), network.nav_feed())
        {
            contracts.push(find("index", index, Says::Index(basket, nav))?);
        }
        if let (Some(rewards), Some(feed)) = (at.rewards, network.rewards_feed()) {
            let says = Says::One(feed, "Rewards::latest");
            contracts.push(find("rewards", rewards, says)?);
        }
        let (url, genesis) = (at.url.clone(), at.genesis);
        Ok(Some(Self { url, genesis, contracts, open: None }))
    }

    async fn connected(&mut self) -> Result<Chain, String> {
        if let Some(chain) = &self.open {
            return Ok(chain.clone());
        }
        let chain = Chain::connect(&self.url).await.map_err(|error| error.to_string())?;
        if chain.genesis() != self.genesis {
            return Err(format!("{} is another chain than the network file's", self.url));
        }
        Ok(self.open.insert(chain).clone())
    }
}

impl Contract {
    async fn read(&self, chain: &Chain) -> Result<Vec<(Feed, u64)>, String> {
        let (account, bundle) = (&self.account, &*self.bundle);
        let error = |error: cicada_chain::Error| error.to_string();
        match self.says {
            Says::One(feed, label) => {
                let latest: FeedState =
                    chain.read(account, bundle, label, &[]).await.map_err(error)?;
                Ok(vec![(feed, latest.slot)])
            }
            Says::Index(basket, nav) => {
                let (first, second): (FeedState, FeedState) =
                    chain.read(account, bundle, "Index::feeds", &[]).await.map_err(error)?;
                Ok(vec![(basket, first.slot), (nav, second.slot)])
            }
        }
    }
}

impl Source for Contracts {
    async fn read(&mut self) -> (Vec<(Feed, u64)>, Option<String>) {
        let chain = match self.connected().await {
            Ok(chain) => chain,
            Err(error) => return (Vec::new(), Some(error)),
        };
        let (mut all, mut problem) = (Vec::new(), None);
        for contract in &self.contracts {
            match contract.read(&chain).await {
                Ok(some) => all.extend(some),
                Err(error) => problem = Some(error),
            }
        }
        if problem.is_some() {
            self.open = None;
        }
        (all, problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::report::ReportKind;

    const FEED: Feed = Feed { kind: ReportKind::Leaderboard, contract: [4; 32] };

    /// One slot more at each look; at the third it cannot be read.
    struct Counting(u64);

    impl Source for Counting {
        async fn read(&mut self) -> (Vec<(Feed, u64)>, Option<String>) {
            self.0 += 1;
            match self.0 {
                3 => (Vec::new(), Some("gone".into())),
                slot => (vec![(FEED, slot)], None),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_chain_is_read_when_a_report_needs_more_and_each_second() {
        let settled = Settled::default();
        let reader = Reader::start(settled.clone(), Counting(0));
        reader.observe(&FEED, 1).await;
        assert_eq!(settled.slot(&FEED), 0, "nothing comes before the first");
        reader.observe(&FEED, 2).await;
        assert_eq!(settled.slot(&FEED), 1);
        reader.observe(&FEED, 2).await;
        assert_eq!(settled.slot(&FEED), 1, "that was known");
        reader.observe(&FEED, 9).await;
        reader.observe(&FEED, 9).await;
        assert_eq!(settled.slot(&FEED), 2, "who cannot read keeps what was read");
        tokio::time::sleep(EVERY * 3 / 2).await;
        assert_eq!(settled.slot(&FEED), 4);
    }

    #[test]
    fn what_is_settled_stays_settled() {
        let settled = Settled::default();
        settled.keep(&[(FEED, 5)]);
        settled.clone().keep(&[(FEED, 3)]);
        assert_eq!(settled.slot(&FEED), 5);
    }
}

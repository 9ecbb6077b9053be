//! What the chain has of each feed. The node itself waits for nothing: a task reads it each second,
//! and before a value is judged that would need more than was read last.

use crate::feeds::{self, Declared};
use cicada_chain::Chain;
use cicada_contracts::Message;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::Account;
use cicada_network::{ChainSection, Network};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Between two looks at the chain that nobody asks for.
const EVERY: Duration = Duration::from_secs(1);
/// How long who asks waits for a look. A node that asks this one waits for three seconds. The look
/// goes on: on a slow line it still comes to its end.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long the chain may take over one contract. After that the line is given up for silent, and
/// made anew: whoever was at its other end, TCP may not notice for hours that he is gone.
const ANSWER: Duration = Duration::from_secs(20);
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
    /// The newest slots of all feeds that can be read, and why others cannot. It comes to an end.
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
        // However long it takes: it has its own limits.
        let (read, problem) = source.read().await;
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

/// The newest slots of a contract's feeds, or why they cannot be read.
pub(crate) type Answer = Result<Vec<(Feed, u64)>, Fault>;

/// A question under way.
pub(crate) type Question = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Why a contract was not read.
pub(crate) enum Fault {
    /// By its own fault: the line works.
    Contract(String),
    /// Nobody answered.
    Line(String),
}

impl From<cicada_chain::Error> for Fault {
    fn from(error: cicada_chain::Error) -> Self {
        use cicada_chain::Error::{Connect, Node};
        let words = error.to_string();
        match error {
            Connect { .. } | Node { .. } => Self::Line(words),
            _ => Self::Contract(words),
        }
    }
}

/// Something that can be reached by a line, and asked several things at once.
pub(crate) trait Remote: Send + Sync + 'static {
    /// The line.
    type Line: Send + Sync;

    /// Makes a line. It comes to an end.
    fn connect(&self) -> impl Future<Output = Result<Self::Line, String>> + Send;

    /// All that is to be asked.
    fn questions(&self, line: &Self::Line) -> Vec<Question>;
}

/// A line to something that is made when it is needed, and anew when it fails or is silent.
pub(crate) struct Kept<R: Remote> {
    remote: R,
    open: Option<R::Line>,
}

impl<R: Remote> Kept<R> {
    /// No line yet.
    pub fn new(remote: R) -> Self {
        Self { remote, open: None }
    }
}

impl<R: Remote> Source for Kept<R> {
    async fn read(&mut self) -> (Vec<(Feed, u64)>, Option<String>) {
        let line = match self.open.take() {
            Some(line) => line,
            None => match self.remote.connect().await {
                Ok(line) => line,
                Err(error) => return (Vec::new(), Some(error)),
            },
        };
        let (mut all, mut problem, mut works) = (Vec::new(), None, true);
        let mut asked = JoinSet::new();
        for question in self.remote.questions(&line) {
            asked.spawn(tokio::time::timeout(ANSWER, question));
        }
        while let Some(answer) = asked.join_next().await {
            let fault = match answer {
                Ok(Ok(Ok(some))) => {
                    all.extend(some);
                    continue;
                }
                Ok(Ok(Err(fault))) => fault,
                Ok(Err(_)) => Fault::Line(format!("silent for {ANSWER:?}")),
                Err(error) => Fault::Line(error.to_string()),
            };
            works &= matches!(fault, Fault::Contract(_));
            let (Fault::Contract(words) | Fault::Line(words)) = fault;
            problem = Some(words);
        }
        // One contract's error costs the others nothing.
        self.open = works.then_some(line);
        (all, problem)
    }
}

/// The newest slots of a contract's feeds, by their kinds, on their way.
pub(crate) type Slots =
    Pin<Box<dyn Future<Output = Result<Vec<(ReportKind, u64)>, cicada_chain::Error>> + Send>>;

/// The newest slot of the only feed of a contract, which the message `latest` tells.
pub(crate) fn newest<E: Send + 'static>(
    chain: Chain,
    contract: Account,
    kind: ReportKind,
    latest: Message<FeedState, E>,
) -> Slots {
    Box::pin(async move { Ok(vec![(kind, chain.read(&contract, &latest).await?.slot)]) })
}

/// Connects to the chain of a network.
///
/// # Errors
/// In words, if no node answers or it is of another chain.
pub(crate) async fn connect(ChainSection { url, genesis }: &ChainSection) -> Result<Chain, String> {
    let chain = Chain::connect(url).await.map_err(|error| error.to_string())?;
    match chain.genesis() == *genesis {
        true => Ok(chain),
        false => Err(format!("{url} is another chain than the network file's")),
    }
}

/// The contracts of a network that settle feeds.
pub struct Contracts {
    chain: ChainSection,
    // Each, and what reads it.
    contracts: BTreeMap<Account, fn(Chain, Account) -> Slots>,
}

impl Contracts {
    /// Those of a network, unless its rules ask for no chain.
    pub fn of(network: &Network) -> Option<Self> {
        if network.rules.backlog == 0 {
            return None;
        }
        let read =
            |declared: &Declared| Some((network.feed(declared.kind)?.contract, declared.settled));
        Some(Self {
            chain: network.chain.clone(),
            contracts: feeds::ALL.iter().filter_map(read).collect(),
        })
    }
}

impl Remote for Contracts {
    type Line = Chain;

    async fn connect(&self) -> Result<Chain, String> {
        connect(&self.chain).await
    }

    fn questions(&self, chain: &Chain) -> Vec<Question> {
        let ask = |(contract, read): (&Account, &fn(Chain, Account) -> Slots)| -> Question {
            let (contract, slots) = (*contract, read(chain.clone(), *contract));
            Box::pin(async move {
                let of = |(kind, slot)| (Feed { kind, contract }, slot);
                Ok(slots.await?.into_iter().map(of).collect())
            })
        };
        self.contracts.iter().map(ask).collect()
    }
}

#[cfg(test)]
mod tests;

//! The chain with all its parts: blocks, states, pool and clock, and the rules by which they change.

use crate::{
    chain::{Block, Chain, Event},
    clock::Clock,
    pool::{Pool, PoolError, Watcher},
    runtime::{self, CallError, Draft, Made, Refused},
    state::{Nodes, View},
};
use cicada_runtime::{AccountId, Balance, BlockNumber, Hash};
use parking_lot::{Condvar, Mutex, RwLock};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _},
    transaction_validity::{TransactionSource, TransactionValidity, TransactionValidityError},
    MultiAddress, OpaqueExtrinsic,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{broadcast, Notify};

/// How many blocks may wait for their finalization; sooner or later clients stop waiting for more.
const UNFINALIZED: usize = 256;
/// How many transactions without room a block skips in search of one that fits.
const SKIPPED: usize = 8;
/// How many bytes of transactions a block takes.
const BLOCK_BYTES: usize = 4 * 1024 * 1024;
/// How many events a reader may be behind before it misses some.
const EVENTS: usize = 1024;
/// How many snapshots are remembered; the oldest are forgotten first.
const SNAPSHOTS: usize = 1024;

/// What the genesis has as its code if nobody names another: the runtime is compiled in.
pub const NO_CODE: &[u8] = b"cicada-chain";

/// Why a block was not made or gone back to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NodeError {
    /// The runtime failed.
    #[error(transparent)]
    Runtime(#[from] CallError),
    /// There is no such snapshot.
    #[error("there is no snapshot {0}: it was never taken, or an older one was reverted to since")]
    NoSnapshot(u64),
    /// An extrinsic that a given block must contain does not fit into it.
    #[error("extrinsic {0} of the block was refused: {1}")]
    Refused(usize, String),
}

struct Snapshot {
    id: u64,
    number: BlockNumber,
    clock: Clock,
}

#[derive(Default)]
struct Snapshots {
    taken: u64,
    kept: VecDeque<Snapshot>,
}

/// The development chain. All its methods may be called from many threads.
pub struct Node {
    nodes: Nodes,
    chain: RwLock<Chain>,
    pool: Mutex<Pool>,
    pool_ready: Condvar,
    clock: Mutex<Clock>,
    /// Held by whoever changes the chain.
    authoring: Mutex<Snapshots>,
    events: broadcast::Sender<Event>,
    finality_delay: Duration,
    unfinalized: Mutex<VecDeque<(Instant, BlockNumber)>>,
    unfinalized_grew: Notify,
}

impl Node {
    /// A chain as it was found in a file, or a new one; blocks become final `finality_delay` after they were made.
    pub fn new(nodes: Nodes, chain: Chain, clock: Clock, finality_delay: Duration) -> Self {
        let best = chain.best().clone();
        let unfinalized = (best.number() > chain.finalized().number())
            .then(|| (Instant::now() + finality_delay, best.number()));
        Self {
            nodes,
            pool: Mutex::new(Pool::new(best.hash, best.number())),
            pool_ready: Condvar::new(),
            chain: RwLock::new(chain),
            clock: Mutex::new(clock),
            authoring: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
            finality_delay,
            unfinalized: Mutex::new(unfinalized.into_iter().collect()),
            unfinalized_grew: Notify::new(),
        }
    }

    /// The blocks, to look something up. Nothing changes while the function runs, so it should be short.
    pub fn chain<R>(&self, look: impl FnOnce(&Chain) -> R) -> R {
        look(&self.chain.read())
    }

    /// The pool, to look something up.
    pub fn pool<R>(&self, look: impl FnOnce(&Pool) -> R) -> R {
        look(&self.pool.lock())
    }

    /// The newest block.
    pub fn best(&self) -> Arc<Block> {
        self.chain(|chain| chain.best().clone())
    }

    /// The state after a block.
    pub fn state(&self, block: &Block) -> View<'_> {
        self.nodes.view(block.header.state_root)
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// The chain as it is now and what happens from then on, without a gap.
    pub fn follow<R>(&self, look: impl FnOnce(&Chain) -> R) -> (R, broadcast::Receiver<Event>) {
        let chain = self.chain.read();
        (look(&chain), self.events.subscribe())
    }

    /// Takes a transaction into the pool; `watcher` hears what becomes of it.
    ///
    /// # Errors
    /// If the runtime or the pool does not want it.
    pub fn submit(
        &self,
        extrinsic: OpaqueExtrinsic,
        watcher: Option<Watcher>,
    ) -> Result<Hash, PoolError> {
        let hash = BlakeTwo256::hash_of(&extrinsic);
        loop {
            self.pool.lock().check_known(&hash)?;
            let head = self.best();
            let validity = self.validate(&extrinsic, &head)?;
            let mut pool = self.pool.lock();
            if pool.head() != head.hash {
                continue;
            }
            match validity {
                Ok(valid) => pool.insert(hash, extrinsic, valid, watcher)?,
                Err(TransactionValidityError::Invalid(why)) => {
                    pool.ban(hash);
                    return Err(PoolError::Invalid(why));
                }
                Err(TransactionValidityError::Unknown(why)) => return Err(PoolError::Unknown(why)),
            }
            self.pool_ready.notify_all();
            return Ok(hash);
        }
    }

    fn validate(
        &self,
        extrinsic: &OpaqueExtrinsic,
        head: &Block,
    ) -> Result<TransactionValidity, PoolError> {
        let arguments = (TransactionSource::External, extrinsic, head.hash);
        runtime::query(&self.state(head), "TaggedTransactionQueue_validate_transaction", &arguments)
            .map_err(|error| PoolError::Failed(error.to_string()))
    }

    /// Waits until a block could be made of the pool.
    pub fn wait_ready(&self) {
        let mut pool = self.pool.lock();
        while !pool.has_ready() {
            self.pool_ready.wait(&mut pool);
        }
    }

    /// Makes a block of what is ready; without transactions only if `empty` allows it.
    ///
    /// # Errors
    /// If the runtime fails.
    pub fn new_block(&self, empty: bool) -> Result<Option<Arc<Block>>, NodeError> {
        let _authoring = self.authoring.lock();
        let ready = self.pool.lock().offer();
        let made = if ready.is_empty() && !empty { Ok(None) } else { self.make(ready, empty) };
        self.pool.lock().withdraw();
        made
    }

    fn make(
        &self,
        ready: Vec<(Hash, OpaqueExtrinsic)>,
        empty: bool,
    ) -> Result<Option<Arc<Block>>, NodeError> {
        let parent = self.best();
        let view = self.state(&parent);
        let mut draft = Draft::new(&view, &parent.header)?;
        draft.push_inherents(self.clock.lock().now())?;
        if self.fill(&mut draft, ready) == 0 && !empty {
            return Ok(None);
        }
        Ok(Some(self.import(draft.finish()?)?))
    }

    /// Puts transactions into a block; those that turn out invalid leave the pool. Returns how many are in.
    fn fill(&self, draft: &mut Draft, ready: Vec<(Hash, OpaqueExtrinsic)>) -> usize {
        let (mut count, mut bytes, mut skipped) = (0, 0, 0);
        for (hash, extrinsic) in ready {
            let size = extrinsic.inner().len();
            let fits = bytes + size <= BLOCK_BYTES;
            match if fits { draft.push(extrinsic) } else { Err(Refused::NoRoom) } {
                Ok(()) => {
                    count += 1;
                    bytes += size;
                }
                Err(Refused::NoRoom) if count > 0 => {
                    skipped += 1;
                    if skipped > SKIPPED {
                        break;
                    }
                }
                Err(refused) => {
                    log::debug!("Transaction {hash:?} is not in the block: {refused:?}");
                    self.pool.lock().remove_invalid(hash);
                }
            }
        }
        count
    }

    /// Sets what an account has at its free disposal, in plancks, in a block of its own.
    ///
    /// # Errors
    /// If the runtime fails.
    pub fn set_balance(&self, account: AccountId, free: Balance) -> Result<Arc<Block>, NodeError> {
        let _authoring = self.authoring.lock();
        let parent = self.best();
        let view = self.state(&parent);
        let mut draft = Draft::new(&view, &parent.header)?;
        draft.push_inherents(self.clock.lock().now())?;
        draft.edit(|| {
            let root = cicada_runtime::RuntimeOrigin::root();
            cicada_runtime::Balances::force_set_balance(root, MultiAddress::Id(account), free)
        })?;
        self.import(draft.finish()?)
    }

    /// Makes the next block of exactly these extrinsics, inherents included, such as another node's.
    ///
    /// # Errors
    /// If one of them is refused or the runtime fails.
    pub fn replay(&self, extrinsics: Vec<OpaqueExtrinsic>) -> Result<Arc<Block>, NodeError> {
        let _authoring = self.authoring.lock();
        let parent = self.best();
        let view = self.state(&parent);
        let mut draft = Draft::new(&view, &parent.header)?;
        for (place, extrinsic) in extrinsics.into_iter().enumerate() {
            draft
                .push(extrinsic)
                .map_err(|refused| NodeError::Refused(place, format!("{refused:?}")))?;
        }
        self.import(draft.finish()?)
    }

    fn import(&self, made: Made) -> Result<Arc<Block>, NodeError> {
        let Made { header, extrinsics, changes } = made;
        let added = self.nodes.insert(changes);
        let time = runtime::time(&self.nodes.view(header.state_root))?;
        let included: Vec<Hash> = extrinsics.iter().map(BlakeTwo256::hash_of).collect();
        let block = Arc::new(Block::new(header, extrinsics, time, added));
        log::info!(
            "Block {} {:?} with {} extrinsics",
            block.number(),
            block.hash,
            block.extrinsics.len()
        );
        {
            let mut chain = self.chain.write();
            chain.push(block.clone());
            let _ = self.events.send(Event::Imported(block.clone()));
        }
        self.clock.lock().passed();
        self.pool.lock().on_block(block.hash, block.number(), &included);
        self.unfinalized.lock().push_back((Instant::now() + self.finality_delay, block.number()));
        self.finalize_due();
        self.unfinalized_grew.notify_one();
        Ok(block)
    }

    /// Finalizes what has waited long enough, and what is too much; says when the next block's turn is.
    fn finalize_due(&self) -> Option<Instant> {
        loop {
            // One lock after the other, so that a revert can come between a block and its finalization.
            let number = {
                let mut unfinalized = self.unfinalized.lock();
                let &(due, number) = unfinalized.front()?;
                if due > Instant::now() && unfinalized.len() <= UNFINALIZED {
                    return Some(due);
                }
                unfinalized.pop_front();
                number
            };
            let mut chain = self.chain.write();
            let Some(block) = chain.finalize(number) else { continue };
            let _ = self.events.send(Event::Finalized(block));
            drop(chain);
            self.pool.lock().on_finalized(number);
        }
    }

    /// Finalizes blocks when their time has come, for ever.
    pub async fn finalize(&self) {
        loop {
            match self.finalize_due() {
                Some(due) => tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = self.unfinalized_grew.notified() => {}
                },
                None => self.unfinalized_grew.notified().await,
            }
        }
    }

    /// Looks at the clock or moves it; the function is given the newest block's time as well.
    pub fn clock<R>(&self, change: impl FnOnce(&mut Clock, u64) -> R) -> R {
        let _authoring = self.authoring.lock();
        let newest = self.best().time;
        change(&mut self.clock.lock(), newest)
    }

    /// Remembers the chain as it is; returns the number to return by.
    pub fn snapshot(&self) -> u64 {
        let mut snapshots = self.authoring.lock();
        snapshots.taken += 1;
        let id = snapshots.taken;
        let number = self.best().number();
        snapshots.kept.push_back(Snapshot { id, number, clock: *self.clock.lock() });
        if snapshots.kept.len() > SNAPSHOTS {
            snapshots.kept.pop_front();
        }
        id
    }

    /// Returns to a snapshot: later blocks, later snapshots and all waiting transactions are forgotten.
    /// It may be returned to again.
    ///
    /// # Errors
    /// If there is no such snapshot.
    pub fn revert(&self, id: u64) -> Result<Arc<Block>, NodeError> {
        let mut snapshots = self.authoring.lock();
        let place = snapshots.kept.iter().position(|snapshot| snapshot.id == id);
        let place = place.ok_or(NodeError::NoSnapshot(id))?;
        snapshots.kept.truncate(place + 1);
        let Snapshot { number, clock, .. } = snapshots.kept[place];
        self.unfinalized.lock().retain(|(_, waiting)| *waiting <= number);
        let (gone, best) = {
            let mut chain = self.chain.write();
            let gone = chain.truncate(number);
            let best = chain.best().clone();
            let finalized = chain.finalized().clone();
            let _ = self.events.send(Event::Reverted { best: best.clone(), finalized });
            (gone, best)
        };
        self.pool.lock().on_revert(best.hash, best.number());
        *self.clock.lock() = clock;
        for block in gone {
            self.nodes.forget(&block.added);
        }
        Ok(best)
    }

    /// Shows the whole chain while nobody changes it.
    pub fn at_rest<R>(&self, look: impl FnOnce(&Nodes, &Chain, Clock) -> R) -> R {
        let _authoring = self.authoring.lock();
        let clock = *self.clock.lock();
        look(&self.nodes, &self.chain.read(), clock)
    }
}

/// A chain that begins now, with `code` as the runtime that its genesis names.
///
/// # Errors
/// If the runtime cannot build its genesis.
pub fn genesis(nodes: &Nodes, code: &[u8]) -> Result<Chain, String> {
    let (header, changes) = runtime::genesis(&cicada_runtime::development_storage(code)?);
    let added = nodes.insert(changes);
    Ok(Chain::new(Block::new(header, Vec::new(), 0, added)))
}

//! Transactions that wait for a block, and whoever waits for news of them.

mod bans;
mod status;

pub use status::{PoolError, Status, Watcher, NEWS};

use bans::Bans;
use cicada_runtime::{BlockNumber, Hash};
use codec::Encode;
use sp_runtime::{transaction_validity::ValidTransaction, OpaqueExtrinsic};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
};

const READY: Limit = Limit { count: 8192, bytes: 20 * 1024 * 1024 };
const FUTURE: Limit = Limit { count: 1024, bytes: 2 * 1024 * 1024 };

struct Limit {
    count: usize,
    bytes: usize,
}

type Tag = Vec<u8>;

struct Transaction {
    extrinsic: OpaqueExtrinsic,
    bytes: usize,
    priority: u64,
    requires: HashSet<Tag>,
    provides: Vec<Tag>,
    valid_till: u64,
    arrival: u64,
    ready: bool,
    watchers: Vec<Watcher>,
}

/// The pool on top of the best block.
pub struct Pool {
    head: Hash,
    number: BlockNumber,
    transactions: HashMap<Hash, Transaction>,
    providers: HashMap<Tag, Hash>,
    requirers: HashMap<Tag, HashSet<Hash>>,
    arrivals: u64,
    /// What may be in the block that is being made: nothing takes its place meanwhile.
    offered: HashSet<Hash>,
    bans: Bans,
    /// News for the finalization of a block that contains a watched transaction.
    included: BTreeMap<BlockNumber, Vec<(Watcher, Status)>>,
}

impl Pool {
    /// An empty pool on top of a block.
    pub fn new(head: Hash, number: BlockNumber) -> Self {
        Self {
            head,
            number,
            transactions: HashMap::new(),
            providers: HashMap::new(),
            requirers: HashMap::new(),
            arrivals: 0,
            offered: HashSet::new(),
            bans: Bans::default(),
            included: BTreeMap::new(),
        }
    }

    /// The block that the pool knows to be the best.
    pub fn head(&self) -> Hash {
        self.head
    }

    /// Whether a block could be made of it.
    pub fn has_ready(&self) -> bool {
        self.transactions.values().any(|transaction| transaction.ready)
    }

    /// Whether a ready transaction provides `tag`.
    pub fn provides(&self, tag: &[u8]) -> bool {
        self.providers.get(tag).is_some_and(|hash| self.transactions[hash].ready)
    }

    /// Whether a transaction need not be looked at.
    ///
    /// # Errors
    /// If it is there or is known to be invalid.
    pub fn check_known(&self, hash: &Hash) -> Result<(), PoolError> {
        if self.bans.contains(hash) {
            Err(PoolError::Banned)
        } else if self.transactions.contains_key(hash) {
            Err(PoolError::AlreadyImported(*hash))
        } else {
            Ok(())
        }
    }

    /// Takes no transaction with this hash for a while.
    pub fn ban(&mut self, hash: Hash) {
        self.bans.insert(hash);
    }

    /// Adds a transaction that is valid on top of [`Self::head`].
    ///
    /// # Errors
    /// If another one has its place or the pool is full.
    pub fn insert(
        &mut self,
        hash: Hash,
        extrinsic: OpaqueExtrinsic,
        valid: ValidTransaction,
        watcher: Option<Watcher>,
    ) -> Result<(), PoolError> {
        self.check_known(&hash)?;
        if valid.provides.is_empty() {
            return Err(PoolError::NoTags);
        }
        let replaced = self.replaced(&valid)?;
        let bytes = extrinsic.encoded_size();
        let transaction = Transaction {
            bytes,
            extrinsic,
            priority: valid.priority,
            requires: valid.requires.into_iter().collect(),
            provides: valid.provides,
            valid_till: u64::from(self.number).saturating_add(valid.longevity),
            arrival: self.arrivals,
            ready: false,
            watchers: watcher.into_iter().collect(),
        };
        self.make_room(&transaction, &replaced)?;
        self.arrivals += 1;
        for old in &replaced {
            if let Some(old) = self.take(old) {
                notify(&old.watchers, Status::Usurped(hash));
            }
        }
        for tag in &transaction.provides {
            self.providers.insert(tag.clone(), hash);
        }
        for tag in &transaction.requires {
            self.requirers.entry(tag.clone()).or_default().insert(hash);
        }
        self.transactions.insert(hash, transaction);
        if !replaced.is_empty() {
            self.demote_all();
        }
        self.promote([hash]);
        if !self.transactions[&hash].ready {
            notify(&self.transactions[&hash].watchers, Status::Future);
        }
        Ok(())
    }

    /// The transactions whose places `valid` would take.
    fn replaced(&self, valid: &ValidTransaction) -> Result<HashSet<Hash>, PoolError> {
        let replaced: HashSet<Hash> =
            valid.provides.iter().filter_map(|tag| self.providers.get(tag)).copied().collect();
        let old = replaced.iter().fold(0u64, |sum, hash| {
            let offered = self.offered.contains(hash);
            sum.saturating_add(if offered { u64::MAX } else { self.transactions[hash].priority })
        });
        if replaced.is_empty() || valid.priority > old {
            Ok(replaced)
        } else {
            Err(PoolError::TooLowPriority { old, new: valid.priority })
        }
    }

    /// Drops what pays least until there is room for `newcomer`.
    fn make_room(
        &mut self,
        newcomer: &Transaction,
        replaced: &HashSet<Hash>,
    ) -> Result<(), PoolError> {
        let ready = self.satisfied(newcomer);
        let limit = if ready { READY } else { FUTURE };
        loop {
            let others = || {
                self.transactions
                    .iter()
                    .filter(|(hash, other)| other.ready == ready && !replaced.contains(hash))
            };
            let (count, bytes) = others()
                .fold((1, newcomer.bytes), |(count, bytes), (_, other)| {
                    (count + 1, bytes + other.bytes)
                });
            if count <= limit.count && bytes <= limit.bytes {
                return Ok(());
            }
            let worst = others()
                .filter(|(hash, _)| !self.offered.contains(hash))
                .min_by_key(|(_, other)| (other.priority, Reverse(other.arrival)));
            match worst {
                Some((&hash, worst)) if worst.priority < newcomer.priority => {
                    self.remove_with_dependents(hash, Status::Dropped);
                }
                _ => return Err(PoolError::ImmediatelyDropped),
            }
        }
    }

    fn satisfied(&self, transaction: &Transaction) -> bool {
        transaction.requires.iter().all(|tag| self.provides(tag))
    }

    /// Makes ready what can be, beginning with `hashes`.
    fn promote(&mut self, hashes: impl IntoIterator<Item = Hash>) {
        let mut waiting: Vec<Hash> = hashes.into_iter().collect();
        while let Some(hash) = waiting.pop() {
            let Some(transaction) = self.transactions.get(&hash) else { continue };
            if transaction.ready || !self.satisfied(transaction) {
                continue;
            }
            for tag in &transaction.provides {
                waiting.extend(self.requirers.get(tag).into_iter().flatten());
            }
            notify(&transaction.watchers, Status::Ready);
            if let Some(transaction) = self.transactions.get_mut(&hash) {
                transaction.ready = true;
            }
        }
    }

    /// Takes readiness from what lost a transaction that it requires.
    fn demote_all(&mut self) {
        loop {
            let orphans: Vec<Hash> = self
                .transactions
                .iter()
                .filter(|(_, transaction)| transaction.ready && !self.satisfied(transaction))
                .map(|(hash, _)| *hash)
                .collect();
            if orphans.is_empty() {
                return;
            }
            for hash in orphans {
                if let Some(transaction) = self.transactions.get_mut(&hash) {
                    transaction.ready = false;
                }
            }
        }
    }

    fn take(&mut self, hash: &Hash) -> Option<Transaction> {
        let transaction = self.transactions.remove(hash)?;
        for tag in &transaction.provides {
            self.providers.remove(tag);
        }
        for tag in &transaction.requires {
            if let Some(requirers) = self.requirers.get_mut(tag) {
                requirers.remove(hash);
                if requirers.is_empty() {
                    self.requirers.remove(tag);
                }
            }
        }
        Some(transaction)
    }

    /// Removes a transaction that turned out invalid, and those that build upon it.
    pub fn remove_invalid(&mut self, hash: Hash) {
        for gone in self.remove_with_dependents(hash, Status::Invalid) {
            self.bans.insert(gone);
        }
    }

    fn remove_with_dependents(&mut self, hash: Hash, why: Status) -> Vec<Hash> {
        let mut gone = Vec::new();
        let mut doomed = vec![hash];
        while let Some(hash) = doomed.pop() {
            let Some(transaction) = self.take(&hash) else { continue };
            for tag in &transaction.provides {
                doomed.extend(self.requirers.get(tag).into_iter().flatten());
            }
            notify(&transaction.watchers, why);
            gone.push(hash);
        }
        gone
    }

    /// The ready transactions in the order in which they should be in a block: who pays more comes first,
    /// then who came first, but nobody before what it requires.
    pub fn ready(&self) -> Vec<(Hash, OpaqueExtrinsic)> {
        let mut missing: HashMap<&Hash, usize> = HashMap::new();
        let mut next = BinaryHeap::new();
        let key = |transaction: &Transaction| {
            (transaction.priority, Reverse(transaction.valid_till), Reverse(transaction.arrival))
        };
        for (hash, transaction) in self.transactions.iter().filter(|(_, other)| other.ready) {
            match transaction.requires.len() {
                0 => next.push((key(transaction), hash)),
                count => _ = missing.insert(hash, count),
            }
        }
        let mut ordered = Vec::new();
        while let Some((_, hash)) = next.pop() {
            let transaction = &self.transactions[hash];
            ordered.push((*hash, transaction.extrinsic.clone()));
            let provided = transaction.provides.iter().filter_map(|tag| self.requirers.get(tag));
            for requirer in provided.flatten() {
                let Some(count) = missing.get_mut(requirer) else { continue };
                *count -= 1;
                if *count == 0 {
                    next.push((key(&self.transactions[requirer]), requirer));
                }
            }
        }
        ordered
    }

    /// [`Self::ready`] for a block, which [`Self::on_block`] or [`Self::withdraw`] must follow.
    pub fn offer(&mut self) -> Vec<(Hash, OpaqueExtrinsic)> {
        let ready = self.ready();
        self.offered = ready.iter().map(|(hash, _)| *hash).collect();
        ready
    }

    /// Says that no block is being made.
    pub fn withdraw(&mut self) {
        self.offered.clear();
    }

    /// Takes out what is in the block `hash`, the new best one, and what its height makes obsolete.
    pub fn on_block(&mut self, hash: Hash, number: BlockNumber, included: &[Hash]) {
        self.head = hash;
        self.number = number;
        self.withdraw();
        for (place, transaction_hash) in included.iter().enumerate() {
            let Some(transaction) = self.take(transaction_hash) else { continue };
            let place = place as u32;
            notify(&transaction.watchers, Status::InBlock(hash, place));
            let news = transaction
                .watchers
                .into_iter()
                .map(|watcher| (watcher, Status::Finalized(hash, place)));
            self.included.entry(number).or_default().extend(news);
            self.bans.insert(*transaction_hash);
            for tag in &transaction.provides {
                for requirer in self.requirers.remove(tag).unwrap_or_default() {
                    if let Some(transaction) = self.transactions.get_mut(&requirer) {
                        transaction.requires.remove(tag);
                    }
                    self.promote([requirer]);
                }
            }
        }
        let expired: Vec<Hash> = self
            .transactions
            .iter()
            .filter(|(_, transaction)| transaction.valid_till < u64::from(number))
            .map(|(hash, _)| *hash)
            .collect();
        for hash in expired {
            self.remove_invalid(hash);
        }
    }

    /// Tells whoever waits that the blocks to `number` are final.
    pub fn on_finalized(&mut self, number: BlockNumber) {
        let later = self.included.split_off(&number.saturating_add(1));
        for (watcher, status) in
            std::mem::replace(&mut self.included, later).into_values().flatten()
        {
            notify(&[watcher], status);
        }
    }

    /// Forgets everything: the blocks above `number` are gone, and with them what the transactions built upon.
    pub fn on_revert(&mut self, head: Hash, number: BlockNumber) {
        for (watcher, status) in self.included.split_off(&(number + 1)).into_values().flatten() {
            if let Status::Finalized(block, _) = status {
                notify(std::slice::from_ref(&watcher), Status::Retracted(block));
            }
            notify(&[watcher], Status::Dropped);
        }
        for transaction in self.transactions.values() {
            notify(&transaction.watchers, Status::Dropped);
        }
        let included = std::mem::take(&mut self.included);
        *self = Self { included, ..Self::new(head, number) };
    }
}

/// A watcher that is gone, or that does not read, misses the news.
fn notify(watchers: &[Watcher], status: Status) {
    for watcher in watchers {
        let _ = watcher.try_send(status);
    }
}

//! What must survive: one redb file.
//!
//! A block and the cursor go into one transaction, so that a process that is killed goes on where
//! it was, and an event is there once however often its block is brought.

use crate::rows::{Block, Cursor, Epoch, Past};
use cicada_core::activity::held::Holder;
use cicada_core::hash::Digest;
use cicada_core::nav::Observation;
use cicada_core::rewards::Claim;
use cicada_core::Account;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use redb::{Database, ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tables::Tables;

const FILE: &str = "nav-validator.redb";
/// Raised whenever rows change their form.
const VERSION: u8 = 4;
/// Claims of so many epochs before the newest are kept: the chain may lag behind.
const CLAIMS_KEPT: u64 = 8;
/// Of a seat so many observations of one slot are kept: nobody needs more rounds.
const WITNESSED_ROUNDS: usize = 32;
/// What others signed is kept for so many slots: a day, at one a minute.
const WITNESSED_KEPT: u64 = 1_440;

type Bytes = &'static [u8];
type Guard<'a, K> = redb::AccessGuard<'a, K>;
type Row<'a, K> = Result<(Guard<'a, K>, Guard<'a, Bytes>), redb::StorageError>;
/// The operators of a committee in seat order, with their stakes.
pub type Members = Vec<(Account, u128)>;
/// Where an event stands: block and index.
pub type Place = (u64, u32);
const META: TableDefinition<&str, Bytes> = TableDefinition::new("meta");
const TRADES: TableDefinition<Place, Bytes> = TableDefinition::new("trades");
const SETTLED: TableDefinition<u64, Bytes> = TableDefinition::new("settled");
const COMMITTEES: TableDefinition<u32, Bytes> = TableDefinition::new("committees");
// Settled awards.
const AWARDED: TableDefinition<u64, Bytes> = TableDefinition::new("awarded");
// What was signed of rankings: by epoch of rewards and committee.
const STATEMENTS: TableDefinition<(u64, [u8; 32]), Bytes> = TableDefinition::new("statements");
const PENALTIES: TableDefinition<Place, Bytes> = TableDefinition::new("penalties");
const OBSERVATIONS: TableDefinition<(u64, [u8; 32]), Bytes> = TableDefinition::new("observations");
// What others signed: by slot, committee, seat and time.
const WITNESSED: TableDefinition<(u64, [u8; 32], u8, u64), Bytes> =
    TableDefinition::new("witnessed_rounds");
const EPOCHS: TableDefinition<u64, Bytes> = TableDefinition::new("epochs");
const CLAIMS: TableDefinition<u64, Bytes> = TableDefinition::new("claims");
const PAST: TableDefinition<[u8; 32], Bytes> = TableDefinition::new("past");
// Transfers of index tokens since the newest epoch, and what the accounts had at its end.
const MOVEMENTS: TableDefinition<Place, Bytes> = TableDefinition::new("movements");
const HOLDERS: TableDefinition<[u8; 32], Bytes> = TableDefinition::new("holders");
const REGISTERED: TableDefinition<[u8; 32], Bytes> = TableDefinition::new("registered");
const IDENTITY: &str = "identity";
const CURSOR: &str = "cursor";
// The first block that was taken over.
const FIRST: &str = "first";

/// Why the store cannot be used, or does not take something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// It is of another chain, index or version of this program.
    #[error("{0} belongs to another chain or index, or to another version of this program: give another data folder")]
    Foreign(PathBuf),
    /// A block is left out.
    #[error("block {expected} comes next, not {got}")]
    Gap {
        /// The block that comes next.
        expected: u64,
        /// The one that came.
        got: u64,
    },
    /// Another value was signed for this slot.
    #[error("another NAV was signed for slot {0}: a second one would be punished")]
    SignedOther(u64),
    /// Another ranking was signed for this epoch.
    #[error("another ranking was signed for epoch {0}: a second one would be punished")]
    RankedOther(u64),
    /// An epoch that is not the next one.
    #[error("epoch {0} does not come next")]
    NotNextEpoch(u64),
    /// The system or the database says no.
    #[error("{path}: {reason}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

mod queries;
mod statements;
mod tables;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The open store of one validator.
pub struct Store {
    database: Database,
    path: PathBuf,
}

/// All rows of a table as they were at one moment.
fn rows<K: redb::Key + 'static, Id, T: Decode>(
    read: &ReadTransaction,
    table: TableDefinition<K, Bytes>,
    id: impl Fn(K::SelfType<'_>) -> Id,
) -> Result<Vec<(Id, T)>, Failed> {
    let table = read.open_table(table)?;
    let row = |row: Row<K>| {
        let (key, bytes) = row?;
        Ok((id(key.value()), T::decode_all(&mut bytes.value())?))
    };
    table.iter()?.map(row).collect()
}

/// What a table has of a key.
fn one<'k, K: redb::Key + 'static, T: Decode>(
    table: &impl ReadableTable<K, Bytes>,
    key: impl Borrow<K::SelfType<'k>>,
) -> Result<Option<T>, Failed> {
    let bytes = table.get(key)?;
    Ok(bytes.map(|bytes| T::decode_all(&mut bytes.value())).transpose()?)
}

impl Store {
    /// Opens the store in a folder, or makes it. `identity` names chain and index.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Foreign`], [`StoreError::Failed`].
    pub fn open(folder: &Path, identity: &[u8]) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let failed = |reason: String| StoreError::Failed { path: path.clone(), reason };
        fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        let database = Database::create(&path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.clone()),
            other => failed(other.to_string()),
        })?;
        File::open(folder).and_then(|f| f.sync_all()).map_err(|error| failed(error.to_string()))?;
        let store = Self { database, path };
        let own = (VERSION, identity).encode();
        let same = store.change(|transaction| {
            // All tables, so that readers find them.
            Tables::open(transaction)?;
            transaction.open_table(COMMITTEES)?;
            transaction.open_table(STATEMENTS)?;
            transaction.open_table(OBSERVATIONS)?;
            transaction.open_table(WITNESSED)?;
            transaction.open_table(EPOCHS)?;
            transaction.open_table(CLAIMS)?;
            transaction.open_table(PAST)?;
            transaction.open_table(HOLDERS)?;
            let mut meta = transaction.open_table(META)?;
            let known = meta.get(IDENTITY)?.map(|bytes| bytes.value().to_vec());
            if known.is_none() {
                meta.insert(IDENTITY, &own[..])?;
            }
            Ok(known.is_none_or(|known| known == own))
        })?;
        if same {
            Ok(store)
        } else {
            Err(StoreError::Foreign(store.path))
        }
    }

    /// The newest block that was taken over.
    ///
    /// # Errors
    /// [`StoreError::Failed`]; so do all that read.
    pub fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        self.block(CURSOR)
    }

    /// The first block that was taken over: what was before it, nobody knows here.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn first(&self) -> Result<Option<Cursor>, StoreError> {
        self.block(FIRST)
    }

    fn block(&self, name: &str) -> Result<Option<Cursor>, StoreError> {
        self.read(|read| one(&read.open_table(META)?, name))
    }

    /// Takes blocks over, all or none, and returns when they are on disk. Blocks that were taken
    /// before are passed over. `committees` are operators in seat order with their stakes, where they
    /// were not known.
    ///
    /// # Errors
    /// [`StoreError::Gap`], [`StoreError::Failed`].
    pub fn take(
        &self,
        blocks: &[Block],
        committees: &BTreeMap<u32, Members>,
    ) -> Result<(), StoreError> {
        self.change(|transaction| {
            let mut meta = transaction.open_table(META)?;
            let mut cursor: Option<Cursor> = one(&meta, CURSOR)?;
            let mut tables = Tables::open(transaction)?;
            for block in blocks {
                let number = block.at.block;
                let expected = cursor.map_or(number, |cursor| cursor.block.saturating_add(1));
                if number < expected {
                    continue;
                }
                if number > expected {
                    return Err(Box::new(StoreError::Gap { expected, got: number }));
                }
                if cursor.is_none() {
                    meta.insert(FIRST, &block.at.encode()[..])?;
                }
                for (index, change) in &block.changes {
                    tables.take((number, *index), change)?;
                }
                cursor = Some(block.at);
            }
            if let Some(cursor) = cursor {
                meta.insert(CURSOR, &cursor.encode()[..])?;
            }
            let mut table = transaction.open_table(COMMITTEES)?;
            for (epoch, members) in committees {
                table.insert(epoch, &members.encode()[..])?;
            }
            Ok(())
        })
    }

    /// What was signed for a slot under a committee.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn observation(
        &self,
        slot: u64,
        config_digest: &Digest,
    ) -> Result<Option<Observation>, StoreError> {
        self.read(|read| one(&read.open_table(OBSERVATIONS)?, (slot, config_digest.0)))
    }

    /// What was signed for a slot under any committee.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn observations_of(&self, slot: u64) -> Result<Vec<Observation>, StoreError> {
        self.read(|read| {
            let table = read.open_table(OBSERVATIONS)?;
            let range = table.range((slot, [0; 32])..=(slot, [255; 32]))?;
            range.map(|row| Ok(Observation::decode_all(&mut row?.1.value())?)).collect()
        })
    }

    /// Whether anything was signed for a slot.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn begun(&self, slot: u64) -> Result<bool, StoreError> {
        Ok(!self.observations_of(slot)?.is_empty())
    }

    /// Keeps what is signed for a slot, and returns when it is on disk: only then it may be given
    /// out. Nothing that contradicts it is ever kept.
    ///
    /// # Errors
    /// [`StoreError::SignedOther`], [`StoreError::Failed`].
    pub fn keep_observation(
        &self,
        slot: u64,
        config_digest: &Digest,
        observation: &Observation,
    ) -> Result<(), StoreError> {
        let key = (slot, config_digest.0);
        self.change(|transaction| {
            let mut table = transaction.open_table(OBSERVATIONS)?;
            if let Some(known) = one::<_, Observation>(&table, key)? {
                // Of an older round nothing is signed any more, whatever it was.
                if known.contradicts(observation) || known.time_ms > observation.time_ms {
                    return Err(Box::new(StoreError::SignedOther(slot)));
                }
            }
            table.insert(key, &observation.encode()[..])?;
            Ok(())
        })
    }

    /// Keeps the genuine observations of others for a slot; returns the pairs of a seat that signed
    /// two values.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn witness(
        &self,
        slot: u64,
        config_digest: &Digest,
        observations: &[Observation],
    ) -> Result<Vec<(Observation, Observation)>, StoreError> {
        self.change(|transaction| {
            let mut table = transaction.open_table(WITNESSED)?;
            let mut pairs = Vec::new();
            for observation in observations {
                let Observation { seat, time_ms, .. } = *observation;
                let key = |time_ms| (slot, config_digest.0, seat, time_ms);
                if let Some(known) = one::<_, Observation>(&table, key(time_ms))? {
                    if known.contradicts(observation) {
                        pairs.push((known, *observation));
                    }
                } else if table.range(key(0)..=key(u64::MAX))?.count() < WITNESSED_ROUNDS {
                    table.insert(key(time_ms), &observation.encode()[..])?;
                }
            }
            let oldest = (slot.saturating_sub(WITNESSED_KEPT), [0; 32], 0, 0);
            table.retain_in(..oldest, |_, _| false)?;
            Ok(pairs)
        })
    }

    /// Keeps an epoch that is over, with the claims after it, what its miners have done by now, and
    /// what the accounts that moved index tokens have. Its transfers are forgotten.
    ///
    /// # Errors
    /// [`StoreError::NotNextEpoch`], [`StoreError::Failed`].
    pub fn keep_epoch(
        &self,
        epoch: &Epoch,
        claims: &[Claim],
        past: &BTreeMap<Account, Past>,
        holders: &BTreeMap<Account, Holder>,
    ) -> Result<(), StoreError> {
        let number = epoch.award.epoch;
        self.change(|transaction| {
            let mut epochs = transaction.open_table(EPOCHS)?;
            let newest = epochs.last()?.map_or(0, |(newest, _)| newest.value());
            if number != newest.saturating_add(1) {
                return Err(Box::new(StoreError::NotNextEpoch(number)));
            }
            epochs.insert(number, &epoch.encode()[..])?;
            let mut kept = transaction.open_table(CLAIMS)?;
            kept.insert(number, &claims.encode()[..])?;
            kept.retain_in(..number.saturating_sub(CLAIMS_KEPT), |_, _| false)?;
            let mut table = transaction.open_table(PAST)?;
            for (miner, past) in past {
                table.insert(miner.0, &past.encode()[..])?;
            }
            let mut table = transaction.open_table(HOLDERS)?;
            for (account, holder) in holders {
                table.insert(account.0, &holder.encode()[..])?;
            }
            let mut movements = transaction.open_table(MOVEMENTS)?;
            movements.retain_in(..(epoch.closed_by, 0), |_, _| false)?;
            Ok(())
        })
    }

    /// The rows of a table from its end, `count` at the most, as long as they are `wanted`.
    fn newest<K: redb::Key + 'static, Id, T: Decode>(
        &self,
        table: TableDefinition<K, Bytes>,
        id: impl Fn(K::SelfType<'_>) -> Id,
        count: usize,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Vec<(Id, T)>, StoreError> {
        self.read(|read| {
            let mut found = Vec::new();
            for row in read.open_table(table)?.iter()?.rev().take(count) {
                let (key, bytes) = row?;
                let value = T::decode_all(&mut bytes.value())?;
                if !wanted(&value) {
                    break;
                }
                found.push((id(key.value()), value));
            }
            Ok(found)
        })
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&ReadTransaction) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let run = || query(&self.database.begin_read()?);
        run().map_err(|error| self.failed(error))
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let run = || -> Result<T, Failed> {
            let transaction = self.database.begin_write()?;
            let result = change(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: Failed) -> StoreError {
        match error.downcast::<StoreError>() {
            Ok(own) => *own,
            Err(other) => StoreError::Failed { path: self.path.clone(), reason: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests;

//! What is known of the chain: one SQLite file.
//!
//! A block's events, everything that follows from them and the cursor go into one transaction, so a
//! process that is killed goes on where it was, and a block counts once however often it is brought.

use crate::block::{Block, Cursor};
use crate::columns::{Column, Columns};
use cicada_core::hash::Digest;
use cicada_core::Account;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) mod apply;
pub mod dump;
pub(crate) mod ledger;
pub mod schema;

use schema::SchemaError;

const FILE: &str = "indexer.sqlite";
/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS: usize = 64;

/// What a store is about. Another exchange or another chain needs another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The hash of the chain's first block.
    pub genesis: Digest,
    /// The exchange.
    pub exchange: Account,
    /// MMC.
    pub currency: Account,
    /// The leaderboard whose quotes the exchange uses.
    pub leaderboard: Account,
}

/// Why the store cannot be used, or does not take a block.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("{}: {reason}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is of another chain or exchange.
    #[error("{} is of another {what}: give the node and the exchange it was made with, or another data folder", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The chain has another block where one was final before.
    #[error("block {0} is another one than before: the node is on another chain, or this one was undone; give another node, or another data folder to begin anew")]
    OtherBlock(u64),
    /// A block is left out.
    #[error("block {expected} comes next, not {got}")]
    Gap {
        /// The block that comes next.
        expected: u64,
        /// The one that came.
        got: u64,
    },
    /// Somebody has less than nothing.
    #[error("block {block}: {account} moves more of {token} than it got since the first block that was read: begin earlier (`from_block`) in another data folder")]
    Incomplete {
        /// Where.
        block: u64,
        /// Who.
        account: Account,
        /// Of what.
        token: String,
    },
    /// Events that do not fit together.
    #[error("block {block}, event {index}: {what}; build the contracts and this program from one checkout, and begin at the block in which the exchange was made")]
    Inconsistent {
        /// The block.
        block: u64,
        /// The event.
        index: u32,
        /// What does not fit.
        what: String,
    },
    /// The database says no.
    #[error("the database: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Whether a block was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Now.
    Now,
    /// Before; nothing changed.
    Before,
}

/// How much was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events of the contracts.
    pub events: u64,
    /// Trades.
    pub trades: u64,
    /// Events whose kind is not known.
    pub unknown: u64,
}

/// The store, for the one process that writes it.
pub struct Store {
    database: Connection,
    identity: Identity,
}

/// Where the file is in a folder.
pub fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The chain of the store in a folder; none if there is no store yet.
///
/// # Errors
/// [`StoreError::Open`].
pub fn genesis(folder: &Path) -> Result<Option<Digest>, StoreError> {
    let path = file(folder);
    if !path.exists() {
        return Ok(None);
    }
    let read = || -> rusqlite::Result<Option<Digest>> {
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'identity'";
        if database.query_row(table, [], |row| row.get::<_, u64>(0))? == 0 {
            return Ok(None);
        }
        let select = "SELECT value FROM identity WHERE key = 'chain'";
        database.query_row(select, [], |row| row.read(0)).optional()
    };
    read().map_err(|error| StoreError::Open { path: path.clone(), reason: error.to_string() })
}

impl Store {
    /// Opens the store in a folder, or makes it.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Foreign`].
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self, StoreError> {
        let path = file(folder);
        let open = || -> Result<Connection, Box<dyn std::error::Error>> {
            std::fs::create_dir_all(folder)?;
            let mut database = Connection::open(&path)?;
            database.busy_timeout(BUSY)?;
            // Another program's file stays as it is, so this comes before the journal's mode.
            schema::migrate(&mut database)?;
            database.pragma_update(None, "journal_mode", "WAL")?;
            // After a power cut the newest blocks may be gone, together with the cursor: they are
            // read again from the chain. So nothing waits for the disk.
            database.pragma_update(None, "synchronous", "NORMAL")?;
            database.set_prepared_statement_cache_capacity(STATEMENTS);
            Ok(database)
        };
        let failed = |reason: String| StoreError::Open { path: path.clone(), reason };
        let database = open().map_err(|error| failed(error.to_string()))?;
        let store = Self { database, identity: *identity };
        if let Some(what) = store.identify().map_err(|error| failed(error.to_string()))? {
            return Err(StoreError::Foreign { path, what });
        }
        Ok(store)
    }

    /// Writes down what the store is about, and says what differs from what is written there.
    fn identify(&self) -> rusqlite::Result<Option<&'static str>> {
        let Identity { genesis, exchange, currency, leaderboard } = self.identity;
        let parts = [
            ("chain", genesis.0),
            ("exchange", exchange.0),
            ("currency", currency.0),
            ("leaderboard", leaderboard.0),
        ];
        for (key, value) in parts {
            let insert = "INSERT INTO identity VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            self.database.execute(insert, (key, value))?;
            let select = "SELECT value FROM identity WHERE key = ?1";
            let there: Vec<u8> = self.database.query_row(select, [key], |row| row.get(0))?;
            if there != value {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The newest block that was taken over.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        Ok(cursor(&self.database)?.map(|(cursor, _)| cursor))
    }

    /// The newest block up to a number whose hash is kept: a node of the same history has the same.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn remembered(&self, upto: u64) -> Result<Option<(u64, Digest)>, StoreError> {
        if let Some(cursor) = self.cursor()?.filter(|cursor| cursor.block <= upto) {
            return Ok(Some((cursor.block, cursor.hash)));
        }
        let select =
            "SELECT number, hash FROM blocks WHERE number <= ?1 ORDER BY number DESC LIMIT 1";
        let mut select = self.database.prepare_cached(select)?;
        let upto = i64::try_from(upto).unwrap_or(i64::MAX);
        Ok(select.query_row([upto], |row| Ok((row.get(0)?, row.read(1)?))).optional()?)
    }

    /// How much was taken over.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn counts(&self) -> Result<Counts, StoreError> {
        Ok(cursor(&self.database)?.map(|(_, counts)| counts).unwrap_or_default())
    }

    /// The contracts of the performance tokens.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn tokens(&self) -> Result<Vec<Account>, StoreError> {
        let mut select = self.database.prepare_cached("SELECT token FROM markets")?;
        let tokens = select.query_map([], |row| row.read(0))?;
        Ok(tokens.collect::<rusqlite::Result<_>>()?)
    }

    /// Takes a block over that comes next; one that was taken over before is compared only.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has changed.
    pub fn take(&mut self, block: &Block) -> Result<Taken, StoreError> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = cursor(&transaction)?;
        if let Some((at, _)) = &before {
            let expected = at.block.saturating_add(1);
            if block.number < expected {
                known(&transaction, at, block)?;
                return Ok(Taken::Before);
            }
            if block.number > expected {
                return Err(StoreError::Gap { expected, got: block.number });
            }
            if block.parent != at.hash {
                return Err(StoreError::OtherBlock(at.block));
            }
        }
        let counts = before.map(|(_, counts)| counts).unwrap_or_default();
        let more = apply::Apply::new(&transaction, &self.identity, block).run()?;
        let at = block.cursor();
        transaction
            .prepare_cached("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?, ?, ?, ?, ?)")?
            .execute((
            at.block,
            at.hash.sql(),
            at.time_ms,
            counts.events.saturating_add(more.events),
            counts.trades.saturating_add(more.trades),
            counts.unknown.saturating_add(more.unknown),
        ))?;
        transaction.commit()?;
        Ok(Taken::Now)
    }
}

/// Compares a block with what is kept of the one of its number.
fn known(database: &Connection, at: &Cursor, block: &Block) -> Result<(), StoreError> {
    let mut select = database.prepare_cached("SELECT hash FROM blocks WHERE number = ?1")?;
    let mut hash: Option<Digest> =
        select.query_row([block.number], |row| row.read(0)).optional()?;
    if block.number == at.block {
        hash = Some(at.hash);
    }
    match hash {
        Some(hash) if hash != block.hash => Err(StoreError::OtherBlock(block.number)),
        _ => Ok(()),
    }
}

/// The cursor's row.
///
/// # Errors
/// Those of the database.
pub fn cursor(database: &Connection) -> rusqlite::Result<Option<(Cursor, Counts)>> {
    let mut select = database
        .prepare_cached("SELECT block, hash, time_ms, events, trades, unknown FROM cursor")?;
    let row = select.query_row([], |row| {
        let cursor = Cursor { block: row.get(0)?, hash: row.read(1)?, time_ms: row.get(2)? };
        let counts = Counts { events: row.get(3)?, trades: row.get(4)?, unknown: row.get(5)? };
        Ok((cursor, counts))
    });
    row.optional()
}

/// Opens the store for reading only.
///
/// # Errors
/// [`StoreError::Open`].
pub fn reader(folder: &Path) -> Result<Connection, StoreError> {
    let path = file(folder);
    let open = || -> Result<Connection, SchemaError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(&path, flags)?;
        database.busy_timeout(BUSY)?;
        schema::check(&database)?;
        database.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(database)
    };
    open().map_err(|error| StoreError::Open { path: path.clone(), reason: error.to_string() })
}

#[cfg(test)]
mod tests;

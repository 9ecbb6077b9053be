//! Every event that a contract emitted, by account or by block.

use super::{page, rows, Answer, Place};
use crate::columns::{Column, Columns};
use crate::events::{Event, Origin};
use crate::views::{AuditEntry, Page};
use cicada_core::Account;
use rusqlite::{Connection, Row};

pub(super) const OF_ACCOUNT: &str =
    "SELECT e.block, e.idx, extrinsic, contract, name, data, hash, \
    time_ms FROM touched t JOIN events e ON e.block = t.block AND e.idx = t.idx \
    JOIN blocks b ON b.number = t.block \
    WHERE t.account = ?1 AND (t.block, t.idx) < (?2, ?3) \
    ORDER BY t.block DESC, t.idx DESC LIMIT ?4";
pub(super) const OF_BLOCK: &str = "SELECT e.block, e.idx, extrinsic, contract, name, data, hash, \
    time_ms FROM events e JOIN blocks b ON b.number = e.block \
    WHERE e.block = ?1 AND e.idx > ?2 ORDER BY e.idx LIMIT ?3";

/// The contracts whose events have names of their own.
fn origins(database: &Connection) -> Answer<impl Fn(Account) -> Origin> {
    let part = |key: &str| {
        let select = "SELECT value FROM identity WHERE key = ?1";
        database.prepare_cached(select)?.query_row([key], |row| row.read::<Account>(0))
    };
    let (exchange, leaderboard) = (part("exchange")?, part("leaderboard")?);
    Ok(move |contract| {
        if contract == exchange {
            Origin::Exchange
        } else if contract == leaderboard {
            Origin::Leaderboard
        } else {
            Origin::Token
        }
    })
}

fn entry(origin: impl Fn(Account) -> Origin) -> impl Fn(&Row<'_>) -> rusqlite::Result<AuditEntry> {
    move |row| {
        let contract: Account = row.read(3)?;
        let event: Option<String> = row.get(4)?;
        let data: Vec<u8> = row.get(5)?;
        // What was read when it came can be read again.
        let read = |name: &String| Event::read(origin(contract), name, &data).ok().flatten();
        let known = event.as_ref().and_then(read);
        Ok(AuditEntry {
            block: row.get(0)?,
            index: row.get(1)?,
            extrinsic: row.get(2)?,
            contract,
            event,
            fields: known.map(|event| event.fields()),
            data: hex::encode(&data),
            block_hash: row.read(6)?,
            time_ms: row.get(7)?,
        })
    }
}

/// The events that name an account, the newest first.
///
/// # Errors
/// [`QueryError`](super::QueryError).
pub fn of_account(
    database: &Connection,
    account: Account,
    before: Place,
    limit: u32,
) -> Answer<Page<AuditEntry>> {
    let parameters = (account.sql(), before.block, before.index, limit.saturating_add(1));
    let items = rows(database, OF_ACCOUNT, parameters, entry(origins(database)?))?;
    page(database, items, limit, |entry| {
        Place { block: entry.block, index: entry.index }.to_string()
    })
}

/// The events of a block in order, after one of them.
///
/// # Errors
/// [`QueryError`](super::QueryError).
pub fn of_block(
    database: &Connection,
    block: u64,
    after: Option<u32>,
    limit: u32,
) -> Answer<Page<AuditEntry>> {
    let block = block.min(Place::END.block);
    let after = after.map_or(-1, i64::from);
    let parameters = (block, after, limit.saturating_add(1));
    let items = rows(database, OF_BLOCK, parameters, entry(origins(database)?))?;
    page(database, items, limit, |entry| entry.index.to_string())
}

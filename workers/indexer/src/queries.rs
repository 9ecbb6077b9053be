//! What is read from the store. Every statement follows an index, and every list has an end.

use crate::columns::{Column, Columns};
use crate::store::cursor;
use crate::views::{Candle, Candles, Market, Page, Trade};
use cicada_amounts::Units;
use cicada_core::fixed::MathError;
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use rusqlite::{Connection, OptionalExtension, Params, Row};

mod accounts;
pub mod audit;

pub use accounts::{holders, holdings, orders, portfolio, STATES};

/// The length of an hourly candle, and the hours of a day of trading.
const HOUR_MS: u64 = 3_600_000;
const HOURS_BEFORE: u64 = 23;
/// The most candles in one answer.
pub const MAX_CANDLES: u64 = 1_000;
/// The most entries of a page, and how many there are unless asked otherwise.
pub const MAX_PAGE: u32 = 500;
/// As said above.
pub const DEFAULT_PAGE: u32 = 100;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// There is no such thing.
    #[error("{0}")]
    Absent(String),
    /// The question is wrong.
    #[error("{0}")]
    Bad(String),
    /// A sum beyond all numbers.
    #[error("a sum is too large to be told")]
    Overflow,
    /// The database says no.
    #[error("the database: {0}")]
    Database(#[from] rusqlite::Error),
}

impl From<MathError> for QueryError {
    fn from(_: MathError) -> Self {
        Self::Overflow
    }
}

type Answer<T> = Result<T, QueryError>;

/// Where an event stands: block and index. Written `BLOCK-INDEX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The block.
    pub block: u64,
    /// The index.
    pub index: u32,
}

impl Place {
    /// Beyond all that can be in the store.
    pub const END: Self = Self { block: i64::MAX as u64, index: u32::MAX };

    /// Reads `BLOCK-INDEX`.
    ///
    /// # Errors
    /// [`QueryError::Bad`].
    pub fn parse(text: &str) -> Answer<Self> {
        let parsed = || {
            let (block, index) = text.split_once('-')?;
            let place = Self { block: block.parse().ok()?, index: index.parse().ok()? };
            (place <= Self::END).then_some(place)
        };
        parsed().ok_or_else(|| {
            QueryError::Bad(format!("'{text}' is no place: take `next` of the page before"))
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.block, self.index)
    }
}

fn rows<T, P: Params>(
    database: &Connection,
    select: &str,
    parameters: P,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Answer<Vec<T>> {
    let mut select = database.prepare_cached(select)?;
    let rows = select.query_map(parameters, row)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// A page of at most `limit`, of which one more was asked for, to see whether it goes on.
fn page<T>(
    database: &Connection,
    mut items: Vec<T>,
    limit: u32,
    place: impl FnOnce(&T) -> String,
) -> Answer<Page<T>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(place);
    Ok(Page { block: newest(database)?, items, next })
}

fn newest(database: &Connection) -> Answer<u64> {
    Ok(cursor(database)?.map_or(0, |(cursor, _)| cursor.block))
}

fn market_of(database: &Connection, framework: &Framework) -> Answer<u32> {
    let select = "SELECT market FROM markets WHERE framework = ?1";
    let market = database.prepare_cached(select)?.query_row([framework.sql()], |row| row.get(0));
    let absent = || QueryError::Absent(format!("{framework} has no market; see /markets"));
    market.optional()?.ok_or_else(absent)
}

const MARKETS: &str = "SELECT market, framework, token, block, reserve, supply FROM markets \
    ORDER BY market";
const MARKET: &str = "SELECT market, framework, token, block, reserve, supply FROM markets \
    WHERE framework = ?1";
const LAST: &str =
    "SELECT price FROM trades WHERE market = ?1 ORDER BY block DESC, idx DESC LIMIT 1";
const VOLUME: &str =
    "SELECT amount FROM trades WHERE market = ?1 AND maker IS NULL AND time_ms >= ?2";
const QUOTE: &str = "SELECT slot, score, volume_24h, time_ms FROM quotes \
    WHERE slot = (SELECT max(slot) FROM quotes) AND framework = ?1";

fn market_row(row: &Row<'_>) -> rusqlite::Result<Market> {
    Ok(Market {
        market: row.get(0)?,
        framework: row.read(1)?,
        token: row.read(2)?,
        listed_block: row.get(3)?,
        reserve: row.read(4)?,
        outstanding: row.read(5)?,
        volume_24h: Units(0),
        last_price: None,
        quote: None,
        quote_slot: None,
    })
}

/// The quote of the newest leaderboard, and its slot.
fn quote(database: &Connection, framework: &Framework) -> Answer<Option<(u64, Quote)>> {
    let row = |row: &Row<'_>| {
        let score = u64::try_from(row.read::<u128>(1)?).unwrap_or(u64::MAX);
        Ok((row.get(0)?, Quote::new(framework.clone(), score, row.read(2)?, row.get(3)?)))
    };
    Ok(database.prepare_cached(QUOTE)?.query_row([framework.sql()], row).optional()?)
}

/// Adds what stands in other tables.
fn complete(database: &Connection, market: Market) -> Answer<Market> {
    let now = cursor(database)?.map_or(0, |(cursor, _)| cursor.time_ms);
    let since = (now / HOUR_MS).saturating_sub(HOURS_BEFORE).saturating_mul(HOUR_MS);
    let number = market.market;
    let volumes = rows(database, VOLUME, (number, since), |row| row.read::<Units>(0))?;
    let last = database.prepare_cached(LAST)?.query_row([number], |row| row.read(0)).optional()?;
    let quote = quote(database, &market.framework)?;
    Ok(Market {
        volume_24h: sum(volumes)?,
        last_price: last,
        quote: quote.as_ref().map(|(_, quote)| quote.into()),
        quote_slot: quote.map(|(slot, _)| slot),
        ..market
    })
}

fn sum(units: impl IntoIterator<Item = Units>) -> Answer<Units> {
    Ok(Units(cicada_core::fixed::sum(units.into_iter().map(|units| units.0))?))
}

/// All markets in the order of their listing.
///
/// # Errors
/// [`QueryError`].
pub fn markets(database: &Connection) -> Answer<Vec<Market>> {
    let all = rows(database, MARKETS, [], market_row)?;
    all.into_iter().map(|market| complete(database, market)).collect()
}

/// One market.
///
/// # Errors
/// [`QueryError`].
pub fn market(database: &Connection, framework: &Framework) -> Answer<Market> {
    market_of(database, framework)?;
    let market = database.prepare_cached(MARKET)?.query_row([framework.sql()], market_row)?;
    complete(database, market)
}

const TRADES: &str =
    "SELECT block, idx, time_ms, market, side, taker, maker, price, amount, value, \
    ord FROM trades WHERE (block, idx) < (?1, ?2) ORDER BY block DESC, idx DESC LIMIT ?3";
const TRADES_OF_MARKET: &str = "SELECT block, idx, time_ms, market, side, taker, maker, price, \
    amount, value, ord FROM trades WHERE market = ?4 AND (block, idx) < (?1, ?2) \
    ORDER BY block DESC, idx DESC LIMIT ?3";
const TRADES_OF_ACCOUNT: &str = "SELECT t.block, t.idx, time_ms, t.market, side, taker, maker, \
    price, amount, value, ord FROM parties p JOIN trades t ON t.block = p.block AND t.idx = p.idx \
    WHERE p.account = ?4 AND (p.block, p.idx) < (?1, ?2) \
    ORDER BY p.block DESC, p.idx DESC LIMIT ?3";
const TRADES_OF_BOTH: &str =
    "SELECT t.block, t.idx, time_ms, t.market, side, taker, maker, price, \
    amount, value, ord FROM parties p JOIN trades t ON t.block = p.block AND t.idx = p.idx \
    WHERE p.account = ?4 AND p.market = ?5 AND (p.block, p.idx) < (?1, ?2) \
    ORDER BY p.block DESC, p.idx DESC LIMIT ?3";

/// The names of the markets by their numbers.
fn names(database: &Connection) -> Answer<impl Fn(u32) -> Option<Framework>> {
    let select = "SELECT framework FROM markets ORDER BY market";
    let names = rows(database, select, [], |row| row.read::<Framework>(0))?;
    Ok(move |market: u32| names.get(usize::try_from(market).ok()?).cloned())
}

fn trade_row(
    names: &impl Fn(u32) -> Option<Framework>,
) -> impl Fn(&Row<'_>) -> rusqlite::Result<Trade> + '_ {
    |row| {
        let market: u32 = row.get(3)?;
        Ok(Trade {
            block: row.get(0)?,
            index: row.get(1)?,
            time_ms: row.get(2)?,
            framework: names(market).ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            side: row.read(4)?,
            taker: row.read(5)?,
            maker: row.read(6)?,
            price: row.read(7)?,
            amount: row.read(8)?,
            value: row.read(9)?,
            order: row.get(10)?,
        })
    }
}

/// Trades, the newest first, of a framework or an account or both or all.
///
/// # Errors
/// [`QueryError`].
pub fn trades(
    database: &Connection,
    framework: Option<&Framework>,
    account: Option<Account>,
    before: Place,
    limit: u32,
) -> Answer<Page<Trade>> {
    let names = names(database)?;
    let row = trade_row(&names);
    let market = framework.map(|name| market_of(database, name)).transpose()?;
    let (block, index, more) = (before.block, before.index, limit.saturating_add(1));
    let items = match (market, account) {
        (None, None) => rows(database, TRADES, (block, index, more), row),
        (Some(market), None) => rows(database, TRADES_OF_MARKET, (block, index, more, market), row),
        (None, Some(account)) => {
            rows(database, TRADES_OF_ACCOUNT, (block, index, more, account.sql()), row)
        }
        (Some(market), Some(account)) => {
            rows(database, TRADES_OF_BOTH, (block, index, more, account.sql(), market), row)
        }
    }?;
    page(database, items, limit, |trade| {
        Place { block: trade.block, index: trade.index }.to_string()
    })
}

const CANDLES: &str =
    "SELECT start_ms, open, high, low, close, volume, value, trades FROM candles \
    WHERE market = ?1 AND step_ms = ?2 AND start_ms >= ?3 AND start_ms < ?4 ORDER BY start_ms";

/// The candles that begin from `from_ms` on and before `to_ms`; by default the newest.
///
/// # Errors
/// [`QueryError`].
pub fn candles(
    database: &Connection,
    framework: &Framework,
    interval_ms: u64,
    from_ms: Option<u64>,
    to_ms: Option<u64>,
) -> Answer<Candles> {
    let market = market_of(database, framework)?;
    let newest_ms = cursor(database)?.map_or(0, |(cursor, _)| cursor.time_ms);
    let to_ms = to_ms.unwrap_or(newest_ms.saturating_add(1)).min(Place::END.block);
    let most = interval_ms.saturating_mul(MAX_CANDLES);
    let from_ms = from_ms.unwrap_or(to_ms.saturating_sub(most));
    if from_ms > to_ms {
        return Err(QueryError::Bad("`from` is after `to`".into()));
    }
    if to_ms.saturating_sub(from_ms) > most {
        let error = format!(
            "at most {MAX_CANDLES} candles at once: {most} ms between `from` and `to`, or a longer interval"
        );
        return Err(QueryError::Bad(error));
    }
    let row = |row: &Row<'_>| {
        Ok(Candle {
            start_ms: row.get(0)?,
            open: row.read(1)?,
            high: row.read(2)?,
            low: row.read(3)?,
            close: row.read(4)?,
            volume: row.read(5)?,
            value: row.read(6)?,
            trades: row.get(7)?,
        })
    };
    let candles = rows(database, CANDLES, (market, interval_ms, from_ms, to_ms), row)?;
    Ok(Candles { block: newest(database)?, framework: framework.clone(), interval_ms, candles })
}

#[cfg(test)]
mod tests;

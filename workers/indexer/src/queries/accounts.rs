//! What an account has, what it came to, and its orders.

use super::{market_of, names, newest, page, quote, rows, sum, Answer, Place, QueryError};
use crate::columns::{Column, Columns};
use crate::store::{apply::CURRENCY, ledger::read_position};
use crate::views::{Holder, Holding, Holdings, Order, Page, Portfolio, PositionView, Total};
use cicada_amounts::Units;
use cicada_core::portfolio::Position;
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use rusqlite::{params, Connection, Row};

pub(super) const HOLDINGS: &str = "SELECT token, amount, in_orders, total FROM holdings \
    WHERE account = ?1 ORDER BY token";

/// What an account has: by number of the token.
fn held(database: &Connection, account: Account) -> Answer<Vec<(u32, [Units; 3])>> {
    rows(database, HOLDINGS, [account.sql()], |row| {
        Ok((row.get(0)?, [row.read(1)?, row.read(2)?, row.read(3)?]))
    })
}

/// What an account has.
///
/// # Errors
/// [`QueryError`].
pub fn holdings(database: &Connection, account: Account) -> Answer<Holdings> {
    let select = "SELECT value FROM identity WHERE key = 'currency'";
    let currency: Account = database.prepare_cached(select)?.query_row([], |row| row.read(0))?;
    let select = "SELECT framework, token FROM markets WHERE market = ?1 - 1";
    let mut select = database.prepare_cached(select)?;
    let mut holdings = Vec::new();
    for (number, [amount, in_orders, total]) in held(database, account)? {
        let (framework, token) = if number == CURRENCY {
            (None, currency)
        } else {
            select.query_row([number], |row| Ok((row.read(0)?, row.read(1)?)))?
        };
        holdings.push(Holding { token, framework, amount, in_orders, total });
    }
    Ok(Holdings { block: newest(database)?, account, holdings })
}

pub(super) const HOLDERS: &str = "SELECT account, amount, in_orders, total FROM holdings \
    WHERE token = ?1 AND total <= ?2 AND (total < ?2 OR account > ?3) \
    ORDER BY total DESC, account LIMIT ?4";

/// The holders of a framework's tokens, the largest first, after one of them.
///
/// # Errors
/// [`QueryError`].
pub fn holders(
    database: &Connection,
    framework: &Framework,
    after: Option<(Units, Account)>,
    limit: u32,
) -> Answer<Page<Holder>> {
    let token = market_of(database, framework)?.saturating_add(1);
    let (total, account) = match after {
        Some((total, account)) => (total, account.0.to_vec()),
        // Less than any account.
        None => (Units(u128::MAX), Vec::new()),
    };
    let row = |row: &Row<'_>| {
        Ok(Holder {
            account: row.read(0)?,
            amount: row.read(1)?,
            in_orders: row.read(2)?,
            total: row.read(3)?,
        })
    };
    let parameters = params![token, total.sql(), account, limit.saturating_add(1)];
    let items = rows(database, HOLDERS, parameters, row)?;
    page(database, items, limit, |holder| format!("{}-{}", holder.total.0, holder.account))
}

pub(super) const POSITIONS: &str = "SELECT amount, cost, paid, proceeds, cost_sold, cost_given, \
    positions.market, framework, token FROM positions JOIN markets USING (market) \
    WHERE account = ?1 ORDER BY positions.market";

/// An account's positions at the newest bids.
///
/// # Errors
/// [`QueryError`].
pub fn portfolio(database: &Connection, account: Account) -> Answer<Portfolio> {
    let held = held(database, account)?;
    let of = |token: u32| {
        let found = held.iter().find(|(number, _)| *number == token);
        found.map_or([Units(0); 3], |(_, units)| *units)
    };
    let positions = rows(database, POSITIONS, [account.sql()], |row| {
        let names: (u32, Framework, Account) = (row.get(6)?, row.read(7)?, row.read(8)?);
        Ok((read_position(row, 0)?, names))
    })?;
    let mut views = Vec::new();
    for (position, (market, framework, token)) in positions {
        let [_, in_orders, _] = of(market.saturating_add(1));
        let quote = quote(database, &framework)?.map(|(_, quote)| quote);
        views.push(position_view(position, (framework, token), in_orders, quote)?);
    }
    let [mmc, mmc_in_orders, _] = of(CURRENCY);
    let total = total(&views)?;
    Ok(Portfolio { block: newest(database)?, account, mmc, mmc_in_orders, positions: views, total })
}

fn position_view(
    position: Position,
    (framework, token): (Framework, Account),
    in_orders: Units,
    quote: Option<Quote>,
) -> Answer<PositionView> {
    let at_bid = quote.as_ref().map(|quote| position.value_at(quote.bid)).transpose()?;
    Ok(PositionView {
        framework,
        token,
        amount: Units(position.amount),
        in_orders,
        cost: Units(position.cost),
        average_cost: position.cost.checked_div(position.amount).map(Units),
        paid: Units(position.paid),
        proceeds: Units(position.proceeds),
        cost_given: Units(position.cost_given),
        realised: Units(position.realised()?),
        bid: quote.as_ref().map(|quote| Units(quote.bid)),
        bid_time_ms: quote.map(|quote| quote.time_ms),
        value: at_bid.map(|at| Units(at.value)),
        unrealised: at_bid.map(|at| Units(at.unrealised)),
    })
}

fn total(views: &[PositionView]) -> Answer<Total> {
    let signed = |profits: Vec<Units<i128>>| {
        let sum = profits.iter().try_fold(0i128, |sum, profit| sum.checked_add(profit.0));
        sum.map(Units).ok_or(QueryError::Overflow)
    };
    let without = views.iter().filter(|view| view.bid.is_none() && view.amount.0 > 0).count();
    Ok(Total {
        cost: sum(views.iter().map(|view| view.cost))?,
        value: sum(views.iter().filter_map(|view| view.value))?,
        realised: signed(views.iter().map(|view| view.realised).collect())?,
        unrealised: signed(views.iter().filter_map(|view| view.unrealised).collect())?,
        without_bid: u64::try_from(without).unwrap_or(u64::MAX),
    })
}

/// The states of orders.
pub const STATES: [&str; 3] = ["open", "filled", "cancelled"];

pub(super) const ORDERS: [&str; 4] = [
    "SELECT id, market, owner, side, price, placed, remaining, state, block, time_ms, \
     changed_block, changed_ms FROM orders WHERE state = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    "SELECT id, market, owner, side, price, placed, remaining, state, block, time_ms, \
     changed_block, changed_ms FROM orders WHERE market = ?4 AND state = ?1 AND id < ?2 \
     ORDER BY id DESC LIMIT ?3",
    "SELECT id, market, owner, side, price, placed, remaining, state, block, time_ms, \
     changed_block, changed_ms FROM orders WHERE owner = ?4 AND state = ?1 AND id < ?2 \
     ORDER BY id DESC LIMIT ?3",
    "SELECT id, market, owner, side, price, placed, remaining, state, block, time_ms, \
     changed_block, changed_ms FROM orders WHERE owner = ?4 AND market = ?5 AND state = ?1 \
     AND id < ?2 ORDER BY id DESC LIMIT ?3",
];

/// Orders, the newest first, of an account, a framework, a state, any of these.
///
/// # Errors
/// [`QueryError`].
pub fn orders(
    database: &Connection,
    account: Option<Account>,
    framework: Option<&Framework>,
    state: Option<&str>,
    before: Option<u64>,
    limit: u32,
) -> Answer<Page<Order>> {
    let names = names(database)?;
    let row = |row: &Row<'_>| {
        Ok(Order {
            id: row.get(0)?,
            framework: names(row.get(1)?).ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            owner: row.read(2)?,
            side: row.read(3)?,
            price: row.read(4)?,
            placed: row.read(5)?,
            remaining: row.read(6)?,
            state: row.get(7)?,
            block: row.get(8)?,
            time_ms: row.get(9)?,
            changed_block: row.get(10)?,
            changed_ms: row.get(11)?,
        })
    };
    let market = framework.map(|name| market_of(database, name)).transpose()?;
    let before = before.unwrap_or(Place::END.block).min(Place::END.block);
    let more = limit.saturating_add(1);
    let [all, of_market, of_owner, of_both] = ORDERS;
    let mut items = Vec::new();
    for state in STATES.into_iter().filter(|known| state.is_none_or(|state| state == *known)) {
        items.extend(match (account, market) {
            (None, None) => rows(database, all, (state, before, more), row),
            (None, Some(market)) => rows(database, of_market, (state, before, more, market), row),
            (Some(owner), None) => {
                rows(database, of_owner, (state, before, more, owner.sql()), row)
            }
            (Some(owner), Some(market)) => {
                rows(database, of_both, (state, before, more, owner.sql(), market), row)
            }
        }?);
    }
    items.sort_by_key(|order: &Order| std::cmp::Reverse(order.id));
    page(database, items, limit, |order| order.id.to_string())
}

//! Holdings and positions, brought up to date after each transaction.
//!
//! The contracts may emit the events of one transaction in any order, so what an account gained and
//! lost is added up first. What its trades do not explain came or went without one.

use super::StoreError;
use crate::columns::{Column, Columns};
use cicada_contracts::token::events::Transfer;
use cicada_core::portfolio::{Leg, Position};
use cicada_core::Account;
use rusqlite::{OptionalExtension, Transaction};
use std::collections::BTreeMap;

/// What one transaction changes for an account and a token.
#[derive(Clone, Copy, Default)]
struct Change {
    amount: i128,
    in_orders: i128,
}

type Key = (u32, Account);

pub(super) struct Ledger<'a> {
    db: &'a Transaction<'a>,
    exchange: Account,
    block: u64,
    changes: BTreeMap<Key, Change>,
    legs: BTreeMap<Key, Vec<Leg>>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(db: &'a Transaction<'a>, exchange: Account, block: u64) -> Self {
        Self { db, exchange, block, changes: BTreeMap::new(), legs: BTreeMap::new() }
    }

    fn incomplete(&self, token: u32, account: Account) -> StoreError {
        let select = "SELECT framework FROM markets WHERE market = ?1 - 1";
        let name = self.db.query_row(select, [token], |row| row.get::<_, String>(0));
        let token = name.map_or_else(|_| "MMC".into(), |name| format!("the token of {name}"));
        StoreError::Incomplete { block: self.block, account, token }
    }

    /// Adds to what an account has (`in_orders` false) or has in orders.
    fn add(
        &mut self,
        (token, account): Key,
        units: u128,
        (sign, in_orders): (i128, bool),
    ) -> Result<(), StoreError> {
        let change = self.changes.entry((token, account)).or_default();
        let place = if in_orders { &mut change.in_orders } else { &mut change.amount };
        let units = i128::try_from(units).ok().and_then(|units| units.checked_mul(sign));
        match units.and_then(|units| place.checked_add(units)) {
            Some(sum) => {
                *place = sum;
                Ok(())
            }
            None => Err(self.incomplete(token, account)),
        }
    }

    /// Tokens moved.
    pub(super) fn moved(&mut self, token: u32, moved: &Transfer) -> Result<(), StoreError> {
        let value = moved.value;
        if let Some(from) = moved.from {
            self.add((token, from), value, (-1, false))?;
        }
        if let Some(to) = moved.to {
            self.add((token, to), value, (1, false))?;
        }
        Ok(())
    }

    /// What the exchange holds counts for the owner of an order from now on.
    pub(super) fn locked(
        &mut self,
        token: u32,
        owner: Account,
        units: u128,
    ) -> Result<(), StoreError> {
        self.add((token, self.exchange), units, (-1, false))?;
        self.add((token, owner), units, (1, true))
    }

    /// It does no longer.
    pub(super) fn unlocked(
        &mut self,
        token: u32,
        owner: Account,
        units: u128,
    ) -> Result<(), StoreError> {
        self.add((token, self.exchange), units, (1, false))?;
        self.add((token, owner), units, (-1, true))
    }

    /// An account traded.
    pub(super) fn traded(&mut self, token: u32, account: Account, leg: Leg) {
        self.changes.entry((token, account)).or_default();
        self.legs.entry((token, account)).or_default().push(leg);
    }

    /// The transaction is over.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        let mut legs = std::mem::take(&mut self.legs);
        for (key, change) in std::mem::take(&mut self.changes) {
            let held = self.hold(key, change)?;
            let (token, account) = key;
            if let Some(market) = token.checked_sub(1) {
                if account != self.exchange {
                    let legs = legs.remove(&key).unwrap_or_default();
                    self.position(market, account, held, &legs)?;
                }
            }
        }
        Ok(())
    }

    /// Changes a holding; answers all that the account has of it.
    fn hold(&self, (token, account): Key, change: Change) -> Result<u128, StoreError> {
        let select = "SELECT amount, in_orders FROM holdings WHERE account = ?1 AND token = ?2";
        let mut select = self.db.prepare_cached(select)?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.read::<u128>(0)?, row.read::<u128>(1)?));
        let there = select.query_row((account.sql(), token), row).optional()?;
        let (amount, in_orders) = there.unwrap_or_default();
        let sums = || {
            let amount = amount.checked_add_signed(change.amount)?;
            let in_orders = in_orders.checked_add_signed(change.in_orders)?;
            Some((amount, in_orders, amount.checked_add(in_orders)?))
        };
        let (amount, in_orders, total) = sums().ok_or_else(|| self.incomplete(token, account))?;
        if total == 0 {
            let delete = "DELETE FROM holdings WHERE account = ?1 AND token = ?2";
            self.db.prepare_cached(delete)?.execute((account.sql(), token))?;
        } else if there != Some((amount, in_orders)) {
            let insert = "INSERT OR REPLACE INTO holdings VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = (account.sql(), token, amount.sql(), in_orders.sql(), total.sql());
            self.db.prepare_cached(insert)?.execute(row)?;
        }
        Ok(total)
    }

    fn position(
        &self,
        market: u32,
        account: Account,
        held: u128,
        legs: &[Leg],
    ) -> Result<(), StoreError> {
        let before = position(self.db, market, account)?;
        let after = before
            .settle(held, legs)
            .map_err(|_| self.incomplete(market.saturating_add(1), account))?;
        if after == before {
            return Ok(());
        }
        if after == Position::default() {
            let delete = "DELETE FROM positions WHERE account = ?1 AND market = ?2";
            self.db.prepare_cached(delete)?.execute((account.sql(), market))?;
            return Ok(());
        }
        let insert = "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        self.db.prepare_cached(insert)?.execute((
            account.sql(),
            market,
            after.amount.sql(),
            after.cost.sql(),
            after.paid.sql(),
            after.proceeds.sql(),
            after.cost_sold.sql(),
            after.cost_given.sql(),
        ))?;
        Ok(())
    }
}

fn position(db: &Transaction<'_>, market: u32, account: Account) -> rusqlite::Result<Position> {
    let select = "SELECT amount, cost, paid, proceeds, cost_sold, cost_given FROM positions \
                  WHERE account = ?1 AND market = ?2";
    let row =
        db.prepare_cached(select)?.query_row((account.sql(), market), |row| read_position(row, 0));
    Ok(row.optional()?.unwrap_or_default())
}

/// The position in six columns of a row.
pub(crate) fn read_position(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Position> {
    let column = |place: usize| row.read(first.saturating_add(place));
    Ok(Position {
        amount: column(0)?,
        cost: column(1)?,
        paid: column(2)?,
        proceeds: column(3)?,
        cost_sold: column(4)?,
        cost_given: column(5)?,
    })
}

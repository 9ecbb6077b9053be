//! What follows from the events of one block.

use super::ledger::Ledger;
use super::{Counts, Identity, StoreError};
use crate::block::{Block, Emitted};
use crate::columns::{Column, Columns};
use crate::events::{Event, Origin};
use cicada_contracts::exchange::events::{OrderCancelled, OrderPlaced, Traded};
use cicada_contracts::token::events::Transfer;
use cicada_core::exchange::Side;
use cicada_core::portfolio::Leg;
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use rusqlite::{OptionalExtension, Transaction};

/// The lengths of candles, in milliseconds: a minute, five minutes, an hour, a day.
pub const STEPS_MS: [u64; 4] = [60_000, 300_000, 3_600_000, 86_400_000];

/// The number of MMC among the tokens.
pub const CURRENCY: u32 = 0;

/// The number of a market's token.
fn token_of(market: u32) -> u32 {
    market.saturating_add(1)
}

pub(super) struct Apply<'a> {
    db: &'a Transaction<'a>,
    identity: &'a Identity,
    block: &'a Block,
    ledger: Ledger<'a>,
    counts: Counts,
}

impl<'a> Apply<'a> {
    pub(super) fn new(db: &'a Transaction<'a>, identity: &'a Identity, block: &'a Block) -> Self {
        let ledger = Ledger::new(db, identity.exchange, block.number);
        Self { db, identity, block, ledger, counts: Counts::default() }
    }

    /// Everything.
    pub(super) fn run(mut self) -> Result<Counts, StoreError> {
        if !self.block.events.is_empty() {
            let insert = "INSERT INTO blocks VALUES (?1, ?2, ?3, ?4)";
            let Block { number, hash, parent, time_ms, .. } = self.block;
            self.db.prepare_cached(insert)?.execute((number, hash.sql(), parent.sql(), time_ms))?;
        }
        self.quotes()?;
        self.list()?;
        let mut rest = &self.block.events[..];
        while let Some(first) = rest.first() {
            // The events of one transaction.
            let same = |event: &&Emitted| event.extrinsic == first.extrinsic;
            let (now, later) = rest.split_at(rest.iter().take_while(same).count());
            for event in now {
                self.event(event)?;
            }
            self.ledger.settle()?;
            rest = later;
        }
        Ok(self.counts)
    }

    /// The markets that are opened in the block: a token's first events may come before the event
    /// that says that it is one.
    fn list(&self) -> Result<(), StoreError> {
        let own = |event: &&Emitted| event.contract == self.identity.exchange;
        for event in self.block.events.iter().filter(own) {
            if let Some(Event::MarketListed(listed)) = self.read(Origin::Exchange, event)? {
                let insert = "INSERT INTO markets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                self.db.prepare_cached(insert)?.execute((
                    listed.market,
                    listed.framework.sql(),
                    listed.token.sql(),
                    0u128.sql(),
                    0u128.sql(),
                    self.block.number,
                    self.block.time_ms,
                ))?;
            }
        }
        Ok(())
    }

    fn inconsistent(&self, event: &Emitted, what: impl Into<String>) -> StoreError {
        StoreError::Inconsistent { block: self.block.number, index: event.index, what: what.into() }
    }

    fn read(&self, origin: Origin, event: &Emitted) -> Result<Option<Event>, StoreError> {
        let Some(name) = &event.name else {
            return Ok(None);
        };
        Event::read(origin, name, &event.data.0)
            .map_err(|error| self.inconsistent(event, format!("no {name} can be read: {error}")))
    }

    fn quotes(&self) -> Result<(), StoreError> {
        let mut insert = self
            .db
            .prepare_cached("INSERT OR REPLACE INTO quotes VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
        for ranking in &self.block.rankings {
            for (framework, score, volume_24h) in &ranking.standings {
                let quote = Quote::new(framework.clone(), *score, 0, ranking.time_ms);
                insert.execute((
                    ranking.slot,
                    framework.sql(),
                    u128::from(*score).sql(),
                    quote.bid.sql(),
                    quote.ask.sql(),
                    ranking.time_ms,
                    self.block.number,
                    volume_24h.sql(),
                ))?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &Emitted) -> Result<(), StoreError> {
        let contract = event.contract;
        let (origin, token) = if contract == self.identity.exchange {
            (Origin::Exchange, CURRENCY)
        } else if contract == self.identity.leaderboard {
            (Origin::Leaderboard, CURRENCY)
        } else if contract == self.identity.currency {
            (Origin::Token, CURRENCY)
        } else {
            let select = "SELECT market FROM markets WHERE token = ?1";
            let mut select = self.db.prepare_cached(select)?;
            match select.query_row([contract.sql()], |row| row.get(0)).optional()? {
                Some(market) => (Origin::Token, token_of(market)),
                None => return Ok(()),
            }
        };
        let known = self.read(origin, event)?;
        self.keep(event, known.as_ref())?;
        match known {
            Some(Event::Transfer(moved)) => self.transfer(event, token, &moved),
            Some(Event::Traded(trade)) => self.trade(event, &trade),
            Some(Event::OrderPlaced(order)) => self.place(event, &order),
            Some(Event::OrderCancelled(order)) => self.cancel(event, &order),
            Some(Event::Deposited(moved)) => {
                let market = self.market(event, &moved.framework)?;
                self.reserve(event, market, ("deposit", true), (moved.from, moved.amount))
            }
            Some(Event::Withdrawn(moved)) => {
                let market = self.market(event, &moved.framework)?;
                self.reserve(event, market, ("withdrawal", false), (moved.to, moved.amount))
            }
            _ => Ok(()),
        }
    }

    /// Keeps an event as it came.
    fn keep(&mut self, event: &Emitted, known: Option<&Event>) -> Result<(), StoreError> {
        self.counts.events = self.counts.events.saturating_add(1);
        if known.is_none() {
            self.counts.unknown = self.counts.unknown.saturating_add(1);
        }
        let block = self.block.number;
        let insert = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let Emitted { index, extrinsic, contract, name, data } = event;
        let row = (block, index, extrinsic, contract.sql(), name, &data.0);
        self.db.prepare_cached(insert)?.execute(row)?;
        let mut insert = self.db.prepare_cached("INSERT INTO touched VALUES (?1, ?2, ?3)")?;
        for account in known.map(Event::accounts).unwrap_or_default() {
            insert.execute((account.sql(), block, index))?;
        }
        Ok(())
    }

    fn transfer(
        &mut self,
        event: &Emitted,
        token: u32,
        moved: &Transfer,
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO transfers VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (from, to, value) = (moved.from.sql(), moved.to.sql(), moved.value.sql());
        let row = (self.block.number, event.index, token, from, to, value);
        self.db.prepare_cached(insert)?.execute(row)?;
        if let (Some(market), true) =
            (token.checked_sub(1), moved.from.is_none() != moved.to.is_none())
        {
            let select = "SELECT supply FROM markets WHERE market = ?1";
            let before: u128 =
                self.db.prepare_cached(select)?.query_row([market], |row| row.read(0))?;
            let after = match moved.from {
                None => before.checked_add(moved.value),
                Some(_) => before.checked_sub(moved.value),
            };
            let after = after.ok_or_else(|| self.inconsistent(event, "a supply below nothing"))?;
            let update = "UPDATE markets SET supply = ?2 WHERE market = ?1";
            self.db.prepare_cached(update)?.execute((market, after.sql()))?;
        }
        self.ledger.moved(token, moved)
    }

    fn market(&self, event: &Emitted, framework: &Framework) -> Result<u32, StoreError> {
        let select = "SELECT market FROM markets WHERE framework = ?1";
        let mut select = self.db.prepare_cached(select)?;
        let market = select.query_row([framework.sql()], |row| row.get(0)).optional()?;
        market.ok_or_else(|| self.inconsistent(event, format!("{framework} has no market")))
    }

    fn value(&self, event: &Emitted, price: u128, amount: u128) -> Result<u128, StoreError> {
        let value = price.checked_mul(amount);
        value.ok_or_else(|| self.inconsistent(event, "a value beyond all money"))
    }

    fn trade(&mut self, event: &Emitted, trade: &Traded) -> Result<(), StoreError> {
        let market = self.market(event, &trade.framework)?;
        let (price, amount) = (trade.price, trade.amount);
        let value = self.value(event, price, amount)?;
        let (taker, maker, side) = (trade.taker, trade.maker, trade.side);
        self.counts.trades = self.counts.trades.saturating_add(1);
        let (block, index) = (self.block.number, event.index);
        let insert = "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        self.db.prepare_cached(insert)?.execute((
            block,
            index,
            market,
            side.sql(),
            taker.sql(),
            maker.sql(),
            price.sql(),
            amount.sql(),
            value.sql(),
            trade.order,
            self.block.time_ms,
        ))?;
        let insert = "INSERT INTO parties VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let mut insert = self.db.prepare_cached(insert)?;
        let parties = [(Some(taker), side), (maker, side.opposite())];
        for (account, side) in parties {
            let Some(account) = account else { continue };
            insert.execute((account.sql(), block, index, market))?;
            let leg = Leg { side, amount, value };
            self.ledger.traded(token_of(market), account, leg);
        }
        drop(insert);
        if let Some(order) = trade.order {
            self.fill(event, market, order, amount)?;
        }
        if trade.maker.is_none() {
            let bought = trade.side == Side::Buy;
            self.reserve(event, market, ("trade", bought), (taker, value))?;
        }
        self.candles(event, market, trade, value)
    }

    /// Part of a resting order is done.
    fn fill(
        &mut self,
        event: &Emitted,
        market: u32,
        order: u64,
        amount: u128,
    ) -> Result<(), StoreError> {
        let (owner, side, price) = self.shrink(event, order, amount, "filled")?;
        let (token, locked) = self.locked(event, market, side, price, amount)?;
        self.ledger.unlocked(token, owner, locked)
    }

    /// Takes `amount` off a resting order. With nothing left it has reached its `end`.
    fn shrink(
        &self,
        event: &Emitted,
        order: u64,
        amount: u128,
        end: &str,
    ) -> Result<(Account, Side, u128), StoreError> {
        let select =
            "SELECT owner, side, price, remaining FROM orders WHERE id = ?1 AND state = 'open'";
        let mut select = self.db.prepare_cached(select)?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok(((row.read(0)?, row.read(1)?, row.read(2)?), row.read::<u128>(3)?))
        };
        let found = select.query_row([order], row).optional()?;
        let (known, remaining) =
            found.ok_or_else(|| self.inconsistent(event, format!("order {order} is not open")))?;
        let left = remaining.checked_sub(amount);
        let left = left.ok_or_else(|| {
            self.inconsistent(event, format!("order {order} has only {remaining} left"))
        })?;
        // What a cancelled order had left stays visible.
        let (kept, state) = match (end, left) {
            ("cancelled", _) => (remaining, end),
            (_, 0) => (left, end),
            _ => (left, "open"),
        };
        let update = "UPDATE orders SET remaining = ?2, state = ?3, changed_block = ?4, \
                      changed_ms = ?5 WHERE id = ?1";
        let at = (self.block.number, self.block.time_ms);
        self.db.prepare_cached(update)?.execute((order, kept.sql(), state, at.0, at.1))?;
        Ok(known)
    }

    /// What the exchange holds for `amount` of an order.
    fn locked(
        &self,
        event: &Emitted,
        market: u32,
        side: Side,
        price: u128,
        amount: u128,
    ) -> Result<(u32, u128), StoreError> {
        Ok(match side {
            Side::Buy => (CURRENCY, self.value(event, price, amount)?),
            Side::Sell => (token_of(market), amount),
        })
    }

    fn place(&mut self, event: &Emitted, order: &OrderPlaced) -> Result<(), StoreError> {
        let market = self.market(event, &order.framework)?;
        let (block, time_ms) = (self.block.number, self.block.time_ms);
        let (owner, side) = (order.owner, order.side);
        let (price, amount) = (order.price, order.amount);
        let insert = "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?)";
        self.db.prepare_cached(insert)?.execute((
            order.order,
            market,
            owner.sql(),
            side.sql(),
            price.sql(),
            amount.sql(),
            amount.sql(),
            block,
            event.index,
            time_ms,
            block,
            time_ms,
        ))?;
        let (token, locked) = self.locked(event, market, side, price, amount)?;
        self.ledger.locked(token, owner, locked)
    }

    fn cancel(&mut self, event: &Emitted, order: &OrderCancelled) -> Result<(), StoreError> {
        let market = self.market(event, &order.framework)?;
        let (owner, side, price) = self.shrink(event, order.order, order.amount, "cancelled")?;
        let (token, locked) = self.locked(event, market, side, price, order.amount)?;
        self.ledger.unlocked(token, owner, locked)
    }

    /// The reserve of a market grows or falls.
    fn reserve(
        &self,
        event: &Emitted,
        market: u32,
        (kind, grows): (&str, bool),
        (account, amount): (Account, u128),
    ) -> Result<(), StoreError> {
        let select = "SELECT reserve FROM markets WHERE market = ?1";
        let before: u128 =
            self.db.prepare_cached(select)?.query_row([market], |row| row.read(0))?;
        let after = if grows { before.checked_add(amount) } else { before.checked_sub(amount) };
        let after = after.ok_or_else(|| self.inconsistent(event, "the reserve does not reach"))?;
        let update = "UPDATE markets SET reserve = ?2 WHERE market = ?1";
        self.db.prepare_cached(update)?.execute((market, after.sql()))?;
        let insert = "INSERT INTO reserve_movements VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let at = (self.block.number, event.index);
        let row = (at.0, at.1, market, kind, account.sql(), amount.sql(), after.sql());
        self.db.prepare_cached(insert)?.execute(row)?;
        Ok(())
    }

    fn candles(
        &self,
        event: &Emitted,
        market: u32,
        trade: &Traded,
        value: u128,
    ) -> Result<(), StoreError> {
        let beyond = || self.inconsistent(event, "a volume beyond all tokens");
        let select = "SELECT open, high, low, volume, value, trades FROM candles \
                      WHERE market = ?1 AND step_ms = ?2 AND start_ms = ?3";
        let mut select = self.db.prepare_cached(select)?;
        let insert = "INSERT OR REPLACE INTO candles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let mut insert = self.db.prepare_cached(insert)?;
        let price = trade.price;
        for step in STEPS_MS {
            let start = self.block.time_ms - self.block.time_ms % step;
            let row = |row: &rusqlite::Row<'_>| {
                let prices: [u128; 3] = [row.read(0)?, row.read(1)?, row.read(2)?];
                let sums: [u128; 2] = [row.read(3)?, row.read(4)?];
                Ok((prices, sums, row.get::<_, u64>(5)?))
            };
            let there = select.query_row((market, step, start), row).optional()?;
            let ([open, high, low], sums, trades) = there.unwrap_or(([price; 3], [0; 2], 0));
            let volume = sums[0].checked_add(trade.amount).ok_or_else(beyond)?;
            let total = sums[1].checked_add(value).ok_or_else(beyond)?;
            let trades = trades.saturating_add(1);
            let prices = [open, high.max(price), low.min(price), price].map(|price| price.sql());
            let [open, high, low, close] = prices;
            let (volume, total) = (volume.sql(), total.sql());
            insert.execute((market, step, start, open, high, low, close, volume, total, trades))?;
        }
        Ok(())
    }
}

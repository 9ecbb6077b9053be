//! What people do at the simulated exchange.

use super::{
    framework, identity, person, said, token, Resting, Simulation, ACCOUNTS, CURRENCY, MAKER,
};
use cicada_contracts::exchange::events::{OrderCancelled, OrderPlaced, Traded};
use cicada_contracts::token::events::Approval;
use cicada_core::exchange::{Side, MAX_FILLS, TICK};
use cicada_core::Account;
use cicada_dice::Dice;

/// 1 to `most` + 1, and to 500 at most.
fn amount(dice: &mut Dice, most: u128) -> u128 {
    u128::from(dice.below(u64::try_from(most.min(500)).unwrap_or(1))) + 1
}

impl Simulation {
    pub(super) fn anything(&mut self) {
        let market = u32::try_from(self.dice.below(3)).unwrap_or(0);
        let who = person(self.dice.below(ACCOUNTS));
        let held = self.balance(market + 1, who);
        let (bid, ask) = self.quote(market);
        match self.dice.below(20) {
            0..=6 => {
                let amount = amount(&mut self.dice, 500);
                self.take(market, who, Side::Buy, amount, u128::MAX);
            }
            7..=11 if held > 0 => {
                let amount = amount(&mut self.dice, held).min(held);
                self.take(market, who, Side::Sell, amount, 0);
            }
            12..=14 => {
                let price = (ask - u128::from(self.dice.below(40)) * TICK).max(TICK);
                let amount = amount(&mut self.dice, 100);
                self.place(market, who, Side::Buy, price, amount);
            }
            15..=16 if held > 0 => {
                let price = bid + u128::from(self.dice.below(40)) * TICK;
                let amount = amount(&mut self.dice, held).min(held);
                self.place(market, who, Side::Sell, price, amount);
            }
            17 => self.fill_reached(market),
            18 if !self.book.is_empty() => {
                let place = self.dice.below(self.book.len() as u64) as usize;
                self.cancel(place);
            }
            19 if held > 0 => {
                let amount = amount(&mut self.dice, held).min(held);
                let to = person(self.dice.below(ACCOUNTS));
                self.transfer(market + 1, Some(who), Some(to), amount);
            }
            _ => {
                self.transfer(CURRENCY, Some(person(MAKER)), Some(who), 1);
                let event = Approval { owner: person(MAKER), spender: who, amount: 5 };
                self.moved.push(said(token(CURRENCY), &event));
            }
        }
    }

    /// The best order that somebody with this limit can trade with, unless the maker is better.
    fn best(&self, market: u32, taker: Side, limit: u128) -> Option<usize> {
        let (bid, ask) = self.quote(market);
        let good = |order: &&(usize, &Resting)| {
            order.1.market == market
                && match taker {
                    Side::Buy => {
                        order.1.side == Side::Sell && order.1.price <= limit && order.1.price < ask
                    }
                    Side::Sell => {
                        order.1.side == Side::Buy && order.1.price >= limit && order.1.price > bid
                    }
                }
        };
        let all: Vec<(usize, &Resting)> = self.book.iter().enumerate().collect();
        let mut found = all.iter().filter(good).collect::<Vec<_>>();
        found.sort_by_key(|(place, order)| match taker {
            Side::Buy => (order.price, *place),
            Side::Sell => (u128::MAX - order.price, *place),
        });
        found.first().map(|(place, _)| *place)
    }

    /// Trades at once what the limit allows; what is left is the answer.
    fn take(&mut self, market: u32, who: Account, side: Side, mut left: u128, limit: u128) -> u128 {
        for _ in 0..MAX_FILLS {
            let Some(place) = self.best(market, side, limit).filter(|_| left > 0) else { break };
            let amount = left.min(self.book[place].left);
            let order = self.book[place].clone();
            left -= amount;
            self.traded(
                market,
                who,
                (Some(order.owner), Some(order.id)),
                side,
                (order.price, amount),
            );
            let value = order.price * amount;
            let exchange = identity().exchange;
            if side == Side::Buy {
                self.transfer(market + 1, Some(exchange), Some(who), amount);
                self.transfer(CURRENCY, Some(who), Some(order.owner), value);
            } else {
                self.transfer(market + 1, Some(who), Some(order.owner), amount);
                self.transfer(CURRENCY, Some(exchange), Some(who), value);
            }
            self.shrink(place, amount);
        }
        let (bid, ask) = self.quote(market);
        let price = if side == Side::Buy { ask } else { bid };
        let allowed = if side == Side::Buy { price <= limit } else { price >= limit };
        let exchange = identity().exchange;
        if left > 0 && allowed {
            self.traded(market, who, (None, None), side, (price, left));
            let value = price * left;
            if side == Side::Buy {
                self.transfer(CURRENCY, Some(who), Some(exchange), value);
                self.transfer(market + 1, None, Some(who), left);
            } else {
                self.transfer(market + 1, Some(who), None, left);
                self.transfer(CURRENCY, Some(exchange), Some(who), value);
            }
            left = 0;
        }
        left
    }

    fn traded(
        &mut self,
        market: u32,
        taker: Account,
        (maker, order): (Option<Account>, Option<u64>),
        side: Side,
        (price, amount): (u128, u128),
    ) {
        self.trades += 1;
        if maker.is_none() {
            let reserve = &mut self.reserves[market as usize];
            let value = price * amount;
            *reserve = if side == Side::Buy { *reserve + value } else { *reserve - value };
        }
        let framework = framework(market);
        self.emit(&Traded { framework, taker, maker, side, price, amount, order });
    }

    fn shrink(&mut self, place: usize, amount: u128) {
        self.book[place].left -= amount;
        if self.book[place].left == 0 {
            self.book.remove(place);
        }
    }

    fn place(&mut self, market: u32, owner: Account, side: Side, price: u128, amount: u128) {
        let left = self.take(market, owner, side, amount, price);
        if left == 0 {
            return;
        }
        let id = self.next_order;
        self.next_order += 1;
        let order = Resting { id, market, owner, side, price, left };
        let (token, locked) = order.locked();
        self.transfer(token, Some(owner), Some(identity().exchange), locked);
        self.book.push(order);
        let (framework, owner) = (framework(market), owner);
        self.emit(&OrderPlaced { framework, owner, order: id, side, price, amount: left });
    }

    fn cancel(&mut self, place: usize) {
        let order = self.book.remove(place);
        let (token, locked) = order.locked();
        self.transfer(token, Some(identity().exchange), Some(order.owner), locked);
        self.emit(&OrderCancelled {
            framework: framework(order.market),
            owner: order.owner,
            order: order.id,
            amount: order.left,
        });
    }

    /// Resting orders that the quote has reached trade with the market maker.
    fn fill_reached(&mut self, market: u32) {
        let (bid, ask) = self.quote(market);
        let exchange = Some(identity().exchange);
        for _ in 0..MAX_FILLS {
            let reached = |order: &Resting| {
                order.market == market
                    && match order.side {
                        Side::Buy => order.price >= ask,
                        Side::Sell => order.price <= bid,
                    }
            };
            let Some(place) = self.book.iter().position(reached) else { return };
            let order = self.book[place].clone();
            let price = if order.side == Side::Buy { ask } else { bid };
            let by = (None, Some(order.id));
            self.traded(market, order.owner, by, order.side, (price, order.left));
            match order.side {
                Side::Buy => {
                    self.transfer(market + 1, None, Some(order.owner), order.left);
                    let cheaper = (order.price - price) * order.left;
                    self.transfer(CURRENCY, exchange, Some(order.owner), cheaper);
                }
                Side::Sell => {
                    self.transfer(market + 1, exchange, None, order.left);
                    self.transfer(CURRENCY, exchange, Some(order.owner), price * order.left);
                }
            }
            self.shrink(place, order.left);
        }
    }
}

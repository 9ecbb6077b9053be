//! A trader with many accounts who knows every leaderboard before it is final.

use super::{bid, equip, quote, trade, worth};
use crate::role::Role;
use crate::stage::{Stage, MMC, OWNER, TERMS};
use cicada_core::exchange::{Limits, MakerTerms, Side, TICK};
use cicada_core::prices::HOUR_MS;
use cicada_dice::Dice;
use cicada_runtime_tests::{account, Snapshot};

/// His accounts.
const ACCOUNTS: [&str; 5] = ["bob", "eve", "ferdie", "grace", "heidi"];
/// What each of them has, more than the reserve.
const FUNDS: u128 = 2_000_000 * MMC;
/// The market maker's reserve at the start.
const RESERVE: u128 = 1_000_000 * MMC;
/// The time of a moment: twelve of them are an hour.
const MOMENT_MS: u64 = HOUR_MS / 12;
/// The score of each moment's leaderboard: a framework begins with few points and gets many, loses all
/// but one for a moment, and then rises by a tenth.
const SCORES: [u64; 12] =
    [100, 100, 1_000, 20_000, 50_000, 50_000, 1, 50_000, 50_010, 55_000, 55_010, 55_010];
/// What a token is worth when as many exist as may, and the reserve is what it is at the start.
const PART: u128 = 50 * MMC;
/// What honest others leave in the book and buy at the quote, in tokens.
const OTHERS: u128 = 20;
/// What the specification lets the market maker risk within an hour, in bps of the reserve.
const HOURLY_BPS: u128 = 100;

/// Something that a trader can do.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Trades as much of it as is possible.
    Trade {
        /// Which account.
        who: usize,
        /// Buys or sells.
        side: Side,
        /// Tokens.
        amount: u128,
    },
    /// Leaves an order in the book.
    Place {
        /// Which account.
        who: usize,
        /// Buys or sells.
        side: Side,
        /// Ticks above the price of 50,000 points; below it if negative.
        ticks: i64,
        /// Tokens.
        amount: u128,
    },
    /// Takes all orders of an account out.
    Cancel(usize),
    /// Has the market maker fill the orders that it can, the newest first.
    Fill,
    /// Has the committee certify a leaderboard of the present scores, which anybody can.
    Quote,
    /// Adds to the reserve.
    Deposit(u128),
}

/// The trader, and the exchange that he plays with.
pub struct Trader {
    stage: Stage,
    start: Snapshot,
    score: u64,
    /// Numbers and accounts of his orders.
    orders: Vec<(u64, usize)>,
    given: u128,
}

impl Trader {
    /// With the limits that a deployment has by default.
    pub fn new() -> Self {
        Self::with(Limits { max_outstanding: RESERVE / PART, ..Limits::DEFAULT })
    }

    /// With other limits than the specification's: what [`Role::allowed`] says stays the same.
    pub fn with(limits: Limits) -> Self {
        let mut stage = Stage::with_score(SCORES[0]);
        let _ = stage.deposit(OWNER, RESERVE).succeeds();
        for who in ACCOUNTS {
            equip(&mut stage, who, OWNER, FUNDS);
        }
        let _ = stage.buy("charlie", 5 * OTHERS).succeeds();
        let _ = stage.set_terms(OWNER, MakerTerms { limits, ..TERMS }).succeeds();
        stage.wait(cicada_core::exchange::terms::NOTICE_MS);
        let start = stage.world.snapshot();
        Self { stage, start, score: SCORES[0], orders: Vec::new(), given: 0 }
    }
}

impl Default for Trader {
    fn default() -> Self {
        Self::new()
    }
}

impl Role for Trader {
    type Act = Act;

    fn begin(&mut self) {
        self.stage.world.restore(&self.start);
        (self.score, self.given) = (SCORES[0], 0);
        self.orders.clear();
    }

    fn moments(&self) -> u32 {
        SCORES.len() as u32
    }

    fn draw(&self, dice: &mut Dice) -> Act {
        let who = dice.place(ACCOUNTS.len());
        let side = dice.pick(&[Side::Buy, Side::Sell]);
        let amount = 10_u128.pow(dice.between(0, 5) as u32);
        match dice.below(10) {
            0..=4 => Act::Trade { who, side, amount },
            5..=6 => {
                let ticks = dice.below(1_200_000) as i64 - 600_000;
                Act::Place { who, side, ticks, amount }
            }
            7 => dice.pick(&[Act::Fill, Act::Cancel(who)]),
            8 => Act::Quote,
            _ => Act::Deposit(amount * MMC),
        }
    }

    fn act(&mut self, act: &Act) {
        let stage = &mut self.stage;
        match *act {
            Act::Trade { who, side, amount } => {
                let _ = trade(stage, ACCOUNTS[who], side, amount);
            }
            Act::Place { who, side, ticks, amount } => {
                let price = (5_000_000 + i128::from(ticks)).max(1) as u128 * TICK;
                let placed = stage.place(ACCOUNTS[who], side, price, amount).value;
                let order = placed.ok().and_then(|placed| placed.order);
                self.orders.extend(order.map(|order| (order, who)));
            }
            Act::Cancel(who) => {
                for (order, _) in self.orders.iter().filter(|(_, owner)| *owner == who) {
                    let _ = stage.cancel(ACCOUNTS[who], *order);
                }
            }
            Act::Fill => {
                for (order, who) in self.orders.iter().rev() {
                    let _ = stage.fill_order(ACCOUNTS[*who], *order);
                }
            }
            Act::Quote => quote(stage, self.score),
            Act::Deposit(amount) => {
                let given = stage.deposit(ACCOUNTS[0], amount).value;
                self.given += if given.is_ok() { amount } else { 0 };
            }
        }
    }

    fn pass(&mut self, moment: u32) {
        let stage = &mut self.stage;
        // An honest seller, who does not know the next score, and an honest buyer.
        if moment == 8 {
            let _ = stage.place("charlie", Side::Sell, bid(self.score) + 600 * TICK, OTHERS);
        }
        let _ = stage.buy("dave", OTHERS / 10);
        stage.world.advance(MOMENT_MS);
        if let Some(score) = SCORES.get(moment as usize + 1) {
            self.score = *score;
            quote(stage, *score);
        }
    }

    fn wealth(&mut self) -> i128 {
        for (order, who) in std::mem::take(&mut self.orders) {
            let _ = self.stage.cancel(ACCOUNTS[who], order);
        }
        let accounts = ACCOUNTS.map(account);
        worth(&mut self.stage, &accounts, bid(self.score))
    }

    /// What tokens come to be worth that the market maker may sell in an hour: its share of the reserve,
    /// and more only as far as a price rises above that at which the reserve buys all back. Besides,
    /// what others left in the book; and nothing of what he gave.
    fn allowed(&mut self) -> i128 {
        let hours = u128::from((u64::from(self.moments()) * MOMENT_MS).div_ceil(HOUR_MS));
        // What trades and gifts add to the reserve counts too; an hour adds no more than a fiftieth.
        let reserve = (RESERVE + self.given) * 51 / 50;
        let last = bid(SCORES[SCORES.len() - 1]);
        let worth = hours * reserve * HOURLY_BPS / 10_000 * last.max(PART) / PART;
        (worth + OTHERS * last * 2) as i128
    }
}

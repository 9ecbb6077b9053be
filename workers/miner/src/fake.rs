//! A chain for tests: index, pool and purse in memory, moved by the contracts' own formulas.

use crate::gas::Costs;
use crate::ledger::Ledger;
use crate::plan::{decide, mint_limits, redeem_limits, Batch, Decision, Moment, Rules, Trade};
use crate::seen::{total, Index, Purse, Seen};
use cicada_amounts::Units;
use cicada_amounts::TAO;
use cicada_core::arbitrage::Limits;
use cicada_core::basket::after_fee_floor;
use cicada_core::basket::holdings::{
    amounts_to_mint_ceil, amounts_to_redeem_floor, deposit, withdraw, Holding,
};
use cicada_core::hash::Digest;
use cicada_core::nav::{nav_e18_floor, Position, Record, ONE_E18};
use cicada_core::pair::{Pool, Side};
use cicada_core::Account;

/// One index token.
pub const TOKEN: u128 = ONE_E18;

/// When the NAV of a fake was settled.
pub const NOW: u64 = 1_800_000_000_000;

pub const RULES: Rules = Rules {
    limits: Limits {
        min_spread_bps: 50,
        max_size: 10 * TAO,
        min_size: TAO / 10,
        balance_bps: 8_000,
        max_inventory_bps: 5_000,
        rebalance_bps: 8_000,
        max_daily_loss_bps: 500,
        stop_loss_bps: 1_000,
    },
    max_trades: 4,
    slippage_bps: 50,
    neutral: None,
};

pub const COSTS: Costs = Costs { mint: TAO / 1_000, redeem: TAO / 1_000, trade: TAO / 10_000 };

/// The chain, and the miner's view of it.
#[derive(Clone)]
pub struct World {
    pub seen: Seen,
}

impl World {
    /// An index of 20 tokens with NAV 1; a pool of 1,000 index tokens at this price in bps of NAV;
    /// a purse of 100 TAO and baskets for 100 index tokens.
    pub fn at_price(bps: u128) -> Self {
        // Divisors of a thousand, so that the NAV is exact.
        let worth = |netuid: u16| [1u128, 2, 4, 5, 10][usize::from(netuid % 5)];
        let holding = |netuid: u16| Holding {
            token: Account([u8::try_from(netuid).unwrap(); 32]),
            netuid,
            weight_bps: 500,
            price_e18: ONE_E18 / 20 * worth(netuid),
            // 50 TAO of each: 1,000 tokens of NAV 1 in all.
            amount: 50 * TAO * 20 / worth(netuid),
            unpriced_ms: 0,
        };
        let holdings: Vec<Holding> = (1..=20).map(holding).collect();
        let basket = holdings.iter().map(|held| held.amount / 10 + 1).collect();
        let mut world = Self {
            seen: Seen {
                block: 1,
                index: Index {
                    holdings,
                    supply: 1_000 * TOKEN,
                    fee_bps: 0,
                    minimum: 0,
                    minting_paused: false,
                    nav: None,
                },
                pool: Pool { a: 1_000 * TOKEN, b: TAO / 10 * bps, shares: 1 },
                pair_fee_bps: 30,
                purse: Purse { tao: 100 * TAO, index: 0, basket },
            },
        };
        world.settle_nav();
        world
    }

    pub fn nav(&self) -> u128 {
        self.seen.index.nav.unwrap().nav_e18
    }

    /// The committee attests the exact NAV.
    pub fn settle_nav(&mut self) {
        let position =
            |held: &Holding| Position { holding: held.amount, price_e18: held.price_e18 };
        let index = &mut self.seen.index;
        let positions: Vec<Position> = index.holdings.iter().map(position).collect();
        let nav_e18 = nav_e18_floor(&positions, index.supply).unwrap();
        let slot = index.nav.map_or(1, |record| record.slot + 1);
        index.nav = Some(Record {
            slot,
            digest: Digest::ZERO,
            time_ms: NOW,
            epoch: 1,
            signers: 0,
            observers: 0,
            nav_e18,
        });
    }

    pub fn wealth(&self) -> u128 {
        total(&self.seen.wealth(self.nav()).unwrap()).unwrap()
    }

    /// The size of the spread in bps.
    pub fn spread(&self) -> u128 {
        self.decide(&RULES).spread_bps.unsigned_abs()
    }

    pub fn moment(&self) -> Moment {
        Moment { nav_e18: self.nav(), costs: COSTS, halt: None, neutral_due: false }
    }

    pub fn decide(&self, rules: &Rules) -> Decision {
        decide(&self.seen, rules, &self.moment()).unwrap()
    }

    /// What [`crate::execute`] does on a chain.
    pub fn apply(&mut self, batch: &Batch, rules: &Rules) {
        match batch {
            Batch::MintAndSell { tokens: Units(tokens), trades } => {
                self.mint(*tokens, rules);
                self.trade(Side::A, trades);
            }
            Batch::BuyAndRedeem { trades } => {
                let before = self.seen.purse.index;
                self.trade(Side::B, trades);
                self.redeem(self.seen.purse.index - before, rules);
            }
            Batch::SellStock { trades } => self.trade(Side::A, trades),
            Batch::RedeemStock { tokens: Units(tokens) } => self.redeem(*tokens, rules),
            Batch::NeutralVolume { tokens: Units(tokens) } => {
                let credited = after_fee_floor(*tokens, self.seen.index.fee_bps).unwrap();
                self.mint(*tokens, rules);
                self.redeem(credited, rules);
            }
        }
    }

    pub fn mint(&mut self, tokens: u128, rules: &Rules) {
        let most = mint_limits(&self.seen, tokens, rules).unwrap();
        let Seen { index, purse, .. } = &mut self.seen;
        assert!(tokens >= index.minimum && !index.minting_paused);
        let taken = amounts_to_mint_ceil(&index.holdings, index.supply, tokens, false).unwrap();
        for ((own, amount), most) in purse.basket.iter_mut().zip(&taken).zip(most) {
            assert!(*amount <= most);
            *own = own.checked_sub(*amount).expect("the miner has what it mints from");
        }
        deposit(&mut index.holdings, &taken).unwrap();
        let credited = after_fee_floor(tokens, index.fee_bps).unwrap();
        index.supply += credited;
        purse.index += credited;
    }

    pub fn redeem(&mut self, tokens: u128, rules: &Rules) {
        let least = redeem_limits(&self.seen, tokens, rules).unwrap();
        let Seen { index, purse, .. } = &mut self.seen;
        assert!(tokens >= index.minimum || tokens == purse.index);
        let left = after_fee_floor(tokens, index.fee_bps).unwrap();
        let paid = amounts_to_redeem_floor(&index.holdings, index.supply, left).unwrap();
        withdraw(&mut index.holdings, &paid).unwrap();
        index.supply -= tokens;
        purse.index -= tokens;
        for ((own, amount), least) in purse.basket.iter_mut().zip(paid).zip(least) {
            assert!(amount >= least);
            *own += amount;
        }
    }

    pub fn trade(&mut self, paid_in: Side, trades: &[Trade]) {
        let Seen { pool, purse, pair_fee_bps, .. } = &mut self.seen;
        for Trade { pays: Units(pays), least: Units(least), .. } in trades {
            let gets = pool.out_floor(paid_in, *pays, *pair_fee_bps).unwrap();
            assert!(gets >= *least, "{gets} is below {least}");
            *pool = pool.after_trade(paid_in, *pays, gets).unwrap();
            match paid_in {
                Side::A => (purse.index, purse.tao) = (purse.index - pays, purse.tao + gets),
                Side::B => (purse.tao, purse.index) = (purse.tao - pays, purse.index + gets),
            }
        }
    }

    /// Looks until there is nothing to do; how often something was done.
    pub fn run(&mut self, rules: &Rules, ledger: &mut Ledger) -> u32 {
        for look in 0..100 {
            let halt = ledger.value(self.wealth(), NOW, &rules.limits);
            let moment = Moment { halt, ..self.moment() };
            let Some(planned) = decide(&self.seen, rules, &moment).unwrap().batch else {
                return look;
            };
            self.apply(&planned.batch, rules);
            self.settle_nav();
        }
        panic!("it never stops");
    }
}

use super::*;
use crate::nav::ONE_E18;
use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;
use proptest::prelude::*;

const TAO: u128 = 1_000_000_000;

/// A pool of 1,000 TAO and 1,000 index tokens, NAV at the given bps of its price.
fn market(nav_bps: u128) -> Market {
    Market {
        nav_e18: ONE_E18 / 10_000 * nav_bps,
        tao: 1_000 * TAO,
        index_tokens: 1_000 * ONE_E18,
        pair_fee_bps: 30,
        index_fee_bps: 0,
        gas: TAO / 1_000,
    }
}

const RICH: Wallet = Wallet { tao: 100 * TAO, basket: 100 * TAO, index: 0 };

fn planned(market: &Market, wallet: &Wallet) -> Option<Plan> {
    plan(market, wallet, &Limits::default()).unwrap()
}

#[test]
fn the_threshold_is_half_a_percent_and_not_a_hundredth_of_it() {
    assert_eq!(spread_bps_toward_zero(1_005, 1_000), Ok(50));
    assert_eq!(spread_bps_toward_zero(995, 1_000), Ok(-50));
    assert_eq!(spread_bps_toward_zero(1_004_999, 1_000_000), Ok(49));
    assert_eq!(spread_bps_toward_zero(995_001, 1_000_000), Ok(-49));
    assert_eq!(spread_bps_toward_zero(7, 7), Ok(0));
    assert_eq!(spread_bps_toward_zero(0, 7), Ok(-10_000));
    assert_eq!(spread_bps_toward_zero(7, 0), Err(MathError::DivisionByZero));
    assert_eq!(spread_bps_toward_zero(u128::MAX, 1), Err(MathError::Overflow));
}

#[test]
fn a_trade_is_at_most_ten_tao_and_four_fifths_and_at_least_a_tenth() {
    let size = |available| size_floor(&Limits::default(), available).unwrap();
    assert_eq!(size(100 * TAO), Some(10 * TAO));
    assert_eq!(size(12_500_000_000), Some(10 * TAO));
    assert_eq!(size(TAO), Some(TAO / 10 * 8));
    assert_eq!(size(125_000_000), Some(100_000_000));
    assert_eq!(size(124_999_999), None);
    assert_eq!(size(0), None);
}

#[test]
fn above_nav_it_mints_and_sells_below_it_buys_and_redeems() {
    let sell = planned(&market(9_800), &RICH).unwrap();
    assert!(matches!(sell.action, Action::MintAndSell { .. }));
    assert_eq!(sell.spread_bps, 204);
    let buy = planned(&market(10_200), &RICH).unwrap();
    assert!(matches!(buy.action, Action::BuyAndRedeem { .. }));
    assert_eq!(buy.spread_bps, -196);
    for plan in [sell, buy] {
        let profit = plan.outcome.profit().unwrap();
        assert!(profit > TAO / 100, "{profit}");
    }
}

#[test]
fn without_spread_funds_or_profit_it_does_nothing() {
    assert_eq!(planned(&market(10_000), &RICH), None);
    assert_eq!(planned(&market(9_951), &RICH), None, "49 bps");
    assert_eq!(planned(&market(9_800), &Wallet { basket: 0, ..RICH }), None);
    assert_eq!(planned(&market(10_200), &Wallet { tao: 0, ..RICH }), None);
    let dear = Market { gas: TAO, ..market(9_800) };
    assert_eq!(planned(&dear, &RICH), None, "gas eats it");
    let fee = Market { index_fee_bps: 100, pair_fee_bps: 100, ..market(9_900) };
    assert_eq!(fee.best_mint_floor(), Ok(0));
    assert_eq!(planned(&fee, &RICH), None, "fees eat it");
    let empty = Market { tao: 0, index_tokens: 0, ..market(1) };
    let none = Err(ArbitrageError::Pair(PoolError::InsufficientLiquidity));
    assert_eq!(plan(&empty, &RICH, &Limits::default()), none);
    let worthless = Market { nav_e18: 0, ..market(1) };
    let none = Err(ArbitrageError::Math(MathError::DivisionByZero));
    assert_eq!(plan(&worthless, &RICH, &Limits::default()), none);
}

#[test]
fn a_spread_of_exactly_the_threshold_is_traded() {
    // 1.005 TAO in the pool for one of NAV, and the other way round.
    let above = Market { tao: 1_005 * TAO, gas: 0, ..market(10_000) };
    assert_eq!(planned(&above, &RICH).map(|plan| plan.spread_bps), Some(50));
    let below = Market { tao: 995 * TAO, gas: 0, ..market(10_000) };
    assert_eq!(planned(&below, &RICH).map(|plan| plan.spread_bps), Some(-50));
    assert_eq!(planned(&Market { tao: 1_004_999_999_999, ..above }, &RICH), None);
    assert_eq!(planned(&Market { tao: 995_000_000_001, ..below }, &RICH), None);
}

#[test]
fn a_few_trades_bring_the_price_from_two_percent_to_within_half_a_percent() {
    for nav_bps in [9_804, 10_204] {
        let mut market = market(nav_bps);
        let mut trades = 0;
        while let Some(plan) = planned(&market, &RICH) {
            match plan.action {
                Action::MintAndSell { tokens } => {
                    market.index_tokens += tokens;
                    market.tao -= plan.outcome.received;
                }
                Action::BuyAndRedeem { tao } => {
                    let (paid, reserve) = (market.tao, market.index_tokens);
                    market.index_tokens -= amount_out_floor(tao, paid, reserve, 30).unwrap();
                    market.tao += tao;
                }
            }
            trades += 1;
            assert!(trades <= 3);
        }
        let price = pair::price_e18_floor(market.tao, market.index_tokens).unwrap();
        let spread = spread_bps_toward_zero(price, market.nav_e18).unwrap();
        assert!(spread.abs() < 50, "{spread}");
    }
}

#[test]
fn inventory_is_full_above_half_and_given_up_from_four_fifths() {
    let judge = |index: u128, tao: u128| {
        inventory(&Wallet { tao, basket: 0, index }, &Limits::default()).unwrap()
    };
    assert_eq!(judge(0, 0), Inventory::Balanced);
    assert_eq!(judge(50, 50), Inventory::Balanced);
    assert_eq!(judge(51, 49), Inventory::Full);
    assert_eq!(judge(79, 21), Inventory::Full);
    assert_eq!(judge(80, 20), Inventory::Rebalance { excess: 30 });
    assert_eq!(judge(1, 0), Inventory::Rebalance { excess: 1 });
}

#[test]
fn a_loss_of_the_limit_stops() {
    let halted = |day_start, peak, now| halt(&Wealth { day_start, peak, now }, &Limits::default());
    assert_eq!(halted(1_000, 1_000, 1_200), None);
    assert_eq!(halted(1_000, 1_000, 951), None);
    assert_eq!(halted(1_000, 1_000, 950), Some(Halt::DailyLoss));
    assert_eq!(halted(910, 1_000, 901), None);
    assert_eq!(halted(910, 1_000, 900), Some(Halt::StopLoss));
    assert_eq!(halted(0, 0, 0), None);
    assert_eq!(halted(u128::MAX, u128::MAX, 0), Some(Halt::StopLoss));
}

fn markets() -> impl Strategy<Value = Market> {
    let reserve = 1_000_000_000u128..1 << 60;
    (reserve, 5_000u128..20_000, 1u128 << 55..1 << 62, 0u128..=100, 0u128..=100).prop_map(
        |(tao, price_bps, nav_e18, pair_fee_bps, index_fee_bps)| Market {
            nav_e18,
            tao,
            index_tokens: mul_div_floor(tao, UNIT_SCALE / 10_000 * price_bps, nav_e18).unwrap(),
            pair_fee_bps,
            index_fee_bps,
            gas: 0,
        },
    )
}

fn gain(outcome: Result<Outcome, ArbitrageError>) -> BigInt {
    let Ok(outcome) = outcome else {
        return BigInt::ZERO;
    };
    BigInt::from(outcome.received) - outcome.spent
}

proptest! {
    #[test]
    fn the_spread_matches_big_rationals(price in 0u128..1 << 100, nav in 1u128..1 << 100) {
        let exact = (BigInt::from(price) - nav) * 10_000;
        let exact = Ratio::new(exact, BigInt::from(nav)).trunc().to_integer();
        prop_assert_eq!(BigInt::from(spread_bps_toward_zero(price, nav).unwrap()), exact);
    }

    #[test]
    fn no_other_size_earns_more_than_the_best(
        market in markets(), other in 1u128..1 << 70, near in 9_000u128..11_000,
    ) {
        // Three units of TAO are what roundings can hide.
        let tokens = market.best_mint_floor().unwrap();
        let best = gain(market.mint_and_sell(tokens)) + 3;
        for other in [other, (tokens / 10_000 * near).max(1)] {
            prop_assert!(gain(market.mint_and_sell(other)) <= best);
        }
        let tao = market.best_buy_floor().unwrap();
        let best = gain(market.buy_and_redeem(tao)) + 3;
        for other in [other, (tao / 10_000 * near).max(1)] {
            prop_assert!(gain(market.buy_and_redeem(other)) <= best);
        }
    }

    #[test]
    fn a_plan_stays_within_its_limits_and_earns(
        market in markets(), tao in 0u128..1 << 40, basket in 0u128..1 << 40, gas in 0u128..1 << 24,
    ) {
        let market = Market { gas, ..market };
        let wallet = Wallet { tao, basket, index: 0 };
        let Some(plan) = planned(&market, &wallet) else {
            return Ok(());
        };
        prop_assert!(plan.outcome.profit().is_some());
        let value = plan.outcome.spent - gas;
        prop_assert!((TAO / 10..=10 * TAO + 1).contains(&value));
        let (has, earns) = match plan.action {
            Action::MintAndSell { tokens } => (basket, market.mint_and_sell(tokens)),
            Action::BuyAndRedeem { tao: amount } => (tao, market.buy_and_redeem(amount)),
        };
        prop_assert!(value <= has / 10 * 8 + 9);
        prop_assert_eq!(earns, Ok(plan.outcome));
        let mints = matches!(plan.action, Action::MintAndSell { .. });
        prop_assert_eq!(mints, plan.spread_bps >= 50);
        prop_assert!(plan.spread_bps.abs() >= 50);
    }

    #[test]
    fn after_rebalancing_the_inventory_is_balanced(index in 0u128..1 << 90, tao in 0u128..1 << 90) {
        let wallet = Wallet { tao, basket: 0, index };
        if let Inventory::Rebalance { excess } = inventory(&wallet, &Limits::default()).unwrap() {
            let after = Wallet { tao: tao + excess, basket: 0, index: index - excess };
            prop_assert_eq!(inventory(&after, &Limits::default()), Ok(Inventory::Balanced));
            prop_assert!(BigUint::from(index) * 10u32 >= BigUint::from(index + tao) * 8u32);
        }
    }
}

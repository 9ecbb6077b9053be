use super::*;
use proptest::prelude::*;

const POOL: Pool = Pool { a: 1_000_000, b: 4_000_000, shares: 2_000_000 };

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

#[test]
fn each_side_trades_against_the_other() {
    assert_eq!(POOL.out_floor(Side::A, 1_000, 30), Ok(3_984));
    assert_eq!(POOL.in_ceil(Side::A, 3_984, 30), Ok(1_000));
    let sold = POOL.after_trade(Side::A, 1_000, 3_984).unwrap();
    assert_eq!(sold, Pool { a: 1_001_000, b: 3_996_016, shares: 2_000_000 });
    // 3,988 after the fee: 3,988 · 1,000,000 / (4,000,000 + 3,988) = 996.007…
    assert_eq!(POOL.out_floor(Side::B, 4_000, 30), Ok(996));
    let bought = POOL.after_trade(Side::B, 4_000, 996).unwrap();
    assert_eq!(bought, Pool { a: 999_004, b: 4_004_000, shares: 2_000_000 });
}

#[test]
fn more_than_there_is_does_not_leave_the_pool() {
    let overflow = PairError::Math(MathError::Overflow);
    assert_eq!(POOL.after_trade(Side::A, 1, 4_000_001), Err(overflow));
    assert_eq!(POOL.after_trade(Side::A, MAX_RESERVE, 1), Err(PairError::ReserveTooLarge));
    assert_eq!(POOL.after_withdrawal(2_000_001, 0, 0), Err(MathError::Overflow));
    assert_eq!(POOL.after_withdrawal(0, 1_000_001, 0), Err(MathError::Overflow));
    let left = Pool { a: 500_000, b: 2_000_000, shares: 1_000_000 };
    assert_eq!(POOL.after_withdrawal(1_000_000, 500_000, 2_000_000), Ok(left));
}

#[test]
fn the_sum_of_prices_grows_by_price_times_time() {
    // One index token (18 decimals) for two TAO (9 decimals).
    let pool = Pool { a: 10u128.pow(18), b: 2 * 10u128.pow(9), shares: 1 };
    let start = PriceSum { cumulative_e18: 5, time_ms: 1_000 };
    let after = start.at(&pool, 1_010);
    assert_eq!(after, PriceSum { cumulative_e18: 5 + 20 * 10u128.pow(18), time_ms: 1_010 });
    assert_eq!(after.at(&pool, 1_010), after, "no time, no price");
    let empty = PriceSum::default().at(&Pool::default(), 7);
    assert_eq!(empty, PriceSum { cumulative_e18: 0, time_ms: 7 });
}

#[test]
fn a_price_beyond_telling_stops_nothing() {
    let dear = Pool { a: 1, b: MAX_RESERVE, shares: 1 };
    assert_eq!(dear.price_e18_floor(), Err(PairError::Math(MathError::Overflow)));
    let sum = PriceSum::default().at(&dear, 1);
    assert_eq!(sum, PriceSum { cumulative_e18: u128::MAX, time_ms: 1 });
    assert_eq!(sum.at(&dear, 3), PriceSum { cumulative_e18: u128::MAX - 2, time_ms: 3 });
}

proptest! {
    #[test]
    fn no_trade_lowers_the_product_or_empties_a_side(
        a in 1u128..1 << 100, b in 1u128..1 << 100, amount in 1u128..1 << 100,
        paid_in in side(), fee in 0u128..=100,
    ) {
        let pool = Pool { a, b, shares: 1 };
        if let Ok(out) = pool.out_floor(paid_in, amount, fee) {
            let after = pool.after_trade(paid_in, amount, out).unwrap();
            prop_assert!(keeps_product((a, b), (after.a, after.b)));
            prop_assert!(after.a > 0 && after.b > 0);
        }
        if let Ok(needed) = pool.in_ceil(paid_in, amount, fee) {
            let after = pool.after_trade(paid_in, needed, amount).unwrap();
            prop_assert!(keeps_product((a, b), (after.a, after.b)));
            prop_assert!(after.a > 0 && after.b > 0);
        }
    }

    #[test]
    fn a_withdrawal_never_empties_a_side(
        a in 1u128..1 << 100, b in 1u128..1 << 100, pick: u128,
    ) {
        let Ok(first) = Pool::default().deposit(a, b) else {
            return Ok(());
        };
        let pool = Pool::default().after_deposit(&first).unwrap();
        let shares = pick % first.shares + 1;
        let (out_a, out_b) = pool.withdrawal_floor(shares).unwrap();
        let left = pool.after_withdrawal(shares, out_a, out_b).unwrap();
        prop_assert!(left.a > 0 && left.b > 0 && left.shares >= MINIMUM_LIQUIDITY);
    }

    #[test]
    fn the_average_of_known_prices_is_their_weighted_mean(
        prices in proptest::collection::vec((1u128..1 << 40, 1u64..1_000_000), 1..6),
        start: u128,
    ) {
        let begin = PriceSum { cumulative_e18: start, time_ms: 0 };
        let (mut sum, mut weighted, mut total) = (begin, 0u128, 0u64);
        for (tao, elapsed) in prices {
            let pool = Pool { a: 10u128.pow(18), b: tao, shares: 1 };
            total += elapsed;
            sum = sum.at(&pool, total);
            weighted += pool.price_e18_floor().unwrap() * u128::from(elapsed);
        }
        let average = average_e18_floor(begin.cumulative_e18, sum.cumulative_e18, total).unwrap();
        prop_assert_eq!(average, weighted / u128::from(total));
    }
}

use super::*;
use num_bigint::BigUint;
use num_rational::Ratio;
use proptest::prelude::*;

const POOL: Pool = Pool { a: 1_000_000, b: 4_000_000, shares: 2_000_000 };

fn reserve() -> impl Strategy<Value = u128> {
    prop_oneof![1u128..1_000, 1u128..1 << 60, 1..=MAX_RESERVE]
}

#[test]
fn a_trade_by_hand() {
    // 1,000 in, 997 after the fee: 997 · 4,000,000 / (1,000,000 + 997) = 3,984.03…
    assert_eq!(amount_out_floor(1_000, 1_000_000, 4_000_000, 30), Ok(3_984));
    assert_eq!(amount_in_ceil(3_984, 1_000_000, 4_000_000, 30), Ok(1_000));
    assert_eq!(amount_in_ceil(3_985, 1_000_000, 4_000_000, 30), Ok(1_001));
}

#[test]
fn what_cannot_be_traded_has_its_own_error() {
    assert_eq!(amount_out_floor(0, 1, 1, 30), Err(PoolError::ZeroAmount));
    assert_eq!(amount_in_ceil(0, 1, 1, 30), Err(PoolError::ZeroAmount));
    assert_eq!(amount_out_floor(1, 1_000, 10, 30), Err(PoolError::ZeroAmount), "all rounded away");
    assert_eq!(amount_out_floor(1, 0, 1, 30), Err(PoolError::InsufficientLiquidity));
    assert_eq!(amount_out_floor(1, 1, 0, 30), Err(PoolError::InsufficientLiquidity));
    assert_eq!(amount_in_ceil(9, 5, 9, 30), Err(PoolError::InsufficientLiquidity));
    assert_eq!(amount_out_floor(9, 5, 9, 101), Err(PoolError::FeeTooHigh));
    assert_eq!(amount_in_ceil(1, 5, 9, 101), Err(PoolError::FeeTooHigh));
    assert_eq!(amount_out_floor(1, MAX_RESERVE, 9, 0), Err(PoolError::ReserveTooLarge));
    assert_eq!(amount_out_floor(1, 1, MAX_RESERVE + 1, 0), Err(PoolError::ReserveTooLarge));
    let max = MAX_RESERVE;
    assert_eq!(amount_in_ceil(max - 1, max, max, 100), Err(PoolError::Math(MathError::Overflow)));
    assert_eq!(amount_in_ceil(max / 2 + 1, max, max, 0), Err(PoolError::ReserveTooLarge));
    assert!(amount_out_floor(max / 2, max / 2, max, 100).is_ok(), "nothing overflows below");
}

#[test]
fn the_first_deposit_locks_a_minimum() {
    let empty = Pool::default();
    let first = empty.deposit(1_000_000, 4_000_000).unwrap();
    assert_eq!(first, Deposit { a: 1_000_000, b: 4_000_000, shares: 1_999_000, locked: 1_000 });
    assert_eq!(empty.after_deposit(&first), Ok(POOL));
    assert_eq!(empty.deposit(1_000, 1_000), Err(PoolError::ZeroAmount));
    assert_eq!(empty.deposit(1_001, 1_001).map(|first| first.shares), Ok(1));
    assert_eq!(empty.deposit(0, 5), Err(PoolError::ZeroAmount));
    assert_eq!(empty.deposit(MAX_RESERVE + 1, 5_000_000), Err(PoolError::ReserveTooLarge));
    assert!(empty.deposit(MAX_RESERVE, MAX_RESERVE).is_ok());
}

#[test]
fn a_later_deposit_takes_no_more_than_its_shares_need() {
    assert_eq!(
        POOL.deposit(10, 1_000_000),
        Ok(Deposit { a: 10, b: 40, shares: 20, locked: 0 }),
        "the first token is the scarce one"
    );
    let crooked = Pool { a: 7, b: 1_000_003, shares: 2_000 };
    assert_eq!(
        crooked.deposit(1, 1_000_000),
        Ok(Deposit { a: 1, b: 142_501, shares: 285, locked: 0 })
    );
    let any = u128::MAX;
    assert_eq!(POOL.deposit(10, any), Ok(Deposit { a: 10, b: 40, shares: 20, locked: 0 }));
    let crooked_any = crooked.deposit(any, 142_501).unwrap();
    assert_eq!(crooked_any, Deposit { a: 1, b: 142_501, shares: 285, locked: 0 });
    assert_eq!(POOL.deposit(any, any), Err(PoolError::ReserveTooLarge), "two tokens for a share");
    let level = Pool { a: 1_000, b: 1_000, shares: 2_000 };
    assert_eq!(level.deposit(any, any), Err(PoolError::Math(MathError::Overflow)));
    assert_eq!(POOL.deposit(0, any), Err(PoolError::ZeroAmount));
    assert_eq!(POOL.deposit(0, 1_000), Err(PoolError::ZeroAmount));
    assert_eq!(Pool { a: 0, ..POOL }.deposit(1, 1), Err(PoolError::InsufficientLiquidity));
}

#[test]
fn the_locked_shares_stay() {
    assert_eq!(POOL.withdrawal_floor(1_999_000), Ok((999_500, 3_998_000)));
    assert_eq!(POOL.withdrawal_floor(1_999_001), Err(PoolError::InsufficientLiquidity));
    assert_eq!(POOL.withdrawal_floor(0), Err(PoolError::ZeroAmount));
    assert_eq!(Pool::default().withdrawal_floor(1), Err(PoolError::InsufficientLiquidity));
}

#[test]
fn a_price_weighs_by_the_time_it_stood() {
    assert_eq!(price_e18_floor(3_000_000_000, 2 * ONE_E18), Ok(3 * ONE_E18 / 2));
    assert_eq!(price_e18_floor(1, 0), Err(PoolError::InsufficientLiquidity));
    let start = u128::MAX - 5;
    let sum = cumulate_e18(cumulate_e18(start, 100, 3), 200, 1);
    assert_eq!(average_e18_floor(start, sum, 4), Ok(125), "also across the wrap");
    assert_eq!(average_e18_floor(1, 1, 0), Err(MathError::DivisionByZero));
}

proptest! {
    #[test]
    fn what_comes_out_matches_big_rationals(
        amount in reserve(), a in reserve(), b in reserve(), fee in 0u128..=100,
    ) {
        let paid = Ratio::new(BigUint::from(amount) * (10_000 - fee), BigUint::from(10_000u32));
        let whole = Ratio::from(BigUint::from(a)) + &paid;
        let exact = (paid * BigUint::from(b) / whole).floor().to_integer();
        let exact = u128::try_from(exact).unwrap();
        match amount_out_floor(amount, a, b, fee) {
            Ok(out) => {
                prop_assert_eq!(out, exact);
                prop_assert!(out < b);
                prop_assert!(keeps_product((a, b), (a + amount, b - out)));
            }
            Err(PoolError::ZeroAmount) => prop_assert_eq!(exact, 0),
            Err(error) => {
                prop_assert_eq!(error, PoolError::ReserveTooLarge);
                prop_assert!(a + amount > MAX_RESERVE);
            }
        }
    }

    #[test]
    fn what_must_be_paid_is_the_least_that_buys_it(
        out in reserve(), a in reserve(), b in reserve(), fee in 0u128..=100,
    ) {
        let Ok(needed) = amount_in_ceil(out, a, b, fee) else {
            return Ok(());
        };
        prop_assert!(amount_out_floor(needed, a, b, fee).unwrap() >= out);
        prop_assert!(keeps_product((a, b), (a + needed, b - out)));
        if needed > 1 {
            let less = amount_out_floor(needed - 1, a, b, fee).unwrap_or(0);
            prop_assert!(less < out, "{} buys {}", needed - 1, less);
        }
    }

    #[test]
    fn buying_and_selling_back_never_gains(
        amount in reserve(), a in reserve(), b in reserve(), fee in 0u128..=100,
    ) {
        if let Ok(out) = amount_out_floor(amount, a, b, fee) {
            let back = amount_out_floor(out, b - out, a + amount, fee).unwrap_or(0);
            prop_assert!(back <= amount);
        }
    }

    #[test]
    fn shares_are_never_diluted_and_deposits_never_gain(
        (a, b) in (2u128..1 << 80, 2u128..1 << 80),
        (more_a, more_b) in (1u128..1 << 80, 1u128..1 << 80),
        part in 1u128..=10_000,
    ) {
        let Ok(first) = Pool::default().deposit(a, b) else {
            return Ok(());
        };
        let pool = Pool::default().after_deposit(&first).unwrap();
        let Ok(deposit) = pool.deposit(more_a, more_b) else {
            return Ok(());
        };
        prop_assert!(deposit.a <= more_a && deposit.b <= more_b);
        let after = pool.after_deposit(&deposit).unwrap();
        prop_assert!(product(after.a, pool.shares) >= product(pool.a, after.shares));
        prop_assert!(product(after.b, pool.shares) >= product(pool.b, after.shares));
        let shares = (deposit.shares * part / 10_000).max(1);
        let (out_a, out_b) = after.withdrawal_floor(shares).unwrap();
        prop_assert!(out_a <= deposit.a && out_b <= deposit.b);
        let (left_a, left_b, left) = (after.a - out_a, after.b - out_b, after.shares - shares);
        prop_assert!(product(left_a, after.shares) >= product(after.a, left));
        prop_assert!(product(left_b, after.shares) >= product(after.b, left));
    }

    #[test]
    fn the_first_shares_are_the_root_of_the_product(a in 1..=MAX_RESERVE, b in 1..=MAX_RESERVE) {
        let root = u128::try_from((BigUint::from(a) * b).sqrt()).unwrap();
        let shares = Pool::default().deposit(a, b).map(|first| first.shares + first.locked);
        prop_assert_eq!(shares, if root > 1_000 { Ok(root) } else { Err(PoolError::ZeroAmount) });
    }
}

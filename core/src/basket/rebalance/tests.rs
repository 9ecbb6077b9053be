use super::*;
use crate::fixed::split_largest_remainder;
use alloc::vec;
use alloc::vec::Vec;
use num_bigint::BigUint;
use proptest::prelude::*;

const ONE: u128 = 1_000_000_000_000_000_000;

fn holding(token: u8, weight_bps: u16, price_e18: u128, amount: u128) -> Holding {
    let netuid = token.into();
    Holding { token: Account([token; 32]), netuid, weight_bps, price_e18, amount, unpriced_ms: 0 }
}

/// 1,000 in value, of which 300, 500 and 200, where 500, 300 and 200 are wanted.
fn three() -> Vec<Holding> {
    vec![
        holding(1, 5_000, 2 * ONE, 150),
        holding(2, 3_000, ONE / 2, 1_000),
        holding(3, 2_000, ONE, 200),
    ]
}

/// The age at which nothing is left to the index: 200 of 220 bps have fallen.
const FAIR: u64 = STALENESS_MS * 10 / 11 + 1;

fn swap(give: u8, amount: u128, take: u8) -> Result<u128, BasketError> {
    swap_floor(&mut three(), &Account([give; 32]), amount, &Account([take; 32]), FAIR)
}

#[test]
fn what_is_too_little_is_given_for_what_is_too_much() {
    let mut holdings = three();
    assert_eq!(swap_room_floor(&holdings, &Account([1; 32]), &Account([2; 32]), FAIR), Ok(99));
    assert_eq!(swap_floor(&mut holdings, &Account([1; 32]), 100, &Account([2; 32]), FAIR), Ok(400));
    let amounts: Vec<u128> = holdings.iter().map(|holding| holding.amount).collect();
    assert_eq!(amounts, [250, 600, 200]);
    let again = swap_floor(&mut holdings, &Account([1; 32]), 1, &Account([2; 32]), FAIR);
    assert_eq!(again, Err(BasketError::NotBelowTarget), "exactly at its target");
}

#[test]
fn a_wrong_swap_is_refused() {
    assert_eq!(swap(1, 101, 2), Err(BasketError::CrossesTarget));
    assert_eq!(swap(2, 1, 1), Err(BasketError::NotBelowTarget));
    assert_eq!(swap(1, 1, 1), Err(BasketError::NotAboveTarget));
    assert_eq!(swap(1, 1, 3), Err(BasketError::NotAboveTarget));
    assert_eq!(swap(9, 1, 2), Err(BasketError::UnknownToken));
    assert_eq!(swap(1, 1, 9), Err(BasketError::UnknownToken));
    assert_eq!(swap(1, 0, 2), Err(BasketError::ZeroAmount));
    let mut holdings = three();
    holdings[1].price_e18 = 0;
    let unpriced = swap_floor(&mut holdings, &Account([2; 32]), 1, &Account([1; 32]), FAIR);
    assert_eq!(unpriced, Err(BasketError::NoPrice));
    let mut dear = three();
    dear[1].price_e18 = 900 * ONE;
    let nothing = swap_floor(&mut dear, &Account([1; 32]), 1, &Account([2; 32]), FAIR);
    assert_eq!(nothing, Err(BasketError::ZeroAmount), "worth less than one unit");
    dear[1] = holding(2, 3_000, u128::MAX, u128::MAX);
    let huge = swap_floor(&mut dear, &Account([1; 32]), 1, &Account([2; 32]), FAIR);
    assert_eq!(huge, Err(BasketError::Math(MathError::Overflow)));
}

#[test]
fn what_leaves_can_be_taken_down_to_nothing() {
    let mut holdings = vec![holding(1, 10_000, ONE, 10), holding(2, 0, 3 * ONE, 7)];
    assert_eq!(swap_room_floor(&holdings, &Account([1; 32]), &Account([2; 32]), FAIR), Ok(20));
    assert_eq!(swap_floor(&mut holdings, &Account([1; 32]), 21, &Account([2; 32]), FAIR), Ok(7));
    assert_eq!((holdings[0].amount, holdings[1].amount), (31, 0));
}

#[test]
fn the_spread_falls_in_a_straight_line_and_ends_as_a_bonus() {
    let taken = |age_ms| {
        let held = [holding(1, 10_000, ONE, 10), holding(2, 0, ONE, 1_000_000)];
        swap_floor(&mut held.clone(), &Account([1; 32]), 100_000, &Account([2; 32]), age_ms)
            .unwrap()
    };
    assert_eq!(taken(0), 98_000, "2 % stay");
    assert_eq!(taken(STALENESS_MS / 2), 99_100);
    assert_eq!(taken(STALENESS_MS), 100_200, "0.2 % on top");
    assert_eq!(taken(u64::MAX), 100_200, "and no more");
}

fn value(holdings: &[Holding]) -> BigUint {
    holdings.iter().map(|h| BigUint::from(h.amount) * h.price_e18).sum()
}

prop_compose! {
    fn baskets()(
        weights in prop::collection::vec(1u128..1_000, 2..=20),
        prices in prop::collection::vec(1u128..1 << 70, 20),
        amounts in prop::collection::vec(prop_oneof![0u128..100, 0u128..1 << 60], 20),
    ) -> Vec<Holding> {
        let weights = split_largest_remainder(BPS, &weights).unwrap();
        (0u8..).zip(weights).map(|(token, weight)| {
            let place = usize::from(token);
            holding(token, weight as u16, prices[place], amounts[place])
        }).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_basket_loses_at_most_the_last_bonus_and_no_side_crosses_its_target(
        before in baskets(),
        age in 0..=STALENESS_MS,
        give in any::<prop::sample::Index>(),
        take in any::<prop::sample::Index>(),
        share in 1u128..=1_100,
    ) {
        let (give, take) = (give.index(before.len()), take.index(before.len()));
        let (given, taken) = (before[give].token, before[take].token);
        let Ok(room) = swap_room_floor(&before, &given, &taken, age) else {
            return Ok(());
        };
        let amount = (room / 1_000).max(1) * share;
        let mut after = before.clone();
        let Ok(out) = swap_floor(&mut after, &given, amount, &taken, age) else {
            return Ok(());
        };
        prop_assert_eq!(after[give].amount, before[give].amount + amount);
        prop_assert_eq!(after[take].amount, before[take].amount - out);
        let paid = BigUint::from(amount) * before[give].price_e18;
        let bonus = if age >= FAIR { &paid * LAST_BONUS_BPS / 10_000u32 + 1u32 } else { 0u32.into() };
        prop_assert!(value(&after) + bonus >= value(&before));
        let full = &paid * (10_000 - SPREAD_BPS) / 10_000u32;
        let out_at_most = BigUint::from(out) * before[take].price_e18;
        prop_assert!(age > 0 || out_at_most <= full);
        let whole = value(&before);
        let scaled = |h: &Holding| BigUint::from(h.amount) * h.price_e18 * BPS;
        prop_assert!(scaled(&after[give]) <= &whole * before[give].weight_bps);
        prop_assert!(scaled(&after[take]) >= &whole * before[take].weight_bps);
    }

    #[test]
    fn the_stated_room_is_always_accepted(
        before in baskets(), pair in any::<(u8, u8)>(), age in 0..=STALENESS_MS,
    ) {
        let token = |place: u8| [place % before.len() as u8; 32];
        let (give, take) = (token(pair.0), token(pair.1));
        if let Ok(room) = swap_room_floor(&before, &Account(give), &Account(take), age) {
            let swapped = swap_floor(&mut before.clone(), &Account(give), room, &Account(take), age);
            let none = Err(BasketError::ZeroAmount);
            prop_assert!(swapped.is_ok() || swapped == none, "{swapped:?}");
        }
    }
}

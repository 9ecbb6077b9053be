use super::*;
use crate::hash::Native;
use crate::nav::{nav_e18_floor, Position};
use alloc::vec;
use num_bigint::BigUint;
use num_rational::Ratio;
use proptest::prelude::*;

fn candidate(netuid: u16, daily: u128) -> Candidate {
    Candidate { netuid, emission: [daily; EMISSION_DAYS] }
}

fn target(netuid: u16, weight_bps: u16) -> Target {
    Target { netuid, weight_bps }
}

#[test]
fn the_twenty_of_highest_emission_are_chosen_and_of_equals_the_lower_number() {
    let mut all: Vec<_> = (1..=25).rev().map(|netuid| candidate(netuid, 100)).collect();
    all[0].emission = [101; EMISSION_DAYS];
    let basket = select(&all).unwrap();
    let chosen: Vec<u16> = basket.iter().map(|target| target.netuid).collect();
    assert_eq!(chosen, [vec![25], (1..=19).collect()].concat());
    assert_eq!(check(&basket), Ok(()));
    // 504.74… and nineteen times 499.75…: fifteen units are left for the larger remainders.
    let weights: Vec<u16> = basket.iter().map(|target| target.weight_bps).collect();
    assert_eq!(weights, [vec![504], vec![500; 15], vec![499; 4]].concat());
}

#[test]
fn one_good_day_of_fourteen_counts_a_fourteenth() {
    let mut burst = candidate(2, 0);
    burst.emission[3] = 13;
    assert_eq!(select(&[burst, candidate(7, 1)]), Ok(vec![target(7, 5_185), target(2, 4_815)]));
}

#[test]
fn without_emission_there_is_no_basket() {
    assert_eq!(select(&[]), Err(BasketError::Empty));
    assert_eq!(select(&[candidate(1, 0)]), Err(BasketError::Empty));
    assert_eq!(select(&[candidate(1, 0), candidate(2, 5)]), Ok(vec![target(2, 10_000)]));
    assert_eq!(select(&[candidate(1, 3), candidate(1, 5)]), Err(BasketError::RepeatedSubnet));
    let overflow = Err(BasketError::Math(MathError::Overflow));
    assert_eq!(select(&[candidate(1, u128::MAX)]), overflow);
}

#[test]
fn foreign_weights_are_checked() {
    assert_eq!(check(&[target(1, 4_000), target(2, 6_000)]), Ok(()));
    assert_eq!(check(&[]), Err(BasketError::Empty));
    assert_eq!(check(&[target(1, 4_000), target(2, 6_001)]), Err(BasketError::WrongSum));
    assert_eq!(check(&[target(1, 4_000), target(1, 6_000)]), Err(BasketError::RepeatedSubnet));
    let many: Vec<_> = (0..21).map(|netuid| target(netuid, 500)).collect();
    assert_eq!(check(&many[..20]), Ok(()));
    assert_eq!(check(&many), Err(BasketError::TooLarge));
    assert_ne!(root::<Native>(&many[..20]), root::<Native>(&many[1..]));
}

#[test]
fn the_first_mint_goes_by_weights_and_is_worth_one_tao_a_token() {
    let targets = [target(1, 7_500), target(2, 2_500)];
    let prices = [ONE_E18 / 2, 2 * ONE_E18];
    let amounts = first_mint_amounts_ceil(&targets, &prices, 8 * ONE_E18).unwrap();
    assert_eq!(amounts, [12_000_000_000, 1_000_000_000]);
    assert_eq!(first_mint_amounts_ceil(&targets, &prices, 1), Ok(vec![1, 1]));
    assert_eq!(first_mint_amounts_ceil(&targets, &prices, 0), Err(BasketError::ZeroAmount));
    assert_eq!(first_mint_amounts_ceil(&targets, &prices[..1], 1), Err(BasketError::NoPrice));
    assert_eq!(first_mint_amounts_ceil(&targets, &[1, 0], 1), Err(BasketError::NoPrice));
    assert_eq!(first_mint_amounts_ceil(&targets[..1], &prices, 1), Err(BasketError::WrongSum));
}

#[test]
fn mints_round_up_and_redemptions_down() {
    assert_eq!(mint_amounts_ceil(&[10, 0, 7], 3, 1), Ok(vec![4, 0, 3]));
    assert_eq!(redeem_amounts_floor(&[10, 0, 7], 3, 1), Ok(vec![3, 0, 2]));
    assert_eq!(redeem_amounts_floor(&[10, 0, 7], 3, 3), Ok(vec![10, 0, 7]), "all is all");
}

#[test]
fn nothing_is_given_away() {
    assert_eq!(mint_amounts_ceil(&[0, 0], 3, 1), Err(BasketError::Unbacked));
    assert_eq!(mint_amounts_ceil(&[5], 0, 1), Err(BasketError::BeyondSupply));
    assert_eq!(mint_amounts_ceil(&[5], 1, 0), Err(BasketError::ZeroAmount));
    assert_eq!(redeem_amounts_floor(&[5], 3, 4), Err(BasketError::BeyondSupply));
    assert_eq!(redeem_amounts_floor(&[5], 3, 0), Err(BasketError::ZeroAmount));
    let overflow = Err(BasketError::Math(MathError::Overflow));
    assert_eq!(mint_amounts_ceil(&[u128::MAX], 1, 2), overflow);
}

#[test]
fn a_fee_is_at_most_one_percent_and_rounds_up() {
    assert_eq!(after_fee_floor(1_000, 0), Ok(1_000));
    assert_eq!(after_fee_floor(1_000, 10), Ok(999));
    assert_eq!(after_fee_floor(1_001, 10), Ok(999));
    assert_eq!(after_fee_floor(1_000, 101), Err(BasketError::FeeTooHigh));
    assert_eq!(after_fee_floor(1, 1), Err(BasketError::ZeroAmount));
    assert_eq!(after_fee_floor(0, 0), Err(BasketError::ZeroAmount));
}

fn plus(holdings: &[u128], amounts: &[u128]) -> Vec<u128> {
    holdings.iter().zip(amounts).map(|(holding, amount)| holding + amount).collect()
}

fn minus(holdings: &[u128], amounts: &[u128]) -> Vec<u128> {
    holdings.iter().zip(amounts).map(|(holding, amount)| holding - amount).collect()
}

prop_compose! {
    fn states()(
        holdings in prop::collection::vec(prop_oneof![0u128..50, 0u128..1 << 60], 1..=20),
        supply in prop_oneof![1u128..50, 1u128..1 << 80],
    ) -> (Vec<u128>, u128) {
        (holdings, supply)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn minting_and_redeeming_never_gains(
        (holdings, supply) in states(),
        tokens in prop_oneof![1u128..50, 1u128..1 << 60],
        fee in 0u128..=100,
    ) {
        prop_assume!(holdings.iter().any(|holding| *holding > 0));
        let Ok(credited) = after_fee_floor(tokens, fee) else {
            return Ok(());
        };
        let paid = mint_amounts_ceil(&holdings, supply, tokens).unwrap();
        let (held, minted) = (plus(&holdings, &paid), supply + credited);
        prop_assert!(keeps_backing((&holdings, supply), (&held, minted)));
        let Ok(redeemed) = after_fee_floor(credited, fee) else {
            return Ok(());
        };
        let back = redeem_amounts_floor(&held, minted, redeemed).unwrap();
        prop_assert!(back.iter().zip(&paid).all(|(back, paid)| back <= paid));
        let left = minus(&held, &back);
        prop_assert!(keeps_backing((&held, minted), (&left, minted - credited)));
    }

    #[test]
    fn redeeming_and_minting_again_never_gains(
        (holdings, supply) in states(), part in 1u128..10_000,
    ) {
        let tokens = (supply / 10_000 * part).max(1);
        prop_assume!(tokens < supply);
        let paid = redeem_amounts_floor(&holdings, supply, tokens).unwrap();
        let left = minus(&holdings, &paid);
        prop_assert!(keeps_backing((&holdings, supply), (&left, supply - tokens)));
        match mint_amounts_ceil(&left, supply - tokens, tokens) {
            Ok(cost) => prop_assert!(cost.iter().zip(&paid).all(|(cost, paid)| cost >= paid)),
            Err(error) => prop_assert_eq!(error, BasketError::Unbacked),
        }
    }

    #[test]
    fn many_small_redemptions_gain_nothing_over_a_large_one(
        (holdings, supply) in states(), parts in prop::collection::vec(1u128..2_000, 1..6),
    ) {
        let parts: Vec<u128> = parts.iter().map(|part| (supply / 10_000 * part).max(1)).collect();
        let total: u128 = parts.iter().sum();
        if total > supply {
            return Ok(());
        }
        let at_once = redeem_amounts_floor(&holdings, supply, total).unwrap();
        let (mut left, mut rest) = (holdings.clone(), supply);
        for part in parts {
            left = minus(&left, &redeem_amounts_floor(&left, rest, part).unwrap());
            rest -= part;
        }
        let received = minus(&holdings, &left);
        prop_assert!(received.iter().zip(&at_once).all(|(small, large)| small <= large));
    }
}

proptest! {
    #[test]
    fn a_basket_is_the_plain_ranking_with_weights_within_one_bps(
        emissions in prop::collection::vec(any::<[u64; EMISSION_DAYS]>(), 1..40),
        keep in prop::collection::vec(any::<bool>(), 40),
    ) {
        let candidates: Vec<_> = emissions
            .iter()
            .zip(keep)
            .enumerate()
            .map(|(netuid, (days, keep))| Candidate {
                netuid: netuid as u16,
                emission: days.map(|day| u128::from(day) * u128::from(keep)),
            })
            .collect();
        let mut plain: Vec<(BigUint, u16)> = candidates
            .iter()
            .map(|candidate| {
                let total = candidate.emission.iter().map(|day| BigUint::from(*day)).sum();
                (total, candidate.netuid)
            })
            .filter(|(total, _)| *total > BigUint::ZERO)
            .collect();
        plain.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        plain.truncate(20);
        let basket = select(&candidates);
        if plain.is_empty() {
            prop_assert_eq!(basket, Err(BasketError::Empty));
            return Ok(());
        }
        let basket = basket.unwrap();
        prop_assert_eq!(check(&basket), Ok(()));
        let whole: BigUint = plain.iter().map(|(total, _)| total).sum();
        prop_assert_eq!(basket.len(), plain.len());
        for (target, (total, netuid)) in basket.iter().zip(plain) {
            prop_assert_eq!(target.netuid, netuid);
            let floor = Ratio::new(total * 10_000u32, whole.clone()).floor().to_integer();
            let weight = BigUint::from(target.weight_bps);
            prop_assert!(weight == floor || weight == floor + 1u32);
        }
    }

    #[test]
    fn the_first_mint_is_worth_at_least_one_tao_a_token(
        weights in prop::collection::vec(1u128..1 << 60, 1..=20),
        prices in prop::collection::vec(1_000_000u128..1 << 80, 20),
        tokens in 1u128..1 << 90,
    ) {
        let weights = split_largest_remainder(BPS, &weights).unwrap();
        let targets: Vec<_> =
            (0u16..).zip(weights).map(|(netuid, weight)| target(netuid, weight as u16)).collect();
        let amounts = first_mint_amounts_ceil(&targets, &prices, tokens).unwrap();
        let positions: Vec<_> = amounts
            .iter()
            .zip(&prices)
            .map(|(holding, price_e18)| Position { holding: *holding, price_e18: *price_e18 })
            .collect();
        prop_assert!(nav_e18_floor(&positions, tokens).unwrap() >= ONE_E18);
        for ((amount, target), price) in amounts.iter().zip(&targets).zip(&prices) {
            let exact = BigUint::from(tokens) * target.weight_bps * 100_000u32;
            let exact = Ratio::new(exact, BigUint::from(*price)).ceil().to_integer();
            prop_assert_eq!(BigUint::from(*amount), exact);
        }
    }
}

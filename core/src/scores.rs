//! Scores of the miners in an epoch (requirements 004-18, 004-85), at scale 10⁹.
//!
//! W = 1.10 · minted + 1.00 · redeemed; V = W / max W; F = transactions / max transactions;
//! C = max(0, 1 − s / mean) over the epoch's hours; final = 0.7 V + 0.2 min(F, V) + 0.1 min(C, V):
//! many transactions or even hours count no more than what they moved.

use crate::activity::Activity;
use crate::fixed::{add, mul_div_floor, product, sub, sum, MathError};
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};
use primitive_types::{U256, U512};

/// One, at the scale of scores.
pub const ONE_E9: u128 = 1_000_000_000;

/// The score of one miner. All figures are rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Score {
    /// Who.
    pub miner: Account,
    /// W in tenths of a unit of TAO, which is exact.
    pub weighted_tenths: u128,
    /// V: weighted value against the highest.
    pub volume_e9: u128,
    /// F: transactions against the most.
    pub frequency_e9: u128,
    /// C: how even the hours are.
    pub consistency_e9: u128,
    /// The final score, from the three as they are here.
    pub final_e9: u128,
    /// When the miner was last active, in milliseconds since 1970: decides ties.
    pub last_ms: u64,
    /// Whether it is registered for the whole epoch: only then it has a rank and a tier.
    pub registered: bool,
}

/// W: 1.10 for what was minted and 1.00 for what was redeemed, in tenths of a unit; exact.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn weighted_tenths(minted: u128, redeemed: u128) -> Result<u128, MathError> {
    add(mul_div_floor(minted, 11, 1)?, mul_div_floor(redeemed, 10, 1)?)
}

/// C = max(0, 1 − s / mean) of hourly values, rounded down, s being the sample standard deviation;
/// 0 with fewer than two hours or without any value.
///
/// The result is the greatest figure at this scale that is not above the exact one: with
/// `d = 1 − C`, the least `d` with `d² ≥ s² / mean² = n · (n · Σx² − S²) / ((n − 1) · S²)`.
///
/// # Errors
/// [`MathError::Overflow`] if the values sum to more than 128 bits.
pub fn consistency_e9_floor(hourly: &[u128]) -> Result<u128, MathError> {
    let total = sum(hourly.iter().copied())?;
    let hours = u128::try_from(hourly.len()).map_err(|_| MathError::Overflow)?;
    if hours < 2 || total == 0 {
        return Ok(0);
    }
    let squares = hourly.iter().try_fold(U256::zero(), |squares, value| {
        squares.checked_add(product(*value, *value)).ok_or(MathError::Overflow)
    })?;
    let spread = squares.full_mul(U256::from(hours));
    let square = product(total, total);
    let spread = spread.checked_sub(U512::from(square)).ok_or(MathError::Overflow)?;
    let scale = product(hours, ONE_E9.saturating_mul(ONE_E9));
    let above = spread.checked_mul(U512::from(scale)).ok_or(MathError::Overflow)?;
    let below = square.full_mul(U256::from(sub(hours, 1)?));
    let off = root_ceil(above, below)?;
    Ok(off.map_or(0, |off| ONE_E9.saturating_sub(off)))
}

/// `⌈√(above / below)⌉`; `None` beyond 128 bits.
fn root_ceil(above: U512, below: U512) -> Result<Option<u128>, MathError> {
    let quotient = above.checked_div(below).ok_or(MathError::DivisionByZero)?;
    let exact = above.checked_rem(below).is_none_or(|rest| rest.is_zero());
    let root = quotient.integer_sqrt();
    let whole = exact && root.checked_mul(root) == Some(quotient);
    let Ok(root) = u128::try_from(root) else {
        return Ok(None);
    };
    Ok(root.checked_add(u128::from(!whole)))
}

/// The final score: 0.7 V + 0.2 min(F, V) + 0.1 min(C, V), rounded down.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn final_e9_floor(
    volume_e9: u128,
    frequency_e9: u128,
    consistency_e9: u128,
) -> Result<u128, MathError> {
    let volume = mul_div_floor(volume_e9, 7, 1)?;
    let frequency = mul_div_floor(frequency_e9.min(volume_e9), 2, 1)?;
    let consistency = consistency_e9.min(volume_e9);
    mul_div_floor(add(add(volume, frequency)?, consistency)?, 1, 10)
}

/// The scores of all miners, in the order of their activities; `registered` says who is so for the
/// whole epoch.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn scores(
    activities: &[Activity],
    registered: impl Fn(&Account) -> bool,
) -> Result<Vec<Score>, MathError> {
    let mut weighted = Vec::with_capacity(activities.len());
    for activity in activities {
        weighted.push(weighted_tenths(activity.minted, activity.redeemed)?);
    }
    let most = weighted.iter().copied().max().unwrap_or(0).max(1);
    let busiest = activities.iter().map(|activity| activity.transactions).max().unwrap_or(0).max(1);
    let score = |(activity, weighted_tenths): (&Activity, u128)| {
        let volume_e9 = mul_div_floor(weighted_tenths, ONE_E9, most)?;
        let transactions = u128::from(activity.transactions);
        let frequency_e9 = mul_div_floor(transactions, ONE_E9, u128::from(busiest))?;
        let consistency_e9 = consistency_e9_floor(&activity.hourly)?;
        Ok(Score {
            miner: activity.miner,
            weighted_tenths,
            volume_e9,
            frequency_e9,
            consistency_e9,
            final_e9: final_e9_floor(volume_e9, frequency_e9, consistency_e9)?,
            last_ms: activity.last_ms,
            registered: registered(&activity.miner),
        })
    };
    activities.iter().zip(weighted).map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use num_bigint::{BigInt, BigUint};
    use num_rational::Ratio;
    use proptest::prelude::*;

    fn activity(miner: u8, minted: u128, redeemed: u128, hourly: Vec<u128>) -> Activity {
        Activity {
            miner: Account([miner; 32]),
            minted,
            redeemed,
            transactions: 1,
            hourly,
            last_ms: 5,
        }
    }

    #[test]
    fn minting_weighs_a_tenth_more() {
        assert_eq!(weighted_tenths(100, 0), Ok(1_100));
        assert_eq!(weighted_tenths(1, 3), Ok(41));
        assert_eq!(weighted_tenths(u128::MAX, 0), Err(MathError::Overflow));
    }

    #[test]
    fn even_hours_are_consistent_and_bursts_are_not() {
        assert_eq!(consistency_e9_floor(&[5, 5, 5]), Ok(ONE_E9));
        assert_eq!(consistency_e9_floor(&[1, 2, 3]), Ok(ONE_E9 / 2), "s = 1, mean = 2");
        // s = √2/2 of mean 3/2: 1 − 0.4714045207910316…
        assert_eq!(consistency_e9_floor(&[1, 2]), Ok(528_595_479));
        // The square of the ratio is just above a square of the scale: rounding is seen only there.
        let one = U512::from(1);
        let square = U512::from(49);
        assert_eq!(root_ceil(square, one), Ok(Some(7)));
        assert_eq!(root_ceil(U512::from(99), U512::from(2)), Ok(Some(8)), "49 and a half");
        assert_eq!(root_ceil(U512::from(50), one), Ok(Some(8)));
        assert_eq!(root_ceil(U512::MAX, one), Ok(None));
        assert_eq!(root_ceil(one, U512::zero()), Err(MathError::DivisionByZero));
        assert_eq!(consistency_e9_floor(&[9, 0, 0, 0]), Ok(0), "idle hours count");
        assert_eq!(consistency_e9_floor(&[5]), Ok(0), "one hour has no deviation");
        assert_eq!(consistency_e9_floor(&[]), Ok(0));
        assert_eq!(consistency_e9_floor(&[0, 0]), Ok(0));
        assert_eq!(consistency_e9_floor(&[u128::MAX, 0]), Ok(0));
        assert_eq!(consistency_e9_floor(&[u128::MAX, 1]), Err(MathError::Overflow));
        let large = [u128::MAX / 744; 744];
        assert_eq!(consistency_e9_floor(&large), Ok(ONE_E9), "nothing overflows in between");
    }

    #[test]
    fn the_best_in_everything_has_one() {
        let best = activity(1, 100, 100, vec![100, 100]);
        let idle = Activity { transactions: 0, ..activity(2, 0, 0, vec![0, 0]) };
        let scores = scores(&[best, idle], |_| true).unwrap();
        assert_eq!((scores[0].final_e9, scores[1].final_e9), (ONE_E9, 0));
        assert_eq!(scores[0].weighted_tenths, 2_100);
        assert_eq!(super::scores(&[], |_| true), Ok(vec![]));
    }

    #[test]
    fn the_three_parts_weigh_seven_two_and_one() {
        assert_eq!(final_e9_floor(ONE_E9, 0, 0), Ok(700_000_000));
        assert_eq!(final_e9_floor(ONE_E9, ONE_E9, 0), Ok(900_000_000));
        assert_eq!(final_e9_floor(ONE_E9, 0, ONE_E9), Ok(800_000_000));
        assert_eq!(final_e9_floor(1, 1, 0), Ok(0));
    }

    #[test]
    fn dust_scores_like_dust_however_often_and_evenly_it_moves() {
        assert_eq!(final_e9_floor(0, ONE_E9, ONE_E9), Ok(0));
        let dust = final_e9_floor(1_000, ONE_E9, ONE_E9).unwrap();
        assert_eq!(dust, 1_000, "as much as its volume");
    }

    proptest! {
        #[test]
        fn consistency_is_the_greatest_figure_not_above_the_exact_one(
            hourly in prop::collection::vec(prop_oneof![0u128..10, 0u128..1 << 100], 2..30),
        ) {
            let total: u128 = hourly.iter().sum();
            prop_assume!(total > 0);
            let figure = consistency_e9_floor(&hourly).unwrap();
            prop_assert!(figure <= ONE_E9);
            // The variance by its definition, from each value's distance to the mean.
            let n = BigInt::from(hourly.len());
            let mean = Ratio::new(BigInt::from(total), n.clone());
            let square = |value: &u128| {
                let distance = Ratio::from(BigInt::from(*value)) - &mean;
                &distance * &distance
            };
            let squares = hourly.iter().map(square).fold(Ratio::from(BigInt::ZERO), |a, b| a + b);
            let exact = squares / (n - 1) / (&mean * &mean);
            let square_of = |off: u128| {
                let off = Ratio::new(BigInt::from(off), BigInt::from(ONE_E9));
                &off * &off
            };
            // 1 − figure is not below s / mean, and a figure greater by one would be.
            prop_assert!(figure == 0 || square_of(ONE_E9 - figure) >= exact);
            prop_assert!(figure == ONE_E9 || square_of(ONE_E9 - figure - 1) < exact);
        }

        #[test]
        fn final_scores_are_within_two_units_of_big_rationals(
            miners in prop::collection::vec((0u128..1 << 90, 0u128..1 << 90, 1u64..1_000), 1..20),
        ) {
            let activities: Vec<_> = miners
                .iter()
                .map(|(minted, redeemed, transactions)| Activity {
                    transactions: *transactions,
                    ..activity(1, *minted, *redeemed, vec![*minted, *redeemed])
                })
                .collect();
            let weighted = |minted: u128, redeemed: u128| {
                Ratio::new(BigUint::from(minted) * 11u32, BigUint::from(10u32))
                    + Ratio::from(BigUint::from(redeemed))
            };
            let most = miners.iter().map(|m| weighted(m.0, m.1)).max().unwrap();
            let busiest = miners.iter().map(|m| m.2).max().unwrap();
            prop_assume!(most > Ratio::from(BigUint::ZERO));
            let part = |numerator: u32| Ratio::new(BigUint::from(numerator), BigUint::from(10u32));
            for (score, miner) in scores(&activities, |_| true).unwrap().iter().zip(&miners) {
                let volume = weighted(miner.0, miner.1) / &most;
                let frequency = Ratio::new(BigUint::from(miner.2), BigUint::from(busiest));
                let even = Ratio::new(BigUint::from(score.consistency_e9), BigUint::from(ONE_E9));
                let (frequency, even) = (frequency.min(volume.clone()), even.min(volume.clone()));
                let exact = volume * part(7) + frequency * part(2) + even * part(1);
                let exact = (exact * BigUint::from(ONE_E9)).floor().to_integer();
                let exact = u128::try_from(exact).unwrap();
                prop_assert!(score.final_e9 <= exact && exact - score.final_e9 <= 1);
                prop_assert!(score.final_e9 <= ONE_E9);
            }
        }
    }
}

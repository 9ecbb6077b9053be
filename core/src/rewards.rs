//! Rewards of an epoch, their Merkle claims, and figures of fairness (requirement 004-rewards).
//!
//! A pool is split 70 / 25 / 5 into base, bonus and validators. Nothing is lost: what is paid and
//! what is carried to the next epoch sum to the pool.

use crate::fixed::{
    add, mul_div_floor, product, split_largest_remainder, sub, sum, MathError, BPS,
};
use crate::hash::{Digest, Hasher};
use crate::merkle;
use crate::scores::Score;
use crate::Account;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use parity_scale_codec::{Decode, Encode};
use primitive_types::U256;

mod agreed;
mod award;
mod registration;

pub use agreed::{FormError, Proposal, Settled};
pub use award::{
    emission_notice_ms, is_epoch_length, starts_soon, Award, AwardError, AwardState, Bounds,
    Emission, LONGEST_EPOCH_MS, MAX_CLAIMS, MAX_EPOCH_MS, MAX_PROOF,
};
pub use registration::{is_bond, Registration, MIN_UNBONDING_MS};

/// Parts of the pool in per cent: base, bonus, validators.
const POOLS: [u128; 3] = [70, 25, 5];

/// How many times a miner's base its bonus may be.
pub const MAX_BONUS: u128 = 2;

/// A place of honour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Tier {
    /// Rank 1: 40 % of the bonus.
    Diamond,
    /// Rank 2: 25 %.
    Platinum,
    /// Ranks 3 to 5: 20 %.
    Gold,
    /// Ranks 6 to 10: 10 %.
    Silver,
    /// Ranks 11 to 20: 5 %.
    Bronze,
}

impl Tier {
    /// All, from the top.
    pub const ALL: [Self; 5] =
        [Self::Diamond, Self::Platinum, Self::Gold, Self::Silver, Self::Bronze];

    /// Its part of the bonus, in per cent.
    pub fn percent(self) -> u128 {
        match self {
            Self::Diamond => 40,
            Self::Platinum => 25,
            Self::Gold => 20,
            Self::Silver => 10,
            Self::Bronze => 5,
        }
    }

    /// How many ranks it has.
    pub fn places(self) -> usize {
        match self {
            Self::Diamond | Self::Platinum => 1,
            Self::Gold => 3,
            Self::Silver => 5,
            Self::Bronze => 10,
        }
    }
}

/// What one miner gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Placement {
    /// Who.
    pub miner: Account,
    /// Place among the registered, from 1; none for others.
    pub rank: Option<u32>,
    /// The tier of that place.
    pub tier: Option<Tier>,
    /// Part of the base.
    pub base: u128,
    /// Part of the bonus.
    pub bonus: u128,
}

/// A validator in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Validator {
    /// The account that is paid.
    pub account: Account,
    /// Its stake, in units of TAO.
    pub stake: u128,
    /// The part of the epoch's reports in which it observed, in bps.
    pub participation_bps: u16,
}

/// An amount for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Payout {
    /// Who is paid.
    pub account: Account,
    /// How much.
    pub amount: u128,
}

/// The rewards of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// The miners in order of rank.
    pub placements: Vec<Placement>,
    /// The validators' pay, in order of weight.
    pub validators: Vec<Payout>,
    /// What nobody could get: the pool of the next epoch begins with it.
    pub carried: u128,
}

impl Distribution {
    /// Carries what is for accounts that get no leaf: those in `before` have one, and so many more
    /// can be made that there are at most `most`, the largest amounts first, then the lower address.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn fit(&mut self, before: &[Claim], most: u32) -> Result<(), MathError> {
        let known: BTreeSet<Account> = before.iter().map(|claim| claim.account).collect();
        let mut fresh = self.payouts()?;
        fresh.retain(|payout| !known.contains(&payout.account));
        let most = usize::try_from(most).map_err(|_| MathError::Overflow)?;
        let room = most.saturating_sub(known.len());
        if fresh.len() <= room {
            return Ok(());
        }
        fresh.sort_unstable_by_key(|payout| (Reverse(payout.amount), payout.account));
        let out: BTreeSet<Account> = fresh.iter().skip(room).map(|one| one.account).collect();
        let all = sum(fresh.iter().skip(room).map(|payout| payout.amount))?;
        self.carried = add(self.carried, all)?;
        for place in self.placements.iter_mut().filter(|place| out.contains(&place.miner)) {
            (place.base, place.bonus) = (0, 0);
        }
        for paid in self.validators.iter_mut().filter(|paid| out.contains(&paid.account)) {
            paid.amount = 0;
        }
        Ok(())
    }

    /// All that is paid, one amount for an account, in order of addresses, nothing of 0.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn payouts(&self) -> Result<Vec<Payout>, MathError> {
        let mut amounts: BTreeMap<Account, u128> = BTreeMap::new();
        let miners = self.placements.iter().map(|place| (place.miner, [place.base, place.bonus]));
        let validators = self.validators.iter().map(|paid| (paid.account, [paid.amount, 0]));
        for (account, parts) in miners.chain(validators) {
            let amount = amounts.entry(account).or_default();
            *amount = add(*amount, sum(parts)?)?;
        }
        let paid = amounts.into_iter().filter(|(_, amount)| *amount > 0);
        Ok(paid.map(|(account, amount)| Payout { account, amount }).collect())
    }
}

/// Splits a pool into base, bonus and validators' part.
///
/// # Errors
/// [`MathError`].
pub fn pools(total: u128) -> Result<[u128; 3], MathError> {
    let parts = split_largest_remainder(total, &POOLS)?;
    parts.try_into().map_err(|_| MathError::Overflow)
}

/// The order of reward: who is registered first; then final score descending, earlier last activity,
/// lower address. Who moved nothing has no place.
pub fn rank(scores: &[Score]) -> Vec<Score> {
    let mut ranked: Vec<Score> = scores.iter().filter(|s| s.weighted_tenths > 0).copied().collect();
    ranked.sort_unstable_by_key(|score| {
        (Reverse(score.registered), Reverse(score.final_e9), score.last_ms, score.miner)
    });
    ranked
}

/// The rewards of an epoch from a pool of `total`, what was carried into it included.
///
/// Base in proportion to W, so that a split account gets no unit more than one; bonus by tiers to who
/// is registered, in each in proportion to the score, at most [`MAX_BONUS`] times the base of who
/// gets it; validators by stake × participation; all by largest remainder. What has no taker (an
/// empty tier; what is above that; the base without miners; the validators' part if none took
/// part) is carried.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn distribute(
    total: u128,
    scores: &[Score],
    validators: &[Validator],
) -> Result<Distribution, MathError> {
    let [base, bonus, for_validators] = pools(total)?;
    let ranked = rank(scores);
    let finals: Vec<u128> =
        ranked.iter().take_while(|score| score.registered).map(|score| score.final_e9).collect();
    let weighted: Vec<u128> = ranked.iter().map(|score| score.weighted_tenths).collect();
    let (bases, no_base) = split_or_carry(base, &weighted)?;
    let (mut bonuses, no_bonus) = bonuses(bonus, &finals)?;
    let mut cut = 0;
    for (base, bonus) in bases.iter().zip(&mut bonuses) {
        let most = mul_div_floor(*base, MAX_BONUS, 1)?.min(*bonus);
        cut = add(cut, sub(*bonus, most)?)?;
        *bonus = most;
    }
    let (validators, no_validators) = pay_validators(for_validators, validators)?;
    let tiers = Tier::ALL.into_iter().flat_map(|tier| vec![Some(tier); tier.places()]);
    let tiers = tiers.chain(core::iter::repeat(None));
    let places = (1u32..).zip(tiers).zip(&bonuses);
    let mut places = places.map(|((rank, tier), bonus)| (Some(rank), tier, *bonus));
    let placement = |(score, base): (&Score, &u128)| {
        let (rank, tier, bonus) = places.next().unwrap_or_default();
        Placement { miner: score.miner, rank, tier, base: *base, bonus }
    };
    Ok(Distribution {
        placements: ranked.iter().zip(&bases).map(placement).collect(),
        validators,
        carried: sum([no_base, no_bonus, cut, no_validators])?,
    })
}

/// The parts, and what is carried because there is no weight.
fn split_or_carry(total: u128, weights: &[u128]) -> Result<(Vec<u128>, u128), MathError> {
    if weights.iter().all(|weight| *weight == 0) {
        return Ok((vec![0; weights.len()], total));
    }
    Ok((split_largest_remainder(total, weights)?, 0))
}

/// The bonus of each rank, and what is carried for empty tiers.
fn bonuses(total: u128, finals: &[u128]) -> Result<(Vec<u128>, u128), MathError> {
    let shares = split_largest_remainder(total, &Tier::ALL.map(Tier::percent))?;
    let mut parts = Vec::with_capacity(finals.len());
    let mut carried = 0;
    let mut below = finals;
    for (tier, share) in Tier::ALL.into_iter().zip(shares) {
        let (members, rest) = below.split_at(tier.places().min(below.len()));
        let (inside, left) = split_or_carry(share, members)?;
        parts.extend(inside);
        carried = add(carried, left)?;
        below = rest;
    }
    parts.resize(finals.len(), 0);
    Ok((parts, carried))
}

fn pay_validators(total: u128, validators: &[Validator]) -> Result<(Vec<Payout>, u128), MathError> {
    let mut weighted = Vec::with_capacity(validators.len());
    for validator in validators {
        // Checked: 10,000 times any sensible stake is far below 2^128.
        let weight = mul_div_floor(validator.stake, validator.participation_bps.into(), 1)?;
        weighted.push((Reverse(weight), validator.account));
    }
    weighted.sort_unstable();
    let weights: Vec<u128> = weighted.iter().map(|(weight, _)| weight.0).collect();
    let (parts, carried) = split_or_carry(total, &weights)?;
    let paid = weighted.into_iter().zip(parts);
    Ok((paid.map(|((_, account), amount)| Payout { account, amount }).collect(), carried))
}

/// A leaf of the claims: what an account was awarded in all epochs together.
///
/// Cumulative, so that the newest root is enough to claim everything, and a claim is what the
/// leaf says less what was paid already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Claim {
    /// Who may claim.
    pub account: Account,
    /// All that it was ever awarded.
    pub cumulative: u128,
}

impl Claim {
    /// Its hash in the tree.
    pub fn leaf<H: Hasher>(&self) -> Digest {
        merkle::leaf_hash::<H>(&self.encode())
    }

    /// What is still to be paid, after `paid`.
    ///
    /// # Errors
    /// [`MathError::Overflow`] if more was paid than was awarded.
    pub fn due(&self, paid: u128) -> Result<u128, MathError> {
        sub(self.cumulative, paid)
    }
}

/// The claims after an epoch: those before it with its payouts added, in order of addresses.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn accumulate(before: &[Claim], payouts: &[Payout]) -> Result<Vec<Claim>, MathError> {
    let mut totals: BTreeMap<Account, u128> = BTreeMap::new();
    let old = before.iter().map(|claim| (claim.account, claim.cumulative));
    for (account, amount) in old.chain(payouts.iter().map(|paid| (paid.account, paid.amount))) {
        let total = totals.entry(account).or_default();
        *total = add(*total, amount)?;
    }
    let claims = totals.into_iter();
    Ok(claims.map(|(account, cumulative)| Claim { account, cumulative }).collect())
}

/// The hashes of claims, for [`merkle::root`] and [`merkle::prove`].
pub fn leaves<H: Hasher>(claims: &[Claim]) -> Vec<Digest> {
    claims.iter().map(Claim::leaf::<H>).collect()
}

/// The Gini coefficient of amounts in bps, rounded down: 0 if all are equal, or there are none.
///
/// `(2 · Σ i · xᵢ − (n + 1) · Σ x) / (n · Σ x)` over amounts in rising order, `i` from 1.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn gini_bps_floor(amounts: &[u128]) -> Result<u128, MathError> {
    let mut sorted = amounts.to_vec();
    sorted.sort_unstable();
    let total = sum(sorted.iter().copied())?;
    if total == 0 {
        return Ok(0);
    }
    let count = u128::try_from(sorted.len()).map_err(|_| MathError::Overflow)?;
    let weighted =
        sorted.iter().zip(1u128..).try_fold(U256::zero(), |weighted, (amount, place)| {
            weighted.checked_add(product(*amount, place)).ok_or(MathError::Overflow)
        })?;
    let above = weighted
        .checked_mul(U256::from(2))
        .and_then(|twice| twice.checked_sub(product(total, add(count, 1).ok()?)))
        .and_then(|spread| spread.checked_mul(U256::from(BPS)))
        .ok_or(MathError::Overflow)?;
    crate::fixed::div_floor(above, product(total, count))
}

/// The part of the ten largest amounts in bps, rounded down; 0 if there are none.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn top_ten_bps_floor(amounts: &[u128]) -> Result<u128, MathError> {
    let mut sorted = amounts.to_vec();
    sorted.sort_unstable_by_key(|amount| Reverse(*amount));
    let total = sum(sorted.iter().copied())?;
    if total == 0 {
        return Ok(0);
    }
    mul_div_floor(sum(sorted.into_iter().take(10))?, BPS, total)
}

#[cfg(test)]
mod award_tests;
#[cfg(test)]
mod tests;

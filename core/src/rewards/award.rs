//! The epochs of the rewards as the committee certifies them and the chain accepts them.
//!
//! Money that was paid in is in one of four places: free, carried into the next epoch, awarded
//! and not yet claimed, or paid. An epoch moves its pool from the first; nothing moves it back.

use super::{accumulate, distribute, leaves, Claim, Distribution, Validator};
use crate::activity::{HOUR_MS, MAX_HOURS};
use crate::fixed::{add, sub, MathError};
use crate::hash::{Digest, Hasher};
use crate::merkle;
use crate::ranking;
use crate::report::{Feed, FeedState, Report};
use crate::scores::Score;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The most claims under one root: a proof of one has at most [`MAX_PROOF`] hashes.
pub const MAX_CLAIMS: u32 = 1 << 20;

/// The longest proof of a claim.
pub const MAX_PROOF: usize = 20;

/// How far ahead the first epoch may begin, and how long a bond may stay, in milliseconds: 366 days.
pub const MAX_EPOCH_MS: u64 = 366 * 24 * 3_600_000;

/// The longest epoch that has scores, in milliseconds: [`MAX_HOURS`].
pub const LONGEST_EPOCH_MS: u64 = MAX_HOURS as u64 * HOUR_MS;

/// Whether no epoch may be shorter than this, in milliseconds: 1 to [`LONGEST_EPOCH_MS`]. No epoch
/// could be computed otherwise, and what is paid in would stay for ever.
pub fn is_epoch_length(min_epoch_ms: u64) -> bool {
    (1..=LONGEST_EPOCH_MS).contains(&min_epoch_ms)
}

/// How long before an epoch can begin its emission must be announced, in milliseconds: twice the
/// time that a bond stays.
pub fn emission_notice_ms(unbonding_ms: u64) -> u64 {
    unbonding_ms.saturating_mul(2)
}

/// Whether the first epoch may begin at `start_ms`: at most [`MAX_EPOCH_MS`] after `now_ms`, both
/// in milliseconds since 1970. It may lie in the past.
pub fn starts_soon(start_ms: u64, now_ms: u64) -> bool {
    start_ms <= now_ms.saturating_add(MAX_EPOCH_MS)
}

/// What an epoch awards: the content of a report, as one leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Award {
    /// The number of the epoch, from 1.
    pub epoch: u64,
    /// Its beginning, in milliseconds since 1970: the end of the one before.
    pub start_ms: u64,
    /// Its end, itself excluded.
    pub end_ms: u64,
    /// What the epoch takes of the free money.
    pub pool: u128,
    /// What the epoch before left over.
    pub carried_in: u128,
    /// What is awarded to accounts.
    pub awarded: u128,
    /// What nobody could get: the next epoch begins with it.
    pub carried_out: u128,
    /// The Merkle root of the claims after this epoch.
    pub claims_root: Digest,
    /// How many claims there are, at most [`MAX_CLAIMS`].
    pub claims: u32,
    /// The sum of all claims: what was ever awarded.
    pub total: u128,
    /// The digest of the ranking, [`crate::ranking::digest`].
    pub ranking: Digest,
}

/// What the next epoch follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct AwardState {
    /// The newest epoch; 0 before the first.
    pub epoch: u64,
    /// Its end, in milliseconds since 1970; before the first epoch, that one's beginning.
    pub end_ms: u64,
    /// What it left over.
    pub carried: u128,
    /// The Merkle root of the claims.
    pub claims_root: Digest,
    /// How many claims there are.
    pub claims: u32,
    /// The sum of all claims.
    pub total: u128,
}

/// What an epoch may award, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Bounds {
    /// The largest pool of this epoch.
    pub emission: u128,
    /// The shortest epoch, in milliseconds.
    pub min_epoch_ms: u64,
    /// All that was ever paid in.
    pub funded: u128,
    /// When the report was observed: no epoch ends after it.
    pub observed_ms: u64,
}

/// Why an award does not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum AwardError {
    /// Not the epoch, or not the report, that comes next on the chain.
    WrongEpoch {
        /// The epoch that comes next.
        expected: u64,
    },
    /// It does not begin at the end of the epoch before.
    WrongStart,
    /// Shorter than an epoch may be.
    TooShort,
    /// It had not ended when it was observed.
    NotOver,
    /// It does not carry in what the epoch before left over.
    WrongCarry,
    /// The pool is larger than an epoch may pay.
    AboveEmission,
    /// The pool is larger than what is paid in and free.
    AboveFunding,
    /// What is awarded and left over is not the pool and what was carried in.
    Unbalanced,
    /// The sum of claims does not grow by what is awarded.
    WrongTotal,
    /// More than [`MAX_CLAIMS`], or fewer claims than before.
    WrongCount,
    /// A calculation has no result.
    Math(MathError),
}

impl From<MathError> for AwardError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl AwardState {
    /// Before the first epoch, which begins at `start_ms`.
    pub const fn starting(start_ms: u64) -> Self {
        Self {
            epoch: 0,
            end_ms: start_ms,
            carried: 0,
            claims_root: Digest::ZERO,
            claims: 0,
            total: 0,
        }
    }

    /// What is paid in and neither awarded nor carried.
    ///
    /// # Errors
    /// [`MathError::Overflow`] if less was ever paid in than that.
    pub fn free(&self, funded: u128) -> Result<u128, MathError> {
        sub(sub(funded, self.total)?, self.carried)
    }

    /// The pool of the next epoch: as much of what is free as an epoch may pay.
    ///
    /// # Errors
    /// As [`AwardState::free`].
    pub fn next_pool(&self, emission: u128, funded: u128) -> Result<u128, MathError> {
        Ok(self.free(funded)?.min(emission))
    }

    /// The earliest time at which an epoch that is not settled can begin, in milliseconds since
    /// 1970: after the epochs before it, each as short as it may be.
    pub fn earliest_start_ms(&self, epoch: u64, min_epoch_ms: u64) -> u64 {
        let between = epoch.saturating_sub(self.epoch).saturating_sub(1);
        self.end_ms.saturating_add(between.saturating_mul(min_epoch_ms))
    }

    /// The state after an award.
    pub fn after(award: &Award) -> Self {
        Self {
            epoch: award.epoch,
            end_ms: award.end_ms,
            carried: award.carried_out,
            claims_root: award.claims_root,
            claims: award.claims,
            total: award.total,
        }
    }
}

impl Award {
    /// The award of the epoch that ends at `end_ms`, from its scores: rewards, the claims after it,
    /// and what the committee is to certify.
    ///
    /// # Errors
    /// [`AwardError::WrongCount`] for more than [`MAX_CLAIMS`] claims, [`AwardError::Math`].
    pub fn compute<H: Hasher>(
        state: &AwardState,
        end_ms: u64,
        pool: u128,
        scores: &[Score],
        validators: &[Validator],
        before: &[Claim],
    ) -> Result<(Self, Distribution, Vec<Claim>), AwardError> {
        let carried_in = state.carried;
        let mut distribution = distribute(add(pool, carried_in)?, scores, validators)?;
        distribution.fit(before, MAX_CLAIMS)?;
        let payouts = distribution.payouts()?;
        let awarded = crate::fixed::sum(payouts.iter().map(|payout| payout.amount))?;
        let claims = accumulate(before, &payouts)?;
        let award = Self {
            epoch: state.epoch.saturating_add(1),
            start_ms: state.end_ms,
            end_ms,
            pool,
            carried_in,
            awarded,
            carried_out: distribution.carried,
            claims_root: merkle::root::<H>(leaves::<H>(&claims)),
            claims: u32::try_from(claims.len()).map_err(|_| AwardError::WrongCount)?,
            total: add(state.total, awarded)?,
            ranking: ranking::digest::<H>(&ranking::ranking(scores)),
        };
        if award.claims > MAX_CLAIMS {
            return Err(AwardError::WrongCount);
        }
        Ok((award, distribution, claims))
    }

    /// Checks that this award may follow `state`. That the claims under its root are right, only
    /// their authors know.
    ///
    /// # Errors
    /// [`AwardError`].
    pub fn check_next(&self, state: &AwardState, bounds: &Bounds) -> Result<(), AwardError> {
        let expected = state.epoch.saturating_add(1);
        if self.epoch != expected {
            return Err(AwardError::WrongEpoch { expected });
        }
        if self.start_ms != state.end_ms {
            return Err(AwardError::WrongStart);
        }
        if self.end_ms <= self.start_ms
            || self.end_ms < self.start_ms.saturating_add(bounds.min_epoch_ms)
        {
            return Err(AwardError::TooShort);
        }
        if self.end_ms > bounds.observed_ms {
            return Err(AwardError::NotOver);
        }
        if self.carried_in != state.carried {
            return Err(AwardError::WrongCarry);
        }
        if self.pool > bounds.emission {
            return Err(AwardError::AboveEmission);
        }
        if self.pool > state.free(bounds.funded)? {
            return Err(AwardError::AboveFunding);
        }
        self.check_sums(state)
    }

    fn check_sums(&self, state: &AwardState) -> Result<(), AwardError> {
        if add(self.awarded, self.carried_out)? != add(self.pool, self.carried_in)? {
            return Err(AwardError::Unbalanced);
        }
        if self.total != add(state.total, self.awarded)? {
            return Err(AwardError::WrongTotal);
        }
        if self.claims > MAX_CLAIMS || self.claims < state.claims {
            return Err(AwardError::WrongCount);
        }
        Ok(())
    }

    /// The root of the report: one leaf, the canonical encoding, with the seats that ranked it.
    pub fn root<H: Hasher>(&self, ranked_by: u32) -> Digest {
        merkle::leaf_hash::<H>(&(self, ranked_by).encode())
    }

    /// The report of this award that follows `state` in its feed.
    pub fn report<H: Hasher>(
        &self,
        ranked_by: u32,
        feed: Feed,
        state: &FeedState,
        time_ms: u64,
    ) -> Report {
        state.next_report(feed, time_ms, self.root::<H>(ranked_by))
    }

    /// Whether this award and who ranked it are the content of the report.
    pub fn matches<H: Hasher>(&self, ranked_by: u32, report: &Report) -> bool {
        report.leaf_count == 1 && report.root == self.root::<H>(ranked_by)
    }
}

/// The largest pool of each epoch, which can be changed for epochs that have not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Emission {
    /// In force until a change, in units of the token.
    pub current: u128,
    /// The change to come: the first epoch that it is for, and what is in force from then on.
    pub change: Option<(u64, u128)>,
}

impl Emission {
    /// The same for all epochs.
    pub const fn constant(amount: u128) -> Self {
        Self { current: amount, change: None }
    }

    /// The largest pool of an epoch.
    pub fn at(&self, epoch: u64) -> u128 {
        match self.change {
            Some((from, amount)) if epoch >= from => amount,
            _ => self.current,
        }
    }

    /// With `amount` in force from epoch `from` on, instead of a change that is still to come.
    ///
    /// `None` if it would be for an epoch that can have begun at `noticed_ms`, settled or not: what
    /// it awards may be certified already. That is when everybody had [`emission_notice_ms`] to know
    /// of it. The epochs that it is for begin with `from`, or with the change that it replaces.
    pub fn changed(
        &self,
        state: &AwardState,
        min_epoch_ms: u64,
        noticed_ms: u64,
        from: u64,
        amount: u128,
    ) -> Option<Self> {
        let running = state.epoch.saturating_add(1);
        let first = match self.change {
            Some((planned, _)) if planned > running => planned.min(from),
            _ => from,
        };
        let is_to_come =
            from > running && noticed_ms < state.earliest_start_ms(first, min_epoch_ms);
        is_to_come.then(|| Self { current: self.at(running), change: Some((from, amount)) })
    }
}

//! The ranking of an epoch of rewards: the final scores of the first miners, which each validator
//! signs once, and against which the chain holds what somebody else signed.

use crate::arrays::decode_as_block;
use crate::certificate::Signature;
use crate::hash::{tagged, Hash, Hasher};
use crate::quorum::Quorum;
use crate::report::Feed;
use crate::rewards::{rank, Award};
use crate::scores::Score;
use crate::slashing::{ranking_distance_bps_ceil, Bands, Deviation, NotInOrder, Weight};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The most miners of a ranking.
pub const MAX_RANKED: usize = 64;

/// Up to this distance nobody is off, whatever the rules of stake say, in bps.
pub const TOLERANCE_BPS: u32 = Bands::RANKING.none_bps;

const RANKING_TAG: &[u8] = b"cicada71/ranking/v1";
const LIST_TAG: &[u8] = b"cicada71/ranking-list/v1";

/// The final scores of the registered miners, the first [`MAX_RANKED`] by rank, in order of accounts.
pub fn ranking(scores: &[Score]) -> Vec<Weight> {
    let ranked = rank(scores).into_iter().take_while(|score| score.registered);
    let mut first: Vec<Weight> =
        ranked.take(MAX_RANKED).map(|score| (score.miner, score.final_e9)).collect();
    first.sort_unstable();
    first
}

/// What stands for a ranking in an award and under a signature.
pub fn digest<H: Hasher>(ranking: &[Weight]) -> Hash {
    tagged::<H>(LIST_TAG, &ranking)
}

/// Checks the form of what somebody calls a ranking.
///
/// # Errors
/// [`NotInOrder`] if it is longer than [`MAX_RANKED`], or accounts do not rise strictly.
pub fn check_form(ranking: &[Weight]) -> Result<(), NotInOrder> {
    let rises = |pair: &[Weight]| matches!(pair, [low, high] if low.0 < high.0);
    if ranking.len() > MAX_RANKED || !ranking.windows(2).all(rises) {
        return Err(NotInOrder);
    }
    Ok(())
}

/// How far a ranking is off the certified one, in bps, rounded up.
///
/// # Errors
/// [`NotInOrder`].
pub fn off_bps(stated: &[Weight], certified: &[Weight]) -> Result<u32, NotInOrder> {
    let off = ranking_distance_bps_ceil(stated, certified)?;
    Ok(u32::try_from(off).unwrap_or(u32::MAX))
}

const STATEMENT_LEN: usize = 121;

/// The ranking that a seat signed for an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Statement {
    /// The seat in the committee.
    pub seat: u8,
    /// The epoch of rewards.
    pub epoch: u64,
    /// Its beginning, in milliseconds since 1970.
    pub start_ms: u64,
    /// Its end, itself excluded.
    pub end_ms: u64,
    /// The [`digest`] of the ranking.
    pub ranking: Hash,
    /// Signature of the seat's attestation key under [`Statement::message`].
    pub signature: Signature,
}

decode_as_block!(
    Statement, STATEMENT_LEN,
    seat: u8, epoch: u64, start_ms: u64, end_ms: u64, ranking: Hash, signature: Signature
);

impl Statement {
    /// What a seat says of an award, not yet signed.
    pub fn of(award: &Award, seat: u8) -> Self {
        let Award { epoch, start_ms, end_ms, ranking, .. } = *award;
        Self { seat, epoch, start_ms, end_ms, ranking, signature: [0; 64] }
    }

    /// What the seat signs: committee, feed, seat, epoch, its time, ranking. What others think of
    /// another time is never held against it.
    pub fn message<H: Hasher>(&self, config_digest: &Hash, feed: &Feed) -> Hash {
        let Self { seat, epoch, start_ms, end_ms, ranking, signature: _ } = self;
        tagged::<H>(RANKING_TAG, &(config_digest, feed, seat, epoch, start_ms, end_ms, ranking))
    }

    /// Whether it is of the epoch of an award, and of its time.
    pub fn is_of_time(&self, award: &Award) -> bool {
        (self.epoch, self.start_ms, self.end_ms) == (award.epoch, award.start_ms, award.end_ms)
    }

    /// Whether it says what an award says.
    pub fn is_of(&self, award: &Award) -> bool {
        self.is_of_time(award) && self.ranking == award.ranking
    }
}

/// Who ranked an award: bit `i` for seat `i`.
pub fn ranked_by(statements: &[Statement]) -> u32 {
    let bit = |one: &Statement| 1u32.checked_shl(one.seat.into()).unwrap_or(0);
    statements.iter().fold(0, |seats, one| seats | bit(one))
}

/// How many must have signed the certified ranking before another is judged: those of a quorum who
/// are surely honest, nine of sixteen.
pub fn min_agreeing(quorum: &Quorum) -> u8 {
    quorum.size().saturating_sub(quorum.max_liars())
}

/// What the contract of validators is told: those in `ranked_by` with weight at 0, and who is `off`.
/// Who signed the certified ranking and another one counts as off. `None` if fewer than `needed`
/// others agree.
pub fn deviations(
    off: Deviation,
    ranked_by: u32,
    stakes: &[u128],
    needed: u8,
) -> Option<Vec<Deviation>> {
    let mut all = Vec::new();
    for (seat, stake) in (0u8..).zip(stakes) {
        let agrees = ranked_by.checked_shr(seat.into()).unwrap_or(0) & 1 == 1 && *stake > 0;
        if seat == off.seat {
            all.push(off);
        } else if agrees {
            all.push(Deviation { seat, bps: 0 });
        }
    }
    (all.len() > usize::from(needed)).then_some(all)
}

/// What a validator tells its node: what it signed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Own {
    /// What it signed.
    pub statement: Statement,
    /// When, by its clock, in milliseconds since 1970.
    pub signed_ms: u64,
}

#[cfg(test)]
mod tests;

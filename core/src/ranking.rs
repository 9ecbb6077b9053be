//! The ranking of an epoch of rewards: the final scores of the first miners, which each validator
//! signs once, and against which the chain holds what somebody else signed.

use crate::arrays::decode_as_block;
use crate::certificate::Signature;
use crate::committee::seat_bit;
use crate::hash::{tagged, Digest, Hasher};
use crate::quorum::{Quorum, MAX_COMMITTEE};
use crate::report::Feed;
use crate::rewards::{rank, Award};
use crate::scores::Score;
use crate::slashing::{
    is_in_order, ranking_distance_bps_ceil, Bands, Deviation, NotInOrder, Weight,
};
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
pub fn digest<H: Hasher>(ranking: &[Weight]) -> Digest {
    tagged::<H>(LIST_TAG, &ranking)
}

/// Checks the form of what somebody calls a ranking.
///
/// # Errors
/// [`NotInOrder`] if it is longer than [`MAX_RANKED`], or accounts do not rise strictly.
pub fn check_form(ranking: &[Weight]) -> Result<(), NotInOrder> {
    if ranking.len() > MAX_RANKED || !is_in_order(ranking) {
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
    pub ranking: Digest,
    /// Signature of the seat's attestation key under [`Statement::message`].
    pub signature: Signature,
}

decode_as_block!(
    Statement, STATEMENT_LEN,
    seat: u8, epoch: u64, start_ms: u64, end_ms: u64, ranking: Digest, signature: Signature
);

impl Statement {
    /// What a seat says of an award, not yet signed.
    pub fn of(award: &Award, seat: u8) -> Self {
        let Award { epoch, start_ms, end_ms, ranking, .. } = *award;
        Self { seat, epoch, start_ms, end_ms, ranking, signature: [0; 64] }
    }

    /// What the seat signs: committee, feed, seat, epoch, its time, ranking. What others think of
    /// another time is never held against it.
    pub fn message<H: Hasher>(&self, config_digest: &Digest, feed: &Feed) -> Digest {
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
    statements.iter().fold(0, |seats, one| seats | seat_bit(one.seat))
}

/// How many must have signed the certified ranking before another is judged: those of a quorum who
/// are surely honest, nine of sixteen.
pub fn min_agreeing(quorum: &Quorum) -> u8 {
    quorum.size().saturating_sub(quorum.max_liars())
}

/// How long after an award is settled rankings may be shown that are off, before all of
/// them are judged together, in milliseconds.
pub const ACCUSE_MS: u64 = 180_000;

/// The seats with weight, as bits.
pub fn with_weight(stakes: &[u128]) -> u32 {
    let bit = |seat: u8, stake: &u128| if *stake > 0 { seat_bit(seat) } else { 0 };
    (0u8..).zip(stakes).fold(0, |seats, (seat, stake)| seats | bit(seat, stake))
}

/// Notes how far a seat was off, in order of seats; what is worse takes the place of what was noted.
/// Whether anything changed.
pub fn note(noted: &mut Vec<Deviation>, off: Deviation) -> bool {
    match noted.binary_search_by_key(&off.seat, |one| one.seat) {
        Ok(at) => match noted.get_mut(at).filter(|known| known.bps < off.bps) {
            Some(known) => {
                *known = off;
                true
            }
            None => false,
        },
        Err(at) => {
            noted.insert(at, off);
            true
        }
    }
}

/// What the contract of validators is told of an epoch: who is off, and the seats of `agreeing` at 0.
/// Who signed the certified ranking and another one is off.
pub fn deviations(noted: &[Deviation], agreeing: u32) -> Vec<Deviation> {
    let off = |seat: u8| noted.iter().find(|one| one.seat == seat).copied();
    let agrees = |seat: u8| agreeing & seat_bit(seat) != 0;
    let heard = |seat: u8| off(seat).or(agrees(seat).then_some(Deviation { seat, bps: 0 }));
    (0..MAX_COMMITTEE).filter_map(heard).collect()
}

/// What a validator signed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Own {
    /// What it signed.
    pub statement: Statement,
    /// When, by its clock, in milliseconds since 1970.
    pub signed_ms: u64,
}

/// What a validator tells its node of an epoch, in one file: its award, and what it signed of it, if
/// it did. So whoever sees the award sees the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// What it computed.
    pub award: Award,
    /// What it signed.
    pub signed: Option<Own>,
}

#[cfg(test)]
mod tests;

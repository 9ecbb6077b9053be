//! Rankings that are off the certified one, until those of an epoch are judged together.

use crate::calls;
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::ranking::{
    check_form, digest, min_agreeing, note, off_bps, Statement, TOLERANCE_BPS,
};
use cicada_core::report::Feed;
use cicada_core::slashing::{Deviation, Weight};
use cicada_traits::host::{sr25519_verify, HostSha256};
use cicada_traits::rewards::{Accused, EpochRecord, RewardsError};
use cicada_traits::stored::Stored;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::storage::traits::ManualKey;
use ink::storage::Mapping;

/// Who was shown to be off, by epoch: at most one entry for each seat.
#[ink::storage_item]
#[derive(Default)]
pub struct Rankings {
    accused: Mapping<u64, Stored<Accused>, ManualKey<0x5241_4e4b>>,
}

impl Rankings {
    /// Of an epoch.
    #[inline(never)]
    pub fn of(&self, epoch: u64) -> Accused {
        self.accused.get(epoch).map(|accused| accused.0).unwrap_or_default()
    }

    /// Notes how far a seat was off.
    pub fn note(&mut self, epoch: u64, off: Deviation) -> Result<(), RewardsError> {
        let mut accused = self.of(epoch);
        if accused.judged || !note(&mut accused.noted, off) {
            return Err(RewardsError::AlreadyJudged);
        }
        self.accused.insert(epoch, &Stored(accused));
        Ok(())
    }

    /// Closes an epoch; answers who was off.
    pub fn close(&mut self, epoch: u64) -> Result<Vec<Deviation>, RewardsError> {
        let accused = self.of(epoch);
        if accused.judged || accused.noted.is_empty() {
            return Err(RewardsError::NothingToJudge);
        }
        let closed = Accused { judged: true, noted: Vec::new() };
        self.accused.insert(epoch, &Stored(closed));
        Ok(accused.noted)
    }
}

/// How far what is stated is off what was certified, if it is by more than the tolerance.
pub fn off(
    record: &EpochRecord,
    certified: &[Weight],
    statement: &Statement,
    stated: &[Weight],
) -> Result<Deviation, RewardsError> {
    if check_form(certified).is_err() || check_form(stated).is_err() {
        return Err(RewardsError::NotARanking);
    }
    if !statement.is_of_time(&record.award) {
        return Err(RewardsError::OtherTime);
    }
    let is_other = digest::<HostSha256>(certified) != record.award.ranking
        || digest::<HostSha256>(stated) != statement.ranking;
    if is_other {
        return Err(RewardsError::OtherRanking);
    }
    let bps = off_bps(stated, certified).map_err(|_| RewardsError::NotARanking)?;
    if bps <= TOLERANCE_BPS {
        return Err(RewardsError::WithinTolerance);
    }
    Ok(Deviation { seat: statement.seat, bps })
}

/// Whether a seat of the committee that attested an award signed a statement, and may be judged.
#[inline(never)]
pub fn check_signed(
    validators: AccountId,
    record: &EpochRecord,
    feed: &Feed,
    statement: &Statement,
) -> Result<(), RewardsError> {
    let seats = calls::electorate(validators, record.committee)?;
    let count = u8::try_from(seats.keys.0.len()).unwrap_or_default();
    let quorum = Quorum::of(FaultModel::Byzantine, count).ok_or(RewardsError::CommitteeGone)?;
    if record.agreeing().count_ones() < min_agreeing(&quorum).into() {
        return Err(RewardsError::TooFewAgree);
    }
    let key = seats.keys.0.get(usize::from(statement.seat));
    let key = key.filter(|_| record.has_weight(statement.seat)).ok_or(RewardsError::NoWeight)?;
    let message = statement.message::<HostSha256>(&seats.config_digest, feed);
    if !sr25519_verify(&statement.signature, &message, key) {
        return Err(RewardsError::Forged);
    }
    Ok(())
}

//! Rankings that are off the certified one, until those of an epoch are judged together.

use crate::calls;
use crate::events::{RankingAccused, RankingsJudged};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::ranking::{
    check_form, deviations, digest, min_agreeing, note, off_bps, Statement, ACCUSE_MS,
    TOLERANCE_BPS,
};
use cicada_core::report::{Feed, ReportKind};
use cicada_core::slashing::{Deviation, Weight};
use cicada_core::Account;
use cicada_traits::host::{sr25519_verify, HostSha256};
use cicada_traits::rewards::{Accused, EpochRecord, RewardsError};
use cicada_traits::stored::Stored;
use ink::env::{account_id, block_timestamp, emit_event, DefaultEnvironment};
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

    /// Notes that a seat signed a ranking that is off the certified one.
    pub fn accuse(
        &mut self,
        validators: AccountId,
        record: &EpochRecord,
        statement: &Statement,
        certified: &[Weight],
        stated: &[Weight],
    ) -> Result<(), RewardsError> {
        let off = off(record, certified, statement, stated)?;
        check_signed(validators, record, statement)?;
        let epoch = record.award.epoch;
        let mut accused = self.of(epoch);
        if accused.judged || !note(&mut accused.noted, off) {
            return Err(RewardsError::AlreadyJudged);
        }
        self.accused.insert(epoch, &Stored(accused));
        let accused = RankingAccused { epoch, seat: off.seat, off_bps: off.bps };
        emit_event::<DefaultEnvironment, _>(accused);
        Ok(())
    }

    /// Hands all who are accused of an epoch on, once.
    pub fn judge(
        &mut self,
        validators: AccountId,
        record: &EpochRecord,
    ) -> Result<(), RewardsError> {
        let from_ms = record.time_ms.saturating_add(ACCUSE_MS);
        if block_timestamp::<DefaultEnvironment>() < from_ms {
            return Err(RewardsError::TooSoon);
        }
        let epoch = record.award.epoch;
        let accused = self.of(epoch);
        if accused.judged || accused.noted.is_empty() {
            return Err(RewardsError::NothingToJudge);
        }
        let closed = Accused { judged: true, noted: Vec::new() };
        self.accused.insert(epoch, &Stored(closed));
        emit_event::<DefaultEnvironment, _>(RankingsJudged { epoch });
        let heard = deviations(&accused.noted, record.agreeing());
        calls::report_deviations(validators, record, heard)
    }
}

/// The feed of the awards.
#[inline(never)]
pub fn feed() -> Feed {
    let contract = Account::of(&account_id::<DefaultEnvironment>());
    Feed { kind: ReportKind::Rewards, contract }
}

/// How far what is stated is off what was certified, if it is by more than the tolerance.
fn off(
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
fn check_signed(
    validators: AccountId,
    record: &EpochRecord,
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
    let message = statement.message::<HostSha256>(&seats.config_digest, &feed());
    if !sr25519_verify(&statement.signature, &message, key) {
        return Err(RewardsError::Forged);
    }
    Ok(())
}

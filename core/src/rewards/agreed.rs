//! The award of an epoch as the nodes agree on it.

use super::{Award, AwardError, AwardState, Bounds};
use crate::report::Report;
use parity_scale_codec::{Decode, Encode};

/// What the nodes agree on for one slot of the rewards: the report and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The report to attest.
    pub report: Report,
    /// The award under its root.
    pub award: Award,
}

impl Proposal {
    /// Whether the award follows the one before, `None` if it is the first, as far as the two and
    /// the report tell. What may be paid, and when the first epoch begins, the contract knows.
    ///
    /// # Errors
    /// [`AwardError::WrongEpoch`] too if the award does not count as its report does; both count
    /// from 1.
    pub fn follows(&self, before: Option<&AwardState>) -> Result<(), AwardError> {
        if self.award.epoch != self.report.slot {
            return Err(AwardError::WrongEpoch { expected: self.report.slot });
        }
        let start = AwardState::starting(self.award.start_ms);
        let bounds = Bounds {
            emission: u128::MAX,
            min_epoch_ms: 0,
            funded: u128::MAX,
            observed_ms: self.report.time_ms,
        };
        self.award.check_next(before.unwrap_or(&start), &bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use crate::report::{Feed, FeedState, ReportKind};

    const FIRST: Award = Award {
        epoch: 1,
        start_ms: 1_000,
        end_ms: 2_000,
        pool: 100,
        carried_in: 0,
        awarded: 90,
        carried_out: 10,
        claims_root: [5; 32],
        claims: 7,
        total: 90,
    };
    const SECOND: Award = Award {
        epoch: 2,
        start_ms: 2_000,
        end_ms: 3_000,
        pool: 50,
        carried_in: 10,
        awarded: 60,
        carried_out: 0,
        claims_root: [6; 32],
        claims: 8,
        total: 150,
    };

    fn proposal(award: Award, slot: u64, time_ms: u64) -> Proposal {
        let feed = Feed { kind: ReportKind::Rewards, contract: [9; 32] };
        let state = FeedState { slot: slot - 1, ..FeedState::EMPTY };
        Proposal { report: award.report::<Native>(feed, &state, time_ms), award }
    }

    #[test]
    fn epochs_count_as_slots_and_follow_each_other() {
        assert_eq!(proposal(FIRST, 1, 2_000).follows(None), Ok(()));
        assert_eq!(proposal(FIRST, 1, 1_999).follows(None), Err(AwardError::NotOver));
        let wrong = AwardError::WrongEpoch { expected: 2 };
        assert_eq!(proposal(FIRST, 2, 2_000).follows(None), Err(wrong));
        let carried = Award { carried_in: 1, awarded: 91, total: 91, ..FIRST };
        assert_eq!(proposal(carried, 1, 2_000).follows(None), Err(AwardError::WrongCarry));
        let state = AwardState::after(&FIRST);
        assert_eq!(proposal(SECOND, 2, 3_000).follows(Some(&state)), Ok(()));
        let gap = Award { start_ms: 2_001, ..SECOND };
        assert_eq!(proposal(gap, 2, 3_000).follows(Some(&state)), Err(AwardError::WrongStart));
        let more = Award { total: 151, ..SECOND };
        assert_eq!(proposal(more, 2, 3_000).follows(Some(&state)), Err(AwardError::WrongTotal));
        assert_eq!(
            proposal(SECOND, 2, 3_000).follows(None),
            Err(AwardError::WrongEpoch { expected: 1 })
        );
    }
}

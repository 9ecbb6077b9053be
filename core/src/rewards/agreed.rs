//! The award of an epoch as the nodes agree on it.

use super::{Award, AwardError, AwardState, Bounds};
use crate::report::{FeedState, Report};
use parity_scale_codec::{Decode, Encode};

/// What the nodes agree on for one slot of the rewards: the report and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The report to attest.
    pub report: Report,
    /// The award under its root.
    pub award: Award,
}

/// What the chain made of the rewards until now, as a validator reads it for its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Settled {
    /// After the newest epoch.
    pub state: AwardState,
    /// The newest report; a void one is a slot without an epoch.
    pub latest: FeedState,
}

impl Proposal {
    /// Whether report and award come next on the chain, as far as these tell. What may be paid, and
    /// how short an epoch may be, the contract knows.
    ///
    /// # Errors
    /// [`AwardError::WrongEpoch`] too if the report is not the next after the newest on the chain.
    pub fn follows(&self, settled: &Settled) -> Result<(), AwardError> {
        let Settled { state, latest } = settled;
        let next = latest.slot.saturating_add(1);
        if self.report.slot != next || self.report.previous != latest.digest {
            return Err(AwardError::WrongEpoch { expected: state.epoch.saturating_add(1) });
        }
        let bounds = Bounds {
            emission: u128::MAX,
            min_epoch_ms: 0,
            funded: u128::MAX,
            observed_ms: self.report.time_ms,
        };
        self.award.check_next(state, &bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use crate::report::{Feed, ReportKind};

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

    fn proposal(award: Award, latest: &FeedState, time_ms: u64) -> Proposal {
        let feed = Feed { kind: ReportKind::Rewards, contract: [9; 32] };
        Proposal { report: award.report::<Native>(feed, latest, time_ms), award }
    }

    /// After the newest report on the chain.
    fn at(state: AwardState, slot: u64) -> Settled {
        Settled { state, latest: FeedState { slot, ..FeedState::EMPTY } }
    }

    #[test]
    fn epochs_follow_each_other_from_the_first_beginning_on() {
        let start = at(AwardState::starting(1_000), 0);
        let follows = |award, settled: &Settled, time_ms| {
            proposal(award, &settled.latest, time_ms).follows(settled)
        };
        assert_eq!(follows(FIRST, &start, 2_000), Ok(()));
        assert_eq!(follows(FIRST, &start, 1_999), Err(AwardError::NotOver));
        let carried = Award { carried_in: 1, awarded: 91, total: 91, ..FIRST };
        assert_eq!(follows(carried, &start, 2_000), Err(AwardError::WrongCarry));
        let late = at(AwardState::starting(1_001), 0);
        assert_eq!(follows(FIRST, &late, 2_000), Err(AwardError::WrongStart));
        let one = at(AwardState::after(&FIRST), 1);
        assert_eq!(follows(SECOND, &one, 3_000), Ok(()));
        let gap = Award { start_ms: 2_001, ..SECOND };
        assert_eq!(follows(gap, &one, 3_000), Err(AwardError::WrongStart));
        let more = Award { total: 151, ..SECOND };
        assert_eq!(follows(more, &one, 3_000), Err(AwardError::WrongTotal));
        let wrong = AwardError::WrongEpoch { expected: 1 };
        assert_eq!(follows(SECOND, &start, 3_000), Err(wrong));
    }

    #[test]
    fn a_void_slot_takes_no_epoch_and_the_next_slot_waits_for_the_chain() {
        let start = AwardState::starting(1_000);
        // Slots 1 and 2 were void: epoch 1 comes in slot 3.
        let settled = at(start, 2);
        assert_eq!(proposal(FIRST, &settled.latest, 2_000).follows(&settled), Ok(()));
        let wrong = AwardError::WrongEpoch { expected: 1 };
        for slot in [1, 3] {
            let latest = FeedState { slot, ..FeedState::EMPTY };
            assert_eq!(proposal(FIRST, &latest, 2_000).follows(&settled), Err(wrong));
        }
        let other = FeedState { digest: [1; 32], ..settled.latest };
        assert_eq!(proposal(FIRST, &other, 2_000).follows(&settled), Err(wrong));
    }
}

//! The award of an epoch as the nodes agree on it.

use super::{Award, AwardError, AwardState, Bounds};
use crate::feed::FeedValue;
use crate::hash::Hasher;
use crate::ranking::{ranked_by, Own, Statement};
use crate::report::{Feed, FeedState, Report, ReportKind};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// What the nodes agree on for one slot of the rewards: the report and its content.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The report to attest.
    pub report: Report,
    /// The award under its root, with the seats of the statements.
    pub award: Award,
    /// Who signed the award's ranking, in order of seats. There may be none: no award waits for them.
    pub statements: Vec<Statement>,
}

impl FeedValue for Proposal {
    const KIND: ReportKind = ReportKind::Rewards;

    fn report(&self) -> &Report {
        &self.report
    }

    fn check_content<H: Hasher>(&self, seats: u8) -> Result<(), String> {
        self.check_form::<H>(seats)
            .map_err(|error| format!("the decided award is not that of the report: {error:?}"))
    }
}

/// Why report, award and statements do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// The report's root is not that of the award and the seats of the statements.
    Root,
    /// Statements are not in order of seats, or two are of one.
    NotInOrder,
    /// A statement of a seat that there is not.
    UnknownSeat,
    /// A seat's statement is not of this award.
    Another {
        /// The seat.
        seat: u8,
    },
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
    /// The next report of an award that these seats ranked.
    pub fn new<H: Hasher>(
        award: Award,
        statements: Vec<Statement>,
        feed: Feed,
        latest: &FeedState,
        time_ms: u64,
    ) -> Self {
        let report = award.report::<H>(ranked_by(&statements), feed, latest, time_ms);
        Self { report, award, statements }
    }

    /// The seats whose statements are here.
    pub fn ranked_by(&self) -> u32 {
        ranked_by(&self.statements)
    }

    /// Checks that all of it belongs together, in a committee of so many seats. Signatures are not
    /// checked.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn check_form<H: Hasher>(&self, seats: u8) -> Result<(), FormError> {
        let Self { report, award, statements } = self;
        if statements.windows(2).any(|pair| matches!(pair, [a, b] if a.seat >= b.seat)) {
            return Err(FormError::NotInOrder);
        }
        if statements.last().is_some_and(|last| last.seat >= seats) {
            return Err(FormError::UnknownSeat);
        }
        if let Some(other) = statements.iter().find(|one| !one.is_of(award)) {
            return Err(FormError::Another { seat: other.seat });
        }
        if !award.matches::<H>(self.ranked_by(), report) {
            return Err(FormError::Root);
        }
        Ok(())
    }

    /// Whether what the node's own validator had signed when this came, at `come_ms`, is left out. What
    /// it says of another award is not missed; that it is genuine, the caller has checked.
    ///
    /// There is no time in which whoever proposes may not have heard of it: who proposes within that
    /// time would keep everybody from being judged.
    pub fn leaves_out(&self, own: &Own, come_ms: u64) -> bool {
        let stands = |one: &Statement| one.seat == own.statement.seat;
        own.statement.is_of(&self.award)
            && own.signed_ms <= come_ms
            && !self.statements.iter().any(stands)
    }

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
    use crate::hash::Digest;
    use crate::hash::Native;
    use crate::Account;

    const FIRST: Award = Award {
        epoch: 1,
        start_ms: 1_000,
        end_ms: 2_000,
        pool: 100,
        carried_in: 0,
        awarded: 90,
        carried_out: 10,
        claims_root: Digest([5; 32]),
        claims: 7,
        total: 90,
        ranking: Digest([8; 32]),
    };
    const SECOND: Award = Award {
        epoch: 2,
        start_ms: 2_000,
        end_ms: 3_000,
        pool: 50,
        carried_in: 10,
        awarded: 60,
        carried_out: 0,
        claims_root: Digest([6; 32]),
        claims: 8,
        total: 150,
        ranking: Digest([8; 32]),
    };

    fn proposal(award: Award, latest: &FeedState, time_ms: u64) -> Proposal {
        let feed = Feed { kind: ReportKind::Rewards, contract: Account([9; 32]) };
        Proposal::new::<Native>(award, Vec::new(), feed, latest, time_ms)
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
        let other = FeedState { digest: Digest([1; 32]), ..settled.latest };
        assert_eq!(proposal(FIRST, &other, 2_000).follows(&settled), Err(wrong));
    }

    #[test]
    fn statements_are_of_the_award_in_order_and_under_the_root() {
        let feed = Feed { kind: ReportKind::Rewards, contract: Account([9; 32]) };
        let check = |statements: Vec<Statement>| {
            let made = Proposal::new::<Native>(FIRST, statements, feed, &FeedState::EMPTY, 2_000);
            made.check_form::<Native>(23)
        };
        let of = |seat| Statement::of(&FIRST, seat);
        assert_eq!(check(vec![]), Ok(()), "no award waits for signatures");
        assert_eq!(check(vec![of(0), of(22)]), Ok(()));
        assert_eq!(check(vec![of(0), of(23)]), Err(FormError::UnknownSeat));
        assert_eq!(check(vec![of(2), of(1)]), Err(FormError::NotInOrder));
        assert_eq!(check(vec![of(2), of(2)]), Err(FormError::NotInOrder));
        let other = Statement { ranking: Digest([1; 32]), ..of(7) };
        assert_eq!(check(vec![of(2), other]), Err(FormError::Another { seat: 7 }));
        let earlier = Statement { end_ms: 1_999, ..of(7) };
        assert_eq!(check(vec![earlier]), Err(FormError::Another { seat: 7 }));
        let mut fewer =
            Proposal::new::<Native>(FIRST, vec![of(1), of(3)], feed, &FeedState::EMPTY, 2_000);
        assert_eq!(fewer.ranked_by(), 0b1010);
        fewer.statements.pop();
        assert_eq!(fewer.check_form::<Native>(23), Err(FormError::Root));
    }

    #[test]
    fn what_the_own_validator_had_signed_is_not_left_out() {
        let feed = Feed { kind: ReportKind::Rewards, contract: Account([9; 32]) };
        let of = |seat| Statement::of(&FIRST, seat);
        let own = Own { statement: of(3), signed_ms: 5_000 };
        let with =
            |statements| Proposal::new::<Native>(FIRST, statements, feed, &FeedState::EMPTY, 2_000);
        assert!(with(vec![of(1)]).leaves_out(&own, 5_000));
        assert!(!with(vec![of(1)]).leaves_out(&own, 4_999), "it came before");
        assert!(!with(vec![of(1), of(3)]).leaves_out(&own, 9_000));
        let other = Statement { ranking: Digest([1; 32]), ..of(3) };
        let repaired = Own { statement: other, ..own };
        assert!(!with(vec![of(1)]).leaves_out(&repaired, 9_000), "it had signed what was wrong");
    }
}

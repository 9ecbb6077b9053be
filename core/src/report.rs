//! What the committee attests, and the chain of slots of one feed.

pub use crate::feed::ReportKind;

use crate::hash::{tagged, Digest, Hasher};
use crate::Account;
use parity_scale_codec::{Decode, Encode};

const REPORT_TAG: &[u8] = b"cicada71/report/v1";
const ATTESTATION_TAG: &[u8] = b"cicada71/attestation/v1";

/// The version that this code writes and reads.
pub const REPORT_VERSION: u8 = 1;

/// How far, in milliseconds, a report's time may lie ahead of the block that settles it.
pub const MAX_TIME_AHEAD_MS: u64 = 30_000;

/// A feed: one chain of reports. At most one report per slot is ever final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Feed {
    /// What it is about.
    pub kind: ReportKind,
    /// The only contract that may settle it.
    pub contract: Account,
}

/// What the committee agrees on and signs. Its content lies under `root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u8,
    /// The feed that it extends.
    pub feed: Feed,
    /// Position in the feed; the first is 1.
    pub slot: u64,
    /// Digest of the report in the slot before; [`Digest::ZERO`] in slot 1.
    pub previous: Digest,
    /// When it was observed, in milliseconds since 1970.
    pub time_ms: u64,
    /// Number of leaves under `root`.
    pub leaf_count: u32,
    /// Merkle root of the content.
    pub root: Digest,
}

impl Report {
    /// The report's identity, free of committee and signatures.
    pub fn digest<H: Hasher>(&self) -> Digest {
        tagged::<H>(REPORT_TAG, self)
    }

    /// What a node signs with its attestation key: the report under one committee.
    pub fn attestation_message<H: Hasher>(&self, config_digest: &Digest) -> Digest {
        attestation_message::<H>(config_digest, &self.digest::<H>())
    }
}

/// What a node signs for the report with this digest, under one committee.
pub fn attestation_message<H: Hasher>(config_digest: &Digest, digest: &Digest) -> Digest {
    tagged::<H>(ATTESTATION_TAG, &(config_digest, digest))
}

/// Why a report does not extend its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum FeedError {
    /// Not a version that this code reads.
    UnknownVersion,
    /// The report is for another feed: another kind, or another contract.
    WrongFeed,
    /// A slot was left out.
    SlotSkipped {
        /// The slot that must come next.
        expected: u64,
    },
    /// Its slot is final with another report.
    SlotTaken,
    /// It does not name the report before it.
    WrongPrevious,
    /// It is older than the report before it.
    TimeReversed,
    /// It lies more than [`MAX_TIME_AHEAD_MS`] in the future.
    TimeAhead,
}

/// The newest final report of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct FeedState {
    /// The newest final slot; 0 before the first.
    pub slot: u64,
    /// The digest of its report; [`Digest::ZERO`] before the first.
    pub digest: Digest,
    /// The time of its report, in milliseconds; 0 before the first.
    pub time_ms: u64,
}

impl FeedState {
    /// A feed without reports.
    pub const EMPTY: Self = Self { slot: 0, digest: Digest::ZERO, time_ms: 0 };

    /// Checks that `report` may come next in `feed` at time `now_ms`.
    ///
    /// # Errors
    /// [`FeedError`]; [`FeedError::SlotTaken`] for any slot up to the newest: whether it is the
    /// very report that is final there, the caller knows.
    pub fn check_next(&self, feed: &Feed, report: &Report, now_ms: u64) -> Result<(), FeedError> {
        if report.version != REPORT_VERSION {
            return Err(FeedError::UnknownVersion);
        }
        if report.feed != *feed {
            return Err(FeedError::WrongFeed);
        }
        let expected = self.slot.saturating_add(1);
        if report.slot > expected {
            return Err(FeedError::SlotSkipped { expected });
        }
        if report.slot < expected {
            return Err(FeedError::SlotTaken);
        }
        if report.previous != self.digest {
            return Err(FeedError::WrongPrevious);
        }
        if report.time_ms < self.time_ms {
            return Err(FeedError::TimeReversed);
        }
        if report.time_ms > now_ms.saturating_add(MAX_TIME_AHEAD_MS) {
            return Err(FeedError::TimeAhead);
        }
        Ok(())
    }

    /// The report that comes next in `feed`: one leaf, under `root`.
    pub fn next_report(&self, feed: Feed, time_ms: u64, root: Digest) -> Report {
        Report {
            version: REPORT_VERSION,
            feed,
            slot: self.slot.saturating_add(1),
            previous: self.digest,
            time_ms,
            leaf_count: 1,
            root,
        }
    }

    /// The state after `report`, whose digest is `digest`.
    pub fn after(report: &Report, digest: Digest) -> Self {
        Self { slot: report.slot, digest, time_ms: report.time_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;

    const FEED: Feed = Feed { kind: ReportKind::Leaderboard, contract: Account([3; 32]) };
    const STATE: FeedState = FeedState { slot: 4, digest: Digest([4; 32]), time_ms: 1_000 };
    const NEXT: Report = Report {
        version: REPORT_VERSION,
        feed: FEED,
        slot: 5,
        previous: Digest([4; 32]),
        time_ms: 1_000,
        leaf_count: 1,
        root: Digest([5; 32]),
    };

    fn check(change: impl Fn(&mut Report)) -> Result<(), FeedError> {
        let mut report = NEXT;
        change(&mut report);
        STATE.check_next(&FEED, &report, 2_000)
    }

    #[test]
    fn only_the_next_slot_of_the_same_feed_follows() {
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|r| r.version = 2), Err(FeedError::UnknownVersion));
        assert_eq!(check(|r| r.feed.contract = Account([9; 32])), Err(FeedError::WrongFeed));
        assert_eq!(check(|r| r.feed.kind = ReportKind::Nav), Err(FeedError::WrongFeed));
        assert_eq!(check(|r| r.slot = 6), Err(FeedError::SlotSkipped { expected: 5 }));
        assert_eq!(check(|r| r.slot = 4), Err(FeedError::SlotTaken));
        assert_eq!(check(|r| r.slot = 0), Err(FeedError::SlotTaken));
        assert_eq!(check(|r| r.previous = Digest::ZERO), Err(FeedError::WrongPrevious));
    }

    #[test]
    fn time_moves_forward_and_not_beyond_the_block() {
        assert_eq!(check(|r| r.time_ms = 999), Err(FeedError::TimeReversed));
        assert_eq!(check(|r| r.time_ms = 2_000 + MAX_TIME_AHEAD_MS), Ok(()));
        assert_eq!(check(|r| r.time_ms = 2_001 + MAX_TIME_AHEAD_MS), Err(FeedError::TimeAhead));
    }

    #[test]
    fn the_first_report_follows_the_empty_feed() {
        let first = Report { slot: 1, previous: Digest::ZERO, ..NEXT };
        assert_eq!(FeedState::EMPTY.check_next(&FEED, &first, 0), Ok(()));
        let after = FeedState::after(&first, first.digest::<Native>());
        let second = Report { slot: 2, previous: after.digest, ..NEXT };
        assert_eq!(after.check_next(&FEED, &second, 0), Ok(()));
    }

    #[test]
    fn an_attestation_is_bound_to_its_committee_and_is_no_report_digest() {
        let message = NEXT.attestation_message::<Native>(&Digest([1; 32]));
        assert_ne!(message, NEXT.attestation_message::<Native>(&Digest([2; 32])));
        assert_ne!(message, NEXT.digest::<Native>());
    }
}

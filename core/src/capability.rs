//! What the committee attests that an account can do.
//!
//! Apart from [`crate::reputation`]: a score follows from what the market's contracts report, an
//! attestation from a certificate of the committee. Each has a module and a contract of its own.

use crate::hash::{Digest, Hasher};
use crate::merkle;
use crate::name::Name;
use crate::report::{Feed, FeedState, Report};
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The most rows in one report.
pub const MAX_ROWS: usize = 64;

/// The longest encoding of a row: an account, a name with its length, a time.
const MAX_ROW_LEN: usize = 32 + 33 + 8;

/// An account has a capability until a time. A later row replaces it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct CapabilityRow {
    /// Who has it.
    pub account: Account,
    /// What.
    pub capability: Name,
    /// Until when, in milliseconds since 1970, itself excluded; 0 takes it away.
    pub until_ms: u64,
}

/// Why rows are no content of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum CapabilityError {
    /// No rows at all.
    Empty,
    /// More rows than [`MAX_ROWS`].
    TooManyRows,
    /// Not in rising order of account, then capability, or one of them twice.
    NotSorted,
}

/// Checks the number and the order of rows, so that one content has one root.
///
/// # Errors
/// [`CapabilityError`].
pub fn check(rows: &[CapabilityRow]) -> Result<(), CapabilityError> {
    if rows.is_empty() {
        return Err(CapabilityError::Empty);
    }
    if rows.len() > MAX_ROWS {
        return Err(CapabilityError::TooManyRows);
    }
    let rising = |pair: &[CapabilityRow]| match pair {
        [a, b] => (&a.account, &a.capability) < (&b.account, &b.capability),
        _ => true,
    };
    if rows.windows(2).all(rising) {
        Ok(())
    } else {
        Err(CapabilityError::NotSorted)
    }
}

/// The root of rows: one leaf, the canonical encoding of all of them in their order.
pub fn root<H: Hasher>(rows: &[CapabilityRow]) -> Digest {
    let mut bytes = Vec::with_capacity(rows.len().saturating_mul(MAX_ROW_LEN));
    for row in rows {
        row.encode_to(&mut bytes);
    }
    merkle::leaf_hash::<H>(&bytes)
}

/// The report of rows that follows `state` in its feed.
pub fn report<H: Hasher>(
    feed: Feed,
    state: &FeedState,
    rows: &[CapabilityRow],
    time_ms: u64,
) -> Report {
    state.next_report(feed, time_ms, root::<H>(rows))
}

/// Whether the rows are the content of the report.
pub fn matches<H: Hasher>(report: &Report, rows: &[CapabilityRow]) -> bool {
    report.leaf_count == 1 && report.root == root::<H>(rows)
}

/// Whether a capability that was attested until `until_ms` is held at `now_ms`.
pub fn is_held(until_ms: u64, now_ms: u64) -> bool {
    until_ms > now_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use crate::report::ReportKind;
    use proptest::prelude::*;

    fn row(account: u8, capability: &str, until_ms: u64) -> CapabilityRow {
        let capability = Name::new(capability).unwrap();
        CapabilityRow { account: Account([account; 32]), capability, until_ms }
    }

    #[test]
    fn rows_are_sorted_distinct_and_not_too_many() {
        assert_eq!(check(&[]), Err(CapabilityError::Empty));
        assert_eq!(check(&[row(1, "gpu", 5), row(1, "tee", 5), row(2, "gpu", 5)]), Ok(()));
        for wrong in [
            [row(1, "tee", 5), row(1, "gpu", 5)],
            [row(2, "gpu", 5), row(1, "gpu", 5)],
            [row(1, "gpu", 5), row(1, "gpu", 6)],
        ] {
            assert_eq!(check(&wrong), Err(CapabilityError::NotSorted));
        }
        let many: Vec<_> = (0..65).map(|i| row(i, "gpu", 1)).collect();
        assert_eq!(check(&many[..64]), Ok(()));
        assert_eq!(check(&many), Err(CapabilityError::TooManyRows));
    }

    #[test]
    fn at_its_end_a_capability_is_gone() {
        assert!(is_held(10, 9));
        assert!(!is_held(10, 10));
        assert!(!is_held(0, 0));
    }

    #[test]
    fn the_longest_row_has_the_length_that_is_reserved() {
        assert_eq!(row(1, &"x".repeat(32), 5).encoded_size(), MAX_ROW_LEN);
    }

    proptest! {
        #[test]
        fn the_root_binds_every_row(
            rows in proptest::collection::btree_map((0u8.., "[a-z]{1,8}"), 0u64..u64::MAX, 2..20),
            pick: usize,
        ) {
            let rows: Vec<_> = rows.iter().map(|((a, name), until)| row(*a, name, *until)).collect();
            prop_assert_eq!(check(&rows), Ok(()));
            let feed = Feed { kind: ReportKind::Capability, contract: Account([1; 32]) };
            let report = report::<Native>(feed, &FeedState::EMPTY, &rows, 7);
            prop_assert!(matches::<Native>(&report, &rows));
            let at = pick % rows.len();
            let mut changed = rows.clone();
            changed[at].until_ms += 1;
            prop_assert!(!matches::<Native>(&report, &changed));
            let mut changed = rows.clone();
            changed[at].account.0[31] ^= 1;
            prop_assert!(!matches::<Native>(&report, &changed));
            let mut changed = rows.clone();
            changed[at].capability = Name::new("0-other").unwrap();
            prop_assert!(!matches::<Native>(&report, &changed));
            prop_assert!(!matches::<Native>(&report, &rows[1..]));
            let two = Report { leaf_count: 2, ..report };
            prop_assert!(!matches::<Native>(&two, &rows));
        }
    }
}

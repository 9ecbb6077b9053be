//! The basket as the nodes agree on it. Each holds the proposed entries against those that its own
//! validator made: tokens and weights follow from one rule and are equal, prices are observed and
//! differ a little.

use super::holdings::Entry;
use crate::nav::{deviation_bps_ceil, is_stale};
use crate::report::Report;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// How far a proposed price may be off a node's own, in bps of that one; exactly that far will do.
pub const PRICE_TOLERANCE_BPS: u128 = 100;

/// What the nodes agree on for one slot of the basket: the report and its content.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The report to attest.
    pub report: Report,
    /// The entries, as they stand under its root.
    pub entries: Vec<Entry>,
}

/// A basket as one validator computed it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Observed {
    /// When it observed the prices, in milliseconds since 1970.
    pub time_ms: u64,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// Why a node does not agree to a basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Its own was older than [`crate::nav::STALENESS_MS`] at the time of the report.
    Stale,
    /// Another number of entries.
    Count,
    /// Another token, subnet or weight.
    Target {
        /// The place in the list, from 0.
        place: usize,
    },
    /// A price that is off by more than [`PRICE_TOLERANCE_BPS`].
    Price {
        /// The place in the list, from 0.
        place: usize,
        /// How far, rounded up.
        off_bps: u128,
    },
}

impl Observed {
    /// Whether proposed entries of `time_ms` are those that this validator found, in its order, at
    /// prices within [`PRICE_TOLERANCE_BPS`] of its own.
    ///
    /// # Errors
    /// [`Difference`]: the first that there is.
    pub fn agrees(&self, proposed: &[Entry], time_ms: u64) -> Result<(), Difference> {
        if is_stale(self.time_ms, time_ms) {
            return Err(Difference::Stale);
        }
        if self.entries.len() != proposed.len() {
            return Err(Difference::Count);
        }
        for (place, (theirs, own)) in proposed.iter().zip(&self.entries).enumerate() {
            let same = Entry { price_e18: own.price_e18, ..*theirs };
            if same != *own {
                return Err(Difference::Target { place });
            }
            let off_bps = deviation_bps_ceil(theirs.price_e18, own.price_e18);
            if off_bps > PRICE_TOLERANCE_BPS {
                return Err(Difference::Price { place, off_bps });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    const NOW: u64 = 1_738_425_600_000;

    fn entry(netuid: u8, weight_bps: u16, price_e18: u128) -> Entry {
        Entry { netuid: netuid.into(), token: [netuid; 32], weight_bps, price_e18 }
    }

    fn own() -> Observed {
        let entries = vec![entry(1, 6_000, 10_000), entry(2, 4_000, 7), entry(3, 0, 1_000_000)];
        Observed { time_ms: NOW, entries }
    }

    fn changed(change: impl Fn(&mut Vec<Entry>)) -> Result<(), Difference> {
        let mut entries = own().entries;
        change(&mut entries);
        own().agrees(&entries, NOW)
    }

    #[test]
    fn tokens_and_weights_are_equal_and_in_one_order() {
        assert_eq!(changed(|_| ()), Ok(()));
        assert_eq!(changed(|list| list.truncate(2)), Err(Difference::Count));
        assert_eq!(changed(|list| list.push(entry(4, 0, 1))), Err(Difference::Count));
        assert_eq!(changed(|list| list[0].netuid = 9), Err(Difference::Target { place: 0 }));
        assert_eq!(changed(|list| list[1].token = [9; 32]), Err(Difference::Target { place: 1 }));
        assert_eq!(changed(|list| list[2].weight_bps = 1), Err(Difference::Target { place: 2 }));
        assert_eq!(changed(|list| list.swap(0, 1)), Err(Difference::Target { place: 0 }));
    }

    #[test]
    fn a_price_may_be_off_by_exactly_one_percent() {
        assert_eq!(changed(|list| list[0].price_e18 = 10_100), Ok(()));
        assert_eq!(changed(|list| list[0].price_e18 = 9_900), Ok(()));
        let off = |place, off_bps| Err(Difference::Price { place, off_bps });
        assert_eq!(changed(|list| list[0].price_e18 = 10_101), off(0, 101));
        assert_eq!(changed(|list| list[0].price_e18 = 9_899), off(0, 101));
        assert_eq!(changed(|list| list[2].price_e18 = 1_010_000), Ok(()));
        assert_eq!(changed(|list| list[2].price_e18 = 1_010_001), off(2, 101), "by a hair");
        assert_eq!(changed(|list| list[1].price_e18 = 8), off(1, 1_429));
        assert_eq!(changed(|list| list[1].price_e18 = 0), off(1, 10_000));
        let mut none = own();
        none.entries[1].price_e18 = 0;
        assert_eq!(none.agrees(&own().entries, NOW), off(1, u128::MAX));
    }

    #[test]
    fn a_validator_without_news_agrees_for_exactly_300_seconds() {
        assert_eq!(own().agrees(&own().entries, NOW + 300_000), Ok(()));
        assert_eq!(own().agrees(&own().entries, NOW + 300_001), Err(Difference::Stale));
        assert_eq!(own().agrees(&own().entries, NOW - 1), Ok(()), "newer than the report");
    }

    proptest! {
        #[test]
        fn the_tolerance_is_the_plain_definition(own in 1u128..1 << 100, proposed in 0u128..1 << 100) {
            let near = own.abs_diff(proposed) * 10_000 <= own * PRICE_TOLERANCE_BPS;
            let sheet = Observed { time_ms: NOW, entries: vec![entry(1, 10_000, own)] };
            let agreed = sheet.agrees(&[entry(1, 10_000, proposed)], NOW);
            prop_assert_eq!(agreed.is_ok(), near);
        }

        #[test]
        fn near_the_bound_too(own in 1u128..1 << 100, below: bool, by in 0u128..3) {
            let bound = own / 100 + by;
            let proposed = if below { own.saturating_sub(bound) } else { own + bound };
            let near = own.abs_diff(proposed) * 10_000 <= own * PRICE_TOLERANCE_BPS;
            let sheet = Observed { time_ms: NOW, entries: vec![entry(1, 10_000, own)] };
            prop_assert_eq!(sheet.agrees(&[entry(1, 10_000, proposed)], NOW).is_ok(), near);
        }
    }
}

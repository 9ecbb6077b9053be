//! Who is registered for the tiers of an epoch, with a bond.

use super::MAX_EPOCH_MS;
use parity_scale_codec::{Decode, Encode};

/// The shortest time that a bond stays after its miner left, in milliseconds: a day.
pub const MIN_UNBONDING_MS: u64 = 24 * 3_600_000;

/// Whether a bond may be so much and stay so long: not 0, and [`MIN_UNBONDING_MS`] to
/// [`MAX_EPOCH_MS`].
pub fn is_bond(bond: u128, unbonding_ms: u64) -> bool {
    bond > 0 && (MIN_UNBONDING_MS..=MAX_EPOCH_MS).contains(&unbonding_ms)
}

/// A miner's registration. Its times are those of blocks, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Registration {
    /// When it began.
    pub since_ms: u64,
    /// When the miner left.
    pub left_ms: Option<u64>,
}

impl Registration {
    /// Whether it holds from `start_ms` on and before `end_ms`.
    pub fn covers(&self, start_ms: u64, end_ms: u64) -> bool {
        self.since_ms <= start_ms && self.left_ms.is_none_or(|left_ms| left_ms >= end_ms)
    }

    /// From when on the bond can be taken back; none while registered.
    pub fn free_ms(&self, unbonding_ms: u64) -> Option<u64> {
        self.left_ms.map(|left_ms| left_ms.saturating_add(unbonding_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_late_or_leaves_early_is_not_there_for_the_whole_epoch() {
        let here = |since_ms, left_ms| Registration { since_ms, left_ms }.covers(100, 200);
        assert!(here(100, None) && here(100, Some(200)));
        assert!(!here(101, None) && !here(100, Some(199)));
    }

    #[test]
    fn a_bond_stays_after_its_miner() {
        assert_eq!(Registration { since_ms: 1, left_ms: None }.free_ms(5), None);
        assert_eq!(Registration { since_ms: 1, left_ms: Some(7) }.free_ms(5), Some(12));
        assert!(is_bond(1, MIN_UNBONDING_MS) && is_bond(u128::MAX, MAX_EPOCH_MS));
        assert!(!is_bond(0, MIN_UNBONDING_MS) && !is_bond(1, MIN_UNBONDING_MS - 1));
        assert!(!is_bond(1, MAX_EPOCH_MS + 1));
    }
}

//! Prices as the validators sign them, and what sixteen of them come to.

use super::holdings::MAX_HOLDINGS;
use crate::certificate::Signature;
use crate::hash::{tagged, Digest, Hasher};
use crate::nav::{check_seats, weighted_lower_median, ObservationError, STALENESS_MS};
use crate::report::Feed;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

const OBSERVATION_TAG: &[u8] = b"cicada71/basket-observation/v1";

/// A basket is of a time that is a whole multiple of this, in milliseconds: 300 s.
pub const BASKET_MS: u64 = STALENESS_MS;

/// The newest time of which a basket may be at `now_ms`.
pub fn scheduled(interval_ms: u64, now_ms: u64) -> u64 {
    let over = now_ms.checked_rem(interval_ms).unwrap_or(0);
    now_ms.saturating_sub(over)
}

/// The prices that one validator has found for a slot of the basket.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Observation {
    /// The validator's seat in the committee.
    pub seat: u8,
    /// The scheduled time of which they are, in milliseconds since 1970.
    pub time_ms: u64,
    /// Subnets with the price of one token in TAO, at scale 10¹⁸, not 0; in rising order.
    pub prices: Vec<(u16, u128)>,
    /// Signature of the seat's attestation key under [`Observation::message`].
    pub signature: Signature,
}

impl Observation {
    /// What the seat signs: committee, feed, slot, seat, time and prices.
    pub fn message<H: Hasher>(&self, config_digest: &Digest, feed: &Feed, slot: u64) -> Digest {
        let signed = (config_digest, feed, slot, self.seat, self.time_ms, &self.prices);
        tagged::<H>(OBSERVATION_TAG, &signed)
    }

    /// Whether its prices are in rising order, none 0, and no more than the index can hold.
    pub fn is_well_formed(&self) -> bool {
        let rising = |pair: &[(u16, u128)]| matches!(pair, [low, high] if low.0 < high.0);
        self.prices.len() <= MAX_HOLDINGS
            && self.prices.windows(2).all(rising)
            && self.prices.iter().all(|(_, price)| *price > 0)
    }

    /// Its price of a subnet.
    pub fn price_of(&self, netuid: u16) -> Option<u128> {
        let at = self.prices.binary_search_by_key(&netuid, |(netuid, _)| *netuid).ok()?;
        self.prices.get(at).map(|(_, price)| *price)
    }
}

/// Checks observations: of at least `needed` seats with weight, one of a seat, in order of seats,
/// all of `time_ms`. `weights` are in seat order. Their form is checked apart.
///
/// # Errors
/// [`ObservationError`].
pub fn check(
    observations: &[Observation],
    weights: &[u128],
    needed: u8,
    time_ms: u64,
) -> Result<(), ObservationError> {
    let said = observations.iter().map(|observation| (observation.seat, observation.time_ms));
    check_seats(said, weights, needed, time_ms)
}

/// The stake-weighted lower median of a subnet's prices; `None` if fewer than `needed` seats with
/// weight name one.
///
/// # Errors
/// [`ObservationError::Math`].
pub fn median_e18(
    netuid: u16,
    observations: &[Observation],
    weights: &[u128],
    needed: u8,
) -> Result<Option<u128>, ObservationError> {
    let mut named = Vec::with_capacity(observations.len());
    for observation in observations {
        let weight = weights.get(usize::from(observation.seat)).copied().unwrap_or(0);
        if let (Some(price), true) = (observation.price_of(netuid), weight > 0) {
            named.push((price, weight));
        }
    }
    if named.len() < usize::from(needed) {
        return Ok(None);
    }
    Ok(weighted_lower_median(&mut named)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use crate::report::ReportKind;
    use crate::Account;
    use alloc::vec;
    use proptest::prelude::*;

    const NOW: u64 = 1_738_425_600_000;

    fn said(seat: u8, prices: &[(u16, u128)]) -> Observation {
        Observation { seat, time_ms: NOW, prices: prices.into(), signature: [0; 64] }
    }

    #[test]
    fn a_time_is_a_whole_multiple_of_300_seconds() {
        assert_eq!(NOW % BASKET_MS, 0);
        assert_eq!(scheduled(BASKET_MS, NOW), NOW);
        assert_eq!(scheduled(BASKET_MS, NOW + 299_999), NOW);
        assert_eq!(scheduled(BASKET_MS, NOW - 1), NOW - 300_000);
    }

    #[test]
    fn prices_are_in_order_named_once_and_not_0() {
        let formed = |prices: &[(u16, u128)]| said(0, prices).is_well_formed();
        assert!(formed(&[]) && formed(&[(1, 5), (2, 1), (9, 7)]));
        assert!(!formed(&[(2, 1), (1, 5)]) && !formed(&[(1, 5), (1, 5)]) && !formed(&[(1, 0)]));
        let many: Vec<_> = (0..41).map(|netuid| (netuid, 1)).collect();
        assert!(formed(&many[..40]) && !formed(&many));
        assert_eq!(said(0, &[(1, 5), (9, 7)]).price_of(9), Some(7));
        assert_eq!(said(0, &[(1, 5), (9, 7)]).price_of(2), None);
    }

    #[test]
    fn the_signature_binds_everything() {
        let feed = Feed { kind: ReportKind::Basket, contract: Account([3; 32]) };
        let one = said(3, &[(1, 5), (2, 6)]);
        let message =
            |one: &Observation, slot| one.message::<Native>(&Digest([8; 32]), &feed, slot);
        let first = message(&one, 4);
        assert_ne!(first, message(&one, 5));
        assert_ne!(first, message(&Observation { seat: 4, ..one.clone() }, 4));
        assert_ne!(first, message(&Observation { time_ms: NOW + 1, ..one.clone() }, 4));
        assert_ne!(first, message(&said(3, &[(1, 5), (2, 7)]), 4));
        assert_ne!(first, message(&said(3, &[(1, 5)]), 4));
        assert_ne!(first, one.message::<Native>(&Digest([9; 32]), &feed, 4));
        assert_eq!(first, message(&Observation { signature: [1; 64], ..one }, 4));
    }

    #[test]
    fn a_token_has_a_price_if_as_many_as_needed_name_one() {
        let mut all: Vec<_> = (0..23).map(|seat| said(seat, &[(1, 10)])).collect();
        let weights = vec![1; 23];
        let median = |all: &[Observation], weights: &[u128]| median_e18(1, all, weights, 16);
        assert_eq!(median(&all, &weights), Ok(Some(10)));
        // Seven that lie by leaving it out do not take it away.
        all[..7].iter_mut().for_each(|one| one.prices.clear());
        assert_eq!(median(&all, &weights), Ok(Some(10)));
        all[7].prices.clear();
        assert_eq!(median(&all, &weights), Ok(None));
        assert_eq!(median(&all[8..], &weights), Ok(None));
        all[7].prices = vec![(1, 10)];
        let mut one_without = weights;
        one_without[7] = 0;
        assert_eq!(median(&all, &one_without), Ok(None), "only who has weight counts");
    }

    proptest! {
        #[test]
        fn seven_of_twenty_three_never_move_a_price_beyond_what_the_others_say(
            honest in prop::collection::vec(1u128..1 << 90, 16),
            lies in prop::collection::vec(1u128..u128::MAX, 0..=7),
        ) {
            let all = honest.iter().chain(&lies);
            let all: Vec<_> = (0..).zip(all).map(|(seat, price)| said(seat, &[(1, *price)])).collect();
            let median = median_e18(1, &all, &[1_000; 23], 16).unwrap().unwrap();
            prop_assert!(median >= *honest.iter().min().unwrap());
            prop_assert!(median <= *honest.iter().max().unwrap());
        }
    }
}

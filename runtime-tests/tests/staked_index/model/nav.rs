//! The NAV of a slot, and who was off it.

use cicada_core::nav::ObservationError;
use cicada_traits::index::IndexError;

use super::{bits, ceil, Model};
use crate::op::{NavFault, Signed};

/// A settled NAV.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nav {
    pub nav_e18: u128,
    pub time_ms: u64,
    pub epoch: u32,
    pub signers: u32,
    pub observers: u32,
}

impl Model {
    pub(super) fn settle_nav(
        &mut self,
        values: &[(u8, u128)],
        time_ms: u64,
        fault: Option<NavFault>,
        signed: &Signed,
    ) -> Result<(), IndexError> {
        let skipped = fault == Some(NavFault::Skipped);
        let newest = self.basket.newest.follow(self.now_ms, time_ms, skipped)?;
        if values.len() < 16 {
            return Err(ObservationError::TooFew { needed: 16 }.into());
        }
        if values.iter().any(|(_, value)| *value == 0) {
            return Err(ObservationError::ZeroNav.into());
        }
        match fault {
            Some(NavFault::Unordered) => return Err(ObservationError::NotInOrder.into()),
            Some(NavFault::Aged(_, more)) if more > 0 => {
                return Err(ObservationError::Stale.into());
            }
            Some(NavFault::Ahead(_)) => return Err(ObservationError::TimeAhead.into()),
            Some(NavFault::OtherContent) => return Err(IndexError::ContentMismatch),
            _ => {}
        }
        let median = self.median(values).ok_or(ObservationError::NoStake)?;
        self.verify(signed)?;
        if let Some(NavFault::Forged(place)) = fault {
            return Err(IndexError::BadObservation { seat: values[place].0 });
        }
        let off =
            |(seat, value): &(u8, u128)| (*seat, ceil(value.abs_diff(median), 10_000, median));
        let off: Vec<(u8, u128)> = values.iter().map(off).filter(|(_, bps)| *bps > 0).collect();
        let refused = !off.is_empty() && !self.stakes.is_judge;
        if refused || self.deviate(newest.slot, &off).is_err() {
            return Err(IndexError::PenaltiesRefused);
        }
        self.basket.newest = newest;
        let (signers, observers) = (bits(&signed.seats), bits(values.iter().map(|(seat, _)| seat)));
        let epoch = self.stakes.epoch();
        self.basket.navs.push(Nav { nav_e18: median, time_ms, epoch, signers, observers });
        Ok(())
    }

    /// The stake-weighted lower median; none if nobody's word has weight.
    pub fn median(&self, values: &[(u8, u128)]) -> Option<u128> {
        let weigh = |(seat, value): &(u8, u128)| (*value, self.stakes.weight(*seat));
        let mut weighed: Vec<(u128, u128)> = values.iter().map(weigh).collect();
        weighed.sort_unstable();
        let total: u128 = weighed.iter().map(|(_, weight)| weight).sum();
        let mut so_far = 0;
        let reaches = |(_, weight): &&(u128, u128)| {
            so_far += weight;
            total > 0 && 2 * so_far >= total
        };
        weighed.iter().find(reaches).map(|(value, _)| *value)
    }
}

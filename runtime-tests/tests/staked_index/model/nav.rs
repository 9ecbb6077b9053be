//! The NAV of a slot, and who was off it.

use cicada_core::leaderboard::Settlement;
use cicada_traits::index::IndexError;

use super::{bits, ceil, Model};
use crate::op::{NavFault, Signed};

/// A settled NAV.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nav {
    pub slot: u64,
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
    ) -> Result<Settlement, IndexError> {
        let skipped = fault == Some(NavFault::Skipped);
        let newest = self.basket.newest.follow(self.now_ms, time_ms, skipped)?;
        if fault == Some(NavFault::OtherContent) {
            return Err(IndexError::ContentMismatch);
        }
        self.verify(signed)?;
        self.basket.newest = newest;
        let is_wrong = matches!(
            fault,
            Some(NavFault::Unordered | NavFault::OtherTime(_) | NavFault::Forged(_))
        );
        let heard = values.iter().filter(|(seat, _)| self.stakes.weight(*seat) > 0).count();
        if is_wrong || heard < 16 || values.iter().any(|(_, value)| *value == 0) {
            self.basket.voids.insert(newest.slot);
            return Ok(Settlement::Void);
        }
        let median = self.median(values).expect("sixteen have weight");
        let off: Vec<(u8, u128)> = values
            .iter()
            .filter(|(seat, _)| self.stakes.weight(*seat) > 0)
            .map(|(seat, value)| (*seat, ceil(value.abs_diff(median), 10_000, median)))
            .collect();
        let (signers, observers) = (bits(&signed.seats), bits(off.iter().map(|(seat, _)| seat)));
        if off.iter().any(|(_, bps)| *bps > 50) {
            self.basket.off.insert(newest.slot, off);
        }
        let (epoch, slot) = (self.stakes.epoch(), newest.slot);
        let nav = Nav { slot, nav_e18: median, time_ms, epoch, signers, observers };
        self.basket.navs.push(nav);
        Ok(Settlement::Recorded)
    }

    pub(super) fn judge_nav(&mut self) -> Result<(), IndexError> {
        let (slot, off) = self.basket.off.pop_first().ok_or(IndexError::NothingToJudge)?;
        let nav = self.basket.navs.iter().find(|nav| nav.slot == slot).copied();
        let Nav { epoch, time_ms, .. } = nav.expect("it was settled");
        self.deviate(epoch, time_ms, &off).map_err(|_| IndexError::PenaltiesRefused)
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

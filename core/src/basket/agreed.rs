//! The basket as the nodes agree on it. Weights and tokens follow from one sheet, prices are the
//! medians of signed observations: a node computes the entries anew, and takes no others.

use super::holdings::{matches, Entry};
use super::observed::{check, Observation};
use super::sheet::Sheet;
use super::BasketError;
use crate::feed::FeedValue;
use crate::hash::Hasher;
use crate::nav::{deviation_bps_ceil, is_left_out, ObservationError, AGREE_BPS};
use crate::report::{Report, ReportKind};
use alloc::string::String;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// What the nodes agree on for one slot of the basket: the report, its content, and what the prices
/// rest on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The report to attest.
    pub report: Report,
    /// The entries, as they stand under its root.
    pub entries: Vec<Entry>,
    /// The observations, in order of seats.
    pub observations: Vec<Observation>,
}

impl FeedValue for Proposal {
    const KIND: ReportKind = ReportKind::Basket;

    fn report(&self) -> &Report {
        &self.report
    }

    fn check_content<H: Hasher>(&self, _seats: u8) -> Result<(), String> {
        match matches::<H>(&self.report, &self.entries) {
            true => Ok(()),
            false => Err("the decided entries are not those of the decided report".into()),
        }
    }
}

/// What a validator tells its node of a slot: what it signed, when, whose word has weight, and
/// from what the entries follow.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Own {
    /// The slot.
    pub slot: u64,
    /// What it signed.
    pub observation: Observation,
    /// When, by its clock, in milliseconds since 1970.
    pub signed_ms: u64,
    /// The weight of each seat, as the chain had it.
    pub weights: Vec<u128>,
    /// Emissions and holdings.
    pub sheet: Sheet,
}

/// Why a node does not agree to a basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Its validator has signed nothing for this slot and time.
    Unseen,
    /// The observations are not enough, or not in order.
    Observations(ObservationError),
    /// Its own validator's observation is left out, or another stands in its place.
    LeftOut,
    /// The observations make no basket.
    Basket(BasketError),
    /// Another number of entries than follow from the observations.
    Count {
        /// How many follow.
        expected: usize,
    },
    /// Another entry than follows from the observations.
    Entry {
        /// The place in the list, from 0.
        place: usize,
    },
    /// A token without a price, although its own validator names one and so few observers do not
    /// that all of them may lie: who chooses the observers must not choose who is silent.
    Withheld {
        /// The subnet.
        netuid: u16,
    },
    /// A median that is off its own validator's price by more than [`AGREE_BPS`].
    Price {
        /// The place in the list, from 0.
        place: usize,
        /// How far, rounded up.
        off_bps: u128,
    },
}

impl Own {
    /// Whether a proposal that reached the node at `come_ms` is what this validator can agree to:
    /// its own observation stands in it if it was told of in time, the entries are those that
    /// follow, each price is near its own where it has one, and none of those is missing unless
    /// more seats name none than the fault model lets lie.
    ///
    /// # Errors
    /// [`Difference`]: the first that there is.
    pub fn agrees(&self, proposal: &Proposal, needed: u8, come_ms: u64) -> Result<(), Difference> {
        let Self { slot, observation: own, signed_ms, weights, sheet } = self;
        let Proposal { report, entries, observations } = proposal;
        let time_ms = report.time_ms;
        if (*slot, own.time_ms) != (report.slot, time_ms) {
            return Err(Difference::Unseen);
        }
        check(observations, weights, needed, time_ms).map_err(Difference::Observations)?;
        let theirs = observations.iter().find(|other| other.seat == own.seat);
        let stands = theirs.map(|theirs| theirs.prices == own.prices);
        if is_left_out(stands, *signed_ms, come_ms) {
            return Err(Difference::LeftOut);
        }
        let found = sheet.agreed(time_ms, observations, weights, needed);
        let found = found.map_err(Difference::Basket)?;
        if found.len() != entries.len() {
            return Err(Difference::Count { expected: found.len() });
        }
        for (place, (theirs, found)) in entries.iter().zip(&found).enumerate() {
            if theirs != found {
                return Err(Difference::Entry { place });
            }
            let Some(price) = own.price_of(found.netuid) else {
                continue;
            };
            let off_bps = deviation_bps_ceil(found.price_e18, price);
            if off_bps > AGREE_BPS {
                return Err(Difference::Price { place, off_bps });
            }
        }
        match self.withheld(&found, observations, needed) {
            Some(netuid) => Err(Difference::Withheld { netuid }),
            None => Ok(()),
        }
    }

    fn withheld(&self, found: &[Entry], observations: &[Observation], needed: u8) -> Option<u16> {
        let liars = self.weights.len().saturating_sub(usize::from(needed));
        let has_weight = |seat: u8| self.weights.get(usize::from(seat)).is_some_and(|w| *w > 0);
        let is_withheld = |netuid: u16| {
            let silent =
                |one: &&Observation| one.price_of(netuid).is_none() && has_weight(one.seat);
            self.observation.price_of(netuid).is_some()
                && !found.iter().any(|entry| entry.netuid == netuid)
                && observations.iter().filter(silent).count() <= liars
        };
        let wanted = self.sheet.wanted();
        wanted.iter().map(|one| one.netuid).find(|netuid| is_withheld(*netuid))
    }
}

#[cfg(test)]
mod tests;

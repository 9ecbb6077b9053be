//! The NAV as the nodes agree on it: each holds the median against what its own validator found.

use super::{check, deviation_bps_ceil, matches, median_e18, Observation, ObservationError};
use crate::feed::FeedValue;
use crate::hash::Hasher;
use crate::report::{Report, ReportKind};
use alloc::string::String;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// How far a median may be off a node's own validator for the node to agree to it, in bps.
pub const AGREE_BPS: u128 = 50;

/// What a validator tells its node of a slot: what it signed, when, and whose word has weight.
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
}

/// How long, in milliseconds, a proposer may not have heard of an observation.
pub const HEARD_MS: u64 = 5_000;

/// Whether a proposal that came at `come_ms` passes over what a validator signed at `signed_ms`:
/// something else stands in its place (`stands` says so, if anything does), or nothing, although
/// there was time to hear of it.
pub(crate) fn is_left_out(stands: Option<bool>, signed_ms: u64, come_ms: u64) -> bool {
    match stands {
        Some(stands) => !stands,
        None => come_ms.saturating_sub(signed_ms) >= HEARD_MS,
    }
}

/// Why a node does not agree to a NAV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Its validator has signed nothing for this slot and time.
    Unseen,
    /// The observations make no NAV.
    Observations(ObservationError),
    /// Its own validator's observation is left out, or another stands in its place.
    LeftOut,
    /// The median is off its validator's NAV by more than [`AGREE_BPS`].
    Median {
        /// How far, rounded up.
        off_bps: u128,
    },
}

impl Own {
    /// Whether observations that reached the node at `come_ms` are what this validator can agree
    /// to: the contract would take them, its own stands among them if they were told of it in time,
    /// and their median is near its own.
    ///
    /// # Errors
    /// [`Difference`].
    pub fn agrees(
        &self,
        report: &Report,
        observations: &[Observation],
        needed: u8,
        come_ms: u64,
    ) -> Result<(), Difference> {
        let Self { slot, observation: own, signed_ms, weights } = self;
        if (*slot, own.time_ms) != (report.slot, report.time_ms) {
            return Err(Difference::Unseen);
        }
        check(observations, weights, needed, report.time_ms).map_err(Difference::Observations)?;
        let theirs = observations.iter().find(|other| other.seat == own.seat);
        let stands = theirs.map(|theirs| theirs.nav_e18 == own.nav_e18);
        if is_left_out(stands, *signed_ms, come_ms) {
            return Err(Difference::LeftOut);
        }
        let median = median_e18(observations, weights).map_err(Difference::Observations)?;
        let off_bps = deviation_bps_ceil(median, own.nav_e18);
        if off_bps > AGREE_BPS {
            return Err(Difference::Median { off_bps });
        }
        Ok(())
    }
}

/// What the nodes agree on for one slot of the NAV: the report and its content.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The report to attest.
    pub report: Report,
    /// The observations, in order of seats.
    pub observations: Vec<Observation>,
}

impl FeedValue for Proposal {
    const KIND: ReportKind = ReportKind::Nav;

    fn report(&self) -> &Report {
        &self.report
    }

    fn check_content<H: Hasher>(&self, _seats: u8) -> Result<(), String> {
        match matches::<H>(&self.report, &self.observations) {
            true => Ok(()),
            false => Err("the decided observations are not those of the decided report".into()),
        }
    }
}

//! What is checked of the arguments.

use crate::calls::Seats;
use cicada_core::certificate::Certificate;
use cicada_core::nav::{deviation_bps_ceil, Observation};
use cicada_core::report::Report;
use cicada_traits::host::{sr25519_verify, HostSha256};
use cicada_traits::index::IndexError;
use cicada_traits::staking::Deviation;
use cicada_traits::stored::Opaque;
use ink::prelude::vec::Vec;
use ink::scale::Decode;

/// Each of `lower` is at most what stands in its place in `upper`.
#[inline(never)]
pub fn limits(lower: &[u128], upper: &[u128]) -> Result<(), IndexError> {
    if lower.len() != upper.len() {
        return Err(IndexError::WrongLength);
    }
    if lower.iter().zip(upper).any(|(low, high)| low > high) {
        return Err(IndexError::BeyondLimit);
    }
    Ok(())
}

/// The epoch and the seats of a certificate, of which the scheme stands before them.
#[inline(never)]
pub fn signed_by(certificate: &Opaque<Certificate>) -> (u32, u32) {
    let head = <(u8, u32, u32)>::decode(&mut certificate.bytes());
    head.map(|(_, epoch, signers)| (epoch, signers)).unwrap_or_default()
}

/// Each observation is signed with its seat's key, for the slot and feed of the report.
#[inline(never)]
pub fn signatures(
    seats: &Seats,
    report: &Report,
    observations: &[Observation],
) -> Result<(), IndexError> {
    for observation in observations {
        let seat = observation.seat;
        let (digest, feed) = (&seats.config_digest, &report.feed);
        let message = observation.message::<HostSha256>(digest, feed, report.slot);
        let key = seats.keys.0.get(usize::from(seat));
        if !key.is_some_and(|key| sr25519_verify(&observation.signature, &message, key)) {
            return Err(IndexError::BadObservation { seat });
        }
    }
    Ok(())
}

/// Which seats are off the NAV, and how far.
#[inline(never)]
pub fn deviations(observations: &[Observation], nav_e18: u128) -> Vec<Deviation> {
    let mut off = Vec::with_capacity(observations.len());
    for observation in observations {
        let bps = deviation_bps_ceil(observation.nav_e18, nav_e18);
        if bps > 0 {
            off.push(Deviation { seat: observation.seat, bps });
        }
    }
    off
}

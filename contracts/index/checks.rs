//! What is checked of the arguments.

use cicada_core::certificate::Certificate;
use cicada_core::nav::{check, median_e18, min_observations, Observation};
use cicada_core::report::Report;
use cicada_traits::host::{sr25519_verify, HostSha256};
use cicada_traits::index::IndexError;
use cicada_traits::staking::Seats;
use cicada_traits::stored::Opaque;
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

/// The NAV of observations that stand under a certificate; none if they make none: too few of seats
/// with weight, of another time, forged.
#[inline(never)]
pub fn nav(seats: &Seats, report: &Report, observations: &[Observation]) -> Option<u128> {
    let needed = min_observations(u8::try_from(seats.keys.0.len()).ok()?)?;
    check(observations, &seats.stakes, needed, report.time_ms).ok()?;
    let nav_e18 = median_e18(observations, &seats.stakes).ok()?;
    let genuine = |observation: &Observation| {
        let (digest, feed) = (&seats.config_digest, &report.feed);
        let message = observation.message::<HostSha256>(digest, feed, report.slot);
        let key = seats.keys.0.get(usize::from(observation.seat));
        key.is_some_and(|key| sr25519_verify(&observation.signature, &message, key))
    };
    observations.iter().all(genuine).then_some(nav_e18)
}

//! How much of an epoch's reports each validator took part in.

use crate::activity::Window;
use crate::fixed::{mul_div_floor, MathError, BPS};
use crate::Account;
use alloc::collections::BTreeMap;
use parity_scale_codec::{Decode, Encode};

/// A settled report: who of which committee took part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Attendance {
    /// The committee.
    pub epoch: u32,
    /// The time of the report, in milliseconds since 1970.
    pub time_ms: u64,
    /// Bit `i` is set if seat `i` observed: a signature under the certificate takes no work.
    pub seats: u32,
}

/// The part of the reports of an epoch of rewards in which each account took part, in bps, rounded
/// down. `operators` are the accounts of a committee in seat order; what a committee that it does
/// not know attested counts as a report in which nobody took part.
///
/// # Errors
/// [`MathError::Overflow`] beyond 2¹²⁸ / 10,000 reports.
pub fn shares_bps_floor<'a>(
    reports: &[Attendance],
    window: &Window,
    operators: impl Fn(u32) -> &'a [Account],
) -> Result<BTreeMap<Account, u16>, MathError> {
    let mut counts: BTreeMap<Account, u128> = BTreeMap::new();
    let mut all = 0u128;
    for report in reports.iter().filter(|report| window.hour_of(report.time_ms).is_some()) {
        all = all.saturating_add(1);
        for (seat, operator) in (0u32..).zip(operators(report.epoch)) {
            if report.seats.checked_shr(seat).unwrap_or(0) & 1 == 1 {
                let count = counts.entry(*operator).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    let share = |(account, count): (Account, u128)| {
        let bps = mul_div_floor(count, BPS, all)?;
        Ok((account, u16::try_from(bps).map_err(|_| MathError::Overflow)?))
    };
    counts.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: [Account; 2] = [Account([1; 32]), Account([2; 32])];
    const NEW: [Account; 2] = [Account([2; 32]), Account([3; 32])];

    fn operators(epoch: u32) -> &'static [Account] {
        match epoch {
            1 => &OLD,
            2 => &NEW,
            _ => &[],
        }
    }

    fn report(epoch: u32, time_ms: u64, seats: u32) -> Attendance {
        Attendance { epoch, time_ms, seats }
    }

    #[test]
    fn an_account_is_counted_over_its_seats() {
        let window = Window::new(1_000, 2_000).unwrap();
        let reports = [
            report(1, 999, 0b11),
            report(1, 1_000, 0b11),
            report(1, 1_500, 0b01),
            report(2, 1_999, 0b01),
            report(2, 2_000, 0b11),
        ];
        let shares = shares_bps_floor(&reports, &window, operators).unwrap();
        let expected = [(Account([1; 32]), 6_666), (Account([2; 32]), 6_666)];
        assert_eq!(shares.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_an_unknown_committee_attested_is_nobodys() {
        let window = Window::new(0, 10).unwrap();
        let reports = [report(1, 1, 0b10), report(9, 2, u32::MAX)];
        let shares = shares_bps_floor(&reports, &window, operators).unwrap();
        assert_eq!(shares.into_iter().collect::<Vec<_>>(), [(Account([2; 32]), 5_000)]);
        assert!(shares_bps_floor(&[], &window, operators).unwrap().is_empty());
    }

    #[test]
    fn all_32_seats_are_read() {
        let many: Vec<Account> = (0..32u8).map(|seat| Account([seat; 32])).collect();
        let window = Window::new(0, 10).unwrap();
        let shares = shares_bps_floor(&[report(1, 1, u32::MAX)], &window, |_| &many[..]).unwrap();
        assert_eq!(shares.len(), 32);
        assert!(shares.values().all(|share| *share == 10_000));
    }
}

//! Prices of the last 24 hours of one task type, in hourly buckets (requirements 001-6, 002-price-discovery).

use crate::market::{div_floor, times};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// How many hourly buckets the window has, the present one included.
pub const WINDOW_HOURS: u64 = 24;
/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;

/// The settled jobs of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Bucket {
    /// Hours since 1970.
    pub hour: u64,
    /// How many.
    pub count: u32,
    /// The sum of their units.
    pub units: u128,
    /// The sum of their prices per unit.
    pub prices: u128,
    /// The sum of price times units.
    pub value: u128,
    /// The lowest price per unit.
    pub min: u128,
    /// The highest price per unit.
    pub max: u128,
}

/// The buckets of a task type, oldest first, at most [`WINDOW_HOURS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Window(pub Vec<Bucket>);

/// Prices per unit over the window, in the smallest unit of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Prices {
    /// The mean over jobs, rounded down.
    pub average: u128,
    /// The mean weighted by units, rounded down.
    pub vwap: u128,
    /// The lowest.
    pub min: u128,
    /// The highest.
    pub max: u128,
    /// Units done.
    pub volume: u128,
    /// Jobs settled.
    pub count: u32,
}

impl Bucket {
    /// One job.
    fn of(hour: u64, price: u128, units: u64) -> Self {
        let value = times(price, units);
        let units = units.into();
        Self { hour, count: 1, units, prices: price, value, min: price, max: price }
    }

    /// Both together, in the hour of the other; none if a sum would exceed 128 bits.
    #[inline(never)]
    fn and(&self, other: &Self) -> Option<Self> {
        Some(Self {
            hour: other.hour,
            count: self.count.checked_add(other.count)?,
            units: self.units.checked_add(other.units)?,
            prices: self.prices.checked_add(other.prices)?,
            value: self.value.checked_add(other.value)?,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        })
    }

    const EMPTY: Self =
        Self { hour: 0, count: 0, units: 0, prices: 0, value: 0, min: u128::MAX, max: 0 };
}

fn hour_of(now_ms: u64) -> u64 {
    now_ms.checked_div(HOUR_MS).unwrap_or(0)
}

/// Whether a bucket still counts in the hour `now`.
fn is_recent(bucket: &Bucket, now: u64) -> bool {
    bucket.hour.saturating_add(WINDOW_HOURS) > now
}

impl Window {
    /// Counts a settled job, and forgets the buckets that no longer count. `now_ms` never falls
    /// from call to call. A job whose sums no longer fit 128 bits is left out: nobody can pay that.
    pub fn record(&mut self, now_ms: u64, price: u128, units: u64) {
        let hour = hour_of(now_ms);
        self.0.retain(|bucket| is_recent(bucket, hour));
        let job = Bucket::of(hour, price, units);
        match self.0.last_mut() {
            Some(last) if last.hour == hour => *last = last.and(&job).unwrap_or(*last),
            _ => self.0.push(job),
        }
    }

    /// Prices over the window that ends now; none without a job in it.
    pub fn prices(&self, now_ms: u64) -> Option<Prices> {
        let hour = hour_of(now_ms);
        let mut recent = self.0.iter().filter(|bucket| is_recent(bucket, hour));
        let all = recent.try_fold(Bucket::EMPTY, |sum, bucket| sum.and(bucket))?;
        Some(Prices {
            average: div_floor(all.prices, all.count.into())?,
            vwap: div_floor(all.value, all.units)?,
            min: all.min,
            max: all.max,
            volume: all.units,
            count: all.count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn a_job_counts_for_24_hourly_buckets() {
        let mut window = Window::default();
        assert_eq!(window.prices(0), None);
        window.record(5, 100, 10);
        let expected = Prices { average: 100, vwap: 100, min: 100, max: 100, volume: 10, count: 1 };
        assert_eq!(window.prices(WINDOW_HOURS * HOUR_MS - 1), Some(expected));
        assert_eq!(window.prices(WINDOW_HOURS * HOUR_MS), None);
    }

    #[test]
    fn means_are_rounded_down() {
        let mut window = Window::default();
        window.record(0, 100, 10);
        window.record(HOUR_MS, 201, 30);
        let prices = window.prices(HOUR_MS).unwrap();
        assert_eq!((prices.average, prices.vwap), (150, 175));
        assert_eq!(window.0.len(), 2);
    }

    #[test]
    fn sums_beyond_128_bits_leave_a_job_out() {
        let mut window = Window::default();
        window.record(0, u128::MAX, 1);
        window.record(0, 1, 1);
        assert_eq!(window.prices(0).unwrap().count, 1);
        window.record(HOUR_MS, u128::MAX, 1);
        assert_eq!(window.prices(HOUR_MS), None, "rather no price than a wrong one");
    }

    proptest! {
        #[test]
        fn the_buckets_are_those_of_a_list_of_all_jobs(
            jobs in prop::collection::vec((0..10 * HOUR_MS, 1..1_000u128, 1..1_000u64), 0..60),
            later in 0..40 * HOUR_MS,
        ) {
            let (mut window, mut now, mut all) = (Window::default(), 0, vec![]);
            for (after, price, units) in jobs {
                now += after;
                window.record(now, price, units);
                all.push((now / HOUR_MS, price, u128::from(units)));
                prop_assert!(window.0.len() as u64 <= WINDOW_HOURS);
                prop_assert!(window.0.iter().zip(window.0.iter().skip(1)).all(|(a, b)| a.hour < b.hour));
            }
            now += later;
            let first = (now / HOUR_MS).saturating_sub(WINDOW_HOURS - 1);
            all.retain(|(hour, _, _)| *hour >= first);
            let sum = |of: fn(&(u64, u128, u128)) -> u128| all.iter().map(of).sum::<u128>();
            let expected = (!all.is_empty()).then(|| Prices {
                average: sum(|job| job.1) / all.len() as u128,
                vwap: sum(|job| job.1 * job.2) / sum(|job| job.2),
                min: all.iter().map(|job| job.1).min().unwrap(),
                max: all.iter().map(|job| job.1).max().unwrap(),
                volume: sum(|job| job.2),
                count: all.len() as u32,
            });
            prop_assert_eq!(window.prices(now), expected);
        }
    }
}

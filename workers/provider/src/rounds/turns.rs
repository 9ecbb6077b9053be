//! How much of what strangers can make more of is read at once: what was promised comes between.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::time::{Duration, Instant};

/// The longest that one kind of thing is read without a pause; the next look goes on with it.
const TURN: Duration = Duration::from_secs(1);
/// A delivered job is looked at again so late at most, in ms …
const LATEST_MS: u64 = 600_000;
/// … and of many, about one in so many ms.
const EACH_MS: u64 = 1_000;

/// A turn of reading: always something, and no more when it is over.
pub(super) struct Turn(Instant);

impl Turn {
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.elapsed() >= TURN
    }
}

/// All of them once, from the one after `last` on: whoever stops in the middle goes on there.
pub(super) fn after(all: &BTreeSet<u64>, last: u64) -> Vec<u64> {
    let (next, first) = (all.range((Excluded(last), Unbounded)), all.range(..=last));
    next.chain(first).copied().collect()
}

/// When a job of which only the money is still to come is looked at again, if there are so many: when it is
/// due, and before that now and then, for its requester may be quicker.
pub(super) fn again_ms(jobs: usize, due_ms: Option<u64>, now_ms: u64) -> u64 {
    let jobs = u64::try_from(jobs).unwrap_or(u64::MAX);
    let pause = jobs.saturating_mul(EACH_MS).min(LATEST_MS);
    let until_due = due_ms.map_or(u64::MAX, |due| due.saturating_sub(now_ms));
    now_ms.saturating_add(pause.min(until_due).max(EACH_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stops_in_the_middle_goes_on_there() {
        let all = BTreeSet::from([2, 5, 9]);
        assert_eq!(after(&all, 0), [2, 5, 9]);
        assert_eq!(after(&all, 2), [5, 9, 2]);
        assert_eq!(after(&all, 7), [9, 2, 5], "also if that one is gone");
        assert_eq!(after(&all, u64::MAX), [2, 5, 9]);
        assert!(after(&BTreeSet::new(), 3).is_empty());
    }

    #[test]
    fn many_delivered_jobs_are_looked_at_rarely_and_when_they_are_due() {
        let now = 5_000_000;
        assert_eq!(again_ms(1, None, now), now + 1_000);
        assert_eq!(again_ms(384, Some(now + 3_600_000), now), now + 384_000);
        assert_eq!(again_ms(9_216, Some(now + 86_400_000), now), now + 600_000);
        assert_eq!(again_ms(9_216, Some(now + 7_000), now), now + 7_000);
        assert_eq!(again_ms(9_216, Some(now), now), now + 1_000, "it waits for others");
        assert_eq!(again_ms(usize::MAX, Some(u64::MAX), u64::MAX), u64::MAX);
    }
}

//! What can be done in time: no more is promised than that.

/// What goes round a job beside its own time: fetching, marking, storing, delivering. In ms.
const ROUND_A_JOB_MS: u64 = 3_000;

/// A job that was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The longest that it may still take, in ms.
    pub longest_ms: u64,
    /// Until when its result must be there, in ms since 1970.
    pub complete_by_ms: u64,
    /// Whether it runs.
    pub runs: bool,
}

/// Whether all jobs can be done in time, each at its longest, by so many at once: those that run go
/// on, the others follow in the order of their deadlines.
pub fn all_fit(slots: usize, promises: &[Promise], now_ms: u64) -> bool {
    first_late(slots, promises, now_ms).is_none()
}

/// The place in `promises` of the first job that cannot be done in time and does not run.
pub fn first_late(slots: usize, promises: &[Promise], now_ms: u64) -> Option<usize> {
    let (running, mut waiting): (Vec<usize>, Vec<usize>) =
        (0..promises.len()).partition(|at| promises[*at].runs);
    waiting.sort_by_key(|at| promises[*at].complete_by_ms);
    let mut free: Vec<u64> = running
        .iter()
        .map(|at| now_ms.saturating_add(promises[*at].longest_ms))
        .chain(std::iter::repeat(now_ms))
        .take(slots.max(running.len()).max(1))
        .collect();
    waiting.into_iter().find(|at| {
        let promise = &promises[*at];
        // Never empty.
        let Some(slot) = free.iter_mut().min() else {
            return true;
        };
        let done = slot.saturating_add(promise.longest_ms).saturating_add(ROUND_A_JOB_MS);
        if done > promise.complete_by_ms {
            return true;
        }
        *slot = done;
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(longest_ms: u64, complete_by_ms: u64) -> Promise {
        Promise { longest_ms, complete_by_ms, runs: false }
    }

    fn runs(longest_ms: u64) -> Promise {
        Promise { longest_ms, complete_by_ms: 0, runs: true }
    }

    #[test]
    fn one_job_needs_its_time_and_what_goes_round_it() {
        assert!(all_fit(1, &[], 0));
        assert!(all_fit(1, &[waits(10_000, 13_000)], 0));
        assert!(!all_fit(1, &[waits(10_000, 12_999)], 0));
        assert!(!all_fit(1, &[waits(10_000, 13_000)], 1));
    }

    #[test]
    fn five_jobs_that_must_be_done_in_the_time_of_one_are_not_promised() {
        let five = [waits(10_000, 14_000); 5];
        assert!(all_fit(1, &five[..1], 0));
        assert_eq!(first_late(1, &five, 0), Some(1));
        assert!(all_fit(5, &five, 0));
    }

    #[test]
    fn what_runs_is_waited_for() {
        assert!(!all_fit(1, &[runs(5_000), waits(10_000, 14_000)], 0));
        assert!(all_fit(1, &[runs(5_000), waits(10_000, 18_000)], 0));
        assert!(all_fit(2, &[runs(5_000), waits(10_000, 14_000)], 0));
    }

    #[test]
    fn a_tight_job_does_not_push_an_earlier_promise_out() {
        let promised = waits(10_000, 20_000);
        assert!(!all_fit(1, &[promised, waits(10_000, 14_000)], 0), "the first would be late");
        assert_eq!(first_late(1, &[promised, waits(5_000, 8_000)], 0), Some(0));
        assert!(all_fit(1, &[promised, waits(10_000, 30_000)], 0));
    }
}

//! What can be begun in time: no more is promised than that.

/// A job that was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The longest that it may take from its start, in ms.
    pub longest_ms: u64,
    /// Until when it is begun, or else handed back, in ms since 1970.
    pub begin_by_ms: u64,
    /// Until when its result must be there, in ms since 1970.
    pub complete_by_ms: u64,
    /// Since when it runs, if it does.
    pub since_ms: Option<u64>,
}

impl Promise {
    /// When a running job leaves its place at the latest: marking the start and delivering take a
    /// slack each, as they do in the market's own times. Never now: it runs.
    fn leaves_ms(&self, since_ms: u64, slack_ms: u64, now_ms: u64) -> u64 {
        let longest = self.longest_ms.saturating_add(slack_ms.saturating_mul(2));
        since_ms.saturating_add(longest).min(self.complete_by_ms).max(now_ms.saturating_add(1))
    }
}

/// Which of `promises` get none of so many places in time: those that run go on, the others follow
/// in the order in which they must begin. Who finds a place free begins, whatever is left of its time;
/// who has to wait for one must be able to take its longest after that.
pub fn late(places: usize, promises: &[Promise], slack_ms: u64, now_ms: u64) -> Vec<usize> {
    let running = promises
        .iter()
        .filter_map(|promise| Some(promise.leaves_ms(promise.since_ms?, slack_ms, now_ms)));
    let mut free: Vec<u64> = running.collect();
    free.resize(places.max(free.len()), now_ms);
    let mut waiting: Vec<usize> =
        (0..promises.len()).filter(|at| promises[*at].since_ms.is_none()).collect();
    waiting.sort_by_key(|at| promises[*at].begin_by_ms);
    waiting.retain(|at| {
        let promise = &promises[*at];
        let Some(place) = free.iter_mut().min() else {
            return true;
        };
        let done_ms = place.saturating_add(promise.longest_ms).saturating_add(slack_ms);
        let waits = *place > now_ms;
        if *place > promise.begin_by_ms || (waits && done_ms > promise.complete_by_ms) {
            return true;
        }
        *place = promise.leaves_ms(*place, slack_ms, now_ms);
        false
    });
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: u64 = 24_000;
    const NOW: u64 = 1_000_000;

    /// A public job of this length, assigned now: free to be handed back for just under half of its
    /// time, begun within three quarters of that.
    fn waits(longest_ms: u64) -> Promise {
        let time = longest_ms + 2 * SLACK;
        let free = 120_000.min(time / 2 - 1);
        let (begin_by_ms, complete_by_ms) = (NOW + free - free / 4, NOW + time);
        Promise { longest_ms, begin_by_ms, complete_by_ms, since_ms: None }
    }

    fn runs(longest_ms: u64, since_ms: u64) -> Promise {
        let complete_by_ms = since_ms + longest_ms + 2 * SLACK;
        Promise { since_ms: Some(since_ms), complete_by_ms, ..waits(longest_ms) }
    }

    /// What asks for a place: it must be free now.
    fn new(longest_ms: u64) -> Promise {
        Promise { begin_by_ms: NOW, ..waits(longest_ms) }
    }

    fn late_of(places: usize, promises: &[Promise]) -> Vec<usize> {
        late(places, promises, SLACK, NOW)
    }

    #[test]
    fn nothing_is_promised_without_a_free_place() {
        assert!(late_of(1, &[new(10_000)]).is_empty());
        assert_eq!(late_of(1, &[runs(1_000, NOW - 500), new(10_000)]), [1]);
        assert_eq!(late_of(1, &[runs(1_000, NOW - 900_000), new(10_000)]), [1], "it still runs");
        assert!(late_of(2, &[runs(1_000, NOW), new(10_000)]).is_empty());
        assert_eq!(late_of(1, &[new(10_000), new(10_000)]), [1]);
    }

    #[test]
    fn a_job_behind_one_that_uses_all_of_its_time_is_handed_back_at_once() {
        // 44 s left of the first by its own time alone, and a second one that is free for 34 s.
        let first = runs(60_000, NOW - 16_000);
        assert_eq!(late_of(1, &[first, waits(20_000)]), [1]);
        let ending = runs(60_000, NOW - 60_000 - 2 * SLACK + 10_000);
        assert!(late_of(1, &[ending, waits(20_000)]).is_empty(), "10 s are waited for");
    }

    #[test]
    fn all_that_are_late_are_known_at_once() {
        let twenty = [waits(10_000); 20];
        assert_eq!(late_of(1, &twenty).len(), 19);
        assert_eq!(late_of(3, &twenty).len(), 17);
    }

    #[test]
    fn who_is_first_begins_whatever_is_left_and_who_waits_has_all_of_its_time() {
        let short = Promise { complete_by_ms: NOW + 5_000, ..waits(10_000) };
        assert!(late_of(1, &[short]).is_empty());
        // Free for 120 s, but after 25 s its own time no longer fits before its deadline.
        let ending = runs(1_000, NOW - 24_000);
        assert_eq!(late_of(1, &[ending, waits(600_000)]), [1]);
        let over = Promise { begin_by_ms: NOW - 1, ..waits(10_000) };
        assert_eq!(
            late_of(1, &[over]),
            [0],
            "its time to begin is over, and it is handed back while that is free"
        );
    }
}

//! How long what is waited for may take.

use super::Trouble;
use cicada_core::market::{Assignment, Request};
use cicada_market::Error;
use cicada_program::{now_ms, visible_line};
use std::future::Future;
use std::time::Duration;

/// Between two attempts of what the chain or a disk did not take.
const AGAIN: Duration = Duration::from_secs(1);

/// What `ready` gives, if it does before `until_ms`; what would come later never comes.
pub(super) async fn in_time<T>(
    until_ms: u64,
    ready: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let left = Duration::from_millis(until_ms.saturating_sub(now_ms()));
    match tokio::time::timeout(left, ready).await {
        Err(_) => Err(Trouble::Never("its payload is not there in time".into())),
        Ok(Err(Trouble::Later(why))) if now_ms() >= until_ms => Err(Trouble::Never(why)),
        Ok(outcome) => outcome,
    }
}

/// What `attempt` gives, which is made again and again before `until_ms`: handing back costs more the
/// later it comes.
pub(super) async fn soon<T, F: Future<Output = Result<T, Trouble>>>(
    until_ms: u64,
    attempt: impl Fn() -> F,
) -> Result<T, Trouble> {
    loop {
        match in_time(until_ms, attempt()).await {
            Err(Trouble::Later(_)) => tokio::time::sleep(AGAIN).await,
            outcome => return outcome,
        }
    }
}

/// What is tried again until the time of an assignment is over. The log hears of it once.
pub(super) struct Patience {
    assignment: u64,
    until_ms: u64,
    said: bool,
}

impl Patience {
    pub(super) fn until(assignment: u64, until_ms: u64) -> Self {
        Self { assignment, until_ms, said: false }
    }

    /// A pause after a failure, unless there is no time for more.
    pub(super) async fn after(&mut self, error: &impl std::fmt::Display) -> Result<(), Trouble> {
        if now_ms() >= self.until_ms {
            return Err(Trouble::Later(error.to_string()));
        }
        if !std::mem::replace(&mut self.said, true) {
            let until = self.until_ms;
            let error = visible_line(&error.to_string());
            tracing::warn!(assignment = self.assignment, "{error}; trying again until {until}");
        }
        tokio::time::sleep(AGAIN).await;
        Ok(())
    }
}

/// What the chain shows of what was sent.
pub(super) enum Seen {
    /// It is done, by this attempt or an earlier one.
    Done,
    /// It is not done.
    Nothing,
    /// It is not done, and it is too late for it.
    TooLate,
}

/// Sends until that is done, whatever happens to the connection, the node and its pool. What was lost sight
/// of is sent again, without asking what became of it: a second one changes nothing. `seen` is asked about
/// an attempt that failed; it says nothing if it cannot know.
pub(super) async fn sent<F, G>(
    mut patience: Patience,
    send: impl Fn() -> F,
    seen: impl Fn() -> G,
) -> Result<(), Trouble>
where
    F: Future<Output = Result<(), Error>>,
    G: Future<Output = Option<Seen>>,
{
    loop {
        let Err(error) = send().await else {
            return Ok(());
        };
        match seen().await {
            Some(Seen::Done) => return Ok(()),
            Some(Seen::TooLate) => return Err(Trouble::Never(error.to_string())),
            Some(Seen::Nothing) if error.refusal().is_some() => return Err(error.into()),
            Some(Seen::Nothing) | None => patience.after(&error).await?,
        }
    }
}

/// How long the job may take: its request's bound, the whole of it after a restart too, as far as
/// there is half a slack left then, two blocks, for storing and delivering. Under a service level the
/// chain has counted since the start: as much more than the bound is no violation yet.
pub(super) fn time_for(
    of: &Assignment,
    terms: &Request,
    started_ms: Option<u64>,
    slack_ms: u64,
) -> Duration {
    let longest = terms.max_duration_ms;
    let measured = started_ms
        .map_or(u64::MAX, |started| started.saturating_add(longest).saturating_add(slack_ms / 2));
    let until_ms = of.complete_by_ms.saturating_sub(slack_ms / 2).min(measured);
    Duration::from_millis(until_ms.saturating_sub(now_ms()).min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::give_up_ms;
    use crate::policy::tests::request;
    use crate::work::tests::{until, PARAMETERS};
    use cicada_chain::Underway;
    use cicada_contracts::types::AuctionError;
    use cicada_core::hash::Digest;
    use cicada_core::sla::Sla;
    use cicada_core::Account;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_job_gets_its_bound_or_what_the_deadline_leaves_before_the_delivery() {
        let now = now_ms();
        let terms = |max_duration_ms| Request { max_duration_ms, ..request().terms };
        let time = |left_ms, longest_ms, started_ms| {
            time_for(&until(now + left_ms), &terms(longest_ms), started_ms, 24_000).as_millis()
        };
        assert_eq!(time(3_600_000, 5_000, None), 5_000);
        let short = time(22_000, 60_000, None);
        assert!(short <= 10_000 && short > 8_000, "{short:?}");
        assert_eq!((time(12_000, 60_000, None), time(0, 60_000, None)), (0, 0));
        let behind = time(3_600_000, 60_000, Some(now - 18_000));
        assert!(behind <= 54_000 && behind > 52_000, "{behind:?}");
        assert_eq!(time(3_600_000, 60_000, Some(now - 6_000)), 60_000);
    }

    #[test]
    fn what_is_handed_back_has_a_block_left_in_which_that_is_free() {
        for time_ms in [49_000, 58_000, 241_000, 648_000] {
            let job = until(time_ms);
            let give_up = give_up_ms(&job, &request().terms, &PARAMETERS, 0);
            let free = job.free_until_ms(&PARAMETERS);
            assert!(give_up < free && free - give_up >= 6_000, "{time_ms}: {give_up} of {free}");
        }
    }

    #[tokio::test]
    async fn what_hangs_or_stays_away_is_handed_back_while_that_is_free() {
        let hangs = in_time(now_ms() + 50, std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(hangs, Err(Trouble::Never(_))), "{hangs:?}");
        let fails = |until_ms| {
            let failed = std::future::ready(Err::<(), _>(Trouble::Later("no space".into())));
            in_time(until_ms, failed)
        };
        assert!(matches!(fails(now_ms() - 1).await, Err(Trouble::Never(_))));
        assert!(matches!(fails(now_ms() + 9_000).await, Err(Trouble::Later(_))), "tried again");
    }

    #[tokio::test]
    async fn what_is_there_a_little_later_is_done_and_not_handed_back() {
        let tried = AtomicU32::new(0);
        let second = || {
            let first = tried.fetch_add(1, Ordering::Relaxed) == 0;
            std::future::ready(if first { Err(Trouble::Later("not yet".into())) } else { Ok(()) })
        };
        assert!(soon(now_ms() + 9_000, second).await.is_ok());
        let never = || std::future::ready(Err::<(), _>(Trouble::Later("no store".into())));
        assert!(matches!(soon(now_ms() + 500, never).await, Err(Trouble::Never(_))));
    }

    fn lost_sight() -> Error {
        let underway = Underway {
            transaction: Digest([7; 32]),
            account: Account([1; 32]),
            nonce: 3,
            valid_until: 256,
        };
        let (what, reason) = ("start".into(), "the node was started again".into());
        cicada_chain::Error::Unknown { what, underway: Box::new(underway), reason }.into()
    }

    fn refused() -> Error {
        let why = AuctionError::WrongStatus;
        cicada_chain::Error::refusal_of("start", &why, "").into()
    }

    #[tokio::test]
    async fn what_a_node_has_forgotten_is_sent_again_at_once() {
        let (began, tried) = (now_ms(), AtomicU32::new(0));
        let send = || {
            let first = tried.fetch_add(1, Ordering::Relaxed) == 0;
            std::future::ready(if first { Err(lost_sight()) } else { Ok(()) })
        };
        let nothing = || std::future::ready(Some(Seen::Nothing));
        sent(Patience::until(1, began + 60_000), send, nothing).await.expect("it is sent");
        assert!(now_ms() - began < 5_000 && tried.load(Ordering::Relaxed) == 2);
    }

    #[tokio::test]
    async fn what_is_refused_is_asked_about_first() {
        let outcome = |error: fn() -> Error, seen: fn() -> Option<Seen>| {
            let send = move || std::future::ready(Err(error()));
            sent(Patience::until(1, now_ms() + 300), send, move || std::future::ready(seen()))
        };
        let done = outcome(refused, || Some(Seen::Done)).await;
        assert!(done.is_ok(), "an attempt that was lost sight of: {done:?}");
        assert!(matches!(outcome(refused, || Some(Seen::Nothing)).await, Err(Trouble::Never(_))));
        assert!(matches!(outcome(refused, || None).await, Err(Trouble::Later(_))));
        assert!(matches!(outcome(lost_sight, || None).await, Err(Trouble::Later(_))));
        assert!(matches!(
            outcome(lost_sight, || Some(Seen::TooLate)).await,
            Err(Trouble::Never(_))
        ));
    }

    #[test]
    fn a_response_that_would_be_late_is_handed_back_first() {
        let sla = Sla {
            uptime_bps: None,
            max_response_ms: 30_000,
            violation_penalty: 1,
            quality: vec![],
        };
        let terms = Request { sla: Some(sla), ..request().terms };
        assert_eq!(give_up_ms(&until(648_000), &terms, &PARAMETERS, 0), 48_000);
        assert_eq!(give_up_ms(&until(648_000), &request().terms, &PARAMETERS, 0), 90_000);
    }
}

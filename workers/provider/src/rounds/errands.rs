//! What is sent: nothing that was promised waits for it.

use super::assignments::Mine;
use super::turns::again_ms;
use super::Provider;
use crate::config::Config;
use crate::policy::{hand_back, HandBack};
use crate::queue::{late, Promise};
use crate::worker::Worker;
use cicada_contracts::auction;
use cicada_core::escrow::State;
use cicada_core::market::{Assignment, Parameters, Status};
use cicada_market::Error;
use cicada_program::now_ms;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

/// Of so many delivered jobs the money is seen to at once, at most.
const COLLECTED_AT_ONCE: usize = 16;

/// How often old results are removed, in ms.
const REMOVED_EVERY_MS: u64 = 3_600_000;

/// What `send` gives; until then `look` is made again and again, with pauses.
async fn alongside<T>(
    send: impl Future<Output = T>,
    pause: Duration,
    mut look: impl AsyncFnMut(),
) -> T {
    tokio::pin!(send);
    loop {
        let next = async {
            tokio::time::sleep(pause).await;
            look().await;
        };
        tokio::select! {
            outcome = &mut send => return outcome,
            () = next => {}
        }
    }
}

/// Which assignments are handed back, and why: what gets no place in time, or is not wanted, while that
/// costs less than a failure.
fn to_hand_back(
    mine: &BTreeMap<u64, Mine>,
    config: &Config,
    parameters: &Parameters,
    now: u64,
) -> Vec<(u64, String)> {
    let promised = mine.iter().filter(|(_, mine)| !mine.awaits());
    let promised = promised.filter_map(|(id, mine)| Some((*id, mine.promise(parameters, now)?)));
    let (ids, promises): (Vec<u64>, Vec<Promise>) = promised.unzip();
    let late = late(config.max_jobs, &promises, parameters.slack_ms, now);
    let late: BTreeSet<u64> = late.iter().filter_map(|at| ids.get(*at).copied()).collect();
    let why = |id: &u64, mine: &Mine| {
        let job = &mine.assignment;
        let helps = hand_back(job, parameters, now) != HandBack::All;
        let is_late = job.status == Status::Assigned && late.contains(id) && helps;
        let is_late = is_late.then(|| "it cannot be begun in time".to_owned());
        mine.unwanted(config, parameters, now).or(is_late)
    };
    let idle = mine.iter().filter(|(_, mine)| mine.run.is_none() && !mine.errand);
    idle.filter_map(|(id, mine)| Some((*id, why(id, mine)?))).collect()
}

impl Worker {
    /// Applies the deadline of an escrow, unless it has ended, and draws the conclusions.
    async fn collect(&self, id: u64, escrow: u64, has_ended: bool) -> Result<(), Error> {
        let market = self.market();
        if !has_ended {
            tracing::info!(assignment = id, "a deadline has passed: applying it");
            market.expire(escrow, &self.signer).await?;
        }
        market.act(&auction::finalize(id), &self.signer).await?;
        Ok(())
    }
}

impl Provider {
    /// What a transaction gives. What was promised is seen to while it is waited for.
    pub(super) async fn meanwhile<T>(&mut self, send: impl Future<Output = T>) -> T {
        let pause = Duration::from(self.worker.config.poll);
        let look = async || match self.look().await {
            Ok(_) => {
                self.said.remove("a look");
            }
            Err(error) => self.warn("a look", format!("{error:#}")),
        };
        alongside(send, pause, look).await
    }

    /// Sends what is about these assignments. Nobody waits for it.
    fn send_off(
        &mut self,
        ids: Vec<u64>,
        errand: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        for id in &ids {
            if let Some(mine) = self.mine.get_mut(id) {
                mine.errand = true;
            }
        }
        let errand = self.errands.spawn(errand);
        self.of_errand.insert(errand.id(), ids);
    }

    /// Notes what became of errands. What is still there is looked at as before.
    pub(super) fn see_errands(&mut self) {
        while let Some(ended) = self.errands.try_join_next_with_id() {
            let (errand, failed) = match ended {
                Ok((errand, outcome)) => (errand, outcome.err().map(|error| error.to_string())),
                Err(error) => (error.id(), Some(error.to_string())),
            };
            let ids = self.of_errand.remove(&errand).unwrap_or_default();
            for id in &ids {
                if let Some(mine) = self.mine.get_mut(id) {
                    mine.errand = false;
                }
            }
            if let Some(why) = failed {
                let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
                self.warn(&format!("assignment {}", ids.join(", ")), why);
            }
        }
    }

    /// Removes, every hour, the results that were kept long enough, if the configuration says how long.
    pub(super) fn remove_old_results(&mut self) {
        let Some(keep) = self.worker.config.keep_results else {
            return;
        };
        if now_ms() < self.remove_ms {
            return;
        }
        self.remove_ms = now_ms().saturating_add(REMOVED_EVERY_MS);
        let results = self.worker.stores.1.clone();
        tokio::task::spawn_blocking(move || match results.remove_older(keep.into()) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "results that were kept long enough"),
            Err(error) => tracing::warn!("old results: {error}"),
        });
    }

    /// Hands back what gets no place in time, or is not wanted: all of it at once.
    pub(super) fn hand_back(&mut self) {
        let (config, parameters) = (&self.worker.config, &self.worker.parameters);
        let leaving = to_hand_back(&self.mine, config, parameters, now_ms());
        for (id, why) in &leaving {
            tracing::warn!(assignment = id, "handed back: {why}");
        }
        let ids: Vec<u64> = leaving.into_iter().map(|(id, _)| id).collect();
        if !ids.is_empty() {
            let (worker, all) = (self.worker.clone(), ids.clone());
            self.send_off(ids, async move { worker.give_all_back(&all).await });
        }
    }

    /// Sees to the money of a job that is delivered or over. Deadlines that favour this side are
    /// applied; that of a job which was missed is left to the requester.
    pub(super) async fn collect(&mut self, id: u64, job: &Assignment) -> Result<(), Error> {
        let escrow = self.worker.market().escrow(job.escrow).await?;
        let has_ended = escrow.ending.is_some();
        let missed = matches!(job.status, Status::Assigned | Status::InProgress);
        if !has_ended && missed && escrow.state == State::Funded {
            self.missed();
            self.ended(id, "its time is over");
            return Ok(());
        }
        let due = has_ended || escrow.due_ms.is_some_and(|due| now_ms() >= due);
        if due && self.errands.len() < COLLECTED_AT_ONCE {
            let (worker, number) = (self.worker.clone(), job.escrow);
            let errand = async move { worker.collect(id, number, has_ended).await };
            self.send_off(vec![id], errand);
        } else {
            let others = self.mine.len();
            if let Some(mine) = self.mine.get_mut(&id) {
                mine.later_ms = again_ms(others, escrow.due_ms, now_ms());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::sample;
    use crate::rounds::assignments::tests::mine;
    use crate::work::tests::PARAMETERS;

    /// Of 648 s: 120 s in which handing back is free, and half of them.
    fn handed_back(now: u64, jobs: Vec<Mine>) -> Vec<u64> {
        let mine: BTreeMap<u64, Mine> = (1..).zip(jobs).collect();
        let handed_back = to_hand_back(&mine, &sample(), &PARAMETERS, now);
        handed_back.into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn what_can_still_be_done_is_done_whenever_it_is_first_seen() {
        let waits = || vec![mine(Status::Assigned, |_| ())];
        assert!(handed_back(0, waits()).is_empty());
        assert_eq!(handed_back(100_000, waits()), [1], "free, and its time to begin is over");
        assert!(handed_back(121_000, waits()).is_empty(), "not free any more");
        assert!(handed_back(325_000, waits()).is_empty(), "as dear as a failure");
        assert!(handed_back(640_000, waits()).is_empty());
    }

    #[test]
    fn what_has_no_place_is_handed_back_until_that_costs_as_much_as_a_failure() {
        let two = || {
            let long = |terms: &mut cicada_core::market::Request| terms.max_duration_ms = 600_000;
            let mut running = mine(Status::InProgress, long);
            running.run_since(0);
            vec![running, mine(Status::Assigned, |_| ())]
        };
        assert_eq!(handed_back(0, two()), [2]);
        assert_eq!(handed_back(200_000, two()), [2], "early is cheaper");
        assert!(handed_back(325_000, two()).is_empty());
    }

    #[test]
    fn what_is_not_wanted_is_handed_back_while_that_is_free() {
        let long = || {
            let year = |terms: &mut cicada_core::market::Request| terms.max_duration_ms = 1 << 40;
            vec![mine(Status::Assigned, year)]
        };
        assert_eq!(handed_back(0, long()), [1]);
        assert!(handed_back(121_000, long()).is_empty());
    }

    #[tokio::test]
    async fn a_slow_transaction_stops_nothing_that_was_promised() {
        let mut looks = 0;
        let send = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            "final"
        };
        let outcome = alongside(send, Duration::from_millis(10), async || looks += 1).await;
        assert!(outcome == "final" && looks >= 5, "{looks}");
        // A look that hangs does not stop it either.
        let send = tokio::time::sleep(Duration::from_millis(50));
        alongside(send, Duration::ZERO, async || std::future::pending().await).await;
    }
}

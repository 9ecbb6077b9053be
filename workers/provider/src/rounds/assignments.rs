//! What was promised, and what becomes of it.

use super::Provider;
use crate::queue::{first_late, Promise};
use crate::work::Trouble;
use anyhow::Result;
use cicada_core::escrow::State;
use cicada_core::hash::Hash;
use cicada_core::market::{Assignment, Status};
use cicada_market::Error;
use cicada_program::{count, now_ms};
use std::collections::BTreeSet;
use tokio::task::{Id, JoinError};

/// After so many jobs in a row that were promised and not done nothing is accepted …
const MISSES: u32 = 3;
/// … for so long. In ms.
const REST_MS: u64 = 600_000;
/// The longest pause before a job is tried again that could not be started, in ms.
const LONGEST_PAUSE_MS: u64 = 60_000;

/// An own assignment that has not ended.
pub(super) struct Mine {
    pub(super) assignment: Assignment,
    longest_ms: u64,
    pub(super) run: Option<Run>,
    // Attempts that came to nothing, and when the next one may begin.
    tries: u32,
    again_ms: u64,
}

/// A job that runs now.
pub(super) struct Run {
    slot: u32,
    since_ms: u64,
}

impl Mine {
    pub(super) fn promise(&self, now_ms: u64) -> Option<Promise> {
        let complete_by_ms = match self.assignment.status {
            Status::Assigned | Status::InProgress => self.assignment.complete_by_ms,
            // It may be handed over at once.
            Status::AwaitingPayload => {
                self.assignment.complete_by_ms.max(now_ms.saturating_add(self.longest_ms))
            }
            _ => return None,
        };
        let gone = self.run.as_ref().map_or(0, |run| now_ms.saturating_sub(run.since_ms));
        let longest_ms = self.longest_ms.saturating_sub(gone);
        Some(Promise { longest_ms, complete_by_ms, runs: self.run.is_some() })
    }
}

impl Provider {
    /// Notes own assignments, those of firm offers too.
    pub(super) async fn find_assignments(&mut self, newest: u64) -> Result<()> {
        for id in self.next_assignment..=newest {
            self.note(id).await?;
            self.next_assignment = id.saturating_add(1);
        }
        let settled = self.mine.keys().next().copied().unwrap_or(self.next_assignment);
        self.worker.state.set_settled_below(settled)
    }

    /// Notes an assignment if it is an own one that has not ended.
    pub(super) async fn note(&mut self, id: u64) -> Result<(), Error> {
        let market = self.worker.market();
        let assignment = market.assignment(id).await?;
        let own = assignment.provider == self.worker.own && !assignment.status.is_final();
        if own && !self.mine.contains_key(&id) {
            let longest_ms = market.request(assignment.request).await?.terms.max_duration_ms;
            let mine = Mine { assignment, longest_ms, run: None, tries: 0, again_ms: 0 };
            self.mine.insert(id, mine);
        }
        Ok(())
    }

    /// Does what is next for each of them, the earliest deadline first. What a contract refuses about
    /// one does not stop the others.
    pub(super) async fn tend_assignments(&mut self) -> Result<()> {
        let mut ids: Vec<u64> = self.mine.keys().copied().collect();
        ids.sort_by_key(|id| self.mine.get(id).map(|mine| mine.assignment.complete_by_ms));
        for id in ids {
            if self.mine.get(&id).is_none_or(|mine| mine.run.is_some()) {
                continue;
            }
            match self.tend(id).await {
                Err(error) if error.refusal().is_some() => {
                    self.warn(&format!("assignment {id}"), error.to_string());
                }
                outcome => outcome?,
            }
        }
        self.give_back_what_is_too_late().await
    }

    async fn tend(&mut self, id: u64) -> Result<(), Error> {
        let assignment = self.worker.market().assignment(id).await?;
        let (status, in_time) = (assignment.status, now_ms() < assignment.complete_by_ms);
        if let Some(mine) = self.mine.get_mut(&id) {
            mine.assignment = assignment.clone();
        }
        match status {
            status if status.is_final() => self.ended(id, &format!("{status:?}")),
            Status::Assigned | Status::InProgress if in_time => self.begin(id),
            Status::AwaitingPayload if in_time => {}
            _ => self.collect(id, &assignment).await?,
        }
        Ok(())
    }

    /// What waits behind other jobs for longer than it can is handed back while that costs nothing.
    async fn give_back_what_is_too_late(&mut self) -> Result<()> {
        let now = now_ms();
        let assigned =
            |mine: &&Mine| matches!(mine.assignment.status, Status::Assigned | Status::InProgress);
        let promised = self.mine.iter().filter(|(_, mine)| assigned(mine));
        let promised: Vec<(u64, Promise)> =
            promised.filter_map(|(id, mine)| Some((*id, mine.promise(now)?))).collect();
        let waits = promised.iter().any(|(_, promise)| promise.runs);
        let (ids, promises): (Vec<u64>, Vec<Promise>) = promised.into_iter().unzip();
        let late = first_late(self.worker.config.max_jobs, &promises, now);
        let Some(id) = late.and_then(|at| ids.get(at)).filter(|_| waits) else {
            return Ok(());
        };
        if self.mine.get(id).is_some_and(|mine| mine.assignment.status == Status::Assigned) {
            tracing::warn!(assignment = id, "handed back: other jobs leave it no time");
            self.worker.give_back(*id).await?;
        }
        Ok(())
    }

    fn begin(&mut self, id: u64) {
        let used: BTreeSet<u32> =
            self.mine.values().filter_map(|mine| Some(mine.run.as_ref()?.slot)).collect();
        let slots = u32::try_from(self.worker.config.max_jobs).unwrap_or(u32::MAX);
        let free = (0..slots).find(|slot| !used.contains(slot));
        let (Some(slot), Some(mine)) = (free, self.mine.get_mut(&id)) else {
            return;
        };
        if now_ms() < mine.again_ms {
            return;
        }
        mine.run = Some(Run { slot, since_ms: now_ms() });
        self.worker.metrics.running.inc();
        let worker = self.worker.clone();
        let job = self.jobs.spawn(async move { worker.settle_trouble(id, slot).await });
        self.of_job.insert(job.id(), id);
    }

    /// Sees to the money of a job that is delivered or over. Deadlines that favour this side are
    /// applied; that of a job which was missed is left to the requester.
    async fn collect(&mut self, id: u64, assignment: &Assignment) -> Result<(), Error> {
        let market = self.worker.market();
        let escrow = market.escrow(assignment.escrow).await?;
        if escrow.ending.is_none() {
            let missed = matches!(assignment.status, Status::Assigned | Status::InProgress);
            if missed && escrow.state == State::Funded {
                self.missed();
                self.ended(id, "its time is over");
                return Ok(());
            }
            if escrow.due_ms.is_none_or(|due| now_ms() < due) {
                return Ok(());
            }
            tracing::info!(assignment = id, "a deadline has passed: applying it");
            market.expire(assignment.escrow, &self.worker.signer).await?;
        }
        market.about("finalize", id, &self.worker.signer).await?;
        Ok(())
    }

    /// Something here is wrong if one promise after the other is not kept.
    fn missed(&mut self) {
        self.misses = self.misses.saturating_add(1);
        if self.misses >= MISSES {
            self.rest_until_ms = now_ms().saturating_add(REST_MS);
            tracing::error!(
                "{} jobs in a row were not done: nothing is accepted for {} s",
                self.misses,
                REST_MS / 1_000
            );
        }
    }

    pub(super) fn job_ended(&mut self, ended: Result<(Id, Result<Hash, Trouble>), JoinError>) {
        let (job, outcome) = match ended {
            Ok((job, outcome)) => (job, outcome),
            Err(error) => (error.id(), Err(Trouble::Later(error.to_string()))),
        };
        let metrics = self.worker.metrics.clone();
        metrics.running.dec();
        let Some(id) = self.of_job.remove(&job) else {
            return;
        };
        if let Some(mine) = self.mine.get_mut(&id) {
            mine.run = None;
            mine.tries = mine.tries.saturating_add(1);
            let pause = 1_000u64.saturating_mul(1 << mine.tries.min(16));
            mine.again_ms = now_ms().saturating_add(pause.min(LONGEST_PAUSE_MS));
        }
        match outcome {
            Ok(digest) => {
                self.misses = 0;
                count(&metrics.jobs, "delivered");
                let result = format!("0x{}", hex::encode(digest));
                tracing::info!(assignment = id, result, "delivered");
            }
            Err(Trouble::Later(why)) => self.warn(&format!("assignment {id}, later"), why),
            Err(Trouble::Never(why)) => {
                count(&metrics.jobs, "given_up");
                self.warn(&format!("assignment {id}, given up"), why);
            }
        }
    }

    fn ended(&mut self, id: u64, how: &str) {
        tracing::info!(assignment = id, "ended: {how}");
        self.mine.remove(&id);
        self.said.retain(|about, _| !about.starts_with(&format!("assignment {id}")));
        self.worker.state.forget(id);
    }
}

//! What was promised, and what becomes of it.

use super::turns::Turn;
use super::Provider;
use crate::config::Config;
use crate::policy::{give_up_ms, hand_back, within_times, HandBack};
use crate::queue::Promise;
use crate::state::Own;
use crate::work::Trouble;
use anyhow::Result;
use cicada_core::hash::Digest;
use cicada_core::market::{Assignment, Parameters, Request, Status};
use cicada_market::Error;
use cicada_program::{count, now_ms};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::{Id, JoinError};

/// After so many jobs in a row that were promised and not done nothing is accepted …
const MISSES: u32 = 3;
/// … for so long. In ms.
const REST_MS: u64 = 600_000;
/// The longest pause before a job is tried again that could not be started, in ms.
const LONGEST_PAUSE_MS: u64 = 8_000;

/// An own assignment that has not ended.
pub(super) struct Mine {
    pub(super) assignment: Assignment,
    terms: Request,
    pub(super) run: Option<Run>,
    // Whether something is sent about it that nobody waits for: it is handed back, or its money is
    // seen to.
    pub(super) errand: bool,
    // Attempts that came to nothing, and when the next one may begin.
    tries: u32,
    again_ms: u64,
    // When it is looked at again, if only its money is still to come.
    pub(super) later_ms: u64,
    // Whether a restart finds it again.
    noted: bool,
}

/// A job that runs now.
pub(super) struct Run {
    slot: u32,
    since_ms: u64,
}

impl Mine {
    fn new(assignment: Assignment, terms: Request) -> Self {
        let (run, errand, noted) = (None, false, true);
        Self { assignment, terms, run, errand, tries: 0, again_ms: 0, later_ms: 0, noted }
    }

    /// What it needs of a place, unless it needs none. One whose payload is still to come is kept a
    /// place as if it came now.
    pub(super) fn promise(&self, parameters: &Parameters, now_ms: u64) -> Option<Promise> {
        let begin_by_ms = match self.assignment.status {
            _ if self.errand => return None,
            Status::Assigned => give_up_ms(&self.assignment, &self.terms, parameters, now_ms),
            Status::AwaitingPayload => now_ms,
            // Its start is marked: it cannot be handed back any more.
            Status::InProgress => u64::MAX,
            _ => return None,
        };
        Some(Promise {
            longest_ms: self.terms.max_duration_ms,
            begin_by_ms,
            complete_by_ms: self.assignment.complete_by_ms,
            since_ms: self.run.as_ref().map(|run| run.since_ms),
        })
    }

    #[cfg(test)]
    pub(super) fn run_since(&mut self, since_ms: u64) {
        self.run = Some(Run { slot: 0, since_ms });
    }

    /// Whether there is a job to be done, or to be handed back.
    fn is_live(&self, now_ms: u64) -> bool {
        let open = !matches!(self.assignment.status, Status::Delivered);
        open && now_ms < self.assignment.complete_by_ms
    }

    /// Whether its payload is still to come.
    pub(super) fn awaits(&self) -> bool {
        self.assignment.status == Status::AwaitingPayload
    }

    fn begin_by_ms(&self, parameters: &Parameters, now_ms: u64) -> u64 {
        match self.assignment.status {
            Status::InProgress => 0,
            _ => give_up_ms(&self.assignment, &self.terms, parameters, now_ms),
        }
    }

    /// Why it is handed back whatever its place: a firm offer asks nobody.
    pub(super) fn unwanted(
        &self,
        config: &Config,
        parameters: &Parameters,
        now_ms: u64,
    ) -> Option<String> {
        let open = matches!(self.assignment.status, Status::Assigned | Status::AwaitingPayload);
        if !open || hand_back(&self.assignment, parameters, now_ms) != HandBack::Free {
            return None;
        }
        let hand_over_by_ms =
            self.assignment.assigned_ms.saturating_add(self.terms.hand_over_ms(parameters));
        if self.awaits() && now_ms >= hand_over_by_ms {
            return Some("its payload was not handed over in time".into());
        }
        let task = config.task(&self.terms.task_type)?;
        // The market knows only the least that a firm offer gives one requester.
        if task.firm && task.max_units.is_some_and(|most| self.assignment.units > most) {
            return Some("it is more than max_units, for one place".into());
        }
        within_times(task, &self.terms).err().map(|why| why.to_string())
    }
}

/// Those that stand idle.
fn idle(mine: &BTreeMap<u64, Mine>) -> impl Iterator<Item = (u64, &Mine)> {
    let idle = mine.iter().filter(|(_, mine)| mine.run.is_none() && !mine.errand);
    idle.map(|(id, mine)| (*id, mine))
}

/// Which of them are jobs to be done: no more than were promised.
fn live(mine: &BTreeMap<u64, Mine>, now_ms: u64) -> Vec<u64> {
    idle(mine).filter(|(_, mine)| mine.is_live(now_ms)).map(|(id, _)| id).collect()
}

/// Which of the others are looked at now, whoever has waited longest first: their number is that of all jobs
/// whose review is not over.
fn to_look_at(mine: &BTreeMap<u64, Mine>, now_ms: u64) -> Vec<u64> {
    let others = idle(mine).filter(|(_, mine)| !mine.is_live(now_ms) && mine.later_ms <= now_ms);
    let mut others: Vec<(u64, u64)> = others.map(|(id, mine)| (mine.later_ms, id)).collect();
    others.sort_unstable();
    others.into_iter().map(|(_, id)| id).collect()
}

impl Provider {
    /// Notes own assignments, those of firm offers too. Whether all are known.
    pub(super) async fn find_assignments(&mut self, newest: u64) -> Result<bool> {
        let turn = Turn::begin();
        while self.next_assignment <= newest && !turn.is_over() {
            self.note(self.next_assignment).await?;
            self.next_assignment = self.next_assignment.saturating_add(1);
        }
        let written = self.write_down();
        // Of those of an earlier run the newest first: there is more to be done about them.
        let turn = Turn::begin();
        while let Some(id) = self.noted.last().copied().filter(|_| !turn.is_over()) {
            if id <= newest {
                self.note(id).await?;
            }
            if !self.mine.contains_key(&id) {
                self.worker.state.forget(id);
            }
            self.noted.remove(&id);
        }
        written?;
        Ok(self.next_assignment > newest && self.noted.is_empty())
    }

    /// Writes down how far assignments were looked at: no further than the first own one that a
    /// restart would not find. A disk that takes nothing hides no job.
    fn write_down(&mut self) -> Result<()> {
        let state = &self.worker.state;
        for (id, mine) in self.mine.iter_mut().filter(|(_, mine)| !mine.noted) {
            mine.noted = state.note(Own::Assignment, *id).is_ok();
        }
        let unnoted = self.mine.iter().find(|(_, mine)| !mine.noted).map(|(id, _)| *id);
        state.set_settled_below(unnoted.unwrap_or(self.next_assignment))
    }

    /// Notes an assignment if it is an own one that has not ended.
    pub(super) async fn note(&mut self, id: u64) -> Result<(), Error> {
        let market = self.worker.market();
        let assignment = market.assignment(id).await?;
        let own = assignment.provider == self.worker.own && !assignment.status.is_final();
        if own && !self.mine.contains_key(&id) {
            let terms = market.request(assignment.request).await?.terms;
            let mut mine = Mine::new(assignment, terms);
            mine.noted = self.worker.state.note(Own::Assignment, id).is_ok();
            self.mine.insert(id, mine);
        }
        Ok(())
    }

    /// Does what is next for each of them: first for the jobs, and then for the money of those that are
    /// delivered or over, however many they are. What cannot be read stops no job.
    pub(super) async fn tend_assignments(&mut self) -> Result<()> {
        let seen = self.tend_all(live(&self.mine, now_ms()), None).await;
        self.hand_back();
        self.begin_jobs();
        seen?;
        let others = to_look_at(&self.mine, now_ms());
        self.tend_all(others, Some(Turn::begin())).await
    }

    async fn tend_all(&mut self, ids: Vec<u64>, turn: Option<Turn>) -> Result<()> {
        for id in ids {
            match self.tend(id).await {
                Err(error) if error.refusal().is_some() => {
                    self.warn(&format!("assignment {id}"), error.to_string());
                }
                seen => seen?,
            }
            if turn.as_ref().is_some_and(Turn::is_over) {
                break;
            }
        }
        Ok(())
    }

    async fn tend(&mut self, id: u64) -> Result<(), Error> {
        let assignment = self.worker.market().assignment(id).await?;
        let (status, in_time) = (assignment.status, now_ms() < assignment.complete_by_ms);
        let known = self.mine.get(&id).map(|mine| mine.assignment.assigned_ms);
        if known.is_some_and(|known| known != assignment.assigned_ms) {
            self.ended(id, "another one has its number: the chain was set back");
            return self.note(id).await;
        }
        if let Some(mine) = self.mine.get_mut(&id) {
            mine.assignment = assignment.clone();
        }
        match status {
            status if status.is_final() => self.ended(id, &format!("{status:?}")),
            Status::Assigned | Status::InProgress | Status::AwaitingPayload if in_time => {}
            _ => self.collect(id, &assignment).await?,
        }
        Ok(())
    }

    /// Begins what waits, as far as there are places, in the order in which it must be begun.
    fn begin_jobs(&mut self) {
        let (now, parameters) = (now_ms(), self.worker.parameters);
        let waits = |mine: &Mine| {
            let status = mine.assignment.status;
            let live = matches!(status, Status::Assigned | Status::InProgress);
            live && !mine.errand && mine.run.is_none() && now < mine.assignment.complete_by_ms
        };
        let waiting = self.mine.iter().filter(|(_, mine)| waits(mine));
        let mut waiting: Vec<(u64, u64)> =
            waiting.map(|(id, mine)| (mine.begin_by_ms(&parameters, now), *id)).collect();
        waiting.sort_unstable();
        for (_, id) in waiting {
            self.begin(id);
        }
    }

    pub(super) fn begin(&mut self, id: u64) {
        let used: BTreeSet<u32> =
            self.mine.values().filter_map(|mine| Some(mine.run.as_ref()?.slot)).collect();
        let slots = u32::try_from(self.worker.config.max_jobs).unwrap_or(u32::MAX);
        let free = (0..slots).find(|slot| !used.contains(slot));
        let (Some(slot), Some(mine)) = (free, self.mine.get_mut(&id)) else {
            return;
        };
        if now_ms() < mine.again_ms || mine.run.is_some() {
            return;
        }
        mine.run = Some(Run { slot, since_ms: now_ms() });
        self.worker.metrics.running.inc();
        let worker = self.worker.clone();
        let job = self.jobs.spawn(async move { worker.settle_trouble(id, slot).await });
        self.of_job.insert(job.id(), id);
    }

    /// Something here is wrong if one promise after the other is not kept.
    pub(super) fn missed(&mut self) {
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

    pub(super) fn job_ended(&mut self, ended: Result<(Id, Result<Digest, Trouble>), JoinError>) {
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
                tracing::info!(assignment = id, result = digest.to_string(), "delivered");
            }
            Err(Trouble::Later(why)) => self.warn(&format!("assignment {id}, later"), why),
            Err(Trouble::Never(why)) => {
                count(&metrics.jobs, "given_up");
                self.warn(&format!("assignment {id}, given up"), why);
            }
        }
    }

    pub(super) fn ended(&mut self, id: u64, how: &str) {
        tracing::info!(assignment = id, "ended: {how}");
        self.mine.remove(&id);
        self.said.retain(|about, _| !about.starts_with(&format!("assignment {id}")));
        self.worker.state.forget(id);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::tests::sample;
    use crate::policy::tests::request;
    use crate::work::tests::{until, PARAMETERS};

    pub(in super::super) fn mine(status: Status, edit: impl Fn(&mut Request)) -> Mine {
        let mut terms = request().terms;
        edit(&mut terms);
        Mine::new(Assignment { status, ..until(648_000) }, terms)
    }

    #[test]
    fn a_payload_that_does_not_come_keeps_no_place_for_a_year() {
        let config = sample();
        let why = |mine: &Mine, now| mine.unwanted(&config, &PARAMETERS, now);
        let waits = mine(Status::AwaitingPayload, |_| ());
        assert_eq!(why(&waits, 83_999), None);
        assert!(why(&waits, 84_000).is_some(), "a minute and the slack are over");
        let year =
            mine(Status::AwaitingPayload, |terms| terms.hand_over_within_ms = 365 * 86_400_000);
        assert!(why(&year, 0).is_some_and(|why| why.contains("max_hand_over")));
        let long = |status| mine(status, |terms| terms.max_duration_ms = 365 * 86_400_000);
        assert!(why(&long(Status::Assigned), 0).is_some_and(|why| why.contains("max_duration")));
        assert_eq!(why(&long(Status::InProgress), 0), None, "it cannot be handed back");
    }

    #[test]
    fn a_firm_offer_gives_no_requester_more_than_max_units() {
        let mut config = sample();
        config.tasks[0].firm = true;
        let of = |units, status| {
            let mut mine = mine(status, |_| ());
            mine.assignment.units = units;
            mine
        };
        let why = |config: &Config, mine: &Mine| mine.unwanted(config, &PARAMETERS, 0);
        assert_eq!(why(&config, &of(200, Status::Assigned)), None);
        for status in [Status::Assigned, Status::AwaitingPayload] {
            let more = why(&config, &of(201, status));
            assert!(more.is_some_and(|why| why.contains("max_units")));
        }
        assert_eq!(why(&config, &of(201, Status::InProgress)), None, "it was begun");
        config.tasks[0].firm = false;
        assert_eq!(why(&config, &of(201, Status::Assigned)), None, "accepted by hand");
    }

    #[test]
    fn jobs_come_before_the_money_of_any_number_of_others() {
        let jobs = [Status::Assigned, Status::AwaitingPayload, Status::InProgress];
        let delivered = std::iter::repeat_n(Status::Delivered, 400);
        let all = delivered.chain(jobs).map(|status| mine(status, |_| ()));
        let mut all: BTreeMap<u64, Mine> = (1..).zip(all).collect();
        assert_eq!(
            live(&all, 5),
            [401, 402, 403],
            "three reads, and they are begun or handed back"
        );
        assert_eq!(to_look_at(&all, 5).len(), 400, "at first");
        for (id, mine) in all.iter_mut().filter(|(id, _)| **id <= 400) {
            mine.later_ms = 1_000 * (401 - id);
        }
        assert_eq!(to_look_at(&all, 3_000), [400, 399, 398], "whoever has waited longest first");
        all.values_mut().for_each(|mine| mine.errand = true);
        assert!(live(&all, 5).is_empty() && to_look_at(&all, 500_000).is_empty());
        // Whose time is over is no job any more.
        let over = BTreeMap::from([(1, mine(Status::Assigned, |_| ()))]);
        assert_eq!((live(&over, 648_000).len(), to_look_at(&over, 648_000)), (0, vec![1]));
    }

    #[test]
    fn what_each_assignment_needs_of_a_place() {
        let begin_by = |status| {
            let mine = mine(status, |_| ());
            mine.promise(&PARAMETERS, 5).map(|promise| promise.begin_by_ms)
        };
        assert_eq!(begin_by(Status::Assigned), Some(90_000));
        assert_eq!(begin_by(Status::AwaitingPayload), Some(5));
        assert_eq!(begin_by(Status::InProgress), Some(u64::MAX));
        assert_eq!(begin_by(Status::Delivered), None);
        let mut leaving = mine(Status::Assigned, |_| ());
        leaving.errand = true;
        assert_eq!(leaving.promise(&PARAMETERS, 5), None);
    }
}

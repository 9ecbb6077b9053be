//! The provider's rounds over the market.

use crate::accept::{place_offer, take, terms, Taken, OFFERS_SEARCHED};
use crate::config::Task;
use crate::policy::{is_over, may_be_open, Leave};
use crate::queue::{all_fit, first_late, Promise};
use crate::status::{Shown, View};
use crate::work::{Trouble, Worker};
use anyhow::Result;
use cicada_chain::{address, Fate, Underway};
use cicada_core::escrow::State;
use cicada_core::hash::Hash;
use cicada_core::market::{Assignment, OfferRecord, RequestRecord, Status};
use cicada_core::name::Name;
use cicada_market::{Contract, Error};
use cicada_program::{count, now_ms};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};

/// After so many failed rounds in a row the connection is made anew.
const LOST_AFTER: u32 = 5;
/// After so many jobs in a row that were promised and not done nothing is accepted …
const MISSES: u32 = 3;
/// … for so long. In ms.
const REST_MS: u64 = 600_000;
/// The longest pause before a job is tried again that could not be started, in ms.
const LONGEST_PAUSE_MS: u64 = 60_000;

/// An own assignment that has not ended.
struct Mine {
    assignment: Assignment,
    longest_ms: u64,
    run: Option<Run>,
    // Attempts that came to nothing, and when the next one may begin.
    tries: u32,
    again_ms: u64,
}

/// A job that runs now.
struct Run {
    slot: u32,
    since_ms: u64,
}

impl Mine {
    fn promise(&self, now_ms: u64) -> Option<Promise> {
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

/// A provider's view of the market.
pub struct Provider {
    worker: Arc<Worker>,
    shown: Shown,
    /// The offer of each task type.
    offers: BTreeMap<Name, u64>,
    /// Requests that may still be taken.
    open: BTreeSet<u64>,
    next_request: Option<u64>,
    /// Requests in whose line this provider waits.
    waiting: BTreeSet<u64>,
    mine: BTreeMap<u64, Mine>,
    next_assignment: u64,
    jobs: JoinSet<Result<Hash, Trouble>>,
    /// The assignment of each job.
    of_job: HashMap<Id, u64>,
    /// An offer or an accept that was lost sight of: nothing is promised until it is known.
    underway: Option<Underway>,
    /// Jobs in a row that were not done, and until when nothing is accepted therefore.
    misses: u32,
    rest_until_ms: u64,
    /// What was said last about something, so that it is not said again.
    said: BTreeMap<String, String>,
}

impl Provider {
    /// Knows nothing of the market yet.
    pub fn new(worker: Arc<Worker>, shown: Shown) -> Self {
        Self {
            next_assignment: worker.state.settled_below(),
            worker,
            shown,
            offers: BTreeMap::new(),
            open: BTreeSet::new(),
            next_request: None,
            waiting: BTreeSet::new(),
            mine: BTreeMap::new(),
            jobs: JoinSet::new(),
            of_job: HashMap::new(),
            underway: None,
            misses: 0,
            rest_until_ms: 0,
            said: BTreeMap::new(),
        }
    }

    /// Says who works here, and how.
    pub(crate) fn announce(&self) {
        let worker = &self.worker;
        let is_root = nix::unistd::geteuid().is_root();
        let account = worker.config.account_of_jobs(is_root, 0);
        let account = account.map_or("the provider's own".into(), |id| format!("{id} and on"));
        tracing::info!(
            provider = address(&worker.own),
            jobs_run_as = account,
            jobs_have = worker.isolation.in_words(),
            auto_accept = worker.config.auto_accept,
            "ready"
        );
    }

    /// Warns, unless that was the last thing said about it.
    fn warn(&mut self, about: &str, text: String) {
        if self.said.get(about) != Some(&text) {
            tracing::warn!("{about}: {text}");
            self.said.insert(about.into(), text);
        }
    }

    /// Until the connection seems lost. What runs goes on.
    pub(crate) async fn follow(&mut self) {
        let mut failed = 0;
        while failed < LOST_AFTER {
            match self.round().await {
                Ok(()) => {
                    failed = 0;
                    self.said.remove("a round");
                    count(&self.worker.metrics.rounds, "ok");
                }
                Err(error) => {
                    failed += 1;
                    count(&self.worker.metrics.rounds, "failed");
                    self.warn("a round", format!("{error:#}"));
                }
            }
            self.pause(Duration::from_millis(self.worker.config.poll)).await;
        }
    }

    /// Waits, or until a job ends.
    pub(crate) async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            Some(ended) = self.jobs.join_next_with_id() => self.job_ended(ended),
        }
    }

    /// One look at everything.
    async fn round(&mut self) -> Result<()> {
        while let Some(ended) = self.jobs.try_join_next_with_id() {
            self.job_ended(ended);
        }
        let market = self.worker.market();
        if let Some(underway) = self.underway {
            if market.chain.fate(&underway).await? != Fate::Open {
                self.underway = None;
                // What came of it shows on the chain.
                self.offers.clear();
            }
        }
        let (requests, offers, assignments) = market.counts().await?;
        self.find_assignments(assignments).await?;
        self.tend_assignments().await?;
        self.find_requests(requests).await?;
        if self.underway.is_none() {
            self.renew_offers(offers).await?;
        }
        let rests = now_ms() < self.rest_until_ms;
        if self.worker.config.auto_accept && self.underway.is_none() && !rests {
            self.accept_requests().await?;
        }
        self.serve_lines().await?;
        self.show();
        Ok(())
    }

    /// Whether one more job can be done in time beside those that were promised.
    fn fits(&self, longest_ms: u64, within_ms: u64) -> bool {
        let now = now_ms();
        let complete_by_ms = now.saturating_add(within_ms);
        let new = Promise { longest_ms, complete_by_ms, runs: false };
        let promised = self.mine.values().filter_map(|mine| mine.promise(now));
        let all: Vec<Promise> = promised.chain([new]).collect();
        all_fit(self.worker.config.max_jobs, &all, now)
    }

    /// Notes that something was sent of which nobody knows whether it was done.
    fn lost_sight(&mut self, error: &Error) -> bool {
        self.underway = error.underway().copied();
        if self.underway.is_some() {
            tracing::warn!("{error}; nothing is promised until that is known");
        }
        self.underway.is_some()
    }

    // ---- offers ----------------------------------------------------------------------------

    /// Sees to it that an offer stands for each task.
    async fn renew_offers(&mut self, newest: u64) -> Result<()> {
        if self.offers.is_empty() {
            self.find_offers(newest).await?;
        }
        let worker = self.worker.clone();
        for task in &worker.config.tasks {
            let name = &task.task_type;
            // A firm offer is taken without asking: it stands only while there is room.
            let room = !task.firm || self.has_room(task);
            if let Some(id) = self.offers.get(name).copied() {
                if worker.market().offer(id).await?.is_open(now_ms()) {
                    if !room {
                        self.withdraw(name, id).await?;
                    }
                    continue;
                }
            }
            if !room {
                continue;
            }
            match place_offer(&worker, task).await {
                Ok(id) => {
                    self.said.remove(&format!("offer of {}", name.as_str()));
                    self.offers.insert(name.clone(), id);
                }
                // Perhaps there is no money for the bond: what is assigned is done all the same.
                Err(error) if error.refusal().is_some() => {
                    self.warn(&format!("offer of {}", name.as_str()), format!("none: {error}"));
                }
                Err(error) if self.lost_sight(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether a job of the task could begin now.
    fn has_room(&self, task: &Task) -> bool {
        let busy = self.mine.values().filter(|mine| mine.promise(now_ms()).is_some()).count();
        busy < self.worker.config.max_jobs && self.fits(task.max_duration, task.max_duration * 2)
    }

    async fn withdraw(&mut self, name: &Name, id: u64) -> Result<()> {
        let market = self.worker.market();
        let closed =
            market.call(Contract::Auction, "Auction::cancel_offer", &id, &self.worker.signer);
        match closed.await {
            Ok(_) => tracing::info!(offer = id, "withdrawn: there is no room for more"),
            Err(error) if error.refusal().is_some() => {}
            Err(error) if self.lost_sight(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        self.offers.remove(name);
        Ok(())
    }

    /// Own offers that still stand, of an earlier run.
    async fn find_offers(&mut self, newest: u64) -> Result<()> {
        let oldest = newest.saturating_sub(OFFERS_SEARCHED).max(1);
        for id in (oldest..=newest).rev() {
            let offer = self.worker.market().offer(id).await?;
            if offer.provider == self.worker.own && self.still_wanted(&offer) {
                self.offers.entry(offer.terms.task_type).or_insert(id);
            }
        }
        Ok(())
    }

    /// Whether an offer is open and as the configuration has it today.
    fn still_wanted(&self, offer: &OfferRecord) -> bool {
        let worker = &self.worker;
        let task = worker.config.task(&offer.terms.task_type);
        let same = task.is_some_and(|task| {
            let wanted = terms(task, worker.key.public(), offer.terms.expires_ms);
            wanted == offer.terms
        });
        same && offer.is_open(now_ms())
    }

    // ---- requests --------------------------------------------------------------------------

    /// Notes the requests that have come since the last look; at first, those that may be open.
    async fn find_requests(&mut self, newest: u64) -> Result<()> {
        let from = match self.next_request {
            Some(next) => next,
            None => {
                let mut from = newest.saturating_add(1);
                while from > 1 {
                    let request = self.worker.market().request(from - 1).await?;
                    if !may_be_open(&request, now_ms()) {
                        break;
                    }
                    from -= 1;
                }
                from
            }
        };
        self.open.extend(from..=newest);
        self.next_request = Some(newest.saturating_add(1));
        Ok(())
    }

    /// Accepts what the policy allows, the market qualifies, and can be done in time.
    async fn accept_requests(&mut self) -> Result<()> {
        let parameters = self.worker.market().parameters().await?;
        for id in self.open.clone() {
            let RequestRecord { terms, .. } = self.worker.market().request(id).await?;
            let Some(offer) = self.offers.get(&terms.task_type).copied() else {
                if self.worker.config.task(&terms.task_type).is_none() {
                    self.leave(id, &Leave::Other.to_string());
                }
                continue;
            };
            // Perhaps later.
            let time_ms = terms
                .complete_within_ms(&parameters)
                .saturating_sub(terms.hand_over_ms(&parameters));
            if !self.fits(terms.max_duration_ms, time_ms) {
                tracing::debug!(request = id, "not now: what was promised comes first");
                continue;
            }
            match take(&self.worker, id, offer, None).await {
                Ok(Taken::Assigned(assignment)) => {
                    count(&self.worker.metrics.requests, "accepted");
                    tracing::info!(request = id, assignment, "accepted");
                    self.open.remove(&id);
                    self.note(assignment).await?;
                }
                Ok(Taken::Waiting) => {
                    count(&self.worker.metrics.requests, "waiting");
                    tracing::info!(request = id, "waiting in line");
                    self.open.remove(&id);
                    self.waiting.insert(id);
                }
                // The next round makes a new one.
                Ok(Taken::Left(Leave::NoOffer)) => {}
                Ok(Taken::Left(why)) => self.leave(id, &why.to_string()),
                Err(error) if error.refusal().is_some() => self.leave(id, &error.to_string()),
                Err(error) if self.lost_sight(&error) => {
                    // It is not accepted twice: if it was, the assignment will be found.
                    self.open.remove(&id);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Serves the lines in which this provider waits: whoever is first gets units.
    async fn serve_lines(&mut self) -> Result<()> {
        let market = self.worker.market();
        for id in self.waiting.clone() {
            let request = market.request(id).await?;
            let waits = request.line.iter().any(|waiting| waiting.provider == self.worker.own);
            if !waits || is_over(&request, now_ms()) {
                self.waiting.remove(&id);
                continue;
            }
            let priority_ms = market.parameters().await?.priority_ms;
            if now_ms() < request.line_until_ms(priority_ms) {
                continue;
            }
            let label = "Auction::assign_next";
            match market.call(Contract::Auction, label, &id, &self.worker.signer).await {
                Ok(_) => tracing::info!(request = id, "served its line"),
                // Somebody else was quicker, or its units are taken.
                Err(error) if error.refusal().is_some() => {
                    tracing::debug!(request = id, "its line: {error}");
                }
                Err(error) if self.lost_sight(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn leave(&mut self, request: u64, why: &str) {
        count(&self.worker.metrics.requests, "left");
        tracing::info!(request, "left alone: {why}");
        self.open.remove(&request);
    }

    // ---- assignments -----------------------------------------------------------------------

    /// Notes own assignments, those of firm offers too.
    async fn find_assignments(&mut self, newest: u64) -> Result<()> {
        for id in self.next_assignment..=newest {
            self.note(id).await?;
            self.next_assignment = id.saturating_add(1);
        }
        let settled = self.mine.keys().next().copied().unwrap_or(self.next_assignment);
        self.worker.state.set_settled_below(settled)
    }

    /// Notes an assignment if it is an own one that has not ended.
    async fn note(&mut self, id: u64) -> Result<(), Error> {
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
    async fn tend_assignments(&mut self) -> Result<()> {
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

    fn job_ended(&mut self, ended: Result<(Id, Result<Hash, Trouble>), JoinError>) {
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

    fn show(&self) {
        let worker = &self.worker;
        let offers = self.offers.iter().map(|(name, id)| (name.as_str().to_owned(), *id));
        let view = View {
            account: address(&worker.own),
            payload_key: format!("0x{}", hex::encode(worker.key.public())),
            auto_accept: worker.config.auto_accept,
            network_isolated: worker.isolation.network,
            jobs_isolated: worker.isolation.sandbox.is_some(),
            last_round_ms: now_ms(),
            offers: offers.collect(),
            assignments: self
                .mine
                .iter()
                .map(|(id, mine)| (*id, format!("{:?}", mine.assignment.status)))
                .collect(),
            running: self.mine.iter().filter(|(_, m)| m.run.is_some()).map(|(id, _)| *id).collect(),
        };
        *self.shown.view.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

//! The provider's rounds over the market.

use crate::accept::{place_offer, take, terms, Taken, OFFERS_SEARCHED};
use crate::policy::{may_be_open, Leave};
use crate::status::{Shown, View};
use crate::work::{Trouble, Worker, MAX_ATTEMPTS};
use anyhow::Result;
use cicada_chain::address;
use cicada_core::escrow::State;
use cicada_core::hash::Hash;
use cicada_core::market::{Assignment, OfferRecord, Status};
use cicada_core::name::Name;
use cicada_market::Error;
use cicada_program::{count, now_ms};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// After so many failed rounds in a row the connection is made anew.
const LOST_AFTER: u32 = 5;

/// A provider's view of the market.
pub struct Provider {
    worker: Arc<Worker>,
    shown: Shown,
    /// The offer of each task type.
    offers: BTreeMap<Name, u64>,
    /// Requests that may still be taken.
    open: BTreeSet<u64>,
    next_request: Option<u64>,
    /// Own assignments that have not ended.
    mine: BTreeMap<u64, Status>,
    next_assignment: u64,
    running: BTreeSet<u64>,
    jobs: JoinSet<(u64, Result<Hash, Trouble>)>,
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
            mine: BTreeMap::new(),
            running: BTreeSet::new(),
            jobs: JoinSet::new(),
        }
    }

    /// Says who works here, and how.
    pub(crate) fn announce(&self) {
        let worker = &self.worker;
        let account = worker.config.account_of_jobs(nix::unistd::geteuid().is_root());
        let account = account.map_or("the provider's own".into(), |id| id.to_string());
        tracing::info!(
            provider = address(&worker.own),
            jobs_run_as = account,
            network = if worker.isolated { "cut off" } else { "open to jobs" },
            auto_accept = worker.config.auto_accept,
            "ready"
        );
    }

    /// Until the connection seems lost.
    pub(crate) async fn follow(&mut self) {
        let mut failed = 0;
        while failed < LOST_AFTER {
            match self.round().await {
                Ok(()) => {
                    failed = 0;
                    count(&self.worker.metrics.rounds, "ok");
                }
                Err(error) => {
                    failed += 1;
                    count(&self.worker.metrics.rounds, "failed");
                    tracing::warn!("{error:#}");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(self.worker.config.poll)) => {}
                Some(ended) = self.jobs.join_next() => self.job_ended(ended),
            }
        }
    }

    /// One look at everything.
    async fn round(&mut self) -> Result<()> {
        while let Some(ended) = self.jobs.try_join_next() {
            self.job_ended(ended);
        }
        let (requests, offers, assignments) = self.worker.market.counts().await?;
        self.renew_offers(offers).await?;
        self.find_requests(requests).await?;
        if self.worker.config.auto_accept {
            self.accept_requests().await?;
        }
        self.find_assignments(assignments).await?;
        self.tend_assignments().await?;
        self.show();
        Ok(())
    }

    // ---- offers ----------------------------------------------------------------------------

    /// Sees to it that an offer stands for each task.
    async fn renew_offers(&mut self, newest: u64) -> Result<()> {
        if self.offers.is_empty() {
            self.find_offers(newest).await?;
        }
        let worker = self.worker.clone();
        for task in &worker.config.tasks {
            if let Some(id) = self.offers.get(&task.task_type) {
                if worker.market.offer(*id).await?.is_open(now_ms()) {
                    continue;
                }
            }
            match place_offer(&worker, task).await {
                Ok(id) => {
                    self.offers.insert(task.task_type.clone(), id);
                }
                // Perhaps there is no money for the bond: what is assigned is done all the same.
                Err(error) if error.refusal().is_some() => tracing::warn!("no offer: {error}"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Own offers that still stand, of an earlier run.
    async fn find_offers(&mut self, newest: u64) -> Result<()> {
        let oldest = newest.saturating_sub(OFFERS_SEARCHED).max(1);
        for id in (oldest..=newest).rev() {
            let offer = self.worker.market.offer(id).await?;
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
                    let request = self.worker.market.request(from - 1).await?;
                    if !may_be_open(request.created_ms, now_ms()) {
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

    /// Accepts what the policy allows and the market qualifies.
    async fn accept_requests(&mut self) -> Result<()> {
        for id in self.open.clone() {
            let task = self.worker.market.request(id).await?.terms.task_type;
            let Some(offer) = self.offers.get(&task) else {
                self.leave(id, &Leave::Other.to_string());
                continue;
            };
            match take(&self.worker, id, *offer, None).await {
                Ok(Taken::Assigned(assignment)) => {
                    count(&self.worker.metrics.requests, "accepted");
                    tracing::info!(request = id, assignment, "accepted");
                    self.open.remove(&id);
                }
                Ok(Taken::Waiting) => {
                    count(&self.worker.metrics.requests, "waiting");
                    tracing::info!(request = id, "waiting in line");
                    self.open.remove(&id);
                }
                // The next round makes a new one.
                Ok(Taken::Left(Leave::NoOffer)) => {}
                Ok(Taken::Left(why)) => self.leave(id, &why.to_string()),
                Err(error) if error.refusal().is_some() => self.leave(id, &error.to_string()),
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
            let assignment = self.worker.market.assignment(id).await?;
            if assignment.provider == self.worker.own && !assignment.status.is_final() {
                self.mine.insert(id, assignment.status);
            }
            self.next_assignment = id.saturating_add(1);
        }
        let settled = self.mine.keys().next().copied().unwrap_or(self.next_assignment);
        self.worker.state.set_settled_below(settled)
    }

    /// Does what is next for each of them. What a contract refuses about one does not stop the
    /// others.
    async fn tend_assignments(&mut self) -> Result<()> {
        for id in self.mine.keys().copied().collect::<Vec<_>>() {
            if self.running.contains(&id) {
                continue;
            }
            match self.tend(id).await {
                Err(error) if error.refusal().is_some() => {
                    tracing::warn!(assignment = id, "{error}");
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    async fn tend(&mut self, id: u64) -> Result<(), Error> {
        let assignment = self.worker.market.assignment(id).await?;
        self.mine.insert(id, assignment.status);
        let in_time = now_ms() < assignment.complete_by_ms;
        match assignment.status {
            status if status.is_final() => self.ended(id, &format!("{status:?}")),
            Status::Assigned | Status::InProgress if in_time => self.begin(id),
            Status::AwaitingPayload if in_time => {}
            _ => self.collect(id, &assignment).await?,
        }
        Ok(())
    }

    fn begin(&mut self, id: u64) {
        let full = self.running.len() >= self.worker.config.max_jobs;
        if full || self.worker.state.failures(id) >= MAX_ATTEMPTS {
            return;
        }
        self.running.insert(id);
        self.worker.metrics.running.inc();
        let worker = self.worker.clone();
        self.jobs.spawn(async move { (id, worker.settle_trouble(id).await) });
    }

    /// Sees to the money of a job that is delivered or over. Deadlines that favour this side are
    /// applied; that of a job which was missed is left to the requester.
    async fn collect(&mut self, id: u64, assignment: &Assignment) -> Result<(), Error> {
        let worker = &self.worker;
        let escrow = worker.market.escrow(assignment.escrow).await?;
        if escrow.ending.is_none() {
            let missed = matches!(assignment.status, Status::Assigned | Status::InProgress);
            if missed && escrow.state == State::Funded {
                self.ended(id, "its time is over");
                return Ok(());
            }
            if escrow.due_ms.is_none_or(|due| now_ms() < due) {
                return Ok(());
            }
            tracing::info!(assignment = id, "a deadline has passed: applying it");
            worker.market.expire(assignment.escrow, &worker.signer).await?;
        }
        worker.market.about("finalize", id, &worker.signer).await?;
        Ok(())
    }

    fn job_ended(&mut self, ended: Result<(u64, Result<Hash, Trouble>), tokio::task::JoinError>) {
        let Ok((id, outcome)) = ended else {
            return;
        };
        self.running.remove(&id);
        let metrics = &self.worker.metrics;
        metrics.running.dec();
        match outcome {
            Ok(digest) => {
                count(&metrics.jobs, "delivered");
                let result = format!("0x{}", hex::encode(digest));
                tracing::info!(assignment = id, result, "delivered");
            }
            Err(Trouble::Later(why)) => tracing::warn!(assignment = id, "later: {why}"),
            Err(Trouble::Never(why)) => {
                count(&metrics.jobs, "given_up");
                tracing::warn!(assignment = id, "given up: {why}");
            }
            Err(Trouble::Job(why)) => {
                count(&metrics.jobs, "failed");
                tracing::warn!(assignment = id, "{why}");
            }
        }
    }

    fn ended(&mut self, id: u64, how: &str) {
        tracing::info!(assignment = id, "ended: {how}");
        self.mine.remove(&id);
        self.worker.state.forget(id);
    }

    fn show(&self) {
        let worker = &self.worker;
        let offers = self.offers.iter().map(|(name, id)| (name.as_str().to_owned(), *id));
        let view = View {
            account: address(&worker.own),
            payload_key: format!("0x{}", hex::encode(worker.key.public())),
            auto_accept: worker.config.auto_accept,
            network_isolated: worker.isolated,
            last_round_ms: now_ms(),
            offers: offers.collect(),
            assignments: self
                .mine
                .iter()
                .map(|(id, status)| (*id, format!("{status:?}")))
                .collect(),
            running: self.running.iter().copied().collect(),
        };
        *self.shown.view.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

//! What is promised: offers, and requests that are accepted.

use super::Provider;
use crate::accept::{place_offer, take, terms, Taken, OFFERS_SEARCHED};
use crate::config::Task;
use crate::policy::{is_over, may_be_open, Leave};
use anyhow::Result;
use cicada_core::market::{OfferRecord, RequestRecord};
use cicada_core::name::Name;
use cicada_market::Contract;
use cicada_program::{count, now_ms};

/// The contract's word for a line that is to be served first.
const LINE_WAITING: &str = "LineWaiting";

impl Provider {
    /// Sees to it that an offer stands for each task.
    pub(super) async fn renew_offers(&mut self, newest: u64) -> Result<()> {
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

    /// Whether a job of the task could begin now. What only waits for its payload does not count: it
    /// costs nobody anything, and could keep the offer away as long as it likes.
    fn has_room(&self, task: &Task) -> bool {
        let waiting = self.waiting.values().copied();
        self.has_places(waiting.chain([task.max_duration]), |mine| !mine.awaits())
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

    /// Notes the requests that have come since the last look; at first, those that may be open.
    pub(super) async fn find_requests(&mut self, newest: u64) -> Result<()> {
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

    /// Accepts what the policy allows, the market qualifies, and can begin now: one in a round, since an
    /// accept is waited for.
    pub(super) async fn accept_requests(&mut self) -> Result<()> {
        for id in self.open.clone() {
            let RequestRecord { terms, .. } = self.worker.market().request(id).await?;
            let Some(offer) = self.offers.get(&terms.task_type).copied() else {
                if self.worker.config.task(&terms.task_type).is_none() {
                    self.leave(id, &Leave::Other.to_string());
                }
                continue;
            };
            // Perhaps later.
            if !self.fits(terms.max_duration_ms) {
                tracing::debug!(request = id, "not now: what was promised comes first");
                continue;
            }
            match take(&self.worker, id, offer, None).await {
                Ok(Taken::Assigned(assignment)) => {
                    count(&self.worker.metrics.requests, "accepted");
                    tracing::info!(request = id, assignment, "accepted");
                    self.open.remove(&id);
                    self.note(assignment).await?;
                    if self.mine.get(&assignment).is_some_and(|mine| !mine.awaits()) {
                        self.begin(assignment);
                    }
                    return Ok(());
                }
                Ok(Taken::Waiting) => {
                    count(&self.worker.metrics.requests, "waiting");
                    tracing::info!(request = id, "waiting in line");
                    self.open.remove(&id);
                    self.waiting.insert(id, terms.max_duration_ms);
                    return Ok(());
                }
                // The next round makes a new one.
                Ok(Taken::Left(Leave::NoOffer)) => {}
                Ok(Taken::Left(why)) => self.leave(id, &why.to_string()),
                // Whoever waits there goes first, and nobody else may see to it. Then again.
                Err(error) if error.refusal() == Some(LINE_WAITING) => {
                    if !self.serve_line(id).await? {
                        self.leave(id, &error.to_string());
                    }
                    return Ok(());
                }
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

    /// Serves the lines in which this provider waits, as far as there are places: whoever is first gets
    /// units. One in a round, as accepts.
    pub(super) async fn serve_lines(&mut self) -> Result<()> {
        let market = self.worker.market();
        for id in self.waiting.clone().into_keys() {
            let request = market.request(id).await?;
            let waits = request.line.iter().any(|waiting| waiting.provider == self.worker.own);
            if !waits || is_over(&request, now_ms()) {
                self.waiting.remove(&id);
                continue;
            }
            // What waits is a promise already.
            let others = self.waiting.values().copied();
            let room = self.has_places(others, |_| true);
            let due = now_ms() >= request.line_until_ms(self.worker.parameters.priority_ms);
            if room && due && self.serve_line(id).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether something was sent.
    async fn serve_line(&mut self, id: u64) -> Result<bool> {
        let (label, worker) = ("Auction::assign_next", self.worker.clone());
        match worker.market().call(Contract::Auction, label, &id, &worker.signer).await {
            Ok(_) => tracing::info!(request = id, "served its line"),
            // Somebody else was quicker, or its units are taken.
            Err(error) if error.refusal().is_some() => {
                tracing::debug!(request = id, "its line: {error}");
                return Ok(false);
            }
            Err(error) if self.lost_sight(&error) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    fn leave(&mut self, request: u64, why: &str) {
        count(&self.worker.metrics.requests, "left");
        tracing::info!(request, "left alone: {why}");
        self.open.remove(&request);
    }
}

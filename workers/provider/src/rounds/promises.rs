//! What is promised: offers, and requests that are accepted.

use super::turns::{after, Turn};
use super::Provider;
use crate::accept::{own_offers, place_offer, take, terms, Taken};
use crate::policy::{is_over, may_be_open, Leave};
use crate::state::Own;
use anyhow::Result;
use cicada_contracts::auction;
use cicada_contracts::types::AuctionError;
use cicada_core::market::OfferRecord;
use cicada_core::name::Name;
use cicada_program::{count, now_ms};
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::ControlFlow;

/// The first wanted one of each task, and all others.
fn one_of_each(offers: Vec<(u64, Name, bool)>) -> (BTreeMap<Name, u64>, Vec<u64>) {
    let (mut kept, mut others) = (BTreeMap::new(), Vec::new());
    for (id, name, wanted) in offers {
        match kept.entry(name) {
            Entry::Vacant(place) if wanted => {
                place.insert(id);
            }
            _ => others.push(id),
        }
    }
    (kept, others)
}

impl Provider {
    /// Sees to it that one offer stands for each task.
    pub(super) async fn renew_offers(&mut self, newest: u64) -> Result<()> {
        if !self.offers_known && !self.find_offers(newest).await? {
            return Ok(());
        }
        let worker = self.worker.clone();
        for task in &worker.config.tasks {
            let name = &task.task_type;
            // A firm offer is taken without asking: it stands only while there is room.
            let room = !task.firm || self.fits(task.max_duration.0);
            if let Some(id) = self.offers.get(name).copied() {
                let open = worker.market().offer(id).await?.is_open(now_ms());
                if open && room {
                    continue;
                }
                // What comes back to one that is used up would be on offer beside the new one, and one
                // that is over keeps the bond of what nobody took.
                let why = if open { "there is no room for more" } else { "it is used up or over" };
                if !self.withdraw(id, why).await? {
                    return Ok(());
                }
                self.offers.remove(name);
            }
            if !room {
                continue;
            }
            match self.meanwhile(place_offer(&worker, task)).await {
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

    /// Closes an own offer, if nobody has. Whether that is known.
    async fn withdraw(&mut self, id: u64, why: &str) -> Result<bool> {
        let worker = self.worker.clone();
        let market = worker.market();
        let close = auction::cancel_offer(id);
        match self.meanwhile(market.act(&close, &worker.signer)).await {
            Ok(_) => tracing::info!(offer = id, "withdrawn: {why}"),
            Err(error) if error.refused() == Some(AuctionError::AlreadyClosed) => {}
            Err(error) if self.lost_sight(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        worker.state.forget_own(Own::Offer, id);
        Ok(true)
    }

    /// Own offers that still stand, of an earlier run: one for each task is kept, and all others are
    /// withdrawn. Whether all of that is known.
    async fn find_offers(&mut self, newest: u64) -> Result<bool> {
        let worker = self.worker.clone();
        // One of an earlier run may be taken meanwhile.
        let mut own = Vec::new();
        for (id, offer) in self.meanwhile(own_offers(&worker, newest)).await? {
            if offer.closed {
                worker.state.forget_own(Own::Offer, id);
            } else if worker.config.task(&offer.terms.task_type).is_some() {
                let wanted = self.still_wanted(&offer);
                own.push((id, offer.terms.task_type, wanted));
            }
        }
        let (kept, others) = one_of_each(own);
        self.offers = kept;
        for id in others {
            if !self.withdraw(id, "it is not the one that stands").await? {
                return Ok(false);
            }
        }
        self.offers_known = true;
        Ok(true)
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

    /// Notes the requests that have come since the last look, and of those before the start, one turn after
    /// the other, those that may be open.
    pub(super) async fn find_requests(&mut self, newest: u64) -> Result<()> {
        let from = self.next_request.unwrap_or_else(|| {
            self.older = newest;
            newest.saturating_add(1)
        });
        self.open.extend(from..=newest);
        self.next_request = Some(newest.saturating_add(1));
        let turn = Turn::begin();
        while self.older > 0 && !turn.is_over() {
            let request = self.worker.market().request(self.older).await?;
            if may_be_open(&request, now_ms()) {
                self.open.insert(self.older);
                self.older -= 1;
            } else {
                self.older = 0;
            }
        }
        Ok(())
    }

    /// Accepts what the policy allows, the market qualifies, and can begin now: one in a round, since an
    /// accept is waited for. Nothing is read without a place, and with one no longer than a turn: anybody
    /// can place requests.
    pub(super) async fn accept_requests(&mut self) -> Result<()> {
        let turn = Turn::begin();
        for id in after(&self.open, self.considered) {
            if !self.fits(0) {
                return Ok(());
            }
            self.considered = id;
            if self.consider(id).await?.is_break() || turn.is_over() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Accepts an open request, if it shall be; after that a round is over.
    async fn consider(&mut self, id: u64) -> Result<ControlFlow<()>> {
        let record = self.worker.market().request(id).await?;
        if is_over(&record, now_ms()) {
            self.leave(id, &Leave::Closed.to_string());
            return Ok(ControlFlow::Continue(()));
        }
        let terms = record.terms;
        let Some(offer) = self.offers.get(&terms.task_type).copied() else {
            if self.worker.config.task(&terms.task_type).is_none() {
                self.leave(id, &Leave::Other.to_string());
            }
            return Ok(ControlFlow::Continue(()));
        };
        // Perhaps later.
        if !self.fits(terms.max_duration_ms) {
            tracing::debug!(request = id, "not now: what was promised comes first");
            return Ok(ControlFlow::Continue(()));
        }
        let worker = self.worker.clone();
        match self.meanwhile(take(&worker, id, offer, None)).await {
            Ok(Taken::Assigned(assignment)) => {
                count(&self.worker.metrics.requests, "accepted");
                tracing::info!(request = id, assignment, "accepted");
                self.open.remove(&id);
                self.note(assignment).await?;
                if self.mine.get(&assignment).is_some_and(|mine| !mine.awaits()) {
                    self.begin(assignment);
                }
            }
            Ok(Taken::Waiting) => {
                count(&self.worker.metrics.requests, "waiting");
                tracing::info!(request = id, "waiting in line");
                self.open.remove(&id);
                self.waiting.insert(id, terms.max_duration_ms);
            }
            // The next round makes a new one.
            Ok(Taken::Left(Leave::NoOffer)) => return Ok(ControlFlow::Continue(())),
            Ok(Taken::Left(why)) => {
                self.leave(id, &why.to_string());
                return Ok(ControlFlow::Continue(()));
            }
            // Whoever waits there goes first, and nobody else may see to it. Then again.
            Err(error) if error.refused() == Some(AuctionError::LineWaiting) => {
                if !self.serve_line(id).await? {
                    self.leave(id, &error.to_string());
                }
            }
            Err(error) if error.refusal().is_some() => {
                self.leave(id, &error.to_string());
                return Ok(ControlFlow::Continue(()));
            }
            // It is not accepted twice: if it was, the assignment will be found.
            Err(error) if self.lost_sight(&error) => {
                self.open.remove(&id);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(ControlFlow::Break(()))
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
            let room = self.has_places(others);
            let due = now_ms() >= request.line_until_ms(self.worker.parameters.priority_ms);
            if room && due && self.serve_line(id).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether something was sent.
    async fn serve_line(&mut self, id: u64) -> Result<bool> {
        let worker = self.worker.clone();
        let market = worker.market();
        let serve = auction::assign_next(id);
        match self.meanwhile(market.act(&serve, &worker.signer)).await {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_offer_of_each_task_stands() {
        let name = |text: &str| Name::new(text).unwrap();
        let own = vec![
            (9, name("a"), false),
            (8, name("a"), true),
            (7, name("b"), false),
            (3, name("a"), true),
        ];
        assert_eq!(one_of_each(own), (BTreeMap::from([(name("a"), 8)]), vec![9, 7, 3]));
    }
}

//! What is promised: offers, and requests that are accepted.

use super::Provider;
use crate::accept::{place_offer, take, terms, Taken, OFFERS_SEARCHED};
use crate::policy::{is_over, may_be_open, Leave};
use anyhow::Result;
use cicada_core::market::{OfferRecord, RequestRecord};
use cicada_core::name::Name;
use cicada_market::Contract;
use cicada_program::{count, now_ms};
use std::collections::btree_map::{BTreeMap, Entry};

/// The contract's word for a line that is to be served first.
const LINE_WAITING: &str = "LineWaiting";
/// Its word for an order that somebody has closed.
const ALREADY_CLOSED: &str = "AlreadyClosed";

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
            let room = !task.firm || self.fits(task.max_duration);
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
        let closed = market.call(Contract::Auction, "Auction::cancel_offer", &id, &worker.signer);
        match self.meanwhile(closed).await {
            Ok(_) => tracing::info!(offer = id, "withdrawn: {why}"),
            Err(error) if error.refusal() == Some(ALREADY_CLOSED) => {}
            Err(error) if self.lost_sight(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Own offers that still stand, of an earlier run: one for each task is kept, and all others are
    /// withdrawn. Whether all of that is known.
    async fn find_offers(&mut self, newest: u64) -> Result<bool> {
        let oldest = newest.saturating_sub(OFFERS_SEARCHED).max(1);
        let (worker, mut own) = (self.worker.clone(), Vec::new());
        for id in (oldest..=newest).rev() {
            let offer = worker.market().offer(id).await?;
            let known = worker.config.task(&offer.terms.task_type).is_some();
            if offer.provider == worker.own && !offer.closed && known {
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
        let served = market.call(Contract::Auction, "Auction::assign_next", &id, &worker.signer);
        match self.meanwhile(served).await {
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

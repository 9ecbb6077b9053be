//! Offers and accepts: what both the loop and the commands by hand do.

use crate::config::Task;
use crate::policy::{is_over, judge, Leave};
use crate::state::Own;
use crate::worker::Worker;
use anyhow::Result;
use cicada_core::market::{Offer, OfferRecord, Privacy};
use cicada_core::name::Name;
use cicada_program::now_ms;
use std::collections::BTreeSet;

/// How many of the newest offers are searched for an own one that still stands, beside those that this
/// program has noted.
const OFFERS_SEARCHED: u64 = 500;

/// What became of a request.
#[derive(Debug)]
pub enum Taken {
    /// The number of the assignment.
    Assigned(u64),
    /// The accept waits in line.
    Waiting,
    /// The configuration does not want it.
    Left(Leave),
}

/// Accepts a request if the configuration and the market agree: for at least the effective price
/// that the market quotes now. `units` replaces what the configuration says.
///
/// # Errors
/// As [`cicada_market::Market::accept`].
pub async fn take(
    worker: &Worker,
    request: u64,
    offer: u64,
    units: Option<u64>,
) -> Result<Taken, cicada_market::Error> {
    let market = &worker.market();
    let record = market.request(request).await?;
    if is_over(&record, now_ms()) {
        return Ok(Taken::Left(Leave::Closed));
    }
    let Some(task) = worker.config.task(&record.terms.task_type) else {
        return Ok(Taken::Left(Leave::Other));
    };
    if worker.isolation.sandbox.is_none() && !matches!(record.terms.privacy, Privacy::Public { .. })
    {
        return Ok(Taken::Left(Leave::NotApart));
    }
    let own_offer = market.offer(offer).await?;
    let allowed = match judge(task, &worker.own, &record, &own_offer, now_ms()) {
        Ok(allowed) => allowed,
        Err(why) => return Ok(Taken::Left(why)),
    };
    let price = market.quote(request, offer).await?;
    if price < task.min_price.0 {
        return Ok(Taken::Left(Leave::TooCheap));
    }
    let units = units.unwrap_or(allowed);
    // What took a firm offer with more would be handed back.
    if task.firm && task.max_units.is_some_and(|most| units > most) {
        return Ok(Taken::Left(Leave::TooMany));
    }
    if units < record.least_take() {
        return Ok(Taken::Left(Leave::TooMany));
    }
    let amount = price.saturating_mul(u128::from(units));
    if own_offer.terms.consent.covers(&record.terms, amount).is_err() {
        return Ok(Taken::Left(Leave::Terms));
    }
    let done = market.accept((request, offer), units, price, &worker.signer).await?;
    Ok(done.value.map_or(Taken::Waiting, Taken::Assigned))
}

/// An offer as the configuration has it.
pub(crate) fn terms(task: &Task, payload_key: [u8; 32], expires_ms: u64) -> Offer {
    Offer {
        task_type: task.task_type.clone(),
        units: task.units,
        // No more requesters can take it unasked than there are places for their jobs.
        min_units: match task.max_units {
            Some(most) if task.firm => most.min(task.units),
            _ => 1,
        },
        price: task.price.0,
        capabilities: task.capabilities.clone(),
        bond: task.bond.0,
        expires_ms,
        payload_key,
        firm_from: task.firm.then_some(task.min_price.0),
        consent: task.consent(),
    }
}

/// Places the offer of a task, with the permissions that it needs.
pub(crate) async fn place_offer(worker: &Worker, task: &Task) -> Result<u64, cicada_market::Error> {
    let expires_ms = now_ms().saturating_add(task.offer_for.0);
    let terms = terms(task, worker.key.public(), expires_ms);
    for said in worker.market().permit(&worker.signer, terms.bond_of(terms.units)).await? {
        tracing::info!("{said}");
    }
    let id = worker.market().place_offer(&terms, &worker.signer).await?.value;
    if let Err(error) = worker.state.note(Own::Offer, id) {
        // It is found among the newest, unless those were very many.
        tracing::warn!(offer = id, "{error:#}");
    }
    tracing::info!(offer = id, task = task.task_type.as_str(), "offered");
    Ok(id)
}

/// The own offers that are known, newest first: those that this program has noted, and any among the
/// newest of all.
///
/// # Errors
/// As [`cicada_market::Market::offer`].
pub(crate) async fn own_offers(
    worker: &Worker,
    newest: u64,
) -> Result<Vec<(u64, OfferRecord)>, cicada_market::Error> {
    let among = newest.saturating_sub(OFFERS_SEARCHED).max(1)..=newest;
    let noted = worker.state.own(Own::Offer).into_iter().filter(|id| (1..=newest).contains(id));
    let numbers: BTreeSet<u64> = among.chain(noted).collect();
    let mut own = Vec::new();
    for id in numbers.into_iter().rev() {
        let offer = worker.market().offer(id).await?;
        if offer.provider == worker.own {
            own.push((id, offer));
        }
    }
    Ok(own)
}

/// Finds an own open offer for a task.
///
/// # Errors
/// As [`cicada_market::Market::offer`].
pub async fn own_offer(worker: &Worker, task: &Name) -> Result<Option<u64>> {
    let (_, newest, _) = worker.market().counts().await?;
    let own = own_offers(worker, newest).await?.into_iter();
    let mut open = own.filter(|(_, o)| o.terms.task_type == *task && o.is_open(now_ms()));
    Ok(open.next().map(|(id, _)| id))
}

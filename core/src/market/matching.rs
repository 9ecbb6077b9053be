//! The auction's state, who qualifies, at which price, who waits in line.

use super::limits::MAX_LINE;
use super::{div_floor, times, Assignment, OfferRecord, Privacy, Request, RequestRecord};
use crate::name::Name;
use crate::Account;
use alloc::vec::Vec;
use core::cmp::Reverse;
use parity_scale_codec::{Decode, Encode};

/// How long an auction lasts at most: 15 minutes, in ms.
pub const AUCTION_MS: u64 = 15 * 60_000;
/// With one assignment an auction has what it needs at least.
pub const MIN_PROVIDERS: u8 = 1;
/// The most assignments of one request.
pub const MAX_PROVIDERS: u64 = 10;
/// One assignment more for each so many units.
const UNITS_PER_PROVIDER: u64 = 100;
/// Successes that everybody starts with in a task type: so that few failures say little.
const PRIOR: u64 = 2;
/// The weight of reputation is points of this, …
const WHOLE_POINTS: u128 = 100;
/// … from a half …
const MIN_POINTS: u32 = 50;
/// … to the double.
const MAX_POINTS: u32 = 200;

/// Where a request's auction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum AuctionStatus {
    /// Nobody has accepted yet.
    Open,
    /// Enough have accepted, more may.
    MinReached,
    /// Full, filled, cancelled, or its time is over.
    Closed,
}

/// Why an offer does not get a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Unqualified {
    /// The auction is closed.
    RequestClosed,
    /// The offer is cancelled, used up, or its time is over.
    OfferClosed,
    /// Both are of the same account.
    OwnRequest,
    /// They are about different kinds of work.
    TaskType,
    /// The offer lacks a capability.
    Capability,
    /// The provider's points are below the minimum.
    Reputation,
    /// The bond per unit is below the minimum.
    Bond,
    /// The request is confidential, and the provider is neither attested nor on the list.
    Privacy,
    /// The effective price is above the request's maximum.
    PriceTooHigh,
    /// The effective price is 0, or below what the provider said.
    PriceTooLow,
    /// The provider has or had a place in this request: one each.
    HasPlace,
    /// Fewer units than the request gives to one provider, or than the offer gives to one request.
    TooFew,
    /// The offer does not agree to so short or long a review.
    ReviewTime,
    /// The offer does not agree to so short or long a dispute.
    DisputeTime,
    /// The offer does not agree to such penalties.
    Penalty,
    /// The offer does not agree to so little time to respond or to work, or to so much in all.
    WorkTime,
    /// The offer does not agree to these arbitrators, or the provider is one of them.
    Arbitrators,
}

/// What is known about a provider beside his offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Points of reputation.
    pub points: u32,
    /// How he has done in this task type.
    pub success: Success,
    /// Whether the capability of [`Privacy::demands_of`], if any, is attested.
    pub capable: bool,
    /// Whether he has or had a place in this request.
    pub placed: bool,
}

/// How a provider has done in one task type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Success {
    /// Jobs that went well.
    pub successes: u32,
    /// Jobs that ended.
    pub outcomes: u32,
}

impl Success {
    /// After one more job. Stands still at 2^32−1 jobs, so that successes never exceed outcomes.
    pub fn after(self, well: bool) -> Self {
        match self.outcomes.checked_add(1) {
            None => self,
            Some(outcomes) => {
                let successes = self.successes.saturating_add(u32::from(well));
                Self { successes, outcomes }
            }
        }
    }
}

/// `⌊ask · w · f⌋`: what is paid per unit to a provider with so many points.
///
/// `w` is points of 100, but at least 0.5 and at most 2; `f` = (successes + 2) / (outcomes + 2) in
/// the task type. `ask` is at most [`super::limits::MAX_PRICE`].
pub fn effective_price_floor(ask: u128, points: u32, success: Success) -> u128 {
    let weight = u64::from(points.clamp(MIN_POINTS, MAX_POINTS));
    let part = u64::from(success.successes).saturating_add(PRIOR);
    let whole = u64::from(success.outcomes).saturating_add(PRIOR);
    // At most 10^24 · 200 · 2^33, which is below 2^128: nothing saturates.
    let product = times(times(ask, weight), part);
    div_floor(product, times(WHOLE_POINTS, whole)).unwrap_or(0)
}

/// The most assignments of a request of so many units: a hundredth of them, 1 to 10.
pub fn max_providers(units: u64) -> u8 {
    let hundreds = units.checked_div(UNITS_PER_PROVIDER).unwrap_or(0);
    u8::try_from(hundreds.clamp(u64::from(MIN_PROVIDERS), MAX_PROVIDERS)).unwrap_or(MIN_PROVIDERS)
}

impl Privacy {
    /// The capability that must be attested to this provider, if one must.
    pub fn demands_of(&self, provider: &Account) -> Option<&Name> {
        match self {
            Self::Confidential { capability, allowed, .. } if !allowed.contains(provider) => {
                Some(capability)
            }
            _ => None,
        }
    }

    /// Whether the payload is public from the start.
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Public { .. })
    }
}

impl Request {
    /// Everything but time, price and attestation.
    fn suits(&self, offer: &OfferRecord, points: u32) -> Result<(), Unqualified> {
        if self.task_type != offer.terms.task_type {
            return Err(Unqualified::TaskType);
        }
        if !self.capabilities.iter().all(|name| offer.terms.capabilities.contains(name)) {
            return Err(Unqualified::Capability);
        }
        if self.min_reputation.is_some_and(|least| points < least) {
            return Err(Unqualified::Reputation);
        }
        if offer.terms.bond < self.min_bond {
            return Err(Unqualified::Bond);
        }
        Ok(())
    }
}

impl OfferRecord {
    /// How many units an assignment takes at least.
    pub fn least_take(&self) -> u64 {
        self.terms.min_units.min(self.left)
    }

    /// Whether it can still match.
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.may_reopen(now_ms) && self.left > 0
    }

    /// Whether units that come back can be taken again.
    pub fn may_reopen(&self, now_ms: u64) -> bool {
        !self.closed && now_ms < self.terms.expires_ms
    }
}

impl RequestRecord {
    /// When the auction ends unless units are away and come back: 15 minutes after the request, or at
    /// its deadline.
    fn first_end_ms(&self) -> u64 {
        self.created_ms.saturating_add(AUCTION_MS).min(self.terms.deadline_ms)
    }

    /// When the auction ends at the latest.
    pub fn ends_ms(&self) -> u64 {
        self.first_end_ms().saturating_add(self.moved_ms)
    }

    /// Places that nobody has.
    fn places_left(&self) -> u8 {
        max_providers(self.terms.units).saturating_sub(self.assigned)
    }

    /// Whether nobody can get an assignment, unless units come back.
    pub fn is_full(&self) -> bool {
        self.left == 0 || self.places_left() == 0
    }

    /// Where the auction stands.
    pub fn status(&self, now_ms: u64) -> AuctionStatus {
        if self.closed || self.is_full() || now_ms >= self.ends_ms() {
            AuctionStatus::Closed
        } else if self.assigned >= MIN_PROVIDERS {
            AuctionStatus::MinReached
        } else {
            AuctionStatus::Open
        }
    }

    /// Whether nobody can get an assignment of it any more, because nothing can come back either.
    pub fn is_over(&self, now_ms: u64) -> bool {
        self.running == 0 && self.status(now_ms) == AuctionStatus::Closed
    }

    /// Until when accepts only wait in line.
    pub fn line_until_ms(&self, priority_ms: u64) -> u64 {
        self.created_ms.saturating_add(priority_ms)
    }

    /// The effective price at which this offer gets `units` of this request now, at most what is
    /// left of both, or why it does not. `least` is what the provider wants at least per unit.
    ///
    /// # Errors
    /// [`Unqualified`].
    pub fn qualify(
        &self,
        offer: &OfferRecord,
        now_ms: u64,
        standing: &Standing,
        (units, least): (u64, u128),
    ) -> Result<u128, Unqualified> {
        if self.requester == offer.provider {
            return Err(Unqualified::OwnRequest);
        }
        if self.status(now_ms) == AuctionStatus::Closed {
            return Err(Unqualified::RequestClosed);
        }
        if !offer.is_open(now_ms) {
            return Err(Unqualified::OfferClosed);
        }
        if standing.placed {
            return Err(Unqualified::HasPlace);
        }
        self.terms.suits(offer, standing.points)?;
        if !standing.capable {
            return Err(Unqualified::Privacy);
        }
        let taken = self.takes(offer, units);
        if taken < self.least_take() || taken < offer.least_take() {
            return Err(Unqualified::TooFew);
        }
        let price = effective_price_floor(offer.terms.price, standing.points, standing.success);
        if price > self.terms.max_price {
            return Err(Unqualified::PriceTooHigh);
        }
        if price < least.max(1) {
            return Err(Unqualified::PriceTooLow);
        }
        if self.terms.panel.members.contains(&offer.provider) {
            return Err(Unqualified::Arbitrators);
        }
        offer.terms.consent.covers(&self.terms, times(price, taken))?;
        Ok(price)
    }

    /// How many units an accept of `units` gets: at most what is left on both sides.
    pub fn takes(&self, offer: &OfferRecord, units: u64) -> u64 {
        units.min(self.left).min(offer.left)
    }

    /// How many units an accept takes at least: an equal part of what is left for each place that
    /// is left, rounded up; or what the request names, or all that is left, if that is less.
    pub fn least_take(&self) -> u64 {
        let places = u64::from(self.places_left().max(1));
        let equal = self.left.div_ceil(places);
        equal.min(self.terms.min_units.unwrap_or(equal))
    }

    /// Notes that `units` were assigned at `price` each.
    pub fn take(&mut self, units: u64, price: u128) {
        // Never more than is left, by `takes`, and never above the maximum price, by `qualify`.
        self.left = self.left.saturating_sub(units);
        self.budget = self.budget.saturating_sub(times(price, units));
        self.assigned = self.assigned.saturating_add(1);
        self.running = self.running.saturating_add(1);
    }

    /// Notes that the units of a job that has ended came back with their place and their money: the
    /// auction has as long to run as when they were taken.
    pub fn take_back(&mut self, job: &Assignment) {
        // As much as was taken.
        self.left = self.left.saturating_add(job.units);
        self.budget = self.budget.saturating_add(job.amount());
        self.assigned = self.assigned.saturating_sub(1);
        let back_ms = job.ended_ms.unwrap_or(job.assigned_ms);
        let end_ms = back_ms.saturating_add(job.auction_left_ms);
        self.moved_ms = self.moved_ms.max(end_ms.saturating_sub(self.first_end_ms()));
    }
}

/// An accept that waits until the line is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Waiting {
    /// The offer.
    pub offer: u64,
    /// Its provider.
    pub provider: Account,
    /// How many units he takes, at most.
    pub units: u64,
    /// The least effective price that he accepts.
    pub min_price: u128,
    /// His points when he came; more go first, of equal ones the earlier.
    pub points: u32,
}

/// Why somebody does not get into the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// He stands in it already.
    Twice,
    /// It is full, and nobody in it has fewer points.
    Full,
}

/// Puts a newcomer into the line, behind all who have as many points or more. Of more than
/// [`MAX_LINE`] the last must leave: he is given back.
///
/// # Errors
/// [`NoPlace`].
pub fn enqueue(line: &mut Vec<Waiting>, newcomer: Waiting) -> Result<Option<Waiting>, NoPlace> {
    if line.iter().any(|waiting| waiting.provider == newcomer.provider) {
        return Err(NoPlace::Twice);
    }
    let place = line.partition_point(|waiting| Reverse(waiting.points) <= Reverse(newcomer.points));
    if place >= MAX_LINE {
        return Err(NoPlace::Full);
    }
    let displaced = if line.len() < MAX_LINE { None } else { line.pop() };
    line.insert(place, newcomer);
    Ok(displaced)
}

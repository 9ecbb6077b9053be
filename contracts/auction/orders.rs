//! Requests and offers: placing, matching, closing.

use crate::events::{AcceptDropped, AcceptQueued, Assigned, Order, OrderClosed, OrderPlaced};
use crate::market::{
    caller, ensure, find_offer, find_request, has_place, next, now, save_assignment, save_offer,
    save_request, success, take_place, Market,
};
use cicada_core::escrow::{Milestone, Rule, Terms};
use cicada_core::market::matching::{enqueue, NoPlace};
use cicada_core::market::{
    Assignment, AuctionStatus, InvalidTerms, Offer, OfferRecord, Request, RequestRecord, Standing,
    Status, Unqualified, Waiting,
};
use cicada_core::name::Name;
use cicada_core::sla::Violations;
use cicada_core::Account;
use cicada_traits::auction::AuctionError;
use cicada_traits::host::HostSha256;
use ink::env::{emit_event, DefaultEnvironment};
use ink::prelude::vec;

/// Kinds of numbers.
pub const REQUESTS: u8 = 0;
/// See [`REQUESTS`].
pub const OFFERS: u8 = 1;
/// See [`REQUESTS`].
pub const ASSIGNMENTS: u8 = 2;

#[inline(never)]
fn placed(
    order: Order,
    owner: Account,
    task_type: Name,
    (units, price, until_ms): (u64, u128, u64),
) {
    let owner = owner.0.into();
    let event = OrderPlaced { order, owner, task_type, units, price, until_ms };
    emit_event::<DefaultEnvironment, _>(event);
}

#[inline(never)]
fn closed(order: Order, owner: Account, returned: u128) {
    let event = OrderClosed { order, owner: owner.0.into(), returned };
    emit_event::<DefaultEnvironment, _>(event);
}

#[inline(never)]
fn dropped(request: u64, waiting: &Waiting) {
    let (provider, offer) = (waiting.provider.0.into(), waiting.offer);
    emit_event::<DefaultEnvironment, _>(AcceptDropped { request, provider, offer });
}

impl Market {
    /// Places a request and locks its money.
    pub fn request(&self, terms: Request) -> Result<u64, AuctionError> {
        let created_ms = now();
        let requester = caller();
        terms.check(&requester, created_ms, &self.parameters, &self.limits)?;
        let budget = terms.budget();
        let reserve = self.money().reserve(requester, self.token, budget)?;
        let request = next(REQUESTS);
        let left = terms.units;
        let record = RequestRecord {
            requester,
            terms,
            reserve,
            budget,
            created_ms,
            left,
            assigned: 0,
            running: 0,
            moved_ms: 0,
            closed: false,
            line: vec![],
        };
        save_request(request, &record);
        let until_ms = record.ends_ms();
        let terms = record.terms;
        let order = Order::Request(request);
        placed(order, requester, terms.task_type, (left, terms.max_price, until_ms));
        Ok(request)
    }

    /// Places an offer and locks its bond.
    pub fn offer(&self, terms: Offer) -> Result<u64, AuctionError> {
        let provider = caller();
        terms.check(&provider, now())?;
        let left = terms.units;
        let reserve = self.money().reserve(provider, self.token, terms.bond_of(left))?;
        let offer = next(OFFERS);
        let record = OfferRecord { provider, terms, reserve, left, closed: false };
        save_offer(offer, &record);
        let terms = record.terms;
        let order = Order::Offer(offer);
        placed(order, provider, terms.task_type, (left, terms.price, terms.expires_ms));
        Ok(offer)
    }

    /// Whether a provider may see what a request is about.
    #[inline(never)]
    pub fn is_capable(&self, terms: &Request, provider: Account) -> Result<bool, AuctionError> {
        match terms.privacy.demands_of(&provider) {
            None => Ok(true),
            Some(name) => self.register().is_capable(provider, name),
        }
    }

    /// The effective price of `units` now, at least `least`, and the provider's points.
    #[inline(never)]
    pub fn price(
        &self,
        request: u64,
        ordered: &RequestRecord,
        offer: &OfferRecord,
        (units, least): (u64, u128),
    ) -> Result<(u128, u32), AuctionError> {
        let provider = offer.provider;
        let points = self.scores().points(provider)?;
        let standing = Standing {
            points,
            success: success(provider, ordered.terms.task_type.clone()),
            capable: self.is_capable(&ordered.terms, provider)?,
            placed: has_place(request, provider),
        };
        Ok((ordered.qualify(offer, now(), &standing, (units, least))?, points))
    }

    /// The effective price at which the offer would get all that it can of the request now.
    pub fn quote(&self, request: u64, offer: u64) -> Result<u128, AuctionError> {
        let (ordered, offered) = (find_request(request)?, find_offer(offer)?);
        Ok(self.price(request, &ordered, &offered, (u64::MAX, 0))?.0)
    }

    /// Gives an offer units of a request, or a place in its line.
    pub fn accept(
        &self,
        request: u64,
        offer: u64,
        units: u64,
        min_price: u128,
    ) -> Result<Option<u64>, AuctionError> {
        let mut ordered = find_request(request)?;
        let offered = find_offer(offer)?;
        let provider = offered.provider;
        let caller = caller();
        let min_price = match offered.terms.firm_from {
            _ if caller == provider => min_price,
            Some(least) if caller == ordered.requester => least,
            _ => return Err(AuctionError::NotAllowed),
        };
        ensure(units > 0, InvalidTerms::Units.into())?;
        let (price, points) = self.price(request, &ordered, &offered, (units, min_price))?;
        let accept = Waiting { offer, provider, units, min_price, points };
        if now() >= ordered.line_until_ms(self.parameters.priority_ms) {
            ensure(ordered.line.is_empty(), AuctionError::LineWaiting)?;
            return self.assign(request, &mut ordered, offered, &accept, price)?.map(Some);
        }
        let displaced = enqueue(&mut ordered.line, accept).map_err(|why| match why {
            NoPlace::Twice => AuctionError::AlreadyWaiting,
            NoPlace::Full => AuctionError::LineFull,
        })?;
        save_request(request, &ordered);
        if let Some(waiting) = displaced {
            dropped(request, &waiting);
        }
        let provider = provider.0.into();
        emit_event::<DefaultEnvironment, _>(AcceptQueued { request, provider, offer, points });
        Ok(None)
    }

    /// Gives units to the first in line who still qualifies.
    pub fn assign_next(&self, request: u64) -> Result<Option<u64>, AuctionError> {
        let mut ordered = find_request(request)?;
        let now = now();
        let open = ordered.status(now) != AuctionStatus::Closed;
        ensure(open, Unqualified::RequestClosed.into())?;
        let until = ordered.line_until_ms(self.parameters.priority_ms);
        ensure(now >= until, AuctionError::LineOpen)?;
        // At most MAX_LINE rounds.
        while !ordered.line.is_empty() {
            let first = ordered.line.remove(0);
            let offered = find_offer(first.offer)?;
            let wanted = (first.units, first.min_price);
            let assigned = match self.price(request, &ordered, &offered, wanted) {
                Ok((price, _)) => self.assign(request, &mut ordered, offered, &first, price)?,
                Err(error) => Err(error),
            };
            match assigned {
                // He no longer qualifies, or the escrow contract refuses him.
                Err(AuctionError::Unqualified(_) | AuctionError::Escrow(_)) => {
                    dropped(request, &first);
                }
                assigned => return assigned.map(Some),
            }
        }
        save_request(request, &ordered);
        Ok(None)
    }

    /// Makes an assignment and writes both sides. The inner error is a refusal of the escrow
    /// contract to make the escrow, before anything has changed; after the outer one nothing may
    /// stay as it is.
    #[inline(never)]
    fn assign(
        &self,
        request: u64,
        ordered: &mut RequestRecord,
        mut offered: OfferRecord,
        accept: &Waiting,
        price: u128,
    ) -> Result<Result<u64, AuctionError>, AuctionError> {
        let units = ordered.takes(&offered, accept.units);
        let now = now();
        let terms = &ordered.terms;
        let privacy = &terms.privacy;
        let open = privacy.is_public();
        let mut job = Assignment {
            request,
            offer: accept.offer,
            requester: ordered.requester,
            provider: offered.provider,
            escrow: 0,
            units,
            price,
            status: if open { Status::Assigned } else { Status::AwaitingPayload },
            assigned_ms: now,
            auction_left_ms: ordered.ends_ms().saturating_sub(now),
            // Terms are bounded by the escrow contract's limits.
            complete_by_ms: now.saturating_add(terms.complete_within_ms(&self.parameters)),
            ready_ms: now,
            started_ms: None,
            completed_ms: None,
            ended_ms: None,
            violations: Violations::default(),
            paid: 0,
            rated_by_requester: false,
            rated_by_provider: false,
        };
        let milestone = Milestone { amount: job.amount(), complete_by_ms: job.complete_by_ms };
        let terms = Terms {
            requester: job.requester,
            provider: job.provider,
            token: Account::of(&self.token),
            milestones: vec![milestone],
            rule: Rule::Single,
            panel: terms.panel.clone(),
            fund_by_ms: now,
            review_ms: terms.review_ms,
            dispute_ms: terms.dispute_ms,
            fallback: terms.fallback,
            job: privacy.job_digest::<HostSha256>(),
        };
        match self.money().draw(ordered.reserve, &terms) {
            Ok(escrow) => job.escrow = escrow,
            refused => return Ok(refused),
        }

        ordered.take(units, price);
        offered.left = offered.left.saturating_sub(units);
        let assignment = next(ASSIGNMENTS);
        save_assignment(assignment, &job);
        save_offer(job.offer, &offered);
        take_place(request, job.provider);
        save_request(request, ordered);
        emit_event::<DefaultEnvironment, _>(Assigned {
            request,
            requester: job.requester.0.into(),
            provider: job.provider.0.into(),
            assignment,
            offer: job.offer,
            escrow: job.escrow,
            units,
            price,
        });
        Ok(Ok(assignment))
    }

    /// Closes a request and returns the rest of its money.
    #[inline(never)]
    pub fn shut_request(
        &self,
        request: u64,
        record: &mut RequestRecord,
    ) -> Result<(), AuctionError> {
        record.budget = 0;
        record.closed = true;
        record.line = vec![];
        save_request(request, record);
        let returned = self.money().close(record.reserve)?;
        closed(Order::Request(request), record.requester, returned);
        Ok(())
    }

    /// Cancels (`by_owner`) or closes a request.
    #[inline(never)]
    pub fn end_request(&self, request: u64, by_owner: bool) -> Result<(), AuctionError> {
        let mut record = find_request(request)?;
        ensure(!by_owner || record.requester == caller(), AuctionError::NotAllowed)?;
        ensure(!record.closed, AuctionError::AlreadyClosed)?;
        ensure(by_owner || record.is_over(now()), AuctionError::StillOpen)?;
        self.shut_request(request, &mut record)
    }

    /// Cancels (`by_owner`) or closes an offer. One of which all is taken can be cancelled too: what
    /// comes back of it then is not on offer again.
    #[inline(never)]
    pub fn end_offer(&self, offer: u64, by_owner: bool) -> Result<(), AuctionError> {
        let mut record = find_offer(offer)?;
        ensure(!by_owner || record.provider == caller(), AuctionError::NotAllowed)?;
        ensure(!record.closed, AuctionError::AlreadyClosed)?;
        ensure(by_owner || !record.may_reopen(now()), AuctionError::StillOpen)?;
        let returned = record.terms.bond_of(record.left);
        record.left = 0;
        record.closed = true;
        save_offer(offer, &record);
        closed(Order::Offer(offer), record.provider, returned);
        self.money().spend(record.reserve, record.provider, returned)
    }
}

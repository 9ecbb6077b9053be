//! Requests, offers, and how they come together.

use super::terms::within;
use super::{valid, why, Answer, Check, Faults, Model};
use crate::random::{Op, What};
use cicada_core::escrow::{Milestone, Rule, Terms};
use cicada_core::hash::{Hasher, Native};
use cicada_core::market::{
    Assignment, Offer, OfferRecord, Privacy, Request, RequestRecord, Status, Unqualified, Waiting,
};
use cicada_core::sla::Violations;
use cicada_core::Account;
use cicada_traits::auction::AuctionError;

/// How long an auction lasts at most.
pub(super) const AUCTION_MS: u64 = 15 * 60_000;
/// How many wait at most.
const LINE: usize = 10;

/// What the escrow contract said, as the market passes it on.
pub(super) fn from_escrow(faults: Faults) -> Faults {
    faults.into_iter().map(|fault| format!("Escrow({fault})")).collect()
}

fn missing() -> Faults {
    vec![why(AuctionError::NotFound)]
}

/// Places that nobody has: a hundredth of the units, one to ten, less those taken.
fn places_left(request: &RequestRecord) -> u64 {
    (request.terms.units / 100).clamp(1, 10) - u64::from(request.assigned)
}

/// What an offer does not agree to of a request, for an assignment that pays so much.
fn disagreements(asked: &Request, offer: &OfferRecord, amount: u128) -> Vec<Unqualified> {
    let (consent, panel) = (&offer.terms.consent, &asked.panel);
    let mut all = Vec::new();
    if !within(asked.review_ms, consent.review) {
        all.push(Unqualified::ReviewTime);
    }
    if !within(asked.dispute_ms, consent.dispute) {
        all.push(Unqualified::DisputeTime);
    }
    let response_ms = asked.sla.as_ref().map_or(0, |sla| sla.max_response_ms);
    let whole_ms = asked.hand_over_within_ms + response_ms + asked.max_duration_ms;
    if asked.max_duration_ms < consent.min_duration_ms || whole_ms > consent.max_time_ms {
        all.push(Unqualified::WorkTime);
    }
    if let Some(sla) = &asked.sla {
        if sla.max_response_ms < consent.min_response_ms {
            all.push(Unqualified::WorkTime);
        }
        let halves = sla.quality.len() as u128 + u128::from(sla.uptime_bps.is_some());
        let whole = 2 * sla.violation_penalty + halves * (sla.violation_penalty / 2);
        if whole.min(amount) * 10_000 > amount * u128::from(consent.max_penalty_bps) {
            all.push(Unqualified::Penalty);
        }
    }
    let strangers = panel.members.iter().any(|judge| !consent.arbitrators.contains(judge));
    if strangers
        || panel.members.contains(&offer.provider)
        || panel.required < consent.min_required
        || panel.fee_bps > consent.max_fee_bps
    {
        all.push(Unqualified::Arbitrators);
    }
    all
}

impl Model {
    pub(super) fn apply_market(&mut self, op: &Op) -> Answer {
        match op {
            Op::Request { by, terms } => self.request(*by, terms).map(Some),
            Op::Offer { by, terms } => self.offer(*by, terms).map(Some),
            Op::Accept { by, request, offer, units, min_price } => {
                let (request, offer) = (*request, *offer);
                let found =
                    self.requests.contains_key(&request) && self.offers.contains_key(&offer);
                if !found {
                    return Err(missing());
                }
                let provider = self.offers[&offer].provider;
                let by_provider = *by == provider;
                let firm = self.offers[&offer].terms.firm_from;
                let allowed =
                    by_provider || (*by == self.requests[&request].requester && firm.is_some());
                let least = if by_provider { *min_price } else { firm.unwrap_or(0) };
                let (units, points) = (*units, self.points(provider));
                let mut check = Check::default();
                check.refuse(!allowed, AuctionError::NotAllowed);
                let no_units = cicada_core::market::InvalidTerms::Units;
                check.refuse(units == 0, AuctionError::Invalid(no_units));
                let accept = Waiting { offer, provider, units, min_price: least, points };
                self.accept(request, accept, check)
            }
            Op::AssignNext { request, .. } => self.assign_next(*request),
            _ => unreachable!("not an operation of the market"),
        }
    }

    fn request(&mut self, by: Account, terms: &Request) -> Result<u64, Faults> {
        let mut check = Check::default();
        check.refuse_all(valid::request(terms, by, self.now_ms, &self.setting));
        check.done()?;
        let budget = terms.max_price * u128::from(terms.units);
        let places = self.setting.places;
        let reserve =
            self.reserve(places.auction, by, places.token, budget).map_err(from_escrow)?;
        let id = self.requests.len() as u64 + 1;
        let record = RequestRecord {
            requester: by,
            terms: terms.clone(),
            reserve,
            budget,
            created_ms: self.now_ms,
            left: terms.units,
            assigned: 0,
            running: 0,
            moved_ms: 0,
            closed: false,
            line: Vec::new(),
        };
        self.requests.insert(id, record);
        Ok(id)
    }

    fn offer(&mut self, by: Account, terms: &Offer) -> Result<u64, Faults> {
        let mut check = Check::default();
        check.refuse_all(valid::offer(terms, self.now_ms));
        check.done()?;
        let bond = terms.bond * u128::from(terms.units);
        let places = self.setting.places;
        let reserve = if bond == 0 {
            0
        } else {
            self.reserve(places.auction, by, places.token, bond).map_err(from_escrow)?
        };
        let id = self.offers.len() as u64 + 1;
        let (terms, left) = (terms.clone(), terms.units);
        self.offers.insert(id, OfferRecord { provider: by, terms, reserve, left, closed: false });
        Ok(id)
    }

    /// When the auction of a request ends at the latest.
    pub fn auction_ends_ms(&self, request: &RequestRecord) -> u64 {
        (request.created_ms + AUCTION_MS).min(request.terms.deadline_ms) + request.moved_ms
    }

    /// Whether nobody can get an assignment of it now.
    pub fn is_shut(&self, request: &RequestRecord) -> bool {
        request.closed
            || request.left == 0
            || places_left(request) == 0
            || self.passed(self.auction_ends_ms(request))
    }

    /// Whether nobody can get an assignment of it any more: nothing can come back either.
    pub fn is_over(&self, request: &RequestRecord) -> bool {
        self.is_shut(request) && request.running == 0
    }

    /// The effective price of so many units of an offer for a request, and all that stands
    /// against it.
    pub fn qualify(
        &self,
        id: u64,
        request: &RequestRecord,
        offer: &OfferRecord,
        (units, least): (u64, u128),
    ) -> (u128, Faults) {
        let (asked, given) = (&request.terms, &offer.terms);
        let price = self.effective_price(offer.provider, &given.task_type, given.price);
        // Nobody is attested anything in these tests.
        let excluded = match &asked.privacy {
            Privacy::Confidential { allowed, .. } => !allowed.contains(&offer.provider),
            _ => false,
        };
        let expired = self.passed(given.expires_ms);
        let lacks = asked.capabilities.iter().any(|name| !given.capabilities.contains(name));
        let points = self.points(offer.provider);
        let taken = units.min(request.left).min(offer.left);
        let equal = request.left.div_ceil(places_left(request).max(1));
        let few = taken < equal && asked.min_units.is_none_or(|least| taken < least)
            || taken < given.min_units && taken < offer.left;
        let mut faults = Vec::new();
        let mut refuse = |condition: bool, error: Unqualified| {
            if condition {
                faults.push(why(AuctionError::Unqualified(error)));
            }
        };
        refuse(request.requester == offer.provider, Unqualified::OwnRequest);
        refuse(self.is_shut(request), Unqualified::RequestClosed);
        refuse(offer.closed || offer.left == 0 || expired, Unqualified::OfferClosed);
        let placed = self.placed.contains(&(id, offer.provider));
        refuse(placed, Unqualified::HasPlace);
        refuse(few, Unqualified::TooFew);
        refuse(asked.task_type != given.task_type, Unqualified::TaskType);
        refuse(lacks, Unqualified::Capability);
        refuse(asked.min_reputation.is_some_and(|least| points < least), Unqualified::Reputation);
        refuse(given.bond < asked.min_bond, Unqualified::Bond);
        refuse(excluded, Unqualified::Privacy);
        refuse(price > asked.max_price, Unqualified::PriceTooHigh);
        refuse(price < least.max(1), Unqualified::PriceTooLow);
        for error in disagreements(asked, offer, price * u128::from(taken)) {
            refuse(true, error);
        }
        (price, faults)
    }

    /// Whether accepts of a request still wait in line.
    pub fn line_is_open(&self, request: &RequestRecord) -> bool {
        !self.passed(request.created_ms + self.setting.market.priority_ms)
    }

    fn accept(&mut self, id: u64, accept: Waiting, mut check: Check) -> Answer {
        let request = self.requests[&id].clone();
        let offer = &self.offers[&accept.offer];
        let wanted = (accept.units, accept.min_price);
        let (price, faults) = self.qualify(id, &request, offer, wanted);
        check.refuse_all(faults);
        if !self.line_is_open(&request) {
            check.refuse(!request.line.is_empty(), AuctionError::LineWaiting);
            check.done()?;
            return self.assign(id, &accept, price).map(Some);
        }
        let mut line = request.line;
        let stands = line.iter().any(|waiting| waiting.provider == accept.provider);
        check.refuse(stands, AuctionError::AlreadyWaiting);
        let ahead = line.iter().filter(|waiting| waiting.points >= accept.points).count();
        check.refuse(ahead >= LINE, AuctionError::LineFull);
        check.done()?;
        line.insert(ahead, accept);
        line.truncate(LINE);
        self.requests.get_mut(&id).expect("it is there").line = line;
        Ok(None)
    }

    fn assign_next(&mut self, id: u64) -> Answer {
        let request = self.requests.get(&id).cloned().ok_or_else(missing)?;
        let mut check = Check::default();
        check.refuse(self.line_is_open(&request), AuctionError::LineOpen);
        let closed = AuctionError::Unqualified(Unqualified::RequestClosed);
        check.refuse(self.is_shut(&request), closed);
        check.done()?;
        let mut line = request.line.clone();
        while !line.is_empty() {
            let first = line.remove(0);
            self.requests.get_mut(&id).expect("it is there").line = line.clone();
            let wanted = (first.units, first.min_price);
            let offer = &self.offers[&first.offer];
            let (price, faults) = self.qualify(id, &request, offer, wanted);
            if !faults.is_empty() {
                continue;
            }
            // Whom the escrow contract refuses does not stop the line either.
            let before = self.clone();
            match self.assign(id, &first, price) {
                Ok(number) => return Ok(Some(number)),
                Err(_) => *self = before,
            }
        }
        Ok(None)
    }

    fn assign(&mut self, id: u64, accept: &Waiting, price: u128) -> Result<u64, Faults> {
        let mut request = self.requests[&id].clone();
        let mut offer = self.offers[&accept.offer].clone();
        let units = accept.units.min(request.left).min(offer.left);
        let amount = price * u128::from(units);
        let slack_ms = self.setting.market.slack_ms;
        let complete_by_ms = self.now_ms + valid::complete_ms(&request.terms, slack_ms);
        let terms = self.escrow_terms(&request, &offer, amount, complete_by_ms);
        let places = self.setting.places;
        let escrow = self.draw(places.auction, request.reserve, &terms).map_err(from_escrow)?;
        request.left -= units;
        request.budget -= amount;
        request.assigned += 1;
        request.running += 1;
        offer.left -= units;
        let public = matches!(request.terms.privacy, Privacy::Public { .. });
        let assignment = Assignment {
            request: id,
            offer: accept.offer,
            requester: request.requester,
            provider: offer.provider,
            escrow,
            units,
            price,
            status: if public { Status::Assigned } else { Status::AwaitingPayload },
            assigned_ms: self.now_ms,
            auction_left_ms: self.auction_ends_ms(&self.requests[&id]) - self.now_ms,
            complete_by_ms,
            ready_ms: self.now_ms,
            started_ms: None,
            completed_ms: None,
            ended_ms: None,
            violations: Violations::default(),
            paid: 0,
            rated_by_requester: false,
            rated_by_provider: false,
        };
        self.placed.insert((id, offer.provider));
        self.requests.insert(id, request);
        self.offers.insert(accept.offer, offer);
        let number = self.assignments.len() as u64 + 1;
        self.assignments.insert(number, assignment);
        Ok(number)
    }

    fn escrow_terms(
        &self,
        request: &RequestRecord,
        offer: &OfferRecord,
        amount: u128,
        complete_by_ms: u64,
    ) -> Terms {
        let asked = &request.terms;
        let job = match &asked.privacy {
            Privacy::Public { payload } => Native::sha256(payload),
            Privacy::Private { commitment } | Privacy::Confidential { commitment, .. } => {
                *commitment
            }
        };
        Terms {
            requester: request.requester,
            provider: offer.provider,
            token: self.setting.places.token,
            milestones: vec![Milestone { amount, complete_by_ms }],
            rule: Rule::Single,
            panel: asked.panel.clone(),
            fund_by_ms: self.now_ms,
            review_ms: asked.review_ms,
            dispute_ms: asked.dispute_ms,
            fallback: asked.fallback,
            job,
        }
    }

    /// Closes a request and gives its rest back.
    pub(super) fn return_rest(&mut self, id: u64) -> Result<(), Faults> {
        let auction = self.setting.places.auction;
        let request = self.requests.get_mut(&id).expect("it is there");
        let reserve = request.reserve;
        request.closed = true;
        request.budget = 0;
        request.line.clear();
        self.close_reserve(auction, reserve).map(|_| ()).map_err(from_escrow)
    }

    pub(super) fn close(&mut self, by: Account, what: What, id: u64) -> Result<(), Faults> {
        let mut check = Check::default();
        match what {
            What::CancelRequest | What::CloseRequest => {
                let request = self.requests.get(&id).ok_or_else(missing)?;
                let cancels = what == What::CancelRequest;
                let foreign = cancels && request.requester != by;
                check.refuse(foreign, AuctionError::NotAllowed);
                check.refuse(request.closed, AuctionError::AlreadyClosed);
                let early = !cancels && !self.is_over(request);
                check.refuse(early, AuctionError::StillOpen);
                check.done()?;
                self.return_rest(id)
            }
            What::CancelOffer | What::CloseOffer => {
                let offer = self.offers.get(&id).ok_or_else(missing)?;
                let cancels = what == What::CancelOffer;
                let foreign = cancels && offer.provider != by;
                check.refuse(foreign, AuctionError::NotAllowed);
                check.refuse(offer.closed, AuctionError::AlreadyClosed);
                let over = self.passed(offer.terms.expires_ms);
                check.refuse(!cancels && !over, AuctionError::StillOpen);
                check.done()?;
                let (reserve, to) = (offer.reserve, offer.provider);
                let rest = offer.terms.bond * u128::from(offer.left);
                let offer = self.offers.get_mut(&id).expect("it is there");
                offer.closed = true;
                offer.left = 0;
                self.return_bond(reserve, to, rest)
            }
        }
    }

    /// Pays from the reserve of an offer, if it has one.
    pub(super) fn return_bond(
        &mut self,
        reserve: u64,
        to: Account,
        amount: u128,
    ) -> Result<(), Faults> {
        if amount == 0 {
            return Ok(());
        }
        let auction = self.setting.places.auction;
        self.spend(auction, reserve, to, amount).map_err(from_escrow)
    }
}

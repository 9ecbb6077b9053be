//! How a test gets where it wants to be, and what it sees there.

use super::stage::*;
use cicada_core::escrow::Summary;
use cicada_core::market::{Assignment, Offer, OfferRecord, Request, RequestRecord, Status};
use cicada_core::prices::Prices;
use cicada_core::reputation::Event;
use cicada_runtime_tests::{account, address, on, AccountId};
use cicada_traits::auction::{AuctionError, AuctionView};
use cicada_traits::escrow::EscrowOperator;
use cicada_traits::psp22::PSP22;
use cicada_traits::reputation::Reputation;

impl Stage {
    // ---- states ----

    /// What is private has two hours for the hand-over, unless another time is set.
    #[track_caller]
    pub fn request(&mut self, change: impl FnOnce(&mut Request)) -> u64 {
        let mut terms = self.terms();
        change(&mut terms);
        if !terms.privacy.is_public() && terms.hand_over_within_ms == 0 {
            terms.hand_over_within_ms = 2 * HOUR;
        }
        self.place(REQUESTER, &terms).succeeds().value
    }

    #[track_caller]
    pub fn offer(&mut self, who: &str, change: impl FnOnce(&mut Offer)) -> u64 {
        let mut terms = self.terms_of_offer();
        change(&mut terms);
        self.bid(who, &terms).succeeds().value
    }

    /// All units of a request go to a new offer of the provider.
    #[track_caller]
    pub fn assigned(&mut self, change: impl FnOnce(&mut Request)) -> u64 {
        let request = self.request(change);
        let offer = self.offer(PROVIDER, |_| {});
        self.accept(PROVIDER, request, offer, u64::MAX).succeeds().value.expect("no line")
    }

    #[track_caller]
    pub fn started(&mut self, change: impl FnOnce(&mut Request)) -> u64 {
        let job = self.assigned(change);
        let _ = self.start(PROVIDER, job).succeeds();
        job
    }

    #[track_caller]
    pub fn delivered(&mut self, change: impl FnOnce(&mut Request)) -> u64 {
        let job = self.started(change);
        let _ = self.complete(PROVIDER, job).succeeds();
        job
    }

    #[track_caller]
    pub fn settled(&mut self, change: impl FnOnce(&mut Request)) -> u64 {
        let job = self.delivered(change);
        let _ = self.settle(REQUESTER, job, None).succeeds();
        job
    }

    /// A job of one unit that the requester settles: an outcome.
    #[track_caller]
    pub fn succeed_once(&mut self) {
        self.settled(|terms| terms.units = 1);
    }

    /// A job of one unit that the provider hands back late: an outcome without success.
    #[track_caller]
    pub fn fail_once(&mut self) {
        let job = self.assigned(|terms| {
            terms.units = 1;
            terms.max_duration_ms = MINUTE;
        });
        self.world.advance(2 * MINUTE);
        let _ = self.decline(PROVIDER, job).succeeds();
    }

    /// Gives somebody exactly so many points.
    #[track_caller]
    pub fn set_points(&mut self, who: &str, points: u32) {
        while self.points(who) < points {
            self.record(who, vec![Event::Completed; 8]);
        }
        let surplus = self.points(who) - points;
        self.record(who, vec![Event::SlaViolated { points: surplus }]);
        assert_eq!(self.points(who), points);
    }

    pub fn record(&mut self, who: &str, events: Vec<Event>) {
        let message = on(&self.reputation).record(account(who), events);
        let _ = self.call(REQUESTER, message).succeeds();
    }

    // ---- views ----

    pub fn request_of(&mut self, request: u64) -> RequestRecord {
        self.world.read(on(&self.auction).request_of(request)).expect("it is there")
    }

    pub fn offer_of(&mut self, offer: u64) -> OfferRecord {
        self.world.read(on(&self.auction).offer_of(offer)).expect("it is there")
    }

    pub fn job(&mut self, job: u64) -> Assignment {
        self.world.read(on(&self.auction).assignment_of(job)).expect("it is there")
    }

    pub fn status(&mut self, job: u64) -> Status {
        self.job(job).status
    }

    pub fn quote(&mut self, request: u64, offer: u64) -> Result<u128, AuctionError> {
        self.world.read(on(&self.auction).quote(request, offer))
    }

    pub fn prices(&mut self) -> Option<Prices> {
        self.world.read(on(&self.auction).prices(name("inference")))
    }

    pub fn points(&mut self, who: &str) -> u32 {
        self.world.read(on(&self.reputation).points(account(who)))
    }

    /// Successes and outcomes of the provider.
    pub fn success(&mut self) -> (u32, u32) {
        let message = on(&self.auction).success_of(account(PROVIDER), name("inference"));
        let success = self.world.read(message);
        (success.successes, success.outcomes)
    }

    pub fn escrow_of(&mut self, job: u64) -> Summary {
        let escrow = self.job(job).escrow;
        self.world.read(on(&self.escrow).summary(escrow)).expect("it is there")
    }

    pub fn balance(&mut self, owner: AccountId) -> u128 {
        self.world.read(on(&self.token).balance_of(owner))
    }

    pub fn balance_of(&mut self, who: &str) -> u128 {
        self.balance(account(who))
    }

    /// Every unit is where the books say: with people, or in the escrow contract for a request
    /// that is open, the bond of an offer that is open, or a job that has not ended.
    #[track_caller]
    pub fn check_books(&mut self) {
        let info = self.world.read(on(&self.auction).market());
        let mut held = 0;
        for request in 1..=info.requests {
            let record = self.request_of(request);
            held += record.budget;
            let reserve = self.world.read(on(&self.escrow).reserve_of(record.reserve));
            assert_eq!(reserve.expect("there").balance, record.budget, "request {request}");
        }
        for offer in 1..=info.offers {
            let record = self.offer_of(offer);
            held += record.terms.bond_of(record.left);
        }
        for job in 1..=info.assignments {
            let record = self.job(job);
            held += self.escrow_of(job).locked;
            if !record.status.is_final() {
                held += self.offer_of(record.offer).terms.bond_of(record.units);
            }
        }
        let market = address(&self.auction);
        assert_eq!(self.balance(market), 0, "the market holds no money");
        let holder = address(&self.escrow);
        assert_eq!(self.balance(holder), held, "the escrow contract holds what is owed");
        let people = self.people.clone();
        let sum: u128 = people.into_iter().map(|owner| self.balance(owner)).sum();
        assert_eq!(sum + held, SUPPLY, "no unit is lost");
    }
}

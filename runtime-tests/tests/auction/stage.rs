//! People, a token, and the contracts of the market.

use auction::auction::AuctionContractRef;
use capabilities::capabilities::CapabilitiesContractRef;
use cicada_core::escrow::{Decision, Fallback, Limits, Panel, Part, Range, State, Verdict};
use cicada_core::hash::{Digest, Native};
use cicada_core::market::{Consent, HandOver, Offer, Parameters, Privacy, Request};
use cicada_core::name::Name;
use cicada_core::privacy::commitment;
use cicada_core::sla::{Metric, QualityReport, Sla};
use cicada_core::Account;
use cicada_runtime_tests::world::{FUNDS, NAMES};
use cicada_runtime_tests::{account, address, on, AccountId, Message, Receipt, World};
use cicada_traits::auction::{Auction, AuctionError};
use cicada_traits::escrow::{Escrow, EscrowError, EscrowOperator};
use cicada_traits::psp22::PSP22;
use cicada_traits::reputation::Writers;
use escrow::escrow::EscrowContractRef;
use reputation::reputation::ReputationContractRef;
use token::token::TokenRef;

pub const SUPPLY: u128 = 1_000_000_000_000;
/// What everybody but the requester has of it.
pub const POCKET: u128 = 1_000_000_000;
pub const RESULT: Digest = Digest([0x42; 32]);
pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 3_600_000;
/// Who pays, who works, who decides disputes, who has no part.
pub const REQUESTER: &str = "alice";
pub const PROVIDER: &str = "bob";
pub const OTHER: &str = "charlie";
pub const ARBITRATORS: [&str; 3] = ["eve", "ferdie", "grace"];
pub const STRANGER: &str = "heidi";
pub const CID: &[u8] = b"bafy-payload";
pub const SALT: [u8; 32] = [9; 32];
/// Points that one violation costs here.
pub const VIOLATION_POINTS: u32 = 7;

/// What each time of a job has beside itself, and how long a job may be handed back for nothing.
pub const SLACK: u64 = MINUTE;
pub const FREE: u64 = 2 * MINUTE;

const fn range(least_ms: u64, most_ms: u64) -> Range {
    Range { least_ms, most_ms }
}

/// What the escrow contract permits.
pub const LIMITS: Limits = Limits {
    review: range(MINUTE, 1_000 * HOUR),
    dispute: range(MINUTE, 1_000 * HOUR),
    completion: range(MINUTE, 1_000 * HOUR),
};

pub type Answer = Receipt<Result<(), AuctionError>>;
pub type Accepted = Receipt<Result<Option<u64>, AuctionError>>;

pub fn id(who: &str) -> Account {
    Account::of(&account(who))
}

pub fn name(text: &str) -> Name {
    Name::new(text).expect("a valid name")
}

pub fn names(texts: &[&str]) -> Vec<Name> {
    texts.iter().map(|text| name(text)).collect()
}

pub fn metric(text: &str, bps: u16) -> Metric {
    Metric { name: name(text), bps }
}

pub fn private() -> Privacy {
    Privacy::Private { commitment: commitment::<Native>(CID, &SALT) }
}

/// A service level without uptime and quality.
pub fn sla(max_response_ms: u64, violation_penalty: u128) -> Option<Sla> {
    Some(Sla { uptime_bps: None, max_response_ms, violation_penalty, quality: vec![] })
}

pub fn report(uptime_bps: Option<u16>, quality: &[(&str, u16)]) -> Option<QualityReport> {
    let quality = quality.iter().map(|(name, bps)| metric(name, *bps)).collect();
    Some(QualityReport { uptime_bps, quality })
}

/// All contracts; everybody has permitted the market and approved the escrow contract.
pub struct Stage {
    pub world: World,
    pub token: TokenRef,
    pub escrow: EscrowContractRef,
    pub reputation: ReputationContractRef,
    pub capabilities: CapabilitiesContractRef,
    pub auction: AuctionContractRef,
    pub people: Vec<AccountId>,
}

impl Stage {
    /// A market without a waiting line.
    pub fn new() -> Self {
        Self::with_priority(0)
    }

    pub fn with_priority(priority_ms: u64) -> Self {
        Self::with_register(World::new(), account(STRANGER), priority_ms)
    }

    /// In this world, with capabilities attested by the committee of this contract.
    pub fn with_register(mut world: World, validators: AccountId, priority_ms: u64) -> Self {
        let alice = account(REQUESTER);
        let coin = TokenRef::new("Metameme Coin".into(), "MMC".into(), 6, SUPPLY);
        let token = world.as_(alice).deploy("token", coin);
        let constructor = EscrowContractRef::new(Digest([0x71; 32]), LIMITS);
        let escrow = world.as_(alice).deploy("escrow", constructor).expect("good limits");
        let reputation = world
            .as_(alice)
            .deploy("reputation", ReputationContractRef::new(0, 0))
            .expect("no decay is a decay");
        let constructor = CapabilitiesContractRef::new(validators);
        let capabilities = world.as_(alice).deploy("capabilities", constructor);
        let constructor = AuctionContractRef::new(
            address(&token),
            address(&escrow),
            address(&reputation),
            address(&capabilities),
            Self::parameters(priority_ms),
        );
        let auction = world.as_(alice).deploy("auction", constructor).expect("good parameters");
        let mut stage =
            Self { world, token, escrow, reputation, capabilities, auction, people: vec![] };
        for writer in [address(&stage.auction), alice] {
            let message = on(&stage.reputation).set_writer(writer, true);
            let _ = stage.call(REQUESTER, message).succeeds();
        }
        for who in NAMES {
            stage.join(who);
        }
        stage
    }

    pub fn parameters(priority_ms: u64) -> Parameters {
        Parameters {
            priority_ms,
            violation_points: VIOLATION_POINTS,
            fast_response_ms: MINUTE,
            slack_ms: SLACK,
            hand_back_ms: FREE,
        }
    }

    /// Somebody gets money, permits the market and approves the escrow contract.
    pub fn join(&mut self, who: &str) {
        self.world.fund(account(who), FUNDS);
        if who != REQUESTER {
            let message = on(&self.token).transfer(account(who), POCKET, vec![]);
            let _ = self.call(REQUESTER, message).succeeds();
        }
        let message = on(&self.token).approve(address(&self.escrow), u128::MAX);
        let _ = self.call(who, message).succeeds();
        self.permit(who, true);
        self.people.push(account(who));
    }

    pub fn permit(&mut self, who: &str, allowed: bool) {
        let message = on(&self.escrow).set_operator(address(&self.auction), allowed);
        let _ = self.call(who, message).succeeds();
    }

    /// The market may no longer write to the reputation contract.
    pub fn forbid_writing(&mut self) {
        let message = on(&self.reputation).set_writer(address(&self.auction), false);
        let _ = self.call(REQUESTER, message).succeeds();
    }

    /// 100 units of inference at up to 100 each, in parts of any size, to be done in an hour (and
    /// two minutes of slack).
    pub fn terms(&self) -> Request {
        Request {
            task_type: name("inference"),
            units: 100,
            min_units: Some(1),
            max_duration_ms: HOUR,
            hand_over_within_ms: 0,
            capabilities: names(&["gpu"]),
            min_reputation: None,
            privacy: Privacy::Public { payload: CID.to_vec() },
            max_price: 100,
            min_bond: 0,
            sla: None,
            deadline_ms: self.now() + HOUR,
            panel: Panel { required: 2, members: ARBITRATORS.map(id).to_vec(), fee_bps: 0 },
            review_ms: 2 * HOUR,
            dispute_ms: 3 * HOUR,
            fallback: Fallback::Refund,
        }
    }

    /// 1,000 units of inference; at 50 points the 100 asked are 50 paid.
    pub fn terms_of_offer(&self) -> Offer {
        Offer {
            task_type: name("inference"),
            units: 1_000,
            min_units: 1,
            price: 100,
            capabilities: names(&["cuda", "gpu"]),
            bond: 0,
            expires_ms: self.now() + HOUR,
            payload_key: [5; 32],
            firm_from: None,
            consent: Self::anything(),
        }
    }

    /// Agrees to all that these arbitrators decide.
    pub fn anything() -> Consent {
        Consent {
            review: range(0, u64::MAX),
            dispute: range(0, u64::MAX),
            max_penalty_bps: 10_000,
            min_response_ms: 0,
            min_duration_ms: 0,
            max_time_ms: u64::MAX,
            arbitrators: ARBITRATORS.map(id).to_vec(),
            min_required: 0,
            max_fee_bps: 500,
        }
    }

    // ---- acts ----

    pub fn now(&self) -> u64 {
        self.world.now()
    }

    pub fn call<M: Message>(&mut self, who: &str, message: M) -> Receipt<M::Output> {
        self.world.as_(account(who)).call(message)
    }

    pub fn place(&mut self, who: &str, terms: &Request) -> Receipt<Result<u64, AuctionError>> {
        let message = on(&self.auction).request(terms.clone());
        self.call(who, message)
    }

    pub fn bid(&mut self, who: &str, terms: &Offer) -> Receipt<Result<u64, AuctionError>> {
        let message = on(&self.auction).offer(terms.clone());
        self.call(who, message)
    }

    pub fn accept(&mut self, who: &str, request: u64, offer: u64, units: u64) -> Accepted {
        self.accept_from(who, request, offer, units, 0)
    }

    pub fn accept_from(
        &mut self,
        who: &str,
        request: u64,
        offer: u64,
        units: u64,
        min_price: u128,
    ) -> Accepted {
        let message = on(&self.auction).accept(request, offer, units, min_price);
        self.call(who, message)
    }

    pub fn assign_next(&mut self, request: u64) -> Accepted {
        let message = on(&self.auction).assign_next(request);
        self.call(STRANGER, message)
    }

    pub fn cancel_request(&mut self, who: &str, request: u64) -> Answer {
        let message = on(&self.auction).cancel_request(request);
        self.call(who, message)
    }

    pub fn cancel_offer(&mut self, who: &str, offer: u64) -> Answer {
        let message = on(&self.auction).cancel_offer(offer);
        self.call(who, message)
    }

    pub fn close_request(&mut self, request: u64) -> Answer {
        let message = on(&self.auction).close_request(request);
        self.call(STRANGER, message)
    }

    pub fn close_offer(&mut self, offer: u64) -> Answer {
        let message = on(&self.auction).close_offer(offer);
        self.call(STRANGER, message)
    }

    pub fn hand_over(&mut self, who: &str, job: u64, cid: &[u8], salt: [u8; 32]) -> Answer {
        let payload = HandOver { cid: cid.to_vec(), salt, sealed_key: vec![3; 80] };
        let message = on(&self.auction).hand_over(job, payload);
        self.call(who, message)
    }

    pub fn start(&mut self, who: &str, job: u64) -> Answer {
        let message = on(&self.auction).start(job);
        self.call(who, message)
    }

    pub fn decline(&mut self, who: &str, job: u64) -> Answer {
        let message = on(&self.auction).decline(job);
        self.call(who, message)
    }

    pub fn complete(&mut self, who: &str, job: u64) -> Answer {
        let message = on(&self.auction).complete(job, RESULT);
        self.call(who, message)
    }

    pub fn settle(&mut self, who: &str, job: u64, report: Option<QualityReport>) -> Answer {
        let message = on(&self.auction).settle(job, report);
        self.call(who, message)
    }

    pub fn report(&mut self, who: &str, job: u64, report: QualityReport) -> Answer {
        let message = on(&self.auction).report(job, report);
        self.call(who, message)
    }

    pub fn finalize(&mut self, job: u64) -> Answer {
        let message = on(&self.auction).finalize(job);
        self.call(STRANGER, message)
    }

    pub fn feedback(&mut self, who: &str, job: u64, stars: u8) -> Answer {
        let message = on(&self.auction).feedback(job, stars);
        self.call(who, message)
    }

    // ---- at the escrow contract itself ----

    pub fn decide(&mut self, who: &str, job: u64, decision: Decision) {
        let summary = self.escrow_of(job);
        let part = Part { milestone: 0, completed: summary.state == State::Completed };
        let escrow = self.job(job).escrow;
        let message = on(&self.escrow).decide(escrow, part, decision);
        let _ = self.call(who, message).succeeds();
    }

    pub fn expire(&mut self, job: u64) {
        let escrow = self.job(job).escrow;
        let message = on(&self.escrow).expire(escrow);
        let _ = self.call(STRANGER, message).succeeds();
    }

    pub fn dispute(&mut self, who: &str, job: u64) {
        assert_eq!(self.try_dispute(who, job).value, Ok(()));
    }

    pub fn try_dispute(&mut self, who: &str, job: u64) -> Receipt<Result<(), EscrowError>> {
        let escrow = self.job(job).escrow;
        let message = on(&self.escrow).raise_dispute(escrow, 0, vec![]);
        self.call(who, message)
    }

    /// Two of the three arbitrators agree.
    pub fn decide_dispute(&mut self, job: u64, verdict: Verdict) {
        let escrow = self.job(job).escrow;
        for who in &ARBITRATORS[..2] {
            let message = on(&self.escrow).vote(escrow, 0, verdict);
            let _ = self.call(who, message).succeeds();
        }
    }
}

//! People, a token and the escrow contract.

use cicada_core::escrow::{
    terms_digest, AuditEntry, Decision, Fallback, Limits, Milestone, Panel, Part, Range, Reserve,
    Rule, SignedDecision, State, Summary, Terms, Verdict,
};
use cicada_core::hash::{Digest, Native};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, key, on, AccountId, Message, Receipt, World};
use cicada_traits::escrow::{Escrow, EscrowError, EscrowOperator};
use cicada_traits::psp22::PSP22;
use escrow::escrow::EscrowContractRef;
use token::token::TokenRef;

pub const SUPPLY: u128 = 1_000_000;
pub const AMOUNT: u128 = 1_000;
pub const GENESIS: Digest = Digest([0x71; 32]);
pub const RESULT: Digest = Digest([0x42; 32]);
pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 3_600_000;
const fn range(least_ms: u64, most_ms: u64) -> Range {
    Range { least_ms, most_ms }
}

/// What this deployment permits.
pub const LIMITS: Limits = Limits {
    review: range(MINUTE, 100 * HOUR),
    dispute: range(MINUTE, 100 * HOUR),
    completion: range(MINUTE, 1_000 * HOUR),
};
/// Who pays, who works, who decides disputes, who runs escrows, who has no part.
pub const REQUESTER: &str = "alice";
pub const PROVIDER: &str = "bob";
pub const ARBITRATORS: [&str; 3] = ["charlie", "dave", "eve"];
pub const OPERATOR: &str = "grace";
pub const STRANGER: &str = "ferdie";

pub type Answer = Receipt<Result<(), EscrowError>>;

pub fn id(name: &str) -> Account {
    Account::of(&account(name))
}

/// The requester holds all money and has approved the contract for all of it.
pub struct Stage {
    pub world: World,
    pub escrow: EscrowContractRef,
    pub token: TokenRef,
}

impl Stage {
    pub fn new() -> Self {
        Self::with_supply(SUPPLY)
    }

    pub fn with_supply(supply: u128) -> Self {
        let mut world = World::new();
        let coin = TokenRef::new("Metameme Coin".into(), "MMC".into(), 6, supply);
        let token = world.as_(account(REQUESTER)).deploy("token", coin);
        let constructor = EscrowContractRef::new(GENESIS, LIMITS);
        let escrow = world.as_(account(STRANGER)).deploy("escrow", constructor);
        let escrow = escrow.expect("limits in order");
        let mut stage = Self { world, escrow, token };
        stage.approve(u128::MAX);
        stage
    }

    pub fn approve(&mut self, value: u128) {
        self.approve_of(REQUESTER, value);
    }

    pub fn approve_of(&mut self, who: &str, value: u128) {
        let message = on(&self.token).approve(address(&self.escrow), value);
        let _ = self.call(who, message).succeeds();
    }

    pub fn now(&self) -> u64 {
        self.world.now()
    }

    /// One part under `Single`; 2 of 3 arbitrators; everything in hours.
    pub fn terms(&self) -> Terms {
        let now = self.now();
        Terms {
            requester: id(REQUESTER),
            provider: id(PROVIDER),
            token: Account::of(&address(&self.token)),
            milestones: vec![Milestone { amount: AMOUNT, complete_by_ms: now + 10 * HOUR }],
            rule: Rule::Single,
            panel: Panel { required: 2, members: ARBITRATORS.map(id).to_vec(), fee_bps: 0 },
            fund_by_ms: now + HOUR,
            review_ms: 2 * HOUR,
            dispute_ms: 3 * HOUR,
            fallback: Fallback::Refund,
            job: Digest([7; 32]),
        }
    }

    pub fn under(&self, rule: Rule) -> Terms {
        Terms { rule, ..self.terms() }
    }

    /// With a fee for the arbitrators.
    pub fn with_fee(&self, fee_bps: u16) -> Terms {
        let mut terms = self.terms();
        terms.panel.fee_bps = fee_bps;
        terms
    }

    /// Parts of these amounts; each has ten hours more.
    pub fn parts(&self, amounts: &[u128]) -> Terms {
        let due = |part: usize| self.now() + (part as u64 + 1) * 10 * HOUR;
        let part =
            |(i, amount): (usize, &u128)| Milestone { amount: *amount, complete_by_ms: due(i) };
        Terms { milestones: amounts.iter().enumerate().map(part).collect(), ..self.terms() }
    }

    // ---- acts ----

    pub fn call<M: Message>(&mut self, who: &str, message: M) -> Receipt<M::Output> {
        self.world.as_(account(who)).call(message)
    }

    pub fn create(&mut self, who: &str, terms: &Terms) -> Receipt<Result<u64, EscrowError>> {
        let message = on(&self.escrow).create(terms.clone());
        self.call(who, message)
    }

    pub fn create_funded(&mut self, who: &str, terms: &Terms) -> Receipt<Result<u64, EscrowError>> {
        let message = on(&self.escrow).create_funded(terms.clone());
        self.call(who, message)
    }

    /// Funds the terms that the escrow has.
    pub fn fund(&mut self, who: &str, escrow: u64) -> Answer {
        let terms = self.world.read(on(&self.escrow).terms(escrow));
        self.fund_these(who, escrow, &terms.unwrap_or_else(|| self.terms()))
    }

    pub fn fund_these(&mut self, who: &str, escrow: u64, terms: &Terms) -> Answer {
        let message = on(&self.escrow).fund(escrow, terms_digest::<Native>(terms));
        self.call(who, message)
    }

    /// The part at which the escrow stands.
    pub fn part(&mut self, escrow: u64) -> Part {
        let summary = self.world.read(on(&self.escrow).summary(escrow));
        summary.map_or(Part { milestone: 0, completed: false }, |summary| Part {
            milestone: summary.milestone,
            completed: summary.state == State::Completed,
        })
    }

    pub fn complete(&mut self, who: &str, escrow: u64) -> Answer {
        let milestone = self.part(escrow).milestone;
        let message = on(&self.escrow).complete(escrow, milestone, RESULT);
        self.call(who, message)
    }

    /// Decides about the part at which the escrow stands.
    pub fn decide(&mut self, who: &str, escrow: u64, decision: Decision) -> Answer {
        let part = self.part(escrow);
        self.decide_about(who, escrow, part, decision)
    }

    pub fn decide_about(
        &mut self,
        who: &str,
        escrow: u64,
        part: Part,
        decision: Decision,
    ) -> Answer {
        let message = on(&self.escrow).decide(escrow, part, decision);
        self.call(who, message)
    }

    pub fn release(&mut self, who: &str, escrow: u64) -> Answer {
        self.decide(who, escrow, Decision::Release)
    }

    pub fn refund(&mut self, who: &str, escrow: u64) -> Answer {
        self.decide(who, escrow, Decision::Refund)
    }

    pub fn raise(&mut self, who: &str, escrow: u64) -> Answer {
        let milestone = self.part(escrow).milestone;
        let evidence = vec![b"bafy-first".to_vec()];
        let message = on(&self.escrow).raise_dispute(escrow, milestone, evidence);
        self.call(who, message)
    }

    pub fn add_evidence(&mut self, who: &str, escrow: u64, cid: &[u8]) -> Answer {
        let message = on(&self.escrow).add_evidence(escrow, cid.to_vec());
        self.call(who, message)
    }

    pub fn vote(&mut self, who: &str, escrow: u64, verdict: Verdict) -> Answer {
        let milestone = self.part(escrow).milestone;
        let message = on(&self.escrow).vote(escrow, milestone, verdict);
        self.call(who, message)
    }

    pub fn expire(&mut self, who: &str, escrow: u64) -> Answer {
        let message = on(&self.escrow).expire(escrow);
        self.call(who, message)
    }

    /// What a name has to sign here.
    pub fn statement(
        &mut self,
        who: &str,
        escrow: u64,
        decision: Decision,
        nonce: u64,
    ) -> SignedDecision {
        SignedDecision {
            genesis: GENESIS,
            contract: Account::of(&address(&self.escrow)),
            escrow,
            part: self.part(escrow),
            decision,
            signer: id(who),
            nonce,
            expires_ms: self.now() + 100 * HOUR,
        }
    }

    /// A stranger brings this statement, as the contract is told it, with the signature of `by`
    /// under what is in `signed`.
    pub fn bring(&mut self, told: &SignedDecision, signed: &SignedDecision, by: &str) -> Answer {
        let signature = key(by).sign(&signed.digest::<Native>().0);
        let message = on(&self.escrow).decide_signed(
            told.escrow,
            told.part,
            told.decision,
            told.signer.0.into(),
            told.nonce,
            told.expires_ms,
            signature,
        );
        self.call(STRANGER, message)
    }

    /// The same with an honest signature of the signer.
    pub fn bring_signed(&mut self, who: &str, statement: &SignedDecision) -> Answer {
        self.bring(statement, statement, who)
    }

    // ---- states ----

    #[track_caller]
    pub fn created(&mut self, terms: &Terms) -> u64 {
        self.create(REQUESTER, terms).succeeds().value
    }

    #[track_caller]
    pub fn funded(&mut self, terms: &Terms) -> u64 {
        let escrow = self.created(terms);
        let _ = self.fund(REQUESTER, escrow).succeeds();
        escrow
    }

    #[track_caller]
    pub fn completed(&mut self, terms: &Terms) -> u64 {
        let escrow = self.funded(terms);
        let _ = self.complete(PROVIDER, escrow).succeeds();
        escrow
    }

    #[track_caller]
    pub fn disputed(&mut self, terms: &Terms) -> u64 {
        let escrow = self.completed(terms);
        let _ = self.raise(REQUESTER, escrow).succeeds();
        escrow
    }

    // ---- the operator's side ----

    pub fn permit(&mut self, owner: &str) {
        let message = on(&self.escrow).set_operator(account(OPERATOR), true);
        let _ = self.call(owner, message).succeeds();
    }

    pub fn reserve(&mut self, who: &str, amount: u128) -> Receipt<Result<u64, EscrowError>> {
        let token = address(&self.token);
        let message = on(&self.escrow).reserve(account(REQUESTER), token, amount);
        self.call(who, message)
    }

    /// A reserve of this much, permitted by both sides.
    #[track_caller]
    pub fn reserved(&mut self, amount: u128) -> u64 {
        self.permit(REQUESTER);
        self.permit(PROVIDER);
        self.reserve(OPERATOR, amount).succeeds().value
    }

    pub fn spend(&mut self, who: &str, reserve: u64, to: &str, amount: u128) -> Answer {
        let message = on(&self.escrow).spend(reserve, account(to), amount);
        self.call(who, message)
    }

    pub fn draw(
        &mut self,
        who: &str,
        reserve: u64,
        terms: &Terms,
    ) -> Receipt<Result<u64, EscrowError>> {
        let message = on(&self.escrow).draw(reserve, terms.clone());
        self.call(who, message)
    }

    /// An escrow of the default terms that the operator runs.
    #[track_caller]
    pub fn drawn(&mut self) -> u64 {
        let reserve = self.reserved(AMOUNT);
        let terms = self.terms();
        self.draw(OPERATOR, reserve, &terms).succeeds().value
    }

    pub fn complete_for(&mut self, who: &str, escrow: u64, deduction: u128) -> Answer {
        let milestone = self.part(escrow).milestone;
        let message = on(&self.escrow).complete_for(escrow, milestone, RESULT, deduction);
        self.call(who, message)
    }

    pub fn report(&mut self, who: &str, escrow: u64, deduction: u128) -> Answer {
        let milestone = self.part(escrow).milestone;
        let message = on(&self.escrow).report(escrow, milestone, deduction);
        self.call(who, message)
    }

    pub fn close_reserve(&mut self, who: &str, reserve: u64) -> Receipt<Result<u128, EscrowError>> {
        let message = on(&self.escrow).close_reserve(reserve);
        self.call(who, message)
    }

    pub fn settle(&mut self, who: &str, escrow: u64, provider_share: u128) -> Answer {
        let message = on(&self.escrow).settle(escrow, provider_share);
        self.call(who, message)
    }

    /// Waits until the state of an escrow times out, or this many milliseconds less.
    pub fn wait_for(&mut self, escrow: u64, less_ms: u64) {
        let due = self.summary(escrow).due_ms.expect("it has not ended");
        self.world.at(due - less_ms);
    }

    // ---- views ----

    pub fn summary(&mut self, escrow: u64) -> Summary {
        let message = on(&self.escrow).summary(escrow);
        self.world.read(message).expect("the escrow is there")
    }

    pub fn state(&mut self, escrow: u64) -> State {
        self.summary(escrow).state
    }

    pub fn balance(&mut self, owner: AccountId) -> u128 {
        self.world.read(on(&self.token).balance_of(owner))
    }

    pub fn balance_of(&mut self, name: &str) -> u128 {
        self.balance(account(name))
    }

    pub fn locked(&mut self, name: &str) -> u128 {
        let token = address(&self.token);
        self.world.read(on(&self.escrow).locked(account(name), token))
    }

    pub fn credit(&mut self, name: &str) -> u128 {
        let token = address(&self.token);
        let holdings = self.world.read(on(&self.escrow).holdings(account(name), token));
        holdings.expect("the token answers").credit
    }

    pub fn reserve_of(&mut self, reserve: u64) -> Reserve {
        let found = self.world.read(on(&self.escrow).reserve_of(reserve));
        found.expect("the reserve is there")
    }

    pub fn audit(&mut self, escrow: u64) -> Vec<AuditEntry> {
        let (mut log, mut from) = (Vec::new(), 0);
        loop {
            let page = self.world.read(on(&self.escrow).audit(escrow, from, 50));
            from += page.len() as u32;
            if page.is_empty() {
                return log;
            }
            log.extend(page);
        }
    }

    /// What the two parties have got out of an escrow that was of 1,000, and that nothing is lost:
    /// the contract holds what the escrows and reserves say, and no unit more or less.
    #[track_caller]
    pub fn paid(&mut self, escrow: u64) -> (u128, u128) {
        self.check_books();
        let summary = self.summary(escrow);
        (summary.provider_paid, summary.requester_paid)
    }

    /// Every unit is where the books say.
    #[track_caller]
    pub fn check_books(&mut self) {
        let count = self.world.read(on(&self.escrow).count());
        let (mut locked, mut earned) = (0, 0);
        for escrow in 0..count {
            let summary = self.summary(escrow);
            if AccountId::from(summary.token.0) != address(&self.token) {
                continue;
            }
            locked += summary.locked;
            earned += summary.provider_paid;
            if summary.state != State::Created && summary.state != State::Expired {
                let paid = summary.provider_paid + summary.requester_paid;
                assert_eq!(summary.locked + paid, summary.amount, "escrow {escrow} adds up");
            }
        }
        let mut reserve = 0;
        while let Some(found) = self.world.read(on(&self.escrow).reserve_of(reserve)) {
            locked += found.balance;
            reserve += 1;
        }
        let holder = address(&self.escrow);
        let credits: u128 =
            cicada_runtime_tests::world::NAMES.iter().map(|who| self.credit(who)).sum();
        assert_eq!(self.balance(holder), locked + credits, "the contract holds what is locked");
        assert_eq!(self.locked(REQUESTER), locked, "and says whose it is");
        let supply = self.world.read(on(&self.token).total_supply());
        let mut people = vec![holder];
        people.extend(cicada_runtime_tests::world::NAMES.map(account));
        let sum: u128 = people.into_iter().map(|owner| self.balance(owner)).sum();
        assert_eq!(sum, supply, "no unit is lost");
        if reserve == 0 {
            assert_eq!(self.balance_of(PROVIDER), earned);
        }
    }
}

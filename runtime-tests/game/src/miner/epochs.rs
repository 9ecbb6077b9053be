//! The epochs of the rewards, as validators compute and settle them, and what capital that stayed may earn.

use super::ACCOUNTS;
use crate::basket::stage::{Stage, ONE, OWNER};
use cicada_core::activity::held::{Held, Holder, Movement};
use cicada_core::activity::{tally, value_floor, Event, Side, Window};
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::merkle::Tree;
use cicada_core::nav::{nav_e18_floor, Position};
use cicada_core::report::{Feed, ReportKind};
use cicada_core::rewards::{leaves, pools, Award, Claim, MIN_UNBONDING_MS};
use cicada_core::scores::scores;
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::psp22::PSP22;
use cicada_traits::rewards::{RewardTerms, Rewards};
use rewards::rewards::RewardsContractRef;
use std::collections::BTreeMap;
use token::token::TokenRef;

/// The pool of an epoch.
const EMISSION: u128 = 1_000_000_000_000;
/// What whoever registers deposits.
const BOND: u128 = 100_000_000_000;
/// The most that the tiers pay to somebody, in times of the base.
const MOST_TIERS: u128 = 2;

/// What happened, as validators keep it, and what follows from it.
#[derive(Clone, Default)]
pub struct Book {
    start_ms: u64,
    events: Vec<Event>,
    holders: BTreeMap<Account, Holder>,
    claims: Vec<Vec<Claim>>,
    /// The least that he held in this epoch and in the one before.
    least: [u128; 2],
    /// The highest NAV.
    nav_e18: u128,
    /// Since when an account of his has been registered; none if it is not.
    since: [Option<u64>; ACCOUNTS.len()],
    /// What capital that stayed may have earned.
    pub allowed: u128,
}

/// The contract, and the book.
pub struct Epochs {
    rewards: RewardsContractRef,
    tao: TokenRef,
    length_ms: u64,
    /// What is minted and redeemed scores though it did not stay: a fault.
    pub counts_turns: bool,
    pub book: Book,
}

impl Epochs {
    /// Begins at the first basket's time; the money of many epochs is paid in.
    pub fn new(stage: &mut Stage, length_ms: u64) -> Self {
        let owner = account(OWNER);
        let tao = TokenRef::new("TAO".into(), "TAO".into(), 9, 1_000 * EMISSION);
        let tao = stage.world.as_(owner).deploy("token", tao);
        let start_ms = stage.world.now() + super::MOMENT_MS * u64::from(super::BASKET);
        let terms = RewardTerms {
            start_ms,
            min_epoch_ms: length_ms,
            emission: EMISSION,
            bond: BOND,
            unbonding_ms: MIN_UNBONDING_MS,
        };
        let new = RewardsContractRef::new(address(&stage.validators), address(&tao), terms);
        let rewards = stage.world.as_(owner).deploy("rewards", new).expect("terms");
        for who in [OWNER].into_iter().chain(ACCOUNTS) {
            let gift = on(&tao).transfer(account(who), 2 * BOND, vec![]);
            let _ = stage.world.as_(owner).call(gift);
            let approve = on(&tao).approve(address(&rewards), u128::MAX);
            let _ = stage.world.as_(account(who)).call(approve).succeeds();
        }
        let fund = on(&rewards).fund(100 * EMISSION);
        let _ = stage.world.as_(owner).call(fund).succeeds();
        let book = Book { start_ms, nav_e18: ONE, claims: vec![Vec::new()], ..Book::default() };
        Self { rewards, tao, length_ms, counts_turns: false, book }
    }

    /// The first epoch begins now.
    pub fn begin(&mut self, stage: &mut Stage) {
        assert_eq!(stage.world.now(), self.book.start_ms);
    }

    fn window(&self) -> Window {
        let start = self.book.start_ms;
        Window::new(start, start + self.length_ms).expect("a time")
    }

    /// Index tokens changed hands.
    pub fn moved(&mut self, stage: &Stage, from: Option<&str>, to: Option<&str>, tokens: u128) {
        let [from, to] = [from, to].map(|who| who.map(id));
        let movement = Movement { time_ms: stage.world.now(), from, to, tokens };
        let window = self.window();
        movement.apply(&mut self.book.holders, &window).expect("he has them");
    }

    /// Somebody minted or redeemed.
    pub fn turned(&mut self, stage: &mut Stage, who: &str, side: Side, tokens: u128) {
        let positions: Vec<_> = stage
            .holdings()
            .iter()
            .map(|held| Position { holding: held.amount, price_e18: held.price_e18 })
            .collect();
        let nav = nav_e18_floor(&positions, stage.supply()).expect("it fits");
        self.book.nav_e18 = self.book.nav_e18.max(nav);
        let value = value_floor(tokens, nav).expect("it fits");
        let (block, time_ms) = (self.book.events.len() as u64, stage.world.now());
        self.book.events.push(Event {
            block,
            index: 0,
            time_ms,
            miner: id(who),
            side,
            tokens,
            value,
        });
        match side {
            Side::Mint => self.moved(stage, None, Some(who), tokens),
            Side::Redeem => self.moved(stage, Some(who), None, tokens),
        }
    }

    /// Tokens go from one account to another.
    pub fn transfer(&mut self, stage: &mut Stage, [from, to]: [&str; 2], tokens: u128) {
        let message = on(&stage.token).transfer(account(to), tokens, vec![]);
        if stage.world.as_(account(from)).call(message).value.is_ok() {
            self.moved(stage, Some(from), Some(to), tokens);
        }
    }

    /// He has so many tokens now.
    pub fn holds(&mut self, tokens: u128) {
        self.book.least[0] = self.book.least[0].min(tokens);
    }

    pub fn register(&mut self, stage: &mut Stage, who: &str) {
        let done = stage.world.as_(account(who)).call(on(&self.rewards).register());
        if done.value.is_ok() {
            self.book.since[place(who)] = Some(stage.world.now());
        }
    }

    pub fn leave(&mut self, stage: &mut Stage, who: &str) {
        let done = stage.world.as_(account(who)).call(on(&self.rewards).unregister());
        if done.value.is_ok() {
            self.book.since[place(who)] = None;
        }
    }

    /// The epoch is over: what it awards is computed, certified and settled.
    pub fn end(&mut self, stage: &mut Stage, own: u128) {
        let (window, end_ms) = (self.window(), stage.world.now());
        let registered = ACCOUNTS.map(|who| {
            let entry = stage.world.read(on(&self.rewards).registration(account(who)));
            (id(who), entry.is_some_and(|entry| entry.covers(self.book.start_ms, end_ms)))
        });
        let held = |who: &Account| match self.counts_turns {
            true => Held { before: u128::MAX, now: u128::MAX },
            false => self.book.holders.get(who).map_or_else(Held::default, |h| h.held(&window)),
        };
        let activities = tally(&self.book.events, &window, held).expect("it fits").activities;
        let scores =
            scores(&activities, |who| registered.contains(&(*who, true))).expect("it fits");
        let own_ids = ACCOUNTS.map(id);
        let others = scores.iter().filter(|score| !own_ids.contains(&score.miner));
        let others: u128 = others.map(|score| score.weighted_tenths).sum();
        let state = stage.world.read(on(&self.rewards).state());
        let funded = stage.world.read(on(&self.rewards).funded());
        let pool = state.next_pool(EMISSION, funded).expect("it fits");
        let before = self.book.claims.last().expect("one of the start");
        let (award, _, claims) =
            Award::compute::<Native>(&state, end_ms, pool, &scores, &[], before).expect("an award");
        self.allow(award.pool + award.carried_in, others);
        self.settle(stage, award);
        self.book.claims.push(claims);
        self.book.start_ms = end_ms;
        self.book.least = [own, self.book.least[0]];
    }

    /// In proportion to W, which is no more than what he minted and left for the epoch, and what he
    /// redeemed of what lay there in the epoch before; and the tiers, if he is registered.
    fn allow(&mut self, total: u128, others: u128) {
        let [now, before] =
            self.book.least.map(|tokens| value_floor(tokens, self.book.nav_e18).expect("it fits"));
        let most = 11 * now + 10 * before;
        let [base, bonus, _] = pools(total).expect("it fits");
        let base = base / 1_000_000 * (most * 1_000_000 / (most + others).max(1) + 1);
        let whole = self.book.since.iter().flatten().any(|since| *since <= self.book.start_ms);
        let tiers = if whole { bonus.min(MOST_TIERS * base) } else { 0 };
        self.book.allowed += if most == 0 { 0 } else { base + tiers };
    }

    fn settle(&self, stage: &mut Stage, award: Award) {
        let contract = Account::of(&address(&self.rewards));
        let feed = Feed { kind: ReportKind::Rewards, contract };
        let latest = stage.world.read(on(&self.rewards).latest());
        let report = award.report::<Native>(0, feed, &latest, stage.world.now());
        let certificate = stage.committee.certify(&stage.validators, &report);
        let message = on(&self.rewards).settle_epoch(report, award, 0, (&certificate).into());
        let settled = stage.world.as_(account(OWNER)).call(message).succeeds();
        assert_eq!(settled.value, Settlement::Recorded);
    }

    /// Claims what the root of so many epochs ago says.
    pub fn claim(&mut self, stage: &mut Stage, who: &str, ago: usize) {
        let Some(epoch) = self.book.claims.len().checked_sub(ago + 1) else { return };
        let claims = &self.book.claims[epoch];
        let Some(place) = claims.iter().position(|claim| claim.account == id(who)) else { return };
        let tree = Tree::new::<Native>(leaves::<Native>(claims));
        let proof = tree.prove(place).expect("a leaf");
        let (cumulative, index) = (claims[place].cumulative, place as u32);
        let message = on(&self.rewards).claim(epoch as u64, cumulative, index, proof);
        let _ = stage.world.as_(account(who)).call(message);
    }

    /// What he has of TAO once all is claimed, with his bonds.
    pub fn paid(&mut self, stage: &mut Stage) -> u128 {
        let has = |who: &str, epochs: &mut Self, stage: &mut Stage| {
            epochs.claim(stage, who, 0);
            let entry = stage.world.read(on(&epochs.rewards).registration(account(who)));
            let bond = entry.map_or(0, |_| BOND);
            stage.world.read(on(&epochs.tao).balance_of(account(who))) + bond
        };
        ACCOUNTS.iter().map(|who| has(who, self, stage)).sum()
    }
}

fn id(who: &str) -> Account {
    Account::of(&account(who))
}

fn place(who: &str) -> usize {
    ACCOUNTS.iter().position(|own| *own == who).expect("one of his")
}

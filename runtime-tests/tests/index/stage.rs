//! A committee, subnet tokens, people who hold them, and the index.

use cicada_core::basket::holdings::{report, Entry, Holding, LOCKED_SUPPLY};
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::report::{Feed, FeedState, Report, ReportKind};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on, AccountId, Receipt, World};
use cicada_traits::index::{AnnouncedCharges, Index, IndexError, IndexTerms};
use cicada_traits::psp22::{Role, Roles, PSP22};
use index::index::IndexContractRef;
use token::token::TokenRef;
use validators::validators::ValidatorsContractRef;

use crate::common::{seated, Committee};

/// One index token, and one TAO at the scale of prices.
pub const ONE: u128 = 1_000_000_000_000_000_000;
/// What each of the people holds of each subnet token.
pub const FUNDS: u128 = 1_000_000_000_000_000;
/// The subnet tokens of the specification.
pub const COINS: usize = 20;
pub const PEOPLE: [&str; 3] = ["bob", "charlie", "dave"];
pub const OWNER: &str = "alice";

pub type Answer = Receipt<Result<(), IndexError>>;

pub struct Stage {
    pub world: World,
    pub validators: ValidatorsContractRef,
    pub committee: Committee,
    pub coins: Vec<TokenRef>,
    pub token: TokenRef,
    pub index: IndexContractRef,
}

impl Stage {
    /// Twenty tokens, approved by all people; no basket yet.
    pub fn bare() -> Self {
        Self::with_coins(COINS)
    }

    pub fn with_coins(coins: usize) -> Self {
        let mut world = World::new();
        let (validators, committee) = seated(&mut world);
        Self::around(world, validators, committee, coins)
    }

    /// The same with a committee that is there already.
    pub fn around(
        mut world: World,
        validators: ValidatorsContractRef,
        committee: Committee,
        coins: usize,
    ) -> Self {
        let owner = account(OWNER);
        let tao20 = TokenRef::new("TAO20".into(), "TAO20".into(), 18, 0);
        let token = world.as_(owner).deploy("token", tao20);
        let new = IndexContractRef::new(address(&validators), address(&token));
        let index = world.as_(owner).deploy("index", new);
        for role in [Role::Minter, Role::Burner] {
            let grant = on(&token).grant_role(role, address(&index));
            let _ = world.as_(owner).call(grant).succeeds();
        }
        let mut stage = Self { world, validators, committee, coins: vec![], token, index };
        for name in PEOPLE {
            stage.approve(name, None, u128::MAX);
        }
        for coin in 0..coins {
            stage.add_coin(coin);
        }
        stage
    }

    /// One more subnet token, which all people hold and approve.
    pub fn add_coin(&mut self, coin: usize) {
        let owner = account(OWNER);
        let new = TokenRef::new(format!("Subnet {coin}"), format!("S{coin}"), 9, 10 * FUNDS);
        self.coins.push(self.world.as_(owner).deploy("token", new));
        for name in PEOPLE {
            let give = on(&self.coins[coin]).transfer(account(name), FUNDS, vec![]);
            let _ = self.world.as_(owner).call(give).succeeds();
            self.approve(name, Some(coin), u128::MAX);
        }
    }

    /// With the usual basket.
    pub fn new() -> Self {
        let mut stage = Self::bare();
        stage.set_usual();
        stage
    }

    /// With 1,000 tokens, all of bob's but what is locked.
    pub fn minted() -> Self {
        let mut stage = Self::new();
        let _ = stage.mint("bob", 1_000 * ONE).succeeds();
        stage
    }

    /// What `who` lets the index take of a subnet token, or burn of the index token.
    pub fn approve(&mut self, who: &str, coin: Option<usize>, amount: u128) {
        let token = coin.map_or(&self.token, |coin| &self.coins[coin]);
        let approve = on(token).approve(address(&self.index), amount);
        let _ = self.world.as_(account(who)).call(approve).succeeds();
    }

    // ---- the basket ----

    pub fn coin(&self, coin: usize) -> AccountId {
        address(&self.coins[coin])
    }

    /// Weights 405, 415, … 595 bps; prices 0.1, 0.2, … 2 TAO.
    pub fn usual(&self) -> Vec<Entry> {
        let count = self.coins.len() as u16;
        let entry = |coin: u16| Entry {
            netuid: coin + 1,
            token: Account::of(&self.coin(coin.into())),
            weight_bps: if count == 20 { 405 + 10 * coin } else { 10_000 / count },
            price_e18: u128::from(coin + 1) * ONE / 10,
        };
        (0..count).map(entry).collect()
    }

    pub fn feed(&self, kind: ReportKind) -> Feed {
        Feed { kind, contract: Account::of(&address(&self.index)) }
    }

    pub fn basket_state(&mut self) -> FeedState {
        self.world.read(on(&self.index).feeds()).0
    }

    /// The report that makes these entries the next basket.
    pub fn basket_report(&mut self, entries: &[Entry]) -> Report {
        let state = self.basket_state();
        report::<Native>(self.feed(ReportKind::Basket), &state, entries, self.world.now())
    }

    /// Brings a report of a basket with a certificate that is right for it.
    pub fn bring_basket(
        &mut self,
        report: Report,
        entries: &[Entry],
    ) -> Receipt<Result<Settlement, IndexError>> {
        let certificate = self.committee.certify(&self.validators, &report);
        let message = on(&self.index).set_basket(report, entries.to_vec(), (&certificate).into());
        self.world.as_(account("heidi")).call(message)
    }

    pub fn set_basket(&mut self, entries: &[Entry]) -> Receipt<Result<Settlement, IndexError>> {
        let report = self.basket_report(entries);
        self.bring_basket(report, entries)
    }

    /// The usual basket once more, as of now.
    pub fn set_usual(&mut self) {
        let entries = self.usual();
        let _ = self.set_basket(&entries).succeeds();
    }

    // ---- acts ----

    pub fn set_terms(&mut self, who: &str, fee_bps: u16, minimum: u128, paused: bool) -> Answer {
        let message = on(&self.index).set_terms(fee_bps, minimum, paused);
        self.world.as_(account(who)).call(message)
    }

    /// The same by the owner, and in force.
    pub fn enforce_terms(&mut self, fee_bps: u16, minimum: u128, paused: bool) {
        let _ = self.set_terms(OWNER, fee_bps, minimum, paused).succeeds();
        if let Some(announced) = self.announced() {
            self.world.at(announced.from_ms);
        }
    }

    /// Mints without limits.
    pub fn mint(&mut self, who: &str, tokens: u128) -> Answer {
        let limits = vec![u128::MAX; self.holdings().len()];
        self.mint_within(who, tokens, 0, limits, self.world.now() + 1)
    }

    pub fn mint_within(
        &mut self,
        who: &str,
        tokens: u128,
        min_received: u128,
        max_amounts: Vec<u128>,
        deadline_ms: u64,
    ) -> Answer {
        let message = on(&self.index).mint(tokens, min_received, max_amounts, deadline_ms);
        self.world.as_(account(who)).call(message)
    }

    /// Redeems without limits.
    pub fn redeem(&mut self, who: &str, tokens: u128) -> Answer {
        let limits = vec![0; self.holdings().len()];
        self.redeem_within(who, tokens, limits, self.world.now() + 1)
    }

    pub fn redeem_within(
        &mut self,
        who: &str,
        tokens: u128,
        min_amounts: Vec<u128>,
        deadline_ms: u64,
    ) -> Answer {
        let message = on(&self.index).redeem(tokens, min_amounts, deadline_ms);
        self.world.as_(account(who)).call(message)
    }

    pub fn swap(&mut self, who: &str, give: usize, amount: u128, take: usize) -> Answer {
        let deadline = self.world.now() + 1;
        self.swap_within(who, (give, amount), (take, 0), deadline)
    }

    pub fn swap_within(
        &mut self,
        who: &str,
        give: (usize, u128),
        take: (usize, u128),
        deadline_ms: u64,
    ) -> Answer {
        let (given, taken) = (self.coin(give.0), self.coin(take.0));
        let message = on(&self.index).swap(given, give.1, taken, take.1, deadline_ms);
        self.world.as_(account(who)).call(message)
    }

    pub fn sync(&mut self, coin: usize) -> Answer {
        let message = on(&self.index).sync(self.coin(coin));
        self.world.as_(account("heidi")).call(message)
    }

    pub fn claim(&mut self, who: &str, coin: usize) -> Answer {
        let message = on(&self.index).claim_owed(self.coin(coin));
        self.world.as_(account(who)).call(message)
    }

    /// Sends a token to the index unasked.
    pub fn donate(&mut self, who: &str, coin: usize, amount: u128) {
        let give = on(&self.coins[coin]).transfer(address(&self.index), amount, vec![]);
        let _ = self.world.as_(account(who)).call(give).succeeds();
    }

    // ---- views ----

    pub fn terms(&mut self) -> IndexTerms {
        self.world.read(on(&self.index).terms())
    }

    pub fn announced(&mut self) -> Option<AnnouncedCharges> {
        self.world.read(on(&self.index).announced())
    }

    pub fn holdings(&mut self) -> Vec<Holding> {
        self.world.read(on(&self.index).holdings())
    }

    pub fn amounts(&mut self) -> Vec<u128> {
        self.holdings().iter().map(|holding| holding.amount).collect()
    }

    pub fn supply(&mut self) -> u128 {
        self.world.read(on(&self.token).total_supply())
    }

    /// Index tokens of an account.
    pub fn tokens(&mut self, who: AccountId) -> u128 {
        self.world.read(on(&self.token).balance_of(who))
    }

    pub fn balance(&mut self, who: AccountId, coin: usize) -> u128 {
        self.world.read(on(&self.coins[coin]).balance_of(who))
    }

    /// What an account holds of every subnet token.
    pub fn purse(&mut self, who: &str) -> Vec<u128> {
        (0..self.coins.len()).map(|coin| self.balance(account(who), coin)).collect()
    }

    pub fn owed(&mut self, who: &str, coin: usize) -> u128 {
        let message = on(&self.index).owed(account(who), self.coin(coin));
        self.world.read(message)
    }

    pub fn owed_total(&mut self, coin: usize) -> u128 {
        let message = on(&self.index).owed(address(&self.index), self.coin(coin));
        self.world.read(message)
    }

    /// Every unit of every token is where the books say: the index has what it holds and owes, and
    /// `unasked` more of each; what is locked belongs to nobody.
    #[track_caller]
    pub fn check_books(&mut self, unasked: u128) {
        let index = address(&self.index);
        let holdings = self.holdings();
        for coin in 0..self.coins.len() {
            let token = Account::of(&self.coin(coin));
            let held = holdings.iter().find(|holding| holding.token == token);
            let held = held.map_or(0, |holding| holding.amount);
            let apart = self.world.read(on(&self.index).written_off(self.coin(coin)));
            let held = held + apart;
            let owed: u128 = PEOPLE.iter().map(|who| self.owed(who, coin)).sum();
            assert_eq!(self.owed_total(coin), owed, "what is owed of coin {coin}");
            assert_eq!(self.balance(index, coin), held + owed + unasked, "coin {coin}");
            let people = PEOPLE.map(|who| self.balance(account(who), coin));
            let rest = self.balance(account(OWNER), coin);
            assert_eq!(people.iter().sum::<u128>() + rest + held + owed + unasked, 10 * FUNDS);
        }
        let people: u128 = PEOPLE.iter().map(|who| self.tokens(account(who))).sum();
        let locked = self.tokens(index);
        assert_eq!(self.supply(), people + locked);
        assert_eq!(locked, if self.supply() == 0 { 0 } else { LOCKED_SUPPLY });
    }
}

/// What one has that another has not.
pub fn less(more: &[u128], less: &[u128]) -> Vec<u128> {
    more.iter().zip(less).map(|(more, less)| more - less).collect()
}

/// `⌈a · b / c⌉` and `⌊a · b / c⌋`, plainly.
pub fn ceil(a: u128, b: u128, c: u128) -> u128 {
    (a * b).div_ceil(c)
}

pub fn floor(a: u128, b: u128, c: u128) -> u128 {
    a * b / c
}

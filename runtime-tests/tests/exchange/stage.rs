//! A committee, its leaderboard, MMC, people who hold it, and the exchange.

use cicada_core::hash::Digest;
use cicada_core::Account;
use std::sync::OnceLock;

use cicada_core::exchange::terms::{NOTICE_MS, RESUME_MS};
use cicada_core::exchange::{Level, Limits, MakerTerms, Market, Order, Side, Trade};
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Standing};
use cicada_core::quote::{Framework, Quote};
use cicada_core::report::{Feed, ReportKind};
use cicada_runtime_tests::{
    account, address, at, on, AccountId, Message, Receipt, Snapshot, World,
};
use cicada_traits::exchange::{Exchange, ExchangeError, Placed};
use cicada_traits::leaderboard::Leaderboard;
use cicada_traits::psp22::PSP22;
use exchange::exchange::ExchangeContractRef;
use leaderboard::leaderboard::LeaderboardContractRef;
use token::token::TokenRef;
use validators::validators::ValidatorsContractRef;

use crate::common::{seated, Committee};

/// Base units of one MMC.
pub const MMC: u128 = 1_000_000;
/// What everybody holds: a billion MMC.
pub const HELD: u128 = 1_000_000_000 * MMC;
/// Who owns the exchange, and is the market maker.
pub const OWNER: &str = "alice";
pub const PEOPLE: [&str; 4] = ["alice", "bob", "charlie", "dave"];
/// The age from which on a quote is stale.
pub const MAX_AGE_MS: u64 = 3_600_000;
/// The widest: most tests are about something else.
pub const LIMITS: Limits =
    Limits { max_outstanding: 4_000_000, hourly_bps: 1_000, account_bps: 10_000 };
/// Those of a deployment, but for the number of tokens: that is for a larger reserve.
pub const GUARDED: Limits = Limits { max_outstanding: 4_000_000, ..Limits::DEFAULT };
pub const TERMS: MakerTerms = MakerTerms { max_quote_age_ms: MAX_AGE_MS, limits: LIMITS };
/// The reserve of most tests: a hundred million MMC.
pub const RESERVE: u128 = 100_000_000 * MMC;
/// After so long, what the market maker traded counts no more: an hour and a slot.
pub const FORGOTTEN_MS: u64 = 4_200_000;
/// The framework of most tests, with the bid and the ask of its 50,000 points.
pub const CLAUDE: &str = "claude";
pub const BID: u128 = 49_500_000;
pub const ASK: u128 = 50_500_000;

pub type Answer<T> = Receipt<Result<T, ExchangeError>>;

pub struct Stage {
    pub world: World,
    pub validators: ValidatorsContractRef,
    pub committee: Committee,
    pub board: LeaderboardContractRef,
    pub mmc: TokenRef,
    pub exchange: ExchangeContractRef,
}

pub fn framework(name: &str) -> Framework {
    Framework::new(name).expect("a valid name")
}

/// The stage without a leaderboard is the same for all tests, and takes longest to set up.
struct Set {
    state: Snapshot,
    contracts: [AccountId; 4],
}

fn set() -> &'static Set {
    static SET: OnceLock<Set> = OnceLock::new();
    SET.get_or_init(|| {
        let mut world = World::new();
        let (validators, _) = seated(&mut world);
        let board = LeaderboardContractRef::new(address(&validators));
        let board = world.as_(account(OWNER)).deploy("leaderboard", board);
        let supply = HELD * PEOPLE.len() as u128;
        let mmc = TokenRef::new("Metameme Coin".into(), "MMC".into(), 6, supply);
        let mmc = world.as_(account(OWNER)).deploy("token", mmc);
        let code = world.as_(account(OWNER)).upload("token");
        let new = ExchangeContractRef::new(address(&mmc), address(&board), code, TERMS);
        let exchange = world.as_(account(OWNER)).deploy("exchange", new).expect("valid terms");
        for name in PEOPLE {
            if name != OWNER {
                let gift = on(&mmc).transfer(account(name), HELD, vec![]);
                let _ = world.as_(account(OWNER)).call(gift).succeeds();
            }
            let approval = on(&mmc).approve(address(&exchange), u128::MAX);
            let _ = world.as_(account(name)).call(approval).succeeds();
        }
        let contracts = [address(&validators), address(&board), address(&mmc), address(&exchange)];
        Set { state: world.snapshot(), contracts }
    })
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// No leaderboard, no market.
    pub fn bare() -> Self {
        let mut world = World::new();
        let Set { state, contracts: [validators, board, mmc, exchange] } = set();
        world.restore(state);
        Self {
            world,
            validators: at(*validators),
            committee: Committee::named("node", 1),
            board: at(*board),
            mmc: at(*mmc),
            exchange: at(*exchange),
        }
    }

    /// The market of one framework with this score, without a reserve.
    pub fn with_score(score: u64) -> Self {
        let mut stage = Self::bare();
        stage.rank(&[(CLAUDE, score)]);
        stage.open(CLAUDE);
        stage
    }

    /// The same with the reserve of most tests.
    pub fn at(score: u64) -> Self {
        let mut stage = Self::with_score(score);
        let _ = stage.deposit(OWNER, RESERVE).succeeds();
        stage
    }

    /// The market of 50,000 points with the reserve of most tests.
    pub fn new() -> Self {
        Self::at(50_000)
    }

    /// The same with the limits of a deployment.
    pub fn guarded() -> Self {
        let mut stage = Self::new();
        stage.limit(GUARDED);
        stage
    }

    // ---- the leaderboard ----

    /// Settles a leaderboard of now.
    pub fn rank(&mut self, scores: &[(&str, u64)]) {
        let now = self.world.now();
        self.rank_at(now, scores);
    }

    /// Settles a leaderboard with this time.
    pub fn rank_at(&mut self, time_ms: u64, scores: &[(&str, u64)]) {
        let standings = scores
            .iter()
            .map(|(name, score)| Standing {
                framework: framework(name),
                score: *score,
                volume_24h: 0,
            })
            .collect();
        let board = Board { standings, shards: Digest([71; 32]) };
        let contract = Account::of(&address(&self.board));
        let feed = Feed { kind: ReportKind::Leaderboard, contract };
        let latest = self.world.read(on(&self.board).latest());
        let report = report::<Native>(feed, &latest, &board, time_ms);
        let certificate = self.committee.certify(&self.validators, &report);
        let message = on(&self.board).submit(report, board, certificate);
        let _ = self.call("heidi", message).succeeds();
    }

    /// The next block, with a new score of the one framework.
    pub fn score(&mut self, score: u64) {
        self.world.next_block();
        self.rank(&[(CLAUDE, score)]);
    }

    // ---- markets ----

    /// Lists a framework; everybody lets the exchange take its tokens.
    pub fn open(&mut self, name: &str) -> AccountId {
        let token = self.list("bob", name).succeeds().value;
        for name in PEOPLE {
            let approval = on(&at::<TokenRef>(token)).approve(address(&self.exchange), u128::MAX);
            let _ = self.call(name, approval).succeeds();
        }
        token
    }

    pub fn list(&mut self, who: &str, name: &str) -> Answer<AccountId> {
        let message = on(&self.exchange).list(framework(name));
        self.call(who, message)
    }

    pub fn market(&mut self) -> Market {
        self.market_of(CLAUDE)
    }

    pub fn market_of(&mut self, name: &str) -> Market {
        self.world.read(on(&self.exchange).market(framework(name))).expect("a market")
    }

    pub fn quote(&mut self) -> Result<Quote, ExchangeError> {
        self.world.read(on(&self.exchange).quote(framework(CLAUDE)))
    }

    // ---- messages about the one framework, by default in time ----

    pub fn call<M: Message>(&mut self, name: &str, message: M) -> Receipt<M::Output> {
        self.world.as_(account(name)).call(message)
    }

    /// A deadline that is not reached.
    pub fn soon(&self) -> u64 {
        self.world.now() + 1
    }

    pub fn buy(&mut self, who: &str, amount: u128) -> Answer<Trade> {
        self.buy_for(who, amount, u128::MAX)
    }

    pub fn buy_for(&mut self, who: &str, amount: u128, max_cost: u128) -> Answer<Trade> {
        let message = on(&self.exchange).buy(framework(CLAUDE), amount, max_cost, self.soon());
        self.call(who, message)
    }

    pub fn sell(&mut self, who: &str, amount: u128) -> Answer<Trade> {
        self.sell_for(who, amount, 0)
    }

    pub fn sell_for(&mut self, who: &str, amount: u128, min_proceeds: u128) -> Answer<Trade> {
        let message = on(&self.exchange).sell(framework(CLAUDE), amount, min_proceeds, self.soon());
        self.call(who, message)
    }

    pub fn place(&mut self, who: &str, side: Side, price: u128, amount: u128) -> Answer<Placed> {
        let message = on(&self.exchange).place(framework(CLAUDE), side, price, amount, self.soon());
        self.call(who, message)
    }

    /// Places an order of which nothing is traded at once; its number.
    #[track_caller]
    pub fn rest(&mut self, who: &str, side: Side, price: u128, amount: u128) -> u64 {
        let placed = self.place(who, side, price, amount).succeeds().value;
        assert_eq!(placed.trade, Trade::default(), "traded at once");
        placed.order.expect("it rests")
    }

    pub fn cancel(&mut self, who: &str, order: u64) -> Answer<u128> {
        let message = on(&self.exchange).cancel(order);
        self.call(who, message)
    }

    pub fn fill_order(&mut self, who: &str, order: u64) -> Answer<u128> {
        let message = on(&self.exchange).fill_order(order);
        self.call(who, message)
    }

    /// How many tokens the market maker trades now with somebody.
    pub fn room(&mut self, who: &str, side: Side) -> u128 {
        let message = on(&self.exchange).room(framework(CLAUDE), side, account(who));
        self.world.read(message).expect("a fresh quote")
    }

    pub fn deposit(&mut self, who: &str, amount: u128) -> Answer<()> {
        let message = on(&self.exchange).deposit(framework(CLAUDE), amount);
        self.call(who, message)
    }

    pub fn withdraw(&mut self, who: &str, amount: u128) -> Answer<()> {
        let message = on(&self.exchange).withdraw(framework(CLAUDE), amount);
        self.call(who, message)
    }

    /// Trades with the market maker until it takes no more from somebody, or he has nothing left.
    pub fn exhaust(&mut self, who: &str, side: Side) {
        loop {
            let room = self.room(who, side);
            let traded = match side {
                Side::Buy => self.buy(who, room),
                Side::Sell => {
                    let held = self.tokens(who);
                    self.sell(who, room.min(held))
                }
            };
            match traded.value {
                Ok(_) => {}
                Err(error) => return assert_eq!(error, ExchangeError::ZeroAmount),
            }
        }
    }

    pub fn announce(&mut self, who: &str, amount: u128) -> Answer<u64> {
        let message = on(&self.exchange).announce_withdrawal(framework(CLAUDE), amount);
        self.call(who, message)
    }

    /// Announces a withdrawal, and a day later takes it, at a new quote of the same score.
    pub fn take_out(&mut self, amount: u128) -> Answer<()> {
        let _ = self.announce(OWNER, amount).succeeds();
        self.wait(NOTICE_MS);
        self.withdraw(OWNER, amount)
    }

    pub fn set_terms(&mut self, who: &str, terms: MakerTerms) -> Answer<u64> {
        let message = on(&self.exchange).set_terms(terms);
        self.call(who, message)
    }

    /// Announces limits and waits until they act, at a new quote of the same score.
    pub fn limit(&mut self, limits: Limits) {
        let _ = self.set_terms(OWNER, MakerTerms { limits, ..TERMS }).succeeds();
        self.wait(NOTICE_MS);
    }

    /// Waits; then there is a new quote of the same score.
    pub fn wait(&mut self, ms: u64) {
        let score = self.world.read(on(&self.board).ranking())[0].score;
        self.world.advance(ms);
        self.rank(&[(CLAUDE, score)]);
    }

    pub fn set_paused(&mut self, who: &str, paused: bool) -> Answer<()> {
        let message = on(&self.exchange).set_paused(paused);
        self.call(who, message)
    }

    /// Announces the end of a pause and waits for it; then there is a new quote of the same score.
    pub fn resume(&mut self) {
        let _ = self.set_paused(OWNER, false).succeeds();
        self.wait(RESUME_MS);
    }

    /// Gives a contract the code of another, which does not know its messages.
    pub fn replace_code(&mut self, contract: AccountId, bundle: &str) {
        let code = self.world.as_(account(OWNER)).upload(bundle);
        self.world.set_code(contract, code);
    }

    // ---- what is where ----

    /// MMC and tokens of an account.
    pub fn holdings(&mut self, owner: AccountId) -> (u128, u128) {
        let token = at::<TokenRef>(self.market().token.0.into());
        let money = self.world.read(on(&self.mmc).balance_of(owner));
        (money, self.world.read(on(&token).balance_of(owner)))
    }

    pub fn held(&mut self, who: &str) -> (u128, u128) {
        self.holdings(account(who))
    }

    pub fn tokens(&mut self, who: &str) -> u128 {
        self.held(who).1
    }

    /// What somebody paid in all, in base units of MMC; less than 0 if he won.
    pub fn spent(&mut self, who: &str) -> i128 {
        HELD as i128 - self.held(who).0 as i128
    }

    pub fn order(&mut self, order: u64) -> Option<Order> {
        self.world.read(on(&self.exchange).order(order))
    }

    pub fn depth(&mut self, side: Side) -> Vec<Level> {
        self.world.read(on(&self.exchange).depth(framework(CLAUDE), side, 50))
    }

    pub fn volume(&mut self) -> u128 {
        self.world.read(on(&self.exchange).volume_24h(framework(CLAUDE)))
    }

    /// What the exchange holds is the reserve and what lies in resting orders, to the unit; the
    /// book is not crossed; no token exists that the market does not know.
    #[track_caller]
    pub fn check(&mut self) {
        let (bids, asks) = (self.depth(Side::Buy), self.depth(Side::Sell));
        assert!(bids.len() < 50 && asks.len() < 50, "too many levels to check");
        if let (Some(bid), Some(ask)) = (bids.first(), asks.first()) {
            assert!(bid.price < ask.price, "crossed: {bid:?} {ask:?}");
        }
        let market = self.market();
        let locked: u128 = bids.iter().map(|level| level.price * level.amount).sum();
        let offered: u128 = asks.iter().map(|level| level.amount).sum();
        let exchange = address(&self.exchange);
        assert_eq!(self.holdings(exchange), (market.reserve + locked, offered));
        let token = at::<TokenRef>(market.token.0.into());
        assert_eq!(self.world.read(on(&token).total_supply()), market.outstanding);
    }
}

//! People, two tokens and the pool.

use cicada_core::pair::{Deposit, Pool, PriceSum};
use cicada_runtime_tests::{account, address, on, AccountId, Message, Receipt, World};
use cicada_traits::pair::{Pair, PairError};
use cicada_traits::psp22::PSP22;
use pair::pair::PairContractRef;
use token::token::TokenRef;

/// What each person holds of both tokens.
pub const HELD: u128 = 1_000_000_000_000;
pub const FEE_BPS: u16 = 30;
/// Who deposits first, who trades, who has no part.
pub const PROVIDER: &str = "alice";
pub const TRADER: &str = "bob";
pub const STRANGER: &str = "charlie";
pub const PEOPLE: [&str; 3] = [PROVIDER, TRADER, STRANGER];
/// The reserves of [`Stage::filled`], and the shares in them.
pub const POOL: Pool = Pool { a: 1_000_000, b: 4_000_000, shares: 2_000_000 };

pub type Answer<T> = Receipt<Result<T, PairError>>;

/// Everybody holds both tokens and allows the pool to take them.
pub struct Stage {
    pub world: World,
    pub index: TokenRef,
    pub tao: TokenRef,
    pub pair: PairContractRef,
}

impl Stage {
    /// An empty pool.
    pub fn new() -> Self {
        Self::with(FEE_BPS, HELD)
    }

    /// A pool with [`POOL`] in it.
    pub fn filled() -> Self {
        Self::filled_with(FEE_BPS)
    }

    pub fn filled_with(fee_bps: u16) -> Self {
        let mut stage = Self::with(fee_bps, HELD);
        let _ = stage.add(PROVIDER, POOL.a, POOL.b).succeeds();
        assert_eq!(stage.pool(), POOL);
        stage
    }

    pub fn with(fee_bps: u16, held: u128) -> Self {
        let mut world = World::new();
        let coin = |world: &mut World, name: &str, decimals| {
            let constructor = TokenRef::new(name.into(), name.into(), decimals, held * 3);
            world.as_(account(PROVIDER)).deploy("token", constructor)
        };
        let (index, tao) = (coin(&mut world, "TAO20", 18), coin(&mut world, "TAO", 9));
        let constructor = PairContractRef::new(address(&index), address(&tao), fee_bps);
        let pair = world.as_(account(STRANGER)).deploy("pair", constructor).expect("a pool");
        let mut stage = Self { world, index, tao, pair };
        for name in PEOPLE {
            for token in [&stage.index, &stage.tao] {
                if name != PROVIDER {
                    let gift = on(token).transfer(account(name), held, vec![]);
                    let _ = stage.world.as_(account(PROVIDER)).call(gift).succeeds();
                }
                let approval = on(token).approve(address(&stage.pair), u128::MAX);
                let _ = stage.world.as_(account(name)).call(approval).succeeds();
            }
        }
        stage
    }

    pub fn call<M: Message>(&mut self, name: &str, message: M) -> Receipt<M::Output> {
        self.world.as_(account(name)).call(message)
    }

    pub fn a(&self) -> AccountId {
        address(&self.index)
    }

    pub fn b(&self) -> AccountId {
        address(&self.tao)
    }

    /// A deadline that is not reached.
    pub fn soon(&self) -> u64 {
        self.world.now() + 1
    }

    pub fn add(&mut self, name: &str, max_a: u128, max_b: u128) -> Answer<Deposit> {
        let message = on(&self.pair).add_liquidity(max_a, max_b, 0, self.soon());
        self.call(name, message)
    }

    pub fn remove(&mut self, name: &str, shares: u128) -> Answer<(u128, u128)> {
        let message = on(&self.pair).remove_liquidity(shares, 0, 0, self.soon());
        self.call(name, message)
    }

    /// Sells an exact amount, at whatever price.
    pub fn sell(&mut self, name: &str, token: AccountId, amount: u128) -> Answer<u128> {
        let message = on(&self.pair).swap_exact_in(token, amount, 0, self.soon());
        self.call(name, message)
    }

    /// Buys an exact amount, at whatever price.
    pub fn buy(&mut self, name: &str, token_in: AccountId, amount: u128) -> Answer<u128> {
        let message = on(&self.pair).swap_exact_out(token_in, u128::MAX, amount, self.soon());
        self.call(name, message)
    }

    pub fn pool(&mut self) -> Pool {
        self.world.read(on(&self.pair).reserves())
    }

    pub fn prices(&mut self) -> PriceSum {
        self.world.read(on(&self.pair).cumulative_price())
    }

    /// What an account holds of the first and the second token and of the shares.
    pub fn holdings(&mut self, owner: AccountId) -> (u128, u128, u128) {
        let index = self.world.read(on(&self.index).balance_of(owner));
        let tao = self.world.read(on(&self.tao).balance_of(owner));
        (index, tao, self.world.read(on(&self.pair).balance_of(owner)))
    }

    /// What the pool's contract holds.
    pub fn held(&mut self) -> (u128, u128, u128) {
        self.holdings(address(&self.pair))
    }

    /// Sends tokens to the pool's contract, which did not ask for them.
    pub fn donate(&mut self, name: &str, a: u128, b: u128) {
        let pool = address(&self.pair);
        let gift = on(&self.index).transfer(pool, a, vec![]);
        let _ = self.call(name, gift).succeeds();
        let gift = on(&self.tao).transfer(pool, b, vec![]);
        let _ = self.call(name, gift).succeeds();
    }

    /// Makes a token refuse everything: its contract gets the code of one that is no token.
    pub fn freeze(&mut self, token: AccountId) {
        let code = self.world.as_(account(PROVIDER)).upload("leaderboard");
        self.world.set_code(token, code);
    }
}

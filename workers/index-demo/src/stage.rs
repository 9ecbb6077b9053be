//! The contracts as typed calls.

use anyhow::{Context, Result};
use cicada_chain::{account_of, Chain, Signer};
use cicada_contracts::{index, pair, token, Message};
use cicada_core::basket::holdings::Holding;
use cicada_core::nav::{nav_e18_floor, value_floor, Position, Record};
use cicada_core::pair::{price_e18_floor, Pool};
use cicada_core::report::{Feed as ReportFeed, FeedState, ReportKind};
use cicada_core::Account;
use cicada_deploy::Steps;
use cicada_network::IndexContracts;
use cicada_program::now_ms;
use parity_scale_codec::Decode;
use std::collections::BTreeMap;
use std::time::Duration;

/// Price of each subnet's token, at scale 10¹⁸.
pub type Prices = BTreeMap<u16, u128>;

/// How long a transaction may wait.
const DEADLINE_MS: u64 = 600_000;
/// The oldest block whose clock is good enough for a new report.
const FRESH: Duration = Duration::from_secs(5);

/// What is behind the index, and at what price it is traded.
#[derive(Clone, Debug)]
pub struct Market {
    /// The basket.
    pub holdings: Vec<Holding>,
    /// Index tokens.
    pub supply: u128,
    /// The pool of index tokens and TAO.
    pub pool: Pool,
}

impl Market {
    fn positions(&self, prices: &Prices) -> Result<Vec<Position>> {
        let position = |held: &Holding| {
            let price = prices.get(&held.netuid).context("a subnet without a price")?;
            Ok(Position { holding: held.amount, price_e18: *price })
        };
        self.holdings.iter().map(position).collect()
    }

    /// The exact NAV at these prices.
    ///
    /// # Errors
    /// In words.
    pub fn nav_e18(&self, prices: &Prices) -> Result<u128> {
        nav_e18_floor(&self.positions(prices)?, self.supply)
            .map_err(|error| anyhow::anyhow!("the NAV: {error:?}"))
    }

    /// The value of the basket in units of TAO, rounded down.
    ///
    /// # Errors
    /// In words.
    pub fn value(&self, prices: &Prices) -> Result<u128> {
        value_floor(&self.positions(prices)?).map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// The market price of an index token.
    ///
    /// # Errors
    /// In words.
    pub fn price_e18(&self) -> Result<u128> {
        price_e18_floor(self.pool.b, self.pool.a).map_err(|error| anyhow::anyhow!("{error:?}"))
    }
}

/// Chain and contracts.
pub struct Stage {
    /// The chain.
    pub chain: Chain,
    /// Where they are.
    pub at: IndexContracts,
    /// Who deployed, and has the first tokens.
    pub owner: Signer,
}

impl Stage {
    /// Basket, supply and pool.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn market(&self) -> Result<Market> {
        let (at, chain) = (&self.at, &self.chain);
        Ok(Market {
            holdings: chain.read(&at.index, &index::holdings()).await?,
            supply: chain.read(&at.index_token, &token::total_supply()).await?,
            pool: chain.read(&at.pair, &pair::reserves()).await?,
        })
    }

    /// The same at a block, without the pool.
    pub async fn backed_at(&self, block: u64) -> Result<Market> {
        let (at, chain) = (&self.at, &self.chain);
        Ok(Market {
            holdings: chain.read_at(block, &at.index, &index::holdings()).await?,
            supply: chain.read_at(block, &at.index_token, &token::total_supply()).await?,
            pool: Pool::default(),
        })
    }

    /// The balance of an account.
    pub async fn balance(&self, token: &Account, of: &Account) -> Result<u128> {
        Ok(self.chain.read(token, &token::balance_of(of)).await?)
    }

    /// The newest states of the feeds of basket and NAV.
    pub async fn feeds(&self) -> Result<(FeedState, FeedState)> {
        Ok(self.chain.read(&self.at.index, &index::feeds()).await?)
    }

    /// A settled NAV.
    pub async fn nav(&self, slot: u64) -> Result<Option<Record>> {
        Ok(self.chain.read(&self.at.index, &index::nav(slot)).await?)
    }

    /// The feed of the NAV.
    pub fn nav_feed(&self) -> ReportFeed {
        ReportFeed { kind: ReportKind::Nav, contract: self.at.index }
    }

    /// The feed of the awards.
    pub fn rewards_feed(&self) -> ReportFeed {
        ReportFeed { kind: ReportKind::Rewards, contract: self.at.rewards }
    }

    /// A view of the contract of validators.
    pub async fn of_validators<T: Decode, E>(&self, view: &Message<T, E>) -> Result<T> {
        Ok(self.chain.read(&self.at.validators, view).await?)
    }

    /// A view of the contract of rewards.
    pub async fn of_rewards<T: Decode, E>(&self, view: &Message<T, E>) -> Result<T> {
        Ok(self.chain.read(&self.at.rewards, view).await?)
    }

    /// Makes a block if the chain has stood still.
    pub async fn freshen(&self) -> Result<()> {
        self.chain.freshen(&self.owner, FRESH).await?;
        Ok(())
    }

    /// Mints index tokens for no more than these amounts.
    pub async fn mint(&self, tokens: u128, most: &[u128], who: &Signer) -> Result<()> {
        let mint = index::mint(tokens, 1, most, now_ms() + DEADLINE_MS);
        self.chain.call(&self.at.index, &mint, who).await.context("minting")?;
        Ok(())
    }

    /// Trades in the pool.
    pub async fn swap(
        &self,
        token_in: &Account,
        amount: u128,
        least: u128,
        who: &Signer,
    ) -> Result<()> {
        let swap = pair::swap_exact_in(token_in, amount, least, now_ms() + DEADLINE_MS);
        self.chain.call(&self.at.pair, &swap, who).await.context("trading")?;
        Ok(())
    }

    /// Puts liquidity into the pool.
    pub async fn add_liquidity(&self, index_tokens: u128, tao: u128) -> Result<()> {
        let add = pair::add_liquidity(index_tokens, tao, 1, now_ms() + DEADLINE_MS);
        self.chain.call(&self.at.pair, &add, &self.owner).await?;
        Ok(())
    }

    /// Lets index and pool take an account's tokens.
    pub async fn approve(&self, who: &Signer) -> Result<()> {
        let at = &self.at;
        let mut steps = Steps::new(&self.chain, who);
        let mut approve = |of: &Account, spender: &Account| {
            steps.add(of, token::approve(spender, u128::MAX));
        };
        for subnet in &at.subnets {
            approve(&subnet.token, &at.index);
        }
        approve(&at.tao, &at.pair);
        approve(&at.index_token, &at.pair);
        approve(&at.index_token, &at.index);
        // One account has one allowance for each spender, so the order does not matter.
        steps.call().await.context("approving")
    }

    /// Gives a miner TAO, and this much of each subnet token.
    pub async fn equip(&self, who: &Signer, tao: u128, subnets: &[(Account, u128)]) -> Result<()> {
        let to = account_of(who);
        let mut steps = Steps::new(&self.chain, &self.owner);
        for (subnet, amount) in subnets {
            steps.add(subnet, token::transfer(&to, *amount, &[]));
        }
        steps.add(&self.at.tao, token::transfer(&to, tao, &[]));
        steps.call().await.context("equipping a miner")
    }
}

//! The contracts as typed calls.

use anyhow::{Context, Result};
use cicada_chain::{account_of, Bundle, CallOutcome, Chain, Signer};
use cicada_core::basket::holdings::Holding;
use cicada_core::committee::AttestationKey;
use cicada_core::hash::Hash;
use cicada_core::nav::{nav_e18_floor, value_floor, Position, Record};
use cicada_core::pair::{price_e18_floor, Pool};
use cicada_core::report::{Feed as ReportFeed, FeedState, ReportKind};
use cicada_core::slashing::Standing;
use cicada_core::Account;
use cicada_deploy::index::{call_all, Bundles, Step};
use cicada_deploy::IndexFile;
use cicada_program::now_ms;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use std::collections::BTreeMap;
use std::time::Duration;

/// Price of each subnet's token, at scale 10¹⁸.
pub type Prices = BTreeMap<u16, u128>;

/// How long a transaction may wait.
const DEADLINE_MS: u64 = 600_000;
/// The oldest block whose clock is good enough for a new report.
const FRESH: Duration = Duration::from_secs(5);

/// The stake of an operator, as the contract tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Decode)]
pub struct Stake {
    /// What counts.
    pub bonded: u128,
    /// What is being taken out.
    pub unbonding: u128,
    /// From when on.
    pub releases_ms: u64,
    /// Whether he may serve.
    pub standing: Standing,
    /// Whether he has asked to be replaced.
    pub is_resigned: bool,
}

/// The committee, as the contract tells it.
#[derive(Clone, Debug, Decode)]
pub struct Electorate {
    /// The epoch in office.
    pub epoch: u32,
    /// What signatures bind.
    pub _config_digest: Hash,
    /// Attestation keys in seat order.
    pub _keys: Vec<AttestationKey>,
    /// Stake in seat order; 0 for who has no voice.
    pub stakes: Vec<u128>,
}

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
    /// The built contracts.
    pub bundles: Bundles,
    /// Where they are.
    pub at: IndexFile,
    /// Who deployed, and has the first tokens.
    pub owner: Signer,
}

impl Stage {
    async fn read<T: Decode>(
        &self,
        account: &Account,
        bundle: &Bundle,
        message: &str,
        args: &impl Encode,
    ) -> Result<T> {
        Ok(self.chain.read(account, bundle, message, &args.encode()).await?)
    }

    /// Basket, supply and pool.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn market(&self) -> Result<Market> {
        let (at, with) = (&self.at, &self.bundles);
        Ok(Market {
            holdings: self.read(&at.index, &with.index, "Index::holdings", &()).await?,
            supply: self.read(&at.index_token, &with.token, "PSP22::total_supply", &()).await?,
            pool: self.read(&at.pair, &with.pair, "Pair::reserves", &()).await?,
        })
    }

    /// The same at a block, without the pool.
    pub async fn backed_at(&self, block: u64) -> Result<Market> {
        let (at, with, chain) = (&self.at, &self.bundles, &self.chain);
        let (held, supply) = ("Index::holdings", "PSP22::total_supply");
        Ok(Market {
            holdings: chain.read_at(block, &at.index, &with.index, held, &[]).await?,
            supply: chain.read_at(block, &at.index_token, &with.token, supply, &[]).await?,
            pool: Pool::default(),
        })
    }

    /// The balance of an account.
    pub async fn balance(&self, token: &Account, of: &Account) -> Result<u128> {
        self.read(token, &self.bundles.token, "PSP22::balance_of", of).await
    }

    /// The newest states of the feeds of basket and NAV.
    pub async fn feeds(&self) -> Result<(FeedState, FeedState)> {
        self.read(&self.at.index, &self.bundles.index, "Index::feeds", &()).await
    }

    /// A settled NAV.
    pub async fn nav(&self, slot: u64) -> Result<Option<Record>> {
        self.read(&self.at.index, &self.bundles.index, "Index::nav", &slot).await
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
    pub async fn of_validators<T: Decode>(&self, message: &str, args: &impl Encode) -> Result<T> {
        self.read(&self.at.validators, &self.bundles.validators, message, args).await
    }

    /// A view of the pool.
    pub async fn of_pair<T: Decode>(&self, message: &str) -> Result<T> {
        self.read(&self.at.pair, &self.bundles.pair, message, &()).await
    }

    /// Calls the contract of validators.
    pub async fn judge(&self, message: &str, args: &[u8]) -> Result<CallOutcome> {
        let (at, bundle) = (&self.at.validators, &self.bundles.validators);
        Ok(self.chain.call(at, bundle, message, args, &self.owner).await?)
    }

    /// A view of the contract of rewards.
    pub async fn of_rewards<T: Decode>(&self, message: &str, args: &impl Encode) -> Result<T> {
        self.read(&self.at.rewards, &self.bundles.rewards, message, args).await
    }

    /// Makes a block if the chain has stood still.
    pub async fn freshen(&self) -> Result<()> {
        self.chain.freshen(&self.owner, FRESH).await?;
        Ok(())
    }

    /// Calls that do not depend on each other.
    pub async fn all(&self, steps: Vec<Step<'_>>, signer: &Signer) -> Result<()> {
        call_all(&self.chain, steps, signer).await
    }

    /// Calls the index.
    pub async fn index(&self, message: &str, args: &[u8], who: &Signer) -> Result<CallOutcome> {
        let (at, bundle) = (&self.at.index, &self.bundles.index);
        Ok(self.chain.call(at, bundle, message, args, who).await?)
    }

    /// Mints index tokens for no more than these amounts.
    pub async fn mint(&self, tokens: u128, most: Vec<u128>, who: &Signer) -> Result<()> {
        let args = (tokens, 1u128, most, now_ms() + DEADLINE_MS).encode();
        self.index("Index::mint", &args, who).await.context("minting").map(drop)
    }

    /// Trades in the pool; what came out.
    pub async fn swap(
        &self,
        token_in: Account,
        amount: u128,
        least: u128,
        who: &Signer,
    ) -> Result<u128> {
        let args = (token_in, amount, least, now_ms() + DEADLINE_MS).encode();
        let (at, bundle) = (&self.at.pair, &self.bundles.pair);
        let outcome = self.chain.call(at, bundle, "Pair::swap_exact_in", &args, who).await;
        Ok(u128::decode_all(&mut &outcome.context("trading")?.returned[..])?)
    }

    /// Puts liquidity into the pool.
    pub async fn add_liquidity(&self, index_tokens: u128, tao: u128) -> Result<()> {
        let args = (index_tokens, tao, 1u128, now_ms() + DEADLINE_MS).encode();
        let (at, bundle) = (&self.at.pair, &self.bundles.pair);
        self.chain.call(at, bundle, "Pair::add_liquidity", &args, &self.owner).await?;
        Ok(())
    }

    /// Lets index and pool take an account's tokens.
    pub async fn approve(&self, who: &Signer) -> Result<()> {
        let (at, token) = (&self.at, &self.bundles.token);
        let approve = |of: Account, spender: Account| -> Step<'_> {
            (of, token, "PSP22::approve", (spender, u128::MAX).encode())
        };
        let mut steps: Vec<Step> =
            at.subnets.iter().map(|subnet| approve(subnet.token, at.index)).collect();
        steps.push(approve(at.tao, at.pair));
        steps.push(approve(at.index_token, at.pair));
        steps.push(approve(at.index_token, at.index));
        // One account has one allowance for each spender, so the order does not matter.
        self.all(steps, who).await.context("approving")
    }

    /// Gives a miner TAO, and this much of each subnet token.
    pub async fn equip(&self, who: &Signer, tao: u128, subnets: &[(Account, u128)]) -> Result<()> {
        let (token, to) = (&self.bundles.token, account_of(who));
        let transfer = |of: Account, amount: u128| -> Step<'_> {
            let nothing: Vec<u8> = Vec::new();
            (of, token, "PSP22::transfer", (to, amount, nothing).encode())
        };
        let mut steps: Vec<Step> =
            subnets.iter().map(|(subnet, amount)| transfer(*subnet, *amount)).collect();
        steps.push(transfer(self.at.tao, tao));
        self.all(steps, &self.owner).await.context("equipping a miner")
    }
}

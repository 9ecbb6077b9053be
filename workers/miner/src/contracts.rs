//! Index, pool and tokens as typed calls.

use crate::config::Config;
use crate::plan::Trade;
use crate::seen::{Index, Purse, Seen};
use anyhow::{ensure, Result};
use cicada_chain::{account_of, Bundle, Call, CallOutcome, Chain, DryRun, Receipt, Signer};
use cicada_core::basket::holdings::Holding;
use cicada_core::hash::{Hasher, Native};
use cicada_core::nav::Record;
use cicada_core::pair::Pool;
use cicada_core::Account;
use futures::future::try_join_all;
use parity_scale_codec::{Decode, Encode};

/// What the index says of itself.
#[derive(Decode)]
struct IndexTerms {
    _validators: Account,
    token: Account,
    fee_bps: u16,
    minimum: u128,
    minting_paused: bool,
}

/// A token and who may take of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The token's contract.
    pub token: Account,
    /// The contract that takes.
    pub spender: Account,
    /// How much it needs, in smallest units.
    pub amount: u128,
}

/// The contracts of one index, called by one account.
pub struct Contracts {
    /// The chain.
    pub chain: Chain,
    /// The miner's account.
    pub own: Account,
    /// The index token.
    pub index_token: Account,
    /// The token of TAO.
    pub tao_token: Account,
    /// The index.
    pub index: Account,
    /// The pool.
    pub pair: Account,
    /// Chain, contracts and account in one, for what is kept on disk.
    pub place: String,
    signer: Signer,
    index_bundle: Bundle,
    pair_bundle: Bundle,
    token_bundle: Bundle,
}

impl Contracts {
    /// Connects as the configuration says.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn connect(config: &Config) -> Result<Self> {
        let load = |name: &str| Bundle::find(&config.bundles, name);
        let [index_bundle, pair_bundle, token_bundle] =
            [load("index")?, load("pair")?, load("token")?];
        let signer = config.signer()?;
        let chain = Chain::connect(&config.url).await?;
        let terms: IndexTerms =
            chain.read(&config.index, &index_bundle, "Index::terms", &[]).await?;
        let (index_token, tao_token): (Account, Account) =
            chain.read(&config.pair, &pair_bundle, "Pair::tokens", &[]).await?;
        ensure!(
            index_token == terms.token,
            "the pool does not trade the token of this index: look at index and pair in the configuration"
        );
        let own = account_of(&signer);
        // A development chain that was reset has the same genesis, and another first block.
        let parts = [chain.genesis(), chain.first_block().await?, config.index, config.pair, own];
        Ok(Self {
            place: hex::encode(Native::sha256(&parts.concat())),
            own,
            index: config.index,
            pair: config.pair,
            chain,
            signer,
            index_token,
            tao_token,
            index_bundle,
            pair_bundle,
            token_bundle,
        })
    }

    async fn balance(&self, block: u64, token: &Account) -> Result<u128> {
        let bundle = &self.token_bundle;
        let own = self.own.encode();
        Ok(self.chain.read_at(block, token, bundle, "PSP22::balance_of", &own).await?)
    }

    /// Everything that a plan depends on, of the newest final block.
    ///
    /// # Errors
    /// In words.
    pub async fn see(&self) -> Result<Seen> {
        let block = self.chain.final_block().await?;
        let (chain, index, pair) = (&self.chain, &self.index, &self.pair);
        let of_index = &self.index_bundle;
        let terms: IndexTerms = chain.read_at(block, index, of_index, "Index::terms", &[]).await?;
        let holdings: Vec<Holding> =
            chain.read_at(block, index, of_index, "Index::holdings", &[]).await?;
        let nav: Option<Record> =
            chain.read_at(block, index, of_index, "Index::newest_nav", &[]).await?;
        let (token, of_token) = (&self.index_token, &self.token_bundle);
        let supply = chain.read_at(block, token, of_token, "PSP22::total_supply", &[]).await?;
        let of_pair = &self.pair_bundle;
        let pool: Pool = chain.read_at(block, pair, of_pair, "Pair::reserves", &[]).await?;
        let pair_fee: u16 = chain.read_at(block, pair, of_pair, "Pair::fee_bps", &[]).await?;
        let basket = try_join_all(holdings.iter().map(|held| self.balance(block, &held.token)));
        let purse = Purse {
            tao: self.balance(block, &self.tao_token).await?,
            index: self.balance(block, &self.index_token).await?,
            basket: basket.await?,
        };
        let index = Index {
            holdings,
            supply,
            fee_bps: terms.fee_bps.into(),
            minimum: terms.minimum,
            minting_paused: terms.minting_paused,
            nav,
        };
        Ok(Seen { block, index, pool, pair_fee_bps: pair_fee.into(), purse })
    }

    /// Those of the allowances that are not there yet.
    ///
    /// # Errors
    /// In words.
    pub async fn missing(&self, wanted: &[Allowance]) -> Result<Vec<Allowance>> {
        let allowed = try_join_all(wanted.iter().map(async |one| {
            let args = (self.own, one.spender).encode();
            let (token, bundle) = (&one.token, &self.token_bundle);
            self.chain.read::<u128>(token, bundle, "PSP22::allowance", &args).await
        }));
        let allowed = allowed.await?;
        let missing = wanted.iter().zip(allowed).filter(|(one, has)| *has < one.amount);
        Ok(missing.map(|(one, _)| *one).collect())
    }

    /// Approves, `times` as much as needed; all at once.
    ///
    /// # Errors
    /// In words, if one was refused.
    pub async fn approve(&self, missing: &[Allowance], times: u32) -> Result<Vec<Receipt>> {
        let calls = try_join_all(missing.iter().map(async |one| {
            let args = (one.spender, one.amount.saturating_mul(times.into())).encode();
            let (bundle, signer) = (&self.token_bundle, &self.signer);
            self.chain.prepare(&one.token, bundle, "PSP22::approve", &args, signer).await
        }));
        let sent = self.chain.send_all(&calls.await?, &self.signer).await?;
        Ok(sent.into_iter().collect::<Result<_, _>>()?)
    }

    fn mint_args(tokens: u128, received: u128, most: &[u128], deadline_ms: u64) -> Vec<u8> {
        (tokens, received, most, deadline_ms).encode()
    }

    /// What a mint would do.
    ///
    /// # Errors
    /// The contract's reason.
    pub async fn try_mint(
        &self,
        tokens: u128,
        received: u128,
        most: &[u128],
        deadline_ms: u64,
    ) -> Result<DryRun> {
        let args = Self::mint_args(tokens, received, most, deadline_ms);
        let (index, bundle) = (&self.index, &self.index_bundle);
        Ok(self.chain.dry_run(index, bundle, "Index::mint", &args, &self.own).await?)
    }

    /// Mints.
    ///
    /// # Errors
    /// The contract's reason.
    pub async fn mint(
        &self,
        tokens: u128,
        received: u128,
        most: &[u128],
        deadline_ms: u64,
    ) -> Result<CallOutcome> {
        let args = Self::mint_args(tokens, received, most, deadline_ms);
        let (index, bundle) = (&self.index, &self.index_bundle);
        Ok(self.chain.call(index, bundle, "Index::mint", &args, &self.signer).await?)
    }

    /// Redeems.
    ///
    /// # Errors
    /// The contract's reason.
    pub async fn redeem(
        &self,
        tokens: u128,
        least: &[u128],
        deadline_ms: u64,
    ) -> Result<CallOutcome> {
        let args = (tokens, least, deadline_ms).encode();
        let (index, bundle) = (&self.index, &self.index_bundle);
        Ok(self.chain.call(index, bundle, "Index::redeem", &args, &self.signer).await?)
    }

    fn swap_args(pays: &Account, trade: &Trade, deadline_ms: u64) -> Vec<u8> {
        (pays, trade.pays, trade.least, deadline_ms).encode()
    }

    /// What a trade in the pool would do.
    ///
    /// # Errors
    /// The contract's reason.
    pub async fn try_swap(
        &self,
        pays: &Account,
        trade: &Trade,
        deadline_ms: u64,
    ) -> Result<DryRun> {
        let args = Self::swap_args(pays, trade, deadline_ms);
        let (pair, bundle) = (&self.pair, &self.pair_bundle);
        Ok(self.chain.dry_run(pair, bundle, "Pair::swap_exact_in", &args, &self.own).await?)
    }

    /// Trades in the pool, one after the other without waiting in between. Those from the first
    /// that is refused on are not sent, and the reason is the last outcome.
    ///
    /// # Errors
    /// In words, if the node does not take one.
    pub async fn swap(
        &self,
        pays: &Account,
        trades: &[Trade],
        deadline_ms: u64,
    ) -> Result<Vec<Result<Receipt>>> {
        let mut calls: Vec<Call> = Vec::with_capacity(trades.len());
        let mut refused = None;
        for trade in trades {
            let args = Self::swap_args(pays, trade, deadline_ms);
            let (pair, bundle, signer) = (&self.pair, &self.pair_bundle, &self.signer);
            let prepared = self.chain.prepare(pair, bundle, "Pair::swap_exact_in", &args, signer);
            match prepared.await {
                Ok(call) => calls.push(call),
                Err(error) => {
                    refused = Some(Err(error.into()));
                    break;
                }
            }
        }
        let sent = self.chain.send_all(&calls, &self.signer).await?;
        let sent = sent.into_iter().map(|outcome| outcome.map_err(Into::into));
        Ok(sent.chain(refused).collect())
    }
}

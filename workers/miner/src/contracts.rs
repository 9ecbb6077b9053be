//! Index, pool and tokens as typed calls.

use crate::config::Config;
use crate::seen::{Index, Purse, Seen};
use anyhow::{ensure, Result};
use cicada_chain::{account_of, Call, Chain, Receipt, Signer};
use cicada_contracts::types::PairError;
use cicada_contracts::{index, pair, token, Message};
use cicada_core::hash::{Hasher, Native};
use cicada_core::Account;
use cicada_network::{ContractName, Deployment};
use futures::future::try_join_all;

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
    pub(crate) signer: Signer,
}

impl Contracts {
    /// Connects as the configuration says.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn connect(config: &Config) -> Result<Self> {
        let signer = config.signer()?;
        let file = Deployment::load(&config.network)?;
        let (index, pair) = (file.need(ContractName::Index)?, file.need(ContractName::Pair)?);
        let chain = file.connect(config.url.as_deref()).await?;
        let terms = chain.read(&index, &index::terms()).await?;
        let (index_token, tao_token) = chain.read(&pair, &pair::tokens()).await?;
        ensure!(
            index_token == terms.token,
            "the pool does not trade the token of this index: look at index and pair in the network file"
        );
        let own = account_of(&signer);
        // A development chain that was reset has the same genesis, and another first block.
        let (genesis, first_block) = (chain.genesis(), chain.first_block().await?);
        let parts = [genesis.0, first_block.0, index.0, pair.0, own.0];
        Ok(Self {
            place: hex::encode(Native::sha256(&parts.concat())),
            own,
            index,
            pair,
            chain,
            signer,
            index_token,
            tao_token,
        })
    }

    async fn balance(&self, block: u64, token: &Account) -> Result<u128> {
        Ok(self.chain.read_at(block, token, &token::balance_of(&self.own)).await?)
    }

    /// Everything that a plan depends on, of the newest final block.
    ///
    /// # Errors
    /// In words.
    pub async fn see(&self) -> Result<Seen> {
        let block = self.chain.final_block().await?;
        let (chain, index, pair) = (&self.chain, &self.index, &self.pair);
        let terms = chain.read_at(block, index, &index::terms()).await?;
        let holdings = chain.read_at(block, index, &index::holdings()).await?;
        let nav = chain.read_at(block, index, &index::newest_nav()).await?;
        let supply = chain.read_at(block, &self.index_token, &token::total_supply()).await?;
        let pool = chain.read_at(block, pair, &pair::reserves()).await?;
        let pair_fee = chain.read_at(block, pair, &pair::fee_bps()).await?;
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
            self.chain.read(&one.token, &token::allowance(&self.own, &one.spender)).await
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
            let amount = one.amount.saturating_mul(times.into());
            let approve = token::approve(&one.spender, amount);
            self.chain.prepare(&one.token, &approve, &self.signer).await
        }));
        let sent = self.chain.send_all(&calls.await?, &self.signer).await?;
        Ok(sent.into_iter().collect::<Result<_, _>>()?)
    }

    /// Trades in the pool, one after the other without waiting in between. Those from the first
    /// that is refused on are not sent, and the reason is the last outcome.
    ///
    /// # Errors
    /// In words, if the node does not take one.
    pub async fn swap(
        &self,
        swaps: impl Iterator<Item = Message<u128, PairError>>,
    ) -> Result<Vec<Result<Receipt>>> {
        let (mut calls, mut refused) = (Vec::<Call>::new(), None);
        for swap in swaps {
            match self.chain.prepare(&self.pair, &swap, &self.signer).await {
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

//! Does what was planned: approvals, mints, trades, redemptions, each until it is final.

use crate::contracts::{Allowance, Contracts};
use crate::gas::{Rates, Weights};
use crate::ledger::Done;
use crate::plan::{mint_limits, redeem_limits, Batch, Rules, Trade};
use crate::seen::{with_margin_ceil, Seen};
use anyhow::{anyhow, bail, Result};
use cicada_amounts::Units;
use cicada_chain::Weight;
use cicada_contracts::types::{IndexError, PairError};
use cicada_contracts::{index, pair, Message};
use cicada_core::arbitrage::ArbitrageError;
use cicada_core::basket::after_fee_floor;
use cicada_core::fixed::sum;
use cicada_program::now_ms;

/// How things are done.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// What the configuration says about trading.
    pub rules: Rules,
    /// The price of gas.
    pub rates: Rates,
    /// How long a transaction may wait.
    pub deadline_ms: u64,
    /// For how many batches of the same size an approval is given.
    pub approvals: u32,
}

/// Acts for one batch.
pub struct Hands<'a> {
    /// Where.
    pub contracts: &'a Contracts,
    /// How.
    pub manner: Manner,
    /// What transactions weigh: measured on the way.
    pub weights: Weights,
    /// What was done so far.
    pub done: Done,
}

/// What is taken of the account in a batch, and by whom.
///
/// # Errors
/// [`ArbitrageError`] if a calculation has no result.
pub fn wanted(
    contracts: &Contracts,
    batch: &Batch,
    seen: &Seen,
    rules: &Rules,
) -> Result<Vec<Allowance>, ArbitrageError> {
    let paid = |trades: &[Trade]| sum(trades.iter().map(|trade| trade.pays.0));
    let Contracts { index, pair, index_token, tao_token, .. } = *contracts;
    let of = |token, spender, amount| Allowance { token, spender, amount };
    let for_mint = |tokens| -> Result<Vec<Allowance>, ArbitrageError> {
        let amounts = mint_limits(seen, tokens, rules)?;
        let held = seen.index.holdings.iter().zip(amounts);
        let taken = held.filter(|(_, amount)| *amount > 0);
        Ok(taken.map(|(held, amount)| of(held.token, index, amount)).collect())
    };
    Ok(match batch {
        Batch::MintAndSell { tokens: Units(tokens), trades } => {
            let mut all = for_mint(*tokens)?;
            all.push(of(index_token, pair, paid(trades)?));
            all
        }
        Batch::BuyAndRedeem { trades } => {
            let bought = sum(trades.iter().map(|trade| trade.gets.0))?;
            let bought = with_margin_ceil(bought, rules.slippage_bps)?;
            vec![of(tao_token, pair, paid(trades)?), of(index_token, index, bought)]
        }
        Batch::SellStock { trades } => vec![of(index_token, pair, paid(trades)?)],
        Batch::RedeemStock { tokens: Units(tokens) } => vec![of(index_token, index, *tokens)],
        Batch::NeutralVolume { tokens: Units(tokens) } => {
            let mut all = for_mint(*tokens)?;
            all.push(of(index_token, index, *tokens));
            all
        }
    })
}

fn in_words(error: ArbitrageError) -> anyhow::Error {
    anyhow!("a calculation has no result: {error:?}")
}

impl Hands<'_> {
    fn deadline(&self) -> u64 {
        now_ms().saturating_add(self.manner.deadline_ms)
    }

    /// Notes a transaction that is final.
    fn note(&mut self, weight: Weight, fee: u128) -> Result<Weight> {
        let gas = self.manner.rates.price_ceil(weight);
        let gas = gas.map_err(|error| anyhow!("the price of gas: {error:?}"))?;
        self.done.transactions = self.done.transactions.saturating_add(1);
        self.done.gas.0 = self.done.gas.0.saturating_add(gas);
        self.done.chain_fees.0 = self.done.chain_fees.0.saturating_add(fee);
        Ok(weight)
    }

    /// Approves what is not approved yet. Whether anything was.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn allow(&mut self, wanted: &[Allowance]) -> Result<bool> {
        let missing = self.contracts.missing(wanted).await?;
        for receipt in self.contracts.approve(&missing, self.manner.approvals).await? {
            self.weights.approve = self.note(receipt.weight, receipt.fee)?;
        }
        if !missing.is_empty() {
            tracing::info!("approved {} tokens", missing.len());
        }
        Ok(!missing.is_empty())
    }

    /// Dry-runs the first transaction of a batch, and notes what it weighs.
    ///
    /// # Errors
    /// The contract's reason.
    pub async fn measure(&mut self, batch: &Batch, seen: &Seen) -> Result<()> {
        let Contracts { chain, index, own, .. } = self.contracts;
        match batch {
            Batch::MintAndSell { tokens: Units(tokens), .. }
            | Batch::NeutralVolume { tokens: Units(tokens) } => {
                let (_, mint) = self.to_mint(*tokens, seen)?;
                self.weights.mint = chain.dry_run(index, &mint, own).await?.gas_consumed;
            }
            Batch::BuyAndRedeem { trades } => self.measure_trade(false, trades).await?,
            Batch::SellStock { trades } => self.measure_trade(true, trades).await?,
            Batch::RedeemStock { .. } => {}
        }
        Ok(())
    }

    async fn measure_trade(&mut self, sale: bool, trades: &[Trade]) -> Result<()> {
        let Contracts { chain, pair, own, .. } = self.contracts;
        if let Some(first) = self.to_trade(sale, trades).next() {
            self.weights.trade = chain.dry_run(pair, &first, own).await?.gas_consumed;
        }
        Ok(())
    }

    /// Sales of index tokens, or purchases, in the pool.
    fn to_trade<'t>(
        &self,
        sale: bool,
        trades: &'t [Trade],
    ) -> impl Iterator<Item = Message<u128, PairError>> + use<'t> {
        let Contracts { index_token, tao_token, .. } = *self.contracts;
        let (pays, deadline) = (if sale { index_token } else { tao_token }, self.deadline());
        trades.iter().map(move |one| pair::swap_exact_in(&pays, one.pays.0, one.least.0, deadline))
    }

    /// What a mint credits, and the mint.
    fn to_mint(&self, tokens: u128, seen: &Seen) -> Result<(u128, Message<(), IndexError>)> {
        let received =
            after_fee_floor(tokens, seen.index.fee_bps).map_err(|error| in_words(error.into()))?;
        let most = mint_limits(seen, tokens, &self.manner.rules).map_err(in_words)?;
        Ok((received, index::mint(tokens, received, &most, self.deadline())))
    }

    /// Does a batch. What was done stands in `done` whatever the result.
    ///
    /// # Errors
    /// What went wrong; index tokens that were not got rid of stay in the account.
    pub async fn act(&mut self, batch: &Batch, seen: &Seen) -> Result<()> {
        match batch {
            Batch::MintAndSell { tokens: Units(tokens), trades } => {
                self.mint(*tokens, seen).await?;
                self.trade(true, trades).await
            }
            Batch::BuyAndRedeem { trades } => {
                let traded = self.trade(false, trades).await;
                let after = self.contracts.see().await?;
                let bought = after.purse.index.saturating_sub(seen.purse.index);
                if bought == 0 {
                    return traded.and_then(|()| bail!("nothing was bought"));
                }
                self.redeem(bought, &after).await?;
                traded
            }
            Batch::SellStock { trades } => self.trade(true, trades).await,
            Batch::RedeemStock { tokens: Units(tokens) } => self.redeem(*tokens, seen).await,
            Batch::NeutralVolume { tokens: Units(tokens) } => {
                let credited = self.mint(*tokens, seen).await?;
                let after = self.contracts.see().await?;
                self.redeem(credited, &after).await
            }
        }
    }

    async fn mint(&mut self, tokens: u128, seen: &Seen) -> Result<u128> {
        let (received, mint) = self.to_mint(tokens, seen)?;
        let Contracts { chain, index, signer, .. } = self.contracts;
        let outcome = chain.call(index, &mint, signer).await?;
        self.weights.mint = self.note(outcome.weight, outcome.fee)?;
        self.done.minted.0 = self.done.minted.0.saturating_add(tokens);
        Ok(received)
    }

    async fn redeem(&mut self, tokens: u128, seen: &Seen) -> Result<()> {
        let Contracts { chain, index, index_token, signer, .. } = self.contracts;
        let (token, spender) = (*index_token, *index);
        self.allow(&[Allowance { token, spender, amount: tokens }]).await?;
        let least = redeem_limits(seen, tokens, &self.manner.rules).map_err(in_words)?;
        let redeem = index::redeem(tokens, &least, self.deadline());
        let outcome = chain.call(index, &redeem, signer).await?;
        self.weights.redeem = self.note(outcome.weight, outcome.fee)?;
        self.done.redeemed.0 = self.done.redeemed.0.saturating_add(tokens);
        Ok(())
    }

    async fn trade(&mut self, sale: bool, trades: &[Trade]) -> Result<()> {
        let mut ended = Ok(());
        for outcome in self.contracts.swap(self.to_trade(sale, trades)).await? {
            match outcome {
                Ok(receipt) => self.weights.trade = self.note(receipt.weight, receipt.fee)?,
                Err(error) => ended = Err(error),
            }
        }
        ended
    }
}

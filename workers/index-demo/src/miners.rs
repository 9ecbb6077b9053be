//! Miners: each looks at NAV and market, plans within its limits, and trades.

use crate::stage::{Market, Stage};
use anyhow::Result;
use cicada_chain::{account_of, signer, Call, Signer};
use cicada_core::arbitrage::{plan, Action, Limits, Market as Seen, Wallet};
use cicada_core::basket::holdings::amounts_to_mint_ceil;
use cicada_core::fixed::mul_div_floor;
use cicada_core::Account;

/// A whole index token is this many units, and one unit of TAO that many of it at a NAV of 1.
const UNIT_SCALE: u128 = 1_000_000_000_000_000_000_000_000_000;
/// What both transactions of a trade cost, in units of TAO: 0.0005 TAO. The demo chain takes its fees
/// in another currency.
const GAS: u128 = 500_000;
/// For fees of the chain, in base units of its currency.
const FUNDS: u128 = 1_000_000_000_000_000;
/// What a trade may bring less than planned, in bps.
const SLIPPAGE_BPS: u128 = 50;
/// Parts of one.
const BPS: u128 = 10_000;

/// Someone who trades the price back to the NAV.
pub struct Miner {
    /// What people call it.
    pub name: String,
    signer: Signer,
}

/// A trade that was done.
#[derive(Clone, Debug)]
pub struct Trade {
    /// Who.
    pub miner: String,
    /// What.
    pub action: Action,
    /// What it was expected to earn, in units of TAO.
    pub profit: u128,
}

impl Miner {
    /// A development account.
    ///
    /// # Errors
    /// In words.
    pub fn new(number: usize) -> Result<Self> {
        let name = format!("miner {number}");
        Ok(Self { name, signer: signer(&format!("//Miner{number}"))? })
    }

    /// Its account.
    pub fn account(&self) -> Account {
        account_of(&self.signer)
    }

    /// Gives it TAO and the tokens of `baskets` index tokens, and approves all it needs.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn equip(&self, stage: &Stage, tao: u128, baskets: u128) -> Result<()> {
        let market = stage.market().await?;
        let amounts = amounts_to_mint_ceil(&market.holdings, market.supply, baskets, false)
            .map_err(|error| anyhow::anyhow!("a basket: {error:?}"))?;
        let tokens = market.holdings.iter().map(|held| held.token);
        let subnets: Vec<(Account, u128)> = tokens.zip(amounts).collect();
        stage.chain.send(&Call::transfer(&self.account(), FUNDS), &stage.owner).await?;
        stage.equip(&self.signer, tao, &subnets).await?;
        stage.approve(&self.signer).await
    }

    async fn balances(&self, stage: &Stage, market: &Market) -> Result<Vec<u128>> {
        let own = self.account();
        let ask = market
            .holdings
            .iter()
            .map(|held| async move { stage.balance(&held.token, &own).await });
        futures::future::try_join_all(ask).await
    }

    async fn wallet(&self, stage: &Stage, market: &Market, nav_e18: u128) -> Result<Wallet> {
        let own = self.account();
        let mut baskets = u128::MAX;
        let balances = self.balances(stage, market).await?;
        for (held, balance) in market.holdings.iter().zip(balances) {
            if held.amount > 0 {
                let enough = mul_div_floor(balance, market.supply, held.amount);
                baskets = baskets.min(enough.unwrap_or(u128::MAX));
            }
        }
        let value = |tokens| mul_div_floor(tokens, nav_e18, UNIT_SCALE).unwrap_or(0);
        Ok(Wallet {
            tao: stage.balance(&stage.at.tao, &own).await?,
            basket: value(baskets),
            index: value(stage.balance(&stage.at.index_token, &own).await?),
        })
    }

    /// Trades once if that pays.
    ///
    /// # Errors
    /// In words.
    pub async fn act(&self, stage: &Stage, nav_e18: u128, fee: u128) -> Result<Option<Trade>> {
        let market = stage.market().await?;
        let seen = Seen {
            nav_e18,
            tao: market.pool.b,
            index_tokens: market.pool.a,
            pair_fee_bps: fee,
            index_fee_bps: 0,
            gas: GAS,
        };
        let wallet = self.wallet(stage, &market, nav_e18).await?;
        let plan = plan(&seen, &wallet, &Limits::default())
            .map_err(|error| anyhow::anyhow!("{}: {error:?}", self.name))?;
        let Some(plan) = plan else {
            return Ok(None);
        };
        match plan.action {
            Action::MintAndSell { tokens } => {
                let most = self.balances(stage, &market).await?;
                stage.mint(tokens, most, &self.signer).await?;
                let least = plan.outcome.received * (BPS - SLIPPAGE_BPS) / BPS;
                stage.swap(stage.at.index_token, tokens, least, &self.signer).await?;
            }
            Action::BuyAndRedeem { tao } => {
                // What comes out is worth what is expected, at least nearly.
                let least = plan.outcome.received * (BPS - SLIPPAGE_BPS) / BPS;
                let least = mul_div_floor(least, UNIT_SCALE, nav_e18).unwrap_or(1);
                let bought = stage.swap(stage.at.tao, tao, least, &self.signer).await?;
                stage.redeem(bought, market.holdings.len(), &self.signer).await?;
            }
        }
        let profit = plan.outcome.profit().unwrap_or(0);
        Ok(Some(Trade { miner: self.name.clone(), action: plan.action, profit }))
    }
}

//! Fees, without sending anything.

use crate::deals::{order_call, trade_call};
use crate::{Error, Exchange, Need, OrderPlan, Plan};
use cicada_chain::{Estimate, Weight};
use cicada_contracts::{token, Message};
use cicada_core::exchange::ExchangeError;
use cicada_core::Account;
use parity_scale_codec::Decode;

/// What a trade with one order and the market maker consumes: for the fee of a trade that cannot be
/// dry-run, because its approval is missing. Each further order takes about 4.4·10⁹ and 64,000 more.
pub const TRADE_GAS: Weight = Weight { ref_time: 9_000_000_000, proof_size: 140_000 };

/// What a trade or an order would cost in the chain's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Fee of the approval; none if none is needed.
    pub approval: Option<u128>,
    /// Fee of the trade.
    pub trade: u128,
    /// The deposit for new storage, of both where it is known.
    pub deposit: u128,
    /// Whether the trade was dry-run. Otherwise its fee is that of [`TRADE_GAS`], and its
    /// own deposit is not known.
    pub exact: bool,
    /// What the trade would pay or receive, if it was dry-run.
    pub value: Option<u128>,
}

impl Exchange {
    /// What a planned trade would cost in fees.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::estimate`]: also if the exchange refuses the trade.
    pub async fn fees(
        &self,
        plan: &Plan,
        deadline_ms: u64,
        owner: &Account,
    ) -> Result<Fees, Error> {
        let message = trade_call(plan, deadline_ms);
        let (fees, trade) = self.fees_of(&plan.need, &message, owner).await?;
        Ok(Fees { value: trade.map(|trade| trade.value), ..fees })
    }

    /// What a planned order would cost in fees.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::estimate`].
    pub async fn order_fees(
        &self,
        plan: &OrderPlan,
        deadline_ms: u64,
        owner: &Account,
    ) -> Result<Fees, Error> {
        Ok(self.fees_of(&plan.need, &order_call(plan, deadline_ms), owner).await?.0)
    }

    /// The fees of a call, and what it would return if it was dry-run.
    async fn fees_of<T: Decode>(
        &self,
        need: &Need,
        message: &Message<T, ExchangeError>,
        owner: &Account,
    ) -> Result<(Fees, Option<T>), Error> {
        let Self { chain, account, .. } = self;
        if need.more == 0 {
            let estimate = chain.estimate(account, message, owner).await;
            let Estimate { fee: trade, deposit, returned, .. } =
                estimate.map_err(Error::of_exchange)?;
            let fees = Fees { approval: None, trade, deposit, exact: true, value: None };
            return Ok((fees, Some(returned)));
        }
        let approve = token::increase_allowance(account, need.more);
        let approval = chain.estimate(&need.token, &approve, owner).await?;
        let trade = chain.fee_of(account, message, TRADE_GAS).await?;
        let Estimate { fee, deposit, .. } = approval;
        Ok((Fees { approval: Some(fee), trade, deposit, exact: false, value: None }, None))
    }
}

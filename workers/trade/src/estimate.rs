//! Fees, without sending anything.

use crate::deals::{order_call, trade_call};
use crate::{Error, Exchange, Need, OrderPlan, Plan};
use cicada_chain::{Estimate, Weight};
use cicada_core::Account;
use parity_scale_codec::{DecodeAll, Encode};

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
        let (message, args) = trade_call(plan, deadline_ms);
        let (mut fees, estimate) = self.fees_of(&plan.need, message, args.encode(), owner).await?;
        if let Some(estimate) = estimate {
            let trade = cicada_core::exchange::Trade::decode_all(&mut &estimate.returned[..]);
            fees.value = trade.ok().map(|trade| trade.value);
        }
        Ok(fees)
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
        let (message, args) = order_call(plan, deadline_ms);
        Ok(self.fees_of(&plan.need, message, args.encode(), owner).await?.0)
    }

    async fn fees_of(
        &self,
        need: &Need,
        message: &str,
        args: Vec<u8>,
        owner: &Account,
    ) -> Result<(Fees, Option<Estimate>), Error> {
        let Self { chain, account, bundle, .. } = self;
        if need.more == 0 {
            let estimate = chain.estimate(account, bundle, message, &args, owner).await?;
            let Estimate { fee: trade, deposit, .. } = estimate;
            let fees = Fees { approval: None, trade, deposit, exact: true, value: None };
            return Ok((fees, Some(estimate)));
        }
        let (approve, approval) = self.approval(need);
        let approval = chain.estimate(&need.token, &self.token, approve, &approval, owner).await?;
        let trade = chain.fee_of(account, bundle, message, &args, TRADE_GAS).await?;
        let Estimate { fee, deposit, .. } = approval;
        Ok((Fees { approval: Some(fee), trade, deposit, exact: false, value: None }, None))
    }
}

//! Trading.

use crate::{Error, Exchange, Intent, Need, OrderPlan, Plan};
use cicada_chain::{CallOutcome, Signer};
use cicada_contracts::exchange::events::{
    MarketListed, OrderCancelled, OrderPlaced, Traded, WithdrawalAnnounced,
};
use cicada_contracts::types::Placed;
use cicada_contracts::{exchange, token, Message};
use cicada_core::exchange::{ExchangeError, Side, Trade};
use cicada_core::hash::Digest;
use cicada_core::quote::Framework;
use cicada_core::Account;
use parity_scale_codec::Decode;

/// One part of a trade: with one resting order, or with the market maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// With whom; none is the market maker.
    pub maker: Option<Account>,
    /// The order that was filled, if any.
    pub order: Option<u64>,
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens.
    pub amount: u128,
}

/// What was traded, as the events of the final transaction say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// Tokens.
    pub amount: u128,
    /// Base units of MMC paid or received for them.
    pub value: u128,
    /// The parts.
    pub fills: Vec<Fill>,
    /// What the signer paid, in base units of the chain's currency, without a deposit.
    pub fee: u128,
    /// The block.
    pub block: u64,
    /// The transaction.
    pub transaction: Digest,
}

/// What became of an order that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// What was traded at once.
    pub deal: Deal,
    /// What rests; none if nothing does.
    pub resting: Option<OrderPlaced>,
}

impl Deal {
    fn new<T>(outcome: &CallOutcome<T>, trades: Vec<Traded>) -> Result<Self, Error> {
        let (mut amount, mut value) = (0u128, 0u128);
        let mut fills = Vec::new();
        for Traded { maker, price, amount: part, order, .. } in trades {
            let cost = price.checked_mul(part).ok_or(Error::Overflow)?;
            amount = amount.checked_add(part).ok_or(Error::Overflow)?;
            value = value.checked_add(cost).ok_or(Error::Overflow)?;
            fills.push(Fill { maker, order, price, amount: part });
        }
        let CallOutcome { fee, block, transaction, .. } = *outcome;
        Ok(Self { amount, value, fills, fee, block, transaction })
    }

    /// The mean price of one token in base units of MMC, rounded down; none if nothing was traded.
    pub fn mean_price_floor(&self) -> Option<u128> {
        self.value.checked_div(self.amount)
    }
}

impl Exchange {
    /// Allows the exchange to take what is missing of what is needed. Added to what it may take
    /// already, so that several at once do not take each other's away.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`]. So do all that follow.
    pub async fn approve(
        &self,
        need: &Need,
        signer: &Signer,
    ) -> Result<Option<CallOutcome>, Error> {
        if need.more == 0 {
            return Ok(None);
        }
        let message = token::increase_allowance(&self.account, need.more);
        Ok(Some(self.chain.call(&need.token, &message, signer).await?))
    }

    /// Finds out, before anything is sent, whether a planned trade is certain to be refused although
    /// what it needs will be approved.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::dry_run`].
    pub async fn rehearse(
        &self,
        plan: &Plan,
        deadline_ms: u64,
        owner: &Account,
    ) -> Result<(), Error> {
        self.rehearse_call(&trade_call(plan, deadline_ms), owner).await
    }

    /// As [`Exchange::rehearse`], of an order.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::dry_run`].
    pub async fn rehearse_order(
        &self,
        plan: &OrderPlan,
        deadline_ms: u64,
        owner: &Account,
    ) -> Result<(), Error> {
        self.rehearse_call(&order_call(plan, deadline_ms), owner).await
    }

    async fn rehearse_call<T: Decode>(
        &self,
        message: &Message<T, ExchangeError>,
        owner: &Account,
    ) -> Result<(), Error> {
        let dry_run = self.chain.dry_run(&self.account, message, owner).await;
        match dry_run.map_err(Error::of_exchange) {
            // All that the approval will change.
            Err(Error::Refused { why: ExchangeError::TokenRefused, .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a planned trade; what it needs has to be approved.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn trade(
        &self,
        plan: &Plan,
        deadline_ms: u64,
        signer: &Signer,
    ) -> Result<Deal, Error> {
        let outcome = self.call(&trade_call(plan, deadline_ms), signer).await?;
        self.deal(&outcome)
    }

    /// Places a planned order; what it needs has to be approved.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn place(
        &self,
        plan: &OrderPlan,
        deadline_ms: u64,
        signer: &Signer,
    ) -> Result<Placement, Error> {
        let outcome = self.call(&order_call(plan, deadline_ms), signer).await?;
        let resting = self.events::<OrderPlaced, _>(&outcome)?.pop();
        Ok(Placement { deal: self.deal(&outcome)?, resting })
    }

    fn deal<T>(&self, outcome: &CallOutcome<T>) -> Result<Deal, Error> {
        Deal::new(outcome, self.events(outcome)?)
    }

    /// Takes an order out of the book; the tokens that were left of it, and the block.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn cancel(&self, order: u64, signer: &Signer) -> Result<(u128, u64), Error> {
        let outcome = self.call(&exchange::cancel(order), signer).await?;
        let OrderCancelled { amount, .. } = self.event(&outcome)?;
        Ok((amount, outcome.block))
    }

    /// Opens the market of a framework; the contract of its token, and the block.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn list(
        &self,
        framework: &Framework,
        signer: &Signer,
    ) -> Result<(Account, u64), Error> {
        let outcome = self.call(&exchange::list(framework), signer).await?;
        let MarketListed { token, .. } = self.event(&outcome)?;
        Ok((token, outcome.block))
    }

    /// Has the market maker fill a resting order that its price has reached.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn fill_order(&self, order: u64, signer: &Signer) -> Result<Deal, Error> {
        let outcome = self.call(&exchange::fill_order(order), signer).await?;
        self.deal(&outcome)
    }

    /// Adds MMC to the reserve of a framework; it has to be approved.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn deposit(
        &self,
        framework: &Framework,
        amount: u128,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(&exchange::deposit(framework, amount), signer).await
    }

    /// Announces that MMC will be taken out of the reserve of a framework, as the owner; from when on,
    /// in milliseconds since 1970, and the block.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn announce_withdrawal(
        &self,
        framework: &Framework,
        amount: u128,
        signer: &Signer,
    ) -> Result<(u64, u64), Error> {
        let message = exchange::announce_withdrawal(framework, amount);
        let outcome = self.call(&message, signer).await?;
        let WithdrawalAnnounced { from_ms, .. } = self.event(&outcome)?;
        Ok((from_ms, outcome.block))
    }

    /// Takes MMC that was announced out of the reserve of a framework, as the owner.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn withdraw(
        &self,
        framework: &Framework,
        amount: u128,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(&exchange::withdraw(framework, amount), signer).await
    }
}

pub(crate) fn trade_call(plan: &Plan, deadline_ms: u64) -> Message<Trade, ExchangeError> {
    let Intent { framework, side, amount, .. } = &plan.intent;
    match side {
        Side::Buy => exchange::buy(framework, *amount, plan.limit, deadline_ms),
        Side::Sell => exchange::sell(framework, *amount, plan.limit, deadline_ms),
    }
}

pub(crate) fn order_call(plan: &OrderPlan, deadline_ms: u64) -> Message<Placed, ExchangeError> {
    let OrderPlan { framework, side, price, amount, .. } = plan;
    exchange::place(framework, side, *price, *amount, deadline_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_chain::Weight;

    fn outcome() -> CallOutcome {
        CallOutcome {
            block: 9,
            block_hash: Digest([1; 32]),
            transaction: Digest([2; 32]),
            gas_consumed: Weight::default(),
            weight: Weight::default(),
            fee: 77,
            returned: (),
            events: Vec::new(),
        }
    }

    #[test]
    fn a_deal_is_the_sum_of_its_parts() {
        let traded = |price, amount, order| Traded {
            framework: Framework::new("claude").unwrap(),
            taker: Account([1; 32]),
            maker: None,
            side: Side::Buy,
            price,
            amount,
            order,
        };
        let deal =
            Deal::new(&outcome(), vec![traded(50, 3, Some(4)), traded(51, 2, None)]).unwrap();
        assert_eq!((deal.amount, deal.value, deal.fee, deal.block), (5, 252, 77, 9));
        assert_eq!((deal.mean_price_floor(), deal.fills[0].order), (Some(50), Some(4)));
        let none = Deal::new(&outcome(), Vec::new()).unwrap();
        assert_eq!((none.amount, none.mean_price_floor()), (0, None));
        let absurd = Deal::new(&outcome(), vec![traded(u128::MAX, 2, None)]);
        assert!(matches!(absurd, Err(Error::Overflow)));
    }
}

//! Trading.

use crate::{Error, Exchange, Intent, Need, OrderPlaced, OrderPlan, Plan, Traded};
use cicada_chain::{CallOutcome, Signer};
use cicada_core::exchange::Side;
use cicada_core::hash::Hash;
use cicada_core::quote::Framework;
use cicada_core::Account;
use parity_scale_codec::{Decode, DecodeAll, Encode};

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
    pub transaction: Hash,
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
    fn new(outcome: &CallOutcome, trades: Vec<Traded>) -> Result<Self, Error> {
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
        let (message, args) = self.approval(need);
        Ok(Some(self.chain.call(&need.token, &self.token, message, &args, signer).await?))
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
        let (message, args) = trade_call(plan, deadline_ms);
        self.rehearse_call(message, args.encode(), owner).await
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
        let (message, args) = order_call(plan, deadline_ms);
        self.rehearse_call(message, args.encode(), owner).await
    }

    async fn rehearse_call(
        &self,
        message: &str,
        args: Vec<u8>,
        owner: &Account,
    ) -> Result<(), Error> {
        let Self { chain, account, bundle, .. } = self;
        match chain.dry_run(account, bundle, message, &args, owner).await {
            // All that the approval will change.
            Err(error) if error.refusal().is_some_and(|why| why.starts_with("TokenRefused")) => {
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
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
        let (message, args) = trade_call(plan, deadline_ms);
        let outcome = self.call(message, &args, signer).await?;
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
        let (message, args) = order_call(plan, deadline_ms);
        let outcome = self.call(message, &args, signer).await?;
        let resting = self.events::<OrderPlaced>(&outcome, "OrderPlaced")?.pop();
        Ok(Placement { deal: self.deal(&outcome)?, resting })
    }

    fn deal(&self, outcome: &CallOutcome) -> Result<Deal, Error> {
        Deal::new(outcome, self.events(outcome, "Traded")?)
    }

    /// Takes an order out of the book; the tokens that were left of it.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn cancel(&self, order: u64, signer: &Signer) -> Result<(u128, CallOutcome), Error> {
        let outcome = self.call("Exchange::cancel", &order, signer).await?;
        Ok((returned(&outcome, "Exchange::cancel")?, outcome))
    }

    /// Opens the market of a framework; the contract of its token.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn list(
        &self,
        framework: &Framework,
        signer: &Signer,
    ) -> Result<(Account, CallOutcome), Error> {
        let outcome = self.call("Exchange::list", framework, signer).await?;
        Ok((returned(&outcome, "Exchange::list")?, outcome))
    }

    /// Has the market maker fill a resting order that its price has reached.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn fill_order(&self, order: u64, signer: &Signer) -> Result<Deal, Error> {
        let outcome = self.call("Exchange::fill_order", &order, signer).await?;
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
        self.call("Exchange::deposit", &(framework, amount), signer).await
    }

    /// Announces that MMC will be taken out of the reserve of a framework, as the owner; from when on,
    /// in milliseconds since 1970.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::call`].
    pub async fn announce_withdrawal(
        &self,
        framework: &Framework,
        amount: u128,
        signer: &Signer,
    ) -> Result<(u64, CallOutcome), Error> {
        let message = "Exchange::announce_withdrawal";
        let outcome = self.call(message, &(framework, amount), signer).await?;
        Ok((returned(&outcome, message)?, outcome))
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
        self.call("Exchange::withdraw", &(framework, amount), signer).await
    }

    /// The message that approves, and its arguments in SCALE.
    pub(crate) fn approval(&self, need: &Need) -> (&'static str, Vec<u8>) {
        ("PSP22::increase_allowance", (&self.account, need.more).encode())
    }
}

type TradeArgs<'a> = (&'a Framework, u128, u128, u64);
type OrderArgs<'a> = (&'a Framework, Side, u128, u128, u64);

pub(crate) fn trade_call(plan: &Plan, deadline_ms: u64) -> (&'static str, TradeArgs<'_>) {
    let Intent { framework, side, amount, .. } = &plan.intent;
    let message = match side {
        Side::Buy => "Exchange::buy",
        Side::Sell => "Exchange::sell",
    };
    (message, (framework, *amount, plan.limit, deadline_ms))
}

pub(crate) fn order_call(plan: &OrderPlan, deadline_ms: u64) -> (&'static str, OrderArgs<'_>) {
    let OrderPlan { framework, side, price, amount, .. } = plan;
    ("Exchange::place", (framework, *side, *price, *amount, deadline_ms))
}

fn returned<T: Decode>(outcome: &CallOutcome, what: &str) -> Result<T, Error> {
    T::decode_all(&mut &outcome.returned[..]).map_err(|error| {
        let why = format!("it returned something else than expected: {error}");
        cicada_chain::Error::unread(what, outcome, why).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_chain::Weight;

    fn outcome() -> CallOutcome {
        CallOutcome {
            block: 9,
            block_hash: [1; 32],
            transaction: [2; 32],
            gas_consumed: Weight::default(),
            weight: Weight::default(),
            fee: 77,
            returned: vec![5, 0, 0],
            events: Vec::new(),
        }
    }

    #[test]
    fn a_deal_is_the_sum_of_its_parts() {
        let traded = |price, amount, order| Traded {
            framework: Framework::new("claude").unwrap(),
            taker: [1; 32],
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

    #[test]
    fn what_is_returned_must_be_of_the_type() {
        assert!(returned::<u64>(&outcome(), "x").is_err());
        assert_eq!(returned::<[u8; 3]>(&outcome(), "x").unwrap(), [5, 0, 0]);
    }
}

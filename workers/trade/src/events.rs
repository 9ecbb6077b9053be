//! Events of the exchange.

use crate::{Error, Exchange};
use cicada_chain::{CallOutcome, ContractEvent};
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_core::Account;
use parity_scale_codec::{Decode, DecodeAll};

/// A trade, as the chain records it.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub struct Traded {
    /// Which token.
    pub framework: Framework,
    /// Who traded.
    pub taker: Account,
    /// With whom; none is the market maker.
    pub maker: Option<Account>,
    /// The taker's side.
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens.
    pub amount: u128,
    /// The resting order that was filled, if any.
    pub order: Option<u64>,
}

/// An order that rests now.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub struct OrderPlaced {
    /// Which token.
    pub framework: Framework,
    /// Whose order.
    pub owner: Account,
    /// Its number.
    pub order: u64,
    /// Whether it buys or sells.
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens that rest.
    pub amount: u128,
}

impl Exchange {
    /// The events of a name that the exchange itself emitted in a transaction, in order.
    pub(crate) fn events<T: Decode>(
        &self,
        outcome: &CallOutcome,
        name: &str,
    ) -> Result<Vec<T>, Error> {
        let own = |event: &&ContractEvent| {
            event.contract == self.account && self.bundle.event_name(event) == Some(name)
        };
        let decode = |event: &ContractEvent| {
            T::decode_all(&mut &event.data[..]).map_err(|error| {
                let what = format!("the event {name}");
                Error::from(cicada_chain::Error::unread(
                    "the call",
                    outcome,
                    format!("{what} cannot be read: {error}"),
                ))
            })
        };
        outcome.events.iter().filter(own).map(decode).collect()
    }
}

//! The exchange and its leaderboard as functions, and the client of the indexer: what the command
//! line and other tools share.
//!
//! [`Board`] reads the leaderboard, [`Exchange`] reads and trades. Amounts are whole performance tokens, prices and values base units of MMC.

mod board;
mod deals;
mod estimate;
mod events;
mod exchange;
mod indexer;
mod plan;
pub mod portfolio;
mod snapshot;
mod view;

pub use board::Board;
pub use deals::{Deal, Fill, Placement};
pub use estimate::{Fees, TRADE_GAS};
pub use exchange::Exchange;
pub use indexer::{Indexer, OpenOrder, PastTrade, Portfolio, Position, MAX_ORDERS};
pub use plan::{expected, limit, Expected, Intent, Limit, Need, OrderPlan, Plan};
pub use snapshot::{Holding, Snapshot};
pub use view::{MarketView, Row};

use cicada_core::exchange::ExchangeError;
use cicada_core::quote::Framework;

/// Why something cannot be had or done. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The exchange refuses.
    #[error("{error}{}", advice(why))]
    Refused {
        /// Why.
        why: ExchangeError,
        /// The same with the words of the contract.
        #[source]
        error: cicada_chain::Error,
    },
    /// The chain, or another contract, refuses.
    #[error("{error}")]
    Chain {
        /// What it says.
        #[from]
        error: cicada_chain::Error,
    },
    /// There is no market.
    #[error("there is no market for {0} yet: 'cicada71 list --framework {0}' opens it as soon as the leaderboard ranks it; 'cicada71 leaderboard' shows who is ranked")]
    NotListed(Framework),
    /// The newest leaderboard does not rank the framework.
    #[error("the newest leaderboard does not rank {0}: there is no quote to trade at")]
    NoQuote(Framework),
    /// The quote is too old.
    #[error("the quote of {framework} is {age_ms} ms old and the exchange accepts less than {max_ms} ms: wait for the next leaderboard ('paxos-market' finalizes one)")]
    Stale {
        /// Whose quote.
        framework: Framework,
        /// Its age.
        age_ms: u64,
        /// The age from which on it is too old.
        max_ms: u64,
    },
    /// Trading is paused.
    #[error("trading is paused by the exchange's owner; orders can still be cancelled, and 'cicada71 market --json' shows whether its end is announced")]
    Paused,
    /// The framework has no points.
    #[error("{0} has no points in the newest leaderboard: its price is 0 and the market maker trades nothing for nothing")]
    ZeroPrice(Framework),
    /// More than the market maker trades with the account now.
    #[error("{amount} tokens of {framework} are left for the market maker, which trades {room} with this account now (its limits within an hour and its reserve): trade less, place a limit order, or wait; within 70 minutes all of the limit is free again")]
    Room {
        /// Which token.
        framework: Framework,
        /// Tokens that no resting order covers.
        amount: u128,
        /// What the market maker trades.
        room: u128,
    },
    /// An amount of nothing.
    #[error("an amount is at least 1 token")]
    ZeroAmount,
    /// The account has too little.
    #[error("this needs {needed} {unit} and the account has {has} {unit}")]
    TooPoor {
        /// What is needed, as people read it.
        needed: String,
        /// What is there.
        has: String,
        /// Of what.
        unit: String,
    },
    /// It would cost more, or yield less, than the caller accepts.
    #[error("it {verb} {expected} MMC now and the limit is {limit} MMC: change {option}")]
    OutsideLimit {
        /// `costs` or `yields`.
        verb: &'static str,
        /// What is expected.
        expected: String,
        /// What the caller accepts.
        limit: String,
        /// The option to change.
        option: &'static str,
    },
    /// A number has no place in 128 bits.
    #[error("this is more money than there can be: use a smaller amount or price")]
    Overflow,
    /// The price of an order has no place in the book.
    #[error("a price is a multiple of {tick} MMC and above 0: write for example 49.5")]
    BadPrice {
        /// The step of prices.
        tick: String,
    },
    /// There is no such order.
    #[error("there is no open order {0}: it was filled or cancelled, or never was; 'cicada71 history' shows trades")]
    NoOrder(u64),
    /// The indexer does not answer, or with something else.
    #[error("the indexer at {url} does not answer as expected ({reason}): start it, or name another with --indexer")]
    Indexer {
        /// Its address.
        url: String,
        /// What went wrong.
        reason: String,
    },
}

impl Error {
    /// What comes of a call of the exchange.
    pub(crate) fn of_exchange(error: cicada_chain::Error) -> Self {
        match error.refused() {
            Some(why) => Self::Refused { why, error },
            None => Self::Chain { error },
        }
    }

    /// Why the exchange refused, if it did.
    pub fn refused(&self) -> Option<&ExchangeError> {
        match self {
            Self::Refused { why, .. } => Some(why),
            _ => None,
        }
    }

    /// The transaction that may still be done, if that is what this says.
    pub fn underway(&self) -> Option<&cicada_chain::Underway> {
        match self {
            Self::Chain { error } => error.underway(),
            _ => None,
        }
    }
}

/// What to do about a refusal that the contract's own words leave open.
fn advice(why: &ExchangeError) -> &'static str {
    match why {
        ExchangeError::TooLate => " Give more time with --deadline.",
        ExchangeError::TooMuch => " The price moved: raise --max-cost or --slippage-bps.",
        ExchangeError::TooLittle => " The price moved: lower --min-proceeds or raise --slippage-bps.",
        ExchangeError::LimitReached => {
            " Trade less now; within 70 minutes all of the limit is free again. 'cicada71 market' shows how much is left."
        }
        ExchangeError::InsufficientReserve => " Trade less, or place a limit order.",
        ExchangeError::NotReached => " 'cicada71 market' shows the market maker's prices.",
        ExchangeError::NotAnnounced => " Announce it with 'cicada71 reserve announce' (anew after a pause); a day later it can be taken, for a day.",
        ExchangeError::TooEarly => " 'cicada71 market' shows from when on it can be taken.",
        ExchangeError::OwnOrder => " 'cicada71 orders' lists yours, 'cicada71 order cancel' takes one out.",
        ExchangeError::TokenRefused => " The account has too few tokens, or allows the exchange too few.",
        ExchangeError::StaleQuote | ExchangeError::NoQuote => " Wait for the next leaderboard.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_contracts::types::PSP22Error;
    use cicada_core::fixed::MathError;
    use parity_scale_codec::Encode;

    fn contract(why: &(impl Encode + std::fmt::Debug + 'static)) -> cicada_chain::Error {
        cicada_chain::Error::refusal_of("x", why, "It is so.")
    }

    #[test]
    fn refusals_say_what_to_do() {
        let refusal = |why: ExchangeError| Error::of_exchange(contract(&why));
        let late = refusal(ExchangeError::TooLate);
        assert!(late.to_string().contains("--deadline"), "{late}");
        assert_eq!(late.refused(), Some(&ExchangeError::TooLate));
        let math = refusal(ExchangeError::Math(MathError::Overflow));
        assert!(math.to_string().ends_with("It is so."), "{math}");
        let absent = Error::NotListed(Framework::new("claude").unwrap()).to_string();
        assert!(absent.contains("cicada71 list --framework claude"), "{absent}");
    }

    #[test]
    fn what_a_token_refuses_is_not_taken_for_the_exchange() {
        // In SCALE it is what `TooLate` is for the exchange.
        let refused = Error::of_exchange(contract(&PSP22Error::InsufficientAllowance));
        assert_eq!(refused.refused(), None);
        assert!(refused.to_string().ends_with("It is so."), "{refused}");
    }
}

//! Trading of performance tokens at the quotes of the newest leaderboard (requirement 000-the-market).
//!
//! Amounts are whole performance tokens, prices and values base units of MMC. A value is a price
//! times an amount, so nothing here is ever rounded.

pub mod book;
pub mod maker;
pub mod matching;
pub mod terms;
pub mod tree;
pub mod window;

#[cfg(test)]
mod maker_tests;
#[cfg(test)]
mod tests;

pub use maker::Withdrawal;
pub use terms::{Gate, Limits, MakerTerms, Schedule};

use crate::fixed::MathError;
use crate::quote::Framework;
use crate::Account;
use parity_scale_codec::{Decode, Encode};

/// The prices of resting orders are multiples of this, in base units of MMC. Every quote is one.
pub const TICK: u128 = 10;

/// The most fills of resting orders in one call.
pub const MAX_FILLS: u32 = 8;

/// The most price levels that one look at the depth of a market answers.
pub const MAX_LEVELS: u32 = 50;

/// The side of an order or of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Side {
    /// Pays MMC for tokens.
    Buy,
    /// Gives tokens for MMC.
    Sell,
}

/// What a trade came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Trade {
    /// Tokens bought or sold.
    pub amount: u128,
    /// Base units of MMC paid or received for them.
    pub value: u128,
    /// Those of the tokens that were traded with the market maker.
    pub at_quote: u128,
    /// Fills of resting orders; at most [`MAX_FILLS`].
    pub fills: u32,
}

/// A resting order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Order {
    /// Whose.
    pub owner: Account,
    /// Which token.
    pub framework: Framework,
    /// Whether it buys or sells.
    pub side: Side,
    /// Base units of MMC for one token; a multiple of [`TICK`].
    pub price: u128,
    /// Tokens not traded yet; more than 0.
    pub amount: u128,
}

/// The orders that rest at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Level {
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens of all its orders.
    pub amount: u128,
    /// How many orders.
    pub orders: u32,
}

/// The market of one framework.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Market {
    /// The contract of its performance token.
    pub token: Account,
    /// Base units of MMC with which the market maker buys tokens back.
    pub reserve: u128,
    /// Tokens that exist.
    pub outstanding: u128,
    /// Tokens traded with the market maker in the present hour and the 23 before it.
    pub volume_24h: u128,
    /// What the tokens count that the market maker sold in the last hour: base units of MMC that they
    /// may come to be worth.
    pub risked: u128,
    /// Base units of MMC that it paid for tokens in the last hour.
    pub paid: u128,
    /// The highest bid that the market maker traded at, or the owner announced a withdrawal at, today or
    /// on the seven days before.
    pub peak_bid: u128,
    /// What the owner announced to take out of the reserve.
    pub withdrawal: Option<Withdrawal>,
}

/// Why the exchange does not do what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum ExchangeError {
    /// The caller is not the owner.
    NotOwner,
    /// Trading is paused.
    Paused,
    /// The deadline is reached.
    TooLate,
    /// The framework has no market here.
    UnknownFramework,
    /// The framework has a market already.
    AlreadyListed,
    /// The newest leaderboard does not rank the framework.
    NoQuote,
    /// The newest leaderboard is older than the exchange accepts.
    StaleQuote,
    /// The framework has no points: the market maker trades nothing for nothing.
    ZeroPrice,
    /// An amount of nothing.
    ZeroAmount,
    /// The price of an order is 0, no multiple of the tick, or too high for the book.
    InvalidPrice,
    /// It would cost more than the caller accepts.
    TooMuch,
    /// It would yield less than the caller accepts.
    TooLittle,
    /// More tokens would exist, or more be risked within an hour, than the market maker accepts.
    LimitReached,
    /// The market maker's reserve does not suffice; who buys is told so where it could not buy all
    /// tokens back at the highest bid that was seen lately.
    InsufficientReserve,
    /// There is no such order.
    UnknownOrder,
    /// The order is somebody else's.
    NotOrderOwner,
    /// A parameter is outside its range.
    InvalidTerms,
    /// A token contract refused, or cannot be called.
    TokenRefused,
    /// The contract of the leaderboard cannot be called.
    LeaderboardUnavailable,
    /// A calculation has no result.
    Math(MathError),
    /// The next resting order to fill is the caller's own: he cancels it first.
    OwnOrder,
    /// The quote has not reached the price of the order.
    NotReached,
    /// No such withdrawal was announced, or before a pause, or more than a day ago it could have been
    /// taken.
    NotAnnounced,
    /// What was announced is not due yet, or trading has only just been resumed.
    TooEarly,
}

impl From<MathError> for ExchangeError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

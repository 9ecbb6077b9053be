//! What happened, for whoever follows the chain.

use cicada_core::exchange::{MakerTerms, Side};
use cicada_core::quote::Framework;
use ink::primitives::AccountId;

/// A framework got a market.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketListed {
    /// Whose performance.
    #[ink(topic)]
    pub framework: Framework,
    /// The contract of its token.
    #[ink(topic)]
    pub token: AccountId,
    /// The number of the market.
    pub market: u32,
}

/// Tokens were traded.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traded {
    /// Whose performance.
    #[ink(topic)]
    pub framework: Framework,
    /// Whose order it was; the owner of a resting order that `fill_order` filled.
    #[ink(topic)]
    pub taker: AccountId,
    /// Whose resting order it met; none if it was the market maker.
    #[ink(topic)]
    pub maker: Option<AccountId>,
    /// Whether the taker bought or sold.
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens.
    pub amount: u128,
    /// The resting order that was filled; none if it was a trade at the quote.
    pub order: Option<u64>,
}

/// An order rests.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPlaced {
    /// Whose performance.
    #[ink(topic)]
    pub framework: Framework,
    /// Whose order.
    #[ink(topic)]
    pub owner: AccountId,
    /// Its number.
    pub order: u64,
    /// Whether it buys or sells.
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens that rest, after what was traded at once.
    pub amount: u128,
}

/// An order was taken out of the book.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderCancelled {
    /// Whose performance.
    #[ink(topic)]
    pub framework: Framework,
    /// Whose order.
    #[ink(topic)]
    pub owner: AccountId,
    /// Its number.
    pub order: u64,
    /// Tokens that were left.
    pub amount: u128,
}

/// The reserve of a market grew.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposited {
    /// Which market.
    #[ink(topic)]
    pub framework: Framework,
    /// Who paid.
    #[ink(topic)]
    pub from: AccountId,
    /// Base units of MMC.
    pub amount: u128,
}

/// The owner took out of the reserve of a market.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Which market.
    #[ink(topic)]
    pub framework: Framework,
    /// Who got it.
    #[ink(topic)]
    pub to: AccountId,
    /// Base units of MMC.
    pub amount: u128,
}

/// The owner will take out of the reserve of a market.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawalAnnounced {
    /// Which market.
    #[ink(topic)]
    pub framework: Framework,
    /// Base units of MMC, at most.
    pub amount: u128,
    /// From when on, in milliseconds since 1970; until a day later.
    pub from_ms: u64,
}

/// The market maker's parameters will change.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsAnnounced {
    /// What they will be.
    pub terms: MakerTerms,
    /// From when on, in milliseconds since 1970.
    pub from_ms: u64,
}

/// Trading was paused, or will be resumed.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseChanged {
    /// Whether it was paused.
    pub paused: bool,
    /// From when on it is paused or open, in milliseconds since 1970.
    pub from_ms: u64,
}

/// The owner offered ownership.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipProposed {
    /// The owner.
    pub owner: AccountId,
    /// Who may accept.
    pub proposed: AccountId,
}

/// Ownership was handed on.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipAccepted {
    /// The new owner.
    pub owner: AccountId,
}

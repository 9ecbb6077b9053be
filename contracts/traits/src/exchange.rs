//! Trading of performance tokens (`docs/contracts/exchange.md`).
//!
//! Amounts are whole performance tokens, prices and values base units of MMC. A message with a
//! deadline is too late in a block whose time is the deadline or after it.

use crate::payment::TokenRefused;
pub use cicada_core::exchange::ExchangeError;
use cicada_core::exchange::{Gate, Level, MakerTerms, Market, Order, Schedule, Side, Trade};
use cicada_core::quote::{Framework, Quote};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

impl From<TokenRefused> for ExchangeError {
    fn from(_: TokenRefused) -> Self {
        Self::TokenRefused
    }
}

/// What an order came to when it was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub struct Placed {
    /// What was traded at once.
    pub trade: Trade,
    /// The order that rests with what is left; none if nothing rests.
    pub order: Option<u64>,
}

/// The parameters of the exchange, and what it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub struct ExchangeTerms {
    /// The contract of MMC.
    pub currency: AccountId,
    /// The contract whose newest record holds the quotes.
    pub leaderboard: AccountId,
    /// The code of performance tokens.
    pub token_code: [u8; 32],
    /// What the owner set, and what he announced.
    pub maker: Schedule,
    /// Whether trading is open.
    pub gate: Gate,
    /// How many frameworks have a market.
    pub markets: u32,
}

/// A market maker that creates performance tokens at the ask and destroys them at the bid, and a
/// book of orders between its two prices and outside them.
///
/// The owner is the market maker.
#[ink::trait_definition]
pub trait Exchange {
    /// Opens the market of a framework that the newest leaderboard ranks, and creates the contract
    /// of its token. Anybody may. Answers the token.
    ///
    /// # Errors
    /// `Paused`, `AlreadyListed`, `NoQuote`, `LeaderboardUnavailable`, `TokenRefused`.
    ///
    /// # Events
    /// `MarketListed`.
    #[ink(message)]
    fn list(&mut self, framework: Framework) -> Result<AccountId, ExchangeError>;

    /// Buys `amount` tokens for at most `max_cost`, out of what the caller allows at MMC: from
    /// resting orders up to the ask, the cheapest and then the oldest first, at most
    /// [`MAX_FILLS`](cicada_core::exchange::MAX_FILLS), and the rest from the market maker at the
    /// ask. All of it or nothing.
    ///
    /// # Errors
    /// `Paused`, `TooLate`, `UnknownFramework`, `NoQuote`, `StaleQuote`, `ZeroPrice`,
    /// `ZeroAmount`, `OwnOrder`, `TooMuch`, `LimitReached`, `InsufficientReserve`, `TokenRefused`,
    /// `LeaderboardUnavailable`, `Math`.
    ///
    /// # Events
    /// `Traded` for each fill.
    #[ink(message)]
    fn buy(
        &mut self,
        framework: Framework,
        amount: u128,
        max_cost: u128,
        deadline_ms: u64,
    ) -> Result<Trade, ExchangeError>;

    /// Sells `amount` tokens, out of what the caller allows at the token, for at least
    /// `min_proceeds`: to resting orders down to the bid, the dearest and then the oldest first, at
    /// most [`MAX_FILLS`](cicada_core::exchange::MAX_FILLS), and the rest to the market maker at
    /// the bid. All of it or nothing.
    ///
    /// # Errors
    /// As [`Exchange::buy`], `TooLittle` instead of `TooMuch`.
    ///
    /// # Events
    /// `Traded` for each fill.
    #[ink(message)]
    fn sell(
        &mut self,
        framework: Framework,
        amount: u128,
        min_proceeds: u128,
        deadline_ms: u64,
    ) -> Result<Trade, ExchangeError>;

    /// Places an order: trades at once what `price` allows with resting orders and with the market
    /// maker, whatever is better, and leaves the rest in the book. A buyer pays `price` for the
    /// rest now and gets back what it turns out to be cheaper; a seller hands the tokens over.
    /// If [`MAX_FILLS`](cicada_core::exchange::MAX_FILLS) fills leave an order that the rest would
    /// meet, the rest stays with the caller: the book is never crossed.
    ///
    /// # Errors
    /// `Paused`, `TooLate`, `UnknownFramework`, `ZeroAmount`, `InvalidPrice`, `OwnOrder`,
    /// `TokenRefused`, `LeaderboardUnavailable`, `Math`. Without a fresh quote, or beyond the market maker's
    /// limits and reserve, it trades with resting orders only.
    ///
    /// # Events
    /// `Traded` for each fill, `OrderPlaced` if something is left.
    #[ink(message)]
    fn place(
        &mut self,
        framework: Framework,
        side: Side,
        price: u128,
        amount: u128,
        deadline_ms: u64,
    ) -> Result<Placed, ExchangeError>;

    /// Takes what is left of an order out of the book, also while trading is paused, and gives its
    /// money or tokens back. Answers the tokens that were left.
    ///
    /// # Errors
    /// `UnknownOrder`, `NotOrderOwner`, `TokenRefused`.
    ///
    /// # Events
    /// `OrderCancelled`.
    #[ink(message)]
    fn cancel(&mut self, order: u64) -> Result<u128, ExchangeError>;

    /// Has the market maker fill a resting order that its price has reached, at that price, as far as
    /// its limits and the reserve go. Anybody may. Answers the tokens that were traded.
    ///
    /// # Errors
    /// `Paused`, `UnknownOrder`, `NoQuote`, `StaleQuote`, `ZeroPrice`, `NotReached`, `LimitReached`,
    /// `InsufficientReserve`, `TokenRefused`, `LeaderboardUnavailable`, `Math`.
    ///
    /// # Events
    /// `Traded`.
    #[ink(message)]
    fn fill_order(&mut self, order: u64) -> Result<u128, ExchangeError>;

    /// Adds to the reserve of a framework, out of what the caller allows at MMC. Anybody may.
    ///
    /// # Errors
    /// `UnknownFramework`, `ZeroAmount`, `TokenRefused`, `Math`.
    ///
    /// # Events
    /// `Deposited`.
    #[ink(message)]
    fn deposit(&mut self, framework: Framework, amount: u128) -> Result<(), ExchangeError>;

    /// Announces that up to `amount` will be taken out of the reserve of a framework, a day from now
    /// and within a day then, in place of what was announced before. Answers from when on, in
    /// milliseconds since 1970. Only the owner may.
    ///
    /// # Errors
    /// `NotOwner`, `Paused`, `UnknownFramework`, `ZeroAmount`; as long as tokens exist
    /// `LeaderboardUnavailable`.
    ///
    /// # Events
    /// `WithdrawalAnnounced`.
    #[ink(message)]
    fn announce_withdrawal(
        &mut self,
        framework: Framework,
        amount: u128,
    ) -> Result<u64, ExchangeError>;

    /// Pays of what was announced out of the reserve of a framework to the owner, if all tokens can
    /// still be bought back at the newest bid and at the highest that was seen in the last seven days, or
    /// in those before what was seen last if there is no fresh bid above 0. Only the owner may.
    ///
    /// # Errors
    /// `NotOwner`, `Paused`, `UnknownFramework`, `ZeroAmount`, `NotAnnounced`, `TooEarly`,
    /// `InsufficientReserve`, `TokenRefused`, `Math`; as long as tokens exist `LeaderboardUnavailable`.
    ///
    /// # Events
    /// `Withdrawn`.
    #[ink(message)]
    fn withdraw(&mut self, framework: Framework, amount: u128) -> Result<(), ExchangeError>;

    /// Announces what the market maker will risk, and the age from which on a quote will be stale, a
    /// day from now, in place of what was announced before. Answers from when on, in milliseconds
    /// since 1970. Only the owner may.
    ///
    /// # Errors
    /// `NotOwner`, `Paused`, `InvalidTerms`.
    ///
    /// # Events
    /// `TermsAnnounced`.
    #[ink(message)]
    fn set_terms(&mut self, terms: MakerTerms) -> Result<u64, ExchangeError>;

    /// Stops listing, trading, placing, withdrawals and announcements at once, and forgets what was
    /// announced and does not act yet; or announces that all go on in
    /// [`RESUME_MS`](cicada_core::exchange::terms::RESUME_MS). Cancelling and deposits always go on.
    /// Only the owner may.
    ///
    /// # Errors
    /// `NotOwner`; `TooEarly` for a pause when trading has been open for less than that since the last.
    ///
    /// # Events
    /// `PauseChanged`, if it does.
    #[ink(message)]
    fn set_paused(&mut self, paused: bool) -> Result<(), ExchangeError>;

    /// The parameters.
    #[ink(message)]
    fn terms(&self) -> ExchangeTerms;

    /// Up to 50 listed frameworks in the order of their listing, from place `from` on.
    #[ink(message)]
    fn frameworks(&self, from: u32, limit: u32) -> Vec<Framework>;

    /// The market of a framework.
    #[ink(message)]
    fn market(&self, framework: Framework) -> Option<Market>;

    /// The quote at which the market maker trades now.
    ///
    /// # Errors
    /// `NoQuote`, `StaleQuote`, `LeaderboardUnavailable`.
    #[ink(message)]
    fn quote(&self, framework: Framework) -> Result<Quote, ExchangeError>;

    /// How many tokens the market maker trades now with an account that buys or sells.
    ///
    /// # Errors
    /// `Paused`, `UnknownFramework`, `NoQuote`, `StaleQuote`, `ZeroPrice`, `LeaderboardUnavailable`.
    #[ink(message)]
    fn room(
        &self,
        framework: Framework,
        side: Side,
        account: AccountId,
    ) -> Result<u128, ExchangeError>;

    /// The best price levels of one side of the book, at most
    /// [`MAX_LEVELS`](cicada_core::exchange::MAX_LEVELS); the market maker's own prices are not
    /// among them.
    #[ink(message)]
    fn depth(&self, framework: Framework, side: Side, limit: u32) -> Vec<Level>;

    /// A resting order.
    #[ink(message)]
    fn order(&self, order: u64) -> Option<Order>;

    /// Tokens of a framework traded with the market maker in the present hour and the 23 before it; 0
    /// without a market.
    #[ink(message)]
    fn volume_24h(&self, framework: Framework) -> u128;
}

/// The most frameworks that one call of `frameworks` returns.
pub const MAX_PAGE: u32 = 50;

//! The pool in which the index token is traded (`docs/contracts/pair.md`).
//!
//! Amounts are smallest units of the token they are of. A message with a deadline is too late in
//! a block whose time is the deadline or after it.

use crate::payment::TokenRefused;
use cicada_core::fixed::MathError;
use cicada_core::pair::{Deposit, PairError as PoolError, Pool, PriceSum};
use ink::primitives::AccountId;

/// Why the pool does not do what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum PairError {
    /// A pool of a token with itself.
    SameToken,
    /// The token is not one of the two.
    UnknownToken,
    /// The deadline is reached.
    TooLate,
    /// Less would come out than the caller accepts.
    TooLittle,
    /// More would have to be paid in than the caller accepts.
    TooMuch,
    /// The caller has fewer shares.
    InsufficientShares,
    /// A token contract refused, or cannot be called.
    TokenRefused,
    /// A rule of the pool.
    Pool(PoolError),
}

impl From<PoolError> for PairError {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<MathError> for PairError {
    fn from(error: MathError) -> Self {
        Self::Pool(PoolError::Math(error))
    }
}

impl From<TokenRefused> for PairError {
    fn from(_: TokenRefused) -> Self {
        Self::TokenRefused
    }
}

/// A constant-product pool of two tokens. Its shares are a token, the contract itself.
#[ink::trait_definition]
pub trait Pair {
    /// Deposits at most `max_a` and `max_b`, out of what the caller allows at the tokens, for at
    /// least `min_shares`: no more of each than the shares need. The first deposit takes all and
    /// sets the price.
    ///
    /// # Errors
    /// [`PairError::TooLate`], [`PairError::Pool`], [`PairError::TooLittle`],
    /// [`PairError::TokenRefused`].
    ///
    /// # Events
    /// `LiquidityAdded`, `Transfer` from nobody.
    #[ink(message)]
    fn add_liquidity(
        &mut self,
        max_a: u128,
        max_b: u128,
        min_shares: u128,
        deadline_ms: u64,
    ) -> Result<Deposit, PairError>;

    /// Gives `shares` of the caller back for their part of both reserves, rounded down, at least
    /// `min_a` and `min_b`. Answers what is paid.
    ///
    /// # Errors
    /// [`PairError::TooLate`], [`PairError::Pool`], [`PairError::TooLittle`],
    /// [`PairError::InsufficientShares`], [`PairError::TokenRefused`].
    ///
    /// # Events
    /// `LiquidityRemoved`, `Transfer` to nobody.
    #[ink(message)]
    fn remove_liquidity(
        &mut self,
        shares: u128,
        min_a: u128,
        min_b: u128,
        deadline_ms: u64,
    ) -> Result<(u128, u128), PairError>;

    /// Sells `amount_in` of `token_in`, out of what the caller allows, for at least `min_out` of
    /// the other token. Answers what is paid out.
    ///
    /// # Errors
    /// [`PairError::TooLate`], [`PairError::UnknownToken`], [`PairError::Pool`],
    /// [`PairError::TooLittle`], [`PairError::TokenRefused`].
    ///
    /// # Events
    /// `Swapped`.
    #[ink(message)]
    fn swap_exact_in(
        &mut self,
        token_in: AccountId,
        amount_in: u128,
        min_out: u128,
        deadline_ms: u64,
    ) -> Result<u128, PairError>;

    /// Buys `amount_out` of the other token for at most `max_in` of `token_in`, out of what the
    /// caller allows. Answers what is paid in.
    ///
    /// # Errors
    /// [`PairError::TooLate`], [`PairError::UnknownToken`], [`PairError::Pool`],
    /// [`PairError::TooMuch`], [`PairError::TokenRefused`].
    ///
    /// # Events
    /// `Swapped`.
    #[ink(message)]
    fn swap_exact_out(
        &mut self,
        token_in: AccountId,
        max_in: u128,
        amount_out: u128,
        deadline_ms: u64,
    ) -> Result<u128, PairError>;

    /// Pays what the contract holds of both tokens beyond the reserves to `to`: what was sent to
    /// it by mistake belongs to whoever takes it first. Answers what is paid.
    ///
    /// # Errors
    /// [`PairError::TokenRefused`].
    ///
    /// # Events
    /// None but the tokens'.
    #[ink(message)]
    fn skim(&mut self, to: AccountId) -> Result<(u128, u128), PairError>;

    /// The two tokens: the index token, whose price is told, and TAO.
    #[ink(message)]
    fn tokens(&self) -> (AccountId, AccountId);

    /// The fee of a trade, in bps of what is paid in; 0 to 100.
    #[ink(message)]
    fn fee_bps(&self) -> u16;

    /// The reserves, and the shares in them.
    #[ink(message)]
    fn reserves(&self) -> Pool;

    /// What `amount_in` of `token_in` would buy now, rounded down.
    ///
    /// # Errors
    /// [`PairError::UnknownToken`], [`PairError::Pool`].
    #[ink(message)]
    fn quote_out(&self, token_in: AccountId, amount_in: u128) -> Result<u128, PairError>;

    /// What `amount_out` would cost now in `token_in`, rounded up.
    ///
    /// # Errors
    /// [`PairError::UnknownToken`], [`PairError::Pool`].
    #[ink(message)]
    fn quote_in(&self, token_in: AccountId, amount_out: u128) -> Result<u128, PairError>;

    /// The price of one index token (18 decimals) in TAO (9), at scale 10¹⁸, rounded down,
    /// without the fee.
    ///
    /// # Errors
    /// [`PairError::Pool`] of an empty pool, or of a price beyond 128 bits.
    #[ink(message)]
    fn price_e18(&self) -> Result<u128, PairError>;

    /// The sum of price · milliseconds up to now. Of two readings,
    /// `cicada_core::pair::average_e18_floor` makes the time-weighted average price.
    #[ink(message)]
    fn cumulative_price(&self) -> PriceSum;
}

//! Money held until a job is done (`docs/contracts/escrow.md`).

use cicada_core::escrow::{Decision, Reserve, Summary, Terms, Verdict};
use cicada_core::hash::Hash;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Why a message of the escrow is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum EscrowError {
    /// There is no escrow, or no reserve, of this number.
    NotFound,
    /// The caller has no part in this.
    NotAllowed,
    /// The token contract refused to move the money: balance or allowance do not suffice.
    TokenRefused,
    /// The reserve holds less than that.
    ReserveTooSmall,
}

/// Escrows run by an operator: a contract, such as the compute market, whom both parties have
/// permitted to act for them.
#[ink::trait_definition]
pub trait EscrowOperator {
    /// Permits or forbids a contract to act for the caller: to lock the caller's money in
    /// reserves and to run escrows in which the caller is a party. Escrows and reserves that
    /// exist are not touched.
    #[ink(message)]
    fn set_operator(&mut self, operator: AccountId, allowed: bool) -> Result<(), EscrowError>;

    /// Whether `operator` may act for `owner`.
    #[ink(message)]
    fn is_operator(&self, owner: AccountId, operator: AccountId) -> bool;

    /// Locks `amount` of `owner`'s `token` for the caller, who must be his operator. Gives the
    /// number of the reserve. The owner must have approved this contract at the token.
    #[ink(message)]
    fn reserve(
        &mut self,
        owner: AccountId,
        token: AccountId,
        amount: u128,
    ) -> Result<u64, EscrowError>;

    /// Pays from a reserve. Only its operator may.
    #[ink(message)]
    fn spend(&mut self, reserve: u64, to: AccountId, amount: u128) -> Result<(), EscrowError>;

    /// Makes a funded escrow from a reserve of the requester, run by the caller. Only the
    /// reserve's operator may, and the provider must have permitted him too. `fund_by_ms` says
    /// nothing here. Gives the number of the escrow.
    #[ink(message)]
    fn draw(&mut self, reserve: u64, terms: Terms) -> Result<u64, EscrowError>;

    /// The provider has completed the part in work. Of what a release pays, `deduction` goes to
    /// the requester (at most the part's amount). Only the escrow's operator may.
    #[ink(message)]
    fn complete_for(
        &mut self,
        escrow: u64,
        result: Hash,
        deduction: u128,
    ) -> Result<(), EscrowError>;

    /// Pays all that is left: `provider_share` to the provider, the rest to the requester. Not in
    /// a dispute. Only the escrow's operator may.
    #[ink(message)]
    fn settle(&mut self, escrow: u64, provider_share: u128) -> Result<(), EscrowError>;

    /// A reserve.
    #[ink(message)]
    fn reserve_of(&self, reserve: u64) -> Option<Reserve>;

    /// An escrow as others see it.
    #[ink(message)]
    fn summary(&self, escrow: u64) -> Option<Summary>;
}

#[allow(unused_imports)]
use {Decision as _, Vec as _, Verdict as _};

//! Scores and their history (`docs/contracts/reputation.md`).

use cicada_core::name::Name;
use cicada_core::reputation::Event;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Why a message of the reputation contract is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum ReputationError {
    /// The caller is not on the list of writers.
    NotWriter,
}

/// What other contracts need of it.
#[ink::trait_definition]
pub trait Reputation {
    /// Applies events to an account, in order, at most 8. Only writers may.
    #[ink(message)]
    fn record(&mut self, account: AccountId, events: Vec<Event>) -> Result<(), ReputationError>;

    /// The points of an account now, decay included.
    #[ink(message)]
    fn points(&self, account: AccountId) -> u32;

    /// Whether the committee has attested this capability to the account, and still does.
    #[ink(message)]
    fn is_capable(&self, account: AccountId, capability: Name) -> bool;
}

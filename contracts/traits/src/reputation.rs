//! Scores and their history (`docs/contracts/reputation.md`).

use crate::stored::Opaque;
use cicada_core::reputation::{Decay, Event, HistoryEntry, Summary};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Why a message of the reputation contract is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub enum ReputationError {
    /// The caller is not on the list of writers.
    NotWriter,
    /// More than `MAX_EVENTS` events in one call.
    TooManyEvents,
    /// The stars of a feedback are not 1 to 5.
    InvalidStars,
    /// The caller is not the owner.
    NotOwner,
    /// A decay of more than 10,000 bps, or one without a length of its epoch.
    InvalidDecay,
}

/// What other contracts need of it.
#[ink::trait_definition]
pub trait Reputation {
    /// Applies events to an account, in order, at most 8: all of them or none. Only writers may.
    ///
    /// # Errors
    /// [`ReputationError::NotWriter`], [`ReputationError::TooManyEvents`],
    /// [`ReputationError::InvalidStars`].
    ///
    /// # Events
    /// `ReputationChanged` for each.
    #[ink(message)]
    fn record(&mut self, account: AccountId, events: Vec<Event>) -> Result<(), ReputationError>;

    /// The points of an account now, decay included; 50 for an account of which nothing is known.
    #[ink(message)]
    fn points(&self, account: AccountId) -> u32;
}

/// What people read of scores.
#[ink::trait_definition]
pub trait ReputationView {
    /// Points, metrics, score and counts of an account now, decay included.
    #[ink(message)]
    fn summary(&self, account: AccountId) -> Summary;

    /// Up to `limit` (at most 50) events of an account from index `from` on, the oldest first.
    /// The first has index 0.
    #[ink(message)]
    fn history(&self, account: AccountId, from: u64, limit: u32) -> Vec<Opaque<HistoryEntry>>;

    /// How scores return to their start, as fixed at creation.
    #[ink(message)]
    fn decay(&self) -> Decay;
}

/// Who may write.
#[ink::trait_definition]
pub trait Writers {
    /// Puts an account on the list of writers, or takes it off. Only the owner may. What is so
    /// already stays so, without an event. Off it is at once. On it writes at once as long as
    /// nothing was ever recorded; later it waits for `WRITER_DELAY_MS`, so that everybody can see
    /// it and go before it writes.
    ///
    /// # Errors
    /// [`ReputationError::NotOwner`].
    ///
    /// # Events
    /// `WriterChanged`.
    #[ink(message)]
    fn set_writer(&mut self, account: AccountId, allowed: bool) -> Result<(), ReputationError>;

    /// Whether an account may write now.
    #[ink(message)]
    fn is_writer(&self, account: AccountId) -> bool;
}

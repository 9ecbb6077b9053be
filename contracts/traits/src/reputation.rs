//! Scores, their history, and attested capabilities (`docs/contracts/reputation.md`).

use crate::stored::Opaque;
use cicada_core::capability::{CapabilityError, CapabilityRow};
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::leaderboard::Settlement;
use cicada_core::name::Name;
use cicada_core::report::{FeedError, FeedState, Report};
use cicada_core::reputation::{Decay, Event, HistoryEntry, Summary};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Why a message of the reputation contract is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
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
    /// The report does not extend the feed of capabilities.
    Feed(FeedError),
    /// The rows are no content of a report.
    Content(CapabilityError),
    /// The rows are not those whose root the committee signed.
    ContentMismatch,
    /// The certificate is not valid.
    Certificate(CertificateError),
    /// The contract that verifies certificates cannot be called.
    ValidatorsUnavailable,
}

impl From<FeedError> for ReputationError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<CapabilityError> for ReputationError {
    fn from(error: CapabilityError) -> Self {
        Self::Content(error)
    }
}

impl From<CertificateError> for ReputationError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
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

    /// Whether the committee has attested this capability to the account, and still does.
    #[ink(message)]
    fn is_capable(&self, account: AccountId, capability: Name) -> bool;
}

/// What was fixed at creation, and the newest attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Settings {
    /// The contract that verifies certificates.
    pub validators: AccountId,
    /// How scores return to their start.
    pub decay: Decay,
    /// Slot, digest and time of the newest report of capabilities; slot 0 before the first.
    pub latest: FeedState,
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

    /// What was fixed at creation, and the newest attestation.
    #[ink(message)]
    fn settings(&self) -> Settings;
}

/// Who may write.
#[ink::trait_definition]
pub trait Writers {
    /// Puts an account on the list of writers, or takes it off. Only the owner may. What is so
    /// already stays so, without an event.
    ///
    /// # Errors
    /// [`ReputationError::NotOwner`].
    ///
    /// # Events
    /// `WriterChanged`.
    #[ink(message)]
    fn set_writer(&mut self, account: AccountId, allowed: bool) -> Result<(), ReputationError>;

    /// Whether an account may write.
    #[ink(message)]
    fn is_writer(&self, account: AccountId) -> bool;
}

/// What the committee attests.
#[ink::trait_definition]
pub trait Capabilities {
    /// Writes certified rows, 1 to 64. Anybody may bring them; the newest report, brought again, is
    /// [`Settlement::AlreadyDone`] and changes nothing.
    ///
    /// # Errors
    /// [`ReputationError::Feed`], [`ReputationError::Content`],
    /// [`ReputationError::ContentMismatch`], [`ReputationError::Certificate`],
    /// [`ReputationError::ValidatorsUnavailable`].
    ///
    /// # Events
    /// `CapabilitiesAttested` if written.
    #[ink(message)]
    fn attest_capabilities(
        &mut self,
        report: Report,
        rows: Vec<CapabilityRow>,
        certificate: Opaque<Certificate>,
    ) -> Result<Settlement, ReputationError>;
}

//! The canonical ranking (`docs/contracts/leaderboard.md`).

use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::leaderboard::{Board, ContentError, Record, RecordHeader, Settlement};
use cicada_core::quote::{Framework, Quote};
use cicada_core::report::{FeedError, FeedState, Report};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Why a leaderboard is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum LeaderboardError {
    /// The report does not extend the feed.
    Feed(FeedError),
    /// The rows are no leaderboard.
    Content(ContentError),
    /// The rows and the commitment are not those whose root the committee signed.
    ContentMismatch,
    /// The certificate is not valid.
    Certificate(CertificateError),
    /// The contract that verifies certificates cannot be called.
    ValidatorsUnavailable,
}

impl From<FeedError> for LeaderboardError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<ContentError> for LeaderboardError {
    fn from(error: ContentError) -> Self {
        Self::Content(error)
    }
}

impl From<CertificateError> for LeaderboardError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

/// One immutable record per slot.
#[ink::trait_definition]
pub trait Leaderboard {
    /// Records a certified leaderboard: its rows, and the commitment to the scores of all shards. Anybody may bring it; the report of a slot that is
    /// final already is [`Settlement::AlreadyDone`] and changes nothing.
    ///
    /// # Errors
    /// [`LeaderboardError`].
    ///
    /// # Events
    /// `LeaderboardFinalized` if recorded.
    #[ink(message)]
    fn submit(
        &mut self,
        report: Report,
        board: Board,
        certificate: Certificate,
    ) -> Result<Settlement, LeaderboardError>;

    /// Slot, digest and time of the newest record; slot 0 before the first.
    #[ink(message)]
    fn latest(&self) -> FeedState;

    /// The record of a slot.
    #[ink(message)]
    fn record(&self, slot: u64) -> Option<Record>;

    /// The quotes of the newest record, in order of rank.
    #[ink(message)]
    fn ranking(&self) -> Vec<Quote>;

    /// The newest quote of a framework.
    #[ink(message)]
    fn quote(&self, framework: Framework) -> Option<Quote>;

    /// Up to `limit` (at most [`MAX_PAGE`]) records from slot `from` on, ascending.
    #[ink(message)]
    fn history(&self, from: u64, limit: u32) -> Vec<RecordHeader>;

    /// The contract that verifies certificates.
    #[ink(message)]
    fn validators(&self) -> AccountId;
}

/// The most entries that one call of `history` returns.
pub const MAX_PAGE: u32 = 50;

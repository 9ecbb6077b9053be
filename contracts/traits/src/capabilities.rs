//! What the committee attests that accounts can do (`docs/contracts/capabilities.md`).

use crate::stored::Opaque;
use cicada_core::capability::CapabilityRow;
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::leaderboard::Settlement;
use cicada_core::name::Name;
use cicada_core::report::{FeedError, FeedState, Report};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Why capabilities are not attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum CapabilitiesError {
    /// The report does not extend the feed.
    Feed(FeedError),
    /// The rows are not those whose root the committee signed.
    ContentMismatch,
    /// The certificate is not valid.
    Certificate(CertificateError),
    /// The contract that verifies certificates cannot be called.
    ValidatorsUnavailable,
}

impl From<FeedError> for CapabilitiesError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<CertificateError> for CapabilitiesError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

/// The register of attested capabilities.
#[ink::trait_definition]
pub trait Capabilities {
    /// Writes certified rows, 1 to 64. Anybody may bring them; the newest report, brought again, is
    /// [`Settlement::AlreadyDone`] and changes nothing. Certified rows that are no content of a report
    /// take their slot as [`Settlement::Void`] and write nothing.
    ///
    /// # Errors
    /// [`CapabilitiesError`].
    ///
    /// # Events
    /// `CapabilitiesAttested` if written, `SlotVoid` if void.
    #[ink(message)]
    fn attest_capabilities(
        &mut self,
        report: Report,
        rows: Vec<CapabilityRow>,
        certificate: Opaque<Certificate>,
    ) -> Result<Settlement, CapabilitiesError>;

    /// Whether the committee has attested this capability to the account, and still does.
    #[ink(message)]
    fn is_capable(&self, account: AccountId, capability: Name) -> bool;

    /// Slot, digest and time of the newest report; slot 0 before the first.
    #[ink(message)]
    fn latest(&self) -> FeedState;

    /// The contract that verifies certificates.
    #[ink(message)]
    fn validators(&self) -> AccountId;
}

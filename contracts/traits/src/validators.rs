//! The committee: registration, change, verification (`docs/contracts/validators.md`).

use cicada_core::certificate::{Certificate, CertificateError, Signature};
use cicada_core::committee::{AttestationKey, CommitteeError, ConsensusKey, Domain, Member};
use cicada_core::hash::Digest;
use cicada_core::report::{FeedError, FeedState, Report};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Why the committee is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum ValidatorsError {
    /// The caller is not the owner.
    NotOwner,
    /// The first committee is seated already; only a certified change replaces it.
    AlreadyFormed,
    /// The attestation key did not sign the statement for this caller, key pair and contract.
    BadPossession,
    /// An operator has not registered keys.
    NotRegistered,
    /// The list of members is no committee.
    Committee(CommitteeError),
    /// The report does not extend the feed of committees.
    Feed(FeedError),
    /// The members are not those whose root the committee signed.
    WrongRoot,
    /// The certificate is not valid.
    Certificate(CertificateError),
    /// An operator may not serve: he has too little stake, or was ejected. In a certified change:
    /// so many that the next committee could certify nothing.
    NotActive,
}

impl From<CommitteeError> for ValidatorsError {
    fn from(error: CommitteeError) -> Self {
        Self::Committee(error)
    }
}

impl From<FeedError> for ValidatorsError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<CertificateError> for ValidatorsError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

/// The committee of nodes.
#[ink::trait_definition]
pub trait Validators {
    /// Registers or replaces the caller's keys for the committees to come. `possession` is the
    /// attestation key's signature under `Domain::possession_statement`.
    ///
    /// # Errors
    /// [`ValidatorsError::BadPossession`].
    ///
    /// # Events
    /// `KeysRegistered`.
    #[ink(message)]
    fn register(
        &mut self,
        consensus_key: ConsensusKey,
        attestation_key: AttestationKey,
        possession: Signature,
    ) -> Result<(), ValidatorsError>;

    /// Seats the first committee: the operators in seat order. Only the owner may, once.
    ///
    /// # Errors
    /// [`ValidatorsError::NotOwner`], [`ValidatorsError::AlreadyFormed`],
    /// [`ValidatorsError::NotRegistered`], [`ValidatorsError::Committee`],
    /// [`ValidatorsError::NotActive`] once rules of stake are set.
    ///
    /// # Events
    /// `CommitteeSeated`.
    #[ink(message)]
    fn form_committee(&mut self, operators: Vec<AccountId>) -> Result<(), ValidatorsError>;

    /// Seats the next committee by a report that the committee in office certified. Its root is
    /// `members_root` of the members in seat order. Anybody may bring it. The members are those of
    /// the report, with keys that they registered once: whoever replaces his keys afterwards stops
    /// nothing. Once rules of stake are set, a seat whose operator may not serve now has no voice
    /// for the whole epoch.
    ///
    /// # Errors
    /// [`ValidatorsError::Feed`], [`ValidatorsError::NotRegistered`],
    /// [`ValidatorsError::Committee`], [`ValidatorsError::WrongRoot`],
    /// [`ValidatorsError::Certificate`], [`ValidatorsError::NotActive`].
    ///
    /// # Events
    /// `CommitteeSeated`.
    #[ink(message)]
    fn rotate(
        &mut self,
        report: Report,
        members: Vec<Member>,
        certificate: Certificate,
    ) -> Result<(), ValidatorsError>;

    /// Whether the committee in office certified the report with this digest. The caller computes
    /// the digest from the report itself, and checks feed, slot and time: a digest from elsewhere
    /// proves nothing to him.
    ///
    /// # Errors
    /// [`CertificateError`].
    #[ink(message)]
    fn verify(&self, digest: Digest, certificate: Certificate) -> Result<(), CertificateError>;

    /// The epoch in office; 0 before the first committee.
    #[ink(message)]
    fn epoch(&self) -> u32;

    /// The number of seats.
    #[ink(message)]
    fn seats(&self) -> u8;

    /// The digest that every signature of the epoch in office binds.
    #[ink(message)]
    fn config_digest(&self) -> Digest;

    /// The chain and contract that registrations and signatures are for.
    #[ink(message)]
    fn domain(&self) -> Domain;

    /// The members in office, in seat order.
    #[ink(message)]
    fn committee(&self) -> Vec<Member>;

    /// The keys that an operator registered for the committees to come.
    #[ink(message)]
    fn keys_of(&self, operator: AccountId) -> Option<(ConsensusKey, AttestationKey)>;

    /// The newest change of committee in its feed.
    #[ink(message)]
    fn feed_state(&self) -> FeedState;
}

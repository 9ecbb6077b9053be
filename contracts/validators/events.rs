//! What happened, for whoever follows the chain.

use cicada_core::hash::Digest;
use cicada_core::report::Feed;
use cicada_core::slashing::{OffenceKind, Severity};
use cicada_traits::staking::StakingTerms;
use ink::primitives::AccountId;

/// An operator registered or replaced keys.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysRegistered {
    /// The operator.
    #[ink(topic)]
    pub operator: AccountId,
    /// The ed25519 key of consensus messages.
    pub consensus_key: [u8; 32],
    /// The sr25519 key of attestations.
    pub attestation_key: [u8; 32],
}

/// A committee took office.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitteeSeated {
    /// Its epoch.
    pub epoch: u32,
    /// The digest that its signatures bind.
    pub config_digest: Digest,
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

/// The rules of stake were set or announced.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsSet {
    /// All of them.
    pub terms: StakingTerms,
    /// From when on they are in force, in milliseconds since 1970.
    pub from_ms: u64,
}

/// An operator asked to be replaced.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resigned {
    /// The operator.
    #[ink(topic)]
    pub operator: AccountId,
}

/// An operator added to his stake.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bonded {
    /// The operator.
    #[ink(topic)]
    pub operator: AccountId,
    /// How much, in units of the token.
    pub amount: u128,
}

/// An operator began to take stake out.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbonding {
    /// The operator.
    #[ink(topic)]
    pub operator: AccountId,
    /// How much, in units of the token.
    pub amount: u128,
    /// From when on all that he is taking out is free, in milliseconds since 1970.
    pub releases_ms: u64,
}

/// An operator got stake back.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The operator.
    #[ink(topic)]
    pub operator: AccountId,
    /// How much, in units of the token.
    pub amount: u128,
}

/// An offence was punished.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slashed {
    /// Who did it.
    #[ink(topic)]
    pub operator: AccountId,
    /// What he did.
    pub offence: OffenceKind,
    /// The committee in which he signed.
    pub epoch: u32,
    /// The feed.
    pub feed: Feed,
    /// The slot.
    pub slot: u64,
    /// How bad it was.
    pub severity: Severity,
    /// What it cost, in units of the token.
    pub amount: u128,
}

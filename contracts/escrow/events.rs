//! What happened, for whoever follows the chain.

use cicada_core::escrow::{Action, State};
use cicada_core::hash::Digest;
use ink::primitives::AccountId;

/// Something happened to an escrow: one event for every entry of its log.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowAdvanced {
    /// The number of the escrow.
    #[ink(topic)]
    pub escrow: u64,
    /// Who acted: the caller; for a signed decision, its signer.
    #[ink(topic)]
    pub actor: AccountId,
    /// The position of the entry in the log, from 0.
    pub index: u32,
    /// What he did.
    pub action: Action,
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// The block's time, in milliseconds.
    pub time_ms: u64,
    /// Digest of what was asked for and what was paid.
    pub detail: Digest,
    /// Digest of the log up to here.
    pub digest: Digest,
}

/// An account permitted a contract to act for it, or no longer does.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSet {
    /// Who permits.
    #[ink(topic)]
    pub owner: AccountId,
    /// The contract.
    #[ink(topic)]
    pub operator: AccountId,
    /// Whether it may from now on.
    pub allowed: bool,
}

/// An operator locked money of an owner.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReserveOpened {
    /// The number of the reserve.
    #[ink(topic)]
    pub reserve: u64,
    /// Whose money it is.
    #[ink(topic)]
    pub owner: AccountId,
    /// Who may spend it.
    pub operator: AccountId,
    /// The PSP22 contract.
    pub token: AccountId,
    /// How much, in the token's smallest unit.
    pub amount: u128,
}

/// Money left a reserve.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReserveSpent {
    /// The number of the reserve.
    #[ink(topic)]
    pub reserve: u64,
    /// Who got it; this contract if an escrow was made of it.
    #[ink(topic)]
    pub to: AccountId,
    /// How much, in the token's smallest unit.
    pub amount: u128,
    /// The escrow that was made of it.
    pub escrow: Option<u64>,
}

/// The money of an escrow that was made of a reserve came back to it: nothing was delivered, or it was
/// taken back.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReserveReturned {
    /// The number of the reserve.
    #[ink(topic)]
    pub reserve: u64,
    /// How much, in the token's smallest unit.
    pub amount: u128,
    /// The escrow.
    pub escrow: u64,
}

/// A payment waits for its account to claim it: the token refused it, or an arbitrator earned it.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited {
    /// Whose it is.
    #[ink(topic)]
    pub owner: AccountId,
    /// The PSP22 contract.
    #[ink(topic)]
    pub token: AccountId,
    /// How much, in the token's smallest unit.
    pub amount: u128,
}

/// An account was paid what waited for it.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Whose it was.
    #[ink(topic)]
    pub owner: AccountId,
    /// The PSP22 contract.
    #[ink(topic)]
    pub token: AccountId,
    /// How much, in the token's smallest unit.
    pub amount: u128,
}

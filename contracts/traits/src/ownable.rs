//! Ownership that is handed on in two steps, so that it cannot be sent to nobody by mistake.

use ink::primitives::AccountId;

/// Why a message of the owner is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub enum OwnableError {
    /// The caller is not the owner.
    NotOwner,
    /// The caller was not proposed as the next owner.
    NotProposed,
}

/// The owner of a contract.
#[ink::trait_definition]
pub trait Ownable {
    /// The owner.
    #[ink(message)]
    fn owner(&self) -> AccountId;

    /// Offers ownership to `account`, replacing an earlier offer. Only the owner may.
    ///
    /// # Errors
    /// [`OwnableError::NotOwner`].
    ///
    /// # Events
    /// `OwnershipProposed`.
    #[ink(message)]
    fn propose_owner(&mut self, account: AccountId) -> Result<(), OwnableError>;

    /// Takes the ownership that was offered to the caller.
    ///
    /// # Errors
    /// [`OwnableError::NotProposed`].
    ///
    /// # Events
    /// `OwnershipAccepted`.
    #[ink(message)]
    fn accept_ownership(&mut self) -> Result<(), OwnableError>;
}

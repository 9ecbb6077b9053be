//! The fungible token: the PSP22 standard, its metadata, a supply changed under roles, and the
//! roles themselves. Contract: `contracts/token`, page: `docs/contracts/token.md`.
//!
//! Amounts are whole numbers of the token's smallest unit; `token_decimals` says how many of them
//! make one token (requirement d-2).

use ink::{
    prelude::{string::String, vec::Vec},
    primitives::AccountId,
};

/// Errors of the PSP22 messages. The variants and their order are the standard's: their SCALE
/// indices never move, and those not used here stay.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // inside the derived `Encode`
pub enum PSP22Error {
    /// Anything else. `token` returns it nowhere: it stands for a sum that cannot overflow.
    Custom(String),
    /// The account holds less than the amount.
    InsufficientBalance,
    /// The allowance is less than the amount.
    InsufficientAllowance,
    /// Of the standard, deprecated there; never returned by `token`.
    ZeroRecipientAddress,
    /// Of the standard, deprecated there; never returned by `token`.
    ZeroSenderAddress,
    /// Of the standard, deprecated there; never returned by `token`.
    SafeTransferCheckFailed(String),
}

/// Errors of the messages beyond PSP22: [`Supply`] and [`Roles`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // inside the derived `Encode`
pub enum TokenError {
    /// A rule of the standard: the balance or the allowance does not suffice.
    Token(PSP22Error),
    /// The total supply would exceed `u128::MAX`.
    SupplyOverflow,
    /// The caller does not have the role that the message asks for.
    MissingRole(Role),
}

impl From<PSP22Error> for TokenError {
    fn from(error: PSP22Error) -> Self {
        Self::Token(error)
    }
}

/// What an account may do besides holding tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // inside the derived `Encode`
pub enum Role {
    /// May grant and revoke every role.
    Admin,
    /// May create tokens.
    Minter,
    /// May destroy its own tokens, and those of others within their allowance.
    Burner,
}

/// The PSP22 standard.
#[ink::trait_definition]
pub trait PSP22 {
    /// The amount of all tokens that exist.
    #[ink(message)]
    fn total_supply(&self) -> u128;

    /// The amount that `owner` holds; 0 for an account never seen.
    #[ink(message)]
    fn balance_of(&self, owner: AccountId) -> u128;

    /// The amount that `spender` may still take from `owner`.
    #[ink(message)]
    fn allowance(&self, owner: AccountId, spender: AccountId) -> u128;

    /// Moves `value` from the caller to `to`. `data` is ignored. An amount of zero or a transfer to
    /// oneself succeeds and does nothing, whatever the balance.
    ///
    /// # Events
    /// `Transfer`.
    ///
    /// # Errors
    /// `InsufficientBalance`.
    #[ink(message)]
    fn transfer(&mut self, to: AccountId, value: u128, data: Vec<u8>) -> Result<(), PSP22Error>;

    /// Moves `value` from `from` to `to`, out of what `from` allows the caller; a caller that is
    /// `from` needs no allowance. `data` is ignored. An amount of zero or `from` equal to `to`
    /// succeeds and does nothing.
    ///
    /// # Events
    /// `Approval` with what is left of the allowance, unless the caller is `from`; `Transfer`.
    ///
    /// # Errors
    /// `InsufficientAllowance`, and only if that suffices, `InsufficientBalance`.
    #[ink(message)]
    fn transfer_from(
        &mut self,
        from: AccountId,
        to: AccountId,
        value: u128,
        data: Vec<u8>,
    ) -> Result<(), PSP22Error>;

    /// Sets what `spender` may take from the caller to `value`, whatever it was. Approving oneself
    /// succeeds and does nothing.
    ///
    /// # Events
    /// `Approval`.
    #[ink(message)]
    fn approve(&mut self, spender: AccountId, value: u128) -> Result<(), PSP22Error>;

    /// Raises what `spender` may take from the caller by `delta_value`, to at most `u128::MAX`.
    /// A `delta_value` of zero or naming oneself succeeds and does nothing.
    ///
    /// # Events
    /// `Approval` with the new allowance.
    #[ink(message)]
    fn increase_allowance(
        &mut self,
        spender: AccountId,
        delta_value: u128,
    ) -> Result<(), PSP22Error>;

    /// Lowers what `spender` may take from the caller by `delta_value`. A `delta_value` of zero or
    /// naming oneself succeeds and does nothing.
    ///
    /// # Events
    /// `Approval` with the new allowance.
    ///
    /// # Errors
    /// `InsufficientAllowance` if the allowance is less than `delta_value`.
    #[ink(message)]
    fn decrease_allowance(
        &mut self,
        spender: AccountId,
        delta_value: u128,
    ) -> Result<(), PSP22Error>;
}

/// What the token is called; part of the PSP22 standard.
#[ink::trait_definition]
pub trait PSP22Metadata {
    /// The name; always there in `token`.
    #[ink(message)]
    fn token_name(&self) -> Option<String>;

    /// The ticker; always there in `token`.
    #[ink(message)]
    fn token_symbol(&self) -> Option<String>;

    /// One token is 10 to this power smallest units.
    #[ink(message)]
    fn token_decimals(&self) -> u8;
}

/// Changes of the supply, under roles.
///
/// The standard's `PSP22Mintable` and `PSP22Burnable` take other arguments (no account), so these
/// messages have names, and with them selectors, of their own.
#[ink::trait_definition]
pub trait Supply {
    /// Creates `value` and gives it to `to`. Zero succeeds and does nothing.
    ///
    /// # Events
    /// `Transfer` from nobody.
    ///
    /// # Errors
    /// `MissingRole(Minter)`, `SupplyOverflow`.
    #[ink(message)]
    fn mint(&mut self, to: AccountId, value: u128) -> Result<(), TokenError>;

    /// Destroys `value` of what `from` holds, out of what `from` allows the caller; a caller that
    /// is `from` needs no allowance. Zero succeeds and does nothing.
    ///
    /// # Events
    /// `Approval` with what is left of the allowance, unless the caller is `from`; `Transfer` to
    /// nobody.
    ///
    /// # Errors
    /// `MissingRole(Burner)`, `Token(InsufficientAllowance)`, `Token(InsufficientBalance)`.
    #[ink(message)]
    fn burn(&mut self, from: AccountId, value: u128) -> Result<(), TokenError>;
}

/// Who may change the supply, and who says so.
#[ink::trait_definition]
pub trait Roles {
    /// Whether `account` has `role`.
    #[ink(message)]
    fn has_role(&self, role: Role, account: AccountId) -> bool;

    /// Gives `role` to `account`. Giving it again succeeds and does nothing. Admins only.
    ///
    /// # Events
    /// `RoleChanged`.
    ///
    /// # Errors
    /// `MissingRole(Admin)`.
    #[ink(message)]
    fn grant_role(&mut self, role: Role, account: AccountId) -> Result<(), TokenError>;

    /// Takes `role` from `account`. Taking what it has not succeeds and does nothing. Admins, and the
    /// account itself.
    ///
    /// # Events
    /// `RoleChanged`.
    ///
    /// # Errors
    /// `MissingRole(Admin)`.
    #[ink(message)]
    fn revoke_role(&mut self, role: Role, account: AccountId) -> Result<(), TokenError>;
}

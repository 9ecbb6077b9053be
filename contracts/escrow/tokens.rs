//! The money: calls of PSP22 contracts, none of which is trusted.
//!
//! A token that traps, refuses or answers something else fails the message as a whole, and with
//! it nothing but escrows and reserves in this token. What a token says it did is not checked:
//! one that lies can only deceive those who chose it.

use cicada_traits::escrow::EscrowError;
use cicada_traits::psp22::PSP22;
use ink::codegen::TraitCallBuilder;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// Takes `amount` from `owner`, who has approved it.
#[inline(never)]
pub fn pull(
    token: AccountId,
    owner: AccountId,
    to: AccountId,
    amount: u128,
) -> Result<(), EscrowError> {
    let mut token: ink::contract_ref!(PSP22) = token.into();
    let answer = token.call_mut().transfer_from(owner, to, amount, Vec::new()).try_invoke();
    match answer {
        Ok(Ok(Ok(()))) => Ok(()),
        _ => Err(EscrowError::TokenRefused),
    }
}

/// Pays `amount`, if it is not 0.
#[inline(never)]
pub fn pay(token: AccountId, to: AccountId, amount: u128) -> Result<(), EscrowError> {
    if amount == 0 {
        return Ok(());
    }
    let mut token: ink::contract_ref!(PSP22) = token.into();
    match token.call_mut().transfer(to, amount, Vec::new()).try_invoke() {
        Ok(Ok(Ok(()))) => Ok(()),
        _ => Err(EscrowError::TokenRefused),
    }
}

/// What an account holds, as the token says.
#[inline(never)]
pub fn balance(token: AccountId, owner: AccountId) -> Result<u128, EscrowError> {
    let token: ink::contract_ref!(PSP22) = token.into();
    match token.call().balance_of(owner).try_invoke() {
        Ok(Ok(balance)) => Ok(balance),
        _ => Err(EscrowError::TokenRefused),
    }
}

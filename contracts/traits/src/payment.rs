//! Moves of PSP22 tokens, whose contracts are not trusted.
//!
//! A token that traps, refuses or answers something else than the standard's success fails the
//! move. What a token says it did is not checked: one that lies can only deceive those who
//! chose it.

use crate::bytes::{call, pack};
use ink::primitives::AccountId;
use ink::scale::{Compact, Decode};

/// The encoded length of a list of nothing.
const NO_DATA: Compact<u32> = Compact(0);

/// The token contract refused, or cannot be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRefused;

/// Moves money: the answer must be `Ok(())` and nothing else.
fn transfer(token: AccountId, selector: [u8; 4], arguments: &[u8]) -> Result<(), TokenRefused> {
    match call(token, selector, arguments).as_deref() {
        Ok([0]) => Ok(()),
        _ => Err(TokenRefused),
    }
}

/// Takes `amount` from `owner`, who has approved it, if it is not 0.
///
/// # Errors
/// [`TokenRefused`].
#[inline(never)]
pub fn pull(
    token: AccountId,
    owner: AccountId,
    to: AccountId,
    amount: u128,
) -> Result<(), TokenRefused> {
    if amount == 0 {
        return Ok(());
    }
    let selector = ink::selector_bytes!("PSP22::transfer_from");
    transfer(token, selector, &pack(&(owner, to, amount, NO_DATA)))
}

/// Pays `amount`, if it is not 0.
///
/// # Errors
/// [`TokenRefused`].
#[inline(never)]
pub fn pay(token: AccountId, to: AccountId, amount: u128) -> Result<(), TokenRefused> {
    if amount == 0 {
        return Ok(());
    }
    let selector = ink::selector_bytes!("PSP22::transfer");
    transfer(token, selector, &pack(&(to, amount, NO_DATA)))
}

/// What an account holds, as the token says.
///
/// # Errors
/// [`TokenRefused`].
#[inline(never)]
pub fn balance(token: AccountId, owner: AccountId) -> Result<u128, TokenRefused> {
    let answer = call(token, ink::selector_bytes!("PSP22::balance_of"), &pack(&owner));
    u128::decode(&mut answer.map_err(|_| TokenRefused)?.as_slice()).map_err(|_| TokenRefused)
}

//! Moves of PSP22 tokens, whose contracts are not trusted.
//!
//! A token that traps, refuses or answers something else than the standard's success fails the
//! move. What a token says it did is not checked: one that lies can only deceive those who
//! chose it.

use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::DefaultEnvironment;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::{Decode, Encode, Error, Input, Output};

/// The token contract refused, or cannot be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRefused;

/// Arguments that are encoded already.
struct Encoded(Vec<u8>);

impl Encode for Encoded {
    fn encode_to<T: Output + ?Sized>(&self, to: &mut T) {
        to.write(&self.0);
    }
}

/// Whatever a contract answers, not decoded.
struct Answer(Vec<u8>);

impl Decode for Answer {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        while let Ok(byte) = input.read_byte() {
            bytes.push(byte);
        }
        Ok(Self(bytes))
    }
}

/// One call for all messages, with bytes in and out: each typed call would cost a kilobyte of code.
#[inline(never)]
fn call(token: AccountId, selector: [u8; 4], arguments: Vec<u8>) -> Result<Vec<u8>, TokenRefused> {
    let input = ExecutionInput::new(Selector::new(selector)).push_arg(Encoded(arguments));
    let answer = build_call::<DefaultEnvironment>()
        .call(token)
        .exec_input(input)
        .returns::<Answer>()
        .try_invoke();
    match answer {
        Ok(Ok(answer)) => Ok(answer.0),
        _ => Err(TokenRefused),
    }
}

/// Moves money: the answer must be `Ok(())` and nothing else.
fn transfer(token: AccountId, selector: [u8; 4], arguments: Vec<u8>) -> Result<(), TokenRefused> {
    match call(token, selector, arguments)?.as_slice() {
        [0] => Ok(()),
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
    transfer(token, selector, (owner, to, amount, Vec::<u8>::new()).encode())
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
    transfer(token, selector, (to, amount, Vec::<u8>::new()).encode())
}

/// What an account holds, as the token says.
///
/// # Errors
/// [`TokenRefused`].
#[inline(never)]
pub fn balance(token: AccountId, owner: AccountId) -> Result<u128, TokenRefused> {
    let answer = call(token, ink::selector_bytes!("PSP22::balance_of"), owner.encode())?;
    u128::decode(&mut answer.as_slice()).map_err(|_| TokenRefused)
}

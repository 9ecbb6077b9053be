//! Calls of the token and of the reputation contract.
//!
//! Bytes go in and out through one function: a typed call would cost a kilobyte of code each time.

use cicada_core::slashing::Severity;
use cicada_traits::staking::StakingError;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::{DefaultEnvironment, Error as EnvError, ReturnErrorCode};
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::{Decode, Encode, Error, Input, Output};

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
        let mut bytes = vec![0; input.remaining_len()?.unwrap_or_default()];
        input.read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

/// Why there is no answer.
#[derive(PartialEq, Eq)]
enum Silence {
    /// No contract is there, or it does not know the message. Gas has no part in it.
    Unknown,
    /// The call was broken off: it trapped, or its gas ran out.
    Broken,
}

#[inline(never)]
fn call(callee: AccountId, selector: [u8; 4], arguments: Vec<u8>) -> Result<Vec<u8>, Silence> {
    let input = ExecutionInput::new(Selector::new(selector)).push_arg(Encoded(arguments));
    let answer = build_call::<DefaultEnvironment>()
        .call(callee)
        .exec_input(input)
        .returns::<Answer>()
        .try_invoke();
    match answer {
        Ok(Ok(answer)) => Ok(answer.0),
        Ok(Err(_))
        | Err(EnvError::Decode(_))
        | Err(EnvError::ReturnError(
            ReturnErrorCode::NotCallable | ReturnErrorCode::CodeNotFound,
        )) => Err(Silence::Unknown),
        Err(_) => Err(Silence::Broken),
    }
}

/// Moves tokens: the answer must be `Ok(())` and nothing else.
fn transfer(token: AccountId, selector: [u8; 4], arguments: Vec<u8>) -> Result<(), StakingError> {
    match call(token, selector, arguments).as_deref() {
        Ok([0]) => Ok(()),
        _ => Err(StakingError::TokenRefused),
    }
}

/// Takes `amount` from `owner`, who has approved it.
#[inline(never)]
pub fn pull(
    token: AccountId,
    owner: AccountId,
    to: AccountId,
    amount: u128,
) -> Result<(), StakingError> {
    let selector = ink::selector_bytes!("PSP22::transfer_from");
    transfer(token, selector, (owner, to, amount, Vec::<u8>::new()).encode())
}

/// Pays `amount`, if it is not 0.
#[inline(never)]
pub fn pay(token: AccountId, to: AccountId, amount: u128) -> Result<(), StakingError> {
    if amount == 0 {
        return Ok(());
    }
    let selector = ink::selector_bytes!("PSP22::transfer");
    transfer(token, selector, (to, amount, Vec::<u8>::new()).encode())
}

/// Tells the reputation contract of a penalty. A refusal is its own affair; a call that was broken
/// off is not, else whoever sends a penalty with little gas could keep it from being told.
#[inline(never)]
pub fn tell(
    reputation: AccountId,
    operator: AccountId,
    severity: Severity,
) -> Result<(), StakingError> {
    let selector = ink::selector_bytes!("Reputation::record");
    let events = vec![severity.reputation_event()];
    match call(reputation, selector, (operator, events).encode()) {
        Err(Silence::Broken) => Err(StakingError::ReputationUnavailable),
        Ok(_) | Err(Silence::Unknown) => Ok(()),
    }
}

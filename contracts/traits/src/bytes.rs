//! Calls of other contracts with bytes in and out: a typed call costs a kilobyte of code each time.

use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::{DefaultEnvironment, Error as EnvError, ReturnErrorCode};
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::{Decode, Encode, Error, Input, Output};

/// What is encoded already.
pub struct Encoded<'a>(pub &'a [u8]);

impl Encode for Encoded<'_> {
    fn encode_to<T: Output + ?Sized>(&self, to: &mut T) {
        to.write(self.0);
    }
}

/// Where bytes are collected. Unlike that of a `Vec`, its `write` is not inlined for each field.
struct Bytes(Vec<u8>);

impl Output for Bytes {
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// The encoding of a value.
pub fn pack<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = Bytes(Vec::new());
    value.encode_to(&mut bytes);
    bytes.0
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// No contract is there, or it does not know the message. Gas has no part in it.
    Unknown,
    /// The call was broken off: it trapped, or its gas ran out.
    Broken,
}

/// The answer of a message, in bytes.
///
/// # Errors
/// [`Silence`] if it did not come to one.
#[inline(never)]
pub fn call(callee: AccountId, selector: [u8; 4], arguments: &[u8]) -> Result<Vec<u8>, Silence> {
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

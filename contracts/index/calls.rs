//! Calls of the other contracts.
//!
//! Bytes go in and out through one function, which asks the chain itself: a typed call would cost
//! a kilobyte of code each time, and would read answers that must not be read.

use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::hash::Digest;
use cicada_core::nav::Record;
use cicada_core::report::ReportKind;
use cicada_core::slashing::Deviation;
use cicada_traits::index::{IndexError, PAY_PROOF_SIZE, PAY_REF_TIME};
use cicada_traits::staking::Seats;
use cicada_traits::stored::Opaque;
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::{Decode, Encode};
use ink::selector_bytes;

/// The longest answer that is read: an electorate of 32 seats has 1,574 bytes. A longer one breaks
/// off the message, so it is for contracts that can do so anyway.
const MAX_ANSWER: usize = 2_048;

/// What a message answers after the `Ok` of ink!, whether it was undone or not; none if it did not
/// come to an answer.
#[inline(never)]
fn call(callee: &AccountId, selector: [u8; 4], arguments: &[u8]) -> Option<Vec<u8>> {
    let mut answer = vec![0; MAX_ANSWER];
    let length = call_chain(callee, selector, arguments, (0, 0), Some(&mut answer))?;
    answer.truncate(length);
    match answer.first() {
        Some(0) => Some(answer.split_off(1)),
        _ => None,
    }
}

/// The same, read.
fn ask<T: Decode>(callee: &AccountId, selector: [u8; 4], arguments: &[u8]) -> Option<T> {
    T::decode(&mut call(callee, selector, arguments)?.as_slice()).ok()
}

/// A call with limits of time and proof (0 for all that is left); the length of the answer. With
/// no room for the answer it is not read, and one that was undone counts as none.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
fn call_chain(
    callee: &AccountId,
    selector: [u8; 4],
    arguments: &[u8],
    limits: (u64, u64),
    answer: Option<&mut [u8]>,
) -> Option<usize> {
    use pallet_contracts_uapi::{CallFlags, HostFn, HostFnImpl, ReturnErrorCode};
    let mut input = Vec::with_capacity(arguments.len().saturating_add(4));
    input.extend_from_slice(&selector);
    input.extend_from_slice(arguments);
    let is_read = answer.is_some();
    let mut rest = answer.unwrap_or_default();
    let callee: &[u8; 32] = callee.as_ref();
    let (flags, value) = (CallFlags::empty(), [0; 16]);
    let output = if is_read { Some(&mut rest) } else { None };
    match HostFnImpl::call_v2(flags, callee, limits.0, limits.1, None, &value, &input, output) {
        Ok(()) => Some(rest.len()),
        Err(ReturnErrorCode::CalleeReverted) if is_read => Some(rest.len()),
        Err(_) => None,
    }
}

/// Outside a contract there is nobody to call.
#[cfg(not(target_arch = "wasm32"))]
fn call_chain(
    _callee: &AccountId,
    _selector: [u8; 4],
    _arguments: &[u8],
    _limits: (u64, u64),
    _answer: Option<&mut [u8]>,
) -> Option<usize> {
    None
}

/// A message that must answer `Ok(())` and nothing else.
#[inline(never)]
fn done(callee: &AccountId, selector: [u8; 4], arguments: &[u8]) -> bool {
    call(callee, selector, arguments).as_deref() == Some(&[0])
}

/// The number that a message answers.
#[inline(never)]
fn number(callee: &AccountId, selector: [u8; 4], arguments: &[u8]) -> Option<u128> {
    ask(callee, selector, arguments)
}

/// Takes `amount` of a token, if it is not 0, from `owner`, who has approved it.
#[inline(never)]
pub fn pull(
    token: &AccountId,
    owner: &AccountId,
    to: &AccountId,
    amount: u128,
) -> Result<(), IndexError> {
    let arguments = (owner, to, amount, 0u8).encode();
    if amount == 0 || done(token, selector_bytes!("PSP22::transfer_from"), &arguments) {
        return Ok(());
    }
    Err(IndexError::TokenRefused)
}

/// Pays `amount` of a token, if it is not 0; whether the token did not refuse. It cannot use more
/// than its part of the gas, nor hurt with what it answers: that is not read, since an answer
/// longer than its room would break off the whole message.
#[inline(never)]
pub fn pay(token: &AccountId, to: &AccountId, amount: u128) -> bool {
    let arguments = (to, amount, 0u8).encode();
    let limits = (PAY_REF_TIME, PAY_PROOF_SIZE);
    amount == 0
        || call_chain(token, selector_bytes!("PSP22::transfer"), &arguments, limits, None).is_some()
}

/// What an account holds, as the token says.
#[inline(never)]
pub fn balance(token: &AccountId, owner: &AccountId) -> Option<u128> {
    number(token, selector_bytes!("PSP22::balance_of"), owner.as_ref())
}

/// The supply of the index token.
pub fn supply(token: &AccountId) -> Result<u128, IndexError> {
    number(token, selector_bytes!("PSP22::total_supply"), &[]).ok_or(IndexError::IndexTokenRefused)
}

/// Mints (`true`) or burns `amount` of the index token, if it is not 0.
#[inline(never)]
pub fn change_supply(
    token: &AccountId,
    account: &AccountId,
    amount: u128,
    mint: bool,
) -> Result<(), IndexError> {
    let selector =
        if mint { selector_bytes!("Supply::mint") } else { selector_bytes!("Supply::burn") };
    if amount == 0 || done(token, selector, &(account, amount).encode()) {
        return Ok(());
    }
    Err(IndexError::IndexTokenRefused)
}

/// Whether the committee in office certified the report with this digest.
pub fn verify(
    validators: &AccountId,
    digest: &Digest,
    certificate: &Opaque<Certificate>,
) -> Result<(), IndexError> {
    let selector = selector_bytes!("Validators::verify");
    let answer: Option<Result<(), CertificateError>> =
        ask(validators, selector, &(digest, certificate).encode());
    Ok(answer.ok_or(IndexError::ValidatorsUnavailable)??)
}

/// The committee of an epoch, with what weight.
pub fn electorate(validators: &AccountId, epoch: u32) -> Result<Seats, IndexError> {
    ask(validators, selector_bytes!("Judged::electorate"), &Some(epoch).encode())
        .ok_or(IndexError::ValidatorsUnavailable)
}

/// Hands over how far each seat was off a settled NAV.
pub fn report_deviations(
    validators: &AccountId,
    record: &Record,
    deviations: &Vec<Deviation>,
) -> Result<(), IndexError> {
    let Record { slot, time_ms, epoch, .. } = record;
    let arguments = (ReportKind::Nav, slot, time_ms, epoch, deviations).encode();
    if done(validators, selector_bytes!("Judged::report_deviations"), &arguments) {
        return Ok(());
    }
    Err(IndexError::PenaltiesRefused)
}

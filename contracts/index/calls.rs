//! Calls of the other contracts.
//!
//! Bytes go in and out through one function: a typed call would cost a kilobyte of code each time.

use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::committee::AttestationKeys;
use cicada_core::hash::Hash;
use cicada_core::report::ReportKind;
use cicada_core::slashing::OffenceKind;
use cicada_traits::index::IndexError;
use cicada_traits::staking::Deviation;
use cicada_traits::stored::Opaque;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::DefaultEnvironment;
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::{Decode, Encode, Error, Input, Output};
use ink::selector_bytes;

/// What is encoded already.
struct Encoded<'a>(&'a [u8]);

impl Encode for Encoded<'_> {
    fn encode_to<T: Output + ?Sized>(&self, to: &mut T) {
        to.write(self.0);
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

/// The answer of a message, in bytes; none if it did not come to one.
#[inline(never)]
fn call(callee: AccountId, selector: [u8; 4], arguments: &[u8]) -> Option<Vec<u8>> {
    let input = ExecutionInput::new(Selector::new(selector)).push_arg(Encoded(arguments));
    let answer = build_call::<DefaultEnvironment>()
        .call(callee)
        .exec_input(input)
        .returns::<Answer>()
        .try_invoke();
    Some(answer.ok()?.ok()?.0)
}

/// A message that must answer `Ok(())` and nothing else.
#[inline(never)]
fn done(callee: AccountId, selector: [u8; 4], arguments: &[u8]) -> bool {
    call(callee, selector, arguments).as_deref() == Some(&[0])
}

/// The number that a message answers.
#[inline(never)]
fn number(callee: AccountId, selector: [u8; 4], arguments: &[u8]) -> Option<u128> {
    let answer = call(callee, selector, arguments)?;
    u128::decode(&mut answer.as_slice()).ok()
}

/// Takes `amount` of a token, if it is not 0, from `owner`, who has approved it.
#[inline(never)]
pub fn pull(
    token: AccountId,
    owner: AccountId,
    to: AccountId,
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
/// longer than the buffer would break off the whole message.
#[inline(never)]
pub fn pay(token: AccountId, to: AccountId, amount: u128) -> bool {
    if amount == 0 {
        return true;
    }
    let selector = selector_bytes!("PSP22::transfer");
    limited_call(token, &(selector, to, amount, 0u8).encode())
}

/// A call within [`PAY_REF_TIME`](cicada_traits::index::PAY_REF_TIME) and
/// [`PAY_PROOF_SIZE`](cicada_traits::index::PAY_PROOF_SIZE): whether it was not undone.
#[cfg(target_arch = "wasm32")]
fn limited_call(callee: AccountId, input: &[u8]) -> bool {
    use cicada_traits::index::{PAY_PROOF_SIZE, PAY_REF_TIME};
    use pallet_contracts_uapi::{CallFlags, HostFn, HostFnImpl};
    let (callee, value): (&[u8; 32], _) = (callee.as_ref(), [0; 16]);
    let flags = CallFlags::empty();
    HostFnImpl::call_v2(flags, callee, PAY_REF_TIME, PAY_PROOF_SIZE, None, &value, input, None)
        .is_ok()
}

/// Outside a contract there is nobody to call.
#[cfg(not(target_arch = "wasm32"))]
fn limited_call(_callee: AccountId, _input: &[u8]) -> bool {
    false
}

/// What an account holds, as the token says.
#[inline(never)]
pub fn balance(token: AccountId, owner: AccountId) -> Option<u128> {
    number(token, selector_bytes!("PSP22::balance_of"), owner.as_ref())
}

/// The supply of the index token.
pub fn supply(token: AccountId) -> Result<u128, IndexError> {
    let answer = number(token, selector_bytes!("PSP22::total_supply"), &[]);
    answer.ok_or(IndexError::IndexTokenRefused)
}

/// Mints (`true`) or burns index tokens.
#[inline(never)]
pub fn change_supply(
    token: AccountId,
    account: AccountId,
    amount: u128,
    mint: bool,
) -> Result<(), IndexError> {
    let selector =
        if mint { selector_bytes!("Supply::mint") } else { selector_bytes!("Supply::burn") };
    if done(token, selector, &(account, amount).encode()) {
        return Ok(());
    }
    Err(IndexError::IndexTokenRefused)
}

/// Whether the committee in office certified the report with this digest.
pub fn verify(
    validators: AccountId,
    digest: &Hash,
    certificate: &Opaque<Certificate>,
) -> Result<(), IndexError> {
    let selector = selector_bytes!("Validators::verify");
    let answer: Result<(), CertificateError> =
        call(validators, selector, &(digest, certificate).encode())
            .and_then(|answer| Result::decode(&mut answer.as_slice()).ok())
            .ok_or(IndexError::ValidatorsUnavailable)?;
    Ok(answer?)
}

/// Who is in office: as `Electorate`, with the keys read as one block.
#[ink::scale_derive(Decode)]
pub struct Seats {
    pub epoch: u32,
    pub config_digest: Hash,
    pub keys: AttestationKeys,
    pub stakes: Vec<u128>,
}

/// Who is in office, with what stake.
pub fn electorate(validators: AccountId) -> Result<Seats, IndexError> {
    call(validators, selector_bytes!("Judged::electorate"), &[])
        .and_then(|answer| Seats::decode(&mut answer.as_slice()).ok())
        .ok_or(IndexError::ValidatorsUnavailable)
}

/// Hands over what was off the median; if nothing was, nothing is called.
pub fn report_deviations(
    validators: AccountId,
    slot: u64,
    deviations: &Vec<Deviation>,
) -> Result<(), IndexError> {
    if deviations.is_empty() {
        return Ok(());
    }
    let arguments = (ReportKind::Nav, slot, OffenceKind::NavDeviation, deviations).encode();
    if done(validators, selector_bytes!("Judged::report_deviations"), &arguments) {
        return Ok(());
    }
    Err(IndexError::PenaltiesRefused)
}

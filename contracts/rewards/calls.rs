//! Calls of the contract of validators.

use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::hash::Digest;
use cicada_core::report::ReportKind;
use cicada_core::slashing::Deviation;
use cicada_traits::rewards::{EpochRecord, RewardsError};
use cicada_traits::staking::{Seats, StakingError};
use cicada_traits::stored::Opaque;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::DefaultEnvironment;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::Decode;
use ink::selector_bytes;

/// The committee of a certificate, of which the scheme stands before it.
pub fn committee_of(certificate: &Opaque<Certificate>) -> u32 {
    <(u8, u32)>::decode(&mut certificate.bytes()).map(|(_, epoch)| epoch).unwrap_or_default()
}

/// Whether the committee in office certified the report with this digest: `Validators::verify`, with
/// the certificate as it came.
#[inline(never)]
pub fn verify(
    validators: AccountId,
    digest: Digest,
    certificate: Opaque<Certificate>,
) -> Result<(), RewardsError> {
    let selector = Selector::new(selector_bytes!("Validators::verify"));
    let input = ExecutionInput::new(selector).push_arg(digest).push_arg(certificate);
    build_call::<DefaultEnvironment>()
        .call(validators)
        .exec_input(input)
        .returns::<Result<(), CertificateError>>()
        .try_invoke()
        .ok()
        .and_then(Result::ok)
        .ok_or(RewardsError::ValidatorsUnavailable)?
        .map_err(RewardsError::Certificate)
}

/// The committee of an epoch; without keys if it is neither in office nor the one before until a day
/// ago.
#[inline(never)]
pub fn electorate(validators: AccountId, epoch: u32) -> Result<Seats, RewardsError> {
    let selector = Selector::new(selector_bytes!("Judged::electorate"));
    let input = ExecutionInput::new(selector).push_arg(Some(epoch));
    build_call::<DefaultEnvironment>()
        .call(validators)
        .exec_input(input)
        .returns::<Seats>()
        .try_invoke()
        .ok()
        .and_then(Result::ok)
        .ok_or(RewardsError::ValidatorsUnavailable)
}

/// Hands over how far each seat was off the ranking of an epoch.
#[inline(never)]
pub fn report_deviations(
    validators: AccountId,
    record: &EpochRecord,
    deviations: Vec<Deviation>,
) -> Result<(), RewardsError> {
    let selector = Selector::new(selector_bytes!("Judged::report_deviations"));
    let input = ExecutionInput::new(selector)
        .push_arg(ReportKind::Rewards)
        .push_arg(record.slot)
        .push_arg(record.time_ms)
        .push_arg(record.committee)
        .push_arg(deviations);
    let answer = build_call::<DefaultEnvironment>()
        .call(validators)
        .exec_input(input)
        .returns::<Result<(), StakingError>>()
        .try_invoke();
    match answer {
        Ok(Ok(Ok(()))) => Ok(()),
        _ => Err(RewardsError::PenaltiesRefused),
    }
}

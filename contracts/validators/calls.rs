//! The word to the reputation contract.

use cicada_core::slashing::reputation_event;
use cicada_traits::bytes::pack;
use cicada_traits::staking::{StakingError, TELL_REF_TIME};
use ink::env::DefaultEnvironment;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::Compact;

/// The encoded length of a list of one.
const ONE: Compact<u32> = Compact(1);

/// Tells the reputation contract of a penalty. Whatever it does with that is its own affair, within
/// its part of the gas; what it answers is not read. Only if its part was not left, and it broke off,
/// the penalty fails: else whoever sends one with little gas could keep it from being told.
#[inline(never)]
pub fn tell(reputation: AccountId, operator: AccountId, points: u32) -> Result<(), StakingError> {
    let events = (ONE, reputation_event(points));
    let mut input = Vec::from(ink::selector_bytes!("Reputation::record"));
    input.extend_from_slice(&pack(&(operator, events)));
    let left = ink::env::gas_left::<DefaultEnvironment>();
    if broke_off(reputation.as_ref(), &input) && left < TELL_REF_TIME {
        return Err(StakingError::ReputationUnavailable);
    }
    Ok(())
}

/// Calls a contract; whether it trapped, or used up its part.
#[cfg(target_arch = "wasm32")]
fn broke_off(callee: &[u8; 32], input: &[u8]) -> bool {
    use cicada_traits::staking::TELL_PROOF_SIZE;
    use pallet_contracts_uapi::{CallFlags, HostFn, HostFnImpl, ReturnErrorCode};
    let (flags, value) = (CallFlags::empty(), [0; 16]);
    let (time, proof) = (TELL_REF_TIME, TELL_PROOF_SIZE);
    let done = HostFnImpl::call_v2(flags, callee, time, proof, None, &value, input, None);
    done == Err(ReturnErrorCode::CalleeTrapped)
}

/// Outside a contract there is nobody to call.
#[cfg(not(target_arch = "wasm32"))]
fn broke_off(_callee: &[u8; 32], _input: &[u8]) -> bool {
    false
}

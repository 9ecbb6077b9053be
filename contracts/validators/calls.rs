//! The word to the reputation contract.

use cicada_core::slashing::reputation_event;
use cicada_traits::bytes::{call, pack, Silence};
use cicada_traits::staking::StakingError;
use ink::primitives::AccountId;
use ink::scale::Compact;

/// The encoded length of a list of one.
const ONE: Compact<u32> = Compact(1);

/// Tells the reputation contract of a penalty. A refusal is its own affair; a call that was broken
/// off is not, else whoever sends a penalty with little gas could keep it from being told.
#[inline(never)]
pub fn tell(reputation: AccountId, operator: AccountId, points: u32) -> Result<(), StakingError> {
    let selector = ink::selector_bytes!("Reputation::record");
    let events = (ONE, reputation_event(points));
    match call(reputation, selector, &pack(&(operator, events))) {
        Err(Silence::Broken) => Err(StakingError::ReputationUnavailable),
        Ok(_) | Err(Silence::Unknown) => Ok(()),
    }
}

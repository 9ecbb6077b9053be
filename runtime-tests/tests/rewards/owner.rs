//! The owner: changes the emission of epochs to come, hands himself on, and nothing else.

use crate::stage::*;
use cicada_core::rewards::{AwardError, Emission};
use cicada_runtime_tests::{account, on};
use cicada_traits::ownable::{Ownable, OwnableError};
use cicada_traits::rewards::{Rewards, RewardsError};
use rewards::rewards::{EmissionSet, OwnershipAccepted, OwnershipProposed};

impl Stage {
    fn set_emission(&mut self, name: &str, from_epoch: u64, amount: u128) -> Answer<()> {
        let message = on(&self.rewards).set_emission(from_epoch, amount);
        self.call(name, message)
    }

    fn emission(&mut self) -> Emission {
        self.world.read(on(&self.rewards).emission())
    }
}

#[test]
fn the_emission_changes_for_epochs_to_come() {
    let mut stage = Stage::funded(100_000_000);
    assert_eq!(stage.emission(), Emission::constant(EMISSION));
    // Epoch 1 runs.
    for begun in [0, 1] {
        assert_eq!(stage.set_emission(OWNER, begun, 5).fails(), RewardsError::EpochBegun);
    }
    let receipt = stage.set_emission(OWNER, 2, 700).succeeds();
    let event = receipt.event::<EmissionSet>(&stage.rewards);
    assert_eq!(event, EmissionSet { from_epoch: 2, amount: 700 });

    let first = stage.next(&scores(3, 1), &[], EMISSION);
    stage.settle(first);
    assert_eq!(stage.world.read(on(&stage.rewards).terms()).emission, 700);
    let second = stage.next(&scores(3, 2), &[], 701);
    let error = stage.settle_award(second.award).fails();
    assert_eq!(error, RewardsError::Award(AwardError::AboveEmission));
    let second = stage.next(&scores(3, 2), &[], 700);
    stage.settle(second);
    // Now epoch 3 runs, with what was set for epoch 2.
    assert_eq!(stage.set_emission(OWNER, 3, 5).fails(), RewardsError::EpochBegun);
    let _ = stage.set_emission(OWNER, 9, 5).succeeds();
    let _ = stage.set_emission(OWNER, 4, 6).succeeds();
    assert_eq!(stage.emission(), Emission { current: 700, change: Some((4, 6)) });
}

#[test]
fn nobody_else_changes_it() {
    let mut stage = Stage::new();
    assert_eq!(stage.set_emission(STRANGER, 2, 5).fails(), RewardsError::NotOwner);
    assert_eq!(stage.emission(), Emission::constant(EMISSION));
}

#[test]
fn ownership_is_handed_on_in_two_steps() {
    let mut stage = Stage::new();
    assert_eq!(stage.world.read(on(&stage.rewards).owner()), account(OWNER));
    let propose = |name| on(&stage.rewards).propose_owner(account(name));
    let accept = || on(&stage.rewards).accept_ownership();
    let (by_stranger, first, second) = (propose("bob"), propose("charlie"), propose("bob"));
    let (early, late, right, again) = (accept(), accept(), accept(), accept());
    assert_eq!(stage.call(STRANGER, by_stranger).fails(), OwnableError::NotOwner);
    assert_eq!(stage.call("bob", early).fails(), OwnableError::NotProposed);
    let _ = stage.call(OWNER, first).succeeds();
    let receipt = stage.call(OWNER, second).succeeds();
    let event = receipt.event::<OwnershipProposed>(&stage.rewards);
    assert_eq!((event.owner, event.proposed), (account(OWNER), account("bob")));
    assert_eq!(stage.call("charlie", late).fails(), OwnableError::NotProposed);
    let receipt = stage.call("bob", right).succeeds();
    assert_eq!(receipt.event::<OwnershipAccepted>(&stage.rewards).owner, account("bob"));
    assert_eq!(stage.call("bob", again).fails(), OwnableError::NotProposed);
    assert_eq!(stage.set_emission(OWNER, 2, 5).fails(), RewardsError::NotOwner);
    let _ = stage.set_emission("bob", 2, 5).succeeds();
}

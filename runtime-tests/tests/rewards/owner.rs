//! The owner: changes the emission of epochs to come, hands himself on, and nothing else.

use crate::stage::*;
use cicada_core::leaderboard::Settlement;
use cicada_core::rewards::Emission;
use cicada_runtime_tests::{account, on};
use cicada_traits::ownable::{Ownable, OwnableError};
use cicada_traits::rewards::{Rewards, RewardsError};
use rewards::rewards::{EmissionSet, OwnershipAccepted, OwnershipProposed};

impl Stage {
    fn set_emission(&mut self, name: &str, from_epoch: u64, amount: u128) -> Answer<()> {
        let message = on(&self.rewards).set_emission(from_epoch, amount);
        self.call(name, message)
    }

    /// The next epoch, which ended then.
    fn past(&mut self, end_ms: u64, pool: u128) -> Epoch {
        let state = self.state();
        self.compute(&state, end_ms, pool, &scores(3, 1), &[])
    }

    fn emission(&mut self) -> Emission {
        self.world.read(on(&self.rewards).emission())
    }
}

/// An epoch that leaves an hour between the notices of two.
const EPOCH: u64 = NOTICE + HOUR;

#[test]
fn the_emission_changes_for_epochs_to_come() {
    let mut stage = Stage::with_epochs(EPOCH);
    let _ = stage.fund(OWNER, 100_000_000).succeeds();
    let start_ms = stage.world.now();
    assert_eq!(stage.emission(), Emission::constant(EMISSION));
    // Epoch 1 runs.
    for begun in [0, 1] {
        assert_eq!(stage.set_emission(OWNER, begun, 5).fails(), RewardsError::EpochBegun);
    }
    let receipt = stage.set_emission(OWNER, 2, 700).succeeds();
    let event = receipt.event::<EmissionSet>(&stage.rewards);
    assert_eq!(event, EmissionSet { from_epoch: 2, amount: 700 });

    stage.world.at(start_ms + EPOCH);
    let first = stage.past(start_ms + EPOCH, EMISSION);
    stage.settle(first);
    assert_eq!(stage.world.read(on(&stage.rewards).terms()).emission, 700);
    stage.world.at(start_ms + 2 * EPOCH);
    let second = stage.past(start_ms + 2 * EPOCH, 701);
    assert_eq!(stage.settle_award(second.award).succeeds().value, Settlement::Void);
    let second = stage.past(start_ms + 2 * EPOCH, 700);
    stage.settle(second);
    // Now epoch 3 runs, with what was set for epoch 2.
    assert_eq!(stage.set_emission(OWNER, 3, 5).fails(), RewardsError::EpochBegun);
    let _ = stage.set_emission(OWNER, 9, 5).succeeds();
    let _ = stage.set_emission(OWNER, 4, 6).succeeds();
    assert_eq!(stage.emission(), Emission { current: 700, change: Some((4, 6)) });
}

#[test]
fn exactly_the_notice_before_an_epoch_can_begin_it_is_fixed() {
    let mut stage = Stage::with_epochs(EPOCH);
    let _ = stage.fund(OWNER, 100).succeeds();
    let start_ms = stage.world.now();
    for (from, current, begins_ms) in
        [(2, EMISSION, start_ms + EPOCH), (5, 70, start_ms + 4 * EPOCH)]
    {
        stage.world.at(begins_ms - NOTICE - 1);
        let _ = stage.set_emission(OWNER, from, 70).succeeds();
        stage.world.at(begins_ms - NOTICE);
        assert_eq!(stage.set_emission(OWNER, from, 80).fails(), RewardsError::EpochBegun);
        // Nor does a change for later take back what was set for it.
        assert_eq!(stage.set_emission(OWNER, 100, 80).fails(), RewardsError::EpochBegun);
        assert_eq!(stage.emission(), Emission { current, change: Some((from, 70)) });
        if from == 2 {
            stage.world.at(start_ms + 2 * EPOCH);
            for (end_ms, pool) in [(start_ms + EPOCH, 30), (start_ms + 2 * EPOCH, 70)] {
                let epoch = stage.past(end_ms, pool);
                stage.settle(epoch);
            }
        }
    }
}

#[test]
fn the_owner_puts_nothing_into_an_epoch_for_which_nobody_can_come_any_more() {
    let mut stage = Stage::funded(100_000_000);
    let start_ms = stage.world.now();
    // Whoever is to have a part in an epoch has to come in the one before.
    stage.world.at(start_ms + HOUR - 1);
    for amount in [u128::MAX, 0] {
        for from in [2, 3, 49] {
            assert_eq!(stage.set_emission(OWNER, from, amount).fails(), RewardsError::EpochBegun);
        }
    }
    let _ = stage.set_emission(OWNER, 50, u128::MAX).succeeds();
}

#[test]
fn a_lowered_emission_does_not_reach_epochs_that_wait_to_be_settled() {
    let mut stage = Stage::with_epochs(EPOCH);
    let _ = stage.fund(OWNER, 100_000_000).succeeds();
    let start_ms = stage.world.now();
    // Nobody settles for five epochs: the sixth runs.
    stage.world.at(start_ms + 5 * EPOCH);
    for over in 2..=6 {
        assert_eq!(stage.set_emission(OWNER, over, 0).fails(), RewardsError::EpochBegun);
    }
    let _ = stage.set_emission(OWNER, 7, 0).succeeds();
    for number in 1..=6 {
        let end_ms = start_ms + number * EPOCH;
        stage.world.at(end_ms.max(stage.world.now()));
        let epoch = stage.past(end_ms, EMISSION);
        stage.settle(epoch);
    }
    stage.world.at(start_ms + 7 * EPOCH);
    let last = stage.past(start_ms + 7 * EPOCH, 1);
    assert_eq!(stage.settle_award(last.award).succeeds().value, Settlement::Void);
    let last = stage.past(start_ms + 7 * EPOCH, 0);
    stage.settle(last);
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
    let _ = stage.set_emission("bob", 99, 5).succeeds();
}

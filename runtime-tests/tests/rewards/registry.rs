//! Registration for the tiers: with a bond, for whole epochs, and back after a while.

use crate::stage::*;
use cicada_core::rewards::{Registration, MAX_EPOCH_MS, MIN_UNBONDING_MS};
use cicada_runtime_tests::{account, address, check_gas, on};
use cicada_traits::psp22::PSP22;
use cicada_traits::rewards::{RewardTerms, Rewards, RewardsError};
use rewards::rewards::{BondReturned, Registered, RewardsContractRef, Unregistered};

impl Stage {
    /// Somebody with enough for so many bonds, who allows them.
    fn miner_with(&mut self, name: &str, bonds: u128) {
        let gift = on(&self.token).transfer(account(name), bonds * BOND, vec![]);
        let _ = self.call(OWNER, gift).succeeds();
        let approval = on(&self.token).approve(address(&self.rewards), bonds * BOND);
        let _ = self.call(name, approval).succeeds();
    }

    fn register(&mut self, name: &str) -> Answer<()> {
        let message = on(&self.rewards).register();
        self.call(name, message)
    }

    fn unregister(&mut self, name: &str) -> Answer<()> {
        let message = on(&self.rewards).unregister();
        self.call(name, message)
    }

    fn withdraw_bond(&mut self, name: &str) -> Answer<()> {
        let message = on(&self.rewards).withdraw_bond();
        self.call(name, message)
    }

    fn registration(&mut self, name: &str) -> Option<Registration> {
        self.world.read(on(&self.rewards).registration(account(name)))
    }

    fn bonded(&mut self) -> u128 {
        self.world.read(on(&self.rewards).bonded())
    }
}

#[test]
fn a_miner_registers_leaves_and_has_his_bond_back_after_the_delay() {
    let mut stage = Stage::funded(10_000);
    stage.miner_with("bob", 1);
    let since_ms = stage.world.now();
    let receipt = stage.register("bob").succeeds();
    check_gas("rewards.register", &receipt);
    assert_eq!(receipt.event::<Registered>(&stage.rewards).account, account("bob"));
    assert_eq!(stage.registration("bob"), Some(Registration { since_ms, left_ms: None }));
    assert_eq!((stage.bonded(), stage.balance(account("bob"))), (BOND, 0));
    assert_eq!(stage.withdraw_bond("bob").fails(), RewardsError::StillBonded);

    let left_ms = stage.world.advance(HOUR).now();
    let receipt = stage.unregister("bob").succeeds();
    check_gas("rewards.unregister", &receipt);
    let free_ms = left_ms + UNBONDING;
    let event = receipt.event::<Unregistered>(&stage.rewards);
    assert_eq!(event, Unregistered { account: account("bob"), free_ms });
    let left = Registration { since_ms, left_ms: Some(left_ms) };
    assert_eq!(stage.registration("bob"), Some(left));
    stage.world.advance(UNBONDING - 1);
    assert_eq!(stage.withdraw_bond("bob").fails(), RewardsError::StillBonded);
    stage.world.advance(1);
    let receipt = stage.withdraw_bond("bob").succeeds();
    check_gas("rewards.withdraw_bond", &receipt);
    let event = receipt.event::<BondReturned>(&stage.rewards);
    assert_eq!(event, BondReturned { account: account("bob"), amount: BOND });
    assert_eq!((stage.bonded(), stage.balance(account("bob"))), (0, BOND));
    assert_eq!((stage.registration("bob"), stage.money()), (None, (10_000, 0, 10_000)));
}

#[test]
fn nobody_registers_twice_or_for_nothing() {
    let mut stage = Stage::new();
    assert_eq!(stage.register("bob").fails(), RewardsError::TokenRefused, "he has nothing");
    assert_eq!((stage.registration("bob"), stage.bonded()), (None, 0));
    assert_eq!(stage.unregister("bob").fails(), RewardsError::NotRegistered);
    assert_eq!(stage.withdraw_bond("bob").fails(), RewardsError::NotRegistered);
    stage.miner_with("bob", 2);
    let _ = stage.register("bob").succeeds();
    assert_eq!(stage.register("bob").fails(), RewardsError::AlreadyRegistered);
    let _ = stage.unregister("bob").succeeds();
    assert_eq!(stage.unregister("bob").fails(), RewardsError::NotRegistered);
    assert_eq!(stage.register("bob").fails(), RewardsError::AlreadyRegistered, "his bond is here");
    stage.world.advance(UNBONDING);
    let _ = stage.withdraw_bond("bob").succeeds();
    assert_eq!(stage.withdraw_bond("bob").fails(), RewardsError::NotRegistered);
    let _ = stage.register("bob").succeeds();
    assert_eq!((stage.bonded(), stage.balance(account("bob"))), (BOND, BOND));
}

#[test]
fn bonds_are_neither_awarded_nor_paid_to_others() {
    let mut stage = Stage::funded(1_000);
    for name in ["bob", "charlie"] {
        stage.miner_with(name, 1);
        let _ = stage.register(name).succeeds();
    }
    assert_eq!((stage.money(), stage.held()), ((1_000, 0, 1_000), 1_000 + 2 * BOND));
    let epoch = stage.next(&[score(id("dave"), 1)], &[], 1_000);
    stage.settle(epoch);
    let paid = stage.claim("dave").succeeds().value;
    assert_eq!(stage.held(), 1_000 - paid + 2 * BOND);
    for name in ["bob", "charlie"] {
        let _ = stage.unregister(name).succeeds();
    }
    stage.world.advance(UNBONDING);
    for name in ["bob", "charlie"] {
        let _ = stage.withdraw_bond(name).succeeds();
        assert_eq!(stage.balance(account(name)), BOND);
    }
    assert_eq!(stage.held(), 1_000 - paid);
}

#[test]
fn a_token_that_refuses_leaves_the_bond_where_it_is() {
    let mut stage = Stage::new();
    stage.miner_with("bob", 1);
    let _ = stage.register("bob").succeeds();
    let _ = stage.unregister("bob").succeeds();
    stage.world.advance(UNBONDING);
    let code = stage.world.as_(account(OWNER)).upload("leaderboard");
    let token = address(&stage.token);
    let before = stage.world.snapshot();
    stage.world.set_code(token, code);
    assert_eq!(stage.withdraw_bond("bob").fails(), RewardsError::TokenRefused);
    assert_eq!(stage.bonded(), BOND);
    stage.world.restore(&before);
    let _ = stage.withdraw_bond("bob").succeeds();
}

#[test]
fn a_bond_is_something_and_stays_a_day_to_a_year() {
    let mut stage = Stage::new();
    let base = terms(stage.world.now());
    let mut deployed = |bond, unbonding_ms| {
        let terms = RewardTerms { bond, unbonding_ms, ..base };
        let constructor =
            RewardsContractRef::new(address(&stage.validators), address(&stage.token), terms);
        stage.world.as_(account(OWNER)).deploy("rewards", constructor).map(|_| ())
    };
    assert_eq!(deployed(1, MIN_UNBONDING_MS), Ok(()));
    assert_eq!(deployed(u128::MAX, MAX_EPOCH_MS), Ok(()));
    for (bond, unbonding_ms) in
        [(0, MIN_UNBONDING_MS), (1, MIN_UNBONDING_MS - 1), (1, MAX_EPOCH_MS + 1)]
    {
        assert_eq!(deployed(bond, unbonding_ms), Err(RewardsError::WrongBond));
    }
}

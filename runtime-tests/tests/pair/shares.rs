//! The shares are a token of the standard.

use crate::stage::*;
use cicada_runtime_tests::{account, address, on, Receipt};
use cicada_traits::psp22::{PSP22Error, PSP22Metadata, PSP22};
use pair::pair::{Approval, Transfer};

const HIS: u128 = 1_999_000;

fn allowance(stage: &mut Stage) -> u128 {
    stage.world.read(on(&stage.pair).allowance(account(PROVIDER), account(TRADER)))
}

fn shares(stage: &mut Stage, name: &str) -> u128 {
    stage.holdings(account(name)).2
}

#[test]
fn a_share_has_a_name() {
    let mut stage = Stage::new();
    let name = stage.world.read(on(&stage.pair).token_name());
    assert_eq!(name.as_deref(), Some("Cicada pool share"));
    let symbol = stage.world.read(on(&stage.pair).token_symbol());
    assert_eq!(symbol.as_deref(), Some("POOL"));
    assert_eq!(stage.world.read(on(&stage.pair).token_decimals()), 13);
}

#[test]
fn shares_move() {
    let mut stage = Stage::filled();
    let pay = |value| on(&stage.pair).transfer(account(TRADER), value, vec![]);
    let (all, more) = (pay(HIS), pay(1));
    let receipt = stage.call(PROVIDER, all).succeeds();
    let (from, to) = (Some(account(PROVIDER)), Some(account(TRADER)));
    assert_eq!(receipt.events::<Transfer>(&stage.pair), [Transfer { from, to, value: HIS }]);
    assert_eq!((shares(&mut stage, PROVIDER), shares(&mut stage, TRADER)), (0, HIS));
    assert_eq!(stage.call(PROVIDER, more).fails(), PSP22Error::InsufficientBalance);
    assert_eq!(stage.pool(), POOL, "who holds them is not the pool's business");
}

#[test]
fn shares_are_taken_within_the_allowance() {
    let mut stage = Stage::filled();
    let (owner, spender) = (account(PROVIDER), account(TRADER));
    let approve = on(&stage.pair).approve(spender, 100);
    let receipt = stage.call(PROVIDER, approve).succeeds();
    assert_eq!(receipt.events::<Approval>(&stage.pair), [Approval { owner, spender, amount: 100 }]);
    let take = |value| on(&stage.pair).transfer_from(owner, account(STRANGER), value, vec![]);
    let (part, too_much, rest) = (take(60), take(41), take(40));
    let receipt = stage.call(TRADER, part).succeeds();
    assert_eq!(receipt.events::<Approval>(&stage.pair), [Approval { owner, spender, amount: 40 }]);
    assert_eq!(receipt.events::<Transfer>(&stage.pair).len(), 1);
    assert_eq!(stage.call(TRADER, too_much).fails(), PSP22Error::InsufficientAllowance);
    let _ = stage.call(TRADER, rest).succeeds();
    assert_eq!((allowance(&mut stage), shares(&mut stage, STRANGER)), (0, 100));
    // Enough allowance, too few shares.
    let approve = on(&stage.pair).approve(spender, u128::MAX);
    let _ = stage.call(PROVIDER, approve).succeeds();
    let take = on(&stage.pair).transfer_from(owner, spender, HIS, vec![]);
    assert_eq!(stage.call(TRADER, take).fails(), PSP22Error::InsufficientBalance);
    assert_eq!(allowance(&mut stage), u128::MAX);
}

#[test]
fn an_allowance_rises_and_falls() {
    let mut stage = Stage::filled();
    let spender = account(TRADER);
    let raise = |delta| on(&stage.pair).increase_allowance(spender, delta);
    let (five, most, none) = (raise(5), raise(u128::MAX), raise(0));
    let lower = |delta| on(&stage.pair).decrease_allowance(spender, delta);
    let (six, two) = (lower(6), lower(2));
    let _ = stage.call(PROVIDER, five).succeeds();
    assert_eq!(stage.call(PROVIDER, six).fails(), PSP22Error::InsufficientAllowance);
    let _ = stage.call(PROVIDER, two).succeeds();
    assert_eq!(allowance(&mut stage), 3);
    let _ = stage.call(PROVIDER, most).succeeds();
    assert_eq!(allowance(&mut stage), u128::MAX);
    assert!(stage.call(PROVIDER, none).succeeds().emitted.is_empty());
}

#[test]
fn nothing_happens_successfully() {
    let mut stage = Stage::filled();
    let (stranger, provider) = (account(STRANGER), account(PROVIDER));
    let quiet = |receipt: Receipt<Result<(), PSP22Error>>| {
        assert!(receipt.succeeds().emitted.is_empty());
    };
    let message = on(&stage.pair).transfer(provider, 0, vec![]);
    quiet(stage.call(STRANGER, message));
    let message = on(&stage.pair).transfer(stranger, 99, vec![]);
    quiet(stage.call(STRANGER, message));
    let message = on(&stage.pair).transfer_from(provider, stranger, 0, vec![]);
    quiet(stage.call(STRANGER, message));
    let message = on(&stage.pair).approve(stranger, 9);
    quiet(stage.call(STRANGER, message));
    let message = on(&stage.pair).decrease_allowance(provider, 0);
    quiet(stage.call(STRANGER, message));
    assert_eq!(stage.pool(), POOL);
}

#[test]
fn shares_sent_to_the_pool_are_locked() {
    let mut stage = Stage::filled();
    let pool = address(&stage.pair);
    let lost = on(&stage.pair).transfer(pool, 500, vec![]);
    let _ = stage.call(PROVIDER, lost).succeeds();
    assert_eq!(stage.held().2, 1_500);
    let skim = cicada_traits::pair::Pair::skim;
    let mut builder = on(&stage.pair);
    let message = skim(&mut builder, account(STRANGER));
    assert_eq!(stage.call(STRANGER, message).succeeds().value, (0, 0));
    assert_eq!(stage.held().2, 1_500);
}

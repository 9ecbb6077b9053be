use crate::fake::{World, NOW, RULES, TOKEN};
use cicada_amounts::TAO;

#[test]
fn the_scarcest_token_says_what_can_be_minted() {
    let mut world = World::at_price(10_000);
    assert!(world.seen.mintable_floor() >= 100 * TOKEN);
    world.seen.purse.basket[7] = world.seen.index.holdings[7].amount / 500;
    let mintable = world.seen.mintable_floor();
    assert_eq!(mintable, 2 * TOKEN);
    world.mint(mintable, &RULES);
    assert_eq!(world.seen.purse.basket[7], 0);
}

#[test]
fn without_tokens_nothing_can_be_minted() {
    let mut world = World::at_price(10_000);
    world.seen.index.holdings.clear();
    world.seen.purse.basket.clear();
    assert_eq!(world.seen.mintable_floor(), 0);
    let wealth = world.seen.wealth(TOKEN).unwrap();
    assert_eq!((wealth.tao, wealth.basket), (100 * TAO, 0));
}

#[test]
fn a_change_of_the_basket_is_no_loss() {
    let world = World::at_price(10_000);
    let mut changed = world.clone();
    // Of one token that the miner has, the index holds much more now.
    let held = &mut changed.seen.index.holdings[0];
    held.amount *= 3;
    changed.seen.index.supply += 100 * TOKEN;
    assert!(changed.seen.mintable_floor() < world.seen.mintable_floor() / 2);
    let (before, after) = (world.wealth(), changed.wealth());
    assert!(before.abs_diff(after) < 100, "{before}, then {after}");
}

#[test]
fn a_nav_of_exactly_the_greatest_age_is_fresh() {
    let seen = World::at_price(10_000).seen;
    assert_eq!(seen.fresh_nav(60_000, NOW + 60_000), Some(TOKEN));
    assert_eq!(seen.fresh_nav(60_000, NOW + 60_001), None);
    assert_eq!(seen.fresh_nav(u64::MAX, NOW + 300_001), None, "the contract's own limit");
}

//! A miner finds nothing, and would if there were something.

use cicada_game::miner::{Fault, Goal, Miner};
use cicada_game::search::{search, Budget};

const PLAYS: u32 = 30;
/// Of a control, which ends with the first find.
const MORE: u32 = 60;

#[test]
fn a_miner_takes_no_more_out_of_the_basket_than_the_spread() {
    let outcome = search(&mut Miner::new(Goal::Basket), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_none(), "{:?}", outcome.first);
}

#[test]
fn a_miner_earns_no_more_than_his_capital_that_stayed() {
    let outcome = search(&mut Miner::new(Goal::Rewards), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_none(), "{:?}", outcome.first);
}

#[test]
fn with_a_price_that_is_wrong_by_more_than_the_spread_he_is_found_out() {
    let mut miner = Miner::with(Goal::Basket, Some(Fault::Prices(500)));
    let outcome = search(&mut miner, 71, Budget::Plays(MORE), true);
    assert!(outcome.first.is_some(), "{:?}", outcome.best);
}

#[test]
fn where_turns_score_that_did_not_stay_he_is_found_out() {
    let mut miner = Miner::with(Goal::Rewards, Some(Fault::Turns));
    let outcome = search(&mut miner, 71, Budget::Plays(MORE), true);
    assert!(outcome.first.is_some(), "{:?}", outcome.best);
}

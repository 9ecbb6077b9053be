//! A miner finds nothing, and would if there were something.

use cicada_game::miner::{Act, Fault, Goal, Miner};
use cicada_game::role::play;
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

/// What the rules do allow is won, and the measure sees it.
#[test]
fn a_swap_wins_its_spread_and_capital_that_stays_its_reward() {
    let thousand = 1_000 * cicada_game::basket::stage::ONE;
    let swap = vec![(7, Act::Swap(0, [0, 3], 10_000))];
    let stay = vec![(0, Act::Mint(0, thousand)), (14, Act::Redeem(0, 10_000))];
    for (goal, plan) in [(Goal::Basket, swap), (Goal::Rewards, stay)] {
        let mut miner = Miner::new(goal);
        let idle = play(&mut miner, &vec![]);
        let end = play(&mut miner, &plan);
        let gain = end.wealth - idle.wealth;
        assert!(gain > 0 && gain <= end.allowed, "{goal:?}: {gain} of {}", end.allowed);
    }
}

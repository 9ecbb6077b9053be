//! Seven seats that lie find nothing, and would if there were something.

use cicada_game::search::{search, Budget};
use cicada_game::validator::Validator;

const PLAYS: u32 = 50;

#[test]
fn seven_seats_of_any_stake_move_no_nav_beyond_the_honest_ones_and_cost_nobody_his_stake() {
    let outcome = search(&mut Validator::new(), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_none(), "{:?}", outcome.first);
    assert!(outcome.best.gain > 0, "they do move it a little: {:?}", outcome.best);
}

#[test]
fn eight_seats_are_found_out() {
    let outcome = search(&mut Validator::among(8, 24), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_some(), "{:?}", outcome.best);
}

/// Whoever sees the most is then off what the lowest say.
#[test]
fn where_honest_ones_see_the_nav_too_far_apart_they_lose_stake() {
    let outcome = search(&mut Validator::among(7, 45), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_some(), "{:?}", outcome.best);
}

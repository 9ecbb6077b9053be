//! Provider, requester and arbitrators of the compute market find nothing, and would if there were
//! something.

use cicada_game::market::{
    arbitrators::Arbitrators,
    provider::{self, Provider},
    requester::Requester,
    Aim,
};
use cicada_game::role::{play, Role};
use cicada_game::search::{search, Budget};

/// Plays of each aim.
const PLAYS: u32 = 100;
const BOTH: [Aim; 2] = [Aim::Money, Aim::Points];

fn finds_nothing<R: Role>(role: impl Fn(Aim) -> R) {
    for aim in BOTH {
        let outcome = search(&mut role(aim), 71, Budget::Plays(PLAYS), true);
        assert!(outcome.first.is_none(), "{aim:?}: {:?}", outcome.first);
    }
}

fn finds_something<R: Role>(mut role: R) {
    let outcome = search(&mut role, 71, Budget::Plays(4 * PLAYS), true);
    let first = outcome.first.expect("it is there");
    println!("in play {}: {:?}", first.play, first.plan);
}

#[test]
fn a_provider_wins_no_more_than_good_work_in_time_is_worth() {
    finds_nothing(Provider::new);
}

#[test]
fn good_work_in_time_wins_just_what_is_allowed() {
    let plan = vec![
        (0, provider::Act::Accept { who: 0, request: 1 }),
        (0, provider::Act::Deliver { job: 0, good: true }),
    ];
    for (aim, won) in [(Aim::Money, 5_000), (Aim::Points, 12)] {
        let mut role = Provider::new(aim);
        let idle = play(&mut role, &vec![]);
        let end = play(&mut role, &plan);
        assert_eq!((end.wealth - idle.wealth, end.allowed), (won, won), "{aim:?}");
    }
}

#[test]
fn where_the_requester_pays_for_anything_a_provider_is_found_out() {
    for aim in BOTH {
        finds_something(Provider::unwatched(aim));
    }
}

#[test]
fn a_requester_wins_no_more_than_the_penalties_that_were_agreed() {
    finds_nothing(Requester::new);
}

#[test]
fn where_a_provider_agrees_to_any_penalty_a_requester_is_found_out() {
    finds_something(Requester::unbounded(Aim::Money));
}

#[test]
fn one_arbitrator_of_three_wins_nothing_for_a_provider_but_his_share_of_fees() {
    finds_nothing(Arbitrators::new);
}

#[test]
fn where_the_others_repeat_what_he_said_an_arbitrator_is_found_out() {
    finds_something(Arbitrators::followed(Aim::Money));
}

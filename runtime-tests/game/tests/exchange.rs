//! Trader and owner of the exchange find nothing, and would if there were something.

use cicada_core::exchange::Limits;
use cicada_game::exchange::{
    owner::{self, Owner},
    trader::Trader,
};
use cicada_game::role::play;
use cicada_game::search::{search, Budget};

const PLAYS: u32 = 120;

#[test]
fn a_trader_who_knows_the_future_wins_no_more_than_an_hour_allows() {
    let outcome = search(&mut Trader::new(), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_none(), "{:?}", outcome.first);
    assert!(outcome.best.gain > 0, "he does win something: {:?}", outcome.best);
}

#[test]
fn with_ten_times_the_limit_he_is_found_out() {
    let limits = Limits { hourly_bps: 1_000, account_bps: 10_000, ..Limits::DEFAULT };
    let outcome = search(&mut Trader::with(limits), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_some(), "{:?}", outcome.best);
}

/// Without a bound of what may exist, a token counts in the hour what it costs at the score of the
/// moment, which is next to nothing at the start.
#[test]
fn where_tokens_count_what_they_cost_he_is_found_out() {
    let limits = Limits { max_outstanding: u128::MAX, ..Limits::DEFAULT };
    let outcome = search(&mut Trader::with(limits), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_some(), "{:?}", outcome.best);
}

#[test]
fn an_owner_wins_nothing_of_what_holders_have() {
    let outcome = search(&mut Owner::new(), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_none(), "{:?}", outcome.first);
}

/// Announced at a leaderboard of one point and taken at another, a day later.
#[test]
fn what_an_owner_takes_at_low_leaderboards_is_seen_where_nobody_traded_for_eight_days() {
    let plan = vec![(17, owner::Act::Announce(10_000)), (19, owner::Act::Withdraw(9_990))];
    let gain = |mut role: Owner| {
        let idle = play(&mut role, &vec![]);
        let end = play(&mut role, &plan);
        end.wealth - idle.wealth - end.allowed
    };
    assert!(gain(Owner::unwatched()) > 0, "the measure sees nothing");
    assert!(gain(Owner::new()) <= 0, "though others traded");
}

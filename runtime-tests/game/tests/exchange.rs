//! Trader and owner of the exchange find nothing, and would if there were something.

use cicada_core::exchange::Limits;
use cicada_game::exchange::{owner::Owner, trader::Trader};
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

#[test]
fn an_owner_wins_nothing_of_what_holders_have() {
    let outcome = search(&mut Owner::new(), 71, Budget::Plays(PLAYS), true);
    assert!(outcome.first.is_none(), "{:?}", outcome.first);
}

//! What a pause stops, how it ends, and that nothing is won by it.

use crate::stage::*;
use cicada_core::exchange::terms::{NOTICE_MS, RESUME_MS};
use cicada_core::exchange::{Limits, MakerTerms, Side};
use cicada_runtime_tests::{account, on};
use cicada_traits::exchange::{Exchange, ExchangeError};
use exchange::exchange::PauseChanged;

#[test]
fn a_pause_stops_trading_and_gives_orders_back() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    let bid = stage.rest("bob", Side::Buy, 1_000, 5);
    let ask = stage.rest("bob", Side::Sell, 90_000_000, 5);
    let paused = stage.set_paused(OWNER, true).succeeds();
    let event = paused.event::<PauseChanged>(&stage.exchange);
    assert_eq!(event, PauseChanged { paused: true, from_ms: stage.world.now() });
    let again = stage.set_paused(OWNER, true).succeeds();
    assert!(again.events::<PauseChanged>(&stage.exchange).is_empty(), "nothing changed");
    stage.rank(&[(CLAUDE, 50_000), ("openai", 45_000)]);
    let paused = ExchangeError::Paused;
    assert_eq!(stage.buy("bob", 1).fails(), paused);
    assert_eq!(stage.sell("bob", 1).fails(), paused);
    assert_eq!(stage.place("bob", Side::Buy, 10, 1).fails(), paused);
    assert_eq!(stage.fill_order("bob", bid).fails(), paused);
    let room = on(&stage.exchange).room(framework(CLAUDE), Side::Buy, account("bob"));
    assert_eq!(stage.world.read(room), Err(paused));
    assert_eq!(stage.list("bob", "openai").fails(), paused);
    // A notice would pass while nobody can sell.
    assert_eq!(stage.announce(OWNER, 7).fails(), paused);
    assert_eq!(stage.withdraw(OWNER, 7).fails(), paused);
    assert_eq!(stage.set_terms(OWNER, TERMS).fails(), paused);
    // Everybody gets back what lies here.
    let _ = stage.cancel("bob", bid).succeeds();
    let _ = stage.cancel("bob", ask).succeeds();
    let _ = stage.deposit("dave", 7).succeeds();
    stage.check();
    stage.resume();
    let _ = stage.sell("bob", 10).succeeds();
}

#[test]
fn the_end_of_a_pause_is_announced_and_then_trading_is_open_for_a_while() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    let _ = stage.set_paused(OWNER, true).succeeds();
    let resumed = stage.set_paused(OWNER, false).succeeds();
    let open = stage.world.now() + RESUME_MS;
    let event = resumed.event::<PauseChanged>(&stage.exchange);
    assert_eq!(event, PauseChanged { paused: false, from_ms: open });
    assert_eq!(stage.world.read(on(&stage.exchange).terms()).gate.open_from_ms, Some(open));
    // The owner does not trade alone either: he has no moment in which others cannot.
    stage.world.at(open - 1);
    stage.rank(&[(CLAUDE, 50_000)]);
    assert_eq!(stage.buy(OWNER, 1).fails(), ExchangeError::Paused);
    for now in [open, open + RESUME_MS - 1] {
        stage.world.at(now);
        assert_eq!(stage.set_paused(OWNER, true).fails(), ExchangeError::TooEarly);
        stage.rank(&[(CLAUDE, 50_000)]);
        let _ = stage.sell("bob", 1).succeeds();
    }
    stage.world.at(open + RESUME_MS);
    let _ = stage.set_paused(OWNER, true).succeeds();
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::Paused);
}

#[test]
fn what_was_announced_before_a_pause_is_announced_anew_after_it() {
    let mut stage = Stage::new();
    let narrow = MakerTerms { limits: Limits { hourly_bps: 10, ..LIMITS }, ..TERMS };
    let _ = stage.announce(OWNER, 9).succeeds();
    let _ = stage.set_terms(OWNER, narrow).succeeds();
    stage.world.advance(1);
    let _ = stage.set_paused(OWNER, true).succeeds();
    stage.world.advance(NOTICE_MS);
    stage.resume();
    assert_eq!(stage.withdraw(OWNER, 7).fails(), ExchangeError::NotAnnounced);
    let maker = stage.world.read(on(&stage.exchange).terms()).maker;
    assert_eq!((maker.present, maker.next), (TERMS, None));
    assert_eq!(stage.take_out(7).value, Ok(()));
}

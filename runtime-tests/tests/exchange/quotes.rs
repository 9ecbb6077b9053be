//! The prices of the market maker follow the newest leaderboard, exactly and at once.

use crate::stage::*;
use cicada_core::exchange::{Side, Trade};
use cicada_core::report::MAX_TIME_AHEAD_MS;
use cicada_runtime_tests::{account, address, at, on};
use cicada_traits::exchange::{Exchange, ExchangeError};
use cicada_traits::psp22::PSP22;
use exchange::exchange::Traded;
use token::token::{TokenRef, Transfer};

fn at_quote(amount: u128, price: u128) -> Trade {
    Trade { amount, value: amount * price, at_quote: amount, fills: 0 }
}

#[test]
fn bid_and_ask_are_exact() {
    for (score, bid, ask) in [
        (1, 990, 1_010),
        (7, 6_930, 7_070),
        (33_333, 32_999_670, 33_666_330),
        (45_000, 44_550_000, 45_450_000),
        (50_000, BID, ASK),
    ] {
        let mut stage = Stage::at(score);
        let quote = stage.quote().expect("fresh");
        assert_eq!((quote.bid, quote.ask), (bid, ask), "{score} points");
        let bought = stage.buy("bob", 1_000).succeeds().value;
        assert_eq!(bought, at_quote(1_000, ask), "{score} points");
        assert_eq!(stage.spent("bob"), (1_000 * ask) as i128);
        let sold = stage.sell("bob", 500).succeeds().value;
        assert_eq!(sold, at_quote(500, bid), "{score} points");
        assert_eq!(stage.held("bob"), (HELD - 1_000 * ask + 500 * bid, 500));
        let market = stage.market();
        assert_eq!(market.reserve, RESERVE + 1_000 * ask - 500 * bid);
        // However cheap a token is, it counts as if all that may exist were worth the reserve.
        let risked = 1_000 * ask.max(RESERVE / LIMITS.max_outstanding);
        assert_eq!((market.outstanding, market.risked, market.paid), (500, risked, 500 * bid));
        assert_eq!(market.volume_24h, 1_500);
        stage.check();
    }
}

#[test]
fn at_no_points_the_market_maker_trades_nothing() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    stage.score(0);
    let quote = stage.quote().expect("fresh");
    assert_eq!((quote.bid, quote.ask), (0, 0));
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::ZeroPrice);
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::ZeroPrice);
    let order = stage.rest("bob", Side::Buy, 10, 1);
    assert_eq!(stage.fill_order("bob", order).fails(), ExchangeError::ZeroPrice);
    stage.check();
}

#[test]
fn both_sides_of_a_trade_are_told() {
    let mut stage = Stage::new();
    let bought = stage.buy("bob", 7).succeeds();
    let event = bought.event::<Traded>(&stage.exchange);
    assert_eq!((event.framework, event.taker), (framework(CLAUDE), account("bob")));
    assert_eq!((event.maker, event.order), (None, None));
    assert_eq!((event.side, event.price, event.amount), (Side::Buy, ASK, 7));
    let token = stage.market().token.0.into();
    let minted = bought.events_at::<Transfer>(token);
    assert_eq!(minted, [Transfer { from: None, to: Some(account("bob")), value: 7 }]);
    let sold = stage.sell("bob", 7).succeeds();
    assert_eq!(sold.event::<Traded>(&stage.exchange).price, BID);
    let burned = sold.events_at::<Transfer>(token);
    assert_eq!(burned, [Transfer { from: Some(account("bob")), to: None, value: 7 }]);
}

#[test]
fn a_quote_is_fresh_until_exactly_its_age() {
    let mut stage = Stage::new();
    let start = stage.world.now();
    let order = stage.rest("charlie", Side::Buy, 10, 1);
    stage.world.at(start + MAX_AGE_MS - 1);
    let _ = stage.buy("bob", 2).succeeds();
    stage.world.at(start + MAX_AGE_MS);
    assert_eq!(stage.quote(), Err(ExchangeError::StaleQuote));
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::StaleQuote);
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::StaleQuote);
    assert_eq!(stage.fill_order("bob", order).fails(), ExchangeError::StaleQuote);
    stage.score(50_000);
    let _ = stage.sell("bob", 2).succeeds();
}

#[test]
fn a_quote_from_the_future_waits_for_its_time() {
    let mut stage = Stage::new();
    let ahead = stage.world.now() + MAX_TIME_AHEAD_MS;
    stage.rank_at(ahead, &[(CLAUDE, 40_000)]);
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::StaleQuote);
    stage.world.at(ahead - 1);
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::StaleQuote);
    stage.world.at(ahead);
    assert_eq!(stage.buy("bob", 1).succeeds().value.value, 40_400_000);
}

#[test]
fn a_framework_that_is_no_longer_ranked_has_no_quote() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 5).succeeds();
    stage.world.next_block();
    stage.rank(&[("openai", 45_000)]);
    assert_eq!(stage.quote(), Err(ExchangeError::NoQuote));
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::NoQuote);
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::NoQuote);
    // He can still ask somebody else for a price.
    let order = stage.rest("bob", Side::Sell, 1_000, 5);
    assert_eq!(stage.cancel("bob", order).succeeds().value, 5);
}

#[test]
fn without_a_leaderboard_there_is_no_quote() {
    let mut stage = Stage::bare();
    assert_eq!(stage.quote(), Err(ExchangeError::NoQuote));
    assert_eq!(stage.list("bob", CLAUDE).fails(), ExchangeError::NoQuote);
}

#[test]
fn a_new_leaderboard_changes_the_next_trade_only() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    let paid = stage.spent("bob");
    assert_eq!(paid, (10 * ASK) as i128);
    stage.score(60_000);
    assert_eq!(stage.spent("bob"), paid);
    assert_eq!(stage.buy("charlie", 10).succeeds().value, at_quote(10, 60_600_000));
    assert_eq!(stage.sell("bob", 10).succeeds().value, at_quote(10, 59_400_000));
    stage.check();
}

#[test]
fn who_is_overtaken_by_a_dearer_quote_does_not_buy() {
    let mut stage = Stage::new();
    // Bob saw the ask and accepts that cost; a new leaderboard comes first.
    stage.score(50_001);
    assert_eq!(stage.buy_for("bob", 100, 100 * ASK).fails(), ExchangeError::TooMuch);
    assert_eq!(stage.buy_for("bob", 100, 100 * 50_501_010 - 1).fails(), ExchangeError::TooMuch);
    let _ = stage.buy_for("bob", 100, 100 * 50_501_010).succeeds();
    stage.check();
}

#[test]
fn who_is_overtaken_by_a_cheaper_quote_does_not_sell() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 100).succeeds();
    stage.score(49_999);
    assert_eq!(stage.sell_for("bob", 100, 100 * BID).fails(), ExchangeError::TooLittle);
    assert_eq!(stage.sell_for("bob", 100, 100 * 49_499_010 + 1).fails(), ExchangeError::TooLittle);
    let _ = stage.sell_for("bob", 100, 100 * 49_499_010).succeeds();
    stage.check();
}

#[test]
fn a_leaderboard_that_cannot_be_called_is_told() {
    let mut stage = Stage::new();
    let order = stage.rest("charlie", Side::Buy, 10, 1);
    let board = address(&stage.board);
    stage.replace_code(board, "token");
    let unavailable = ExchangeError::LeaderboardUnavailable;
    assert_eq!(stage.quote(), Err(unavailable));
    assert_eq!(stage.buy("bob", 1).fails(), unavailable);
    assert_eq!(stage.sell("bob", 1).fails(), unavailable);
    assert_eq!(stage.place("bob", Side::Buy, 10, 1).fails(), unavailable);
    assert_eq!(stage.fill_order("bob", order).fails(), unavailable);
    assert_eq!(stage.list("bob", "openai").fails(), unavailable);
    let _ = stage.announce(OWNER, 1).succeeds();
    stage.replace_code(board, "leaderboard");
    let _ = stage.buy("bob", 1).succeeds();
    stage.replace_code(board, "token");
    assert_eq!(stage.announce(OWNER, 1).fails(), unavailable);
}

#[test]
fn two_markets_share_nothing() {
    let mut stage = Stage::bare();
    stage.rank(&[(CLAUDE, 50_000), ("openai", 45_000)]);
    let (claude, openai) = (stage.open(CLAUDE), stage.open("openai"));
    assert_ne!(claude, openai);
    for name in [CLAUDE, "openai"] {
        let _ = stage.call(OWNER, on(&stage.exchange).deposit(framework(name), RESERVE)).succeeds();
    }
    let _ = stage.buy("bob", 10).succeeds();
    let message = on(&stage.exchange).buy(framework("openai"), 20, u128::MAX, stage.soon());
    let _ = stage.call("bob", message).succeeds();
    let reserves = [CLAUDE, "openai"].map(|name| stage.market_of(name).reserve);
    assert_eq!(reserves, [RESERVE + 10 * ASK, RESERVE + 20 * 45_450_000]);
    let token = at::<TokenRef>(openai);
    assert_eq!(stage.world.read(on(&token).balance_of(account("bob"))), 20);
    // Tokens of one market are none of the other.
    assert_eq!(stage.sell("bob", 11).fails(), ExchangeError::LimitReached);
}

//! Buying and selling at the quote: bounds, limits, reserve, deadline, pause.

use crate::stage::*;
use cicada_core::exchange::{Gate, Limits, Side};
use cicada_core::fixed::MathError;
use cicada_core::prices::HOUR_MS;
use cicada_runtime_tests::{account, address, at, on};
use cicada_traits::exchange::{Exchange, ExchangeError};
use cicada_traits::psp22::PSP22;
use token::token::TokenRef;

#[test]
fn a_bound_is_kept_to_the_unit() {
    let mut stage = Stage::new();
    assert_eq!(stage.buy_for("bob", 3, 3 * ASK - 1).fails(), ExchangeError::TooMuch);
    let _ = stage.buy_for("bob", 3, 3 * ASK).succeeds();
    assert_eq!(stage.sell_for("bob", 3, 3 * BID + 1).fails(), ExchangeError::TooLittle);
    let _ = stage.sell_for("bob", 3, 3 * BID).succeeds();
    assert_eq!(stage.spent("bob"), (3 * (ASK - BID)) as i128);
    stage.check();
}

#[test]
fn exactly_at_the_deadline_it_is_too_late() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    let now = stage.world.now();
    for (deadline, late) in [(now - 1, true), (now, true), (now + 1, false)] {
        let claude = || framework(CLAUDE);
        let side = Side::Buy;
        let buy = on(&stage.exchange).buy(claude(), 1, u128::MAX, deadline);
        let sell = on(&stage.exchange).sell(claude(), 1, 0, deadline);
        let place = on(&stage.exchange).place(claude(), side, 10, 1, deadline);
        let expected = if late { Err(ExchangeError::TooLate) } else { Ok(()) };
        assert_eq!(stage.call("bob", buy).value.map(|_| ()), expected);
        assert_eq!(stage.call("bob", sell).value.map(|_| ()), expected);
        assert_eq!(stage.call("bob", place).value.map(|_| ()), expected);
    }
}

#[test]
fn nothing_cannot_be_traded() {
    let mut stage = Stage::new();
    assert_eq!(stage.buy("bob", 0).fails(), ExchangeError::ZeroAmount);
    assert_eq!(stage.sell("bob", 0).fails(), ExchangeError::ZeroAmount);
    assert_eq!(stage.deposit("bob", 0).fails(), ExchangeError::ZeroAmount);
    assert_eq!(stage.announce(OWNER, 0).fails(), ExchangeError::ZeroAmount);
    assert_eq!(stage.withdraw(OWNER, 0).fails(), ExchangeError::ZeroAmount);
}

#[test]
fn a_framework_without_a_market_is_unknown() {
    let mut stage = Stage::new();
    let other = || framework("openai");
    let soon = stage.soon();
    let unknown = ExchangeError::UnknownFramework;
    let message = on(&stage.exchange).buy(other(), 1, u128::MAX, soon);
    assert_eq!(stage.call("bob", message).fails(), unknown);
    let message = on(&stage.exchange).sell(other(), 1, 0, soon);
    assert_eq!(stage.call("bob", message).fails(), unknown);
    let side = Side::Sell;
    let message = on(&stage.exchange).place(other(), side, 10, 1, soon);
    assert_eq!(stage.call("bob", message).fails(), unknown);
    let message = on(&stage.exchange).announce_withdrawal(other(), 1);
    assert_eq!(stage.call(OWNER, message).fails(), unknown);
    let message = on(&stage.exchange).room(other(), side, account("bob"));
    assert_eq!(stage.world.read(message), Err(unknown));
    let message = on(&stage.exchange).deposit(other(), 1);
    assert_eq!(stage.call("bob", message).fails(), unknown);
    let message = on(&stage.exchange).withdraw(other(), 1);
    assert_eq!(stage.call(OWNER, message).fails(), unknown);
    assert_eq!(stage.world.read(on(&stage.exchange).market(other())), None);
    assert_eq!(stage.world.read(on(&stage.exchange).volume_24h(other())), 0);
    assert!(stage.world.read(on(&stage.exchange).depth(other(), side, 50)).is_empty());
}

#[test]
fn only_so_many_tokens_exist() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 950).succeeds();
    stage.limit(Limits { max_outstanding: 1_000, ..LIMITS });
    assert_eq!(stage.buy("charlie", 51).fails(), ExchangeError::LimitReached);
    let _ = stage.buy("charlie", 50).succeeds();
    assert_eq!(stage.buy("dave", 1).fails(), ExchangeError::LimitReached);
    let _ = stage.sell("bob", 1).succeeds();
    let _ = stage.buy("dave", 1).succeeds();
    // A limit that was lowered stops buying, not selling.
    stage.limit(Limits { max_outstanding: 0, ..LIMITS });
    assert_eq!(stage.buy("dave", 1).fails(), ExchangeError::LimitReached);
    let _ = stage.sell("bob", 949).succeeds();
    stage.check();
}

#[test]
fn a_sale_that_the_reserve_cannot_pay_fails_whole() {
    let mut stage = Stage::with_score(50_000);
    let _ = stage.deposit(OWNER, 2_000 * MMC).succeeds();
    let _ = stage.buy("bob", 3).succeeds();
    // The score rises to a bid of 990: the reserve of some 2,151 MMC pays for two.
    stage.score(1_000_000);
    let dear = 990 * MMC;
    assert_eq!(stage.sell("bob", 3).fails(), ExchangeError::InsufficientReserve);
    assert_eq!(stage.sell("bob", 2).succeeds().value.value, 2 * dear);
    assert_eq!(stage.market().reserve, 2_000 * MMC + 3 * ASK - 2 * dear);
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::InsufficientReserve);
    let short = dear - stage.market().reserve;
    let _ = stage.deposit("dave", short - 1).succeeds();
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::InsufficientReserve);
    let _ = stage.deposit("dave", 1).succeeds();
    let _ = stage.sell("bob", 1).succeeds();
    assert_eq!((stage.market().reserve, stage.market().outstanding), (0, 0));
    stage.check();
}

#[test]
fn amounts_beyond_measure_are_refused() {
    let mut stage = Stage::new();
    let max = u128::MAX;
    assert_eq!(stage.buy("bob", max).fails(), ExchangeError::LimitReached);
    assert_eq!(stage.buy("bob", max / ASK + 1).fails(), ExchangeError::LimitReached);
    assert_eq!(stage.sell("bob", max).fails(), ExchangeError::LimitReached);
    let overflow = ExchangeError::Math(MathError::Overflow);
    assert_eq!(stage.deposit("bob", max).fails(), overflow);
    assert_eq!(stage.take_out(max).fails(), ExchangeError::InsufficientReserve);
    // More than he has.
    let gift = on(&stage.mmc).transfer(account("charlie"), HELD - 10 * MMC, vec![]);
    let _ = stage.call("bob", gift).succeeds();
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::TokenRefused);
    let _ = stage.buy("dave", 5).succeeds();
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::TokenRefused);
}

#[test]
fn the_highest_score_there_can_be_is_traded_exactly() {
    let mut stage = Stage::at(u64::MAX);
    let ask = 1_010 * u128::from(u64::MAX);
    assert_eq!(stage.buy("bob", u128::MAX / ask).fails(), ExchangeError::LimitReached);
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::LimitReached, "a tenth of the reserve");
    assert_eq!(stage.quote().expect("fresh").ask, ask);
}

#[test]
fn dust_is_traded_as_exactly_as_anything() {
    let mut stage = Stage::at(1);
    assert_eq!(stage.buy_for("bob", 1, 1_010).succeeds().value.value, 1_010);
    assert_eq!(stage.sell_for("bob", 1, 990).succeeds().value.value, 990);
    assert_eq!(stage.market().reserve, RESERVE + 20);
    stage.check();
}

#[test]
fn no_round_trip_at_one_quote_gains() {
    for score in [1, 7, 33_333, 50_000] {
        let mut stage = Stage::at(score);
        for amount in [1, 2, 999] {
            let _ = stage.buy("bob", amount).succeeds();
            let _ = stage.sell("bob", amount).succeeds();
        }
        assert_eq!(stage.spent("bob"), i128::from(20 * 1_002 * score));
        assert_eq!(stage.tokens("bob"), 0);
        stage.check();
    }
}

#[test]
fn what_is_not_approved_is_not_taken() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 5).succeeds();
    let exchange = address(&stage.exchange);
    let token = at::<TokenRef>(stage.market().token.0.into());
    for coin in [&stage.mmc.clone(), &token] {
        let _ = stage.call("bob", on(coin).approve(exchange, 4)).succeeds();
    }
    let refused = ExchangeError::TokenRefused;
    assert_eq!(stage.buy("bob", 1).fails(), refused);
    assert_eq!(stage.sell("bob", 5).fails(), refused);
    assert_eq!(stage.deposit("bob", 5).fails(), refused);
    let _ = stage.sell("bob", 4).succeeds();
    let _ = stage.deposit("bob", 4).succeeds();
    assert_eq!(stage.world.read(on(&token).allowance(account("bob"), exchange)), 0);
    stage.check();
}

#[test]
fn volume_counts_tokens_once_and_for_24_hourly_buckets() {
    let mut stage = Stage::new();
    // To the beginning of an hour.
    let hour = (stage.world.now() / HOUR_MS + 1) * HOUR_MS;
    stage.world.at(hour);
    stage.rank(&[(CLAUDE, 50_000)]);
    let _ = stage.buy("bob", 30).succeeds();
    let _ = stage.sell("bob", 10).succeeds();
    assert_eq!(stage.volume(), 40);
    stage.world.at(hour + HOUR_MS);
    stage.rank(&[(CLAUDE, 50_000)]);
    let _ = stage.buy("bob", 5).succeeds();
    assert_eq!((stage.volume(), stage.market().volume_24h), (45, 45));
    stage.world.at(hour + 24 * HOUR_MS - 1);
    assert_eq!(stage.volume(), 45);
    stage.world.at(hour + 24 * HOUR_MS);
    assert_eq!(stage.volume(), 5);
    stage.world.at(hour + 25 * HOUR_MS);
    assert_eq!((stage.volume(), stage.market().volume_24h), (0, 0));
    // A trade later still does not bring back what is forgotten.
    stage.rank(&[(CLAUDE, 50_000)]);
    let _ = stage.buy("bob", 1).succeeds();
    assert_eq!(stage.volume(), 1);
}

#[test]
fn the_parameters_are_told() {
    let mut stage = Stage::new();
    let terms = stage.world.read(on(&stage.exchange).terms());
    assert_eq!((terms.maker.present, terms.maker.next), (TERMS, None));
    assert_eq!((terms.gate, terms.markets), (Gate::OPEN, 1));
    assert_eq!(terms.currency, address(&stage.mmc));
    assert_eq!(terms.leaderboard, address(&stage.board));
}

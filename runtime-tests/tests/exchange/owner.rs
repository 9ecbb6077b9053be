//! Listing, the reserve, the owner's parameters, and what a pause stops.

use crate::stage::*;
use cicada_core::exchange::{Limits, Side};
use cicada_core::quote::Framework;
use cicada_runtime_tests::{account, address, at, on};
use cicada_traits::exchange::{Exchange, ExchangeError};
use cicada_traits::ownable::{Ownable, OwnableError};
use cicada_traits::psp22::{PSP22Metadata, Role, Roles, PSP22};
use exchange::exchange::{
    Deposited, ExchangeContractRef, MarketListed, OwnershipAccepted, OwnershipProposed,
    PauseChanged, TermsChanged, Withdrawn,
};
use token::token::TokenRef;

const WEEK_MS: u64 = 604_800_000;

#[test]
fn anybody_opens_a_market_with_a_token_of_its_own() {
    let mut stage = Stage::bare();
    stage.rank(&[("gpt-4.1", 50_000)]);
    let listed = stage.list("dave", "gpt-4.1").succeeds();
    let event = listed.event::<MarketListed>(&stage.exchange);
    assert_eq!((event.framework, event.token), (framework("gpt-4.1"), listed.value));
    assert_eq!(event.market, 0);
    let token = at::<TokenRef>(listed.value);
    let name = stage.world.read(on(&token).token_name());
    assert_eq!(name.as_deref(), Some("gpt-4.1 performance"));
    assert_eq!(stage.world.read(on(&token).token_symbol()).as_deref(), Some("GPT-4.1"));
    assert_eq!(stage.world.read(on(&token).token_decimals()), 0);
    assert_eq!(stage.world.read(on(&token).total_supply()), 0);
    for role in [Role::Admin, Role::Minter, Role::Burner] {
        assert!(stage.world.read(on(&token).has_role(role, address(&stage.exchange))));
        for who in PEOPLE {
            assert!(!stage.world.read(on(&token).has_role(role, account(who))), "{who}");
        }
    }
    assert_eq!(stage.list("bob", "gpt-4.1").fails(), ExchangeError::AlreadyListed);
    assert_eq!(stage.list("bob", "llama").fails(), ExchangeError::NoQuote);
}

#[test]
fn a_market_can_be_opened_at_an_old_quote_but_not_traded_in() {
    let mut stage = Stage::bare();
    stage.rank(&[(CLAUDE, 50_000)]);
    stage.world.advance(MAX_AGE_MS);
    stage.open(CLAUDE);
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::StaleQuote);
}

#[test]
fn frameworks_are_listed_in_the_order_of_their_markets() {
    let mut stage = Stage::bare();
    let names: Vec<String> = (0..53).map(|i| format!("f{i:02}")).collect();
    let scores: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    stage.rank(&scores);
    // Another order than that of the leaderboard.
    for name in names.iter().rev() {
        let _ = stage.list("bob", name).succeeds();
    }
    let mut page = |from, limit| -> Vec<String> {
        let listed: Vec<Framework> = stage.world.read(on(&stage.exchange).frameworks(from, limit));
        listed.iter().map(ToString::to_string).collect()
    };
    let expected: Vec<String> = names.iter().rev().cloned().collect();
    assert_eq!(page(0, u32::MAX), expected[..50]);
    assert_eq!(page(50, 50), expected[50..]);
    assert_eq!(page(1, 2), expected[1..3]);
    assert!(page(53, 1).is_empty() && page(u32::MAX, u32::MAX).is_empty() && page(0, 0).is_empty());
}

#[test]
fn a_code_that_is_no_token_opens_no_market() {
    for code in [Some("leaderboard"), None] {
        let mut stage = Stage::bare();
        stage.rank(&[(CLAUDE, 50_000)]);
        let code = match code {
            Some(name) => stage.world.as_(account(OWNER)).upload(name),
            None => [9; 32],
        };
        let (mmc, board) = (address(&stage.mmc), address(&stage.board));
        let new = ExchangeContractRef::new(mmc, board, code, MAX_AGE_MS, LIMITS);
        stage.exchange =
            stage.world.as_(account(OWNER)).deploy("exchange", new).expect("valid terms");
        assert_eq!(stage.list("bob", CLAUDE).fails(), ExchangeError::TokenRefused);
        assert_eq!(stage.world.read(on(&stage.exchange).terms()).markets, 0);
    }
}

#[test]
fn the_age_of_a_quote_has_a_range() {
    let mut stage = Stage::bare();
    let (mmc, board) = (address(&stage.mmc), address(&stage.board));
    for (age, valid) in [(0, false), (1, true), (WEEK_MS, true), (WEEK_MS + 1, false)] {
        let expected = if valid { Ok(()) } else { Err(ExchangeError::InvalidTerms) };
        let new = ExchangeContractRef::new(mmc, board, [0; 32], age, LIMITS);
        let deployed = stage.world.as_(account(OWNER)).deploy("exchange", new);
        assert_eq!(deployed.map(|_| ()), expected, "{age}");
        let message = on(&stage.exchange).set_terms(age, LIMITS);
        assert_eq!(stage.call(OWNER, message).value, expected, "{age}");
    }
}

#[test]
fn deposits_make_the_reserve_and_withdrawals_leave_enough_of_it() {
    let mut stage = Stage::with_score(50_000);
    let deposited = stage.deposit("dave", 1_000 * MMC).succeeds();
    let event = deposited.event::<Deposited>(&stage.exchange);
    assert_eq!((event.framework, event.from), (framework(CLAUDE), account("dave")));
    assert_eq!(event.amount, 1_000 * MMC);
    let _ = stage.buy("bob", 10).succeeds();
    stage.score(60_000);
    // Ten tokens at the new bid must stay.
    let free = 1_000 * MMC + 10 * ASK - 10 * 59_400_000;
    assert_eq!(stage.withdraw(OWNER, free + 1).fails(), ExchangeError::InsufficientReserve);
    let withdrawn = stage.withdraw(OWNER, free).succeeds();
    let event = withdrawn.event::<Withdrawn>(&stage.exchange);
    assert_eq!((event.framework, event.to), (framework(CLAUDE), account(OWNER)));
    assert_eq!(event.amount, free);
    assert_eq!(stage.spent(OWNER), -(free as i128));
    assert_eq!(stage.withdraw(OWNER, 1).fails(), ExchangeError::InsufficientReserve);
    stage.check();
    let _ = stage.sell("bob", 10).succeeds();
    assert_eq!(stage.market().reserve, 0);
    stage.check();
}

#[test]
fn a_withdrawal_takes_nothing_of_what_is_locked_in_orders() {
    let mut stage = Stage::with_score(50_000);
    let _ = stage.rest("bob", Side::Buy, 1_000_000, 100);
    assert_eq!(stage.withdraw(OWNER, 1).fails(), ExchangeError::InsufficientReserve);
    stage.check();
}

#[test]
fn without_tokens_a_reserve_is_free_whatever_the_quote() {
    let mut stage = Stage::new();
    stage.world.advance(MAX_AGE_MS);
    let reserve = stage.market().reserve;
    assert_eq!(stage.withdraw(OWNER, reserve + 1).fails(), ExchangeError::InsufficientReserve);
    let _ = stage.withdraw(OWNER, reserve).succeeds();
    stage.check();
}

#[test]
fn strangers_change_nothing() {
    let mut stage = Stage::new();
    for who in ["bob", "dave"] {
        assert_eq!(stage.withdraw(who, 1).fails(), ExchangeError::NotOwner);
        let message = on(&stage.exchange).set_terms(MAX_AGE_MS, LIMITS);
        assert_eq!(stage.call(who, message).fails(), ExchangeError::NotOwner);
        let message = on(&stage.exchange).set_paused(true);
        assert_eq!(stage.call(who, message).fails(), ExchangeError::NotOwner);
        let message = on(&stage.exchange).propose_owner(account(who));
        assert_eq!(stage.call(who, message).fails(), OwnableError::NotOwner);
        let message = on(&stage.exchange).accept_ownership();
        assert_eq!(stage.call(who, message).fails(), OwnableError::NotProposed);
    }
}

#[test]
fn ownership_is_handed_on_in_two_steps() {
    let mut stage = Stage::new();
    let message = on(&stage.exchange).propose_owner(account("bob"));
    let proposed = stage.call(OWNER, message).succeeds();
    let event = proposed.event::<OwnershipProposed>(&stage.exchange);
    assert_eq!((event.owner, event.proposed), (account(OWNER), account("bob")));
    assert_eq!(stage.world.read(on(&stage.exchange).owner()), account(OWNER));
    let message = on(&stage.exchange).accept_ownership();
    let accepted = stage.call("bob", message).succeeds();
    assert_eq!(accepted.event::<OwnershipAccepted>(&stage.exchange).owner, account("bob"));
    assert_eq!(stage.world.read(on(&stage.exchange).owner()), account("bob"));
    assert_eq!(stage.withdraw(OWNER, 1).fails(), ExchangeError::NotOwner);
    let _ = stage.withdraw("bob", 1).succeeds();
}

#[test]
fn new_terms_hold_from_the_next_message_on() {
    let mut stage = Stage::new();
    let limits = Limits { max_outstanding: 5, max_per_quote: 4 };
    let message = on(&stage.exchange).set_terms(10_000, limits);
    let changed = stage.call(OWNER, message).succeeds();
    let event = changed.event::<TermsChanged>(&stage.exchange);
    assert_eq!((event.max_quote_age_ms, event.limits), (10_000, limits));
    assert_eq!(stage.buy("bob", 5).fails(), ExchangeError::LimitReached);
    let _ = stage.buy("bob", 4).succeeds();
    stage.world.advance(10_000);
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::StaleQuote);
}

#[test]
fn a_pause_stops_trading_and_lets_everybody_out() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    let bid = stage.rest("bob", Side::Buy, 1_000, 5);
    let ask = stage.rest("bob", Side::Sell, 90_000_000, 5);
    let message = on(&stage.exchange).set_paused(true);
    let paused = stage.call(OWNER, message).succeeds();
    assert_eq!(paused.event::<PauseChanged>(&stage.exchange), PauseChanged { paused: true });
    let again = on(&stage.exchange).set_paused(true);
    let again = stage.call(OWNER, again).succeeds();
    assert!(again.events::<PauseChanged>(&stage.exchange).is_empty(), "nothing changed");
    stage.rank(&[(CLAUDE, 50_000), ("openai", 45_000)]);
    let paused = ExchangeError::Paused;
    assert_eq!(stage.buy("bob", 1).fails(), paused);
    assert_eq!(stage.sell("bob", 1).fails(), paused);
    assert_eq!(stage.place("bob", Side::Buy, 10, 1).fails(), paused);
    assert_eq!(stage.fill_orders("bob").fails(), paused);
    assert_eq!(stage.list("bob", "openai").fails(), paused);
    // Everybody gets back what lies here.
    let _ = stage.cancel("bob", bid).succeeds();
    let _ = stage.cancel("bob", ask).succeeds();
    let _ = stage.deposit("dave", 7).succeeds();
    let _ = stage.withdraw(OWNER, 7).succeeds();
    stage.check();
    stage.pause(false);
    let _ = stage.sell("bob", 10).succeeds();
}

//! Listing, the reserve and the owner's parameters.

use crate::stage::*;
use cicada_core::exchange::maker::WITHDRAWAL_MS;
use cicada_core::exchange::terms::NOTICE_MS;
use cicada_core::exchange::{Limits, MakerTerms, Side, Withdrawal};
use cicada_core::quote::Framework;
use cicada_runtime_tests::{account, address, at, on};
use cicada_traits::exchange::{Exchange, ExchangeError};
use cicada_traits::ownable::{Ownable, OwnableError};
use cicada_traits::psp22::{PSP22Metadata, Role, Roles, PSP22};
use exchange::exchange::{
    Deposited, ExchangeContractRef, MarketListed, OwnershipAccepted, OwnershipProposed,
    TermsAnnounced, WithdrawalAnnounced, Withdrawn,
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
        let new = ExchangeContractRef::new(mmc, board, code, TERMS);
        stage.exchange =
            stage.world.as_(account(OWNER)).deploy("exchange", new).expect("valid terms");
        assert_eq!(stage.list("bob", CLAUDE).fails(), ExchangeError::TokenRefused);
        assert_eq!(stage.world.read(on(&stage.exchange).terms()).markets, 0);
    }
}

#[test]
fn the_longest_name_has_a_market_too() {
    let mut stage = Stage::bare();
    let name = "x".repeat(32);
    stage.rank(&[(&name, 50_000)]);
    let _ = stage.list("bob", &name).succeeds();
    assert_eq!(stage.market_of(&name).outstanding, 0);
}

#[test]
fn money_that_refuses_undoes_everything_and_everything_can_be_had_later() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    let _ = stage.buy("charlie", 10).succeeds();
    let bid = stage.rest("bob", Side::Buy, 45_000_000, 5);
    let ask = stage.rest("bob", Side::Sell, 60_000_000, 5);
    stage.score(40_000);
    let _ = stage.announce(OWNER, 1).succeeds();
    stage.wait(NOTICE_MS);
    let before = stage.market();
    let mmc = address(&stage.mmc);
    stage.replace_code(mmc, "leaderboard");
    let refused = ExchangeError::TokenRefused;
    assert_eq!(stage.buy("dave", 1).fails(), refused);
    assert_eq!(stage.sell("charlie", 1).fails(), refused);
    assert_eq!(stage.place("dave", Side::Buy, 10, 1).fails(), refused);
    assert_eq!(stage.cancel("bob", bid).fails(), refused);
    assert_eq!(stage.fill_order("dave", bid).fails(), refused);
    assert_eq!(stage.deposit("dave", 1).fails(), refused);
    assert_eq!(stage.withdraw(OWNER, 1).fails(), refused);
    assert_eq!(stage.market(), before);
    // What is no money is free.
    let _ = stage.cancel("bob", ask).succeeds();
    stage.replace_code(mmc, "token");
    let _ = stage.cancel("bob", bid).succeeds();
    assert_eq!((stage.spent("bob"), stage.tokens("bob")), ((10 * ASK) as i128, 10));
    stage.check();
}

#[test]
fn terms_have_ranges() {
    let mut stage = Stage::bare();
    let (mmc, board) = (address(&stage.mmc), address(&stage.board));
    let terms = |max_quote_age_ms, hourly_bps, account_bps| MakerTerms {
        max_quote_age_ms,
        limits: Limits { max_outstanding: 0, hourly_bps, account_bps },
    };
    for (terms, valid) in [
        (terms(600_000, 10, 1_000), true),
        (terms(WEEK_MS, 1_000, 10_000), true),
        (terms(599_999, 10, 1_000), false),
        (terms(WEEK_MS + 1, 10, 1_000), false),
        (terms(WEEK_MS, 9, 1_000), false),
        (terms(WEEK_MS, 1_001, 1_000), false),
        (terms(WEEK_MS, 10, 999), false),
        (terms(WEEK_MS, 10, 10_001), false),
    ] {
        let expected = if valid { Ok(()) } else { Err(ExchangeError::InvalidTerms) };
        let new = ExchangeContractRef::new(mmc, board, [0; 32], terms);
        let deployed = stage.world.as_(account(OWNER)).deploy("exchange", new);
        assert_eq!(deployed.map(|_| ()), expected, "{terms:?}");
        assert_eq!(stage.set_terms(OWNER, terms).value.map(|_| ()), expected, "{terms:?}");
    }
}

/// At the ends of the ranges people still get in and out.
#[test]
fn the_narrowest_and_the_widest_terms_let_everybody_trade() {
    for (hourly_bps, account_bps) in [(10, 1_000), (1_000, 10_000)] {
        let mut stage = Stage::new();
        stage.limit(Limits { max_outstanding: u128::MAX, hourly_bps, account_bps });
        let least = RESERVE / 10_000 * u128::from(hourly_bps) / 10_000 * u128::from(account_bps);
        assert_eq!(stage.room("bob", Side::Buy), least / ASK);
        let _ = stage.buy("bob", least / ASK).succeeds();
        let _ = stage.sell("bob", least / ASK).succeeds();
        stage.check();
    }
}

#[test]
fn a_withdrawal_is_announced_a_day_before() {
    let mut stage = Stage::with_score(50_000);
    let deposited = stage.deposit("dave", 10_000 * MMC).succeeds();
    let event = deposited.event::<Deposited>(&stage.exchange);
    assert_eq!((event.framework, event.from), (framework(CLAUDE), account("dave")));
    assert_eq!(event.amount, 10_000 * MMC);
    let _ = stage.buy("bob", 10).succeeds();
    assert_eq!(stage.withdraw(OWNER, 1).fails(), ExchangeError::NotAnnounced);
    let announced = stage.announce(OWNER, 20_000 * MMC).succeeds();
    let due = stage.world.now() + NOTICE_MS;
    assert_eq!(announced.value, due);
    let event = announced.event::<WithdrawalAnnounced>(&stage.exchange);
    assert_eq!((event.amount, event.from_ms), (20_000 * MMC, due));
    let told = Withdrawal { amount: 20_000 * MMC, from_ms: due };
    assert_eq!(stage.market().withdrawal, Some(told));
    stage.world.at(due - 1);
    stage.rank(&[(CLAUDE, 60_000)]);
    assert_eq!(stage.withdraw(OWNER, 1).fails(), ExchangeError::TooEarly);
    stage.world.at(due);
    // Ten tokens at the new bid must stay.
    let free = 10_000 * MMC + 10 * ASK - 10 * 59_400_000;
    assert_eq!(stage.withdraw(OWNER, free + 1).fails(), ExchangeError::InsufficientReserve);
    let withdrawn = stage.withdraw(OWNER, free).succeeds();
    let event = withdrawn.event::<Withdrawn>(&stage.exchange);
    assert_eq!((event.framework, event.to), (framework(CLAUDE), account(OWNER)));
    assert_eq!(event.amount, free);
    assert_eq!(stage.spent(OWNER), -(free as i128));
    assert_eq!(stage.withdraw(OWNER, 1).fails(), ExchangeError::InsufficientReserve);
    stage.check();
    // What is left buys all tokens back, though it is little: four an hour.
    for left in [6, 2, 0] {
        let amount = stage.tokens("bob") - left;
        let _ = stage.sell("bob", amount).succeeds();
        stage.wait(FORGOTTEN_MS);
    }
    assert_eq!(stage.market().reserve, 0);
    stage.check();
}

#[test]
fn an_announcement_is_good_for_one_day() {
    let mut stage = Stage::new();
    let _ = stage.announce(OWNER, 5).succeeds();
    stage.wait(NOTICE_MS);
    let _ = stage.withdraw(OWNER, 2).succeeds();
    assert_eq!(stage.withdraw(OWNER, 4).fails(), ExchangeError::NotAnnounced, "three are left");
    stage.wait(WITHDRAWAL_MS - 1);
    let _ = stage.withdraw(OWNER, 2).succeeds();
    stage.wait(1);
    assert_eq!(stage.withdraw(OWNER, 1).fails(), ExchangeError::NotAnnounced);
}

#[test]
fn a_score_of_nothing_or_next_to_it_frees_nothing() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 1_000).succeeds();
    let reserve = stage.market().reserve;
    let free = reserve - 1_000 * BID;
    let _ = stage.announce(OWNER, reserve).succeeds();
    stage.score(0);
    stage.wait(NOTICE_MS);
    for score in [0, 1] {
        stage.score(score);
        assert_eq!(stage.withdraw(OWNER, reserve).fails(), ExchangeError::InsufficientReserve);
        assert_eq!(stage.withdraw(OWNER, free + 1).fails(), ExchangeError::InsufficientReserve);
    }
    let _ = stage.withdraw(OWNER, free).succeeds();
    stage.score(50_000);
    let _ = stage.sell("bob", 100).succeeds();
    stage.check();
}

#[test]
fn a_framework_that_is_ranked_no_more_keeps_what_its_tokens_were_worth_and_frees_the_rest() {
    for ranked in [false, true] {
        let mut stage = Stage::new();
        let _ = stage.buy("bob", 1).succeeds();
        let reserve = stage.market().reserve;
        // Nobody looks for a month. Either its leaderboards end, or it is on none of them.
        stage.world.advance(30 * NOTICE_MS);
        if !ranked {
            stage.rank(&[("openai", 45_000)]);
        }
        let _ = stage.announce(OWNER, reserve).succeeds();
        stage.world.advance(NOTICE_MS);
        let short = ExchangeError::InsufficientReserve;
        assert_eq!(stage.withdraw(OWNER, reserve - BID + 1).fails(), short);
        let _ = stage.withdraw(OWNER, reserve - BID).succeeds();
        stage.check();
    }
}

#[test]
fn the_newest_bid_binds_though_it_is_stale() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 100).succeeds();
    let reserve = stage.market().reserve;
    let _ = stage.announce(OWNER, reserve).succeeds();
    stage.score(80_000);
    stage.world.advance(NOTICE_MS);
    let bound = 100 * 990 * 80_000;
    assert_eq!(stage.quote(), Err(ExchangeError::StaleQuote));
    let short = ExchangeError::InsufficientReserve;
    assert_eq!(stage.withdraw(OWNER, reserve - bound + 1).fails(), short);
    let _ = stage.withdraw(OWNER, reserve - bound).succeeds();
    stage.check();
}

#[test]
fn a_low_leaderboard_frees_nothing_when_the_highest_bid_is_a_week_old() {
    let mut stage = Stage::new();
    stage.score(50_001);
    let _ = stage.buy("bob", 10_000).succeeds();
    for _ in 0..8 {
        stage.world.advance(NOTICE_MS);
        stage.rank(&[(CLAUDE, 50_000)]);
        let _ = stage.buy("charlie", 1).succeeds();
    }
    let market = stage.market();
    let _ = stage.announce(OWNER, market.reserve).succeeds();
    stage.world.advance(NOTICE_MS);
    stage.score(1);
    let free = market.reserve - market.outstanding * BID;
    assert_eq!(stage.withdraw(OWNER, free + 1).fails(), ExchangeError::InsufficientReserve);
    let _ = stage.withdraw(OWNER, free).succeeds();
    stage.check();
}

#[test]
fn a_withdrawal_takes_nothing_of_what_is_locked_in_orders() {
    let mut stage = Stage::with_score(50_000);
    let _ = stage.rest("bob", Side::Buy, 1_000_000, 100);
    assert_eq!(stage.take_out(1).fails(), ExchangeError::InsufficientReserve);
    stage.check();
}

#[test]
fn without_tokens_a_reserve_is_free_whatever_the_quote() {
    let mut stage = Stage::new();
    let reserve = stage.market().reserve;
    stage.world.advance(MAX_AGE_MS);
    let _ = stage.announce(OWNER, reserve + 1).succeeds();
    stage.world.advance(NOTICE_MS);
    assert_eq!(stage.withdraw(OWNER, reserve + 1).fails(), ExchangeError::InsufficientReserve);
    let _ = stage.withdraw(OWNER, reserve).succeeds();
    stage.check();
}

#[test]
fn strangers_change_nothing() {
    let mut stage = Stage::new();
    for who in ["bob", "dave"] {
        assert_eq!(stage.announce(who, 1).fails(), ExchangeError::NotOwner);
        assert_eq!(stage.withdraw(who, 1).fails(), ExchangeError::NotOwner);
        assert_eq!(stage.set_terms(who, TERMS).fails(), ExchangeError::NotOwner);
        assert_eq!(stage.set_paused(who, true).fails(), ExchangeError::NotOwner);
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
    assert_eq!(stage.announce(OWNER, 1).fails(), ExchangeError::NotOwner);
    let _ = stage.announce("bob", 1).succeeds();
}

#[test]
fn new_terms_act_a_day_after_they_were_announced() {
    let mut stage = Stage::new();
    let limits = Limits { max_outstanding: 4, ..Limits::DEFAULT };
    let terms = MakerTerms { max_quote_age_ms: 600_000, limits };
    let changed = stage.set_terms(OWNER, terms).succeeds();
    let due = stage.world.now() + NOTICE_MS;
    assert_eq!(changed.value, due);
    let event = changed.event::<TermsAnnounced>(&stage.exchange);
    assert_eq!((event.terms, event.from_ms), (terms, due));
    let told = |stage: &mut Stage| stage.world.read(on(&stage.exchange).terms()).maker;
    let maker = told(&mut stage);
    assert_eq!((maker.present, maker.next.map(|next| next.terms)), (TERMS, Some(terms)));
    stage.world.at(due - 1);
    stage.rank(&[(CLAUDE, 50_000)]);
    let _ = stage.buy("bob", 5).succeeds();
    stage.world.at(due);
    assert_eq!((told(&mut stage).present, told(&mut stage).next), (terms, None));
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::LimitReached);
    let _ = stage.sell("bob", 1).succeeds();
    stage.world.advance(600_000);
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::StaleQuote);
}

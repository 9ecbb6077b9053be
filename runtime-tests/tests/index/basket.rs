//! Certified baskets: what is taken over, what is refused, what stays held.

use crate::stage::*;
use cicada_core::basket::holdings::{report, Entry};
use cicada_core::basket::rebalance::swap_room_floor;
use cicada_core::basket::BasketError;
use cicada_core::certificate::CertificateError;
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::STALENESS_MS;
use cicada_core::report::{FeedError, FeedState, Report, ReportKind};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::index::{Index, IndexError};
use cicada_traits::psp22::PSP22;
use index::index::{BasketSet, IndexContractRef, SlotVoid, WrittenOff};

#[test]
fn a_certified_basket_is_in_force() {
    let mut stage = Stage::bare();
    assert_eq!(stage.basket_state(), FeedState::EMPTY);
    assert!(stage.holdings().is_empty());
    let entries = stage.usual();
    let report = stage.basket_report(&entries);
    let receipt = stage.bring_basket(report, &entries).succeeds();
    assert_eq!(receipt.value, Settlement::Recorded);
    let digest = report.digest::<Native>();
    let event = receipt.event::<BasketSet>(&stage.index);
    assert_eq!((event.slot, event.digest, event.epoch), (1, digest, 1));
    assert_eq!((event.signers, event.time_ms), (0xffff, report.time_ms));
    let state = FeedState { slot: 1, digest, time_ms: report.time_ms };
    assert_eq!(stage.basket_state(), state);
    for (holding, entry) in stage.holdings().iter().zip(&entries) {
        assert_eq!((holding.token, holding.netuid), (entry.token, entry.netuid));
        assert_eq!((holding.weight_bps, holding.price_e18), (entry.weight_bps, entry.price_e18));
        assert_eq!(holding.amount, 0);
    }
}

#[test]
fn the_newest_basket_once_more_changes_nothing() {
    let mut stage = Stage::bare();
    let entries = stage.usual();
    let first = stage.basket_report(&entries);
    let _ = stage.bring_basket(first, &entries).succeeds();
    let again = stage.bring_basket(first, &entries).succeeds();
    assert_eq!((again.value, again.emitted.len()), (Settlement::AlreadyDone, 0));
    stage.world.advance(1_000);
    let second = stage.basket_report(&entries);
    let _ = stage.bring_basket(second, &entries).succeeds();
    assert_eq!((second.slot, second.previous), (2, first.digest::<Native>()));
    let old = stage.bring_basket(first, &entries);
    assert_eq!(old.fails(), FeedError::SlotTaken.into(), "older ones are not known");
}

#[test]
fn a_report_that_does_not_follow_is_refused() {
    let mut stage = Stage::new();
    let entries = stage.usual();
    let next = stage.basket_report(&entries);
    let elsewhere = ReportKind::Nav;
    let cases: [(Report, FeedError); 6] = [
        (Report { version: 2, ..next }, FeedError::UnknownVersion),
        (Report { feed: stage.feed(elsewhere), ..next }, FeedError::WrongFeed),
        (Report { slot: 3, ..next }, FeedError::SlotSkipped { expected: 2 }),
        (Report { slot: 1, ..next }, FeedError::SlotTaken),
        (Report { previous: Digest([1; 32]), ..next }, FeedError::WrongPrevious),
        (Report { time_ms: next.time_ms + 30_001, ..next }, FeedError::TimeAhead),
    ];
    for (report, reason) in cases {
        assert_eq!(stage.bring_basket(report, &entries).fails(), reason.into());
    }
    let old = Report { time_ms: next.time_ms - 1, ..next };
    assert_eq!(stage.bring_basket(old, &entries).fails(), FeedError::TimeReversed.into());
}

#[test]
fn certified_entries_that_make_no_basket_take_their_slot_and_nothing_else() {
    let mut stage = Stage::new();
    let (before, held) = (stage.basket_state(), stage.holdings());
    let own = Account::of(&address(&stage.token));
    let mut many = stage.usual();
    many.push(Entry { netuid: 99, token: Account([9; 32]), weight_bps: 1, price_e18: ONE });
    many[0].weight_bps -= 1;
    type Change<'a> = &'a dyn Fn(&mut Vec<Entry>);
    let cases: [Change; 8] = [
        &|e| e.clear(),
        &|e| e[0].weight_bps += 1,
        &|e| e[1].netuid = e[0].netuid,
        &|e| e[1].token = e[0].token,
        &|e| e[5].token = own,
        &|e| e[5].price_e18 = 0,
        &|e| e[5].weight_bps = 0,
        &|e| *e = many.clone(),
    ];
    for (slot, change) in (2..).zip(cases) {
        stage.world.advance(1_000);
        let mut entries = stage.usual();
        change(&mut entries);
        let receipt = stage.set_basket(&entries).succeeds();
        assert_eq!(receipt.value, Settlement::Void);
        let event = receipt.event::<SlotVoid>(&stage.index);
        assert_eq!((event.kind, event.slot), (ReportKind::Basket, slot));
        assert_eq!(stage.basket_state().slot, slot);
        assert_eq!(stage.basket_state().time_ms, before.time_ms, "no price became younger");
        assert_eq!(stage.holdings(), held);
    }
    stage.set_usual();
}

#[test]
fn a_changed_figure_or_certificate_is_refused() {
    let mut stage = Stage::bare();
    let entries = stage.usual();
    let good = stage.basket_report(&entries);
    let mut other = entries.clone();
    other[3].price_e18 += 1;
    assert_eq!(stage.bring_basket(good, &other).fails(), IndexError::ContentMismatch);
    // With the root changed too, the signatures are no longer theirs.
    let forged = stage.basket_report(&other);
    let certificate = stage.committee.certify(&stage.validators, &good);
    let message = on(&stage.index).set_basket(forged, other, (&certificate).into());
    let error = stage.world.as_(account("heidi")).call(message).fails();
    assert_eq!(error, CertificateError::BadSignature { seat: 0 }.into());
    let mut late = stage.committee.certify(&stage.validators, &good);
    late.epoch = 2;
    let message = on(&stage.index).set_basket(good, entries.clone(), (&late).into());
    let error = stage.world.as_(account("heidi")).call(message).fails();
    assert_eq!(error, CertificateError::WrongEpoch { expected: 1 }.into());
    let _ = stage.bring_basket(good, &entries).succeeds();
}

#[test]
fn the_basket_of_another_index_is_none_of_this_one() {
    let mut stage = Stage::bare();
    let entries = stage.usual();
    let twin = IndexContractRef::new(address(&stage.validators), address(&stage.token));
    let twin = stage.world.as_(account(OWNER)).deploy("index", twin);
    let mut feed = stage.feed(ReportKind::Basket);
    feed.contract = Account::of(&address(&twin));
    let report = report::<Native>(feed, &FeedState::EMPTY, &entries, stage.world.now());
    assert_eq!(stage.bring_basket(report, &entries).fails(), FeedError::WrongFeed.into());
    let certificate = stage.committee.certify(&stage.validators, &report);
    let message = on(&twin).set_basket(report, entries, (&certificate).into());
    let _ = stage.world.as_(account("heidi")).call(message).succeeds();
}

#[test]
fn without_a_contract_that_verifies_there_is_no_basket() {
    let mut stage = Stage::bare();
    let new = IndexContractRef::new(account("nobody"), address(&stage.token));
    stage.index = stage.world.as_(account(OWNER)).deploy("index", new);
    let entries = stage.usual();
    assert_eq!(stage.set_basket(&entries).fails(), IndexError::ValidatorsUnavailable);
}

#[test]
fn a_token_that_leaves_stays_held_is_minted_and_redeemed_and_goes_when_it_is_gone() {
    let mut stage = Stage::minted();
    let held = stage.amounts();
    stage.add_coin(20);
    let mut entries = stage.usual();
    let new = Entry { netuid: 99, token: Account::of(&stage.coin(20)), ..entries[0] };
    for (place, entry) in entries.iter_mut().enumerate() {
        entry.weight_bps = 405 + 10 * place as u16;
    }
    entries.truncate(20);
    let left = entries[0];
    entries[0] = Entry { weight_bps: 405, ..new };
    let _ = stage.set_basket(&entries).succeeds();
    let holdings = stage.holdings();
    assert_eq!(holdings.len(), 21);
    assert_eq!((holdings[0].token, holdings[0].amount), (new.token, 0));
    let last = holdings[20];
    assert_eq!((last.token, last.amount), (left.token, held[0]));
    assert_eq!((last.weight_bps, last.price_e18), (0, 0));

    let _ = stage.mint("charlie", ONE).succeeds();
    assert_eq!(FUNDS - stage.balance(account("charlie"), 0), ceil(held[0], 1, 1_000));
    assert_eq!(stage.balance(account("charlie"), 20), FUNDS, "nothing is held of it yet");
    let _ = stage.redeem("charlie", ONE).succeeds();
    stage.check_books(0);

    // Priced without weight it can be swapped away, and is then forgotten.
    entries.push(Entry { weight_bps: 0, ..left });
    let _ = stage.set_basket(&entries).succeeds();
    stage.world.advance(STALENESS_MS);
    let all = room(&mut stage, 20, 0);
    let _ = stage.swap("dave", 20, all, 0).succeeds();
    stage.check_books(0);
    let _ = stage.set_basket(&entries).succeeds();
    assert_eq!(stage.holdings().len(), 20);
    let dust = stage.world.read(on(&stage.index).written_off(stage.coin(0)));
    assert!(dust <= 1, "{dust}");
}

fn entry(stage: &Stage, coin: usize, weight_bps: u16) -> Entry {
    let (netuid, token) = (u16::try_from(coin).unwrap() + 1, Account::of(&stage.coin(coin)));
    Entry { netuid, token, weight_bps, price_e18: ONE }
}

/// The most that may be given now.
fn room(stage: &mut Stage, give: usize, take: usize) -> u128 {
    let age = stage.world.now() - stage.basket_state().time_ms;
    let tokens = [give, take].map(|coin| Account::of(&stage.coin(coin)));
    swap_room_floor(&stage.holdings(), &tokens[0], &tokens[1], age).unwrap()
}

#[test]
fn dust_of_a_token_that_left_stops_no_mint() {
    let mut stage = Stage::with_coins(3);
    let first = [entry(&stage, 0, 5_000), entry(&stage, 1, 5_000)];
    let _ = stage.set_basket(&first).succeeds();
    let _ = stage.mint("bob", 10 * ONE).succeeds();
    let second = [entry(&stage, 1, 5_000), entry(&stage, 2, 5_000), entry(&stage, 0, 0)];
    stage.world.advance(300_000);
    let _ = stage.set_basket(&second).succeeds();
    stage.world.advance(300_000);
    let most = room(&mut stage, 2, 0);
    let _ = stage.swap("dave", 2, most, 0).succeeds();
    // A gift of a token without weight is none.
    stage.donate("dave", 0, 1_000);
    assert_eq!(stage.sync(0).fails(), BasketError::NoWeight.into());
    let left = stage.amounts()[2];
    let receipt = stage.set_basket(&second).succeeds();
    let event = receipt.event::<WrittenOff>(&stage.index);
    assert_eq!((event.token, event.amount), (stage.coin(0), left));
    assert!(left > 0 && left < 1_000_000, "{left}");
    // Charlie has none of it, and needs none.
    let all = stage.balance(account("charlie"), 0);
    let away = on(&stage.coins[0]).transfer(account(OWNER), all, vec![]);
    let _ = stage.world.as_(account("charlie")).call(away).succeeds();
    let _ = stage.mint("charlie", ONE).succeeds();
    // A token that returns starts at nothing: of what lies here only the gift is taken in.
    stage.world.advance(300_000);
    let third = [entry(&stage, 0, 5_000), entry(&stage, 1, 5_000), entry(&stage, 2, 0)];
    let _ = stage.set_basket(&third).succeeds();
    assert_eq!(stage.amounts()[0], 0);
    let _ = stage.sync(0).succeeds();
    assert_eq!(stage.amounts()[0], 1_000);
    assert_eq!(stage.world.read(on(&stage.index).written_off(stage.coin(0))), left);
}

#[test]
fn tokens_that_lost_their_price_stop_baskets_for_a_day_at_most() {
    let mut stage = Stage::with_coins(41);
    let targets = |stage: &Stage, from: usize| -> Vec<Entry> {
        (from..from + 20).map(|coin| entry(stage, coin, 500)).collect()
    };
    let first = targets(&stage, 0);
    let _ = stage.set_basket(&first).succeeds();
    let _ = stage.mint("bob", 10 * ONE).succeeds();
    stage.world.advance(300_000);
    // Twenty others follow, and nobody knows a price of those that left.
    let second = targets(&stage, 20);
    let _ = stage.set_basket(&second).succeeds();
    for coin in 20..40 {
        stage.donate("dave", coin, 1_000_000);
        let _ = stage.sync(coin).succeeds();
    }
    let third = targets(&stage, 21);
    stage.world.advance(300_000);
    assert_eq!(stage.set_basket(&third).succeeds().value, Settlement::Void, "41 to hold");
    stage.world.advance(86_400_000 - 300_000);
    assert_eq!(stage.set_basket(&third).succeeds().value, Settlement::Recorded);
    assert_eq!(stage.holdings().len(), 21);
    let _ = stage.mint("charlie", ONE).succeeds();
}

#[test]
fn prices_that_are_wrong_by_two_percent_are_not_paid_by_the_holders() {
    let mut stage = Stage::with_coins(4);
    let weighed = |stage: &Stage, weights: [u16; 4]| -> Vec<Entry> {
        (0..4).map(|coin| entry(stage, coin, weights[coin])).collect()
    };
    let first = weighed(&stage, [7_000, 1_000, 1_000, 1_000]);
    let _ = stage.set_basket(&first).succeeds();
    let _ = stage.mint("bob", 100_000 * ONE).succeeds();
    stage.world.advance(300_000);
    // All are worth one TAO; the certified prices are a percent off, each the wrong way.
    let mut off = weighed(&stage, [1_000, 7_000, 1_000, 1_000]);
    off[0].price_e18 = ONE * 99 / 100;
    off[1].price_e18 = ONE * 101 / 100;
    let _ = stage.set_basket(&off).succeeds();
    let before: u128 = stage.amounts().iter().sum();
    let most = room(&mut stage, 1, 0);
    let _ = stage.swap("charlie", 1, most, 0).succeeds();
    let after: u128 = stage.amounts().iter().sum();
    // 1.01 / 0.99 · 0.98 is 0.98 bps below one: the spread covers it.
    assert!(after >= before, "{before} {after}");
}

#[test]
fn more_than_forty_tokens_are_never_held() {
    let mut stage = Stage::minted();
    let mut next = |first: u8| {
        let mut entries = stage.usual();
        for (place, entry) in (0..).zip(&mut entries) {
            entry.token = Account([first + place; 32]);
            entry.netuid += u16::from(first);
        }
        stage.set_basket(&entries).value
    };
    assert_eq!(next(100), Ok(Settlement::Recorded));
    assert_eq!(next(150), Ok(Settlement::Recorded), "what was never held makes room");
    // Forty are priced at most, held or not.
    let mut entries = stage.usual();
    for extra in 0..21u8 {
        entries.push(Entry {
            netuid: 900 + u16::from(extra),
            token: Account([extra; 32]),
            weight_bps: 0,
            price_e18: 1,
        });
    }
    assert_eq!(stage.set_basket(&entries).succeeds().value, Settlement::Void);
}

//! Certified baskets: what is taken over, what is refused, what stays held.

use crate::stage::*;
use cicada_core::basket::holdings::{report, Entry};
use cicada_core::basket::BasketError;
use cicada_core::certificate::CertificateError;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::report::{FeedError, FeedState, Report, ReportKind};
use cicada_runtime_tests::{account, address, on};
use cicada_traits::index::{Index, IndexError};
use index::index::{BasketSet, IndexContractRef};

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
        (Report { previous: [1; 32], ..next }, FeedError::WrongPrevious),
        (Report { time_ms: next.time_ms + 30_001, ..next }, FeedError::TimeAhead),
    ];
    for (report, reason) in cases {
        assert_eq!(stage.bring_basket(report, &entries).fails(), reason.into());
    }
    let old = Report { time_ms: next.time_ms - 1, ..next };
    assert_eq!(stage.bring_basket(old, &entries).fails(), FeedError::TimeReversed.into());
}

#[test]
fn entries_that_make_no_basket_are_refused() {
    let mut stage = Stage::bare();
    let own = *address(&stage.token).as_ref();
    type Change<'a> = &'a dyn Fn(&mut Vec<Entry>);
    let cases: [(Change, BasketError); 7] = [
        (&|e| e.clear(), BasketError::Empty),
        (&|e| e[0].weight_bps += 1, BasketError::WrongSum),
        (&|e| e[1].netuid = e[0].netuid, BasketError::RepeatedSubnet),
        (&|e| e[1].token = e[0].token, BasketError::RepeatedToken),
        (&|e| e[5].token = own, BasketError::OwnToken),
        (&|e| e[5].price_e18 = 0, BasketError::NoPrice),
        (&|e| e[5].weight_bps = 0, BasketError::NotInOrder),
    ];
    for (change, reason) in cases {
        let mut entries = stage.usual();
        change(&mut entries);
        assert_eq!(stage.set_basket(&entries).fails(), reason.into());
    }
    let mut many = stage.usual();
    many.push(Entry { netuid: 99, token: [9; 32], weight_bps: 1, price_e18: ONE });
    many[0].weight_bps -= 1;
    assert_eq!(stage.set_basket(&many).fails(), BasketError::TooLarge.into());
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
    feed.contract = *address(&twin).as_ref();
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
    let new = Entry { netuid: 99, token: *stage.coin(20).as_ref(), ..entries[0] };
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
    let all = stage.amounts()[20];
    let _ = stage.swap("dave", 20, all, 0).succeeds();
    assert_eq!((stage.amounts()[0], stage.amounts()[20]), (all, 0), "at the same price");
    stage.check_books(0);
    let _ = stage.set_basket(&entries).succeeds();
    assert_eq!(stage.holdings().len(), 20);
}

#[test]
fn more_than_forty_tokens_are_never_held() {
    let mut stage = Stage::minted();
    let mut next = |first: u8| {
        let mut entries = stage.usual();
        for (place, entry) in (0..).zip(&mut entries) {
            entry.token = [first + place; 32];
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
            token: [extra; 32],
            weight_bps: 0,
            price_e18: 1,
        });
    }
    assert_eq!(stage.set_basket(&entries).fails(), BasketError::TooManyHoldings.into());
}

use super::*;
use crate::basket::{keeps_backing, MAX_FEE_BPS};
use crate::hash::Native;
use crate::report::ReportKind;
use alloc::vec;
use parity_scale_codec::DecodeAll;
use proptest::prelude::*;

const INDEX: Account = Account([0xee; 32]);
const ONE: u128 = 1_000_000_000_000_000_000;

fn entry(token: u8, weight_bps: u16) -> Entry {
    Entry { netuid: token.into(), token: Account([token; 32]), weight_bps, price_e18: ONE }
}

fn holding(token: u8, weight_bps: u16, amount: u128) -> Holding {
    let netuid = token.into();
    Holding {
        token: Account([token; 32]),
        netuid,
        weight_bps,
        price_e18: ONE,
        amount,
        unpriced_ms: 0,
    }
}

/// Without a price since a time.
fn leaving(token: u8, amount: u128, unpriced_ms: u64) -> Holding {
    Holding { price_e18: 0, unpriced_ms, ..holding(token, 0, amount) }
}

const DAY: u64 = 86_400_000;

fn checked(change: impl Fn(&mut Vec<Entry>)) -> Result<(), BasketError> {
    let mut entries = vec![entry(1, 4_000), entry(2, 6_000), entry(3, 0)];
    change(&mut entries);
    check_entries(&entries, &INDEX)
}

#[test]
fn a_basket_is_checked() {
    assert_eq!(checked(|_| ()), Ok(()));
    assert_eq!(checked(|e| e.clear()), Err(BasketError::Empty));
    assert_eq!(checked(|e| e[0].weight_bps = 4_001), Err(BasketError::WrongSum));
    assert_eq!(checked(|e| e[1].netuid = 1), Err(BasketError::RepeatedSubnet));
    assert_eq!(checked(|e| e[2].token = Account([1; 32])), Err(BasketError::RepeatedToken));
    assert_eq!(checked(|e| e[2].token = INDEX), Err(BasketError::OwnToken));
    assert_eq!(checked(|e| e[2].price_e18 = 0), Err(BasketError::NoPrice));
    assert_eq!(checked(|e| e.swap(1, 2)), Err(BasketError::NotInOrder));
    let many = |n: u8, weight| (0..n).map(|token| entry(token, weight)).collect::<Vec<_>>();
    assert_eq!(check_entries(&many(20, 500), &INDEX), Ok(()));
    assert_eq!(check_entries(&many(21, 500), &INDEX), Err(BasketError::TooLarge));
    let mut most = many(40, 0);
    most[..20].iter_mut().for_each(|entry| entry.weight_bps = 500);
    assert_eq!(check_entries(&most, &INDEX), Ok(()));
    most.push(entry(40, 0));
    assert_eq!(check_entries(&most, &INDEX), Err(BasketError::TooManyHoldings));
}

#[test]
fn the_root_binds_every_entry_and_the_order() {
    let entries = [entry(1, 4_000), entry(2, 6_000)];
    let feed = Feed { kind: ReportKind::Basket, contract: Account([9; 32]) };
    let report = report::<Native>(feed, &FeedState::EMPTY, &entries, 7);
    assert!(matches::<Native>(&report, &entries));
    assert_eq!((report.slot, report.leaf_count, report.time_ms), (1, 1, 7));
    let changes: [fn(&mut [Entry; 2]); 5] = [
        |e| e.swap(0, 1),
        |e| e[0].netuid = 9,
        |e| e[1].token = Account([9; 32]),
        |e| e[1].weight_bps = 1,
        |e| e[0].price_e18 += 1,
    ];
    for change in changes {
        let mut other = entries;
        change(&mut other);
        assert!(!matches::<Native>(&report, &other));
    }
    assert!(!matches::<Native>(&Report { leaf_count: 2, ..report }, &entries));
    let bytes = entries[0].encode();
    assert_eq!(bytes.len(), ENTRY_LEN);
    assert_eq!(Entry::decode_all(&mut &bytes[..]), Ok(entries[0]));
    assert!(Entry::decode_all(&mut &bytes[1..]).is_err());
    let (netuid, weight_bps, price_e18) = (1, 2, 3);
    let token = [7; 32];
    let held =
        Holding { token: Account(token), netuid, weight_bps, price_e18, amount: 4, unpriced_ms: 5 };
    let bytes = held.encode();
    assert_eq!(bytes, ([7u8; 32], 1u16, 2u16, 3u128, 4u128, 5u64).encode());
    assert_eq!(Holding::decode_all(&mut &bytes[..]), Ok(held));
}

fn stays(held: &[Holding], entries: &[Entry], time_ms: u64) -> Vec<Holding> {
    let next = rebased(held, entries, time_ms).unwrap();
    assert_eq!(next.written_off, []);
    next.held
}

#[test]
fn what_leaves_the_basket_stays_held() {
    let held = [holding(1, 5_000, 10), holding(2, 5_000, 20), holding(3, 0, 0)];
    let entries = [entry(4, 9_000), entry(2, 1_000), entry(5, 0)];
    let next = stays(&held, &entries, 7);
    let expected = [holding(4, 9_000, 0), holding(2, 1_000, 20), leaving(1, 10, 7)];
    assert_eq!(next, expected, "what is neither wanted nor held is gone");
    let entries = [entry(4, 10_000), entry(1, 0)];
    let last = stays(&next, &entries, 8);
    assert_eq!(last, [holding(4, 10_000, 0), holding(1, 0, 10), leaving(2, 20, 8)]);
    assert_eq!(find(&last, &Account([2; 32])), Some(&leaving(2, 20, 8)));
    assert_eq!(find(&last, &Account([5; 32])), None);
}

#[test]
fn dust_of_a_token_that_left_is_written_off() {
    let held = [holding(1, 10_000, 99_981), holding(2, 0, 10), holding(3, 0, 9)];
    let entries = [entry(1, 10_000), entry(2, 0), entry(3, 0)];
    let next = rebased(&held, &entries, 7).unwrap();
    assert_eq!(next.held, held[..2], "exactly 1 bps is none");
    assert_eq!(next.written_off, held[2..]);
    let back = [entry(1, 5_000), entry(3, 5_000)];
    let next = rebased(&next.held, &back, 8).unwrap();
    assert_eq!(next.held[1], holding(3, 5_000, 0), "a token that returns starts at nothing");
}

#[test]
fn a_token_without_a_price_for_a_day_is_written_off() {
    let held = [holding(1, 10_000, 10), holding(2, 0, 90)];
    let targets = [entry(1, 10_000)];
    let priced = [entry(1, 10_000), entry(2, 0)];
    let first = stays(&held, &targets, DAY);
    let second = stays(&first, &targets, 2 * DAY - 1);
    assert_eq!(second[1], leaving(2, 90, DAY));
    let found = stays(&second, &priced, 2 * DAY - 1);
    assert_eq!(stays(&found, &targets, 2 * DAY)[1], leaving(2, 90, 2 * DAY), "from the start");
    let next = rebased(&second, &targets, 2 * DAY).unwrap();
    assert_eq!((next.held.len(), next.written_off), (1, vec![leaving(2, 90, DAY)]));
    assert_eq!(stays(&held, &targets, 9 * DAY).len(), 2, "one basket without a price is none");
}

#[test]
fn no_more_than_forty_tokens_are_held() {
    let held: Vec<_> = (0..20).map(|token| holding(token, 500, 1)).collect();
    let next: Vec<_> = (20..40).map(|token| entry(token, 500)).collect();
    let both = stays(&held, &next, 1);
    assert_eq!(both.len(), MAX_HOLDINGS);
    let mut full = both;
    full.iter_mut().for_each(|holding| holding.amount = 1);
    let mut third = next;
    third[0].token = Account([99; 32]);
    assert_eq!(rebased(&full, &third, 1), Err(BasketError::TooManyHoldings));
    let later = rebased(&full, &third, 1 + DAY).unwrap();
    assert_eq!((later.held.len(), later.written_off.len()), (21, 20), "not for ever");
}

#[test]
fn a_first_mint_goes_by_targets_and_any_other_by_holdings() {
    let held = [holding(1, 7_500, 0), holding(2, 2_500, 0), leaving(3, 8, 1)];
    let first = amounts_to_mint_ceil(&held, 0, 8 * ONE, true);
    assert_eq!(first, Ok(vec![6_000_000_000, 2_000_000_000, 0]));
    let stale = amounts_to_mint_ceil(&held, 0, 8 * ONE, false);
    assert_eq!(stale, Err(BasketError::StalePrices));
    let held = [holding(1, 7_500, 10), holding(2, 2_500, 1), leaving(3, 8, 1)];
    assert_eq!(amounts_to_mint_ceil(&held, 4, 2, false), Ok(vec![5, 1, 4]));
    assert_eq!(amounts_to_redeem_floor(&held, 4, 2), Ok(vec![5, 0, 4]));
    assert_eq!(amounts_to_mint_ceil(&[], 0, 1, true), Err(BasketError::Empty));
}

#[test]
fn the_first_mint_locks_a_little_for_ever() {
    assert_eq!(split_credit(ONE, 0), Ok((ONE - LOCKED_SUPPLY, LOCKED_SUPPLY)));
    assert_eq!(split_credit(LOCKED_SUPPLY + 1, 0), Ok((1, LOCKED_SUPPLY)));
    assert_eq!(split_credit(LOCKED_SUPPLY, 0), Err(BasketError::ZeroAmount));
    assert_eq!(split_credit(1, 0), Err(BasketError::ZeroAmount));
    assert_eq!(split_credit(1, 1), Ok((1, 0)));
    assert_eq!(split_credit(0, 1), Err(BasketError::ZeroAmount));
}

#[test]
fn only_what_is_neither_held_nor_owed_is_surplus() {
    let mut held = [holding(1, 10_000, 100)];
    let mut take = |balance, owed| take_surplus(&mut held, &Account([1; 32]), balance, owed);
    assert_eq!(take(130, 30), Err(BasketError::ZeroAmount));
    assert_eq!(take(99, 0), Err(BasketError::ZeroAmount));
    assert_eq!(take(29, 30), Err(BasketError::ZeroAmount));
    assert_eq!(take(137, 30), Ok(7));
    assert_eq!(take(137, 30), Err(BasketError::ZeroAmount));
    assert_eq!(held[0].amount, 107);
    let other = take_surplus(&mut held, &Account([2; 32]), 5, 0);
    assert_eq!(other, Err(BasketError::UnknownToken));
    held[0].weight_bps = 0;
    assert_eq!(take_surplus(&mut held, &Account([1; 32]), 900, 0), Err(BasketError::NoWeight));
}

#[test]
fn amounts_are_never_lost() {
    let mut held = vec![holding(1, 5_000, 1), holding(2, 5_000, u128::MAX)];
    assert_eq!(deposit(&mut held, &[4, 0]), Ok(()));
    assert_eq!(withdraw(&mut held, &[2, 1]), Ok(()));
    assert_eq!((held[0].amount, held[1].amount), (3, u128::MAX - 1));
    assert!(withdraw(&mut held, &[4, 0]).is_err());
    assert!(deposit(&mut held, &[0, 2]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Who mints and at once redeems has no unit more of anything, and who stays no unit less
    /// behind his tokens, whatever the fee, be it the first mint or not.
    #[test]
    fn a_round_trip_never_gains_a_unit(
        amounts in prop::collection::vec(prop_oneof![0u128..50, 0u128..1 << 60], 1..=20),
        supply in prop_oneof![Just(0u128), LOCKED_SUPPLY..1 << 80],
        tokens in prop_oneof![1u128..50, LOCKED_SUPPLY..1 << 70],
        fee in 0..=MAX_FEE_BPS,
    ) {
        let weight = |place: usize| if place == 0 { 10_000 } else { 0 };
        let mut held: Vec<Holding> = amounts.iter().enumerate().map(|(place, amount)| {
            let amount = if supply == 0 { 0 } else { *amount };
            holding(place as u8, weight(place), amount)
        }).collect();
        let Ok(paid) = amounts_to_mint_ceil(&held, supply, tokens, true) else {
            return Ok(());
        };
        let left = crate::basket::after_fee_floor(tokens, fee);
        let Ok((credited, locked)) = left.and_then(|left| split_credit(left, supply)) else {
            return Ok(());
        };
        let before = super::amounts(&held);
        deposit(&mut held, &paid).unwrap();
        let minted = supply + credited + locked;
        let after = super::amounts(&held);
        prop_assert!(supply == 0 || keeps_backing((&before, supply), (&after, minted)));
        let Ok(redeemed) = crate::basket::after_fee_floor(credited, fee) else {
            return Ok(());
        };
        let back = amounts_to_redeem_floor(&held, minted, redeemed).unwrap();
        prop_assert!(back.iter().zip(&paid).all(|(back, paid)| back <= paid));
        withdraw(&mut held, &back).unwrap();
        let rest = super::amounts(&held);
        prop_assert!(keeps_backing((&after, minted), (&rest, minted - credited)));
    }
}

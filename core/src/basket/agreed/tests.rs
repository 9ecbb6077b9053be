use super::*;
use crate::basket::holdings::report;
use crate::basket::sheet::Wanted;
use crate::hash::Native;
use crate::nav::HEARD_MS;
use crate::report::{Feed, FeedState, ReportKind};
use crate::Account;
use alloc::vec;
use proptest::prelude::*;

const NOW: u64 = 1_738_425_600_000;
const SIGNED: u64 = NOW + 2_000;
const NEEDED: u8 = 16;

fn wanted(netuid: u8, emission: u128) -> Wanted {
    Wanted { netuid: netuid.into(), token: Account([netuid; 32]), emission }
}

fn said(seat: u8, prices: &[(u16, u128)]) -> Observation {
    Observation { seat, time_ms: NOW, prices: prices.into(), signature: [seat; 64] }
}

/// What the validator of seat 0 has told its node.
fn own() -> Own {
    let ranked = vec![wanted(1, 6), wanted(2, 3), wanted(3, 1)];
    Own {
        slot: 1,
        observation: said(0, &[(1, 10_000), (2, 20_000), (3, 30_000)]),
        signed_ms: SIGNED,
        weights: vec![1_000; 23],
        sheet: Sheet { index_token: Account([0xee; 32]), ranked, held: vec![] },
    }
}

/// The proposal of an honest one.
fn of(own: &Own, observations: Vec<Observation>) -> Proposal {
    let entries = own.sheet.agreed(NOW, &observations, &own.weights, NEEDED).unwrap();
    proposal(entries, observations)
}

fn proposal(entries: Vec<Entry>, observations: Vec<Observation>) -> Proposal {
    let feed = Feed { kind: ReportKind::Basket, contract: Account([9; 32]) };
    let report = report::<Native>(feed, &FeedState::EMPTY, &entries, NOW);
    Proposal { report, entries, observations }
}

fn all(seats: core::ops::Range<u8>) -> Vec<Observation> {
    seats.map(|seat| said(seat, &own().observation.prices)).collect()
}

fn agrees(proposal: &Proposal) -> Result<(), Difference> {
    own().agrees(proposal, NEEDED, SIGNED + HEARD_MS)
}

#[test]
fn entries_are_those_that_follow_from_the_observations() {
    let good = of(&own(), all(0..16));
    assert_eq!(agrees(&good), Ok(()));
    let changed = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = good.entries.clone();
        change(&mut entries);
        agrees(&proposal(entries, good.observations.clone()))
    };
    assert_eq!(changed(&|list| list.truncate(2)), Err(Difference::Count { expected: 3 }));
    assert_eq!(changed(&|list| list[0].netuid = 9), Err(Difference::Entry { place: 0 }));
    assert_eq!(
        changed(&|list| list[1].token = Account([9; 32])),
        Err(Difference::Entry { place: 1 })
    );
    assert_eq!(changed(&|list| list[2].weight_bps = 1), Err(Difference::Entry { place: 2 }));
    assert_eq!(changed(&|list| list.swap(0, 1)), Err(Difference::Entry { place: 0 }));
    // Who proposes chooses no price, not by one unit.
    assert_eq!(changed(&|list| list[2].price_e18 += 1), Err(Difference::Entry { place: 2 }));
    assert_eq!(changed(&|list| list[0].price_e18 -= 1), Err(Difference::Entry { place: 0 }));
}

#[test]
fn sixteen_with_weight_observe_the_slot_and_time_of_the_own_validator() {
    let few = |needed| Err(Difference::Observations(ObservationError::TooFew { needed }));
    let good = of(&own(), all(0..17));
    let fifteen = Proposal { observations: all(0..15), ..good.clone() };
    assert_eq!(agrees(&fifteen), few(16));
    let mut weights = own();
    weights.weights[..2].fill(0);
    assert_eq!(weights.agrees(&good, NEEDED, SIGNED), few(16));
    let other = Own { slot: 2, ..own() };
    assert_eq!(other.agrees(&good, NEEDED, SIGNED), Err(Difference::Unseen));
    let mut later = good.clone();
    later.report.time_ms += 300_000;
    assert_eq!(agrees(&later), Err(Difference::Unseen));
    let mut mixed = good;
    mixed.observations[3].time_ms -= 300_000;
    let wrong = Err(Difference::Observations(ObservationError::WrongTime));
    assert_eq!(agrees(&mixed), wrong, "all of one time");
}

#[test]
fn who_signed_in_time_is_not_left_out() {
    let without = of(&own(), all(1..17));
    let at = |come_ms| own().agrees(&without, NEEDED, come_ms);
    assert_eq!(at(SIGNED + HEARD_MS - 1), Ok(()));
    assert_eq!(at(SIGNED + HEARD_MS), Err(Difference::LeftOut));
    let mut other = all(0..16);
    other[0].prices[0].1 += 1;
    assert_eq!(agrees(&of(&own(), other)), Err(Difference::LeftOut), "other words in its mouth");
}

#[test]
fn a_median_is_near_the_own_price_where_there_is_one() {
    let lie = |bps: u128| {
        let mut list = all(0..16);
        list[1..].iter_mut().for_each(|one| one.prices[1].1 = 20_000 + 2 * bps);
        of(&own(), list)
    };
    assert_eq!(agrees(&lie(50)), Ok(()));
    assert_eq!(agrees(&lie(51)), Err(Difference::Price { place: 1, off_bps: 51 }));
    // A validator without a price of one token agrees to what sixteen others say of it.
    let mut blind = own();
    blind.observation.prices.remove(1);
    let mut list = lie(400).observations;
    list[0] = blind.observation.clone();
    list.push(said(16, &list[1].prices.clone()));
    assert_eq!(blind.agrees(&of(&blind, list), NEEDED, SIGNED), Ok(()));
}

#[test]
fn one_validator_without_a_price_stops_no_basket_and_eight_stop_that_token_alone() {
    let with = |missing: usize| {
        let mut list = all(0..23);
        for one in &mut list[..missing] {
            one.prices.remove(1);
        }
        let mut own = own();
        own.observation = list[0].clone();
        let proposal = of(&own, list);
        assert_eq!(own.agrees(&proposal, NEEDED, SIGNED), Ok(()));
        proposal.entries.iter().map(|entry| (entry.netuid, entry.weight_bps)).collect::<Vec<_>>()
    };
    let whole = vec![(1, 6_000), (2, 3_000), (3, 1_000)];
    assert_eq!(with(1), whole);
    assert_eq!(with(7), whole);
    assert_eq!(with(8), [(1, 8_571), (3, 1_429)], "neither price nor weight");
}

#[test]
fn who_chooses_sixteen_does_not_choose_who_is_silent() {
    let with = |seats: u8, silent: usize| {
        let mut list = all(0..seats);
        for one in list.iter_mut().rev().take(silent) {
            one.prices.truncate(1);
        }
        agrees(&of(&own(), list))
    };
    let withheld = Err(Difference::Withheld { netuid: 2 });
    // One liar among sixteen that it picked would take the price from all tokens but one.
    assert_eq!(with(16, 1), withheld);
    assert_eq!(with(22, 7), withheld);
    assert_eq!(with(23, 7), Ok(()), "sixteen name them");
    assert_eq!(with(23, 8), Ok(()), "an honest one has no price either");
    assert_eq!(with(16, 8), Ok(()));
}

proptest! {
    /// What the proposer, with up to seven seats, can choose never leaves what the honest found.
    #[test]
    fn a_basket_that_is_agreed_to_lies_between_honest_prices(
        honest in prop::collection::vec(0u128..40, 16),
        lies in prop::collection::vec(1u128..1 << 100, 7),
        come in 0u64..10_000,
    ) {
        let price = |by: u128| 10_000 + by;
        let mut list: Vec<_> = (0..)
            .zip(&honest)
            .map(|(seat, by)| said(seat, &[(1, price(*by)), (2, 20_000), (3, 30_000)]))
            .collect();
        list.extend((16..).zip(&lies).map(|(seat, lie)| said(seat, &[(1, *lie), (2, 1), (3, *lie)])));
        let mut own = own();
        own.observation = list[0].clone();
        let made = of(&own, list);
        prop_assert_eq!(own.agrees(&made, NEEDED, SIGNED + come), Ok(()));
        let found = made.entries[0].price_e18;
        prop_assert!(found >= price(*honest.iter().min().unwrap()));
        prop_assert!(found <= price(*honest.iter().max().unwrap()));
        prop_assert_eq!((made.entries[1].price_e18, made.entries[2].price_e18), (20_000, 30_000));
    }
}

//! What a node holds against the files of its own validator.

use super::*;

pub(super) const FIRST: Award = Award {
    epoch: 1,
    start_ms: NOW - 3_600_000,
    end_ms: NOW - 1_000,
    pool: 1_000,
    carried_in: 0,
    awarded: 900,
    carried_out: 100,
    claims_root: [7; 32],
    claims: 12,
    total: 900,
};

pub(super) const INDEX_TOKEN: [u8; 32] = [55; 32];

pub(super) fn entries() -> Vec<entries::Entry> {
    let entry = |netuid: u8, weight_bps, price_e18| entries::Entry {
        netuid: netuid.into(),
        token: [netuid + 100; 32],
        weight_bps,
        price_e18,
    };
    vec![entry(1, 7_000, 10_000), entry(8, 3_000, 500_000), entry(3, 0, 77)]
}

/// Their prices as they are observed.
pub(super) fn prices(list: &[entries::Entry]) -> Vec<(u16, u128)> {
    let mut prices: Vec<_> = list.iter().map(|entry| (entry.netuid, entry.price_e18)).collect();
    prices.sort_unstable();
    prices
}

#[test]
fn an_award_is_the_one_that_its_own_validator_computed() {
    let bench = Bench::new();
    let proposal = bench.award(FIRST, NOW);
    bench.refuses(&proposal, NOW, "my validator has not computed epoch 1 yet");
    bench.write("awards/epoch-1.scale", &FIRST);
    assert_eq!(bench.check(&proposal, NOW), Ok(()));
    assert_eq!(bench.check_as(&proposal, Origin::Adopted, NOW + 3_600_000), Ok(()));
    let more = Award { awarded: 901, carried_out: 99, total: 901, ..FIRST };
    let words = "epoch 1, awarded: proposed is 901, my validator has 900";
    bench.refuses(&bench.award(more, NOW), NOW, words);
    let other = Award { claims_root: [8; 32], ..FIRST };
    bench.refuses(&bench.award(other, NOW), NOW, "the claims are not those");
    let mut root = proposal;
    root.report.root = [9; 32];
    bench.refuses(&root, NOW, "root");
    bench.write("awards/epoch-1.scale", &[1u8, 2, 3]);
    bench.refuses(&proposal, NOW, "cannot read my award");
    bench.write("awards/epoch-1.scale", &(FIRST, 0u8));
    bench.refuses(&proposal, NOW, "cannot read my award");
}

#[test]
fn an_award_follows_the_one_before_it() {
    let mut bench = Bench::new();
    bench.write("awards/epoch-1.scale", &FIRST);
    let second = Award {
        epoch: 2,
        start_ms: FIRST.end_ms,
        end_ms: NOW,
        carried_in: 100,
        awarded: 1_100,
        carried_out: 0,
        claims: 13,
        total: 2_000,
        ..FIRST
    };
    bench.write("awards/epoch-2.scale", &second);
    // As the first report of the feed, epoch 2 is none that the contract would take.
    bench.refuses(&bench.award(second, NOW), NOW, "WrongEpoch");
    assert!(bench.feeds.apply(1, &bench.award(second, NOW).encode()).is_none());
    bench.feeds.apply(2, &bench.award(FIRST, NOW).encode()).unwrap();
    assert_eq!(bench.check(&bench.award(second, NOW), NOW), Ok(()));
    let gap = Award { start_ms: FIRST.end_ms + 1, ..second };
    bench.write("awards/epoch-2.scale", &gap);
    bench.refuses(&bench.award(gap, NOW), NOW, "WrongStart");
    assert!(bench.feeds.apply(3, &bench.award(gap, NOW).encode()).is_none());
    let unfinished = Award { end_ms: NOW + 1, ..second };
    bench.refuses(&bench.award(unfinished, NOW), NOW, "NotOver");
    let mut changed = bench.award(second, NOW);
    changed.award.pool += 1;
    assert!(bench.feeds.apply(3, &changed.encode()).is_none());
    bench.feeds.apply(4, &bench.award(second, NOW).encode()).unwrap();
    assert_eq!(bench.state("rewards").slot, 2);
}

#[test]
fn a_node_without_a_validator_agrees_to_no_award_and_no_basket() {
    let mut bench = Bench::new();
    bench.restart(false);
    bench.refuses(&bench.award(FIRST, NOW), NOW, "--awards is not given");
    bench.refuses(&bench.basket(entries(), NOW), NOW, "--basket is not given");
    // What the others decided it follows, and attests.
    assert!(bench.feeds.apply(1, &bench.award(FIRST, NOW).encode()).is_some());
    assert!(bench.feeds.apply(2, &bench.basket(entries(), NOW).encode()).is_some());
}

#[test]
fn a_basket_is_what_follows_from_its_observations() {
    let bench = Bench::new();
    let proposal = bench.basket(entries(), NOW);
    bench.refuses(&proposal, NOW, "my validator has not written a basket yet");
    bench.write("basket.scale", &bench.own_basket(&entries(), NOW));
    assert_eq!(bench.check(&proposal, NOW), Ok(()));
    // Who proposes chooses nothing: no weight, no token, no price, not by one unit.
    let refuses = |change: &dyn Fn(&mut Vec<entries::Entry>), words: &str| {
        let mut proposal = proposal.clone();
        change(&mut proposal.entries);
        let feed = proposal.report.feed;
        let state = bench.state("basket");
        proposal.report = entries::report::<Native>(feed, &state, &proposal.entries, NOW);
        bench.refuses(&proposal, NOW, words);
    };
    refuses(&|list| list[0].price_e18 += 1, "place 1, subnet 1: not what follows");
    refuses(&|list| list[1].price_e18 -= 1, "place 2, subnet 8: not what follows");
    refuses(&|list| list[1].token = [44; 32], "place 2, subnet 8: not what follows");
    refuses(&|list| list[0].weight_bps += 1, "place 1, subnet 1: not what follows");
    refuses(&|list| list.truncate(2), "2 tokens, and 3 follow");
    refuses(&|list| list.clear(), "a basket of 0 tokens");
    let mut root = proposal.clone();
    root.report.root = [9; 32];
    bench.refuses(&root, NOW, "root");
    // The index token is in no basket of its own.
    let mut own = bench.own_basket(&entries(), NOW);
    own.sheet.index_token = entries()[1].token;
    bench.write("basket.scale", &own);
    bench.refuses(&proposal, NOW, "OwnToken");
    bench.write("basket.scale", &[1u8, 2, 3]);
    bench.refuses(&proposal, NOW, "cannot read my basket");
}

#[test]
fn prices_are_signed_by_sixteen_of_one_time() {
    let bench = Bench::new();
    bench.write("basket.scale", &bench.own_basket(&entries(), NOW));
    let of = |seats| bench.basket_of(entries(), seats, NOW);
    assert_eq!(bench.check(&of(0..23), NOW), Ok(()));
    bench.refuses(&of(0..15), NOW, "15 observations; 16 of seats with weight are needed");
    let changed = |change: &dyn Fn(&mut Vec<observed::Observation>), words: &str| {
        let mut proposal = of(0..16);
        change(&mut proposal.observations);
        bench.refuses(&proposal, NOW, words);
    };
    changed(&|list| list[7].prices[0].1 += 1, "the observation of seat 7 is forged");
    changed(&|list| list[7].prices.reverse(), "the prices of seat 7 are not in order");
    changed(&|list| list[7].prices[0].1 = 0, "the prices of seat 7 are not in order");
    changed(&|list| list[3].time_ms -= 300_000, "of another time");
    changed(&|list| list.swap(0, 1), "not in order");
    // Of a time that the own validator has not signed, nothing is agreed to.
    let later = bench.basket(entries(), NOW + 300_000);
    bench.refuses(&later, NOW + 300_000, "not observed this slot at this time");
    let late = NOW + navs::ROUND_MS + MAX_SKEW_MS;
    assert_eq!(bench.check(&of(0..16), late), Ok(()));
    bench.refuses(&of(0..16), late + 1, "before my clock");
}

#[test]
fn a_basket_that_leaves_the_own_validator_out_is_refused() {
    let bench = Bench::new();
    let own = bench.own_basket(&entries(), NOW);
    bench.write("basket.scale", &own);
    let without = bench.basket_of(entries(), 1..17, NOW);
    assert_eq!(bench.check(&without, NOW + 4_999), Ok(()));
    assert_eq!(bench.check(&without, NOW + 60_000), Ok(()), "a later view asks again");
    let mut fewer = entries();
    fewer[2].price_e18 += 1;
    let another = bench.basket_of(fewer, 1..17, NOW);
    bench.refuses(&another, NOW + 5_000, &hex::encode(own.observation.encode()));
}

#[test]
fn skewed_prices_of_seven_change_nothing_and_those_of_more_are_seen() {
    let bench = Bench::new();
    bench.write("basket.scale", &bench.own_basket(&entries(), NOW));
    // What the index lacks up by 99 bps, what it has too much of down.
    let mut skewed = prices(&entries());
    (skewed[0].1, skewed[2].1) = (10_099, 495_050);
    let with = |liars: u8, list| {
        let mut proposal = bench.basket(list, NOW);
        for seat in 16 - liars..16 {
            proposal.observations[usize::from(seat)] = bench.prices(seat, &skewed, NOW);
        }
        proposal
    };
    assert_eq!(bench.check(&with(7, entries()), NOW), Ok(()), "the median is the honest one");
    let mut list = entries();
    (list[0].price_e18, list[1].price_e18) = (10_099, 495_050);
    let mut proposal = bench.basket(list, NOW);
    proposal.observations[0] = bench.prices(0, &prices(&entries()), NOW);
    bench.refuses(&proposal, NOW, "the price is 99 bps off my validator's, more than 50");
    // In crash mode a price that was agreed once is not asked again: the log would wait for it.
    assert_eq!(bench.check_as(&proposal, Origin::Adopted, NOW), Ok(()));
}

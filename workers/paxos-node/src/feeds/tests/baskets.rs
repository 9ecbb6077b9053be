//! What a node holds of a basket against the file of its own validator.

use super::own_files::entries as list_of_three;
use super::*;
use cicada_core::basket::holdings::{self, Holding};
use cicada_core::basket::sheet::{Sheet, Wanted};
use cicada_core::basket::{agreed, observed};
use cicada_core::Account;

const INDEX_TOKEN: [u8; 32] = [55; 32];

/// Their prices as they are observed.
fn prices(list: &[holdings::Entry]) -> Vec<(u16, u128)> {
    let mut prices: Vec<_> = list.iter().map(|entry| (entry.netuid, entry.price_e18)).collect();
    prices.sort_unstable();
    prices
}

impl Bench {
    fn prices(&self, seat: u8, prices: &[(u16, u128)], time_ms: u64) -> observed::Observation {
        let (prices, signature) = (prices.to_vec(), [0; 64]);
        let mut observation = observed::Observation { seat, time_ms, prices, signature };
        let (feed, slot) =
            (self.network.feed(ReportKind::Basket).unwrap(), self.state("basket").slot + 1);
        let message = observation.message::<Native>(&self.network.config_digest(), &feed, slot);
        observation.signature = self.keys[usize::from(seat)].attest(&message);
        observation
    }

    /// The next basket of these entries, at whose prices these seats have observed.
    fn basket_of(
        &self,
        list: Vec<holdings::Entry>,
        seats: std::ops::Range<u8>,
        time_ms: u64,
    ) -> agreed::Proposal {
        let prices = prices(&list);
        let observations = seats.map(|seat| self.prices(seat, &prices, time_ms)).collect();
        let feed = self.network.feed(ReportKind::Basket).unwrap();
        let report = holdings::report::<Native>(feed, &self.state("basket"), &list, time_ms);
        agreed::Proposal { report, entries: list, observations }
    }

    pub(super) fn basket(&self, list: Vec<holdings::Entry>, time_ms: u64) -> agreed::Proposal {
        self.basket_of(list, 0..16, time_ms)
    }

    /// What this node's validator, of seat 0, has signed for the next basket, which is of these
    /// entries.
    fn own_basket(&self, list: &[holdings::Entry], time_ms: u64) -> agreed::Own {
        let ranked = list.iter().filter(|entry| entry.weight_bps > 0);
        let ranked = ranked.map(|entry| Wanted {
            netuid: entry.netuid,
            token: entry.token,
            emission: entry.weight_bps.into(),
        });
        let held = list.iter().filter(|entry| entry.weight_bps == 0);
        let held = held.map(|entry| Holding {
            token: entry.token,
            netuid: entry.netuid,
            weight_bps: 0,
            price_e18: entry.price_e18,
            amount: 1_000_000,
            unpriced_ms: 0,
        });
        let (ranked, held) = (ranked.collect(), held.collect());
        agreed::Own {
            slot: self.state("basket").slot + 1,
            observation: self.prices(0, &prices(list), time_ms),
            signed_ms: time_ms,
            weights: vec![1_000; usize::from(SEATS)],
            sheet: Sheet { index_token: Account(INDEX_TOKEN), ranked, held },
        }
    }
}

#[test]
fn a_basket_is_what_follows_from_its_observations() {
    let bench = Bench::new();
    let proposal = bench.basket(list_of_three(), NOW);
    bench.refuses(&proposal, NOW, "my validator has not written a basket yet");
    bench.write("basket.scale", &bench.own_basket(&list_of_three(), NOW));
    assert_eq!(bench.check(&proposal, NOW), Ok(()));
    // Who proposes chooses nothing: no weight, no token, no price, not by one unit.
    let refuses = |change: &dyn Fn(&mut Vec<holdings::Entry>), words: &str| {
        let mut proposal = proposal.clone();
        change(&mut proposal.entries);
        let feed = proposal.report.feed;
        let state = bench.state("basket");
        proposal.report = holdings::report::<Native>(feed, &state, &proposal.entries, NOW);
        bench.refuses(&proposal, NOW, words);
    };
    refuses(&|list| list[0].price_e18 += 1, "place 1, subnet 1: not what follows");
    refuses(&|list| list[1].price_e18 -= 1, "place 2, subnet 8: not what follows");
    refuses(&|list| list[1].token = Account([44; 32]), "place 2, subnet 8: not what follows");
    refuses(&|list| list[0].weight_bps += 1, "place 1, subnet 1: not what follows");
    refuses(&|list| list.truncate(2), "2 tokens, and 3 follow");
    refuses(&|list| list.clear(), "a basket of 0 tokens");
    let mut root = proposal.clone();
    root.report.root = Digest([9; 32]);
    bench.refuses(&root, NOW, "root");
    // The index token is in no basket of its own.
    let mut own = bench.own_basket(&list_of_three(), NOW);
    own.sheet.index_token = list_of_three()[1].token;
    bench.write("basket.scale", &own);
    bench.refuses(&proposal, NOW, "OwnToken");
    bench.write("basket.scale", &[1u8, 2, 3]);
    bench.refuses(&proposal, NOW, "cannot read my basket");
}

#[test]
fn prices_are_signed_by_sixteen_of_one_time() {
    let bench = Bench::new();
    bench.write("basket.scale", &bench.own_basket(&list_of_three(), NOW));
    let of = |seats| bench.basket_of(list_of_three(), seats, NOW);
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
    let later = bench.basket(list_of_three(), NOW + 300_000);
    bench.refuses(&later, NOW + 300_000, "not observed this slot at this time");
    let late = NOW + navs::ROUND_MS + MAX_SKEW_MS;
    assert_eq!(bench.check(&of(0..16), late), Ok(()));
    bench.refuses(&of(0..16), late + 1, "before my clock");
}

#[test]
fn a_basket_that_leaves_the_own_validator_out_is_refused() {
    let bench = Bench::new();
    let own = bench.own_basket(&list_of_three(), NOW);
    bench.write("basket.scale", &own);
    let without = bench.basket_of(list_of_three(), 1..17, NOW);
    assert_eq!(bench.check(&without, NOW + 4_999), Ok(()));
    assert_eq!(bench.check(&without, NOW + 60_000), Ok(()), "a later view asks again");
    let mut fewer = list_of_three();
    fewer[2].price_e18 += 1;
    let another = bench.basket_of(fewer, 1..17, NOW);
    bench.refuses(&another, NOW + 5_000, &hex::encode(own.observation.encode()));
}

#[test]
fn skewed_prices_of_seven_change_nothing_and_those_of_more_are_seen() {
    let bench = Bench::new();
    bench.write("basket.scale", &bench.own_basket(&list_of_three(), NOW));
    // What the index lacks up by 99 bps, what it has too much of down.
    let mut skewed = prices(&list_of_three());
    (skewed[0].1, skewed[2].1) = (10_099, 495_050);
    let with = |liars: u8, list| {
        let mut proposal = bench.basket(list, NOW);
        for seat in 16 - liars..16 {
            proposal.observations[usize::from(seat)] = bench.prices(seat, &skewed, NOW);
        }
        proposal
    };
    assert_eq!(bench.check(&with(7, list_of_three()), NOW), Ok(()), "the median is the honest one");
    let mut list = list_of_three();
    (list[0].price_e18, list[1].price_e18) = (10_099, 495_050);
    let mut proposal = bench.basket(list, NOW);
    proposal.observations[0] = bench.prices(0, &prices(&list_of_three()), NOW);
    bench.refuses(&proposal, NOW, "the price is 99 bps off my validator's, more than 50");
}

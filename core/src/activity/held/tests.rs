use super::super::{tally, Event, Side};
use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

const TAO: u128 = 1_000_000_000;
/// The length of an epoch in these tests.
const HOUR: u64 = 3_600_000;

fn epoch(number: u64) -> Window {
    Window::new(number * HOUR, (number + 1) * HOUR).unwrap()
}

/// A chain of mints, redemptions and transfers of an index whose token is worth a TAO.
#[derive(Default)]
struct Chain {
    events: Vec<Event>,
    movements: Vec<Movement>,
    balances: BTreeMap<Account, u128>,
}

impl Chain {
    fn moved(&mut self, time_ms: u64, from: Option<Account>, to: Option<Account>, tokens: u128) {
        if let Some(from) = from {
            *self.balances.entry(from).or_default() -= tokens;
        }
        if let Some(to) = to {
            *self.balances.entry(to).or_default() += tokens;
        }
        self.movements.push(Movement { time_ms, from, to, tokens });
    }

    fn traded(&mut self, time_ms: u64, miner: u8, side: Side, tokens: u128) {
        let (block, account) = (self.movements.len() as u64, [miner; 32]);
        match side {
            Side::Mint => self.moved(time_ms, None, Some(Account(account)), tokens),
            Side::Redeem => self.moved(time_ms, Some(Account(account)), None, tokens),
        }
        let index = 0;
        let event =
            Event { block, index, time_ms, miner: Account(account), side, tokens, value: tokens };
        self.events.push(event);
    }

    /// As a validator keeps it: epoch by epoch, each from what the one before left.
    fn holders(&self, last: u64) -> BTreeMap<Account, Holder> {
        let mut holders = BTreeMap::new();
        for number in 0..=last {
            let window = epoch(number);
            let own = |movement: &&Movement| window.hour_of(movement.time_ms).is_some();
            for movement in self.movements.iter().filter(own) {
                movement.apply(&mut holders, &window).unwrap();
            }
        }
        holders
    }

    /// What counts in an epoch: minted and redeemed of each.
    fn counted(&self, number: u64) -> BTreeMap<u8, (u128, u128)> {
        let (holders, window) = (self.holders(number), epoch(number));
        let held = |miner: &Account| holders.get(miner).copied().unwrap_or_default().held(&window);
        let activities = tally(&self.events, &window, held).unwrap().activities;
        activities.iter().map(|one| (one.miner.0[0], (one.minted, one.redeemed))).collect()
    }
}

#[test]
fn turning_the_same_tokens_round_earns_nothing() {
    let mut chain = Chain::default();
    for turn in 0..500 {
        chain.traded(HOUR + turn * 7_000, 1, Side::Mint, 100 * TAO);
        chain.traded(HOUR + turn * 7_000 + 3_500, 1, Side::Redeem, 100 * TAO);
    }
    for number in 0..4 {
        assert_eq!(chain.counted(number), BTreeMap::new(), "epoch {number}");
    }
}

#[test]
fn turning_them_round_through_a_friend_earns_nothing_either() {
    let mut chain = Chain::default();
    chain.traded(10, 1, Side::Mint, 100 * TAO);
    // It stayed through epoch 1. In epoch 2 the friend redeems it and mints again, many times.
    for turn in 0..200 {
        let at = 2 * HOUR + turn * 14_000;
        chain.moved(at, Some(Account([1; 32])), Some(Account([2; 32])), 100 * TAO);
        chain.traded(at + 1, 2, Side::Redeem, 100 * TAO);
        chain.traded(at + 2, 1, Side::Mint, 100 * TAO);
    }
    assert_eq!(chain.counted(1), BTreeMap::from([(1, (100 * TAO, 0))]));
    assert_eq!(chain.counted(2), BTreeMap::new());
    assert_eq!(chain.counted(3), BTreeMap::from([(1, (100 * TAO, 0))]), "once, as it stayed");
}

#[test]
fn capital_of_the_last_minute_counts_only_if_it_stays() {
    let mut chain = Chain::default();
    chain.traded(HOUR - 60_000, 1, Side::Mint, 100 * TAO);
    chain.traded(HOUR - 60_000, 2, Side::Mint, 100 * TAO);
    chain.traded(HOUR + 1, 1, Side::Redeem, 100 * TAO);
    chain.traded(2 * HOUR + 1, 2, Side::Redeem, 100 * TAO);
    assert_eq!(chain.counted(0), BTreeMap::new());
    assert_eq!(chain.counted(1), BTreeMap::from([(2, (100 * TAO, 0))]));
    assert_eq!(chain.counted(2), BTreeMap::from([(2, (0, 100 * TAO))]));
    assert_eq!(chain.counted(3), BTreeMap::new());
}

#[test]
fn who_lies_still_keeps_his_balance_over_epochs() {
    let mut chain = Chain::default();
    chain.traded(5, 1, Side::Mint, 9);
    chain.moved(HOUR + 5, Some(Account([1; 32])), Some(Account([2; 32])), 4);
    let held = |account: u8, at: u64, number: u64| {
        chain.holders(at)[&Account([account; 32])].held(&epoch(number))
    };
    assert_eq!(held(1, 0, 0), Held { before: 0, now: 0 });
    assert_eq!(held(1, 0, 1), Held { before: 0, now: 9 });
    assert_eq!(held(1, 1, 1), Held { before: 0, now: 5 });
    assert_eq!(held(1, 1, 2), Held { before: 5, now: 5 });
    assert_eq!(held(2, 1, 1), Held { before: 0, now: 0 });
    assert_eq!(held(2, 1, 2), Held { before: 0, now: 4 });
    assert_eq!(held(2, 1, 7), Held { before: 4, now: 4 });
}

#[test]
fn what_moved_before_the_epoch_before_is_only_a_balance() {
    let (one, window) = (Some(Account([1; 32])), epoch(9));
    let mut holders = BTreeMap::new();
    let moved = |time_ms, from, to, tokens| Movement { time_ms, from, to, tokens };
    for movement in [
        moved(HOUR, None, one, 50),
        moved(8 * HOUR, one, None, 20),
        moved(8 * HOUR + 1, None, one, 5),
        moved(9 * HOUR, one, None, 1),
    ] {
        movement.apply(&mut holders, &window).unwrap();
    }
    assert_eq!(holders[&Account([1; 32])].held(&window), Held { before: 30, now: 34 });
    let too_much = moved(9 * HOUR, one, None, 35);
    assert_eq!(too_much.apply(&mut holders, &window), Err(MathError::Overflow));
    let to_himself = moved(9 * HOUR, one, one, u128::MAX);
    assert_eq!(to_himself.apply(&mut holders, &window), Ok(()));
    assert_eq!(holders[&Account([1; 32])].held(&window), Held { before: 30, now: 34 });
}

proptest! {
    /// Whatever accounts, pieces, moments and ways: what counts in an epoch is no more than what lay
    /// still in it and in the one before.
    #[test]
    fn what_counts_is_bounded_by_what_lay_still(
        steps in prop::collection::vec((1u64..400_000, 0u8..4, 0u8..4, 0u8..3, 1u128..1_000), 0..120),
    ) {
        let mut chain = Chain::default();
        let mut time_ms = 0;
        let mut marks = Vec::new();
        for (later, who, other, way, part) in steps {
            time_ms += later;
            let own = chain.balances.get(&Account([who; 32])).copied().unwrap_or_default();
            match way {
                0 => chain.traded(time_ms, who, Side::Mint, part * TAO),
                1 => chain.traded(time_ms, who, Side::Redeem, own * part / 1_000),
                _ => chain.moved(time_ms, Some(Account([who; 32])), Some(Account([other; 32])), own * part / 1_000),
            }
            marks.push((time_ms, chain.balances.clone()));
        }
        // Each account's least balance in an epoch, by the plain definition.
        let least = |number: u64| -> u128 {
            let window = epoch(number);
            let at_start = marks.iter().rev().find(|(time, _)| *time < window.start_ms());
            let within = marks.iter().filter(|(time, _)| window.hour_of(*time).is_some());
            let all: Vec<_> = at_start.into_iter().chain(within).collect();
            let started = at_start.is_some();
            let of = |who: u8| {
                let balance = |(_, balances): &&(u64, BTreeMap<Account, u128>)| {
                    balances.get(&Account([who; 32])).copied().unwrap_or_default()
                };
                all.iter().map(balance).min().filter(|_| started).unwrap_or_default()
            };
            (0..4).map(of).sum()
        };
        for number in 1..=time_ms / HOUR + 2 {
            let counted = chain.counted(number);
            let minted: u128 = counted.values().map(|figures| figures.0).sum();
            let redeemed: u128 = counted.values().map(|figures| figures.1).sum();
            prop_assert!(minted <= least(number), "epoch {number}");
            prop_assert!(redeemed <= least(number - 1), "epoch {number}");
        }
    }
}

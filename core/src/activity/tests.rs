use super::*;
use proptest::prelude::*;
use Side::{Mint, Redeem};

const START: u64 = 1_738_425_600_000;
const TAO: u128 = 1_000_000_000;
const DAY: Window = Window { start_ms: START, end_ms: START + 24 * HOUR_MS };

fn event(block: u64, miner: u8, side: Side, value: u128) -> Event {
    Event { block, index: 0, time_ms: START + block * 6_000, miner: [miner; 32], side, value }
}

fn alone(account: &Account) -> Account {
    *account
}

fn counted(events: &[Event]) -> Vec<Activity> {
    tally(events, &DAY, alone).unwrap().activities
}

fn reasons(events: &[Event]) -> Vec<(u64, Ignored)> {
    let ignored = tally(events, &DAY, alone).unwrap().ignored;
    ignored.into_iter().map(|(event, reason)| (event.block, reason)).collect()
}

/// Minted, redeemed, transactions.
fn figures(activity: &Activity) -> (u128, u128, u64) {
    (activity.minted, activity.redeemed, activity.transactions)
}

#[test]
fn an_epoch_has_an_end_and_a_length() {
    assert_eq!(Window::new(5, 5), None);
    assert_eq!(Window::new(5, 4), None);
    assert_eq!(Window::new(0, 744 * HOUR_MS + 1), None);
    assert_eq!(Window::new(0, 744 * HOUR_MS).map(|window| window.hours()), Some(744));
    assert_eq!(Window::new(0, 1).map(|window| window.hours()), Some(1));
    assert_eq!(Window::new(0, HOUR_MS + 1).map(|window| window.hours()), Some(2));
    assert_eq!(DAY.hour_of(START - 1), None);
    assert_eq!(DAY.hour_of(START), Some(0));
    assert_eq!(DAY.hour_of(START + HOUR_MS), Some(1));
    assert_eq!(DAY.hour_of(START + 24 * HOUR_MS - 1), Some(23));
    assert_eq!(DAY.hour_of(START + 24 * HOUR_MS), None);
}

#[test]
fn small_and_foreign_events_and_repetitions_do_not_count() {
    let small = event(1, 1, Mint, MIN_VALUE - 1);
    let enough = event(2, 1, Mint, MIN_VALUE);
    let late = Event { time_ms: DAY.end_ms, ..event(3, 1, Mint, TAO) };
    let events = [enough, small, late, enough];
    let expected = [(1, Ignored::TooSmall), (2, Ignored::Repeated), (3, Ignored::OutsideEpoch)];
    assert_eq!(reasons(&events), expected);
    let activities = counted(&events);
    assert_eq!(activities.len(), 1);
    assert_eq!(figures(&activities[0]), (MIN_VALUE, 0, 1));
    assert_eq!(activities[0].last_ms, START + 12_000);
}

#[test]
fn the_eleventh_within_a_minute_does_not_count() {
    let at = |block: u64, ms: u64| Event { time_ms: START + ms, ..event(block, 1, Mint, TAO) };
    let mut events: Vec<_> = (0..11).map(|block| at(block, block * 100)).collect();
    assert_eq!(reasons(&events), [(10, Ignored::TooFrequent)]);
    events[10].time_ms = START + 59_999;
    assert_eq!(reasons(&events), [(10, Ignored::TooFrequent)]);
    events[10].time_ms = START + 60_000;
    assert_eq!(reasons(&events), [], "a minute after the first");
    events[10] = Event { miner: [2; 32], ..at(10, 1_000) };
    assert_eq!(reasons(&events), [], "another miner");
    events[10] = at(10, 1_000);
    events[3].value = 1;
    assert_eq!(reasons(&events), [(3, Ignored::TooSmall)], "what is too small takes no place");
}

#[test]
fn a_round_trip_counts_once() {
    let activities = counted(&[event(1, 1, Mint, 10 * TAO), event(2, 1, Redeem, 10 * TAO)]);
    assert_eq!(figures(&activities[0]), (0, 10 * TAO, 1));
    let activities = counted(&[event(1, 1, Mint, 10 * TAO), event(2, 1, Redeem, 4 * TAO)]);
    assert_eq!(figures(&activities[0]), (6 * TAO, 4 * TAO, 2));
    let activities = counted(&[event(1, 1, Mint, 4 * TAO), event(2, 1, Redeem, 10 * TAO)]);
    assert_eq!(figures(&activities[0]), (0, 10 * TAO, 1));
    let activities = counted(&[event(1, 1, Redeem, 10 * TAO), event(2, 1, Mint, 10 * TAO)]);
    assert_eq!(figures(&activities[0]), (10 * TAO, 10 * TAO, 2), "the other way round is none");
}

#[test]
fn a_round_trip_through_a_related_account_counts_once_and_through_a_stranger_twice() {
    let events = [event(1, 1, Mint, 10 * TAO), event(2, 2, Redeem, 10 * TAO)];
    let activities = counted(&events);
    let both: Vec<_> = activities.iter().map(figures).collect();
    assert_eq!(both, [(10 * TAO, 0, 1), (0, 10 * TAO, 1)]);
    let related = tally(&events, &DAY, |_| [1; 32]).unwrap().activities;
    assert_eq!(related.len(), 1);
    assert_eq!((related[0].miner, figures(&related[0])), ([2; 32], (0, 10 * TAO, 1)));
}

#[test]
fn a_closed_mint_leaves_its_hour_and_the_oldest_goes_first() {
    let hour = HOUR_MS / 6_000;
    let events = [
        event(0, 1, Mint, 3 * TAO),
        event(hour, 1, Mint, 5 * TAO),
        event(2 * hour, 1, Redeem, 4 * TAO),
    ];
    let activities = counted(&events);
    assert_eq!(activities[0].hourly[..4], [0, 4 * TAO, 4 * TAO, 0]);
    assert_eq!(activities[0].hourly.len(), 24);
    assert_eq!(figures(&activities[0]), (4 * TAO, 4 * TAO, 2));
}

#[test]
fn a_spike_is_above_ten_times_the_own_average() {
    assert!(!is_spike(100, 30, 3));
    assert!(is_spike(101, 30, 3));
    assert!(!is_spike(u128::MAX, 0, 0), "no past, no spike");
    assert!(!is_spike(u128::MAX, 0, 5));
    assert!(is_spike(u128::MAX, 1, u32::MAX));
}

#[test]
fn values_beyond_128_bits_are_an_error() {
    let events = [event(1, 1, Mint, u128::MAX), event(2, 1, Mint, MIN_VALUE)];
    assert_eq!(tally(&events, &DAY, alone), Err(MathError::Overflow));
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0u64..200, 0u32..2, 0u8..4, any::<bool>(), 1u128..5_000).prop_map(
        |(block, index, miner, mint, value)| Event {
            index,
            time_ms: START + block * 20_000,
            ..event(block, miner, if mint { Mint } else { Redeem }, value * MIN_VALUE / 100)
        },
    );
    prop::collection::btree_map((0u64..200, 0u32..2), one, 0..60).prop_map(|events| {
        let identified = events.into_iter().map(|((block, index), event)| Event {
            block,
            index,
            time_ms: START + block * 20_000,
            ..event
        });
        identified.collect()
    })
}

proptest! {
    #[test]
    fn order_and_repetition_of_events_change_nothing(
        (list, shuffled) in events().prop_flat_map(|list| {
            let twice = [list.clone(), list.clone()].concat();
            (Just(list), Just(twice).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(counted(&list), counted(&shuffled));
    }

    #[test]
    fn figures_add_up_and_a_group_never_counts_for_more_than_strangers(list in events()) {
        let strangers = tally(&list, &DAY, alone).unwrap();
        let group = tally(&list, &DAY, |_| [0; 32]).unwrap();
        let mut totals = Vec::new();
        for tally in [&strangers, &group] {
            let mut total = 0;
            for activity in &tally.activities {
                prop_assert_eq!(activity.hourly.iter().sum::<u128>(), activity.value().unwrap());
                total += activity.value().unwrap();
            }
            totals.push(total);
        }
        prop_assert_eq!(&strangers.ignored, &group.ignored);
        prop_assert!(totals[1] <= totals[0]);
        // What one group minted after all its redemptions is left of it, all others were closed:
        // the plain definition keeps a stack of open value.
        let counts = |event: &&Event| !group.ignored.iter().any(|(other, _)| other == *event);
        let (mut open, mut redeemed) = (0u128, 0u128);
        for event in list.iter().filter(counts) {
            match event.side {
                Mint => open += event.value,
                Redeem => {
                    open = open.saturating_sub(event.value);
                    redeemed += event.value;
                }
            }
        }
        prop_assert_eq!(totals[1], open + redeemed);
    }

    #[test]
    fn within_any_minute_no_miner_counts_more_than_ten_times(
        offsets in prop::collection::vec(0u64..200_000, 0..80),
    ) {
        let mut times = offsets;
        times.sort_unstable();
        let list: Vec<_> = (0u64..)
            .zip(&times)
            .map(|(block, offset)| Event { time_ms: START + offset, ..event(block, 1, Mint, TAO) })
            .collect();
        let ignored = reasons(&list).len();
        // The plain definition, quadratic.
        let mut kept: Vec<u64> = Vec::new();
        for time in times {
            let near = kept.iter().filter(|other| time - **other < MINUTE_MS).count();
            if near < MAX_PER_MINUTE {
                kept.push(time);
            }
        }
        prop_assert_eq!(ignored, list.len() - kept.len());
    }
}

#[test]
fn the_value_of_tokens_is_at_nav_and_rounded_down() {
    let token = 1_000_000_000_000_000_000;
    assert_eq!(value_floor(token, token), Ok(TAO), "one token at a NAV of 1");
    assert_eq!(value_floor(token / 2, 3 * token), Ok(3 * TAO / 2));
    assert_eq!(value_floor(999_999_999, token), Ok(0), "less than a unit of TAO");
    assert_eq!(value_floor(token, 0), Ok(0), "no NAV, no value");
    assert_eq!(value_floor(u128::MAX, u128::MAX), Err(MathError::Overflow));
}

use super::*;
use proptest::prelude::*;
use Side::{Mint, Redeem};

const START: u64 = 1_738_425_600_000;
const TAO: u128 = 1_000_000_000;
const DAY: Window = Window { start_ms: START, end_ms: START + 24 * HOUR_MS };

/// A redemption of the epoch, or a mint of the one before; a token is worth a TAO.
fn event(block: u64, miner: u8, side: Side, value: u128) -> Event {
    let begin = if side == Mint { DAY.before().start_ms } else { START };
    Event {
        block,
        index: 0,
        time_ms: begin + block * 6_000,
        miner: Account([miner; 32]),
        side,
        tokens: value,
        value,
    }
}

/// Everything stayed.
fn all(_: &Account) -> Held {
    Held { before: u128::MAX, now: u128::MAX }
}

fn counted(events: &[Event]) -> Vec<Activity> {
    tally(events, &DAY, all).unwrap().activities
}

fn reasons(events: &[Event]) -> Vec<(u64, Ignored)> {
    let ignored = tally(events, &DAY, all).unwrap().ignored;
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
    assert_eq!((DAY.before().start_ms, DAY.before().end_ms), (START - 24 * HOUR_MS, START));
    assert_eq!(Window { start_ms: 5, end_ms: 15 }.before(), Window { start_ms: 0, end_ms: 5 });
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
    assert_eq!(activities[0].last_ms, DAY.before().start_ms + 12_000);
}

#[test]
fn the_eleventh_within_a_minute_does_not_count() {
    let at = |block: u64, ms: u64| Event { time_ms: START + ms, ..event(block, 1, Redeem, TAO) };
    let mut events: Vec<_> = (0..11).map(|block| at(block, block * 100)).collect();
    assert_eq!(reasons(&events), [(10, Ignored::TooFrequent)]);
    events[10].time_ms = START + 59_999;
    assert_eq!(reasons(&events), [(10, Ignored::TooFrequent)]);
    events[10].time_ms = START + 60_000;
    assert_eq!(reasons(&events), [], "a minute after the first");
    events[10] = Event { miner: Account([2; 32]), ..at(10, 1_000) };
    assert_eq!(reasons(&events), [], "another miner");
    events[10] = at(10, 1_000);
    events[3].value = 1;
    assert_eq!(reasons(&events), [(3, Ignored::TooSmall)], "what is too small takes no place");
}

#[test]
fn mints_count_in_the_next_epoch_and_redemptions_in_their_own() {
    let late = |side| Event { time_ms: START + 1, ..event(3, 1, side, TAO) };
    let early = |side| Event { time_ms: START - 1, ..event(2, 1, side, TAO) };
    assert_eq!(figures(&counted(&[early(Mint), late(Redeem)])[0]), (TAO, TAO, 2));
    assert_eq!(counted(&[early(Redeem), late(Mint)]), []);
    assert_eq!(reasons(&[early(Redeem), late(Mint)]), [], "they count elsewhere");
    let hours = &counted(&[early(Mint), late(Redeem)])[0].hourly;
    assert_eq!((hours.len(), hours[0], hours[23]), (24, TAO, TAO), "each in its own epoch's hour");
}

#[test]
fn what_did_not_stay_does_not_count() {
    let events = [
        event(1, 1, Mint, 10 * TAO),
        event(2, 1, Mint, 10 * TAO),
        event(3, 1, Mint, 10 * TAO),
        event(4, 1, Redeem, 7 * TAO),
        event(5, 2, Redeem, 7 * TAO),
    ];
    let held = |miner: &Account| match miner.0[0] {
        1 => Held { before: 5 * TAO, now: 14 * TAO },
        _ => Held { before: 0, now: u128::MAX },
    };
    let tally = tally(&events, &DAY, held).unwrap();
    assert_eq!(tally.activities.len(), 1);
    assert_eq!(figures(&tally.activities[0]), (14 * TAO, 5 * TAO, 3), "the oldest first");
    let ignored: Vec<_> =
        tally.ignored.iter().map(|(e, why)| (e.block, e.miner.0[0], *why)).collect();
    assert_eq!(ignored, [(3, 1, Ignored::NotHeld), (5, 2, Ignored::NotHeld)]);
}

#[test]
fn a_part_has_its_part_of_the_value_rounded_down() {
    let one = Event { value: 1_000_000_001, tokens: 3, ..event(1, 1, Mint, TAO) };
    let held = |_: &Account| Held { before: 0, now: 2 };
    assert_eq!(tally(&[one], &DAY, held).unwrap().activities[0].minted, 666_666_667);
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
    let one = |block, value| Event { tokens: 1, ..event(block, 1, Mint, value) };
    let events = [one(1, u128::MAX), one(2, MIN_VALUE)];
    assert_eq!(tally(&events, &DAY, all), Err(MathError::Overflow));
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0u64..200, 0u32..2, 0u8..4, any::<bool>(), 1u128..5_000).prop_map(
        |(block, index, miner, mint, value)| Event {
            index,
            ..event(block, miner, if mint { Mint } else { Redeem }, value * MIN_VALUE / 100)
        },
    );
    prop::collection::btree_map((0u64..200, 0u32..2), one, 0..60).prop_map(|events| {
        let identified = events.into_iter().map(|((block, index), event)| {
            let begin = if event.side == Mint { DAY.before().start_ms } else { START };
            Event { block, index, time_ms: begin + block * 20_000, ..event }
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
    fn no_miner_counts_for_more_than_what_it_held(
        list in events(), held in prop::collection::vec((0u128..1 << 40, 0u128..1 << 40), 4),
    ) {
        let of = |miner: &Account| held[usize::from(miner.0[0])];
        let limits = |miner: &Account| Held { before: of(miner).0, now: of(miner).1 };
        let free = tally(&list, &DAY, all).unwrap();
        let tally = tally(&list, &DAY, limits).unwrap();
        for activity in &tally.activities {
            prop_assert_eq!(activity.hourly.iter().sum::<u128>(), activity.value().unwrap());
            let most = free.activities.iter().find(|one| one.miner == activity.miner).unwrap();
            let (before, now) = of(&activity.miner);
            // The plain definition; a token is worth a TAO.
            prop_assert_eq!(activity.minted, most.minted.min(now));
            prop_assert_eq!(activity.redeemed, most.redeemed.min(before));
        }
    }

    #[test]
    fn within_any_minute_no_miner_counts_more_than_ten_times(
        offsets in prop::collection::vec(0u64..200_000, 0..80),
    ) {
        let mut times = offsets;
        times.sort_unstable();
        let list: Vec<_> = (0u64..)
            .zip(&times)
            .map(|(block, offset)| Event { time_ms: START + offset, ..event(block, 1, Redeem, TAO) })
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

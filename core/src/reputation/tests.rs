use super::*;
use num_bigint::BigUint;
use num_rational::Ratio;
use proptest::prelude::*;

const DAY: u64 = 86_400_000;
const TENTH: Decay = Decay { start_ms: 1_000, epoch_ms: DAY, decay_bps: 1_000 };

fn after(events: &[Event]) -> Profile {
    let mut profile = Profile::START;
    for event in events {
        profile.apply(event).unwrap();
    }
    profile
}

fn with_points(points: u32) -> Profile {
    Profile { points_e6: u64::from(points) * MILLION, ..Profile::START }
}

#[test]
fn everybody_starts_alike() {
    let start = Profile::START.summary();
    assert_eq!((start.points, start.score_bps, start.events), (50, 10_000, 0));
    assert_eq!(start.counts, Counts::default());
    assert_eq!(Profile::START.decayed(&TENTH, u64::MAX).summary(), start);
}

#[test]
fn each_event_moves_what_the_table_says() {
    use Event::*;
    let cases = [
        (Completed, 60, [10_000, 10_000, 10_000]),
        (FastResponse, 52, [10_000, 10_000, 10_000]),
        (Failed, 30, [10_000, 10_000, 10_000]),
        (SlaViolated { points: 7 }, 43, [10_000, 10_000, 10_000]),
        (Feedback { stars: 1 }, 40, [10_000, 10_000, 10_000]),
        (Feedback { stars: 2 }, 40, [10_000, 10_000, 10_000]),
        (Feedback { stars: 3 }, 50, [10_000, 10_000, 10_000]),
        (Feedback { stars: 4 }, 55, [10_000, 10_000, 10_000]),
        (Feedback { stars: 5 }, 55, [10_000, 10_000, 10_000]),
        (DisputeWon, 65, [10_000, 10_000, 10_000]),
        (DisputeLost, 25, [10_000, 10_000, 10_000]),
        (Downtime, 50, [9_000, 10_000, 10_000]),
        (Slow, 50, [10_000, 9_500, 10_000]),
        (WrongResult, 50, [8_000, 10_000, 10_000]),
        (FalseProvisioning, 50, [10_000, 10_000, 5_000]),
        (ProfitManipulation, 50, [10_000, 10_000, 2_000]),
        (Collusion, 50, [10_000, 10_000, 0]),
    ];
    for (event, points, [reliability_bps, performance_bps, fairness_bps]) in cases {
        let profile = after(&[event]);
        assert_eq!(profile.points(), points, "{event:?}");
        let metrics = Metrics { reliability_bps, performance_bps, fairness_bps };
        assert_eq!(profile.metrics(), metrics, "{event:?}");
    }
}

#[test]
fn what_is_stored_is_read_back_and_has_the_plain_encoding() {
    use parity_scale_codec::{Decode, Encode};
    let profile = after(&[Event::Completed, Event::WrongResult, Event::Feedback { stars: 5 }]);
    assert_eq!(Profile::decode(&mut &profile.encode()[..]), Ok(profile));
    assert!(Profile::decode(&mut &profile.encode()[1..]).is_err());
    assert_eq!(profile.encoded_size(), 15 * 8);
    let metrics = Metrics { reliability_bps: 1, performance_bps: 2, fairness_bps: 3 };
    assert_eq!(metrics.encode(), (1u16, 2u16, 3u16).encode());
    assert_eq!(Metrics::decode(&mut &metrics.encode()[..]), Ok(metrics));
}

#[test]
fn stars_are_one_to_five() {
    for stars in [0, 6, u8::MAX] {
        let mut profile = Profile::START;
        assert_eq!(profile.apply(&Event::Feedback { stars }), Err(InvalidStars));
        assert_eq!(profile, Profile::START);
    }
}

#[test]
fn every_event_is_counted_where_it_belongs() {
    use Event::*;
    let profile = after(&[
        Completed,
        Completed,
        FastResponse,
        Failed,
        SlaViolated { points: 0 },
        Feedback { stars: 3 },
        Feedback { stars: 5 },
        DisputeWon,
        DisputeLost,
        Downtime,
        Slow,
        WrongResult,
        FalseProvisioning,
        ProfitManipulation,
        Collusion,
    ]);
    let counts = Counts {
        completed: 2,
        failed: 1,
        disputes_won: 1,
        disputes_lost: 1,
        feedbacks: 2,
        stars: 8,
        violations: 1,
        penalties: 3,
        frauds: 3,
    };
    assert_eq!((profile.summary().counts, profile.events()), (counts, 15));
}

#[test]
fn the_score_is_the_mean_rounded_down() {
    // (9,000 + 8,000 + 8,500) / 3: the example of requirement 003-30.
    let of = |reliability_bps, performance_bps, fairness_bps| {
        Metrics { reliability_bps, performance_bps, fairness_bps }.score_bps_floor()
    };
    assert_eq!(of(9_000, 8_000, 8_500), 8_500);
    assert_eq!(of(10_000, 10_000, 9_999), 9_999);
    assert_eq!(of(0, 0, 2), 0);
    assert_eq!(of(u16::MAX, u16::MAX, u16::MAX), u16::MAX);
}

#[test]
fn nothing_falls_below_zero_or_wraps() {
    let low = after(&[Event::SlaViolated { points: u32::MAX }, Event::Failed]);
    assert_eq!(low.points(), 0);
    assert_eq!(after(&[Event::Collusion, Event::Collusion]).metrics().fairness_bps, 0);
    let mut high = with_points(u32::MAX - 3);
    high.counts.completed = u64::MAX;
    high.apply(&Event::Completed).unwrap();
    assert_eq!((high.points(), high.counts.completed), (u32::MAX, u64::MAX));
    high.apply(&Event::Completed).unwrap();
    assert_eq!(high.points(), u32::MAX);
}

#[test]
fn an_epoch_ends_exactly_at_its_length() {
    let at = |ms| with_points(150).decayed(&TENTH, ms).points();
    assert_eq!(at(0), 150);
    assert_eq!(at(TENTH.start_ms + DAY - 1), 150);
    assert_eq!(at(TENTH.start_ms + DAY), 140);
    assert_eq!(at(TENTH.start_ms + 2 * DAY - 1), 140);
    assert_eq!(at(TENTH.start_ms + 2 * DAY), 131);
    let faulty = after(&[Event::WrongResult]).decayed(&TENTH, TENTH.start_ms + DAY);
    assert_eq!(faulty.metrics().reliability_bps, 8_200);
}

#[test]
fn below_the_start_points_rise() {
    let at = |epochs| with_points(0).decayed(&TENTH, TENTH.start_ms + epochs * DAY).points();
    assert_eq!((at(1), at(2), at(3)), (5, 10, 14)); // 5; 9.5 and 13.55, towards 50
}

#[test]
fn after_many_epochs_it_is_exactly_the_start() {
    let fallen = after(&[Event::Failed, Event::Collusion, Event::Slow, Event::WrongResult]);
    for profile in [with_points(u32::MAX), with_points(0), fallen] {
        for decay_bps in [1, 1_000, 10_000] {
            let decayed = profile.decayed(&Decay { decay_bps, ..TENTH }, u64::MAX);
            assert_eq!(
                (decayed.points_e6, decayed.metrics()),
                (START_POINTS_E6, Profile::START.metrics())
            );
        }
    }
}

#[test]
fn without_decay_nothing_moves() {
    for epoch_ms in [0, 1] {
        let never = Decay { epoch_ms, decay_bps: 0, ..TENTH };
        assert!(never.is_valid());
        assert_eq!(with_points(77).decayed(&never, u64::MAX).points(), 77);
    }
    assert!(!Decay { epoch_ms: 0, ..TENTH }.is_valid());
    assert!(!Decay { decay_bps: 10_001, ..TENTH }.is_valid());
    assert!(Decay { decay_bps: 10_000, ..TENTH }.is_valid());
}

fn any_event() -> impl Strategy<Value = Event> {
    use Event::*;
    prop_oneof![
        Just(Completed),
        Just(FastResponse),
        Just(Failed),
        any::<u32>().prop_map(|points| SlaViolated { points }),
        (1u8..6).prop_map(|stars| Feedback { stars }),
        Just(DisputeWon),
        Just(DisputeLost),
        Just(Downtime),
        Just(Slow),
        Just(WrongResult),
        Just(FalseProvisioning),
        Just(ProfitManipulation),
        Just(Collusion),
    ]
}

/// `distance · (1 − decay)^epochs`, exactly.
fn exact(distance: u64, decay_bps: u16, epochs: u64) -> Ratio<BigUint> {
    let n = u32::try_from(epochs).unwrap();
    let left = BigUint::from(10_000 - decay_bps).pow(n);
    Ratio::new(BigUint::from(distance) * left, BigUint::from(10_000u16).pow(n))
}

proptest! {
    /// A plain model in whole numbers agrees as long as nothing decays.
    #[test]
    fn events_add_up(events in proptest::collection::vec(any_event(), 0..60)) {
        let profile = after(&events);
        let model = events.iter().fold(50i128, |points, event| {
            let change: i128 = match *event {
                Event::Completed => 10,
                Event::FastResponse => 2,
                Event::Failed => -20,
                Event::SlaViolated { points } => -i128::from(points),
                Event::Feedback { stars } => [0, -10, -10, 0, 5, 5][usize::from(stars)],
                Event::DisputeWon => 15,
                Event::DisputeLost => -25,
                _ => 0,
            };
            (points + change).max(0)
        });
        prop_assert_eq!(i128::from(profile.points()), model);
        prop_assert_eq!(profile.events(), events.len() as u64);
    }

    #[test]
    fn nothing_is_ever_out_of_range(
        steps in proptest::collection::vec((any_event(), 0u64..5 * DAY), 0..60),
        decay_bps in 0u16..=10_000,
    ) {
        let decay = Decay { decay_bps, ..TENTH };
        let (mut profile, mut now) = (Profile::START, 0);
        for (event, pause) in steps {
            now += pause;
            profile = profile.decayed(&decay, now);
            profile.apply(&event).unwrap();
            let Summary { metrics: m, score_bps, .. } = profile.summary();
            prop_assert!(profile.points_e6 <= MAX_POINTS_E6);
            for bps in [m.reliability_bps, m.performance_bps, m.fairness_bps, score_bps] {
                prop_assert!(bps <= 10_000);
            }
        }
    }

    #[test]
    fn decay_moves_towards_the_start_and_never_past_it(
        points: u32,
        decay_bps in 0u16..=10_000,
        epochs in prop_oneof![0u64..400, 0u64..1_000_000],
    ) {
        let decay = Decay { start_ms: 0, epoch_ms: 1, decay_bps };
        let at = |now| with_points(points).decayed(&decay, now).points();
        let (now, next) = (at(epochs), at(epochs + 1));
        if points >= START_POINTS {
            prop_assert!(START_POINTS <= next && next <= now && now <= points);
        } else {
            prop_assert!(START_POINTS >= next && next >= now && now >= points);
        }
    }

    #[test]
    fn decay_at_once_is_decay_step_by_step(
        points in 0u32..1_000_000_000,
        decay_bps in 0u16..=10_000,
        epochs in 0u64..300,
    ) {
        let decay = Decay { start_ms: 0, epoch_ms: 1, decay_bps };
        let start = with_points(points);
        let distance = start.points_e6.abs_diff(START_POINTS_E6);
        let left = |profile: Profile| profile.points_e6.abs_diff(START_POINTS_E6);
        let at_once = left(start.decayed(&decay, epochs));
        // The exact definition, rounded down: at most one millionth of a point below.
        let floor = u64::try_from(exact(distance, decay_bps, epochs).to_integer()).unwrap();
        prop_assert!(at_once >= floor && at_once - floor <= 1, "{} for {}", at_once, floor);
        // Written in every epoch: each writing rounds once, by less than a millionth.
        let stepped = (1..=epochs).fold(start, |profile, now| profile.decayed(&decay, now));
        prop_assert!(left(stepped) <= at_once && at_once - left(stepped) <= epochs);
    }
}

#[test]
fn round_figures_stay_round() {
    let at = |points, decay_bps, epochs| {
        let decay = Decay { start_ms: 0, epoch_ms: 1, decay_bps };
        with_points(points).decayed(&decay, epochs).points_e6
    };
    assert_eq!(at(150, 1_000, 2), 131_000_000);
    assert_eq!(at(150, 5_000, 6), 51_562_500);
    assert_eq!(at(50 + 1_000_000, 100, 3), 50_000_000 + 970_299_000_000);
    assert_eq!(at(0, 1, 1), 5_000);
    assert_eq!(at(u32::MAX, 10_000, 1), START_POINTS_E6);
}

use super::*;
use cicada_core::report::ReportKind;
use cicada_network::NodeKeys;

const NOW: u64 = 1_738_425_600_000;
const FEED: Feed = Feed { kind: ReportKind::Nav, contract: [3; 32] };
const SLOT: u64 = 5;

fn committee(count: u8) -> (Vec<NodeKeys>, Office) {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<NodeKeys> = (0..count)
        .map(|seat| NodeKeys::generate(&folder.path().join(seat.to_string())).unwrap())
        .collect();
    let office = Office {
        epoch: 1,
        config_digest: [8; 32],
        operators: (0..count).map(|seat| [seat; 32]).collect(),
        keys: keys.iter().map(NodeKeys::attestation_key).collect(),
        stakes: vec![1; usize::from(count)],
    };
    (keys, office)
}

fn signed(keys: &[NodeKeys], seat: u8, nav_e18: u128, time_ms: u64) -> Observation {
    let mut observation = Observation { seat, nav_e18, time_ms, signature: [0; 64] };
    let message = observation.message::<Native>(&[8; 32], &FEED, SLOT);
    observation.signature = keys[usize::from(seat)].attest(&message);
    observation
}

#[test]
fn each_seat_has_its_turn_once() {
    for slot in 0..50 {
        let mut turns: Vec<u64> = (0..23).map(|seat| turn(seat, slot, 23)).collect();
        assert_eq!(turn((slot % 23) as u8, slot, 23), 0, "slot mod seats goes first");
        turns.sort_unstable();
        assert_eq!(turns, (0..23).collect::<Vec<u64>>());
    }
}

#[test]
fn genuine_observations_are_taken_in_order_of_seats() {
    let (keys, office) = committee(4);
    let good: Vec<Observation> =
        [2, 0, 1].map(|seat| signed(&keys, seat, 100, NOW - u64::from(seat))).to_vec();
    let found = select(&office, &FEED, SLOT, good, NOW);
    assert_eq!(found.iter().map(|one| one.seat).collect::<Vec<_>>(), [0, 1, 2]);
    let proposal = proposal(FEED, &FeedState { slot: 4, ..FeedState::EMPTY }, found, NOW);
    assert!(nav::matches::<Native>(&proposal.report, &proposal.observations));
    let checked = nav::check(&proposal.observations, 4, 3, proposal.report.time_ms);
    assert_eq!((checked, proposal.report.slot), (Ok(()), SLOT));
}

#[test]
fn forged_repeated_old_and_early_ones_are_left_out() {
    let (keys, office) = committee(4);
    let good = signed(&keys, 0, 100, NOW);
    let taken = |one: Observation| select(&office, &FEED, SLOT, vec![one, good], NOW).len();
    assert_eq!(taken(signed(&keys, 1, 100, NOW)), 2);
    assert_eq!(taken(Observation { seat: 1, ..good }), 1, "another's signature");
    assert_eq!(taken(Observation { seat: 9, ..good }), 1, "no such seat");
    assert_eq!(taken(good), 1, "twice");
    assert_eq!(taken(signed(&keys, 1, 0, NOW)), 1, "no NAV");
    assert_eq!(taken(signed(&keys, 1, 100, NOW + MAX_AHEAD_MS)), 2);
    assert_eq!(taken(signed(&keys, 1, 100, NOW + MAX_AHEAD_MS + 1)), 1, "ahead");
    let oldest = NOW + MARGIN_MS - STALENESS_MS;
    assert_eq!(taken(signed(&keys, 1, 100, oldest)), 2);
    assert_eq!(taken(signed(&keys, 1, 100, oldest - 1)), 1, "about to be stale");
}

#[test]
fn a_report_is_not_before_its_observations_or_the_slot_before() {
    let (keys, _) = committee(1);
    let observation = signed(&keys, 0, 100, NOW + 3);
    let newest = FeedState { slot: 4, digest: [1; 32], time_ms: NOW + 9 };
    let time =
        |newest: &FeedState, now| proposal(FEED, newest, vec![observation], now).report.time_ms;
    assert_eq!(time(&FeedState::EMPTY, NOW), NOW + 3);
    assert_eq!(time(&newest, NOW), NOW + 9);
    assert_eq!(time(&newest, NOW + 10), NOW + 10);
}

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
fn a_seat_begins_in_its_turn_and_tries_again_a_moment_later() {
    let place = |seat| Place { seat, seats: 23, rules: Rules::default() };
    let mut due = Due::of(None, SLOT, NOW, NOW + 300);
    assert!(!due.has_turn(&place(5), NOW + 299) && due.has_turn(&place(5), NOW + 300));
    assert!(!due.has_turn(&place(5), NOW + 2_299) && due.has_turn(&place(5), NOW + 2_300));
    // 30 s after the first, two turns later, and 2 s: the nodes' clocks may be a little slower.
    let mut due = Due::of(None, SLOT, NOW, NOW);
    assert!(!due.has_turn(&place(7), NOW + 41_999) && due.has_turn(&place(7), NOW + 42_000));
    let mut brought = Due::of(None, SLOT, 0, NOW);
    let bringer = place(7).of_bringers();
    assert!(!brought.has_turn(&bringer, NOW + 11_999) && brought.has_turn(&bringer, NOW + 12_000));
    // The same slot of another round is due anew, and nothing is due before its time.
    assert_eq!(Due::of(Some(due), SLOT, NOW, NOW + 20_000).since_ms, NOW);
    let later = Due::of(Some(due), SLOT, NOW + 300_000, NOW);
    assert_eq!((later.since_ms, later.next_ms), (NOW + 300_000, NOW + 300_000));
    let next = Due::of(Some(due), SLOT + 1, NOW, NOW + 20_000);
    assert_eq!(next.since_ms, NOW + 20_000, "who notices it late lets the others go first");
}

#[test]
fn who_finds_an_award_late_waits_for_its_own_turn_alone() {
    let rules = Rules::default();
    let place = Place { seat: 6, seats: 23, rules };
    let noticed_ms = NOW + rules.due_after_ms;
    let mut due = Due::of(None, SLOT, NOW, noticed_ms - rules.due_after_ms);
    assert!(!due.has_turn(&place, NOW + 36_999) && due.has_turn(&place, NOW + 37_000));
}

#[test]
fn eight_seats_have_their_turn_within_an_interval() {
    let rules = Rules { turn_delay_ms: 2_000, due_after_ms: 2_000, ..Rules::default() };
    let place = Place { seat: 3, seats: 23, rules };
    assert!(place.allows_eight(40, 20_000) && !place.allows_eight(40, 18_000));
    assert!(Place { seats: 1, ..place }.allows_eight(7, 1));
}

#[test]
fn without_a_delay_nobody_waits() {
    let place = Place { seat: 4, seats: 23, rules: Rules::UNASKED };
    assert_eq!(place.allowed_from_ms(NOW, SLOT), NOW);
    let mut due = Due::of(None, SLOT, NOW, NOW);
    assert!(due.has_turn(&place, NOW) && !due.has_turn(&place, NOW + 999));
}

#[test]
fn genuine_observations_are_taken_in_order_of_seats() {
    let (keys, office) = committee(4);
    let good = [2, 0, 1].map(|seat| signed(&keys, seat, 100, NOW)).to_vec();
    let found = select(&office, &FEED, SLOT, good, NOW);
    assert_eq!(found.iter().map(|one| one.seat).collect::<Vec<_>>(), [0, 1, 2]);
    let proposal = proposal(FEED, &FeedState { slot: 4, ..FeedState::EMPTY }, found, NOW);
    assert!(nav::matches::<Native>(&proposal.report, &proposal.observations));
    let checked = check(&proposal.observations, &[1; 4], 3, proposal.report.time_ms);
    assert_eq!((checked, proposal.report.slot, proposal.report.time_ms), (Ok(()), SLOT, NOW));
}

#[test]
fn forged_repeated_ones_and_those_of_another_time_are_left_out() {
    let (keys, office) = committee(4);
    let good = signed(&keys, 0, 100, NOW);
    let taken = |one: Observation| select(&office, &FEED, SLOT, vec![one, good], NOW).len();
    assert_eq!(taken(signed(&keys, 1, 100, NOW)), 2);
    assert_eq!(taken(Observation { seat: 1, ..good }), 1, "another's signature");
    assert_eq!(taken(Observation { seat: 9, ..good }), 1, "no such seat");
    assert_eq!(taken(good), 1, "twice");
    assert_eq!(taken(signed(&keys, 1, 0, NOW)), 1, "no NAV");
    assert_eq!(taken(signed(&keys, 1, 100, NOW + 1)), 1, "later");
    assert_eq!(taken(signed(&keys, 1, 100, NOW - 1)), 1, "earlier");
}

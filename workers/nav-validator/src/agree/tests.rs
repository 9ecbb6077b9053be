use super::*;
use crate::contracts::testing::committee;
use cicada_core::hash::Digest;
use cicada_core::report::ReportKind;
use cicada_core::Account;
use cicada_network::NodeKeys;

const NOW: u64 = 1_738_425_600_000;
const FEED: Feed = Feed { kind: ReportKind::Nav, contract: Account([3; 32]) };
const SLOT: u64 = 5;

fn signed(keys: &[NodeKeys], seat: u8, nav_e18: u128, time_ms: u64) -> Observation {
    let mut observation = Observation { seat, nav_e18, time_ms, signature: [0; 64] };
    let message = observation.message::<Native>(&Digest([8; 32]), &FEED, SLOT);
    observation.signature = keys[usize::from(seat)].attest(&message);
    observation
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

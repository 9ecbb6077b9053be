//! Single nodes, input by input.

use cicada_consensus::{
    digest, Answer, Ballot, Config, Input, Node, Now, Outcome, Output, Record, Request, Seat,
    MAX_ROUND_JUMP,
};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::{Feed, Report, ReportKind, REPORT_VERSION};
use cicada_core::Account;
use cicada_simulator::app::Chains;
use cicada_simulator::keys::Ring;
use cicada_simulator::Simulated;
use parity_scale_codec::Encode;

const FEED: Feed = Feed { kind: ReportKind::Leaderboard, contract: Account([3; 32]) };

type TestNode = Simulated;

fn quorum(model: FaultModel) -> Quorum {
    Quorum::of(model, 5).unwrap()
}

fn node(seat: Seat, records: Vec<Record>) -> TestNode {
    let config = Config::new(
        seat,
        quorum(FaultModel::Crash),
        quorum(FaultModel::Byzantine),
        1,
        Digest([7; 32]),
    );
    Node::recover(config, Chains::new(seat), Ring::stamps(seat), records).unwrap()
}

fn step(node: &mut TestNode, input: Input) -> Vec<Output> {
    let now = Now { timer_ms: 1_000, wall_ms: 1_000_000 };
    node.step(now, input)
}

fn ask(node: &mut TestNode, from: Seat, request: Request) -> (Vec<Output>, Answer) {
    let mut outputs = step(node, Input::Request { from, request });
    match outputs.pop() {
        Some(Output::Answer(answer)) => (outputs, answer),
        other => panic!("a request has one answer, at the end: {other:?}"),
    }
}

fn ballot(round: u64, seat: Seat) -> Ballot {
    Ballot { round, seat }
}

fn report(mask: u32, time_ms: u64) -> Report {
    let mut root = [0; 32];
    root[..4].copy_from_slice(&mask.to_le_bytes());
    Report {
        version: REPORT_VERSION,
        feed: FEED,
        slot: 1,
        previous: Digest::ZERO,
        time_ms,
        leaf_count: 1,
        root: Digest(root),
    }
}

fn accept(ballot: Ballot, position: u64, value: Vec<u8>) -> Request {
    Request::Accept { ballot, position, since: ballot, value, tip: (0, Digest::ZERO) }
}

#[test]
fn what_an_answer_rests_on_comes_before_it() {
    let mut node = node(0, vec![]);
    let high = ballot(7, 1);
    let prepare = Request::Prepare { ballot: high, from: 1 };
    let (before, answer) = ask(&mut node, 1, prepare);
    assert_eq!(before, [Output::Persist(vec![Record::Promised(high)])]);
    assert!(matches!(answer, Answer::Promise { ballot, .. } if ballot == high));
    let value = report(0, 1_000_000).encode();
    let (before, answer) = ask(&mut node, 1, accept(high, 1, value));
    assert!(matches!(&before[..], [Output::Persist(records)]
        if matches!(&records[..], [Record::Voted(_)])));
    assert_eq!(answer, Answer::Accepted { ballot: high, position: 1 });
}

#[test]
fn a_vote_is_a_promise_after_a_restart_too() {
    let mut first = node(0, vec![]);
    let value = report(0, 1_000_000).encode();
    let (before, _) = ask(&mut first, 1, accept(ballot(7, 1), 1, value.clone()));
    let Some(Output::Persist(records)) = before.into_iter().next() else {
        panic!("a vote is written");
    };
    let mut again = node(0, records);
    let low = Request::Prepare { ballot: ballot(6, 2), from: 1 };
    let promised = ballot(7, 1);
    assert_eq!(ask(&mut again, 2, low).1, Answer::Outbid { promised });
    let high = Request::Prepare { ballot: ballot(8, 2), from: 1 };
    let (_, answer) = ask(&mut again, 2, high);
    let Answer::Promise { votes, .. } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(votes[0].value, value);
}

#[test]
fn a_ballot_must_be_its_senders_and_within_reach() {
    let mut node = node(0, vec![]);
    let mut prepare = |from, ballot| ask(&mut node, from, Request::Prepare { ballot, from: 1 }).1;
    assert!(matches!(prepare(2, ballot(1, 1)), Answer::Invalid { .. }));
    assert!(matches!(prepare(9, ballot(1, 9)), Answer::Invalid { .. }));
    assert!(matches!(prepare(1, ballot(0, 1)), Answer::Invalid { .. }));
    let far = ballot(MAX_ROUND_JUMP + 1, 1);
    assert!(matches!(prepare(1, far), Answer::Invalid { .. }));
    let near = ballot(MAX_ROUND_JUMP, 1);
    assert!(matches!(prepare(1, near), Answer::Promise { .. }));
}

#[test]
fn a_refusal_says_why_and_leaves_no_vote() {
    let mut node = node(0, vec![]);
    let wrong = report(0b1, 1_000_000).encode();
    let (before, answer) = ask(&mut node, 1, accept(ballot(1, 1), 1, wrong));
    assert_eq!(before, []);
    assert!(matches!(answer, Answer::Refused { reason, .. } if reason == "not what I observe"));
    let old = report(0, 900_000).encode();
    let fresh = accept(ballot(1, 1), 1, old.clone());
    assert!(matches!(ask(&mut node, 1, fresh).1, Answer::Refused { .. }));
    // An old one that a later leader must adopt is fine.
    let adopted = Request::Accept {
        ballot: ballot(2, 1),
        position: 1,
        since: ballot(1, 1),
        value: old,
        tip: (0, Digest::ZERO),
    };
    assert!(matches!(ask(&mut node, 1, adopted).1, Answer::Accepted { .. }));
}

#[test]
fn two_values_in_one_ballot_and_positions_beyond_the_window_are_not_accepted() {
    let mut node = node(0, vec![]);
    let one = report(0, 1_000_000).encode();
    let other = report(0, 1_000_001).encode();
    let again = accept(ballot(1, 1), 1, one.clone());
    assert!(matches!(ask(&mut node, 1, again.clone()).1, Answer::Accepted { .. }));
    assert!(matches!(ask(&mut node, 1, again).1, Answer::Accepted { .. }));
    let second = accept(ballot(1, 1), 1, other);
    assert!(matches!(ask(&mut node, 1, second).1, Answer::Invalid { .. }));
    let beyond = accept(ballot(1, 1), 2, one);
    assert_eq!(ask(&mut node, 1, beyond).1, Answer::Behind { decided: 0 });
}

#[test]
fn one_slot_is_attested_once() {
    let value = report(0, 1_000_000);
    let decided = Record::Decided { position: 1, value: value.encode() };
    let ask_for = |records: Vec<Record>| {
        let request =
            Request::Decided { position: 1, digest: digest(&value.encode()), proof: None };
        ask(&mut node(0, records), 1, request)
    };
    let (before, answer) = ask_for(vec![decided.clone()]);
    let message = value.attestation_message::<Native>(&Digest([7; 32]));
    let attested = |message| Record::Attested { feed: FEED, slot: 1, message };
    assert_eq!(before, [Output::Persist(vec![attested(message)])]);
    assert!(matches!(answer, Answer::Attested { position: 1, .. }));
    // It is on disk already: signed again, not written again.
    let (before, answer) = ask_for(vec![decided.clone(), attested(message)]);
    assert_eq!(before, []);
    assert!(matches!(answer, Answer::Attested { .. }));
    // Another report of that slot was signed once, however that came about.
    let (_, answer) = ask_for(vec![decided, attested(Digest([1; 32]))]);
    assert!(matches!(answer, Answer::Invalid { .. }));
}

#[test]
fn contradicting_decisions_stop_a_node() {
    let value = report(0, 1_000_000).encode();
    let mut node = node(0, vec![Record::Decided { position: 1, value }]);
    let request = Request::Decided { position: 1, digest: Digest([9; 32]), proof: None };
    let outputs = step(&mut node, Input::Request { from: 1, request });
    assert!(matches!(outputs[0], Output::Halt { .. }));
    assert_eq!(step(&mut node, Input::Tick), []);
}

#[test]
fn only_proper_values_are_proposed() {
    let mut node = node(0, vec![]);
    let mut propose = |value: Vec<u8>| {
        let input = Input::Propose { ticket: 1, value, deadline_ms: 5_000 };
        step(&mut node, input)
    };
    let refused = |outputs: &[Output]| {
        matches!(outputs, [Output::Finished { outcome: Outcome::Refused(_), .. }])
    };
    assert!(refused(&propose(vec![])));
    assert!(refused(&propose(vec![0; 64 * 1024 + 1])));
    for _ in 0..64 {
        assert!(!refused(&propose(vec![1])));
    }
    let outputs = propose(vec![1]);
    let busy = |o: &Output| matches!(o, Output::Finished { outcome: Outcome::Busy, .. });
    assert!(outputs.iter().any(busy));
}

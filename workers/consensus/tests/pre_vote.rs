//! Crash mode: who is cut off does not depose a leader that works, and a silent one is replaced.

use cicada_consensus::{
    Answer, Application, AttestationRequest, Ballot, Config, Input, Keys, Node, Now, Output,
    Record, Refusal, Request, Seat,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use std::collections::BTreeSet;

const N: u8 = 5;
const LEADER: Seat = 0;
const LONER: Seat = 4;
const TICK_MS: u64 = 50;

/// Takes anything, attests nothing.
struct Anything;

impl Application for Anything {
    fn check(&self, _: &[u8], _: Now) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: u64, _: &[u8]) -> Option<AttestationRequest> {
        None
    }
}

/// Crash mode signs nothing here.
struct NoKeys;

impl Keys for NoKeys {
    fn attest(&self, _: &Digest) -> Signature {
        [0; 64]
    }

    fn verify_attestation(&self, _: Seat, _: &Digest, _: &Signature) -> bool {
        false
    }

    fn sign(&self, _: &Digest) -> Signature {
        [0; 64]
    }

    fn verify(&self, _: Seat, _: &Digest, _: &Signature) -> bool {
        false
    }
}

struct Net {
    nodes: Vec<Node<Anything, NoKeys>>,
    now_ms: u64,
    // Directed links that carry nothing.
    cut: BTreeSet<(Seat, Seat)>,
    tickets: u64,
    finished: BTreeSet<u64>,
    // When which seat asked for pre-votes.
    asked: Vec<(Seat, u64)>,
    promises: usize,
}

impl Net {
    fn new() -> Self {
        let quorum = Quorum::of(FaultModel::Crash, N).unwrap();
        let config = |seat| Config::new(seat, quorum, quorum, 1, Digest([7; 32]));
        let node = |seat| Node::recover(config(seat), Anything, NoKeys, vec![]).unwrap();
        Self {
            nodes: (0..N).map(node).collect(),
            now_ms: 1_000,
            cut: BTreeSet::new(),
            tickets: 0,
            finished: BTreeSet::new(),
            asked: Vec::new(),
            promises: 0,
        }
    }

    // Lets something happen to a node, and everything that follows from it.
    fn step(&mut self, seat: Seat, input: Input) -> Option<Answer> {
        let now = Now { timer_ms: self.now_ms, wall_ms: self.now_ms };
        let mut answered = None;
        for output in self.nodes[usize::from(seat)].step(now, input) {
            match output {
                Output::Answer(answer) => answered = Some(answer),
                Output::Send { to, request } => {
                    if matches!(request, Request::PreVote { .. }) {
                        self.asked.push((seat, self.now_ms));
                    }
                    to.into_iter().for_each(|to| self.ask(seat, to, &request));
                }
                Output::Persist(records) => {
                    let promise = |record: &&Record| matches!(record, Record::Promised(_));
                    self.promises += records.iter().filter(promise).count();
                }
                Output::Finished { ticket, .. } => {
                    self.finished.insert(ticket);
                }
                Output::Halt { reason } => panic!("{reason}"),
                _ => {}
            }
        }
        answered
    }

    fn ask(&mut self, from: Seat, to: Seat, request: &Request) {
        if self.cut.contains(&(from, to)) {
            return;
        }
        let request = request.clone();
        let answer = self.step(to, Input::Request { from, request });
        if let Some(answer) = answer.filter(|_| !self.cut.contains(&(to, from))) {
            self.step(from, Input::Answer { from: to, answer });
        }
    }

    fn propose(&mut self, seat: Seat) -> u64 {
        self.tickets += 1;
        let (ticket, value) = (self.tickets, self.tickets.to_le_bytes().to_vec());
        self.step(seat, Input::Propose { ticket, value, deadline_ms: u64::MAX });
        ticket
    }

    fn pass(&mut self, duration_ms: u64) {
        for _ in 0..duration_ms / TICK_MS {
            self.now_ms += TICK_MS;
            (0..N).for_each(|seat| drop(self.step(seat, Input::Tick)));
        }
    }

    fn promised(&self, seat: Seat) -> Ballot {
        self.nodes[usize::from(seat)].status().promised
    }

    // Cuts a seat off: whether it can still speak, whether it can still hear.
    fn cut_off(&mut self, seat: Seat, speaks: bool, hears: bool) {
        for other in (0..N).filter(|other| *other != seat) {
            let links = [((seat, other), speaks), ((other, seat), hears)];
            self.cut.extend(links.into_iter().filter(|(_, works)| !works).map(|(link, _)| link));
        }
    }
}

#[test]
fn who_is_cut_off_does_not_depose_a_leader_that_works() {
    for (speaks, hears) in [(true, false), (false, true), (false, false)] {
        let mut net = Net::new();
        net.propose(LEADER);
        let ballot = net.promised(LEADER);
        assert_eq!(net.nodes[usize::from(LEADER)].status().leading, Some(ballot));
        net.pass(1_000);

        net.cut_off(LONER, speaks, hears);
        let written = net.promises;
        let waiting = net.propose(LONER);
        for _ in 0..300 {
            let ticket = net.propose(LEADER);
            net.pass(200);
            assert!(net.finished.contains(&ticket), "what the leader proposes is decided");
        }
        let asked = net.asked.iter().filter(|(seat, _)| *seat == LONER).count();
        assert_eq!(asked > 1, !hears, "{asked} rounds of a node that hears: {hears}");
        assert!(!net.finished.contains(&waiting));

        // It comes back, and the leader proposes its value too.
        net.cut.clear();
        for _ in 0..50 {
            net.propose(LEADER);
            net.pass(200);
        }
        assert!(net.finished.contains(&waiting));
        assert_eq!(net.promises, written, "nobody has promised another ballot");
        assert!((0..N).all(|seat| net.promised(seat) == ballot));
        assert_eq!(net.nodes[usize::from(LEADER)].status().leading, Some(ballot));
    }
}

#[test]
fn a_leader_without_a_quorum_is_replaced_though_it_is_heard() {
    let mut net = Net::new();
    net.propose(LEADER);
    net.cut_off(LEADER, true, false);
    net.propose(LEADER);
    let ticket = net.propose(2);
    net.pass(1_000);
    assert!(!net.finished.contains(&ticket), "its last proposal has just been heard");
    net.pass(4_000);
    assert!(net.finished.contains(&ticket));
    assert_eq!(net.promised(1).seat, 2);
}

#[test]
fn undecided_votes_of_a_dead_leader_are_finished() {
    let mut net = Net::new();
    net.propose(LEADER);
    net.cut_off(LEADER, true, false);
    net.propose(LEADER);
    net.cut_off(LEADER, false, false);
    net.pass(5_000);
    assert!((1..N).all(|seat| net.nodes[usize::from(seat)].status().decided == 2));
}

#[test]
fn an_answer_to_a_pre_vote_changes_nothing() {
    let mut net = Net::new();
    net.propose(LEADER);
    let promised = net.promised(1);
    let ask = |net: &mut Net, from, round, seat| {
        let written = net.promises;
        let request = Request::PreVote { ballot: Ballot { round, seat } };
        let answer = net.step(1, Input::Request { from, request });
        assert_eq!((net.promised(1), net.promises), (promised, written));
        answer.unwrap()
    };
    assert_eq!(ask(&mut net, 2, 9, 2), Answer::Following { promised });
    let ballot = Ballot { round: 9, seat: LEADER };
    assert_eq!(ask(&mut net, LEADER, 9, LEADER), Answer::PreVoted { ballot });
    assert!(matches!(ask(&mut net, 2, 9, 3), Answer::Invalid { .. }));
    net.now_ms += 2_000;
    let ballot = Ballot { round: 9, seat: 2 };
    assert_eq!(ask(&mut net, 2, 9, 2), Answer::PreVoted { ballot });
    let low = promised.round - 1;
    assert!(matches!(ask(&mut net, 2, low, 2), Answer::Invalid { .. } | Answer::Outbid { .. }));
}

#[test]
fn who_finds_no_support_asks_less_and_less_and_never_raises_its_ballot() {
    let gaps = |seat: Seat| {
        let mut net = Net::new();
        net.cut_off(seat, true, false);
        net.propose(seat);
        net.pass(200_000);
        assert_eq!((net.promises, net.promised(seat)), (0, Ballot::ZERO));
        let pairs = net.asked.windows(2).map(|pair| pair[1].1 - pair[0].1);
        pairs.collect::<Vec<u64>>()
    };
    let (one, other) = (gaps(1), gaps(2));
    for gaps in [&one, &other] {
        assert!(gaps[0] <= 300 + 225 + 2 * TICK_MS, "{gaps:?}");
        assert!(gaps[8] >= 2_000 + 2_400, "{gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= 2_000 + 7_200 + 2 * TICK_MS), "{gaps:?}");
    }
    assert_ne!(one, other, "the seats do not ask at the same time");
}

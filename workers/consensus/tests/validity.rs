//! When a node judges a value: whatever its leader was free to choose, and nothing else.

mod common;

use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Application, AttestationRequest, Ballot, Claim, Config, Input, Justification,
    Node, Now, Output, Pledge, Proposal, Refusal, Request, Seat, View,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use common::{stamp, Stamp};
use std::collections::BTreeMap;

const N: u8 = 4;
const DIGEST: Digest = Digest([7; 32]);
/// Until then every value is valid.
const END_MS: u64 = 1_000;
const VALUE: &[u8] = b"value";

struct Fleeting;

impl Application for Fleeting {
    fn check(&self, _: &[u8], now: Now) -> Result<(), Refusal> {
        match now.wall_ms <= END_MS {
            true => Ok(()),
            false => Err(Refusal("too late".into())),
        }
    }

    fn apply(&mut self, _: u64, _: &[u8]) -> Option<AttestationRequest> {
        None
    }
}

/// The node that is asked, in seat 3.
struct Voter {
    config: Config,
    node: Node<Fleeting, Stamp>,
}

impl Voter {
    fn new(model: FaultModel) -> Self {
        let quorum = Quorum::of(model, N).unwrap();
        let config = Config::new(3, quorum, quorum, 1, DIGEST);
        let node = Node::recover(config.clone(), Fleeting, Stamp(3), vec![]).unwrap();
        Self { config, node }
    }

    fn ask(&mut self, from: Seat, request: Request, wall_ms: u64) -> Answer {
        let now = Now { timer_ms: 0, wall_ms };
        let outputs = self.node.step(now, Input::Request { from, request });
        let answer = outputs.into_iter().find_map(|output| match output {
            Output::Answer(answer) => Some(answer),
            _ => None,
        });
        answer.expect("each request is answered")
    }

    /// Crash mode: a leader of a round asks for a vote for what was first proposed in another.
    fn accepts(&mut self, round: u64, since: u64, wall_ms: u64) -> bool {
        let ballot = |round| Ballot { round, seat: 0 };
        let (ballot, since) = (ballot(round), ballot(since));
        let (value, tip) = (VALUE.to_vec(), (0, Digest::ZERO));
        let request = Request::Accept { ballot, position: 1, since, value, tip };
        match self.ask(0, request, wall_ms) {
            Answer::Accepted { .. } => true,
            Answer::Refused { .. } => false,
            other => panic!("{other:?}"),
        }
    }

    /// Byzantine form: the leader of a view proposes the value.
    fn prepares(&mut self, view: View, by: Option<Justification>, wall_ms: u64) -> bool {
        let said = statement(Kind::Proposal, view);
        let leader = self.config.leader(view);
        let signature = stamp(leader, &said.message(&DIGEST));
        let proposal = Proposal { view, position: 1, value: VALUE.to_vec(), signature };
        match self.ask(leader, Request::Propose { proposal, justification: by }, wall_ms) {
            Answer::Prepared { .. } => true,
            Answer::Refused { .. } => false,
            other => panic!("{other:?}"),
        }
    }

    /// What entitles the leader of view 2: three pledges, one of which may name a lock.
    fn justification(&self, lock: Option<&QuorumCertificate>) -> Justification {
        let claim = |lock: &QuorumCertificate| {
            let Statement { position, view, digest, .. } = lock.statement;
            Claim { position, view, digest }
        };
        let pledge = |seat: Seat| {
            let claims = lock.filter(|_| seat == 0).map(claim).into_iter().collect();
            let mut pledge = Pledge { seat, view: 2, tip: 0, claims, signature: [0; 64] };
            pledge.signature = stamp(seat, &pledge.statement().message(&DIGEST));
            pledge
        };
        let (pledges, locks) = ((0..3).map(pledge).collect(), lock.into_iter().cloned().collect());
        Justification { pledges, tip: None, locks }
    }

    fn lock(&self) -> QuorumCertificate {
        let prepared = statement(Kind::Prepared, 1);
        let share = |seat: Seat| (seat, stamp(seat, &prepared.message(&DIGEST)));
        let shares: BTreeMap<Seat, Signature> = (0..3).map(share).collect();
        QuorumCertificate::assemble(&self.config, prepared, &shares).unwrap()
    }
}

fn statement(kind: Kind, view: View) -> Statement {
    Statement { kind, position: 1, view, digest: digest(VALUE) }
}

#[test]
fn crash_mode_never_refuses_an_adopted_value() {
    let mut voter = Voter::new(FaultModel::Crash);
    assert!(!voter.accepts(2, 2, END_MS + 1), "a fresh one is judged");
    assert!(voter.accepts(2, 1, END_MS + 1), "who proposed it first found it valid");
}

#[test]
fn a_vote_in_an_earlier_ballot_is_no_judgement_for_a_later_one() {
    let mut voter = Voter::new(FaultModel::Crash);
    assert!(voter.accepts(1, 1, END_MS));
    assert!(voter.accepts(1, 1, END_MS + 1), "the same ballot again");
    assert!(!voter.accepts(2, 2, END_MS + 1), "another leader was free to choose");
    assert!(voter.accepts(2, 1, END_MS + 1));
}

#[test]
fn a_held_value_that_does_not_bind_is_judged_again() {
    let mut voter = Voter::new(FaultModel::Byzantine);
    assert!(voter.prepares(1, None, END_MS));
    assert!(voter.prepares(1, None, END_MS + 1), "its leader repeats itself");
    let free = voter.justification(None);
    assert!(!voter.prepares(2, Some(free.clone()), END_MS + 1));
    assert!(voter.prepares(2, Some(free), END_MS));
}

#[test]
fn a_value_that_binds_is_never_refused() {
    for held in [true, false] {
        let mut voter = Voter::new(FaultModel::Byzantine);
        assert_eq!(voter.prepares(1, None, if held { END_MS } else { END_MS + 1 }), held);
        let bound = voter.justification(Some(&voter.lock()));
        assert!(voter.prepares(2, Some(bound), END_MS + 1), "held: {held}");
    }
}

//! A liar that pretends to know decisions which nobody made cannot stop the others.

mod common;

use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Answer, Application, AttestationRequest, Config, Input, Node, Now, Output, Pledge,
    Proposal, Refusal, Request, Seat,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use common::{stamp, Stamp};
use std::collections::BTreeMap;

const N: u8 = 4;
// Leads the first view.
const LIAR: Seat = 0;

/// Takes anything.
struct Anything;

impl Application for Anything {
    fn check(&self, _: &[u8], _: Now) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: u64, _: &[u8]) -> Option<AttestationRequest> {
        None
    }
}

fn config(seat: Seat) -> Config {
    let quorum = Quorum::of(FaultModel::Byzantine, N).unwrap();
    Config { window: 3, ..Config::new(seat, quorum, quorum, 1, Digest([7; 32])) }
}

struct Net {
    nodes: BTreeMap<Seat, Node<Anything, Stamp>>,
    now_ms: u64,
    // What shows that position 2 is decided, while position 1 is not.
    proof: Option<QuorumCertificate>,
}

impl Net {
    fn new() -> Self {
        let node = |seat| Node::recover(config(seat), Anything, Stamp(seat), vec![]).unwrap();
        Self { nodes: (1..N).map(|seat| (seat, node(seat))).collect(), now_ms: 1_000, proof: None }
    }

    // Lets something happen to a node, and everything that follows from it.
    fn step(&mut self, seat: Seat, input: Input) -> Option<Answer> {
        let now = Now { timer_ms: self.now_ms, wall_ms: self.now_ms };
        let mut answered = None;
        let outputs = self.nodes.get_mut(&seat).unwrap().step(now, input);
        for output in outputs {
            match output {
                Output::Answer(answer) => answered = Some(answer),
                Output::Send { to, request } => {
                    for to in to {
                        let request = request.clone();
                        let answer = match to {
                            LIAR => self.lie(request),
                            to => self.step(to, Input::Request { from: seat, request }),
                        };
                        if let Some(answer) = answer {
                            self.step(seat, Input::Answer { from: to, answer });
                        }
                    }
                }
                Output::Halt { reason } => panic!("{reason}"),
                _ => {}
            }
        }
        answered
    }

    fn sign(&self, statement: &Statement) -> Signature {
        stamp(LIAR, &statement.message(&Digest([7; 32])))
    }

    // The liar pledges to every leader that all up to position 2 is decided, and does no more.
    fn lie(&self, request: Request) -> Option<Answer> {
        let Request::Lead { view, .. } = request else {
            return None;
        };
        let signature = [0; 64];
        let mut pledge = Pledge { seat: LIAR, view, tip: 2, claims: vec![], signature };
        pledge.signature = self.sign(&pledge.statement());
        let tip = self.proof.clone();
        Some(Answer::Pledged { pledge, tip, locks: vec![], values: vec![] })
    }

    // The liar asks all others, and makes a certificate of what they sign.
    fn ask(&mut self, statement: Statement, request: Request) -> QuorumCertificate {
        let mut shares = BTreeMap::from([(LIAR, self.sign(&statement))]);
        for seat in 1..N {
            let request = request.clone();
            match self.step(seat, Input::Request { from: LIAR, request }) {
                Some(Answer::Prepared { signature, .. } | Answer::Committed { signature, .. }) => {
                    shares.insert(seat, signature);
                }
                other => panic!("{other:?}"),
            }
        }
        QuorumCertificate::assemble(&config(LIAR), statement, &shares).unwrap()
    }
}

#[test]
fn a_tip_above_a_hole_does_not_stop_the_next_leaders() {
    let mut net = Net::new();
    let value = b"second".to_vec();
    let said = Statement { kind: Kind::Proposal, position: 2, view: 1, digest: digest(&value) };
    let signature = net.sign(&said);
    let proposal = Proposal { view: 1, position: 2, value, signature };
    let propose = Request::Propose { proposal, justification: None };
    let prepared = net.ask(Statement { kind: Kind::Prepared, ..said }, propose);
    let commit = Request::Commit { certificate: prepared, value: None };
    net.proof = Some(net.ask(Statement { kind: Kind::Committed, ..said }, commit));
    let deadline_ms = net.now_ms + 60_000;
    net.step(1, Input::Propose { ticket: 1, value: b"own".to_vec(), deadline_ms });
    for _ in 0..1_000 {
        net.now_ms += 50;
        for seat in 1..N {
            net.step(seat, Input::Tick);
        }
    }
    let decided = net.nodes[&1].status().decided;
    assert!(decided >= 3, "after 50 s only {decided} positions are decided");
}

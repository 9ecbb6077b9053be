//! What a liar says, input by input.

use cicada_consensus::{
    digest, Answer, Application, AttestationRequest, Config, Input, Keys, Node, Now, Output,
    Position, Refusal, Request, Seat, Value,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use paxos_liar::{Liar, Lie};
use std::collections::BTreeSet;

/// Finds everything valid and attests nothing.
struct Anything;

impl Application for Anything {
    fn check(&self, _: &[u8], _: Now) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: Position, _: &[u8]) -> Option<AttestationRequest> {
        None
    }
}

/// Signs by naming itself.
#[derive(Clone, Copy)]
struct Name(Seat);

impl Name {
    fn on(seat: Seat, message: &Digest) -> Signature {
        let mut signature = [seat; 64];
        signature[..32].copy_from_slice(&message.0);
        signature
    }
}

impl Keys for Name {
    fn attest(&self, message: &Digest) -> Signature {
        Self::on(self.0, message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == Self::on(seat, message)
    }

    fn sign(&self, message: &Digest) -> Signature {
        Self::on(self.0, message)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == Self::on(seat, message)
    }
}

fn longer(value: &[u8], by: u64) -> Option<Value> {
    Some([value, &by.to_le_bytes()[..]].concat())
}

/// The leader of the first view of 7, lying.
fn leader(lie: Lie) -> Liar<Anything, Name> {
    let quorum = Quorum::of(FaultModel::Byzantine, 7).unwrap();
    let config = |seat| Config::new(seat, quorum, quorum, 1, Digest([7; 32]));
    let config = config(config(0).leader(1));
    let keys = Name(config.seat);
    let node = Node::recover(config.clone(), Anything, keys, []).unwrap();
    Liar::new(node, config, keys, lie, longer)
}

fn step(liar: &mut Liar<Anything, Name>, timer_ms: u64, input: Input) -> Vec<Output> {
    liar.step(Now { timer_ms, wall_ms: 1_000_000 + timer_ms }, input)
}

fn proposal(liar: &mut Liar<Anything, Name>) -> Vec<Output> {
    step(liar, 0, Input::Tick);
    step(liar, 1, Input::Propose { ticket: 1, value: vec![1, 2, 3], deadline_ms: 9_000 })
}

#[test]
fn an_equivocator_tells_each_half_another_value() {
    let outputs = proposal(&mut leader(Lie::Equivocate));
    let mut heard = Vec::new();
    for output in outputs {
        if let Output::Send { to, request: Request::Propose { proposal, .. } } = output {
            heard.push((to.into_iter().collect::<BTreeSet<Seat>>(), digest(&proposal.value)));
        }
    }
    let [(first, one), (second, other)] = &heard[..] else {
        panic!("two halves: {heard:?}");
    };
    assert_eq!((first.len(), second.len()), (3, 3));
    assert!(first.is_disjoint(second));
    assert_ne!(one, other);
}

#[test]
fn an_equivocator_signs_anything_and_the_silent_say_nothing() {
    for (lie, answers) in [(Lie::Equivocate, 2), (Lie::Silent, 0)] {
        let mut liar = leader(lie);
        let mut signed = BTreeSet::new();
        for value in [vec![1], vec![2]] {
            let from = (liar.node().status().promised.seat + 1) % 7;
            let view = 2;
            let proposal =
                cicada_consensus::Proposal { view, position: 1, value, signature: [0; 64] };
            let request = Request::Propose { proposal, justification: None };
            for output in step(&mut liar, 5, Input::Request { from, request }) {
                if let Output::Answer(Answer::Prepared { signature, .. }) = output {
                    signed.insert(signature);
                }
            }
        }
        assert_eq!(signed.len(), answers, "{lie}");
    }
}

#[test]
fn the_same_inputs_give_the_same_lies() {
    for name in Lie::NAMES {
        let run = || {
            let mut liar = leader(name.parse().unwrap());
            let mut outputs = proposal(&mut liar);
            for turn in 1..200u64 {
                let request = Request::Fetch { from: turn % 3, limit: 4 };
                let from = (liar.node().status().promised.seat + 1) % 7;
                outputs.extend(step(&mut liar, turn * 50, Input::Request { from, request }));
                outputs.extend(step(&mut liar, turn * 50, Input::Tick));
            }
            outputs
        };
        assert_eq!(run(), run(), "{name}");
    }
}

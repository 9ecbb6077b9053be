//! No correct node is ever charged: a real acceptor among liars that forge everything else.

mod common;

use cicada_audit::{Charge, Pool};
use cicada_consensus::byzantine::{Acceptor, Kind, Mandate, QuorumCertificate, Statement};
use cicada_consensus::{
    digest, Claim, Config, Justification, Keys, Mutant, Pledge, Position, Record, View,
};
use common::{config, Stamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

const N: u8 = 4;

/// What happens to the acceptor of seat 0.
#[derive(Clone, Copy, Debug)]
enum Event {
    Pledge {
        view: View,
    },
    Prepare {
        view: View,
        position: Position,
        value: u8,
        bound: Option<u8>,
    },
    Commit {
        view: View,
        position: Position,
        value: u8,
    },
    /// The next position is decided, wherever that was.
    Decide,
    /// The process ends and starts again.
    Restart,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    event: Event,
    // The process ends before this step's records are on disk; nothing leaves it.
    lost: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (view, position, value) = (1u64..6, 1u64..4, 0u8..3);
    let event = prop_oneof![
        3 => (2u64..6).prop_map(|view| Event::Pledge { view }),
        4 => (view.clone(), position.clone(), value.clone(), proptest::option::of(value.clone()))
            .prop_map(|(view, position, value, bound)| Event::Prepare {
                view, position, value, bound
            }),
        4 => (view, position, value)
            .prop_map(|(view, position, value)| Event::Commit { view, position, value }),
        1 => Just(Event::Decide),
        2 => Just(Event::Restart),
    ];
    let step =
        (event, proptest::bool::weighted(0.1)).prop_map(|(event, lost)| Step { event, lost });
    proptest::collection::vec(step, 1..40)
}

fn forge(statement: Statement) -> QuorumCertificate {
    let config = config(N, 0);
    let message = statement.message(&config.config_digest);
    let shares: BTreeMap<_, _> = (0..N).map(|seat| (seat, Stamp(seat).sign(&message))).collect();
    QuorumCertificate::assemble(&config, statement, &shares).unwrap()
}

// A mandate of any view, bound or free, out of forged pledges.
fn mandate(view: View, position: Position, bound: Option<u8>) -> Option<Mandate> {
    if view == 1 {
        return Some(Mandate::first());
    }
    let digest = bound.map(|value| digest(&[value]));
    let claims: Vec<Claim> =
        digest.map(|digest| Claim { position, view: 1, digest }).into_iter().collect();
    let locks = claims.iter().map(|claim| {
        let Claim { position, view, digest } = *claim;
        forge(Statement { kind: Kind::Prepared, position, view, digest })
    });
    let locks = locks.collect();
    let pledges = (1..N).map(|seat| {
        let mut pledge = Pledge { seat, view, tip: 0, claims: claims.clone(), signature: [0; 64] };
        let message = pledge.statement().message(&common::CONFIG_DIGEST);
        pledge.signature = Stamp(seat).sign(&message);
        pledge
    });
    let justification = Justification { pledges: pledges.collect(), tip: None, locks };
    Some(justification.judge(&config(N, 0), &Stamp(0)).unwrap())
}

struct Life<'a> {
    config: &'a Config,
    acceptor: Acceptor,
    disk: Vec<Record>,
    tip: Position,
    pool: Pool<'a, Stamp>,
}

impl Life<'_> {
    fn restart(&mut self) {
        self.acceptor = Acceptor::default();
        // In no particular order, say the last first.
        for record in self.disk.iter().rev() {
            self.acceptor.restore(record.clone());
        }
        self.acceptor.forget_up_to(self.tip);
    }

    // What the acceptor signs, and what must be on disk before that leaves.
    fn sign(&mut self, event: Event) -> (Vec<Record>, Option<Signed>) {
        let mut records = Vec::new();
        let (config, keys, tip) = (self.config, &Stamp(0), self.tip);
        let signed = match event {
            Event::Pledge { view } => {
                let pledge = self.acceptor.pledge(config, keys, view, tip, &mut records);
                pledge.ok().map(Signed::Pledge)
            }
            // A node does not vote again where it knows the decision.
            Event::Prepare { position, .. } | Event::Commit { position, .. } if position <= tip => {
                None
            }
            Event::Prepare { view, position, value, bound } => {
                let value = vec![value];
                let statement =
                    Statement { kind: Kind::Prepared, position, view, digest: digest(&value) };
                mandate(view, position, bound).and_then(|mandate| {
                    let out = &mut records;
                    let share =
                        self.acceptor.prepare(config, keys, &mandate, position, &value, out);
                    share.ok().map(|share| Signed::Statement(statement, share))
                })
            }
            Event::Commit { view, position, value } => {
                let value = vec![value];
                let digest = digest(&value);
                let proof = forge(Statement { kind: Kind::Prepared, position, view, digest });
                let share = self.acceptor.commit(config, keys, &proof, Some(&value), &mut records);
                let statement = Statement { kind: Kind::Committed, ..proof.statement };
                share.ok().map(|share| Signed::Statement(statement, share))
            }
            Event::Decide | Event::Restart => None,
        };
        (records, signed)
    }

    fn step(&mut self, step: Step) {
        match step.event {
            Event::Restart => self.restart(),
            Event::Decide if !step.lost => {
                self.tip += 1;
                self.acceptor.forget_up_to(self.tip);
            }
            event => {
                let (records, signed) = self.sign(event);
                if step.lost {
                    return self.restart();
                }
                self.disk.extend(records);
                match signed {
                    Some(Signed::Pledge(pledge)) => self.pool.add_pledge(&pledge).unwrap(),
                    Some(Signed::Statement(statement, share)) => {
                        self.pool.add_statement(0, statement, share).unwrap();
                    }
                    None => {}
                }
            }
        }
    }
}

enum Signed {
    Pledge(Pledge),
    Statement(Statement, [u8; 64]),
}

fn charges(steps: &[Step], mutant: Option<Mutant>) -> Vec<Charge> {
    let config = Config { mutant, ..config(N, 0) };
    let pool = Pool::new(&config, &Stamp(0));
    let mut life =
        Life { config: &config, acceptor: Acceptor::default(), disk: vec![], tip: 0, pool };
    steps.iter().for_each(|step| life.step(*step));
    life.pool.verdicts().remove(&0).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_correct_acceptor_is_never_charged(steps in steps()) {
        prop_assert_eq!(charges(&steps, None), vec![]);
    }
}

#[test]
fn an_acceptor_with_a_seeded_bug_is_charged() {
    for mutant in [
        Mutant::PrepareTwice,
        Mutant::VoteBelowPledge,
        Mutant::HideLocks,
        Mutant::ForgetPrepared,
        Mutant::ForgetLocks,
        Mutant::ForgetPledges,
        Mutant::DropLocksAtViewChange,
    ] {
        let mut runner = TestRunner::deterministic();
        let mut lives = (0..2_000).map(|_| steps().new_tree(&mut runner).unwrap().current());
        let caught = lives.position(|steps| !charges(&steps, Some(mutant)).is_empty());
        println!("{mutant:?}: {caught:?}");
        assert!(caught.is_some(), "{mutant:?} goes unpunished");
    }
}

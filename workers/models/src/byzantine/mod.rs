//! The Byzantine form among liars.
//!
//! A state holds the honest nodes: their acceptors and all that they have signed. What was
//! signed can be used at any time, so that loss, delay, repetition and reordering come for
//! free. Liars sign anything at any time, and leaders are theirs: whoever proposes brings any
//! justification that the real code accepts. A restart brings back what is on disk; every call
//! starts from an acceptor put together from records.
//!
//! Honest nodes are interchangeable, and so are the two values: states that differ in nothing
//! else count once.

mod domain;
mod keys;
mod local;
mod phases;
mod rules;
mod tables;
mod world;

pub use local::Move;

use crate::run::{Limit, Limited};
use cicada_consensus::byzantine::Kind;
use cicada_consensus::{digest, Mutant, Position, View};
use cicada_core::quorum::Quorum;
use domain::{Domain, Signed};
use local::Local;
use stateright::{Model, Property};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tables::{Id, Tables};
use world::World;

/// The most honest nodes in a model.
const SEATS: usize = 6;

/// Which orders of events are explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Every order.
    Any,
    /// Every state, but each by way of ascending views only, and within a view first pledges,
    /// then preparing, then committing. An event of a view rests on events of this view and
    /// lower ones alone, and more signatures of others never prevent one; so every execution
    /// can be sorted like that and ends in the same state.
    Ascending,
    /// The same in whole phases: in each view everybody pledges who can, everybody prepares
    /// who can, and any set of nodes commits. A pledge or a prepared value that an execution
    /// does without prevents nothing later on in ascending order, so the execution with it
    /// has signed at least as much. It breaks agreement if the one without it does.
    Phases,
}

/// A model.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// The quorum system, with the number of nodes.
    pub quorum: Quorum,
    /// How many of them lie.
    pub liars: u8,
    /// How many views there are.
    pub views: View,
    /// How many positions of the log there are.
    pub positions: Position,
    /// Whether nodes learn decisions, and then pledge from there on.
    pub learning: bool,
    /// The bug seeded in every honest node.
    pub mutant: Option<Mutant>,
    /// A second one, in reading justifications.
    pub judge: Option<Mutant>,
    /// The orders explored.
    pub pace: Pace,
    /// Whether each answer of the real code is asked for once only.
    pub remember: bool,
}

/// The honest nodes at one moment, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    nodes: [Id; SEATS],
    phase: u8,
}

/// A step of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// One node does something.
    One(usize, Move, Id),
    /// A phase ends like this.
    Phase(State),
}

/// The model that Stateright checks.
pub struct Byzantine {
    params: Params,
    domain: Domain,
    honest: usize,
    limit: Limit,
    tables: Mutex<Tables>,
}

/// What can be proved at one moment.
struct Proofs {
    prepared: Signed,
    committed: Signed,
}

impl Byzantine {
    /// A model with a limit.
    ///
    /// # Panics
    /// With no honest node or more than the model has room for.
    pub fn new(params: Params, limit: Limit) -> Self {
        let honest = usize::from(params.quorum.n().saturating_sub(params.liars));
        assert!((1..=SEATS).contains(&honest), "one to {SEATS} honest nodes");
        Self {
            params,
            domain: Domain::new(params.views, params.positions, params.learning),
            honest,
            limit,
            tables: Mutex::new(Tables::new(params.remember)),
        }
    }

    /// How many different honest nodes were seen.
    pub fn locals(&self) -> usize {
        self.tables().seen()
    }

    // A panic while it was held ends the check anyway.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn world<'a>(&'a self, signed: &'a [Signed]) -> World<'a> {
        let Params { quorum, mutant, judge, .. } = self.params;
        World { domain: &self.domain, quorum, mutant, judge, signed }
    }

    fn signed(&self, state: &State, tables: &Tables) -> [Signed; SEATS] {
        let mut signed = [0; SEATS];
        for (signed, id) in signed.iter_mut().zip(self.nodes(state)) {
            *signed = tables.local(*id).signed;
        }
        signed
    }

    fn nodes<'a>(&self, state: &'a State) -> &'a [Id] {
        &state.nodes[..self.honest]
    }

    fn proofs(&self, state: &State) -> Proofs {
        let mut tables = self.tables();
        let signed = self.signed(state, &tables);
        let world = self.world(&signed[..self.honest]);
        Proofs {
            prepared: tables.certified(Kind::Prepared, &world),
            committed: tables.certified(Kind::Committed, &world),
        }
    }

    // The one state that stands for all that differ in the names of nodes and values only.
    fn canonical(&self, mut nodes: [Id; SEATS], phase: u8, tables: &Tables) -> State {
        let mut swapped = nodes;
        swapped[..self.honest].iter_mut().for_each(|id| *id = tables.swapped(*id));
        nodes[..self.honest].sort_unstable();
        swapped[..self.honest].sort_unstable();
        State { nodes: nodes.min(swapped), phase }
    }

    // Everything that can be tried on a node.
    fn moves(&self, local: &Local, proofs: &Proofs, mandates: &[u16]) -> Vec<(Move, bool)> {
        let mut moves: Vec<(Move, bool)> =
            (2..=self.params.views).map(|v| (Move::Pledge(v), true)).collect();
        for position in local.tip + 1..=self.params.positions {
            for mandate in mandates {
                let values = 0..domain::VALUES as u8;
                moves.extend(values.map(|value| (Move::Propose(*mandate, position, value), true)));
            }
        }
        for (number, statement) in self.domain.of_kind(Kind::Prepared) {
            let proved = proofs.prepared >> number & 1 == 1;
            // A sound node is tested on false certificates as well.
            if statement.position > local.tip {
                moves.push((Move::Commit(number as u8), proved));
            }
        }
        for (number, statement) in self.domain.of_kind(Kind::Committed) {
            let next = statement.position == local.tip + 1;
            if self.params.learning && next && proofs.committed >> number & 1 == 1 {
                moves.push((Move::Learn(number as u8), true));
            }
        }
        if !local.durable() {
            moves.push((Move::Restart, true));
        }
        moves
    }

    // Views ascend, and within a view the steps of the protocol.
    fn rank(&self, action: Move, tables: &Tables) -> u64 {
        match action {
            Move::Pledge(view) => view * 3,
            Move::Propose(mandate, ..) => tables.mandate(mandate).view() * 3 + 1,
            Move::Commit(number) => self.domain.statements[usize::from(number)].view * 3 + 2,
            Move::Learn(_) | Move::Restart => u64::MAX,
        }
    }

    fn reached(&self, signed: &[Signed]) -> u64 {
        let all = signed.iter().fold(0, |all, signed| all | signed);
        let statements = self.domain.statements.iter().enumerate();
        let ranks = statements.filter(|(number, _)| all >> number & 1 == 1).map(|(_, s)| {
            s.view * 3
                + match s.kind {
                    Kind::Prepared => 1,
                    Kind::Committed => 2,
                    _ => 0,
                }
        });
        ranks.max().unwrap_or(0)
    }

    fn single_steps(&self, state: &State, steps: &mut Vec<Step>) {
        let mut tables = self.tables();
        let signed = self.signed(state, &tables);
        let world = self.world(&signed[..self.honest]);
        let proofs = Proofs {
            prepared: tables.certified(Kind::Prepared, &world),
            committed: tables.certified(Kind::Committed, &world),
        };
        let mandates = tables.mandates(proofs.prepared, proofs.committed, &world);
        let reached = match self.params.pace {
            Pace::Any => 0,
            _ => self.reached(&signed),
        };
        let mut last = None;
        for (seat, id) in self.nodes(state).iter().enumerate() {
            if last.replace(*id) == Some(*id) {
                continue;
            }
            let mut reachable = BTreeSet::from([*id]);
            for (action, proved) in self.moves(tables.local(*id), &proofs, &mandates) {
                if self.rank(action, &tables) < reached {
                    continue;
                }
                let after = tables.after(seat, *id, action, proved, &world);
                if let Some(after) = after.filter(|after| reachable.insert(*after)) {
                    steps.push(Step::One(seat, action, after));
                }
            }
        }
    }
}

/// The name of the property that everything is about.
pub const AGREEMENT: &str = "one decision per position";

impl Model for Byzantine {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let mut tables = self.tables();
        let first = tables.id(Local::first(&self.domain), &self.domain);
        let mut nodes = [0; SEATS];
        nodes[..self.honest].fill(first);
        vec![State { nodes, phase: 0 }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if self.limit.stop() {
            return;
        }
        match self.params.pace {
            Pace::Any | Pace::Ascending => self.single_steps(state, steps),
            Pace::Phases => steps.extend(self.phase(state).into_iter().map(Step::Phase)),
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        match step {
            Step::One(seat, _, after) => {
                let mut nodes = state.nodes;
                nodes[seat] = after;
                Some(self.canonical(nodes, state.phase, &self.tables()))
            }
            Step::Phase(next) => Some(next),
        }
    }

    fn format_action(&self, step: &Step) -> String {
        let Step::One(index, action, _) = step else {
            return format!("{step:?}");
        };
        let about = |number: u8| {
            let s = self.domain.statements[usize::from(number)];
            let value = self.domain.values.iter().find(|value| digest(value) == s.digest);
            let value = value.map_or("?".into(), |value| String::from_utf8_lossy(value));
            format!("{value} at position {}, view {}", s.position, s.view)
        };
        let done = match action {
            Move::Pledge(view) => format!("pledges, view {view}"),
            Move::Propose(mandate, position, value) => {
                let view = self.tables().mandate(*mandate).view();
                let value = String::from_utf8_lossy(&self.domain.values[usize::from(*value)]);
                format!("prepares {value} at position {position}, view {view}")
            }
            Move::Commit(number) => format!("commits {}", about(*number)),
            Move::Learn(number) => format!("learns {}", about(*number)),
            Move::Restart => "restarts".to_owned(),
        };
        // Places are given anew after every step, and so are the names of the values.
        format!("the node now in place {index} {done}")
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let agreement = Property::always(AGREEMENT, |model: &Self, state: &State| {
            !model.conflict(model.proofs(state).committed, true)
        });
        if self.params.mutant.is_some() || self.params.liars > self.params.quorum.max_liars() {
            return vec![agreement];
        }
        vec![
            agreement,
            Property::always("one certificate per view and position", |model: &Self, state| {
                !model.conflict(model.proofs(state).prepared, false)
            }),
            Property::always("every lock is proved", Self::locks_are_proved),
            Property::always("pledges name the last commit", |model: &Self, state| {
                model.all_locals(state, |local| model.pledges_are_true(local))
            }),
            Property::always("one vote per view and position", |model: &Self, state| {
                model.all_locals(state, |local| model.single_votes(local))
            }),
            Property::always("the disk restores the node", |model: &Self, state| {
                model.all_locals(state, Local::durable)
            }),
            Property::sometimes("the last view decides", |model: &Self, state| {
                let committed = model.proofs(state).committed;
                let mut last = model.domain.of_kind(Kind::Committed);
                last.any(|(bit, s)| committed >> bit & 1 == 1 && s.view == model.params.views)
            }),
        ]
    }
}

impl Limited for Byzantine {
    fn limit(&self) -> &Limit {
        &self.limit
    }
}

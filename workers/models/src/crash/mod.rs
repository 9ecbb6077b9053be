//! Crash mode: whole nodes, with lost, late and repeated messages, restarts and timeouts.
//!
//! A state holds the nodes with their disks and all messages ever sent. A message can arrive
//! any number of times, in any order, or not at all. A restart loses what is not on disk; a
//! timeout may come at any time. What bounds a model: the highest round of a ballot, the number
//! of restarts and of proposals.

mod event;

pub use event::Forget;

use crate::run::{Limit, Limited};
use cicada_consensus::{Config, Mutant, Position, Seat};
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use event::{timing, value, Event, Machine, Message};
use stateright::{Model, Property};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A model.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// How many nodes.
    pub n: u8,
    /// How many of them have clients: the first seats.
    pub proposers: u8,
    /// How many proposals there are in all, each of another value.
    pub proposals: u8,
    /// How many messages can arrive more than once in all; `None` if all can, any number of
    /// times.
    pub repeats: Option<u8>,
    /// The last position of the log for which votes are asked.
    pub positions: Position,
    /// The highest round of a ballot.
    pub rounds: u64,
    /// How many restarts there are in all.
    pub restarts: u8,
    /// How many timeouts there are in all.
    pub timeouts: u8,
    /// Whether a new leader waits for all promises if those of a quorum leave open which value
    /// was chosen; until a timeout.
    pub patient: bool,
    /// Whether pre-votes are answered with yes at once; else they are messages like others.
    pub consent: bool,
    /// The bug seeded in every node.
    pub mutant: Option<Mutant>,
    /// What restarts forget.
    pub forget: Option<Forget>,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    nodes: Box<[u32]>,
    // Sorted.
    network: Box<[u16]>,
    // Sorted: what clients were told.
    acknowledged: Box<[(u8, u8)]>,
    proposals: u8,
    restarts: u8,
    timeouts: u8,
    repeats: u8,
}

/// What happens to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A message arrives.
    Arrives(u16),
    /// A message arrives, and will once more.
    Repeats(u16),
    /// A client proposes a value.
    Propose(u8),
    /// A timeout.
    Timeout,
    /// A restart.
    Restart,
}

/// A step: to which seat what happens.
pub type Step = (Seat, What);

struct After {
    node: u32,
    messages: Vec<u16>,
    acknowledged: Vec<(u8, u8)>,
}

#[derive(Default)]
struct Tables {
    machines: Vec<Machine>,
    machine_ids: HashMap<Vec<u8>, u32>,
    messages: Vec<Message>,
    message_ids: HashMap<Vec<u8>, u16>,
    known: HashMap<(u32, What), Arc<After>>,
    deaf: HashMap<(u32, u16), bool>,
}

/// The model that Stateright checks.
pub struct Crash {
    params: Params,
    limit: Limit,
    tables: Mutex<Tables>,
}

impl Tables {
    fn machine(&mut self, machine: Machine) -> u32 {
        let next = u32::try_from(self.machines.len()).unwrap_or(u32::MAX);
        let id = *self.machine_ids.entry(machine.key()).or_insert(next);
        if id == next {
            self.machines.push(machine);
        }
        id
    }

    fn message(&mut self, message: Message) -> u16 {
        let next = u16::try_from(self.messages.len());
        let next = next.unwrap_or_else(|_| panic!("more kinds of messages than expected"));
        let id = *self.message_ids.entry(message.key()).or_insert(next);
        if id == next {
            self.messages.push(message);
        }
        id
    }

    // Whether a message is of no use any more. That a node is deaf to it stays so.
    fn is_deaf(&mut self, nodes: &[u32], id: u16) -> bool {
        let message = &self.messages[usize::from(id)];
        let node = nodes[usize::from(message.to)];
        let machine = &self.machines[node as usize];
        *self.deaf.entry((node, id)).or_insert_with(|| machine.deaf_to(message))
    }

    fn after(&mut self, node: u32, what: What) -> Arc<After> {
        if let Some(known) = self.known.get(&(node, what)) {
            return Arc::clone(known);
        }
        let mut machine = self.machines[node as usize].clone();
        let effects = machine.happen(&match what {
            What::Arrives(message) | What::Repeats(message) => {
                Event::Arrives(&self.messages[usize::from(message)])
            }
            What::Propose(value) => Event::Propose(value),
            What::Timeout => Event::Timeout,
            What::Restart => Event::Restart,
        });
        let acknowledged = effects.acknowledged.iter().map(|(position, v)| (*position as u8, *v));
        let after = Arc::new(After {
            acknowledged: acknowledged.collect(),
            messages: effects.messages.into_iter().map(|message| self.message(message)).collect(),
            node: self.machine(machine),
        });
        self.known.insert((node, what), Arc::clone(&after));
        after
    }
}

impl Crash {
    /// A model with a limit.
    pub fn new(params: Params, limit: Limit) -> Self {
        Self { params, limit, tables: Mutex::default() }
    }

    // A panic while it was held ends the check anyway.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The state after a step; `None` if nothing changes or a bound is passed.
    fn step(&self, state: &State, (seat, what): Step, tables: &mut Tables) -> Option<State> {
        let at = usize::from(seat);
        let after = tables.after(state.nodes[at], what);
        let far = |id: &u16| {
            let message = &tables.messages[usize::from(*id)];
            message.round() > self.params.rounds || message.position() > self.params.positions
        };
        if after.messages.iter().any(far) {
            return None;
        }
        let gone = match what {
            What::Arrives(id) if self.params.repeats.is_some() => Some(id),
            _ => None,
        };
        let news = |id: &&u16| state.network.binary_search(id).is_err();
        let new: Vec<u16> = after.messages.iter().filter(news).copied().collect();
        if after.node == state.nodes[at] && new.is_empty() {
            return None;
        }
        let mut next = state.clone();
        next.nodes[at] = after.node;
        let network = sorted(&state.network, &new);
        let alive = |id: &u16| Some(*id) != gone && !tables.is_deaf(&next.nodes, *id);
        next.network = network.iter().copied().filter(alive).collect();
        next.acknowledged = sorted(&state.acknowledged, &after.acknowledged);
        match what {
            What::Arrives(_) => {}
            What::Repeats(_) => next.repeats += 1,
            What::Propose(_) => next.proposals += 1,
            What::Timeout => next.timeouts += 1,
            What::Restart => next.restarts += 1,
        }
        Some(next)
    }

    fn agreed(&self, state: &State) -> bool {
        let tables = self.tables();
        let mut decided: BTreeMap<Position, Vec<u8>> = BTreeMap::new();
        let logs = state.nodes.iter().flat_map(|id| tables.machines[*id as usize].decided());
        let told = state.acknowledged.iter().map(|(position, v)| (u64::from(*position), value(*v)));
        logs.chain(told).all(|(position, value)| {
            *decided.entry(position).or_insert_with(|| value.clone()) == value
        })
    }

    fn kept(&self, state: &State) -> bool {
        let tables = self.tables();
        state.acknowledged.iter().all(|(position, number)| {
            let wanted = (u64::from(*position), value(*number));
            state.nodes.iter().any(|id| tables.machines[*id as usize].decided().contains(&wanted))
        })
    }
}

fn sorted<T: Copy + Ord>(known: &[T], new: &[T]) -> Box<[T]> {
    let mut all = [known, new].concat();
    all.sort_unstable();
    all.dedup();
    all.into_boxed_slice()
}

impl Model for Crash {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let Params { n, patient, consent, mutant, forget, .. } = self.params;
        let Some(quorum) = Quorum::of(FaultModel::Crash, n) else {
            return Vec::new();
        };
        let mut tables = self.tables();
        let nodes = (0..n).map(|seat| {
            let mut config = Config::new(seat, quorum, quorum, 1, Digest([7; 32]));
            config.timing = timing(patient);
            config.mutant = mutant;
            tables.machine(Machine::new(config, forget, consent))
        });
        vec![State {
            nodes: nodes.collect(),
            network: Box::default(),
            acknowledged: Box::default(),
            proposals: 0,
            restarts: 0,
            timeouts: 0,
            repeats: 0,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if self.limit.stop() {
            return;
        }
        let mut tables = self.tables();
        let mut all: Vec<Step> = Vec::new();
        for id in &*state.network {
            let to = tables.messages[usize::from(*id)].to;
            all.push((to, What::Arrives(*id)));
            if self.params.repeats.is_some_and(|most| state.repeats < most) {
                all.push((to, What::Repeats(*id)));
            }
        }
        for seat in 0..self.params.n {
            if seat < self.params.proposers && state.proposals < self.params.proposals {
                all.push((seat, What::Propose(state.proposals)));
            }
            if state.timeouts < self.params.timeouts {
                all.push((seat, What::Timeout));
            }
            if state.restarts < self.params.restarts {
                all.push((seat, What::Restart));
            }
        }
        steps.extend(all.into_iter().filter(|step| self.step(state, *step, &mut tables).is_some()));
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        self.step(state, step, &mut self.tables())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one decision per position", Self::agreed),
            Property::always("what was acknowledged stays", Self::kept),
            Property::always("no node stops itself", |model: &Self, state: &State| {
                let tables = model.tables();
                state.nodes.iter().all(|id| !tables.machines[*id as usize].halted)
            }),
            Property::sometimes("something is acknowledged", |_: &Self, state: &State| {
                !state.acknowledged.is_empty()
            }),
        ]
    }

    fn format_action(&self, (seat, what): &Step) -> String {
        let mut text = format!("{seat}: ");
        let tables = self.tables();
        // Writing to a string does not fail.
        let _ = match what {
            What::Arrives(id) | What::Repeats(id) => {
                let message = &tables.messages[usize::from(*id)];
                write!(text, "from {}: {:?}", message.from, message.body)
            }
            What::Propose(number) => write!(text, "asked to propose {:?}", value(*number)),
            What::Timeout => write!(text, "timeout"),
            What::Restart => write!(text, "restart"),
        };
        text
    }
}

impl Limited for Crash {
    fn limit(&self) -> &Limit {
        &self.limit
    }
}

//! The proposals of this node that are not finished yet.

use crate::types::{Position, Seat, Value};
use cicada_core::hash::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher};

/// How far a proposal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// For this node to lead, or for its turn.
    Waiting,
    /// Sent to the acceptors.
    InFlight,
    /// Decided here, not yet certified.
    Decided(Position),
}

/// A proposal of this node.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) ticket: u64,
    pub(crate) value: Value,
    pub(crate) digest: Digest,
    pub(crate) started_ms: u64,
    pub(crate) deadline_ms: u64,
    pub(crate) stage: Stage,
    pub(crate) promised: BTreeSet<Seat>,
    pub(crate) accepted: BTreeSet<Seat>,
    pub(crate) refusals: BTreeMap<Seat, String>,
}

/// Proposals in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proposals(Vec<Proposal>);

impl Proposals {
    /// For [`crate::Node::hash_state`].
    pub(crate) fn hash_state(&self, state: &mut impl Hasher) {
        self.0.len().hash(state);
        self.0.iter().for_each(|p| (p.ticket, &p.digest, p.stage).hash(state));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, proposal: Proposal) {
        self.0.push(proposal);
    }

    pub(crate) fn any_waiting(&self) -> bool {
        self.0.iter().any(|p| p.stage == Stage::Waiting)
    }

    /// Since when the oldest undecided proposal waits.
    pub(crate) fn oldest_ms(&self) -> Option<u64> {
        let undecided = self.0.iter().filter(|p| !matches!(p.stage, Stage::Decided(_)));
        undecided.map(|p| p.started_ms).min()
    }

    /// The values that wait, each once.
    pub(crate) fn waiting_values(&self) -> Vec<Value> {
        self.waiting_since(u64::MAX)
    }

    /// The values that wait since a time or longer, each once.
    pub(crate) fn waiting_since(&self, started_ms: u64) -> Vec<Value> {
        let waiting = self.0.iter().filter(|p| p.stage == Stage::Waiting);
        let old = waiting.filter(|p| p.started_ms <= started_ms);
        let values: BTreeMap<Digest, &Value> = old.map(|p| (p.digest, &p.value)).collect();
        values.into_values().cloned().collect()
    }

    /// Whether a value is proposed by this node and not finished.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.0.iter().any(|p| p.digest == *digest)
    }

    /// Takes out the waiting proposals of a value.
    pub(crate) fn take_waiting(&mut self, digest: Digest) -> Vec<Proposal> {
        self.take(|p| p.digest == digest && p.stage == Stage::Waiting)
    }

    /// The proposal whose turn it is.
    pub(crate) fn next_waiting(&self) -> Option<&Proposal> {
        self.0.iter().find(|p| p.stage == Stage::Waiting)
    }

    /// Every proposal of this value that is not decided yet.
    pub(crate) fn undecided(&mut self, digest: Digest) -> impl Iterator<Item = &mut Proposal> {
        self.0
            .iter_mut()
            .filter(move |p| p.digest == digest && !matches!(p.stage, Stage::Decided(_)))
    }

    /// Notes why a node refused a value; without a digest, one that stands in the way of all.
    pub(crate) fn note_refusal(&mut self, digest: Option<Digest>, seat: Seat, reason: &str) {
        let blocked = |p: &&mut Proposal| match digest {
            Some(digest) => p.digest == digest,
            None => p.stage == Stage::Waiting,
        };
        for proposal in self.0.iter_mut().filter(blocked) {
            proposal.refusals.insert(seat, reason.to_owned());
        }
    }

    /// All that were sent wait again.
    pub(crate) fn recall(&mut self) {
        for proposal in &mut self.0 {
            if proposal.stage == Stage::InFlight {
                proposal.stage = Stage::Waiting;
            }
        }
    }

    /// Takes out the finished ones.
    pub(crate) fn take(&mut self, finished: impl Fn(&Proposal) -> bool) -> Vec<Proposal> {
        let (taken, kept) = std::mem::take(&mut self.0).into_iter().partition(finished);
        self.0 = kept;
        taken
    }
}

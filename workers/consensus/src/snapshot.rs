//! What a model tells the states of a node apart by.

use crate::io::{Application, Keys};
use crate::node::Node;
use std::hash::{Hash, Hasher};

impl<A: Application, K: Keys> Node<A, K> {
    /// Feeds what the later steps of crash mode depend on to a hasher, except for times, for
    /// what was said to people, and for the application, which is a function of the log.
    pub fn hash_state(&self, state: &mut impl Hasher) {
        self.acceptor.hash(state);
        self.log.hash_state(state);
        self.leader.hash_state(state);
        self.proposals.hash_state(state);
        self.attested.len().hash(state);
        self.catch_up.hash_state(state);
    }
}

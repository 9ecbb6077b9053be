//! The states of all blocks: one store of trie nodes that they share, and a root for each block.

use cicada_runtime::Hash;
use hash_db::Prefix;
use parking_lot::RwLock;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{
    backend::BackendTransaction, DefaultError, TrieBackend, TrieBackendBuilder, TrieBackendStorage,
};
use sp_trie::DBValue;
use std::collections::HashMap;

/// How the chain hashes.
pub type Hashing = BlakeTwo256;
/// The state of one block, to read.
pub type View<'a> = TrieBackend<&'a Nodes, Hashing>;
/// The changes of one block, to be inserted.
pub type Changes = BackendTransaction<Hashing>;

/// Trie nodes by their hash. A block only adds to them, so every older state stays readable.
#[derive(Default)]
pub struct Nodes(RwLock<HashMap<Hash, DBValue>>);

impl Nodes {
    /// The nodes in `entries`, such as a state file's.
    pub fn from_entries(entries: HashMap<Hash, DBValue>) -> Self {
        Self(RwLock::new(entries))
    }

    /// The state whose root is `root`.
    pub fn view(&self, root: Hash) -> View<'_> {
        TrieBackendBuilder::new(self, root).build()
    }

    /// Adds a block's changes; returns the nodes that were not there before.
    pub fn insert(&self, mut changes: Changes) -> Vec<Hash> {
        let mut nodes = self.0.write();
        let mut added = Vec::new();
        for (key, (value, references)) in changes.drain() {
            // The key is the node's place in the trie followed by its hash.
            let hash = Hash::from_slice(&key[key.len() - Hash::len_bytes()..]);
            if references > 0 && nodes.insert(hash, value).is_none() {
                added.push(hash);
            }
        }
        added
    }

    /// Removes what a block had added that is no longer part of the chain.
    pub fn forget(&self, added: &[Hash]) {
        let mut nodes = self.0.write();
        for hash in added {
            nodes.remove(hash);
        }
    }

    /// Shows all nodes to `visit`, in no particular order.
    ///
    /// # Errors
    /// The first error of `visit`.
    pub fn for_each<E>(
        &self,
        mut visit: impl FnMut(&Hash, &DBValue) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.read().iter().try_for_each(|(hash, value)| visit(hash, value))
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.0.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl TrieBackendStorage<Hashing> for Nodes {
    fn get(&self, hash: &Hash, _place: Prefix) -> Result<Option<DBValue>, DefaultError> {
        Ok(self.0.read().get(hash).cloned())
    }
}

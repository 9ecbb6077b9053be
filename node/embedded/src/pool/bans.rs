//! Transactions that the pool does not want to see again for a while.

use cicada_runtime::Hash;
use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

/// How long a transaction stays banned.
const BAN: Duration = Duration::from_secs(30 * 60);
/// How many are remembered; the oldest are forgotten first.
const BANS: usize = 16_384;

/// What was invalid, or is in a block.
#[derive(Default)]
pub struct Bans {
    order: VecDeque<(Instant, Hash)>,
    banned: HashSet<Hash>,
}

impl Bans {
    /// Whether `hash` is banned.
    pub fn contains(&self, hash: &Hash) -> bool {
        self.banned.contains(hash)
    }

    /// Bans `hash`; forgets those whose time is over.
    pub fn insert(&mut self, hash: Hash) {
        if self.banned.insert(hash) {
            self.order.push_back((Instant::now(), hash));
        }
        while let Some((since, hash)) = self.order.front() {
            if since.elapsed() < BAN && self.order.len() <= BANS {
                break;
            }
            self.banned.remove(hash);
            self.order.pop_front();
        }
    }
}

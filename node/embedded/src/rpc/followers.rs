//! Who follows the head by `chainHead_v1_follow`, what each has pinned, and what is computed for it.

use crate::chain::Block;
use cicada_runtime::Hash;
use jsonrpsee::ConnectionId;
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};
use tokio::sync::mpsc;

/// How many follow subscriptions a connection may have.
const PER_CONNECTION: usize = 4;
/// How many blocks a follower may keep pinned; one who pins more is stopped.
const PINNED: usize = 4096;
/// How many operations a follower may have going on.
const OPERATIONS: usize = 16;
/// How many results of operations wait for the follower's connection.
const RESULTS: usize = 16;

/// Whose subscription it is, and its name.
type Key = (ConnectionId, String);

/// All followers.
#[derive(Default)]
pub(super) struct Followers(Mutex<HashMap<Key, Arc<Follower>>>);

/// One follow subscription.
pub(super) struct Follower {
    /// Whether it wants to know the runtime, and so may call it.
    pub with_runtime: bool,
    /// Where the results of operations go.
    pub results: mpsc::Sender<Value>,
    pinned: Mutex<HashMap<Hash, Arc<Block>>>,
    operations: Mutex<HashSet<String>>,
    started: AtomicU64,
}

/// Ends a follow subscription when it is dropped.
pub(super) struct Following {
    followers: Arc<Followers>,
    key: Key,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.followers.0.lock().remove(&self.key);
    }
}

impl Followers {
    /// Whether this connection may follow once more.
    pub fn has_room(&self, connection: ConnectionId) -> bool {
        self.0.lock().keys().filter(|(other, _)| *other == connection).count() < PER_CONNECTION
    }

    /// Adds a follower; also returns where the results of its operations arrive.
    pub fn add(
        self: &Arc<Self>,
        connection: ConnectionId,
        name: String,
        with_runtime: bool,
    ) -> (Arc<Follower>, mpsc::Receiver<Value>, Following) {
        let (results, arriving) = mpsc::channel(RESULTS);
        let follower = Arc::new(Follower {
            with_runtime,
            results,
            pinned: Mutex::default(),
            operations: Mutex::default(),
            started: AtomicU64::new(0),
        });
        let key = (connection, name);
        self.0.lock().insert(key.clone(), follower.clone());
        (follower, arriving, Following { followers: self.clone(), key })
    }

    /// The follower with this name, if it is this connection's.
    pub fn get(&self, connection: ConnectionId, name: &str) -> Option<Arc<Follower>> {
        self.0.lock().get(&(connection, name.to_owned())).cloned()
    }
}

impl Follower {
    /// Pins a block; false if that is too much.
    pub fn pin(&self, block: Arc<Block>) -> bool {
        let mut pinned = self.pinned.lock();
        pinned.insert(block.hash, block);
        pinned.len() <= PINNED
    }

    /// A block that is pinned.
    pub fn pinned(&self, hash: &Hash) -> Option<Arc<Block>> {
        self.pinned.lock().get(hash).cloned()
    }

    /// Unpins all of these blocks, or none if one of them is not pinned.
    pub fn unpin(&self, hashes: &[Hash]) -> bool {
        let mut pinned = self.pinned.lock();
        let all = hashes.iter().all(|hash| pinned.contains_key(hash));
        if all {
            for hash in hashes {
                pinned.remove(hash);
            }
        }
        all
    }

    /// Begins an operation, unless there are too many.
    pub fn begin(self: &Arc<Self>) -> Option<Operation> {
        let mut operations = self.operations.lock();
        (operations.len() < OPERATIONS).then(|| {
            let id = self.started.fetch_add(1, Ordering::Relaxed).to_string();
            operations.insert(id.clone());
            Operation { follower: self.clone(), id }
        })
    }

    /// Whether an operation is going on.
    pub fn is_going_on(&self, id: &str) -> bool {
        self.operations.lock().contains(id)
    }

    /// Stops an operation: nothing is heard of it any more.
    pub fn stop(&self, id: &str) {
        self.operations.lock().remove(id);
    }
}

/// Something that is computed for a follower; it has ended when this is dropped.
pub(super) struct Operation {
    follower: Arc<Follower>,
    /// Its name.
    pub id: String,
}

impl Operation {
    /// Sends a result, unless the operation was stopped; false if there should be no more.
    pub async fn send(&self, result: Value) -> bool {
        self.follower.is_going_on(&self.id) && self.follower.results.send(result).await.is_ok()
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.follower.stop(&self.id);
    }
}

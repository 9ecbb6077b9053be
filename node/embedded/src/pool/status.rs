//! What is said about transactions.

use cicada_runtime::Hash;
use sp_runtime::transaction_validity::{InvalidTransaction, UnknownTransaction};
use tokio::sync::mpsc;

/// How many news of a transaction may wait for a reader; no transaction has more.
pub const NEWS: usize = 32;

/// Where to send the news of a transaction.
pub type Watcher = mpsc::Sender<Status>;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Status {
    /// It waits for other transactions.
    Future,
    /// It may be in the next block.
    Ready,
    /// It is in this block, at this place.
    InBlock(Hash, u32),
    /// This block of it is gone.
    Retracted(Hash),
    /// The block that it is in is final.
    Finalized(Hash, u32),
    /// This transaction took its place.
    Usurped(Hash),
    /// It had to leave the pool.
    Dropped,
    /// It became invalid.
    Invalid,
}

/// Why a transaction is not in the pool.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolError {
    /// The runtime says that it is invalid.
    Invalid(InvalidTransaction),
    /// The runtime cannot say.
    Unknown(UnknownTransaction),
    /// It was invalid a moment ago, or is in a block already.
    Banned,
    /// It is there already.
    AlreadyImported(Hash),
    /// Another transaction has its place and pays as much.
    TooLowPriority {
        /// The priority of what is there.
        old: u64,
        /// The priority of the newcomer.
        new: u64,
    },
    /// The pool is full of transactions that pay as much.
    ImmediatelyDropped,
    /// It has no nonce or the like.
    NoTags,
    /// The runtime failed at it.
    Failed(String),
}

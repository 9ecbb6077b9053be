//! Errors with the codes and words of Substrate nodes, which clients know.

use crate::{node::NodeError, pool::PoolError, runtime::CallError};
use cicada_runtime::Hash;
use jsonrpsee::types::{
    error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE},
    ErrorObjectOwned,
};
use serde::Serialize;
use sp_runtime::transaction_validity::InvalidTransaction;
use std::fmt::Display;

const EXTRINSIC_FORMAT: i32 = 1001;
const VERIFICATION: i32 = 1002;
const POOL_INVALID: i32 = 1010;
const POOL_UNKNOWN: i32 = 1011;
const POOL_BANNED: i32 = 1012;
const POOL_ALREADY_IMPORTED: i32 = 1013;
const POOL_TOO_LOW_PRIORITY: i32 = 1014;
const POOL_IMMEDIATELY_DROPPED: i32 = 1016;
const POOL_NO_TAGS: i32 = 1019;
const STATE_RANGE: i32 = 4001;
const STATE_COUNT: i32 = 4002;
const STATE: i32 = 4003;
const FOLLOWERS: i32 = -32800;
const NOT_PINNED: i32 = -32801;
const WITHOUT_RUNTIME: i32 = -32802;
const NOT_WAITING: i32 = -32803;
const UNPINNED_TWICE: i32 = -32804;
const RUNTIME: i32 = 1;
const DECODE: i32 = 2;

fn plain(code: i32, message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, None::<()>)
}

fn with(code: i32, message: impl Into<String>, data: impl Serialize) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, Some(data))
}

/// The request's parameters are not what the method takes.
pub fn params(reason: impl Display) -> ErrorObjectOwned {
    with(INVALID_PARAMS_CODE, "Invalid params", reason.to_string())
}

/// What went wrong is not the request's fault.
pub fn internal(reason: impl Display) -> ErrorObjectOwned {
    plain(INTERNAL_ERROR_CODE, reason.to_string())
}

/// The block is not on this chain.
pub fn unknown_block(hash: Hash) -> ErrorObjectOwned {
    let reason = format!("no block {hash:?} is on this chain; it may have been reverted");
    plain(STATE, format!("Client error: UnknownBlock: {reason}"))
}

/// The state or the runtime does not answer.
pub fn state(error: impl Display) -> ErrorObjectOwned {
    plain(STATE, format!("Client error: {error}"))
}

/// The blocks do not span a range.
pub fn block_range(details: impl Display) -> ErrorObjectOwned {
    plain(STATE_RANGE, format!("Cannot resolve a block range: {details}"))
}

/// More was asked for than is given at once.
pub fn count(value: usize, max: usize) -> ErrorObjectOwned {
    plain(STATE_COUNT, format!("count exceeds maximum value. value: {value}, max: {max}"))
}

/// A dry run or a fee could not be found out.
pub fn query(what: &str, error: &CallError) -> ErrorObjectOwned {
    with(RUNTIME, what, error.to_string())
}

/// [`query`] of something that is no extrinsic.
pub fn query_format(what: &str, error: &codec::Error) -> ErrorObjectOwned {
    with(DECODE, what, error.to_string())
}

/// The bytes are no extrinsic.
pub fn extrinsic_format(error: &codec::Error) -> ErrorObjectOwned {
    plain(EXTRINSIC_FORMAT, format!("Extrinsic has invalid format: {error}"))
}

/// A connection follows the head too often.
pub fn too_many_followers() -> ErrorObjectOwned {
    plain(FOLLOWERS, "Maximum number of chainHead_follow has been reached")
}

/// A follower names a block that it was not told of, or that it has unpinned.
pub fn not_pinned() -> ErrorObjectOwned {
    plain(NOT_PINNED, "Invalid block hash: it is not pinned by this subscription")
}

/// A follower that does not know the runtime calls it.
pub fn without_runtime() -> ErrorObjectOwned {
    plain(WITHOUT_RUNTIME, "The subscription was started with `withRuntime` set to `false`")
}

/// A follower continues what does not wait.
pub fn not_waiting() -> ErrorObjectOwned {
    plain(NOT_WAITING, "Wait for continue event was not generated for the subscription")
}

/// A follower names a block twice.
pub fn unpinned_twice() -> ErrorObjectOwned {
    plain(UNPINNED_TWICE, "Received duplicate hashes for the `chainHead_unpin` method")
}

/// The pool does not take a transaction.
pub fn pool(error: PoolError) -> ErrorObjectOwned {
    match error {
        PoolError::Invalid(InvalidTransaction::Custom(number)) => {
            with(POOL_INVALID, "Invalid Transaction", format!("Custom error: {number}"))
        }
        PoolError::Invalid(why) => {
            with(POOL_INVALID, "Invalid Transaction", <&'static str>::from(why))
        }
        PoolError::Unknown(why) => {
            with(POOL_UNKNOWN, "Unknown Transaction Validity", format!("{why:?}"))
        }
        PoolError::Banned => plain(POOL_BANNED, "Transaction is temporarily banned"),
        PoolError::AlreadyImported(hash) => {
            with(POOL_ALREADY_IMPORTED, "Transaction Already Imported", format!("{hash:?}"))
        }
        PoolError::TooLowPriority { old, new } => with(
            POOL_TOO_LOW_PRIORITY,
            format!("Priority is too low: ({old} vs {new})"),
            "Another transaction of this account has the same nonce and pays at least as much: raise the tip",
        ),
        PoolError::ImmediatelyDropped => with(
            POOL_IMMEDIATELY_DROPPED,
            "Immediately Dropped",
            "The pool is full of transactions that pay at least as much: try again after the next block",
        ),
        PoolError::NoTags => plain(POOL_NO_TAGS, "No tags provided"),
        PoolError::Failed(why) => plain(VERIFICATION, format!("Verification Error: {why}")),
    }
}

impl From<NodeError> for ErrorObjectOwned {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::NoSnapshot(_) => params(error),
            error => internal(error),
        }
    }
}

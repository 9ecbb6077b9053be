//! One of the nodes that agree on the market leaderboard: `cicada-consensus` behind HTTP, with
//! a disk, keys, and the rule which leaderboards it agrees to.
//!
//! | module | what it holds |
//! |---|---|
//! | [`options`] | flags, environment, configuration file |
//! | [`board`] | which leaderboard this node accepts, and what it attests |
//! | `ranking` | the scores of its own results |
//! | [`store`] | what survives a restart, and who may vote from it |
//! | [`engine`] | the thread that owns node and disk |
//! | [`evidence`] | what it keeps about liars |
//! | [`limits`] | how long messages may be |
//! | [`envelope`] | signatures between nodes |
//! | [`peers`] | requests to other nodes |
//! | [`http`] | the routes |
//! | [`metrics`] | figures |
//! | [`service`] | putting it together |

pub mod board;
pub mod engine;
pub mod envelope;
pub mod evidence;
pub mod http;
pub mod limits;
pub mod metrics;
pub mod options;
pub mod peers;
mod ranking;
pub mod service;

pub use cicada_store as store;

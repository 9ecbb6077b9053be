//! One of the nodes that agree on leaderboards, and on NAV, basket and rewards of the index:
//! `cicada-consensus` behind HTTP, with a disk, keys, and the rules what it agrees to.
//!
//! | module | what it holds |
//! |---|---|
//! | [`options`] | flags, environment, configuration file |
//! | [`feeds`] | what shares the log, and which values this node accepts |
//! | [`ranking`] | the scores of its own results, read by a thread of their own |
//! | [`keyring`] | its keys, and those of all |
//! | [`store`] | what survives a restart, and who may vote from it |
//! | [`engine`] | the thread that owns node and disk |
//! | [`evidence`] | what it keeps about liars |
//! | [`limits`] | how long messages may be |
//! | [`envelope`] | signatures between nodes |
//! | [`peers`] | requests to other nodes |
//! | [`http`] | the routes |
//! | [`metrics`] | figures |
//! | [`service`] | putting it together |
//! | [`settled`] | what it reads of what the chain has settled |
//! | [`volumes`] | what it reads of the exchange |

pub mod engine;
pub mod envelope;
pub mod evidence;
pub mod feeds;
pub mod http;
pub mod keyring;
pub mod limits;
pub mod metrics;
pub mod options;
pub mod peers;
pub mod ranking;
pub mod service;
pub mod settled;
pub mod volumes;

pub use cicada_store as store;

//! The indexer of the exchange: follows its events, those of MMC and of the performance tokens in
//! final blocks, and serves what would take a scan of the chain: history, candles, holdings,
//! portfolios, audit trails.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | the configuration file |
//! | [`events`], [`block`] | what comes from the chain |
//! | [`store`] | what is kept, in one SQLite file |
//! | [`queries`] | what is read from it |
//! | [`contracts`], [`follow`] | one final block after another |
//! | [`http`], [`metrics`], [`service`] | what can be asked, start and end |
//! | [`simulation`], [`bench`] | blocks without a chain |

pub mod bench;
pub mod block;
mod columns;
pub mod config;
pub mod contracts;
pub mod events;
pub mod follow;
pub mod http;
pub mod metrics;
pub mod queries;
pub mod readers;
pub mod service;
pub mod simulation;
pub mod store;
pub mod views;

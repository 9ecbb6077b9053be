//! A miner of the index: watches NAV and market price, and trades where they differ. Above NAV it
//! mints in kind and sells; below, it buys and redeems in kind (requirements 004-2; `docs/miner.md`).
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | the configuration file |
//! | [`seen`] | what the chain shows at one look, and what it is worth |
//! | [`plan`] | what to do about it: no input, no output |
//! | [`gas`] | what transactions cost |
//! | [`contracts`] | index, pool and tokens as typed calls |
//! | [`execute`] | does what was planned |
//! | [`ledger`] | what was earned and lost, on disk |
//! | [`looks`] | one look at the market after another |
//! | [`service`] | start and end |
//! | [`status`] | HTTP |

pub mod config;
pub mod contracts;
pub mod execute;
pub mod gas;
pub mod ledger;
pub mod looks;
pub mod plan;
pub mod seen;
pub mod service;
pub mod status;

#[cfg(test)]
mod fake;

//! A validator of the index: follows mints and redemptions in final blocks, scores the miners,
//! computes and signs the NAV, and takes part in the agreement about basket, NAV and rewards.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | the configuration file |
//! | [`rows`], [`store`] | what must survive, in one file |
//! | [`events`] | events of the contracts |
//! | [`epochs`] | scores and rewards of an epoch |
//! | [`recording`], [`replay`], [`bench`] | events from a file, without a chain |
//! | [`contracts`] | typed calls of the contracts |
//! | [`follow`] | one final block after another |
//! | [`prices`], [`observe`] | the NAV of this validator, signed once for a slot |
//! | [`peers`], [`agree`] | the agreement, and its way to the chain |
//! | [`baskets`], `rebalance` | the prices of this validator, and the basket that follows from all of them |
//! | [`outlook`] | what many ask of the chain, asked once |
//! | [`rankings`] | the ranking of each epoch, signed once; what is off is brought to the chain |
//! | `watch` | who signs two NAVs for a slot is brought to the chain |
//! | [`service`], [`http`], [`metrics`] | start and end, and what can be asked |

pub mod agree;
pub mod baskets;
pub mod bench;
pub mod config;
pub mod contracts;
pub mod epochs;
pub mod events;
pub mod follow;
pub mod http;
pub mod metrics;
pub mod observe;
pub mod outlook;
pub mod peers;
pub mod prices;
pub mod rankings;
mod rebalance;
pub mod recording;
pub mod replay;
pub mod rows;
pub mod service;
pub mod store;
mod turns;
pub mod view;
mod watch;

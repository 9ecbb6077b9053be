//! The interfaces between the Cicada-71 contracts, one module each, with their error types.
//!
//! A contract calls another through `contract_ref!` of a trait of this crate and never depends
//! on the other's crate. There are no events and no storage here.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod auction;
pub mod bytes;
pub mod capabilities;
pub mod escrow;
pub mod exchange;
pub mod host;
pub mod index;
pub mod leaderboard;
pub mod ownable;
pub mod pair;
pub mod payment;
pub mod psp22;
pub mod reputation;
pub mod rewards;
pub mod staking;
pub mod stored;
pub mod validators;

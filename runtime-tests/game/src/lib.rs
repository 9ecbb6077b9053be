//! The game of each role: what somebody can win on the real contracts by choosing what he does and
//! when, against honest others, that the rules do not allow him.
//!
//! | module | what it holds |
//! |---|---|
//! | [`role`] | what a role is: acts, moments, wealth, and what it may win |
//! | [`search`] | looks for a plan that wins more, from a seed, within a budget |
//! | [`exchange`] | trader and owner of the exchange |
//! | [`market`] | provider, requester and arbitrators of the compute market |
//! | [`validator`] | seats of the committee that lie |
//! | [`miner`] | who mints, redeems and swaps, for the basket or for the rewards |
//!
//! A role is added as a module with a type that implements [`role::Role`], a line in the program
//! `game`, and a test in `tests`.

pub mod basket;
pub mod exchange;
pub mod market;
pub mod miner;
pub mod role;
pub mod search;
pub mod validator;

/// The committee of the tests of the contracts.
#[path = "../../tests/common/mod.rs"]
pub mod common;
/// The exchange of its tests.
#[path = "../../tests/exchange/stage.rs"]
pub mod stage;

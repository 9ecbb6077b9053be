//! Every rule and formula of the Cicada-71 market, as pure functions.
//!
//! A worker that proposes a number and the contract that checks it compile the same function
//! of this crate: *one formula, one place*. Nothing here knows a chain, a clock, a disk, a
//! network or a floating-point number.
//!
//! | module | what it holds |
//! |---|---|
//! | [`arrays`] | lists of keys and signatures, encoded as one block |
//! | [`fixed`] | integer arithmetic with the rounding in the name, splits that lose nothing |
//! | [`hash`] | SHA-256 behind a trait, so that a contract can use the chain's own |
//! | [`merkle`] | the Merkle tree whose root a certificate carries |
//! | [`quorum`] | the family of quorums: crash, Byzantine and what lies between |
//! | [`committee`] | the keys of the nodes, and the digest that binds signatures to them |
//! | [`feed`] | what the committee can agree on: names, contracts, values |
//! | [`report`] | what the committee attests, and the chain of slots of one feed |
//! | [`certificate`] | the signatures under a report, and their verification |
//! | [`evidence`] | two attestations of one slot, for which a node can be punished |
//! | [`quote`] | the market maker's quote |
//! | [`leaderboard`] | the ranking of the frameworks and its Merkle root |
//! | [`name`] | task types, capabilities, metrics |
//! | [`escrow`] | the rules of an escrow |
//! | [`reputation`] | points and metrics of an account |
//! | [`capability`] | what the committee attests that an account can do |
//! | [`market`] | compute requests, offers, auctions, effective price |
//! | [`sla`] | service levels and their penalties |
//! | [`prices`] | prices of the last 24 hours in hourly buckets |
//! | [`privacy`] | commitments to what is not yet to be seen |
//! | [`nav`] | the net asset value of the index, its observations and their median |
//! | [`basket`] | which tokens the index holds, what a mint takes and a redemption pays |
//! | [`pair`] | the constant-product pool of the index token |
//! | [`portfolio`] | what trades come to for an account: cost, profit and loss |
//! | [`arbitrage`] | when, how much and which way a miner trades between the pool and the index |
//! | [`activity`] | which mints and redemptions of an epoch count for a miner |
//! | [`scores`] | the score that follows from what counts |
//! | [`participation`] | how much of an epoch's reports each validator took part in |
//! | [`ranking`] | what each validator signs of an epoch's scores, and how far it is off what is certified |
//! | [`rewards`] | what an epoch pays to miners and validators, its Merkle claims, its fairness |
//! | [`slashing`] | bands, rates, standing, and offences that are punished once |
//! | [`exchange`] | the market maker's side, the book of orders, and who meets whom |
//! | [`goedel`] | the number that stands for the scores of all shards, and its commitment |
//! | [`results`] | evaluation results and the score that follows from them |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod account;
pub mod activity;

pub mod arbitrage;
pub mod arrays;
pub mod basket;
pub mod capability;
pub mod certificate;
pub mod committee;
pub mod escrow;
pub mod evidence;
pub mod exchange;
pub mod feed;
pub mod fixed;
pub mod goedel;
pub mod hash;
pub mod leaderboard;
pub mod market;
pub mod merkle;
pub mod name;
pub mod nav;
pub mod pair;
pub mod participation;
pub mod portfolio;
pub mod prices;
pub mod privacy;
pub mod quorum;
pub mod quote;
pub mod ranking;
pub mod report;
pub mod reputation;
pub mod results;
pub mod rewards;
pub mod scores;
pub mod sla;
pub mod slashing;
#[cfg(feature = "text")]
mod text;

pub use account::Account;
#[cfg(feature = "text")]
pub use text::BadText;

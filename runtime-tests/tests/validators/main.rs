//! `validators`: committees, what they certify, what they stake and lose.

mod bonding;
mod committee;
#[path = "../common/mod.rs"]
mod common;
mod cost;
mod deviations;
mod evidence;
mod model;
mod random;
mod scores;
mod service;
mod stage;
mod terms;

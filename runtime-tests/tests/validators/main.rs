//! `validators`: committees, what they certify, what they stake and lose.

mod bonding;
mod committee;
#[path = "../common/mod.rs"]
mod common;
mod deviations;
mod evidence;
mod scores;
mod service;
mod stage;
mod terms;

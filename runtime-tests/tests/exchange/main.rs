//! `exchange`: trades at the newest quote, resting orders, and whose the money is.

#[path = "../common/mod.rs"]
mod common;
mod cost;
mod crossing;
mod exposure;
mod model;
mod orders;
mod owner;
mod pause;
mod quotes;
mod random;
mod stage;
mod sweep;
mod trades;

//! `auction`: the compute market, with the real escrow, reputation, capabilities and token.

#[path = "../common/mod.rs"]
mod common;

mod cost;
mod disputes;
mod endings;
mod jobs;
mod line;
mod matching;
mod moments;
mod orders;
mod price_window;
mod privacy;
mod sla;
mod stage;
mod states;

//! `index`: what is behind the index token, and who can move it.

mod basket;
#[path = "../common/mod.rs"]
mod common;
mod cost;
mod frozen;
mod judged;
mod mint;
mod nav;
mod observers;
mod random;
mod redeem;
mod stage;
mod swap;
mod terms;

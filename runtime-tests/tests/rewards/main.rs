//! `rewards`: what the committee awards is paid, once, to whom it is for, and never more than was
//! paid in.

#[path = "../common/mod.rs"]
mod common;

mod claims;
mod cost;
mod epochs;
mod owner;
mod random;
mod rankings;
mod registry;
mod stage;

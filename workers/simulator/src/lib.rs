//! A whole committee in one thread, from one seed.
//!
//! The nodes are the real ones. Around them: a network that loses, delays, doubles, reorders and
//! parts; clocks that jump; disks that keep what was flushed and perhaps some of the rest; nodes
//! that stop and come back; and liars. An oracle sees everything that any honest node does and
//! says when a rule is broken.

pub mod app;
mod clients;
mod disk;
mod epochs;
mod faults;
mod hosts;
pub mod keys;
pub mod liar;
pub mod mutants;
mod network;
pub mod oracle;
pub mod plan;
pub mod run;
mod witness;
pub mod world;

/// A node of the simulation.
pub type Simulated = cicada_consensus::Node<app::Chains, keys::Ring>;

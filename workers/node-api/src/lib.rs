//! The HTTP interface of the nodes for people and programs: what `paxos-node` answers, and, with the
//! feature `client`, who asks it. The routes are described in `docs/consensus.md`.

mod answers;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod nodes;
#[cfg(feature = "client")]
mod pass;
mod scale;

pub use answers::{
    Attestation, Certified, Contradiction, Decided, Failed, FeedStatus, Log, LogEntry, Reached,
    Refusal, Said, Status, Vote,
};
#[cfg(feature = "client")]
pub use client::{Client, Error, Limits};
#[cfg(feature = "client")]
pub use nodes::{Node, Nodes, CONFLICT, NO_QUORUM};
#[cfg(feature = "client")]
pub use pass::Pass;
pub use scale::{Opaque, Scale, ScaleError};

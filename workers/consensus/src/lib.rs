//! Paxos among the nodes of a committee, as a state machine without input and output.
//!
//! [`Node::step`] takes an [`Input`] and gives [`Output`]s; clock, disk, network and keys are
//! the embedder's. Nothing here draws a random number or iterates in an order that varies, so
//! the same inputs give the same outputs, in a simulator as behind HTTP.
//!
//! Crash mode: a log of values, each decided by a quorum of votes in one ballot, with a stable
//! leader ([`Request::Prepare`] once, then [`Request::Accept`] for each value). What is decided
//! is then attested: [`Request::Decided`] asks every node that knows the value for its
//! signature, and a quorum of those is the certificate that a contract verifies.
//!
//! | module | what it holds | in the Byzantine form |
//! |---|---|---|
//! | `acceptor`, `voting` | the promise and the votes | get siblings with two votes per ballot |
//! | `choice` | which value a new leader may propose | gets a sibling that reads certificates |
//! | `leader` | campaign, proposals in flight, back-off | gets a sibling with one more round |
//! | `log`, `attest` | decided values, certificates, attestations | the same |
//! | `catchup` | learning decisions, fetching what is missing | the same, but entries need certificates |
//! | `node` | dispatch, recovery, proposals | the same |
//!
//! The Byzantine form is not built: [`Node::recover`] refuses a quorum that is meant to
//! withstand liars.

mod acceptor;
mod attest;
mod catchup;
mod choice;
mod io;
mod leader;
mod log;
mod message;
mod node;
mod proposals;
mod status;
mod types;
mod voting;

pub use io::{
    Application, AttestationRequest, Attester, Input, Now, Origin, Outcome, Output, Refusal,
};
pub use message::{Answer, Request};
pub use node::Node;
pub use status::Status;
pub use types::{
    digest, Ballot, Config, Entry, Position, Record, Seat, StartError, Timing, Value, Vote,
    MAX_ROUND_JUMP,
};

//! Paxos among the nodes of a committee, as a state machine without input and output.
//!
//! [`Node::step`] takes an [`Input`] and gives [`Output`]s; clock, disk, network and keys are
//! the embedder's. Nothing here draws a random number or iterates in an order that varies, so
//! the same inputs give the same outputs, in a simulator as behind HTTP.
//!
//! A log of values, in two forms by the fault model of the quorum:
//!
//! - **crash**: each value is decided by a quorum of votes in one ballot, with a stable leader
//!   ([`Request::PreVote`] and [`Request::Prepare`] once, then [`Request::Accept`] for each value);
//! - **Byzantine**: the signed, certificate-carrying form, see [`byzantine`].
//!
//! What is decided is then attested: [`Request::Decided`] asks every node that knows the value
//! for its signature, and a quorum of those is the certificate that a contract verifies.
//!
//! | module | what it holds |
//! |---|---|
//! | `acceptor`, `voting`, `choice`, `leader` | crash mode: promise and votes, which value a new leader may propose, pre-vote, campaign and back-off |
//! | [`byzantine`] | its siblings: acceptor, mandate, views, leader |
//! | `log`, `attest` | decided values, certificates, attestations |
//! | `catchup` | learning decisions, fetching what is missing |
//! | `epoch` | the end of an epoch, what the next committee takes over |
//! | `suggestions` | values that only the leader can propose |
//! | `node` | dispatch, recovery, proposals |

mod acceptor;
mod attest;
pub mod byzantine;
mod catchup;
mod choice;
mod epoch;
mod io;
mod leader;
mod log;
mod message;
mod mutant;
mod node;
mod proposals;
mod resend;
mod snapshot;
mod status;
mod suggestions;
mod types;
mod voting;

pub use epoch::{carry_over, Closed, Successor};
pub use io::{Application, AttestationRequest, Input, Keys, Now, Outcome, Output, Refusal};
pub use message::{Answer, Claim, Justification, Pledge, Proposal, Request};
pub use mutant::Mutant;
pub use node::Node;
pub use status::Status;
pub use types::{
    digest, Ballot, Config, Entry, Position, Record, Seat, StartError, Timing, Value, View, Vote,
    FIRST_VIEW, MAX_ROUND_JUMP,
};

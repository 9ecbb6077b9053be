//! The one way of a report from the nodes that decide it to the chain that settles it, the same for every
//! feed:
//!
//! | module | step |
//! |---|---|
//! | `agree` | nodes are asked in turn to have a value decided, and again with who was not heard |
//! | `decided` | or what they decided already is taken |
//! | `verify` | an answer is for the slot that was asked for, of its form, and signed by a quorum |
//! | `voice` | others sign in the place of seats that have lost their voice |
//! | `submit` | the chain is told, once, and asked what it has |
//!
//! Nothing that nodes say is believed: a [`Verified`] value is made by [`verify`] alone, and nothing else
//! can be submitted.

mod agree;
mod committee;
mod decided;
mod submit;
#[cfg(test)]
mod testing;
mod verify;
mod voice;

pub use agree::{Agreed, Leaders, Round, Unagreed};
pub use committee::Committee;
pub use decided::{certified, decided_after, take, Taken};
pub use submit::{Bringer, Settled, Standing, Submission, Underways};
pub use verify::{verify, Asked, Invalid, Verified};
pub use voice::{Unheard, Witnesses};

/// Why a report is not settled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node does not say what it decided.
    #[error(transparent)]
    Node(#[from] cicada_node_api::Error),
    /// It is decided, and to be waited for.
    #[error("slot {slot} is decided, but not certified yet")]
    Uncertified {
        /// The slot.
        slot: u64,
    },
    /// What the nodes say is not true.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Too few with a voice sign it.
    #[error(transparent)]
    Unheard(#[from] Unheard),
    /// The chain cannot be asked, or refuses.
    #[error(transparent)]
    Chain(#[from] cicada_chain::Error),
    /// The transaction was done, and the chain has nothing of it.
    #[error("the chain has no record of slot {slot}")]
    Unrecorded {
        /// The slot.
        slot: u64,
    },
}

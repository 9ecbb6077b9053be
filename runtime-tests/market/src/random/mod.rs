//! Random operations on the market: what people would do, and what they should not.
//!
//! | module | what it holds |
//! |---|---|
//! | [`op`] | an operation |
//! | [`draw`] | which comes next, from the state of the model |
//! | [`chain`] | an operation on the real contracts |
//! | [`compare`] | what contracts and model disagree about |
//! | [`statements`] | what must hold after each operation, whatever the rules say |
//! | [`run`] | a run from one seed |

pub mod chain;
pub mod compare;
pub mod draw;
mod escrow;
mod hostile;
mod market;
pub mod op;
pub mod run;
pub mod statements;
mod terms;

pub use op::{Op, SignedOp, Step, What};

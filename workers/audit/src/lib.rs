//! Finds out which nodes of a committee lied, from nothing but what they signed.
//!
//! A [`Pool`] takes signed statements, certificates, pledges and attestations, verifies each on
//! entry, and gives its [verdicts](Pool::verdicts). A charge needs no trust in whoever brought
//! the messages, and no correct node can be charged, whatever the others do; `docs/audit.md`
//! says why.
//!
//! | module | what it holds |
//! |---|---|
//! | `verifier` | the public keys |
//! | `pool` | what was signed, verified on entry |
//! | `charge` | the rules that no correct node breaks |
//! | [`input`] | the files that nodes serve and write |
//! | [`document`] | the table for people and the evidence file |

mod charge;
pub mod document;
pub mod input;
mod pool;
mod verifier;

pub use charge::{Charge, Signed, Verdicts};
pub use pool::{Pool, Rejection};
pub use verifier::{PublicKeys, Verifier};

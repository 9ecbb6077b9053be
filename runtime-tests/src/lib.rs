//! Tests of the built contract bundles in an in-process chain with `pallet-contracts`.
//!
//! [`World`] is the chain, its clock and its people; [`Receipt`] is what a call gave back. One file
//! per contract in `tests/`; see [`world`] for an example.

pub mod bundle;
pub mod keys;
pub mod message;
pub mod receipt;
pub mod snapshots;
pub mod world;

pub use bundle::Bundle;
pub use keys::{account, key, Key};
pub use message::{address, at, on, Constructor, Message, RawMessage};
pub use receipt::{Emitted, Gas, Receipt, Refusal};
pub use snapshots::{check_gas, check_size};
pub use world::{Actor, Snapshot, World};

/// An account or a contract, as ink! writes it.
pub type AccountId = ink::primitives::AccountId;
/// Native money.
pub type Balance = u128;

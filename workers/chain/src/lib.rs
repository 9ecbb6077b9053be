//! The one place that talks to a Substrate node with `pallet-contracts`.
//!
//! ```no_run
//! # async fn example() -> Result<(), cicada_chain::Error> {
//! use cicada_chain::Chain;
//! use cicada_contracts::validators;
//! let chain = Chain::connect("ws://127.0.0.1:9944").await?;
//! # let contract = cicada_core::Account::NOBODY;
//! let epoch = chain.read(&contract, &validators::epoch()).await?;
//! # Ok(()) }
//! ```
//!
//! Rules: everything is read at final blocks; a call is dry-run before it is sent, and what a
//! contract refuses is not sent; a call counts as done when its block is final; what can be called,
//! with what and what it answers, is in `cicada-contracts`.

mod account;
mod at_block;
mod bundle;
mod chain;
mod contracts;
mod dry_run;
mod error;
mod estimate;
mod events;
mod nonce;
mod transactions;

pub use account::{account_of, signer, signer_from_seed, Signer};
pub use at_block::FinalBlock;
pub use bundle::Bundle;
pub use chain::Chain;
pub use cicada_program::BUNDLES;
pub use contracts::{CallOutcome, Instance};
pub use dry_run::{DryRun, Weight};
pub use error::Error;
pub use estimate::{Currency, Estimate};
pub use events::ContractEvent;
pub use transactions::{Call, Fate, Receipt, Underway};

//! The compute market's contracts as functions: what requesters, providers and tools share.
//!
//! [`MarketFile`] says where the contracts are, [`Market`] calls and reads them. Everything
//! that goes through here is typed by `cicada-core`.

mod calls;
mod file;
mod market;
mod views;

pub use calls::{Done, EscrowOrAssignment};
pub use file::MarketFile;
pub use market::{Contract, Market};
pub use views::{Audit, Info, INFO};

/// Why something could not be done on the market.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chain, or a contract, refuses.
    #[error(transparent)]
    Chain(#[from] cicada_chain::Error),
    /// There is no such thing on the market.
    #[error("there is no {what} {id}")]
    NotFound {
        /// Request, offer, …
        what: &'static str,
        /// Its number.
        id: u64,
    },
    /// The market file cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// The error variant with which a contract refused, if one did.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Chain(error) => error.refusal(),
            _ => None,
        }
    }

    /// The transaction that may still be done, if that is what this says.
    pub fn underway(&self) -> Option<&cicada_chain::Underway> {
        match self {
            Self::Chain(error) => error.underway(),
            _ => None,
        }
    }
}

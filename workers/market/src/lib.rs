//! The compute market's contracts as functions: what requesters, providers and tools share.
//!
//! [`MarketContracts`] says where the contracts are, [`Market`] calls and reads them. Everything
//! that goes through here is typed by `cicada-contracts`.

mod calls;
mod market;
mod views;

pub use calls::{Done, EscrowOrAssignment};
pub use market::{Market, MarketContracts};
pub use views::Audit;

use cicada_contracts::types::AuctionError;
use cicada_core::escrow::EscrowError;
use parity_scale_codec::Decode;

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
    /// The network file cannot be used, or the chain is not its own.
    #[error(transparent)]
    Network(#[from] cicada_network::Error),
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

    /// The same as a type of that contract's interface.
    pub fn refused<E: Decode + 'static>(&self) -> Option<E> {
        match self {
            Self::Chain(error) => error.refused(),
            _ => None,
        }
    }

    /// Whether a contract says that the time for something has not come.
    pub fn is_early(&self) -> bool {
        use AuctionError::{Escrow, LineOpen, NotEnded, StillOpen};
        matches!(
            self.refused(),
            Some(StillOpen | LineOpen | NotEnded | Escrow(EscrowError::NotDue))
        ) || self.refused() == Some(EscrowError::NotDue)
    }

    /// Whether there is no such thing on the market.
    pub fn is_absent(&self) -> bool {
        use AuctionError::{Escrow, NotFound};
        matches!(self, Self::NotFound { .. })
            || matches!(self.refused(), Some(NotFound | Escrow(EscrowError::NotFound)))
            || self.refused() == Some(EscrowError::NotFound)
    }

    /// The transaction that may still be done, if that is what this says.
    pub fn underway(&self) -> Option<&cicada_chain::Underway> {
        match self {
            Self::Chain(error) => error.underway(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_contracts::types::ReputationError;
    use parity_scale_codec::Encode;
    use std::fmt::Debug;

    fn refused(why: &(impl Encode + Debug + 'static)) -> Error {
        cicada_chain::Error::refusal_of("x", why, "").into()
    }

    #[test]
    fn not_yet_and_not_there_are_said_by_either_contract() {
        let early = |error: Error| (error.is_early(), error.is_absent());
        assert_eq!(early(refused(&AuctionError::StillOpen)), (true, false));
        assert_eq!(early(refused(&AuctionError::Escrow(EscrowError::NotDue))), (true, false));
        assert_eq!(early(refused(&EscrowError::NotDue)), (true, false));
        assert_eq!(early(refused(&AuctionError::NotFound)), (false, true));
        assert_eq!(early(refused(&AuctionError::Escrow(EscrowError::NotFound))), (false, true));
        assert_eq!(early(refused(&EscrowError::NotFound)), (false, true));
        assert_eq!(early(Error::NotFound { what: "offer", id: 3 }), (false, true));
        assert_eq!(early(refused(&AuctionError::TooLate)), (false, false));
        // In SCALE it is what `NotFound` is for the others.
        assert_eq!(early(refused(&ReputationError::NotWriter)), (false, false));
    }
}

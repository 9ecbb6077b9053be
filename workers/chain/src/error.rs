//! What can go wrong between a worker and the chain, and what to do about it.

use crate::{CallOutcome, Underway};
use cicada_core::hash::Digest;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use std::any::TypeId;
use std::fmt::Debug;
use std::path::PathBuf;

/// Why something could not be done on the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No node answers.
    #[error("no node answers at {url}: {reason}; start one with 'scripts/node start', or name another with --url")]
    Connect {
        /// Where one was expected.
        url: String,
        /// What the connection reported.
        reason: String,
    },
    /// A contract's bundle cannot be used.
    #[error("{}: {reason}; 'scripts/build-contracts' makes the bundles", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The contract refuses the call. Nothing was changed.
    #[error("{label} refuses: {error}{}{explanation}", if explanation.is_empty() { "" } else { ": " })]
    Contract {
        /// The constructor or message.
        label: String,
        /// The error's variant, such as `Certificate(BadSignature { seat: 3 })`.
        error: String,
        /// What the contract's documentation says of it; perhaps nothing.
        explanation: String,
        /// The error, in SCALE.
        data: Vec<u8>,
        /// The type of the error, by the message that was refused.
        kind: TypeId,
    },
    /// The contract could not read the call. Nothing was changed.
    #[error("{label} could not be called: {error}; the contract at this address is another than this program was built for")]
    Lang {
        /// The constructor or message.
        label: String,
        /// The error's variant.
        error: String,
    },
    /// The contract stopped, without a decodable reason. Nothing was changed.
    #[error("{label} was reverted without a reason that can be decoded (0x{})", hex::encode(data))]
    Reverted {
        /// The constructor or message.
        label: String,
        /// What it returned.
        data: Vec<u8>,
    },
    /// The chain itself refuses or fails the operation.
    #[error("{what}: {error}{}", hint(error))]
    Dispatch {
        /// The operation.
        what: String,
        /// The chain's error, such as `Contracts::ContractNotFound`.
        error: String,
    },
    /// A transaction did not get into a block.
    #[error("{what}: the transaction was not taken: {reason}{}", hint(reason))]
    Submit {
        /// The operation.
        what: String,
        /// The node's reason.
        reason: String,
    },
    /// A transaction was sent, and nobody has said what became of it.
    #[error("{what}: {reason}; it may still be done, until block {} is final: look for 0x{} (transaction {} of {}) before you repeat it", underway.valid_until, hex::encode(underway.transaction), underway.nonce, underway.account.to_string())]
    Unknown {
        /// The operation.
        what: String,
        /// The transaction.
        underway: Box<Underway>,
        /// Why it was lost sight of.
        reason: String,
    },
    /// Something has another form than this program expects.
    #[error("{what} has an unexpected form: {reason}; build the contracts and the workers from one checkout")]
    Decode {
        /// What was read.
        what: String,
        /// Where it went wrong.
        reason: String,
    },
    /// A call is done and final, and what it did cannot be read.
    #[error(
        "{what} is done, in block {block} (transaction 0x{}), but {reason}; do not repeat it",
        hex::encode(transaction)
    )]
    Unread {
        /// The call.
        what: String,
        /// The number of its block.
        block: u64,
        /// Its hash.
        transaction: Digest,
        /// What cannot be read.
        reason: String,
    },
    /// A text that is no account.
    #[error(transparent)]
    Account(#[from] cicada_core::BadText),
    /// A signer's secret cannot be read.
    #[error("this is no secret of an account ({0}); write for example //Alice, a mnemonic, or 0x and 64 hex digits")]
    Secret(String),
    /// The node's answer is an error, or the connection to it broke.
    #[error("{what}: the node answers: {reason}")]
    Node {
        /// The operation.
        what: String,
        /// The node's reason.
        reason: String,
    },
}

impl Error {
    /// The refusal of a message for this reason.
    pub fn refusal_of<E: Encode + Debug + 'static>(
        label: &str,
        why: &E,
        explanation: &str,
    ) -> Self {
        Self::Contract {
            label: label.into(),
            error: format!("{why:?}"),
            explanation: explanation.into(),
            data: why.encode(),
            kind: TypeId::of::<E>(),
        }
    }

    /// Wraps what the node's library reports while doing `what`.
    pub(crate) fn node<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self + '_ {
        move |reason| Self::Node { what: what.into(), reason: reason.to_string() }
    }

    /// Wraps an error of a decoder.
    pub(crate) fn decode<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self + '_ {
        move |reason| Self::Decode { what: what.into(), reason: reason.to_string() }
    }

    /// Wraps the reason why a transaction was lost sight of.
    pub(crate) fn unknown(what: &str, underway: Underway, reason: impl std::fmt::Display) -> Self {
        let (what, reason) = (what.into(), reason.to_string());
        Self::Unknown { what, underway: Box::new(underway), reason }
    }

    /// What cannot be read of a call that is done.
    pub fn unread<T>(what: &str, outcome: &CallOutcome<T>, reason: impl std::fmt::Display) -> Self {
        let (block, transaction) = (outcome.block, outcome.transaction);
        Self::Unread { what: what.into(), block, transaction, reason: reason.to_string() }
    }

    /// The transaction that may still be done, if that is what this says.
    pub fn underway(&self) -> Option<&Underway> {
        match self {
            Self::Unknown { underway, .. } => Some(underway),
            _ => None,
        }
    }

    /// The error variant with which the contract refused the call, if it did.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Contract { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The same as a type of the contract's interface; none if the refused message has errors of
    /// another type.
    pub fn refused<E: Decode + 'static>(&self) -> Option<E> {
        match self {
            Self::Contract { data, kind, .. } if *kind == TypeId::of::<E>() => {
                E::decode_all(&mut &data[..]).ok()
            }
            _ => None,
        }
    }
}

/// Advice for the errors of the chain that people meet.
fn hint(error: &str) -> &'static str {
    if error.contains("ContractNotFound") {
        "; there is no contract at this address: the chain is another one, or was reset. Deploy again with what wrote the address ('deploy market' for the compute market, 'scripts/deploy_paxos.sh' for leaderboard and exchange, 'deploy index' for the index), or name the network file of this chain"
    } else if error.contains("StorageDepositLimitExhausted") {
        "; somebody else's transaction came between the dry run and this one: try again"
    } else if error.contains("FundsUnavailable")
        || error.contains("StorageDepositNotEnoughFunds")
        || error.contains("Inability to pay")
    {
        "; the signer has too little of the chain's own currency (UNIT on a development chain), in which fees and deposits are paid: transfer some to it with 'cicada71 transfer', or sign as an account of the development chain such as //Alice"
    } else if error.contains("CodeRejected") {
        "; the chain does not accept this Wasm: build it with 'scripts/build-contracts'"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::Account;

    #[test]
    fn errors_say_what_to_do() {
        let text = Error::Dispatch {
            what: "submit".into(),
            error: "Pallet error: Contracts::ContractNotFound".into(),
        }
        .to_string();
        assert!(text.contains("deploy market"), "{text}");
        let text = Error::Connect { url: "ws://x".into(), reason: "refused".into() }.to_string();
        assert!(text.contains("scripts/node start"), "{text}");
        let reason = "Invalid Transaction (1010): Inability to pay some fees".into();
        let text = Error::Submit { what: "x".into(), reason }.to_string();
        assert!(text.contains("own currency") && text.contains("cicada71 transfer"), "{text}");
    }

    #[test]
    fn a_rich_signer_is_not_told_to_get_money() {
        let error = "Contracts::StorageDepositLimitExhausted".into();
        let text = Error::Dispatch { what: "buy".into(), error }.to_string();
        assert!(text.contains("try again") && !text.contains("currency"), "{text}");
    }

    #[test]
    fn an_error_of_another_contract_is_not_taken_for_ones_own() {
        use cicada_contracts::types::{AuctionError, ReputationError};
        let error = Error::refusal_of("start", &AuctionError::NotFound, "");
        assert_eq!(error.refused(), Some(AuctionError::NotFound));
        // The same bytes.
        assert_eq!(ReputationError::NotWriter.encode(), AuctionError::NotFound.encode());
        assert_eq!(error.refused::<ReputationError>(), None);
    }

    #[test]
    fn what_may_still_be_done_names_its_transaction() {
        let (transaction, account) = ([7; 32], [1; 32]);
        let underway = Underway {
            transaction: Digest(transaction),
            account: Account(account),
            nonce: 3,
            valid_until: 300,
        };
        let error = Error::unknown("buy", underway, "not final after 120 s");
        let text = error.to_string();
        assert!(text.contains(&format!("look for 0x{}", "07".repeat(32))), "{text}");
        assert!(text.contains("before you repeat it") && text.contains("block 300"), "{text}");
        assert_eq!((error.underway(), error.refusal()), (Some(&underway), None));
    }
}

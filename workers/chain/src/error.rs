//! What can go wrong between a worker and the chain, and what to do about it.

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
    /// The contract has no such constructor or message.
    #[error("{contract} has no '{label}', only: {known}; build the contracts and the workers from one checkout")]
    UnknownLabel {
        /// The contract's name.
        contract: String,
        /// What was asked for.
        label: String,
        /// What there is.
        known: String,
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
    },
    /// The contract could not read the call. Nothing was changed.
    #[error("{label} could not be called: {error}; the contract at this address is not the one in the bundle")]
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
    #[error("{what}: the transaction was not taken: {reason}")]
    Submit {
        /// The operation.
        what: String,
        /// The node's reason.
        reason: String,
    },
    /// A transaction is not final yet, and perhaps never will be.
    #[error("{what}: not final after {seconds} s; see whether the node still makes and finalizes blocks with 'scripts/node status'")]
    NotFinal {
        /// The operation.
        what: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Something has another form than this program expects.
    #[error("{what} has an unexpected form: {reason}; build the contracts and the workers from one checkout")]
    Decode {
        /// What was read.
        what: String,
        /// Where it went wrong.
        reason: String,
    },
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
    /// Wraps what the node's library reports while doing `what`.
    pub(crate) fn node<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self + '_ {
        move |reason| Self::Node { what: what.into(), reason: reason.to_string() }
    }

    /// Wraps an error of a decoder.
    pub(crate) fn decode<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self + '_ {
        move |reason| Self::Decode { what: what.into(), reason: reason.to_string() }
    }

    /// The error variant with which the contract refused the call, if it did.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Contract { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Advice for the errors of the chain that people meet.
fn hint(error: &str) -> &'static str {
    if error.contains("ContractNotFound") {
        "; there is no contract at this address: deploy again with 'scripts/deploy_paxos.sh'"
    } else if error.contains("FundsUnavailable")
        || error.contains("StorageDepositNotEnoughFunds")
        || error.contains("StorageDepositLimitExhausted")
        || error.contains("Inability to pay")
    {
        "; the signer needs more funds: use an account of the development chain such as //Alice, or transfer some to it"
    } else if error.contains("CodeRejected") {
        "; the chain does not accept this Wasm: build it with 'scripts/build-contracts'"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do() {
        let text = Error::Dispatch {
            what: "Leaderboard::submit".into(),
            error: "Pallet error: Contracts::ContractNotFound".into(),
        }
        .to_string();
        assert!(text.contains("deploy again"), "{text}");
        let text = Error::Connect { url: "ws://x".into(), reason: "refused".into() }.to_string();
        assert!(text.contains("scripts/node start"), "{text}");
    }
}

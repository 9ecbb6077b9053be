//! Decisions signed off line.

use super::{Decision, Part};
use crate::hash::{tagged, Digest, Hasher};
use crate::Account;
use parity_scale_codec::{Decode, Encode};

const DECISION_TAG: &[u8] = b"cicada71/escrow-decision/v2";

/// A decision that its signer signs with his sr25519 key and anybody brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedDecision {
    /// The genesis hash of the chain.
    pub genesis: Digest,
    /// The escrow contract.
    pub contract: Account,
    /// The number of the escrow.
    pub escrow: u64,
    /// The part that it is about, before or after its completion.
    pub part: Part,
    /// What the signer wants.
    pub decision: Decision,
    /// The signer; his account is his public key.
    pub signer: Account,
    /// Higher than that of his last signed decision about this escrow; the first is at least 1.
    pub nonce: u64,
    /// From this time on it does not count, in milliseconds.
    pub expires_ms: u64,
}

impl SignedDecision {
    /// The 32 bytes that are signed.
    pub fn digest<H: Hasher>(&self) -> Digest {
        tagged::<H>(DECISION_TAG, self)
    }
}

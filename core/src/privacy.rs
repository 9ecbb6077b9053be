//! Commitments to what is not yet to be seen (requirements 001-18, 001-19).

use crate::hash::{tagged, Digest, Hasher};
use crate::market::{HandOver, Privacy};

/// What a commitment is tagged with.
const TAG: &[u8] = b"cicada71/payload/v1";

/// What is published of a payload's place before anybody may know it: SHA-256 over the tag, the
/// content identifier of the encrypted payload and 32 random bytes.
pub fn commitment<H: Hasher>(cid: &[u8], salt: &[u8; 32]) -> Digest {
    tagged::<H>(TAG, &(cid, salt))
}

impl Privacy {
    /// The digest that stands for the job where only a digest fits: the commitment, or SHA-256 of
    /// the public payload's content identifier.
    pub fn job_digest<H: Hasher>(&self) -> Digest {
        match self {
            Self::Public { payload } => H::sha256(payload),
            Self::Private { commitment } | Self::Confidential { commitment, .. } => *commitment,
        }
    }

    /// Whether what is handed over is what was committed to. A public payload was never hidden.
    pub fn is_opened_by<H: Hasher>(&self, payload: &HandOver) -> bool {
        match self {
            Self::Public { .. } => false,
            Self::Private { commitment: sealed }
            | Self::Confidential { commitment: sealed, .. } => {
                *sealed == commitment::<H>(&payload.cid, &payload.salt)
            }
        }
    }
}

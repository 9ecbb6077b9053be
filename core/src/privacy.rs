//! Commitments to what is not yet to be seen (seed 001).

use crate::hash::{tagged, Hash, Hasher};

/// What a commitment is tagged with.
const TAG: &[u8] = b"cicada71/payload/v1";

/// What is published of a payload's place before anybody may know it: SHA-256 over the tag, the
/// content identifier of the encrypted payload and 32 random bytes.
pub fn commitment<H: Hasher>(cid: &[u8], salt: &[u8; 32]) -> Hash {
    tagged::<H>(TAG, &(cid, salt))
}

//! SHA-256 behind a trait.
//!
//! Natively it is the `sha2` crate; a contract implements [`Hasher`] with the host function,
//! which costs a fortieth of the same code in Wasm.

use alloc::vec::Vec;
use parity_scale_codec::Encode;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Thirty-two zero bytes: "no digest", as the predecessor of the first report of a feed.
pub const ZERO_HASH: Hash = [0; 32];

/// Something that computes SHA-256.
pub trait Hasher {
    /// The SHA-256 digest of `bytes`.
    fn sha256(bytes: &[u8]) -> Hash;
}

/// SHA-256 in software.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub struct Native;

#[cfg(feature = "std")]
impl Hasher for Native {
    fn sha256(bytes: &[u8]) -> Hash {
        use sha2::Digest;
        sha2::Sha256::digest(bytes).into()
    }
}

/// SHA-256 over a domain tag and then the canonical SCALE encoding of `value`.
///
/// Tags end in a version and none is a prefix of another, so that no two kinds of message
/// can share a digest.
pub fn tagged<H: Hasher>(tag: &[u8], value: &impl Encode) -> Hash {
    let mut bytes = Vec::with_capacity(tag.len().saturating_add(value.size_hint()));
    bytes.extend_from_slice(tag);
    value.encode_to(&mut bytes);
    H::sha256(&bytes)
}

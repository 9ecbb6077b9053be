//! SHA-256 behind a trait.
//!
//! Natively it is the `sha2` crate; a contract implements [`Hasher`] with the host function,
//! which costs a fortieth of the same code in Wasm.

use alloc::vec::Vec;
use core::fmt;
use parity_scale_codec::{Decode, Encode};

/// A SHA-256 digest, or another hash of 32 bytes, such as that of a block. As text it is `0x` and 64
/// hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Thirty-two zero bytes: "no digest", as the predecessor of the first report of a feed.
    pub const ZERO: Self = Self([0; 32]);
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// Writes `0x` and hexadecimal digits.
pub(crate) fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Something that computes SHA-256.
pub trait Hasher {
    /// The SHA-256 digest of `bytes`.
    fn sha256(bytes: &[u8]) -> Digest;
}

/// SHA-256 in software.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub struct Native;

#[cfg(feature = "std")]
impl Hasher for Native {
    fn sha256(bytes: &[u8]) -> Digest {
        use sha2::Digest as _;
        Digest(sha2::Sha256::digest(bytes).into())
    }
}

/// SHA-256 over a domain tag and then the canonical SCALE encoding of `value`.
///
/// Tags end in a version and none is a prefix of another, so that no two kinds of message
/// can share a digest.
pub fn tagged<H: Hasher>(tag: &[u8], value: &impl Encode) -> Digest {
    let mut bytes = Vec::with_capacity(tag.len().saturating_add(value.size_hint()));
    bytes.extend_from_slice(tag);
    value.encode_to(&mut bytes);
    H::sha256(&bytes)
}

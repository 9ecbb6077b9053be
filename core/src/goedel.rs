//! Gödel numbers of Metameme coin (requirements 000-42, 000-43): `2^a₀ · 3^a₁ · … · 353^a₇₀` for the scores of the
//! 71 shards.
//!
//! The number identifies a state; it is no amount of money. On chain there is only the SHA-256
//! commitment to the vector. The numbers themselves need the feature `goedel`.
//!
//! The commitment hashes the 71 scores, not the number: number and vector determine each other, and
//! so there is a commitment also to scores above the cap on exponents, whose number nobody makes.

use crate::hash::{tagged, Digest, Hasher};
use core::fmt;
use parity_scale_codec::{Decode, Encode, Error as CodecError, Input};

#[cfg(any(feature = "goedel", test))]
mod number;
#[cfg(any(feature = "goedel", test))]
pub use number::{decode, encode, MAX_BITS};

/// The number of exponents: one for each shard.
pub const SHARDS: usize = 71;

/// The greatest exponent, so that a number has at most 600 kB.
pub const MAX_EXPONENT: u32 = 10_000;

/// The first 71 primes.
#[rustfmt::skip]
pub const PRIMES: [u16; SHARDS] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
    97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191,
    193, 197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283,
    293, 307, 311, 313, 317, 331, 337, 347, 349, 353,
];

const GOEDEL_TAG: &[u8] = b"cicada71/goedel/v1";

/// Why there is no vector, or a number is that of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoedelError {
    /// The exponent of this shard is above [`MAX_EXPONENT`].
    ExponentTooLarge {
        /// From 0.
        shard: u8,
    },
    /// Zero is no Gödel number.
    Zero,
    /// The number is greater than that of any vector.
    TooLarge,
    /// A factor is left that is none of the first 71 primes.
    Remainder,
}

impl fmt::Display for GoedelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExponentTooLarge { shard } => {
                write!(f, "the score of shard {shard} is above {MAX_EXPONENT}")
            }
            Self::Zero => f.write_str("0 is no Gödel number: the smallest is 1"),
            Self::TooLarge => {
                f.write_str("the number is greater than that of any vector of scores")
            }
            Self::Remainder => {
                f.write_str("the number has a factor that is none of the first 71 primes")
            }
        }
    }
}

#[cfg(feature = "std")]
impl std::error::Error for GoedelError {}

/// The scores of the 71 shards, each at most [`MAX_EXPONENT`].
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Exponents([u32; SHARDS]);

impl Exponents {
    /// Checks and takes the scores.
    ///
    /// # Errors
    /// [`GoedelError::ExponentTooLarge`], with the first shard that is.
    pub fn new(scores: [u32; SHARDS]) -> Result<Self, GoedelError> {
        for (score, shard) in scores.iter().zip(0u8..) {
            if *score > MAX_EXPONENT {
                return Err(GoedelError::ExponentTooLarge { shard });
            }
        }
        Ok(Self(scores))
    }

    /// The scores in order of shards.
    pub fn as_array(&self) -> &[u32; SHARDS] {
        &self.0
    }

    /// The [`commitment`] to these scores: what stands on chain for the number.
    pub fn commitment<H: Hasher>(&self) -> Digest {
        commitment::<H>(&self.0.map(u64::from))
    }
}

/// SHA-256 over a tag and the scores of the shards in their order, each as a `u64` in SCALE: what
/// every leaderboard commits to. Defined for all scores, above [`MAX_EXPONENT`] too.
pub fn commitment<H: Hasher>(scores: &[u64; SHARDS]) -> Digest {
    tagged::<H>(GOEDEL_TAG, scores)
}

impl Decode for Exponents {
    fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
        Self::new(Decode::decode(input)?).map_err(|_| "exponent too large".into())
    }
}

#[cfg(test)]
mod tests;

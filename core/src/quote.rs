//! The market maker's quote for the performance token of a framework (requirements 000-4, 000-5).
//!
//! One score point is worth 0.001 MMC, which is 1,000 base units of a token of six decimals,
//! so price, bid (1 % below) and ask (1 % above) are exact for every score.

use alloc::vec::Vec;
use core::fmt;
use parity_scale_codec::{Decode, Encode, Error as CodecError, Input};

/// Decimals of MMC, Metameme Coin, the currency of quotes.
pub const MMC_DECIMALS: u8 = 6;

/// Base units of MMC for one score point: 0.001 MMC.
pub const PRICE_PER_POINT: u128 = 1_000;

const BID_PER_POINT: u128 = 990;
const ASK_PER_POINT: u128 = 1_010;

/// The longest name of a framework, in bytes.
pub const MAX_FRAMEWORK_LEN: usize = 32;

/// The name of a framework: 1 to 32 of `a`–`z`, `0`–`9`, `-`, `_`, `.`; it starts with a
/// letter or digit. One framework has one spelling, so that names can be compared as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Encode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Framework(Vec<u8>);

/// The name of a framework is empty, too long, or has a character that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidFramework;

impl fmt::Display for InvalidFramework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a framework's name is 1 to 32 of a-z, 0-9, '-', '_', '.', starting with a letter or digit")
    }
}

#[cfg(feature = "std")]
impl std::error::Error for InvalidFramework {}

impl Framework {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`InvalidFramework`].
    pub fn new(name: impl Into<Vec<u8>>) -> Result<Self, InvalidFramework> {
        let name = name.into();
        let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let valid = name.len() <= MAX_FRAMEWORK_LEN
            && name.first().is_some_and(plain)
            && name.iter().all(|byte| plain(byte) || b"-_.".contains(byte));
        valid.then_some(Self(name)).ok_or(InvalidFramework)
    }

    /// The name's bytes, all ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        // Always ASCII, so never the empty string of the other branch.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Decode for Framework {
    fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
        let name = Vec::<u8>::decode(input)?;
        Self::new(name).map_err(|_| "invalid framework name".into())
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The market maker's two prices for one performance token, and what they follow from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Quote {
    /// Whose performance.
    pub framework: Framework,
    /// Points of its verified successful results.
    pub score: u64,
    /// Base units of MMC per point: [`PRICE_PER_POINT`].
    pub price_per_point: u128,
    /// What the maker pays for one token, in base units of MMC.
    pub bid: u128,
    /// What the maker takes for one token, in base units of MMC.
    pub ask: u128,
    /// Tokens traded in the 24 hours before.
    pub volume_24h: u128,
    /// When it was made, in milliseconds since 1970.
    pub time_ms: u64,
}

impl Quote {
    /// The quote that follows from a score. Exact for every `u64`.
    pub fn new(framework: Framework, score: u64, volume_24h: u128, time_ms: u64) -> Self {
        // A product of a u64 and 1,010 is far below 2^128: nothing saturates.
        let times = |rate: u128| u128::from(score).saturating_mul(rate);
        Self {
            framework,
            score,
            price_per_point: PRICE_PER_POINT,
            bid: times(BID_PER_POINT),
            ask: times(ASK_PER_POINT),
            volume_24h,
            time_ms,
        }
    }

    /// The price between bid and ask of one token, in base units of MMC.
    pub fn price(&self) -> u128 {
        u128::from(self.score).saturating_mul(self.price_per_point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::mul_div_floor;
    use parity_scale_codec::DecodeAll;
    use proptest::prelude::*;

    fn quote(score: u64) -> Quote {
        Quote::new(Framework::new("claude").unwrap(), score, 1_000, 1_738_425_600_000)
    }

    #[test]
    fn the_examples_of_the_seed() {
        let claude = quote(50_000);
        assert_eq!((claude.price(), claude.bid, claude.ask), (50_000_000, 49_500_000, 50_500_000));
        let openai = quote(45_000);
        assert_eq!((openai.price(), openai.bid, openai.ask), (45_000_000, 44_550_000, 45_450_000));
        let odd = quote(33_333);
        assert_eq!((odd.price(), odd.bid, odd.ask), (33_333_000, 32_999_670, 33_666_330));
        assert_eq!((quote(0).bid, quote(0).ask), (0, 0));
    }

    #[test]
    fn names_have_one_spelling() {
        for good in ["claude", "gpt-4.1", "a", "0x", &"a".repeat(32)] {
            assert!(Framework::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Claude", "-a", ".a", "a b", "é", "a/b", &"a".repeat(33)] {
            assert_eq!(Framework::new(bad), Err(InvalidFramework), "{bad}");
        }
        assert!(Framework::decode(&mut &b"Claude".to_vec().encode()[..]).is_err());
    }

    proptest! {
        #[test]
        fn bid_and_ask_are_exactly_one_percent_off(score: u64) {
            let quote = quote(score);
            prop_assert_eq!(quote.bid, mul_div_floor(quote.price(), 99, 100).unwrap());
            prop_assert_eq!(quote.ask, mul_div_floor(quote.price(), 101, 100).unwrap());
            prop_assert_eq!(quote.ask - quote.price(), quote.price() - quote.bid);
        }

        #[test]
        fn a_quote_has_one_encoding(score: u64, volume: u128, time: u64) {
            let quote = Quote::new(Framework::new("claude").unwrap(), score, volume, time);
            let bytes = quote.encode();
            prop_assert_eq!(Quote::decode_all(&mut &bytes[..]), Ok(quote));
        }
    }
}

//! The text forms of accounts, digests, names of frameworks and sides, for people and for files.

use crate::exchange::Side;
use crate::hash::{write_hex, Digest};
use crate::quote::{Framework, InvalidFramework};
use crate::Account;
use blake2::{Blake2b512, Digest as _};
use core::fmt;
use core::str::FromStr;
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};

/// Substrate's general prefix of addresses.
const PREFIX: u8 = 42;
/// Bytes of the checksum of an address.
const CHECK: usize = 2;

/// A text that is no account, digest or side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadText {
    text: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Hex,
    Address,
    // Here, the same key has this address.
    OtherNetwork(Account),
    Side,
}

impl fmt::Display for BadText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.escape_debug();
        match &self.why {
            Why::Hex => write!(f, "'{text}' is not 0x and 64 hexadecimal digits"),
            Why::Address => write!(
                f,
                "'{text}' is neither an address (SS58) nor 0x and 64 hexadecimal digits"
            ),
            Why::Side => write!(f, "'{text}' is neither buy nor sell"),
            Why::OtherNetwork(own) => write!(
                f,
                "'{text}' is an address of another network; here, with prefix 42, the same key has {own}"
            ),
        }
    }
}

impl std::error::Error for BadText {}

fn bad<T>(text: &str, why: Why) -> Result<T, BadText> {
    Err(BadText { text: text.into(), why })
}

fn parse_hex(text: &str) -> Result<[u8; 32], BadText> {
    let mut bytes = [0; 32];
    let decoded = text.strip_prefix("0x").map(|digits| hex::decode_to_slice(digits, &mut bytes));
    match decoded {
        Some(Ok(())) => Ok(bytes),
        _ => bad(text, Why::Hex),
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl FromStr for Digest {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        parse_hex(text).map(Self)
    }
}

fn checksum(body: &[u8]) -> [u8; CHECK] {
    let hash = Blake2b512::new().chain_update(b"SS58PRE").chain_update(body).finalize();
    [hash[0], hash[1]]
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = [&[PREFIX], &self.0[..]].concat();
        let whole = [&body[..], &checksum(&body)].concat();
        f.pad(&bs58::encode(whole).into_string())
    }
}

/// The key in an address of any network, and whether its prefix is ours.
fn parse_address(text: &str) -> Option<([u8; 32], bool)> {
    let bytes = bs58::decode(text).into_vec().ok()?;
    let (body, check) = bytes.split_last_chunk::<CHECK>()?;
    let (prefix, key) = body.split_last_chunk::<32>()?;
    let known = matches!((prefix, prefix.first()?), ([_], 0..=63) | ([_, _], 64..=127));
    (known && checksum(body) == *check).then_some((*key, prefix == [PREFIX]))
}

impl FromStr for Account {
    type Err = BadText;

    /// Reads an address in SS58, or `0x` and 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, BadText> {
        if text.starts_with("0x") {
            return parse_hex(text).map(Self);
        }
        match parse_address(text) {
            Some((key, true)) => Ok(Self(key)),
            Some((key, false)) => bad(text, Why::OtherNetwork(Self(key))),
            None => bad(text, Why::Address),
        }
    }
}

impl FromStr for Framework {
    type Err = InvalidFramework;

    fn from_str(text: &str) -> Result<Self, InvalidFramework> {
        Self::new(text)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

impl FromStr for Side {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        match text {
            "buy" => Ok(Self::Buy),
            "sell" => Ok(Self::Sell),
            _ => bad(text, Why::Side),
        }
    }
}

macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}
as_text!(Account);
as_text!(Digest);
as_text!(Framework);
as_text!(Side);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const ALICE_HEX: &str = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

    #[test]
    fn an_account_is_its_address_and_a_digest_its_digits() {
        let alice: Account = ALICE.parse().unwrap();
        assert_eq!(alice.to_string(), ALICE);
        assert_eq!(ALICE_HEX.parse(), Ok(alice));
        let digest: Digest = ALICE_HEX.parse().unwrap();
        assert_eq!((digest.0, digest.to_string().as_str()), (alice.0, ALICE_HEX));
        assert_eq!(
            serde_json::to_string(&(alice, digest)).unwrap(),
            format!("[\"{ALICE}\",\"{ALICE_HEX}\"]")
        );
    }

    #[test]
    fn what_is_neither_is_refused_in_words() {
        let said = |text: &str| text.parse::<Account>().unwrap_err().to_string();
        for bad in ["", "5Grw", &ALICE.to_lowercase(), &format!(" {ALICE}"), &format!("{ALICE}x")] {
            assert!(said(bad).starts_with(&format!("'{bad}' is neither an address")), "{bad}");
        }
        for bad in ["0x", "0x01", &ALICE_HEX[..65], &format!("{ALICE_HEX}0")] {
            assert!(said(bad).ends_with("is not 0x and 64 hexadecimal digits"), "{bad}");
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
        assert!(ALICE_HEX[2..].parse::<Digest>().is_err());
        let error = serde_json::from_str::<Account>("\"5Grw\"").unwrap_err().to_string();
        assert!(error.starts_with("'5Grw' is neither"), "{error}");
    }

    #[test]
    fn an_address_of_another_network_is_named_as_such() {
        for polkadot_and_kusama in [
            "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
            "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F",
        ] {
            let said = polkadot_and_kusama.parse::<Account>().unwrap_err().to_string();
            assert!(said.contains("another network") && said.contains(ALICE), "{said}");
        }
    }

    #[test]
    fn frameworks_and_sides_are_words() {
        let words = "[\"claude\",\"buy\",\"sell\"]";
        let values = (Framework::new("claude").unwrap(), Side::Buy, Side::Sell);
        assert_eq!(serde_json::to_string(&values).unwrap(), words);
        assert_eq!(serde_json::from_str::<(Framework, Side, Side)>(words).unwrap(), values);
        for bad in ["up", "Buy", ""] {
            let error = serde_json::from_str::<Side>(&format!("\"{bad}\"")).unwrap_err();
            assert!(error.to_string().starts_with(&format!("'{bad}' is neither buy nor sell")));
        }
        assert!(serde_json::from_str::<Framework>("\"No Name\"").is_err());
    }

    proptest! {
        #[test]
        fn every_account_and_digest_is_read_back(bytes: [u8; 32]) {
            prop_assert_eq!(Account(bytes).to_string().parse(), Ok(Account(bytes)));
            prop_assert_eq!(Digest(bytes).to_string().parse(), Ok(Digest(bytes)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = (text.parse::<Account>(), text.parse::<Digest>());
        }
    }
}

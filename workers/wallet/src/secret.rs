//! Secrets of accounts and the mnemonics that they come from.

use crate::Error;
use bip39::{Language, Mnemonic};
use cicada_core::Account;
use rand::RngCore;
use schnorrkel::derive::{ChainCode, Derivation};
use schnorrkel::{ExpansionMode, MiniSecretKey, SecretKey};
use std::str::FromStr;
use subxt_signer::{DeriveJunction, ExposeSecret, SecretUri};
use zeroize::Zeroizing;

/// How long a new mnemonic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// 128 bits.
    Twelve,
    /// 256 bits.
    TwentyFour,
}

/// A new English mnemonic from the system's randomness.
///
/// # Errors
/// None that can happen: the lengths are valid.
pub fn new_mnemonic(words: Words) -> Result<Zeroizing<String>, Error> {
    let mut entropy = Zeroizing::new([0; 32]);
    rand::rngs::OsRng.fill_bytes(&mut entropy[..]);
    let length = match words {
        Words::Twelve => 16,
        Words::TwentyFour => 32,
    };
    let mnemonic = Mnemonic::from_entropy_in(Language::English, &entropy[..length]);
    Ok(Zeroizing::new(mnemonic.map_err(secret_error)?.to_string()))
}

fn secret_error(error: impl std::fmt::Display) -> Error {
    Error::Secret(error.to_string())
}

/// The secret key of an sr25519 account. It is wiped when it is dropped.
pub struct Secret(SecretKey);

impl Secret {
    /// Reads a secret: a mnemonic, a seed of 64 hex digits, or a development account such as
    /// `//Alice`, each with optional derivations.
    ///
    /// # Errors
    /// [`Error::Secret`].
    pub fn read(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() {
            // Elsewhere this is the phrase of the development accounts, which everybody knows.
            return Err(Error::Secret("it is empty".into()));
        }
        let uri =
            SecretUri::from_str(text).map_err(|_| Error::Secret("its form is not known".into()))?;
        let phrase = uri.phrase.expose_secret();
        let seed = match phrase.strip_prefix("0x") {
            Some(digits) => {
                let bytes = hex_seed(digits).ok_or_else(|| secret_error("no 64 hex digits"))?;
                MiniSecretKey::from_bytes(&bytes[..]).map_err(secret_error)?
            }
            None => {
                // bip39 names a wrong word by its position, not by itself.
                let mnemonic = Mnemonic::from_str(phrase).map_err(secret_error)?;
                let entropy = Zeroizing::new(mnemonic.to_entropy());
                let password = uri.password.as_ref().map_or("", |text| text.expose_secret());
                substrate_bip39::mini_secret_from_entropy(&entropy, password)
                    .map_err(|error| Error::Secret(format!("{error:?}")))?
            }
        };
        let root = seed.expand(ExpansionMode::Ed25519);
        Ok(Self(uri.junctions.iter().fold(root, derived)))
    }

    /// The account.
    pub fn account(&self) -> Account {
        Account(self.0.to_public().to_bytes())
    }

    /// The 64 bytes as key files hold them.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.0.to_ed25519_bytes())
    }
}

fn derived(key: SecretKey, junction: &DeriveJunction) -> SecretKey {
    let code = ChainCode(*junction.inner());
    if junction.is_soft() {
        return key.derived_key_simple(code, []).0;
    }
    key.hard_derive_mini_secret_key(Some(code), b"").0.expand(ExpansionMode::Ed25519)
}

fn hex_seed(digits: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits, &mut bytes[..]).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_chain::{account_of, signer};

    const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

    #[test]
    fn secrets_are_read_as_the_signer_reads_them() {
        for text in [
            "//Alice",
            "//Bob//stash",
            "//Alice/soft/7",
            PHRASE,
            &format!("{PHRASE}//hard/soft///password"),
            &format!("0x{}", "07".repeat(32)),
            &format!("0x{}//1", "ab".repeat(32)),
        ] {
            let expected = account_of(&signer(text).unwrap());
            assert_eq!(Secret::read(text).unwrap().account(), expected, "{text}");
        }
        let development = Secret::read(PHRASE).unwrap().account().to_string();
        assert_eq!(development, "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV");
    }

    #[test]
    fn a_bad_secret_is_not_repeated() {
        for bad in [
            "",
            "hunter2",
            "0x01",
            "bottom drive obey lake curtain smoke basket hold race lonely fit fit",
            &format!("0x{}", "+1".repeat(32)),
        ] {
            let error = Secret::read(bad).err().unwrap().to_string();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
            assert!(error.contains("12 or 24 words"), "{error}");
        }
    }

    #[test]
    fn new_mnemonics_differ_and_are_read() {
        for (words, length) in [(Words::Twelve, 12), (Words::TwentyFour, 24)] {
            let [one, other] = [0, 1].map(|_| new_mnemonic(words).unwrap());
            assert_eq!(one.split(' ').count(), length);
            assert_ne!(*one, *other);
            let secret = Secret::read(&one).unwrap();
            assert_eq!(secret.account(), account_of(&signer(&one).unwrap()));
        }
    }
}

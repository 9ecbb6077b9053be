//! Accounts as people write them, and their signers.

use crate::Error;
use cicada_core::Account;
use serde::{de::Error as _, Deserialize, Deserializer};
use std::str::FromStr;
use subxt::utils::AccountId32;
pub use subxt_signer::sr25519::Keypair as Signer;

/// Reads a secret: `//Alice` and other development accounts, a mnemonic, or a seed in hex,
/// each with optional derivations.
///
/// # Errors
/// [`Error::Secret`]; the message never repeats the secret.
pub fn signer(suri: &str) -> Result<Signer, Error> {
    let uri = subxt_signer::SecretUri::from_str(suri)
        .map_err(|_| Error::Secret("its form is not known".into()))?;
    Signer::from_uri(&uri).map_err(|error| Error::Secret(error.to_string()))
}

/// The signer of a 32-byte seed.
///
/// # Errors
/// [`Error::Secret`].
pub fn signer_from_seed(seed: &[u8; 32]) -> Result<Signer, Error> {
    Signer::from_secret_key(*seed).map_err(|error| Error::Secret(error.to_string()))
}

/// The account of a signer.
pub fn account_of(signer: &Signer) -> Account {
    signer.public_key().0
}

/// An account's address as people read it: SS58 with Substrate's general prefix 42.
pub fn address(account: &Account) -> String {
    AccountId32(*account).to_string()
}

/// Reads an address in SS58, with prefix 42 as [`address`] writes it.
///
/// # Errors
/// [`Error::Account`], also for an address of another network.
pub fn parse_address(text: &str) -> Result<Account, Error> {
    let bad = |reason: String| Error::Account { text: text.into(), reason };
    let account = AccountId32::from_str(text).map_err(|error| bad(format!("{error:?}")))?.0;
    match address(&account) {
        own if own == text => Ok(account),
        own => Err(bad(format!(
            "it is one of another network; here, with prefix 42, the same key has {own}"
        ))),
    }
}

/// Reads an account: an address in SS58, or `0x` and 64 hexadecimal digits.
///
/// # Errors
/// [`Error::Account`].
pub fn parse_account(text: &str) -> Result<Account, Error> {
    let Some(digits) = text.strip_prefix("0x") else {
        return parse_address(text);
    };
    let mut account = [0; 32];
    let decoded = hex::decode_to_slice(digits, &mut account);
    decoded.map_err(|error| Error::Account { text: text.into(), reason: error.to_string() })?;
    Ok(account)
}

/// An account in a file of settings, for `deserialize_with`.
///
/// # Errors
/// As [`parse_account`].
pub fn account_setting<'de, D: Deserializer<'de>>(from: D) -> Result<Account, D::Error> {
    parse_account(&String::deserialize(from)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn development_accounts_have_their_known_addresses() {
        let alice = account_of(&signer("//Alice").unwrap());
        assert_eq!(address(&alice), ALICE);
        assert_eq!(parse_address(ALICE).unwrap(), alice);
        for bad in ["", "5Grw", &ALICE.to_lowercase(), &format!(" {ALICE}"), &format!("{ALICE}x")] {
            assert!(parse_address(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_account(ALICE).unwrap(), alice);
        assert_eq!(parse_account(&format!("0x{}", hex::encode(alice))).unwrap(), alice);
        assert!(parse_account("0x01").unwrap_err().to_string().contains("0x01"));
    }

    #[test]
    fn an_address_of_another_network_is_named_as_such() {
        for polkadot_and_kusama in [
            "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
            "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F",
        ] {
            let said = parse_address(polkadot_and_kusama).unwrap_err().to_string();
            assert!(said.contains("another network") && said.contains(ALICE), "{said}");
        }
    }

    #[test]
    fn a_bad_secret_is_not_repeated() {
        let error = signer("hunter2 hunter3").unwrap_err().to_string();
        assert!(!error.contains("hunter"), "{error}");
    }
}

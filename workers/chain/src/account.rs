//! Accounts as people write them, and their signers.

use crate::Error;
use cicada_core::Account;
use std::str::FromStr;
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
    Account(signer.public_key().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_accounts_have_their_known_addresses() {
        let alice = account_of(&signer("//Alice").unwrap());
        assert_eq!(alice.to_string(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
    }

    #[test]
    fn a_bad_secret_is_not_repeated() {
        let error = signer("hunter2 hunter3").unwrap_err().to_string();
        assert!(!error.contains("hunter"), "{error}");
    }
}

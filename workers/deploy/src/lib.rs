//! What the programs that deploy contracts share.

mod addresses;
pub mod exchange;
pub mod found;
pub mod index;
mod index_file;
mod left;
pub mod market;
mod steps;

pub use addresses::Addresses;
pub use index_file::{IndexFile, Subnet};
pub use steps::Steps;

use anyhow::{bail, Result};
use cicada_chain::{
    account_of, address, parse_account, signer, Bundle, Chain, Error, Instance, Signer,
};
use cicada_contracts::Constructor;
use cicada_core::Account;
use cicada_program::is_development;
use parity_scale_codec::Encode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the person at the terminal what happens; that there is none is no reason to stop half-way.
pub fn say(text: impl std::fmt::Display) {
    cicada_program::complain!("==> {text}");
}

/// Development accounts whose keys everybody has, under the names that people give them.
const KNOWN: [&str; 7] =
    ["//Alice", "//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie", "//Treasury"];

/// An account: its address, or the secret of a development account.
///
/// # Errors
/// If it is neither.
pub fn account(text: &str) -> Result<Account, Error> {
    match is_development(text) {
        true => signer(text).map(|signer| account_of(&signer)),
        false => parse_account(text),
    }
}

/// Who is to have what a deployment gives away: as named with `option`, else `otherwise`, a development
/// account. What is deployed with a real secret goes to nobody whose key everybody has.
///
/// # Errors
/// If nobody, or such an account, is named beside a real secret, or what is named is no account.
pub fn receiver(option: &str, named: Option<&str>, otherwise: &str, suri: &str) -> Result<Account> {
    if is_development(suri) {
        return Ok(account(named.unwrap_or(otherwise))?);
    }
    let Some(text) = named else {
        bail!("name an account with {option}: everybody has the key of {otherwise}");
    };
    let receiver = account(text)?;
    let known: Vec<Account> = KNOWN.into_iter().map(account).collect::<Result<_, _>>()?;
    if is_development(text) || known.contains(&receiver) {
        bail!("{option}: everybody has the key of {text}");
    }
    Ok(receiver)
}

/// A salt for new contracts, another one each time: an earlier contract may belong to a deployment that
/// broke off.
///
/// # Errors
/// If the clock stands before 1970.
pub(crate) fn new_salt() -> Result<Vec<u8>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos().encode())
}

/// Makes new contracts for an owner.
pub struct Maker<'a> {
    chain: &'a Chain,
    owner: &'a Signer,
    salt: Vec<u8>,
}

impl<'a> Maker<'a> {
    /// Nothing is made yet.
    ///
    /// # Errors
    /// If the clock stands before 1970.
    pub fn new(chain: &'a Chain, owner: &'a Signer) -> Result<Self> {
        Ok(Self { chain, owner, salt: new_salt()? })
    }

    /// Makes a contract and says so.
    ///
    /// # Errors
    /// As [`Chain::upload_and_instantiate`].
    pub async fn make<E>(
        &self,
        bundle: &Bundle,
        constructor: &Constructor<E>,
    ) -> Result<Instance, Error> {
        let Self { chain, owner, salt } = self;
        let made = chain.upload_and_instantiate(bundle, constructor, salt, owner).await?;
        say(format!(
            "{} at {} in block {}: {} bytes, ref_time {}",
            bundle.name(),
            address(&made.account),
            made.block,
            bundle.wasm().len(),
            made.weight.ref_time
        ));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deployed_with_a_real_secret_goes_to_nobody_whose_key_everybody_has() {
        let treasury = |named, suri| {
            receiver("--treasury", named, "//Treasury", suri).map_err(|error| error.to_string())
        };
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let (real, own) = ("old orchard", address(&[7; 32]));
        assert_eq!(treasury(None, "//Alice"), Ok(account("//Treasury").unwrap()));
        assert_eq!(treasury(Some(alice), "//Bob"), Ok(account("//Alice").unwrap()));
        assert_eq!(treasury(Some(&own), real), Ok([7; 32]));
        assert!(treasury(None, real).unwrap_err().contains("--treasury"));
        for public in [alice, "//Treasury", "//Somebody"] {
            assert!(treasury(Some(public), real).unwrap_err().contains("everybody"), "{public}");
        }
        let refused = treasury(Some("another orchard"), real).unwrap_err();
        assert!(!refused.contains(real), "{refused}");
    }
}

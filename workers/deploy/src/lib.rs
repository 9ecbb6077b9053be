//! Puts the contracts on a chain: what the subcommands of `deploy` do.
//!
//! Each extends the network file. What the file names may hold money, so nothing of it is replaced
//! unasked, and each contract is written down as soon as it is made: a run that broke off is continued
//! by the next one.

pub mod addresses;
pub mod committee;
pub mod exchange;
mod found;
pub mod index;
mod left;
pub mod market;
mod site;
mod steps;

pub use site::{Site, SiteArgs};
pub use steps::Steps;

use anyhow::{bail, Result};
use cicada_chain::{account_of, signer, Error};
use cicada_core::Account;
use cicada_program::is_development;

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
        false => Ok(text.parse()?),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deployed_with_a_real_secret_goes_to_nobody_whose_key_everybody_has() {
        let treasury = |named, suri| {
            receiver("--treasury", named, "//Treasury", suri).map_err(|error| error.to_string())
        };
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let (real, own) = ("old orchard", Account([7; 32]).to_string());
        assert_eq!(treasury(None, "//Alice"), Ok(account("//Treasury").unwrap()));
        assert_eq!(treasury(Some(alice), "//Bob"), Ok(account("//Alice").unwrap()));
        assert_eq!(treasury(Some(&own), real), Ok(Account([7; 32])));
        assert!(treasury(None, real).unwrap_err().contains("--treasury"));
        for public in [alice, "//Treasury", "//Somebody"] {
            assert!(treasury(Some(public), real).unwrap_err().contains("everybody"), "{public}");
        }
        let refused = treasury(Some("another orchard"), real).unwrap_err();
        assert!(!refused.contains(real), "{refused}");
    }
}

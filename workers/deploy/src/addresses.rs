//! The contracts' addresses for JavaScript: an export of the network file.

use crate::found::keep;
use crate::say;
use anyhow::{Context, Result};
use cicada_chain::Chain;
use cicada_core::hash::Digest;
use cicada_core::Account;
use cicada_files::{write_whole, PLAIN};
use cicada_network::Deployment;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Writes the addresses of all contracts of the network file to a JSON file, which the folder
/// frontend-abi reads. Nothing is deployed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  deploy addresses
  deploy addresses --network /tmp/n/network.toml --out /tmp/n/addresses.json")]
pub struct AddressesArgs {
    /// The file to write. One that is there and names other contracts is kept under another name.
    #[arg(long, default_value = "frontend-abi/addresses/local.json")]
    out: PathBuf,
}

/// `deploy addresses`.
///
/// # Errors
/// If the network file or the chain cannot be read, or the file cannot be written.
pub async fn run(
    network: &Path,
    url: Option<&str>,
    name: &str,
    args: &AddressesArgs,
) -> Result<()> {
    let file = Deployment::load(network)?;
    let chain = file.connect(url).await.context("cannot ask the chain")?;
    export(&chain, &file, &args.out, name).await
}

/// The addresses of a network.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Addresses {
    network: String,
    url: String,
    genesis: Digest,
    contracts: BTreeMap<String, Entry>,
}

/// One contract.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    address: Account,
    code_hash: Digest,
    /// The block in which it was made, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<u64>,
}

/// Brings the file for JavaScript up to date and says so.
///
/// # Errors
/// If a contract is not on the chain or that cannot be asked, the file cannot be written, or what is
/// there is no such file.
pub(crate) async fn export(
    chain: &Chain,
    file: &Deployment,
    path: &Path,
    name: &str,
) -> Result<()> {
    let mut addresses = Addresses {
        network: name.into(),
        url: file.chain.url.clone(),
        genesis: file.chain.genesis,
        contracts: BTreeMap::new(),
    };
    for (name, account) in file.contracts.iter() {
        let code = chain.code_hash(&account).await.context("cannot ask the chain")?;
        let code = code.with_context(|| {
            format!("{}: the contract {name} is not on the chain", file.path().display())
        })?;
        let block = file.blocks.get(&name).copied();
        let entry = Entry { address: account, code_hash: code, block };
        addresses.contracts.insert(name.to_string(), entry);
    }
    addresses.publish(path)
}

impl Addresses {
    /// Whether these name all contracts of a file, at the same addresses of the same chain.
    fn cover(&self, there: &Self) -> bool {
        let address = |of: &Self, name: &str| of.contracts.get(name).map(|at| at.address);
        there.contracts.is_empty()
            || (self.genesis == there.genesis
                && there.contracts.keys().all(|name| address(self, name) == address(there, name)))
    }

    /// Writes the file unless it says all this already. One that would lose an address is kept beside it.
    fn publish(&self, path: &Path) -> Result<()> {
        let there = Self::load(path)?;
        if there.as_ref() == Some(self) {
            return Ok(());
        }
        if there.is_some_and(|there| !self.cover(&there)) {
            keep(path)?;
        }
        let text = serde_json::to_string_pretty(self)? + "\n";
        write_whole(path, text.as_bytes(), PLAIN)?;
        say(format!("wrote {}", path.display()));
        Ok(())
    }

    fn load(path: &Path) -> Result<Option<Self>> {
        let place = || path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(place)?,
        };
        let read = serde_json::from_str(text.trim_start_matches('\u{feff}'));
        read.map(Some)
            .with_context(|| format!("{}: no file of addresses, so it is left alone", place()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(genesis: u8, account: u8) -> Addresses {
        let entry =
            Entry { address: Account([account; 32]), code_hash: Digest([2; 32]), block: Some(7) };
        Addresses {
            network: "local".into(),
            url: "ws://x".into(),
            genesis: Digest([genesis; 32]),
            contracts: [("token".into(), entry)].into(),
        }
    }

    #[test]
    fn the_file_has_the_shape_that_javascript_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/local.json");
        addresses(1, 0).publish(&path).unwrap();
        assert_eq!(Addresses::load(&path).unwrap(), Some(addresses(1, 0)));
        let read: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read["network"], "local");
        assert_eq!(read["genesis"], format!("0x{}", "01".repeat(32)));
        let token = &read["contracts"]["token"];
        assert_eq!(token["address"], "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM");
        assert_eq!(token["block"], 7);
    }

    #[test]
    fn no_address_is_lost_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.json");
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        addresses(1, 1).publish(&path).unwrap();
        addresses(1, 1).publish(&path).unwrap();
        assert_eq!(files(), 1);
        addresses(1, 2).publish(&path).unwrap();
        assert_eq!(files(), 2, "another address of the same contract");
        addresses(2, 2).publish(&path).unwrap();
        assert_eq!(files(), 3, "another chain");
        let mut more = addresses(2, 2);
        let exchange = more.contracts.remove("token").unwrap();
        more.contracts.insert("exchange".into(), exchange);
        more.publish(&path).unwrap();
        assert_eq!(files(), 4, "a contract that the network file does not name");
        std::fs::write(&path, "where the money is").unwrap();
        assert!(addresses(2, 2).publish(&path).unwrap_err().to_string().contains("left alone"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "where the money is");
    }
}

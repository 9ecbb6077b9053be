//! The contracts' addresses for frontends.

use crate::found::keep;
use crate::say;
use anyhow::{Context, Result};
use cicada_chain::{address, Bundle};
use cicada_core::Account;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The addresses of a network.
#[derive(Debug, Serialize, Deserialize)]
pub struct Addresses {
    network: String,
    url: String,
    genesis: String,
    contracts: BTreeMap<String, Entry>,
}

/// One contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    /// SS58, prefix 42.
    address: String,
    code_hash: String,
    /// The block in which it was made, unless that was long ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<u64>,
}

impl Addresses {
    /// No contracts yet.
    pub fn new(network: &str, url: &str, genesis: &[u8; 32]) -> Self {
        Self {
            network: network.into(),
            url: url.into(),
            genesis: hex_text(genesis),
            contracts: BTreeMap::new(),
        }
    }

    /// Adds a contract.
    pub fn add(&mut self, bundle: &Bundle, account: &Account, block: Option<u64>) {
        let entry =
            Entry { address: address(account), code_hash: hex_text(bundle.code_hash()), block };
        self.contracts.insert(bundle.name().into(), entry);
    }

    /// Whether a file says the same of these contracts already; the blocks do not matter.
    fn is_in(&self, there: &Self) -> bool {
        let same = |(name, entry): (&String, &Entry)| {
            let there = there.contracts.get(name);
            there.is_some_and(|there| {
                (&there.address, &there.code_hash) == (&entry.address, &entry.code_hash)
            })
        };
        (&there.url, &there.genesis) == (&self.url, &self.genesis)
            && self.contracts.iter().all(same)
    }

    /// Takes over what a file says of other contracts of the same chain. Whether all of it is kept.
    fn add_others_of(&mut self, there: Self) -> bool {
        if (&there.url, &there.genesis) != (&self.url, &self.genesis) {
            return there.contracts.is_empty();
        }
        let mut all = true;
        for (name, entry) in there.contracts {
            let kept = self.contracts.entry(name).or_insert_with(|| entry.clone());
            all &= kept.address == entry.address;
        }
        all
    }

    /// Brings the file up to date, beside what it says of other contracts, and says so; a file
    /// that knows it all already is left alone. One that would lose an address is kept beside it.
    ///
    /// # Errors
    /// If it cannot be written, or what is there is no such file.
    pub fn publish(mut self, path: &Path) -> Result<()> {
        if let Some(there) = Self::load(path)? {
            if self.is_in(&there) {
                return Ok(());
            }
            if !self.add_others_of(there) {
                keep(path)?;
            }
        }
        self.save(path)?;
        say(format!("wrote {}", path.display()));
        Ok(())
    }

    fn load(path: &Path) -> Result<Option<Self>> {
        let place = || path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(place)?,
        };
        let text = text.trim_start_matches('\u{feff}');
        let read = serde_json::from_str(text);
        read.map(Some)
            .with_context(|| format!("{}: no file of addresses, so it is left alone", place()))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// If it cannot be written.
    fn save(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }
}

fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_shape_that_frontends_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/local.json");
        let mut addresses = Addresses::new("local", "ws://x", &[1; 32]);
        addresses.contracts.insert(
            "token".into(),
            Entry { address: address(&[0; 32]), code_hash: hex_text(&[2; 32]), block: Some(7) },
        );
        assert!(Addresses::load(&path).unwrap().is_none());
        addresses.save(&path).unwrap();
        let there = || Addresses::load(&path).unwrap().unwrap();
        assert!(addresses.is_in(&there()));
        assert!(!Addresses::new("local", "ws://x", &[2; 32]).is_in(&there()));
        let mut more = Addresses::new("local", "ws://x", &[1; 32]);
        assert!(more.add_others_of(there()) && more.contracts.contains_key("token"), "they stay");
        let mut elsewhere = Addresses::new("local", "ws://x", &[2; 32]);
        assert!(!elsewhere.add_others_of(there()), "not those of another chain");
        assert!(elsewhere.contracts.is_empty());
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
        let publish = |genesis, account: u8| {
            let mut addresses = Addresses::new("local", "ws://x", &[genesis; 32]);
            let address = address(&[account; 32]);
            let entry = Entry { address, code_hash: hex_text(&[2; 32]), block: None };
            addresses.contracts.insert("token".into(), entry);
            addresses.publish(&path)
        };
        publish(1, 1).unwrap();
        publish(1, 1).unwrap();
        assert_eq!(files(), 1);
        publish(1, 2).unwrap();
        assert_eq!(files(), 2, "another address of the same contract");
        publish(2, 2).unwrap();
        assert_eq!(files(), 3, "another chain");
        std::fs::write(&path, "where the money is").unwrap();
        assert!(publish(2, 2).unwrap_err().to_string().contains("left alone"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "where the money is");
    }
}

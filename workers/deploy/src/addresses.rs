//! The contracts' addresses for frontends.

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
#[derive(Debug, Serialize, Deserialize)]
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

    /// Whether the file says the same of these contracts already; the blocks do not matter.
    fn is_in(&self, path: &Path) -> bool {
        let Some(there) = Self::load(path) else {
            return false;
        };
        let same = |(name, entry): (&String, &Entry)| {
            let there = there.contracts.get(name);
            there.is_some_and(|there| {
                (&there.address, &there.code_hash) == (&entry.address, &entry.code_hash)
            })
        };
        (&there.url, &there.genesis) == (&self.url, &self.genesis)
            && self.contracts.iter().all(same)
    }

    /// Takes over what a file says of other contracts of the same chain.
    #[must_use]
    fn and_others_of(mut self, path: &Path) -> Self {
        if let Some(there) = Self::load(path) {
            if (&there.url, &there.genesis) == (&self.url, &self.genesis) {
                for (name, entry) in there.contracts {
                    self.contracts.entry(name).or_insert(entry);
                }
            }
        }
        self
    }

    /// Brings the file up to date, beside what it says of other contracts, and says so; a file
    /// that knows it all already is left alone.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn publish(self, path: &Path) -> Result<()> {
        if self.is_in(path) {
            return Ok(());
        }
        self.and_others_of(path).save(path)?;
        say(format!("wrote {}", path.display()));
        Ok(())
    }

    fn load(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
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
        assert!(!addresses.is_in(&path));
        addresses.save(&path).unwrap();
        assert!(addresses.is_in(&path));
        assert!(!Addresses::new("local", "ws://x", &[2; 32]).is_in(&path));
        let more = Addresses::new("local", "ws://x", &[1; 32]).and_others_of(&path);
        assert!(more.contracts.contains_key("token"), "what others deployed stays");
        let elsewhere = Addresses::new("local", "ws://x", &[2; 32]).and_others_of(&path);
        assert!(elsewhere.contracts.is_empty(), "but not that of another chain");
        let read: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read["network"], "local");
        assert_eq!(read["genesis"], format!("0x{}", "01".repeat(32)));
        let token = &read["contracts"]["token"];
        assert_eq!(token["address"], "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM");
        assert_eq!(token["block"], 7);
    }
}

//! The file that says where the contracts of an index are.

use anyhow::{Context, Result};
use cicada_core::Account;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// An index with its tokens, pool and rewards. Written by `deploy-index`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexFile {
    /// Address of a node of the chain.
    pub url: String,
    /// The chain's genesis hash.
    #[serde(with = "hex32")]
    pub genesis: Account,
    /// The block before the first of these contracts: events are read from here.
    pub from_block: u64,
    /// The committee's contract, which holds the stake.
    #[serde(with = "ss58")]
    pub validators: Account,
    /// The token that is staked, traded against and paid out: TAO, 9 decimals.
    #[serde(with = "ss58")]
    pub tao: Account,
    /// The index token: TAO20, 18 decimals.
    #[serde(with = "ss58")]
    pub index_token: Account,
    /// The index.
    #[serde(with = "ss58")]
    pub index: Account,
    /// The pool of index token and TAO.
    #[serde(with = "ss58")]
    pub pair: Account,
    /// The rewards of epochs.
    #[serde(with = "ss58")]
    pub rewards: Account,
    /// Where penalties go.
    #[serde(with = "ss58")]
    pub treasury: Account,
    /// The tokens that the basket is made of.
    pub subnets: Vec<Subnet>,
}

/// A subnet and its token of 9 decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// Its number.
    pub netuid: u16,
    /// Its token.
    #[serde(with = "ss58")]
    pub token: Account,
}

impl IndexFile {
    /// Reads one.
    ///
    /// # Errors
    /// In words.
    pub fn load(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> { Ok(toml::from_str(&std::fs::read_to_string(path)?)?) };
        read().with_context(|| path.display().to_string())
    }

    /// Writes it.
    ///
    /// # Errors
    /// In words.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = toml::to_string_pretty(self)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, text).with_context(|| fresh.display().to_string())?;
        std::fs::rename(&fresh, path).with_context(|| path.display().to_string())
    }
}

mod ss58 {
    use cicada_chain::{address, parse_address};
    use cicada_core::Account;
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(account: &Account, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&address(account))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Account, D::Error> {
        parse_address(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

mod hex32 {
    use cicada_core::Account;
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &Account, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("0x{}", hex::encode(bytes)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Account, D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes)
            .map_err(D::Error::custom)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/index.toml");
        let subnet = |netuid: u16| Subnet { netuid, token: [netuid as u8; 32] };
        let written = IndexFile {
            url: "ws://127.0.0.1:9944".into(),
            genesis: [1; 32],
            from_block: 7,
            validators: [2; 32],
            tao: [3; 32],
            index_token: [4; 32],
            index: [5; 32],
            pair: [6; 32],
            rewards: [7; 32],
            treasury: [8; 32],
            subnets: vec![subnet(11), subnet(12)],
        };
        written.save(&path).unwrap();
        assert_eq!(IndexFile::load(&path).unwrap(), written);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("from_block", "from")).unwrap();
        let error = format!("{:#}", IndexFile::load(&path).unwrap_err());
        assert!(error.contains("index.toml") && error.contains("from"), "{error}");
    }
}

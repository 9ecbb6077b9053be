//! The file that says where the market's contracts are.

use crate::Error;
use cicada_chain::{address, parse_address};
use cicada_core::hash::Hash;
use cicada_core::Account;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A market: chain and contracts. Written by `deploy-market`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketFile {
    /// Address of a node of the chain.
    pub url: String,
    /// The chain's genesis hash.
    pub genesis: Hash,
    /// Holds the committee that attests capabilities.
    pub validators: Account,
    /// The market's currency, MMC.
    pub token: Account,
    /// Attested capabilities.
    pub capabilities: Account,
    /// Points.
    pub reputation: Account,
    /// Holds the money.
    pub escrow: Account,
    /// The market itself.
    pub auction: Account,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    url: String,
    genesis: String,
    validators: String,
    token: String,
    capabilities: String,
    reputation: String,
    escrow: String,
    auction: String,
}

impl MarketFile {
    /// Reads one.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bad = |reason: String| Error::File { path: path.into(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                bad("is not there: 'deploy-market' writes it; name another with --network".into())
            }
            _ => bad(error.to_string()),
        })?;
        let text: Text = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let account = |address: &str| parse_address(address).map_err(|e| bad(e.to_string()));
        let mut genesis = [0; 32];
        hex::decode_to_slice(text.genesis.trim_start_matches("0x"), &mut genesis)
            .map_err(|error| bad(format!("genesis: {error}")))?;
        Ok(Self {
            genesis,
            validators: account(&text.validators)?,
            token: account(&text.token)?,
            capabilities: account(&text.capabilities)?,
            reputation: account(&text.reputation)?,
            escrow: account(&text.escrow)?,
            auction: account(&text.auction)?,
            url: text.url,
        })
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let bad = |reason: String| Error::File { path: path.into(), reason };
        let text = Text {
            url: self.url.clone(),
            genesis: format!("0x{}", hex::encode(self.genesis)),
            validators: address(&self.validators),
            token: address(&self.token),
            capabilities: address(&self.capabilities),
            reputation: address(&self.reputation),
            escrow: address(&self.escrow),
            auction: address(&self.auction),
        };
        let text = toml::to_string(&text).map_err(|error| bad(error.to_string()))?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| bad(error.to_string()))?;
        }
        let draft = path.with_extension("toml.new");
        std::fs::write(&draft, text)
            .and_then(|()| std::fs::rename(&draft, path))
            .map_err(|error| bad(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/market.toml");
        let file = MarketFile {
            url: "ws://127.0.0.1:9944".into(),
            genesis: [1; 32],
            validators: [2; 32],
            token: [3; 32],
            capabilities: [7; 32],
            reputation: [4; 32],
            escrow: [5; 32],
            auction: [6; 32],
        };
        let missing = MarketFile::load(&path).unwrap_err().to_string();
        assert!(missing.contains("deploy-market"), "{missing}");
        file.save(&path).unwrap();
        assert_eq!(MarketFile::load(&path).unwrap(), file);
        std::fs::write(&path, "url = 3").unwrap();
        assert!(MarketFile::load(&path).is_err());
    }
}

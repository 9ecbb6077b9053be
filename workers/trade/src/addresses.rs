//! The file with the addresses of the contracts.

use crate::Error;
use cicada_chain::{parse_address, Chain};
use cicada_core::hash::Hash;
use cicada_core::Account;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Where the contracts of a network are: what a file such as `frontend-abi/addresses/local.json`
/// says, or options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Address of a node.
    pub url: Option<String>,
    /// The chain's first block; without it, any chain is taken.
    pub genesis: Option<Hash>,
    /// MMC.
    pub token: Option<Account>,
    /// The leaderboard.
    pub leaderboard: Option<Account>,
    /// The exchange.
    pub exchange: Option<Account>,
    /// All contracts of the file, by the names of their bundles.
    pub contracts: BTreeMap<String, Account>,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
    genesis: String,
    contracts: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    address: String,
}

impl Addresses {
    /// Reads a file that a deployment wrote. Contracts that it does not name are left open.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bad = |reason: String| Error::File { path: path.into(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                bad("is not there: a deployment writes it; name another with --addresses".into())
            }
            _ => bad(error.to_string()),
        })?;
        let file: File = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| bad(error.to_string()))?;
        let mut contracts = BTreeMap::new();
        for (name, Entry { address }) in file.contracts {
            let account = parse_address(&address).map_err(|error| bad(error.to_string()))?;
            contracts.insert(name, account);
        }
        let account = |name: &str| contracts.get(name).copied();
        let mut genesis = [0; 32];
        hex::decode_to_slice(file.genesis.trim_start_matches("0x"), &mut genesis)
            .map_err(|error| bad(format!("genesis: {error}")))?;
        Ok(Self {
            genesis: Some(genesis),
            token: account("token"),
            leaderboard: account("leaderboard"),
            exchange: account("exchange"),
            url: file.url,
            contracts,
        })
    }

    /// The chain that these are of; `url` replaces that of the file.
    ///
    /// # Errors
    /// If no node answers or it is of another chain.
    pub async fn connect(&self, url: Option<&str>) -> Result<Chain, Error> {
        let url = url.or(self.url.as_deref()).unwrap_or("ws://127.0.0.1:9944");
        let chain = Chain::connect(url).await?;
        match self.genesis {
            Some(genesis) if genesis != chain.genesis() => {
                Err(Error::OtherChain { url: url.into() })
            }
            _ => Ok(chain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_chain::address;

    #[test]
    fn the_file_of_a_deployment_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.json");
        let missing = Addresses::load(&path).unwrap_err().to_string();
        assert!(missing.contains("--addresses"), "{missing}");
        let text = serde_json::json!({
            "network": "local", "url": "ws://x", "genesis": format!("0x{}", "01".repeat(32)),
            "contracts": {
                "exchange": { "address": address(&[5; 32]), "code_hash": "0x", "block": 3 },
                "token": { "address": address(&[6; 32]) },
            },
        });
        std::fs::write(&path, text.to_string()).unwrap();
        let read = Addresses::load(&path).unwrap();
        assert_eq!(read.genesis, Some([1; 32]));
        assert_eq!((read.exchange, read.token), (Some([5; 32]), Some([6; 32])));
        assert_eq!((read.leaderboard, read.url.as_deref()), (None, Some("ws://x")));
        for bad in ["{}", "[", &text.to_string().replace("5", "6")] {
            std::fs::write(&path, bad).unwrap();
            assert!(Addresses::load(&path).is_err(), "{bad}");
        }
    }
}

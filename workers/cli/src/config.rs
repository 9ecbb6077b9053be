//! The configuration file: what need not be said with every command.

use crate::reply::Failure;
use cicada_chain::BUNDLES;
use cicada_network::{refuse_moved, NETWORK_FILE};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// `config.toml`. Every key is optional; options and environment come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network file that `deploy` wrote.
    pub network: Option<PathBuf>,
    /// Address of a node of the chain, instead of the network file's.
    pub url: Option<String>,
    /// Folder of the built contracts, for 'cicada71 verify'.
    pub bundles: Option<PathBuf>,
    /// Address of the indexer.
    pub indexer: Option<String>,
    /// The address of the first of 23 nodes, instead of those of the network file.
    pub nodes: Option<String>,
    /// The key file.
    pub key_file: Option<PathBuf>,
}

/// Where the configuration lies unless something else is said: `$XDG_CONFIG_HOME/cicada71`, or
/// `~/.config/cicada71`.
pub fn folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = set("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".config")));
    Some(base?.join("cicada71"))
}

impl Config {
    /// Reads the file that was named, or the usual one if it is there.
    pub fn load(named: Option<&Path>) -> Result<Self, Failure> {
        let path = named.map(PathBuf::from).or_else(|| Some(folder()?.join("config.toml")));
        let Some(path) = path else { return Ok(Self::default()) };
        let bad = |reason: &dyn std::fmt::Display| {
            Failure::Usage(format!("{}: {reason}", path.display()))
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                refuse_moved(&text, &["addresses"]).map_err(|reason| bad(&reason))?;
                toml::from_str(&text).map_err(|error| bad(&error))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
                Ok(Self::default())
            }
            Err(error) => Err(bad(&error)),
        }
    }

    /// The file's text: what is set, and what the others would be.
    pub fn text(&self) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let entries = [
            (
                "The network file: chain, contracts, nodes.",
                "network",
                path(&self.network),
                NETWORK_FILE,
            ),
            (
                "Address of a node of the chain, instead of the network file's.",
                "url",
                self.url.clone(),
                "ws://127.0.0.1:9944",
            ),
            (
                "Folder of the built contracts, for 'cicada71 verify'.",
                "bundles",
                path(&self.bundles),
                BUNDLES,
            ),
            (
                "The indexer: history, orders, what holdings have cost.",
                "indexer",
                self.indexer.clone(),
                "http://127.0.0.1:7171",
            ),
            (
                "The address of the first of 23 nodes, instead of those of the network file.",
                "nodes",
                self.nodes.clone(),
                "http://127.0.0.1:7100",
            ),
            ("The key file, in the form of polkadot.js.", "key_file", path(&self.key_file), ""),
        ];
        let mut text = String::from("# cicada71: options and environment variables come first.\n");
        for (meaning, key, value, default) in entries {
            let (mark, value) = match value {
                Some(value) => ("", value),
                None => ("# ", default.to_owned()),
            };
            text += &format!("\n# {meaning}\n{mark}{key} = {}\n", toml::Value::String(value));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let config = Config {
            url: Some("ws://x".into()),
            network: Some("/a \"b\"/network.toml".into()),
            key_file: Some("/k.json".into()),
            ..Config::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, config.text()).unwrap();
        assert_eq!(Config::load(Some(&path)).unwrap(), config);
        assert!(config.text().contains("# indexer = \"http://127.0.0.1:7171\""));
    }

    #[test]
    fn a_bad_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert!(
            matches!(Config::load(Some(&path)), Err(Failure::Usage(text)) if text.contains("config.toml"))
        );
        std::fs::write(&path, "addresses = \"local.json\"").unwrap();
        assert!(
            matches!(Config::load(Some(&path)), Err(Failure::Usage(text)) if text.contains("write network ="))
        );
        std::fs::write(&path, "colour = 1").unwrap();
        assert!(
            matches!(Config::load(Some(&path)), Err(Failure::Usage(text)) if text.contains("colour"))
        );
    }
}

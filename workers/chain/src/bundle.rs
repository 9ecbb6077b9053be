//! A contract's bundle: its Wasm, and what its calls and events look like.

use crate::Error;
use cicada_contracts::Interface;
use cicada_core::hash::Digest;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A contract as `scripts/build-contracts` writes it: `NAME.contract`.
#[derive(Debug)]
pub struct Bundle {
    wasm: Vec<u8>,
    code_hash: Digest,
    interface: Interface,
}

#[derive(Deserialize)]
struct File {
    source: Source,
}

#[derive(Deserialize)]
struct Source {
    hash: Digest,
    wasm: Option<String>,
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// [`Error::Bundle`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| bad(path, e))?;
        Self::parse(&text).map_err(|reason| Error::Bundle { path: PathBuf::from(path), reason })
    }

    /// Reads the bundle of a contract in a folder: `NAME.contract`, or `NAME/NAME.contract`, which is where
    /// `cargo contract build` puts it in its target folder.
    ///
    /// # Errors
    /// [`Error::Bundle`].
    pub fn find(folder: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        let file = format!("{name}.contract");
        let path = folder.as_ref().join(&file);
        let built = folder.as_ref().join(name).join(file);
        Self::load(if !path.exists() && built.exists() { built } else { path })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let wasm = file.source.wasm.ok_or("it holds no Wasm")?;
        Ok(Self {
            wasm: hex::decode(wasm.trim_start_matches("0x")).map_err(|error| error.to_string())?,
            code_hash: file.source.hash,
            interface: Interface::parse(text)?,
        })
    }

    /// The contract's name.
    pub fn name(&self) -> &str {
        self.interface.name()
    }

    /// The Wasm blob.
    pub fn wasm(&self) -> &[u8] {
        &self.wasm
    }

    /// BLAKE2-256 of the Wasm: the code's identity on the chain.
    pub fn code_hash(&self) -> &Digest {
        &self.code_hash
    }

    /// Its messages and events.
    pub fn interface(&self) -> &Interface {
        &self.interface
    }
}

fn bad(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Bundle { path: path.into(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_found_where_cargo_contract_puts_it() {
        let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(crate::BUNDLES);
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("token")).unwrap();
        let place = folder.path().join("token/token.contract");
        std::fs::copy(bundles.join("token.contract"), place).unwrap();
        let found = Bundle::find(folder.path(), "token").unwrap();
        assert_eq!(found.code_hash(), Bundle::find(bundles, "token").unwrap().code_hash());
    }

    #[test]
    fn a_missing_bundle_says_how_to_make_it() {
        let error = Bundle::find("/nowhere", "x").unwrap_err().to_string();
        assert!(error.contains("/nowhere/x.contract"), "{error}");
        assert!(error.contains("scripts/build-contracts"), "{error}");
    }
}

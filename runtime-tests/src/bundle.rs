//! Built contracts: `contracts/bundles/NAME.contract`.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde_json::Value;

/// The code of a contract and its hash.
#[derive(Debug)]
pub struct Bundle {
    /// Package name of the contract.
    pub name: String,
    /// The Wasm code as it goes on chain.
    pub wasm: Vec<u8>,
    /// BLAKE2b-256 of the code.
    pub code_hash: [u8; 32],
}

impl Bundle {
    /// Loads a bundle; each file is read once per process. Panics with what to do when it is missing.
    pub fn load(name: &str) -> Arc<Self> {
        static LOADED: OnceLock<Mutex<HashMap<String, Arc<Bundle>>>> = OnceLock::new();
        let mut loaded =
            LOADED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bundle) = loaded.get(name) {
            return bundle.clone();
        }
        let bundle = Arc::new(Self::read(name).unwrap_or_else(|problem| panic!("{problem}")));
        loaded.insert(name.to_owned(), bundle.clone());
        bundle
    }

    fn read(name: &str) -> Result<Self, String> {
        // The build writes `-` as `_`, as cargo does with crates.
        let name_in_files = name.replace('-', "_");
        let mut path = folder().join(format!("{name_in_files}.contract"));
        // Where `cargo contract build` puts it.
        let built = path.with_extension("").join(format!("{name_in_files}.contract"));
        if !path.exists() && built.exists() {
            path = built;
        }
        let text = fs::read_to_string(&path).map_err(|error| {
            format!("{}: {error}; run scripts/build-contracts {name}", path.display())
        })?;
        let json: Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let field = |field: &str| {
            let text = json["source"][field].as_str().and_then(|text| text.strip_prefix("0x"));
            text.and_then(|digits| hex::decode(digits).ok())
                .ok_or_else(|| format!("{}: no source.{field} in hex", path.display()))
        };
        let code_hash = field("hash")?
            .try_into()
            .map_err(|_| format!("{}: bad source.hash", path.display()))?;
        Ok(Self { name: name.to_owned(), wasm: field("wasm")?, code_hash })
    }
}

/// Where the bundles are: `CICADA_BUNDLES`, else `contracts/bundles` of this checkout.
pub fn folder() -> PathBuf {
    match std::env::var_os("CICADA_BUNDLES") {
        Some(folder) => folder.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts/bundles"),
    }
}

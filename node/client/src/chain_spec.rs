//! The chain that the node runs.

use cicada_runtime::{DECIMALS, SS58_PREFIX, WASM_BINARY};
use sc_chain_spec::{ChainType, GenericChainSpec, Properties};

/// A chain's name, genesis and properties.
pub type ChainSpec = GenericChainSpec;

/// The development chain: Alice to Ferdie and their stashes are rich, Alice has sudo.
///
/// # Errors
/// If the node was built without the runtime's Wasm.
pub fn development() -> Result<ChainSpec, String> {
    let code = WASM_BINARY.ok_or(
        "this node was built with SKIP_WASM_BUILD, so it has no runtime: build it without",
    )?;
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "UNIT".into());
    properties.insert("tokenDecimals".into(), DECIMALS.into());
    properties.insert("ss58Format".into(), SS58_PREFIX.into());
    Ok(ChainSpec::builder(code, None)
        .with_name("Cicada Development")
        .with_id("cicada_dev")
        .with_chain_type(ChainType::Development)
        .with_genesis_config_preset_name(sp_genesis_builder::DEV_RUNTIME_PRESET)
        .with_properties(properties)
        .build())
}

/// A chain described in a JSON file.
///
/// # Errors
/// If there is no such file or it describes no chain.
pub fn from_file(path: &str) -> Result<ChainSpec, String> {
    ChainSpec::from_json_file(path.into())
}

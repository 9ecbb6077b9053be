//! The chain that the node runs.

use cicada_runtime::{DECIMALS, SS58_PREFIX, WASM_BINARY};
use sc_chain_spec::{ChainType, GenericChainSpec, Properties};

/// The runtime's Wasm.
///
/// # Errors
/// If the node was built without it.
pub fn code() -> Result<&'static [u8], String> {
    WASM_BINARY.ok_or_else(|| {
        "this node was built with SKIP_WASM_BUILD, so it has no runtime: build it without".into()
    })
}

/// The development chain's name, genesis and properties.
///
/// # Errors
/// If the node was built without the runtime's Wasm.
pub fn development() -> Result<GenericChainSpec, String> {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "UNIT".into());
    properties.insert("tokenDecimals".into(), DECIMALS.into());
    properties.insert("ss58Format".into(), SS58_PREFIX.into());
    Ok(GenericChainSpec::builder(code()?, None)
        .with_name("Cicada Development")
        .with_id("cicada_dev")
        .with_chain_type(ChainType::Development)
        .with_genesis_config_preset_name(sp_genesis_builder::DEV_RUNTIME_PRESET)
        .with_properties(properties)
        .build())
}

//! The state of the first block: the development accounts are rich, and Alice has sudo.

use crate::{Balance, BalancesConfig, RuntimeGenesisConfig, SudoConfig, UNIT};
use alloc::{vec, vec::Vec};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET};
use sp_keyring::Sr25519Keyring;

/// What each development account starts with. In plancks it must fit 64 bits, as the genesis is JSON.
const ENDOWMENT: Balance = 10_000_000 * UNIT;

/// The genesis called `id` as JSON; there is only the development one.
pub(crate) fn preset(id: &PresetId) -> Option<Vec<u8>> {
    if id.as_str() != DEV_RUNTIME_PRESET {
        return None;
    }
    serde_json::to_vec(&development()).ok()
}

/// The names that [`preset`] knows.
pub(crate) fn preset_names() -> Vec<PresetId> {
    vec![DEV_RUNTIME_PRESET.into()]
}

/// The development chain's first state, with `code` as its runtime. What the runtime itself would build
/// from the preset, but without compiling the runtime for it.
///
/// # Errors
/// If two pallets claim the same storage.
#[cfg(feature = "std")]
pub fn development_storage(code: &[u8]) -> Result<sp_runtime::Storage, String> {
    let mut storage = sp_runtime::BuildStorage::build_storage(&development())?;
    let key = sp_core::storage::well_known_keys::CODE;
    storage.top.insert(key.to_vec(), code.to_vec());
    Ok(storage)
}

fn development() -> RuntimeGenesisConfig {
    RuntimeGenesisConfig {
        balances: BalancesConfig {
            // Alice to Ferdie and their stashes.
            balances: Sr25519Keyring::well_known()
                .map(|key| (key.to_account_id(), ENDOWMENT))
                .collect(),
            ..Default::default()
        },
        sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
        ..Default::default()
    }
}

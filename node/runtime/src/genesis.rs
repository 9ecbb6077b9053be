//! The state of the first block: the development accounts are rich, and Alice has sudo.

use crate::{Balance, BalancesConfig, RuntimeGenesisConfig, SudoConfig, UNIT};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET};
use sp_keyring::Sr25519Keyring;

/// What each development account starts with. In plancks it must fit 64 bits, as the genesis is JSON.
const ENDOWMENT: Balance = 10_000_000 * UNIT;

/// The genesis called `id` as a JSON patch; there is only the development one.
pub(crate) fn preset(id: &PresetId) -> Option<Vec<u8>> {
    (id.as_str() == DEV_RUNTIME_PRESET).then(|| development().to_string().into_bytes())
}

/// The names that [`preset`] knows.
pub(crate) fn preset_names() -> Vec<PresetId> {
    vec![DEV_RUNTIME_PRESET.into()]
}

fn development() -> serde_json::Value {
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig {
            // Alice to Ferdie and their stashes.
            balances: Sr25519Keyring::well_known()
                .map(|key| (key.to_account_id(), ENDOWMENT))
                .collect(),
        },
        sudo: SudoConfig {
            key: Some(Sr25519Keyring::Alice.to_account_id()),
        },
    })
}

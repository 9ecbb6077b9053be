//! `chainSpec_v1_*`: which chain this is.

use super::{system, Api};

pub(super) fn register(api: &mut Api) {
    api.quick("chainSpec_v1_chainName", |_, _| Ok(system::CHAIN), &[]);
    api.quick(
        "chainSpec_v1_genesisHash",
        |app, _| Ok(app.node.chain(|chain| chain.genesis().hash)),
        &[],
    );
    api.quick("chainSpec_v1_properties", |_, _| Ok(system::properties()), &[]);
}

//! `system_*`: what this is, and the next nonce of an account.

use super::{chain, error, Api, Args};
use crate::{runtime, App};
use cicada_runtime::{AccountId, Nonce, DECIMALS, SS58_PREFIX};
use codec::{Decode, Encode};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use serde_json::{json, Value};
use sp_core::Bytes;
use sp_runtime::{ApplyExtrinsicResult, OpaqueExtrinsic};

type Answer<T> = Result<T, ErrorObjectOwned>;

/// The chain's name, as the Substrate node calls it.
pub(super) const CHAIN: &str = "Cicada Development";

pub(super) fn register(api: &mut Api) {
    fixed(api, "system_name", || "Cicada Embedded Chain");
    fixed(api, "system_version", || env!("CARGO_PKG_VERSION"));
    fixed(api, "system_chain", || CHAIN);
    fixed(api, "system_chainType", || "Development");
    fixed(api, "system_properties", properties);
    fixed(
        api,
        "system_health",
        || json!({ "peers": 0, "isSyncing": false, "shouldHavePeers": false }),
    );
    fixed(api, "system_nodeRoles", || ["Authority"]);
    fixed(api, "system_peers", || [(); 0]);
    fixed(api, "system_reservedPeers", || [(); 0]);
    fixed(api, "system_localListenAddresses", || [(); 0]);
    // It has no network and no key: the identity hash of nothing.
    fixed(api, "system_localPeerId", || "11");
    api.quick("system_syncState", sync_state, &[]);
    api.quick("system_accountNextIndex", next_index, &["account_nextIndex"]);
    api.slow("system_dryRun", dry_run, &["system_dryRunAt"]);
}

fn fixed<T: Serialize + Clone + Send + 'static>(
    api: &mut Api,
    name: &'static str,
    what: fn() -> T,
) {
    api.quick(name, move |_, _| Ok(what()), &[]);
}

/// How clients show balances and addresses.
pub(super) fn properties() -> Value {
    json!({ "ss58Format": SS58_PREFIX, "tokenDecimals": DECIMALS, "tokenSymbol": "UNIT" })
}

fn sync_state(app: &App, _args: Args) -> Answer<Value> {
    let best = app.node.best().number();
    Ok(json!({ "startingBlock": 0, "currentBlock": best, "highestBlock": best }))
}

/// The first nonce that neither the chain nor the ready transactions have used.
fn next_index(app: &App, mut args: Args) -> Answer<Nonce> {
    let account: AccountId = args.next("account")?;
    let best = app.node.best();
    let view = app.node.state(&best);
    let mut nonce: Nonce = runtime::query(&view, "AccountNonceApi_account_nonce", &account)
        .map_err(|error| error::query("Unable to query nonce.", &error))?;
    app.node.pool(|pool| {
        while pool.provides(&(&account, nonce).encode()) {
            nonce += 1;
        }
    });
    Ok(nonce)
}

fn dry_run(app: &App, mut args: Args) -> Answer<Bytes> {
    const WHAT: &str = "Unable to dry run extrinsic.";
    let bytes: Bytes = args.next("extrinsic")?;
    let block = chain::at(app, args.next("at")?)?;
    let extrinsic = OpaqueExtrinsic::decode(&mut &bytes[..])
        .map_err(|error| error::query_format(WHAT, &error))?;
    let result: ApplyExtrinsicResult =
        runtime::query(&app.node.state(&block), "BlockBuilder_apply_extrinsic", &extrinsic)
            .map_err(|error| error::query(WHAT, &error))?;
    Ok(Bytes(result.encode()))
}

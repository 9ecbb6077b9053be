//! The chain that the program starts.
//!
//! `CICADA_CHAIN_BINARY` names it; without that it is built, so this runs when it is asked for:
//! `cargo test --test chain -- --ignored`

use cicada_localnet::{free_ports, rpc, ChainUrl, Config, Localnet, Options, OwnChain, Part};
use serde_json::json;
use std::path::Path;

fn net(state: &Path, port: u16, tmp: bool) -> Localnet {
    let (state, url) = (Some(state.to_owned()), Some(ChainUrl::local(port)));
    let config: Config = Options { state, url, tmp, ..Options::default() }.settle().unwrap();
    Localnet::new(config)
}

const CHAIN: [Part; 1] = [Part::Chain];

fn height(url: &str) -> String {
    rpc(url, "chain_getHeader", json!([])).unwrap()["number"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs a chain: scripts/test e2e"]
fn a_chain_is_started_once_found_again_and_kept() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_ports(1)[0]);
    let net_of = |tmp| net(folder.path(), port, tmp);
    let (kept, url) = (net_of(false), ChainUrl::local(port).to_string());
    kept.up(&CHAIN).unwrap();
    let (first, well) = kept.status(&CHAIN);
    assert!(well && first.contains("node     embedded chain, "), "{first}");
    rpc(&url, "dev_newBlock", json!([])).unwrap();
    assert_eq!(height(&url), "0x1");

    // Another program with the same settings finds it; what others started alone they end alone.
    let other = net_of(false);
    other.up(&CHAIN).unwrap();
    assert_eq!(other.status(&CHAIN).0, first.replace("block    0", "block    1"));
    other.down(&[]).unwrap();
    assert!(other.status(&CHAIN).1, "it stays");
    let elsewhere = net(folder.path(), free_ports(1)[0], false).up(&CHAIN).unwrap_err();
    assert!(elsewhere.to_string().contains(&url), "{elsewhere}");

    other.down(&CHAIN).unwrap();
    assert!(!other.status(&CHAIN).1);
    kept.up(&CHAIN).unwrap();
    assert_eq!(height(&url), "0x1", "it goes on where it was");
    kept.down(&CHAIN).unwrap();

    let forgotten = net_of(true);
    forgotten.up(&CHAIN).unwrap();
    assert_eq!(height(&url), "0x0", "it begins empty");
    forgotten.down(&CHAIN).unwrap();
}

#[test]
#[ignore = "needs a chain: scripts/test e2e"]
fn a_chain_of_somebody_else_is_used_and_left_running() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = OwnChain::start(folder.path()).unwrap();
    let net = net(&folder.path().join("ours"), theirs.url.port(), true);
    net.up(&CHAIN).unwrap();
    assert!(net.status(&CHAIN).0.contains("process  not started here"));
    net.down(&CHAIN).unwrap();
    assert!(net.status(&CHAIN).1);
}

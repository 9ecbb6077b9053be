//! The newer family of methods: following the head, the archive, transactions on their way.

mod common;

use common::{
    transactions::{free, to_bob, UNIT},
    Chain, Client,
};
use serde_json::{json, Value};
use sp_keyring::Sr25519Keyring::{Alice, Bob};

/// The prefix of all accounts' keys.
const ACCOUNTS: &str = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9";

/// Follows a chain without blocks; the subscription and the genesis' hash.
fn follow(client: &mut Client) -> (String, Value) {
    let follow = client.subscribe("chainHead_v1_follow", json!([true]));
    let first = client.next(&follow);
    assert_eq!(first["event"], "initialized");
    assert_eq!(first["finalizedBlockRuntime"]["spec"]["specName"], "cicada-node");
    let genesis = first["finalizedBlockHashes"][0].clone();
    assert_eq!(
        client.next(&follow),
        json!({ "event": "bestBlockChanged", "bestBlockHash": genesis })
    );
    (follow, genesis)
}

/// Begins an operation; its name.
fn begin(client: &mut Client, method: &str, params: Value) -> String {
    let started = client.ok(method, params);
    assert_eq!(started["result"], "started");
    started["operationId"].as_str().expect("operations have names").to_owned()
}

#[test]
fn a_follower_hears_of_each_block_until_it_is_final() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let (follow, genesis) = follow(&mut client);
    for _ in 0..3 {
        let hash = client.ok("dev_newBlock", json!([]));
        let new = client.next(&follow);
        assert_eq!((&new["event"], &new["blockHash"]), (&json!("newBlock"), &hash));
        assert_eq!(new["newRuntime"], Value::Null);
        let best = json!({ "event": "bestBlockChanged", "bestBlockHash": hash });
        assert_eq!(client.next(&follow), best);
        assert_eq!(client.next(&follow)["finalizedBlockHashes"], json!([hash]));
        let header = client.ok("chainHead_v1_header", json!([follow, hash]));
        assert!(header.as_str().is_some_and(|header| header.len() > 100));
        client.ok("chainHead_v1_unpin", json!([follow, [hash]]));
        assert_eq!(client.error("chainHead_v1_header", json!([follow, hash])).0, -32801);
    }
    assert_eq!(client.error("chainHead_v1_unpin", json!([follow, [genesis, genesis]])).0, -32804);
    client.ok("chainHead_v1_unfollow", json!([follow]));
    assert_eq!(client.ok("chainHead_v1_header", json!([follow, genesis])), Value::Null);
}

#[test]
fn a_follower_asks_for_bodies_storage_and_calls() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let (follow, genesis) = follow(&mut client);
    let call = json!([follow, genesis, "Core_version", "0x"]);
    let operation = begin(&mut client, "chainHead_v1_call", call);
    let done = client.next(&follow);
    assert_eq!(
        (&done["event"], &done["operationId"]),
        (&json!("operationCallDone"), &json!(operation))
    );
    let wrong = begin(&mut client, "chainHead_v1_call", json!([follow, genesis, "No_such", ""]));
    let failed = client.next(&follow);
    assert_eq!(
        (&failed["event"], &failed["operationId"]),
        (&json!("operationError"), &json!(wrong))
    );
    begin(&mut client, "chainHead_v1_body", json!([follow, genesis]));
    assert_eq!(client.next(&follow)["value"], json!([]));

    for kind in ["descendantsValues", "descendantsHashes", "closestDescendantMerkleValue"] {
        let items = json!([follow, genesis, [{ "key": ACCOUNTS, "type": kind }]]);
        begin(&mut client, "chainHead_v1_storage", items);
        let event = client.next(&follow);
        assert_eq!(event["event"], "operationStorageItems");
        let count = event["items"].as_array().map(Vec::len);
        assert_eq!(count, Some(if kind.starts_with("desc") { 12 } else { 1 }), "{kind}");
        assert_eq!(client.next(&follow)["event"], "operationStorageDone");
    }
    let other = chain.client().ok("chainHead_v1_body", json!([follow, genesis]));
    assert_eq!(other["result"], "limitReached", "a follower belongs to its connection");
}

#[test]
fn a_connection_follows_four_times_at_most() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let first = follow(&mut client).0;
    for _ in 0..3 {
        follow(&mut client);
    }
    assert_eq!(client.error("chainHead_v1_follow", json!([false])).0, -32800);
    client.ok("chainHead_v1_unfollow", json!([first]));
    client.ok("chainHead_v1_follow", json!([false]));
}

#[test]
fn the_archive_has_every_block() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let last = client.ok("dev_newBlock", json!([{ "count": 5 }]));
    assert_eq!(client.ok("archive_v1_finalizedHeight", json!([])), 5);
    assert_eq!(client.ok("archive_v1_hashByHeight", json!([5])), json!([last]));
    assert_eq!(client.ok("archive_v1_hashByHeight", json!([6])), json!([]));
    let genesis = client.ok("archive_v1_genesisHash", json!([]));
    let answer = client.ok("archive_v1_call", json!([genesis, "Core_version", ""]));
    assert_eq!(answer["success"], true);
    let items = json!([genesis, [{ "key": ACCOUNTS, "type": "descendantsValues" }], null]);
    let storage = client.subscribe("archive_v1_storage", items);
    for _ in 0..12 {
        assert_eq!(client.next(&storage)["event"], "storage");
    }
    assert_eq!(client.next(&storage)["event"], "storageDone");
}

#[test]
fn a_broadcast_transaction_arrives() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let before = free(&mut client, Bob);
    let heads = client.subscribe("chain_subscribeFinalizedHeads", json!([]));
    let transaction = to_bob(&mut client, Alice, 0, 0);
    assert!(client.ok("transaction_v1_broadcast", transaction).is_string());
    client.until(&heads, |head| head["number"] == "0x1");
    assert_eq!(free(&mut client, Bob), before + UNIT);
    assert_eq!(client.error("transaction_v1_stop", json!(["nothing"])).0, -32602);

    let transaction = to_bob(&mut client, Alice, 1, 0);
    let watch = client.subscribe("transactionWatch_v1_submitAndWatch", transaction.clone());
    assert_eq!(client.next(&watch)["event"], "validated");
    let included = client.next(&watch);
    assert_eq!(included["event"], "bestChainBlockIncluded");
    assert_eq!(included["block"]["index"], 1);
    assert_eq!(client.next(&watch)["block"], included["block"]);
    let again = client.subscribe("transactionWatch_v1_submitAndWatch", transaction);
    assert_eq!(client.next(&again)["event"], "invalid");
}

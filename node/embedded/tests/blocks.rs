//! Blocks, their history, the time, going back, and the state file.

mod common;

use common::{
    command, folder, number,
    transactions::{free, to_bob, UNIT},
    Chain,
};
use serde_json::{json, Value};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};
use std::time::{Duration, Instant};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[test]
fn a_transaction_gets_a_block_at_once_and_no_block_is_empty() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let before = free(&mut client, Bob);
    let transaction = to_bob(&mut client, Alice, 0, 0);
    let watch = client.subscribe("author_submitAndWatchExtrinsic", transaction);
    assert_eq!(client.next(&watch), "ready");
    let block = client.next(&watch)["inBlock"].clone();
    assert_eq!(client.next(&watch), json!({ "finalized": block }));
    assert_eq!(free(&mut client, Bob), before + UNIT);
    assert_eq!(client.height(), 1);
    let extrinsics = client.ok("chain_getBlock", json!([block]))["block"]["extrinsics"].clone();
    assert_eq!(extrinsics.as_array().map(Vec::len), Some(2));
}

#[test]
fn transactions_that_wait_share_a_block() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let transactions: Vec<Value> =
        (0..10).map(|nonce| to_bob(&mut client, Alice, nonce, 0)).collect();
    // The first comes last, so that all others wait for it.
    let last = client.subscribe("author_submitAndWatchExtrinsic", transactions[9].clone());
    assert_eq!(client.next(&last), "future");
    for transaction in transactions[..9].iter().rev() {
        client.ok("author_submitExtrinsic", transaction.clone());
    }
    client.until(&last, |status| status.get("finalized").is_some());
    assert_eq!(client.height(), 1);
}

#[test]
fn every_block_stays_readable() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let watch = client.subscribe("chain_subscribeNewHeads", json!([]));
    assert_eq!(client.next(&watch)["number"], "0x0");
    let start = free(&mut client, Bob);
    for nonce in 0..20 {
        let transaction = to_bob(&mut client, Alice, nonce, 0);
        client.ok("author_submitExtrinsic", transaction);
        assert_eq!(number(&client.next(&watch)["number"]), u64::from(nonce) + 1);
    }
    let account =
        frame_system::Account::<cicada_runtime::Runtime>::hashed_key_for(Bob.to_account_id());
    let key = sp_core::Bytes(account);
    let first = client.ok("chain_getBlockHash", json!([1]));
    let sets = client.ok("state_queryStorage", json!([[key], first]));
    assert_eq!(sets.as_array().map(Vec::len), Some(20));
    let hashes = client.ok("chain_getBlockHash", json!([[0, 7, "0x14", 21]]));
    assert_eq!(hashes[3], Value::Null);
    let old = client.ok("state_getStorage", json!([key, hashes[0]]));
    assert_ne!(old, client.ok("state_getStorage", json!([key, hashes[2]])));
    assert_eq!(free(&mut client, Bob), start + 20 * UNIT);
    let proof = client.ok("state_getReadProof", json!([[key], hashes[1]]));
    assert!(proof["proof"].as_array().is_some_and(|nodes| !nodes.is_empty()));
}

#[test]
fn a_day_passes_in_under_a_second() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    client.ok("dev_newBlock", json!([]));
    let (start, clock) = (client.time(), Instant::now());
    client.ok("dev_timeTravel", json!([DAY_MS]));
    client.ok("dev_newBlock", json!({ "count": 100 }));
    assert!(clock.elapsed() < Duration::from_secs(1));
    let passed = client.time() - start;
    assert!((DAY_MS..DAY_MS + 10_000).contains(&passed), "{passed} ms");
    assert_eq!(client.height(), 101);
}

#[test]
fn the_next_block_has_the_time_that_was_set() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    client.ok("dev_setTime", json!([5000]));
    client.ok("dev_newBlock", json!([]));
    assert_eq!(client.time(), 5000);
    let (code, error) = client.error("dev_setTime", json!({ "time": "0x1388" }));
    assert_eq!(code, -32602);
    assert!(error.contains("the newest block's time is 5000 ms"), "{error}");
    client.ok("dev_setTime", json!({ "time": "0x1389" }));
    client.ok("dev_newBlock", json!([{ "to": 2 }]));
    assert_eq!(client.time(), 5001);
    let (_, error) = client.error("dev_newBlock", json!([{ "to": 1 }]));
    assert!(error.contains("at block 2 already"), "{error}");
}

#[test]
fn going_back_forgets_blocks_and_tells_the_followers() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    client.ok("dev_newBlock", json!([{ "count": 3 }]));
    let (start, head) = (free(&mut client, Bob), client.ok("chain_getBlockHash", json!([])));
    let heads = client.subscribe("chain_subscribeNewHeads", json!([]));
    let follow = client.subscribe("chainHead_v1_follow", json!([false]));
    assert_eq!(number(&client.next(&heads)["number"]), 3);
    let snapshot = client.ok("dev_snapshot", json!([]));

    for _ in 0..2 {
        let transaction = to_bob(&mut client, Alice, 0, 0);
        let watch = client.subscribe("author_submitAndWatchExtrinsic", transaction);
        let status = client.until(&watch, |status| status.get("finalized").is_some());
        assert_eq!(number(&client.next(&heads)["number"]), 4);
        assert_eq!(free(&mut client, Bob), start + UNIT);

        assert_eq!(client.ok("dev_revert", json!([snapshot])), head);
        assert_eq!(number(&client.next(&heads)["number"]), 3);
        assert_eq!(client.ok("chain_getFinalizedHead", json!([])), head);
        assert_eq!(free(&mut client, Bob), start);
        let gone = json!([status["finalized"]]);
        assert_eq!(client.ok("chain_getBlock", gone), Value::Null);
    }
    client.until(&follow, |event| event["event"] == "stop");
    let (_, error) = client.error("dev_revert", json!([7]));
    assert!(error.contains("no snapshot 7"), "{error}");
}

#[test]
fn a_balance_can_be_set_and_the_issuance_follows() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let issuance = "0xc2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80";
    let before = client.ok("state_getStorage", json!([issuance]));
    let charlie = Charlie.to_account_id().to_string();
    client.ok("dev_setBalance", json!([charlie, "123000000000000000000"]));
    assert_eq!(free(&mut client, Charlie), 123_000_000 * UNIT);
    assert_eq!(client.height(), 1);
    assert_ne!(client.ok("state_getStorage", json!([issuance])), before);
    let (code, _) = client.error("dev_setBalance", json!(["nobody", 1]));
    assert_eq!(code, -32602);
}

#[test]
fn blocks_come_by_the_clock_if_asked_for() {
    let chain = Chain::start(&["--block-interval-ms", "20"]);
    let mut client = chain.client();
    let heads = client.subscribe("chain_subscribeNewHeads", json!([]));
    client.until(&heads, |head| number(&head["number"]) == 5);
}

#[test]
fn the_chain_goes_on_from_its_file() {
    let path = folder("goes-on").join("chain.state");
    let options = ["--finalize-delay-sec", "0", "--state", path.to_str().expect("it is text")];
    let chain = Chain::start(&options);
    let mut client = chain.client();
    client.ok("dev_timeTravel", json!([DAY_MS]));
    let transaction = to_bob(&mut client, Alice, 0, 0);
    let watch = client.subscribe("author_submitAndWatchExtrinsic", transaction);
    client.until(&watch, |status| status.get("finalized").is_some());
    let (head, time) = (client.ok("chain_getFinalizedHead", json!([])), client.time());
    let money = free(&mut client, Bob);
    assert!(chain.stop().success());

    let chain = Chain::start(&options);
    let mut client = chain.client();
    assert_eq!(client.ok("chain_getFinalizedHead", json!([])), head);
    assert_eq!(free(&mut client, Bob), money);
    client.ok("dev_newBlock", json!([]));
    assert!(client.time() > time);
    client.ok("dev_saveState", json!([]));
    drop(chain);

    let mut bytes = std::fs::read(&path).expect("it was saved");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("it can be written");
    assert!(refusal(&options).contains("damaged"));
    bytes.truncate(middle);
    std::fs::write(&path, &bytes).expect("it can be written");
    assert!(refusal(&options).contains("damaged"));
    std::fs::write(&path, "something else, and long enough for a checksum").expect("as before");
    assert!(refusal(&options).contains("not a state file"));
}

#[test]
fn a_file_that_many_write_at_once_is_always_whole() {
    let (path, copy) =
        (folder("at-once").join("chain.state"), folder("at-once-copy").join("chain.state"));
    let options = |path: &std::path::Path| ["--state".to_owned(), path.display().to_string()];
    let [state, file] = options(&path);
    let chain = Chain::start(&[&state, &file]);
    chain.client().ok("dev_newBlock", json!([1000]));
    chain.client().ok("dev_saveState", json!([]));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = chain.client();
                for _ in 0..25 {
                    client.ok("dev_saveState", json!([]));
                }
            });
        }
        for _ in 0..10 {
            std::fs::copy(&path, &copy).expect("it is there");
            let [state, file] = options(&copy);
            let chain = Chain::start(&[&state, &file]);
            assert_eq!(chain.client().height(), 1000);
        }
    });
    assert!(chain.stop().success());
}

#[test]
fn a_file_of_another_genesis_is_refused() {
    let folder = folder("other-genesis");
    let (code, state) = (folder.join("code.wasm"), folder.join("chain.state"));
    std::fs::write(&code, "not even Wasm").expect("it can be written");
    let state = ["--state", state.to_str().expect("it is text")];
    let chain = Chain::start(&state);
    assert!(chain.stop().success());
    let both = [state[0], state[1], "--code", code.to_str().expect("it is text")];
    assert!(refusal(&both).contains("--code"));
}

/// What the program says when it does not start.
fn refusal(options: &[&str]) -> String {
    let output = command(options).output().expect("it starts");
    assert!(!output.status.success());
    String::from_utf8(output.stderr).expect("it speaks text")
}

//! Bad input gets a clear error, and the chain goes on.

mod common;

use common::{number, Chain};
use serde_json::{json, Value};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// What a POST of `body` is answered: the status and the body.
fn post(chain: &Chain, body: &[u8], header: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(&chain.address).expect("it listens");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nConnection: close\r\n{header}\
         Content-Length: {}\r\n\r\n",
        chain.address,
        body.len()
    );
    // It may answer and hang up before it has read everything.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status.unwrap_or_default(), body.unwrap_or_default())
}

/// The code of the JSON-RPC error in an answer.
fn code(answer: &str) -> i64 {
    let answer: Value = serde_json::from_str(answer).expect("errors are JSON");
    answer["error"]["code"].as_i64().expect("errors have codes")
}

#[test]
fn garbage_gets_a_parse_error() {
    let chain = Chain::start(&[]);
    for garbage in ["{", "garbage", "[1, 2", "\u{0}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"] {
        assert_eq!(code(&post(&chain, garbage.as_bytes(), "").1), -32700, "{garbage}");
    }
    assert_eq!(code(&post(&chain, &[0xff, 0xfe, 0x80], "").1), -32700);
    let deep = "[".repeat(1_000_000);
    assert_eq!(code(&post(&chain, deep.as_bytes(), "").1), -32700);
    let deep = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_getBlock\",\"params\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(post(&chain, deep.as_bytes(), "").1.contains("error"));
    chain.client().ok("system_health", json!([]));
}

#[test]
fn a_huge_body_is_refused() {
    let chain = Chain::start(&[]);
    let huge = vec![b' '; 16 * 1024 * 1024];
    let (status, answer) = post(&chain, &huge, "");
    assert!(status == 413 || code(&answer) == -32007, "{status} {answer}");
    chain.client().ok("system_health", json!([]));
}

#[test]
fn wrong_requests_get_the_error_that_says_why() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    assert_eq!(client.error("no_such_method", json!([])).0, -32601);
    for (method, params) in [
        ("chain_getBlock", json!([5])),
        ("chain_getBlock", json!({ "hash": "0x12" })),
        ("chain_getBlockHash", json!(["x"])),
        ("state_getStorage", json!([])),
        ("state_getStorage", json!(["not hex"])),
        ("state_call", json!(["Core_version"])),
        ("state_subscribeStorage", json!([])),
        ("childstate_getStorage", json!(["0x00", "0x00"])),
        ("dev_newBlock", json!([{ "count": -1 }])),
        ("dev_newBlock", json!([1_000_000])),
        ("dev_setTime", json!(["0xffffffffffffffffffffffffffffffffff"])),
        ("dev_timeTravel", json!([u64::MAX])),
        ("dev_setBalance", json!(["5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "-5"])),
        ("dev_revert", json!([])),
        ("dev_saveState", json!([])),
        ("dev_saveState", json!(["/tmp/chain.state"])),
        ("dev_saveState", json!({ "path": "/tmp/chain.state" })),
        ("chainHead_v1_follow", json!(["yes"])),
        ("transaction_v1_broadcast", json!(["0x"])),
    ] {
        let (code, error) = client.error(method, params.clone());
        assert_eq!(code, -32602, "{method} {params}: {error}");
    }
    assert_eq!(client.error("author_submitExtrinsic", json!(["0x0c01"])).0, 1001);
    assert_eq!(client.error("author_submitExtrinsic", json!(["0x0c010203"])).0, 1002);
    assert_eq!(client.error("state_getKeysPaged", json!(["0x", 1001])).0, 4002);
    let nowhere = format!("0x{}", "12".repeat(32));
    assert_eq!(client.error("state_getStorage", json!(["0x00", nowhere])).0, 4003);
    assert_eq!(client.ok("chain_getBlock", json!([nowhere])), Value::Null);
    let (code, error) =
        client.error("state_call", json!(["AccountNonceApi_account_nonce", "0x1234"]));
    assert_eq!(code, 4003);
    assert!(error.contains("the runtime panicked"), "{error}");
}

#[test]
fn a_storage_query_is_answered_up_to_a_message_and_no_further() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let head = client.ok("chain_getBlockHash", json!([]));
    let memory = chain.resident_kib();
    for (kind, times) in
        [("descendantsValues", 10_000), ("descendantsHashes", 10_000), ("value", 10_001)]
    {
        let items = vec![json!({ "key": "0x", "type": kind }); times];
        let storage = client.subscribe("archive_v1_storage", json!([head, items, null]));
        let last = client.until(&storage, |event| event["event"] != "storage");
        assert_eq!(last["event"], "storageError", "{kind}: {last}");
        let error = last["error"].as_str().unwrap_or_default();
        assert!(error.contains("count exceeds maximum value"), "{kind}: {error}");
    }
    let grown = chain.resident_kib().saturating_sub(memory);
    assert!(grown < 200 * 1024, "{grown} KiB");
}

#[test]
fn nested_calls_do_not_exhaust_the_stack() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    // Unsigned and version 4, then sudo(sudo(sudo(…))).
    let nested: Vec<u8> = [4].into_iter().chain([5, 0].repeat(1_000_000)).collect();
    let length = codec::Encode::encode(&codec::Compact(nested.len() as u32));
    let transaction = sp_core::Bytes([length, nested].concat());
    client.call("author_submitExtrinsic", json!([transaction])).expect_err("it has no end");
    client.call("payment_queryInfo", json!([transaction])).expect_err("it has no end");
    client.ok("system_health", json!([]));
}

#[test]
fn a_reader_that_never_reads_holds_up_nobody() {
    const BLOCKS: u64 = 4000;
    let mut chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut lazy = chain.client();
    for _ in 0..64 {
        lazy.send("chain_subscribeNewHeads", json!([]));
    }
    let mut client = chain.client();
    let heads = client.subscribe("chain_subscribeNewHeads", json!([]));
    let (start, memory) = (Instant::now(), chain.resident_kib());
    for _ in 0..BLOCKS / 500 {
        client.ok("dev_newBlock", json!([500]));
        let height = client.height();
        client.until(&heads, |head| number(&head["number"]) == height);
    }
    assert_eq!(client.height(), BLOCKS);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    // Heads that wait would be 64 subscriptions of 4000 heads of half a kilobyte: 125 MiB and more.
    let grown = chain.resident_kib() - memory;
    assert!(grown < 80 * 1024, "{grown} KiB for {BLOCKS} empty blocks");
    assert!(chain.is_alive());
}

#[test]
fn who_asks_and_never_reads_is_not_read_either() {
    const MOST: u64 = 1_000_000;
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    client.ok("state_getMetadata", json!([]));
    let memory = chain.resident_kib();
    assert!(chain.client().flood("state_getMetadata", MOST) < MOST);
    // At most 64 are answered at once: half a megabyte each, and some copies while it becomes JSON.
    let grown = chain.resident_kib() - memory;
    assert!(grown < 64 * 16 * 1024, "{grown} KiB");
    client.ok("system_health", json!([]));
}

#[test]
fn too_many_connections_are_turned_away_and_the_others_go_on() {
    let chain = Chain::start(&["--max-connections", "10"]);
    let mut clients: Vec<_> = (0..10).map(|_| chain.client()).collect();
    let (status, _) = post(&chain, b"{}", "");
    assert_eq!(status, 429);
    for client in &mut clients {
        client.ok("system_health", json!([]));
    }
    drop(clients);
    let start = Instant::now();
    while post(&chain, b"{}", "").0 == 429 {
        assert!(start.elapsed() < Duration::from_secs(30), "connections are not given back");
    }
}

#[test]
fn foreign_web_pages_are_turned_away() {
    let chain = Chain::start(&[]);
    let request = br#"{"jsonrpc":"2.0","id":1,"method":"system_chain"}"#;
    for (origin, status) in [
        ("https://polkadot.js.org", 200),
        ("http://localhost:3000", 200),
        ("http://127.0.0.1", 200),
        ("https://example.org", 403),
        ("http://localhost.example.org", 403),
        ("null", 403),
    ] {
        let header = format!("Origin: {origin}\r\n");
        assert_eq!(post(&chain, request, &header).0, status, "{origin}");
    }
}

#[test]
fn requests_under_a_name_that_is_not_the_chains_are_turned_away() {
    let chain = Chain::start(&["--hosts", "Chain.example,other.example"]);
    let (_, port) = chain.address.rsplit_once(':').expect("there is a port");
    let status = |host: &str| {
        let mut stream = TcpStream::connect(&chain.address).expect("it listens");
        let request = br#"{"jsonrpc":"2.0","id":1,"method":"system_chain"}"#;
        let head = format!(
            "POST / HTTP/1.1\r\n{host}Content-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n",
            request.len()
        );
        let _ = stream.write_all(&[head.as_bytes(), request].concat());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    };
    for own in ["127.0.0.1", "[::1]", "10.0.0.7", "localhost", "chain.example", "OTHER.example"] {
        assert_eq!(status(&format!("Host: {own}:{port}\r\n")), 200, "{own}");
        assert_eq!(status(&format!("Host: {own}\r\n")), 200, "{own}");
    }
    for foreign in ["evil.example", "localhost.evil", "127.0.0.1.evil.example", "example"] {
        assert_eq!(status(&format!("Host: {foreign}:{port}\r\n")), 403, "{foreign}");
    }
    assert_ne!(status(""), 200);
}

#[test]
fn the_same_long_value_many_times_is_not_put_together_first() {
    const CODE: &str = "0x3a636f6465";
    let code = common::folder("long-value").join("code.wasm");
    std::fs::write(&code, vec![7; 256 * 1024]).expect("it can be written");
    let chain = Chain::start(&["--code", code.to_str().expect("it is text")]);
    let mut client = chain.client();
    let head = client.ok("chain_getBlockHash", json!([]));
    let few = client.ok("state_queryStorageAt", json!([[CODE, CODE], head]));
    assert_eq!(few[0]["changes"].as_array().expect("a list").len(), 2);
    let memory = chain.resident_kib();
    // 2.5 GiB, if it were put together.
    let keys = vec![CODE; 10_000];
    for (method, params) in [
        ("state_queryStorageAt", json!([keys, head])),
        ("state_queryStorage", json!([keys, head, head])),
        ("state_subscribeStorage", json!([keys])),
    ] {
        assert_eq!(client.error(method, params).0, 4002, "{method}");
    }
    let grown = chain.resident_kib().saturating_sub(memory);
    assert!(grown < 200 * 1024, "{grown} KiB");
}

#[test]
fn a_second_chain_at_the_same_port_says_so() {
    let chain = Chain::start(&[]);
    let port = chain.address.rsplit(':').next().expect("there is a port");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cicada-chain"))
        .args(["--rpc-port", port])
        .output()
        .expect("it starts");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--rpc-port"), "{said}");
}

//! How many transfers a second the chain takes; `cargo test --release --test throughput -- --ignored --nocapture`.

mod common;

use common::{
    transactions::{signed, transfer, UNIT},
    Chain,
};
use serde_json::json;
use sp_core::Bytes;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use std::time::Instant;

const SENDERS: [Sr25519Keyring; 6] = [Alice, Bob, Charlie, Dave, Eve, Ferdie];
const EACH: u32 = 500;
/// How many requests are under way at most.
const WINDOW: usize = 50;

#[test]
#[ignore = "a measurement"]
fn transfers() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let genesis = client.genesis();
    let mut transactions = Vec::new();
    for nonce in 0..EACH {
        for sender in SENDERS {
            let call = transfer(Sr25519Keyring::One.to_account_id(), UNIT);
            transactions.push(json!([Bytes(signed(call, sender, nonce, 0, genesis))]));
        }
    }
    let last = transactions.pop().expect("there are some");
    let (start, computed) = (Instant::now(), chain.cpu_ms());
    for (place, transaction) in transactions.into_iter().enumerate() {
        if place % WINDOW == 0 {
            client.ok("author_submitExtrinsic", transaction);
        } else {
            client.send("author_submitExtrinsic", transaction);
        }
    }
    let watch = client.subscribe("author_submitAndWatchExtrinsic", last);
    client.until(&watch, |status| status.get("finalized").is_some());
    let (elapsed, computed) = (start.elapsed(), chain.cpu_ms() - computed);
    let count = u64::from(EACH) * SENDERS.len() as u64;
    println!(
        "{count} transfers in {elapsed:.1?}, {} blocks: {:.0} a second; {} µs of CPU each; {} MiB resident",
        client.height(),
        count as f64 / elapsed.as_secs_f64(),
        computed * 1000 / count,
        chain.resident_kib() / 1024,
    );
}

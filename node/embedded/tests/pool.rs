//! What the pool says about transactions that it does not take, or not yet.

mod common;

use common::{
    transactions::{free, signed, to_bob, transfer, UNIT},
    Chain,
};
use serde_json::json;
use sp_core::Bytes;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};

#[test]
fn a_used_nonce_is_outdated_and_then_banned() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let transaction = to_bob(&mut client, Alice, 0, 0);
    let watch = client.subscribe("author_submitAndWatchExtrinsic", transaction.clone());
    client.until(&watch, |status| status.get("finalized").is_some());
    assert_eq!(client.error("author_submitExtrinsic", transaction).0, 1012);

    let stale = to_bob(&mut client, Alice, 0, 7);
    let (code, error) = client.error("author_submitExtrinsic", stale.clone());
    assert_eq!(code, 1010);
    assert!(error.contains("Transaction is outdated"), "{error}");
    assert_eq!(client.error("author_submitAndWatchExtrinsic", stale).0, 1012);
}

#[test]
fn a_later_nonce_waits_for_the_earlier_one() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let account = json!([Alice.to_account_id()]);
    let later = to_bob(&mut client, Alice, 1, 0);
    let watch = client.subscribe("author_submitAndWatchExtrinsic", later.clone());
    assert_eq!(client.next(&watch), "future");
    assert_eq!(client.error("author_submitExtrinsic", later).0, 1013);
    assert_eq!(client.ok("system_accountNextIndex", account.clone()), 0);
    let earlier = to_bob(&mut client, Alice, 0, 0);
    client.ok("author_submitExtrinsic", earlier);
    client.until(&watch, |status| status.get("finalized").is_some());
    assert_eq!(client.ok("system_accountNextIndex", account), 2);
}

#[test]
fn who_pays_more_takes_the_place_of_who_pays_less() {
    let chain = Chain::start(&["--block-interval-ms", "3600000"]);
    let mut client = chain.client();
    let cheap = to_bob(&mut client, Alice, 0, 1000);
    let watch = client.subscribe("author_submitAndWatchExtrinsic", cheap);
    assert_eq!(client.next(&watch), "ready");
    let cheaper = to_bob(&mut client, Alice, 0, 0);
    let (code, error) = client.error("author_submitExtrinsic", cheaper);
    assert_eq!(code, 1014);
    assert!(error.contains("Priority is too low"), "{error}");
    let dear = to_bob(&mut client, Alice, 0, UNIT);
    let hash = client.ok("author_submitExtrinsic", dear.clone());
    assert_eq!(client.next(&watch), json!({ "usurped": hash }));
    assert_eq!(client.ok("author_pendingExtrinsics", json!([])), dear);
    assert_eq!(client.ok("system_accountNextIndex", json!([Alice.to_account_id()])), 1);
}

#[test]
fn nobody_sends_what_they_do_not_have() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let genesis = client.genesis();
    let poor = Sr25519Keyring::One;
    let call = transfer(Bob.to_account_id(), UNIT);
    let transaction = json!([Bytes(signed(call, poor, 0, 0, genesis))]);
    let (code, error) = client.error("author_submitExtrinsic", transaction);
    assert_eq!(code, 1010);
    assert!(error.contains("Inability to pay some fees"), "{error}");
}

#[test]
fn a_transaction_of_another_chain_is_refused() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    let call = transfer(Bob.to_account_id(), UNIT);
    let transaction = json!([Bytes(signed(call, Alice, 0, 0, Default::default()))]);
    let (code, error) = client.error("author_submitExtrinsic", transaction);
    assert_eq!(code, 1010);
    assert!(error.contains("bad signature"), "{error}");
}

#[test]
fn what_waits_for_others_makes_room_for_who_pays() {
    // More than there is room for, although answers overtake each other.
    const WAITING: u32 = 1200;
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    for nonce in 1..=WAITING {
        let transaction = to_bob(&mut client, Alice, nonce, 0);
        client.send("author_submitExtrinsic", transaction);
    }
    let transaction = to_bob(&mut client, Alice, WAITING + 1, 0);
    let (code, error) = client.error("author_submitExtrinsic", transaction);
    assert_eq!(code, 1016, "{error}");
    let dear = to_bob(&mut client, Alice, WAITING + 1, UNIT);
    client.ok("author_submitExtrinsic", dear);
}

#[test]
fn hundreds_of_transfers_arrive() {
    const TRANSFERS: u32 = 300;
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    let mut client = chain.client();
    let before = free(&mut client, Bob);
    let mut watch = String::new();
    for nonce in 0..TRANSFERS {
        let transaction = to_bob(&mut client, Alice, nonce, 0);
        if nonce + 1 < TRANSFERS {
            client.ok("author_submitExtrinsic", transaction);
        } else {
            watch = client.subscribe("author_submitAndWatchExtrinsic", transaction);
        }
    }
    client.until(&watch, |status| status.get("finalized").is_some());
    assert_eq!(free(&mut client, Bob), before + u128::from(TRANSFERS) * UNIT);
}

#[test]
fn fees_and_dry_runs_are_told_without_a_block() {
    let chain = Chain::start(&[]);
    let mut client = chain.client();
    client.ok("dev_newBlock", json!([]));
    let transaction = to_bob(&mut client, Alice, 0, 0);
    let info = client.ok("payment_queryInfo", transaction.clone());
    let fee: u128 = info["partialFee"].as_str().and_then(|fee| fee.parse().ok()).expect("a fee");
    assert!(fee > 0);
    let details = client.ok("payment_queryFeeDetails", transaction.clone());
    assert!(details["inclusionFee"]["lenFee"].is_string(), "{details}");
    assert_eq!(client.ok("system_dryRun", transaction), "0x0000");
    assert_eq!(client.error("payment_queryInfo", json!(["0x00"])).0, 1);
    assert_eq!(client.error("payment_queryInfo", json!(["0x"])).0, 2);
    assert_eq!(client.height(), 1);
}

//! The embedded chain makes the Substrate node's blocks, hash for hash.
//!
//! The node gets transactions over all contracts; its blocks are then made again by the embedded chain from
//! the same genesis. As a header holds the root of the state, equal hashes say that everything is equal; what
//! differs is looked up and shown.

#[path = "../common/mod.rs"]
mod common;

mod arguments;
mod substrate;
mod walk;

use cicada_embedded::{
    chain::Block,
    clock::Clock,
    node::{self, Node},
    state::Nodes,
};
use cicada_runtime::{opaque, Hash, RuntimeEvent};
use codec::Decode;
use common::{Chain, Client};
use serde_json::{json, Value};
use sp_core::Bytes;
use sp_runtime::generic::SignedBlock;
use sp_state_machine::backend::Backend;
use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};
use substrate::SubstrateNode;
use walk::Walk;

/// How many transactions are compared at least.
const ENOUGH: usize = 200;
/// Where the state has the events of its block.
const EVENTS: &str = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";
/// Where the state has the runtime's code.
const CODE: &str = "0x3a636f6465";
const NODE: &str = "CICADA_NODE_BINARY";
const BUNDLES: &str = "CICADA_BUNDLES";

type EventRecord = frame_system::EventRecord<RuntimeEvent, Hash>;

#[test]
#[ignore = "SKIPPED: needs the Substrate node, whose binary CICADA_NODE_BINARY names"]
fn the_embedded_chain_makes_the_substrate_nodes_blocks() {
    let binary = env::var_os(NODE).unwrap_or_else(|| panic!("{NODE} must name the node's binary"));
    let substrate = SubstrateNode::start(&PathBuf::from(binary));
    let mut client = Client::connect(&substrate.address);
    let code: Bytes = get(&mut client, "state_getStorage", json!([CODE]));
    say(&format!("the Substrate node and the embedded chain: {}", compare(&mut client, &code)));
}

#[test]
fn the_embedded_chain_makes_its_own_blocks_again() {
    let chain = Chain::start(&["--finalize-delay-sec", "0"]);
    say(&format!("two embedded chains: {}", compare(&mut chain.client(), node::NO_CODE)));
}

/// Fills the chain that `client` is connected to, makes its blocks again from a genesis with `code`, and says what
/// was compared.
fn compare(client: &mut Client, code: &[u8]) -> String {
    let nodes = Nodes::default();
    let chain = node::genesis(&nodes, code).expect("the genesis builds");
    assert_eq!(chain.genesis().hash, client.genesis(), "the first blocks differ");
    let embedded = Node::new(nodes, chain, Clock::default(), Duration::ZERO);

    let bundles = env::var_os(BUNDLES).map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contracts/bundles"),
        PathBuf::from,
    );
    let mut walk = Walk::new(client);
    walk.transfers(client);
    walk.deploy_all(client, &bundles);
    walk.call_all(client);
    walk.go_wrong(client);

    let mut compared = Compared::default();
    for number in 1..=client.height() {
        let hash: Hash = get(client, "chain_getBlockHash", json!([number]));
        let block: SignedBlock<opaque::Block> = get(client, "chain_getBlock", json!([hash]));
        compared.block(client, &embedded, block.block, hash);
    }
    let dry_runs = walk.dry_runs(client, &embedded.best(), &embedded);
    assert!(compared.transactions >= ENOUGH, "only {} transactions", compared.transactions);
    format!("{compared} and {dry_runs} dry runs, no difference")
}

/// Says something also when the test passes.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "equivalence: {line}");
}

fn get<T: serde::de::DeserializeOwned>(client: &mut Client, method: &str, params: Value) -> T {
    serde_json::from_value(client.ok(method, params)).expect("answers have the usual types")
}

/// What was compared.
#[derive(Default)]
struct Compared {
    blocks: usize,
    transactions: usize,
    failed: usize,
    events: BTreeMap<String, usize>,
    fees: u128,
}

impl Compared {
    /// Makes the node's block again and compares all that came of it.
    fn block(&mut self, client: &mut Client, embedded: &Node, block: opaque::Block, hash: Hash) {
        let number = block.header.number;
        let transactions = block.extrinsics.len() - 1;
        let own = embedded
            .replay(block.extrinsics)
            .unwrap_or_else(|error| panic!("block {number} cannot be made again: {error}"));
        let events: Bytes = get(client, "state_getStorage", json!([EVENTS, hash]));
        let events = decode(&events);
        let key = sp_core::bytes::from_hex(EVENTS).expect("it is hexadecimal");
        let own_events = embedded.state(&own).storage(&key).expect("the state is there");
        let own_events = decode(&own_events.unwrap_or_default());
        for (place, (event, own)) in events.iter().zip(&own_events).enumerate() {
            assert_eq!(event, own, "event {place} of block {number} differs");
        }
        assert_eq!(events.len(), own_events.len(), "block {number} has more events on one side");
        if own.hash != hash {
            panic!(
                "block {number} differs.\nSubstrate: {:#?}\nembedded: {:#?}\n{}",
                block.header,
                own.header,
                difference(client, embedded, &own, hash)
            );
        }
        self.blocks += 1;
        self.transactions += transactions;
        events.iter().for_each(|record| self.count(&record.event));
    }

    fn count(&mut self, event: &RuntimeEvent) {
        match event {
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { .. }) => self.failed += 1,
            RuntimeEvent::TransactionPayment(
                pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. },
            ) => self.fees += actual_fee,
            _ => {}
        }
        let name = format!("{event:?}");
        let pallet = name.split(['(', ' ']).next().unwrap_or_default().to_owned();
        *self.events.entry(pallet).or_default() += 1;
    }
}

impl std::fmt::Display for Compared {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { blocks, transactions, failed, fees, events } = self;
        write!(
            out,
            "{transactions} signed transactions ({failed} of them failed) in {blocks} blocks, fees of \
             {fees} plancks, events {events:?}"
        )
    }
}

fn decode(events: &[u8]) -> Vec<EventRecord> {
    Vec::decode(&mut &events[..]).expect("they are events")
}

/// The first keys whose values differ.
fn difference(client: &mut Client, embedded: &Node, own: &Block, hash: Hash) -> String {
    let pairs: Vec<(Bytes, Bytes)> = get(client, "state_getPairs", json!(["0x", hash]));
    let view = embedded.state(own);
    let differing = pairs.into_iter().filter_map(|(key, value)| {
        let own = view.storage(&key).expect("the state is there");
        (own.as_deref() != Some(&value[..])).then(|| {
            let key = Bytes(key.to_vec());
            format!("{key:?}\n  Substrate {value:?}\n  embedded  {:?}", own.map(Bytes))
        })
    });
    differing.take(5).collect::<Vec<_>>().join("\n")
}

//! A transaction that is lost sight of: the node ends between its block and its finality.
//!
//! Needs the embedded chain, so it runs when it is asked for:
//! `CICADA_CHAIN_BINARY=$(scripts/node build) cargo test -p cicada-chain --test underway -- --ignored`

use cicada_chain::{signer, Chain, Error, Fate};
use cicada_core::Account;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const AMOUNT: u128 = 1_000_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// The chain as a process; killed when dropped.
struct Node {
    child: Child,
    url: String,
}

impl Node {
    fn start(state: &Path, port: u16, finality_seconds: &str) -> Self {
        let binary = std::env::var("CICADA_CHAIN_BINARY").expect("the path of the embedded chain");
        let child = Command::new(binary)
            .args(["--rpc-port", &port.to_string(), "--finalize-delay-sec", finality_seconds])
            .arg("--state")
            .arg(state)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, url: format!("ws://127.0.0.1:{port}") }
    }

    async fn chain(&self) -> Chain {
        let begin = Instant::now();
        loop {
            match Chain::connect(&self.url).await {
                Ok(chain) => return chain,
                Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it as an administrator does: it writes its chain.
    fn end(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the embedded chain"]
async fn what_was_lost_sight_of_is_said_to_be_perhaps_done_and_its_fate_can_be_known() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("chain");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let node = Node::start(&state, port, "3600");
    let chain = node.chain().await;
    let (alice, to) = (signer("//Alice").unwrap(), [7; 32]);
    let sender = chain.clone();
    let sent = tokio::spawn(async move { sender.transfer(&alice, &Account(to), AMOUNT).await });
    let begin = Instant::now();
    while chain.block_hash(1).await.unwrap().is_none() {
        assert!(begin.elapsed() < PATIENCE, "no block");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    node.end();
    let error = sent.await.unwrap().err().expect("nobody saw it final");
    let Error::Unknown { underway, .. } = &error else { panic!("{error}") };
    let said = error.to_string();
    assert!(said.contains("it may still be done") && said.contains("look for 0x"), "{said}");

    let node = Node::start(&state, port, "0");
    let chain = node.chain().await;
    let begin = Instant::now();
    loop {
        match chain.fate(underway).await.unwrap() {
            Fate::Open => assert!(begin.elapsed() < PATIENCE, "not known"),
            fate => break assert_eq!(fate, Fate::Used),
        }
        // A block, after which the one before is final.
        chain.send(&cicada_chain::Call::remark(), &signer("//Bob").unwrap()).await.unwrap();
    }
    assert_eq!(chain.balance(&Account(to)).await.unwrap(), AMOUNT, "it was done: once");
}

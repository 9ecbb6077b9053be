//! A whole deployment for tests: a chain of its own, the contracts, 23 node processes, on ports
//! and in a folder that nothing else uses. Everything is started as the program `localnet` does, and
//! stopped when the value is dropped.

pub mod trading;

use cicada_chain::Chain;
use cicada_core::leaderboard::Proposal;
use cicada_e2e::{programs, repository, script};
use cicada_localnet::{Config, Owned, Part};
use cicada_network::{Network, NodeKeys, Proposer};
use cicada_node_api::{Certified, Client, Error, Limits, Node, Pass};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The seats of the specification.
pub const SEATS: u8 = 23;
/// How long an answer that nodes have to agree on may take.
const ANSWER: Duration = Duration::from_secs(90);
/// The longest page of an indexer, in bytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// A running deployment.
pub struct Deployment {
    /// What runs.
    pub net: Owned,
    state: TempDir,
}

impl Deployment {
    /// Starts a chain, deploys the contracts and starts 23 nodes.
    pub fn start() -> Self {
        let state = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config::for_test(state.path()).expect("valid settings");
        // All nodes and the market have a copy of the example.
        config.results = state.path().join("results.jsonl");
        let given = repository().join("examples/results.jsonl");
        std::fs::copy(given, &config.results).expect("a copy of the results");
        let net = Owned::new(config);
        net.up(&[Part::Chain, Part::Committee, Part::Exchange]).expect("a running network");
        Self { net, state }
    }

    /// The evaluation results of all nodes and of the market: a copy of the example.
    pub fn results(&self) -> PathBuf {
        self.net.config.results.clone()
    }

    /// Runs `scripts/deploy_paxos.sh` for this deployment; panics if it fails.
    pub fn script(&self, args: &[&str]) {
        let output = self.here(script("deploy_paxos.sh")).args(args).output();
        let output = output.expect("the script can be run");
        assert!(
            output.status.success(),
            "deploy_paxos.sh {args:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }

    /// A program of this repository, for this deployment.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.here(Command::new(programs().join(program)))
    }

    fn here(&self, mut command: Command) -> Command {
        command
            .current_dir(repository())
            .env("CICADA_STATE", self.state.path())
            .env("CICADA_URL", self.net.config.url.as_str())
            .env("CICADA_BASE_PORT", self.net.config.base_port.to_string())
            .env("CICADA_NETWORK", self.net.network_file())
            .env("CICADA_RESULTS", self.results());
        command
    }

    /// Where the addresses of this deployment stand.
    pub fn addresses(&self) -> PathBuf {
        self.net.config.addresses.clone()
    }

    /// The network file.
    pub fn network(&self) -> Network {
        self.net.network().expect("a valid network file")
    }

    /// The keys of a node.
    pub fn keys(&self, seat: u8) -> NodeKeys {
        NodeKeys::load(&self.net.key_file(seat)).expect("a valid key file")
    }

    /// The table that `paxos-market` writes.
    pub fn leaderboard_file(&self) -> PathBuf {
        self.state.path().join("LEADERBOARD.md")
    }

    /// Runs `paxos-market` to its end.
    pub fn market(&self) -> Output {
        self.command("paxos-market")
            .arg("--network")
            .arg(self.net.network_file())
            .arg("--out")
            .arg(self.leaderboard_file())
            .output()
            .expect("paxos-market can be run")
    }

    /// Runs `paxos-market`, which must succeed; returns its last line.
    pub fn finalizes(&self) -> String {
        let output = self.market();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "paxos-market: {}\n{text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// Runs the example that reads the chain through polkadot.js; returns what it prints.
    pub fn read_by_polkadot_js(&self) -> String {
        let root = repository();
        let output = Command::new("node")
            .arg(root.join("frontend-abi/examples/read-leaderboard.mjs"))
            .arg(self.addresses())
            .arg(self.net.config.url.as_str())
            .output()
            .expect("node can be run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "read-leaderboard.mjs: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// A connection to the chain.
    pub async fn chain(&self) -> Chain {
        Chain::connect(self.net.config.url.as_str()).await.expect("the chain answers")
    }

    /// A node.
    pub fn node(&self, seat: u8) -> Node {
        client().node(self.net.node_url(seat))
    }

    /// Waits until a node answers.
    pub async fn wait_for(&self, seat: u8) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.node(seat).status().await.is_err() {
            assert!(Instant::now() < deadline, "node {seat} does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Proposes through a node.
    pub async fn propose(
        &self,
        seat: u8,
        proposal: &Proposal,
    ) -> Result<Certified<Proposal>, Error> {
        let proposer = Proposer::of(&self.network(), Arc::new(self.keys(seat))).expect("a seat");
        self.node(seat).propose(proposal, &Pass::Seat(proposer), seat).await
    }
}

pub(crate) fn client() -> Client {
    let limits = Limits { propose: ANSWER, one: LONGEST, ..Limits::default() };
    Client::with(limits).expect("a client")
}

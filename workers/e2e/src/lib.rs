//! A whole deployment for tests: a chain of its own, the contracts, 23 node processes, on ports
//! and in a folder that nothing else uses. Everything is started by the scripts that a person
//! would use, and stopped when the value is dropped.

pub mod compute;
pub mod trading;

use cicada_chain::{Bundle, Chain, BUNDLES};
use cicada_core::leaderboard::Proposal;
use cicada_network::{Network, NodeKeys};
use parity_scale_codec::{DecodeAll, Encode};
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The seats of the specification.
pub const SEATS: u8 = 23;

/// The root of the repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../..").canonicalize().expect("the repository exists")
}

/// The folder of the built programs: of the profile that this one was built with.
pub fn programs() -> PathBuf {
    let this = std::env::current_exe().expect("a path of this program");
    // A test lies one deeper than a program.
    let folder = this.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    folder.expect("a folder").to_owned()
}

/// A script of this repository that starts programs of this one's profile. They must be built.
pub fn script(name: &str) -> Command {
    let profile = if programs().ends_with("debug") { "dev" } else { "release" };
    let mut command = Command::new(repository().join("scripts").join(name));
    command.env("CICADA_PROFILE", profile).env("CICADA_BUILT", "yes");
    command
}

/// A running deployment.
pub struct Deployment {
    state: TempDir,
    url: String,
    base_port: u16,
}

impl Deployment {
    /// Starts a chain, deploys the contracts and starts 23 nodes.
    pub fn start() -> Self {
        let ports = free_ports(u16::from(SEATS) + 1);
        let deployment = Self {
            state: tempfile::tempdir().expect("a temporary folder"),
            url: format!("ws://127.0.0.1:{}", ports + u16::from(SEATS)),
            base_port: ports,
        };
        let given = repository().join("examples/results.jsonl");
        std::fs::copy(given, deployment.results()).expect("a copy of the results");
        deployment.script(&["start"]);
        deployment
    }

    /// The evaluation results of all nodes and of the market: a copy of the example.
    pub fn results(&self) -> PathBuf {
        self.state.path().join("results.jsonl")
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
            .env("CICADA_URL", &self.url)
            .env("CICADA_BASE_PORT", self.base_port.to_string())
            .env("CICADA_ADDRESSES", self.addresses())
            .env("CICADA_RESULTS", self.results());
        command
    }

    /// Where the addresses of this deployment stand.
    pub fn addresses(&self) -> PathBuf {
        self.state.path().join("addresses.json")
    }

    /// The network file.
    pub fn network(&self) -> Network {
        Network::load(&self.state.path().join("network.toml")).expect("a valid network file")
    }

    /// The keys of a node.
    pub fn keys(&self, seat: u8) -> NodeKeys {
        let file = format!("keys/node-{seat:02}.toml");
        NodeKeys::load(&self.state.path().join(file)).expect("a valid key file")
    }

    /// The table that `paxos-market` writes.
    pub fn leaderboard_file(&self) -> PathBuf {
        self.state.path().join("LEADERBOARD.md")
    }

    /// Runs `paxos-market` to its end.
    pub fn market(&self) -> Output {
        self.command("paxos-market")
            .arg("--network")
            .arg(self.state.path().join("network.toml"))
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
            .arg(&self.url)
            .output()
            .expect("node can be run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "read-leaderboard.mjs: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// A connection to the chain.
    pub async fn chain(&self) -> Chain {
        Chain::connect(&self.url).await.expect("the chain answers")
    }

    /// Asks a node; `None` if it does not answer.
    pub async fn get(&self, seat: u8, path: &str) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}{path}", self.base_port + u16::from(seat));
        let request = client().get(url).timeout(Duration::from_secs(5));
        request.send().await.ok()?.json().await.ok()
    }

    /// Waits until a node answers.
    pub async fn wait_for(&self, seat: u8) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.get(seat, "/paxos/status").await.is_none() {
            assert!(Instant::now() < deadline, "node {seat} does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Proposes through a node; returns the status and the answer.
    pub async fn propose(&self, seat: u8, proposal: &Proposal) -> (u16, Value) {
        let url = format!("http://127.0.0.1:{}/paxos/propose", self.base_port + u16::from(seat));
        let request = client()
            .post(url)
            .timeout(Duration::from_secs(90))
            .header("content-type", "application/octet-stream")
            .body(proposal.encode());
        let answer = request.send().await.expect("the node answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("the answer is JSON"))
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let _ = self.here(script("deploy_paxos.sh")).arg("stop").output();
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// Decodes a field of SCALE in hex.
pub fn scale<T: DecodeAll>(answer: &Value, field: &str) -> T {
    let text = answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}"));
    let bytes = hex::decode(text.trim_start_matches("0x")).expect("hex");
    T::decode_all(&mut &bytes[..]).expect("SCALE")
}

/// The bundle of a contract.
pub fn bundle(name: &str) -> Bundle {
    Bundle::find(repository().join(BUNDLES), name).expect("a bundle of the repository")
}

/// The first of `count` neighbouring ports that are free now; no call gives a port twice.
pub(crate) fn free_ports(count: u16) -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().expect("no test panics while it looks for ports");
    if *next == 0 {
        // Another process of the same tests starts elsewhere.
        *next = 20_000 + u16::try_from(std::process::id() % 20_000).expect("below 20,000");
    }
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = (*next..60_000)
        .step_by(usize::from(count))
        .find(|first| (*first..*first + count).all(free))
        .expect("some ports are free");
    *next = first + count;
    first
}

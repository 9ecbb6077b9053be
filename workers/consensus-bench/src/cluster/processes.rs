//! Nodes as real processes on loopback, and who asks them.

use anyhow::{Context, Result};
use cicada_consensus::Seat;
use cicada_core::leaderboard::Proposal;
use cicada_localnet::Process;
use cicada_network::{
    ChainSection, Contracts, FaultModelName, Network, NodeEntry, NodeKeys, Proposer, Rules,
};
use cicada_node_api::{Certified, Client, Limits, Node, Pass, Status};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A committee of processes; they are killed when it is dropped.
pub struct Cluster {
    pub network: Network,
    program: PathBuf,
    results: PathBuf,
    directory: TempDir,
    children: Vec<Option<Process>>,
    runtime: Runtime,
    client: Client,
    pass: Pass,
}

impl Cluster {
    /// Makes keys and the network file, starts all nodes and waits until they answer.
    ///
    /// # Errors
    /// If a file cannot be written, or a node does not start.
    pub fn start(
        program: &Path,
        results: &Path,
        n: u8,
        fault_model: FaultModelName,
        base_port: u16,
        data: &Path,
    ) -> Result<Self> {
        let directory =
            TempDir::new_in(data).with_context(|| format!("cannot write in {}", data.display()))?;
        let mut nodes = Vec::new();
        for seat in 0..n {
            let keys = NodeKeys::generate(&directory.path().join(format!("node-{seat:02}.json")))?;
            let port = base_port.checked_add(u16::from(seat)).context("the ports end at 65535")?;
            nodes.push(NodeEntry::new(format!("http://127.0.0.1:{port}"), &keys));
        }
        let (chain, contracts) = (ChainSection::unasked(), Contracts::unasked());
        let rules = Rules::UNASKED;
        let network = Network { epoch: 1, fault_model, chain, contracts, rules, nodes };
        network.save(&directory.path().join("network.toml"))?;
        let children = (0..n).map(|_| None).collect();
        let (program, results) = (program.to_owned(), results.to_owned());
        let keys = NodeKeys::load(&directory.path().join("node-00.json"))?;
        let pass = Pass::Seat(Proposer::new(0, network.rules_digest(), Arc::new(keys)));
        let limits = Limits { decide: PATIENCE, propose: 2 * PATIENCE, ..Limits::default() };
        let (runtime, client) = (Runtime::new()?, Client::with(limits)?);
        let mut cluster =
            Self { network, program, results, directory, children, runtime, client, pass };
        for seat in 0..n {
            cluster.spawn(seat)?;
        }
        for seat in 0..n {
            cluster.wait(seat)?;
        }
        Ok(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a node.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn spawn(&mut self, seat: Seat) -> Result<()> {
        let mut command = Command::new(&self.program);
        command
            .arg("--network")
            .arg(self.path("network.toml"))
            .args(["--seat", &seat.to_string()])
            .arg("--keys")
            .arg(self.path(&format!("node-{seat:02}.json")))
            .arg("--data")
            .arg(self.path(&format!("data-{seat:02}")))
            .arg("--results")
            .arg(&self.results);
        let log = self.path(&format!("log-{seat:02}"));
        let process = Process::start(format!("seat {seat}"), &mut command, &log)?;
        self.children[usize::from(seat)] = Some(process);
        Ok(())
    }

    /// Waits until a node answers.
    ///
    /// # Errors
    /// With the end of its log, if it does not within a minute.
    pub fn wait(&mut self, seat: Seat) -> Result<()> {
        let process = self.children[usize::from(seat)].take();
        let mut process = process.context("no such process")?;
        process.until(PATIENCE, || self.status(seat).is_ok())?;
        self.children[usize::from(seat)] = Some(process);
        Ok(())
    }

    /// kill -9.
    ///
    /// # Errors
    /// If the node does not run.
    pub fn kill(&mut self, seat: Seat) -> Result<()> {
        self.children[usize::from(seat)].take().context("no such process")?.kill()
    }

    /// The processor time that the running nodes took so far, in clock ticks.
    ///
    /// # Errors
    /// If the system does not tell, as only Linux does.
    pub fn cpu_ticks(&self) -> Result<u64> {
        let mut total = 0u64;
        for child in self.children.iter().flatten() {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
            // After the name in parentheses: user and system time are the 12th and 13th field.
            let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            for field in fields.skip(11).take(2) {
                total = total.saturating_add(field.parse()?);
            }
        }
        Ok(total)
    }

    fn node(&self, seat: Seat) -> Node {
        self.client.node(&self.network.nodes[usize::from(seat)].url)
    }

    /// How a node is.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn status(&self, seat: Seat) -> Result<Status> {
        let status = self.runtime.block_on(self.node(seat).status());
        status.with_context(|| format!("seat {seat}"))
    }

    /// Proposes at a node and waits for the certificate.
    ///
    /// # Errors
    /// If it does not come.
    pub fn propose(&self, seat: Seat, proposal: &Proposal) -> Result<Certified<Proposal>> {
        let node = self.node(seat);
        let certified = self.runtime.block_on(node.propose(proposal, &self.pass, seat));
        certified.with_context(|| format!("seat {seat}"))
    }
}

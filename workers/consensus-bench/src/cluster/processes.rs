//! Nodes as real processes on loopback, and a client that opens a connection per request.

use anyhow::{ensure, Context, Result};
use cicada_consensus::Seat;
use cicada_localnet::Process;
use cicada_network::{ChainSection, FaultModelName, Network, NodeEntry, NodeKeys, Proposer, Rules};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A committee of processes; they are killed when it is dropped.
pub struct Cluster {
    pub network: Network,
    program: PathBuf,
    results: PathBuf,
    directory: TempDir,
    children: Vec<Option<Process>>,
    proposer: Proposer,
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
        let chain = ChainSection::unasked();
        let rules = Rules::UNASKED;
        let network = Network { epoch: 1, fault_model, chain, rules, nodes };
        network.save(&directory.path().join("network.toml"))?;
        let children = (0..n).map(|_| None).collect();
        let (program, results) = (program.to_owned(), results.to_owned());
        let keys = NodeKeys::load(&directory.path().join("node-00.json"))?;
        let proposer = Proposer::new(0, network.rules_digest(), Arc::new(keys));
        let mut cluster = Self { network, program, results, directory, children, proposer };
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

    /// `GET /paxos/status`.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn status(&self, seat: Seat) -> Result<Value> {
        let (status, body) = self.request(seat, "GET", "/paxos/status", &[], &[])?;
        ensure!(status == 200, "seat {seat} answers {status} to a question for its status");
        Ok(serde_json::from_slice(&body)?)
    }

    /// Proposes at a node and waits for its answer.
    ///
    /// # Errors
    /// If it does not come.
    pub fn propose(&self, seat: Seat, proposal: &[u8]) -> Result<(u16, Value)> {
        let path = "/paxos/propose?timeout_ms=60000";
        let headers = self.proposer.headers(seat, proposal);
        let (status, body) = self.request(seat, "POST", path, &headers, proposal)?;
        Ok((status, serde_json::from_slice(&body)?))
    }

    fn request(
        &self,
        seat: Seat,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<(u16, Vec<u8>)> {
        let host = self.network.nodes[usize::from(seat)].url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\
             content-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        stream.write_all(&request)?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no HTTP answer")?.parse()?;
        let mut length = None;
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some(("content-length", value)) =
                line.trim().to_ascii_lowercase().split_once(": ")
            {
                length = Some(value.parse::<usize>()?);
            }
        }
        let mut body = vec![0; length.context("an answer without content-length")?];
        reader.read_exact(&mut body)?;
        Ok((status, body))
    }
}

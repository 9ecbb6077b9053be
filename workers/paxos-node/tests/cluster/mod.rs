//! Real processes on free ports, and a client as simple as they come.

// Each test uses another part of it.
#![allow(dead_code)]

mod proposals;

use cicada_consensus::{Answer, Request, Seat};
use cicada_core::Account;
use cicada_localnet::{Process, Signal};
use cicada_network::{
    ChainSection, ContractName, Contracts, FaultModelName, Network, NodeEntry, NodeKeys, Rules,
};
use parity_scale_codec::{DecodeAll, Encode};
use paxos_node::envelope::{
    answer_message, request_message, sign, verify, SEAT_HEADER, SIGNATURE_HEADER,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before the test fails. Nothing waits for it otherwise.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The program of the package under test: the node, or the lying build of it.
const PROGRAM: [Option<&str>; 2] =
    [option_env!("CARGO_BIN_EXE_paxos-node"), option_env!("CARGO_BIN_EXE_paxos-liar")];

/// A committee of processes.
pub struct Cluster {
    pub network: Network,
    /// What each seat does; only for the lying build.
    pub lies: BTreeMap<Seat, &'static str>,
    pub directory: TempDir,
    keys: Vec<NodeKeys>,
    children: Vec<Mutex<Option<Process>>>,
    /// Where each node listens, if something stands before it.
    addresses: Vec<SocketAddr>,
    /// Holds each port until its node first starts.
    ports: Vec<Mutex<Option<TcpListener>>>,
}

/// The body and status of an HTTP answer.
pub struct Response {
    pub status: u16,
    pub signature: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {text}"))
    }
}

impl Cluster {
    /// Keys, network file and results for `n` nodes that withstand liars; none runs yet.
    pub fn new(n: u8) -> Self {
        Self::of(n, FaultModelName::Byzantine)
    }

    /// The same in either fault model.
    pub fn of(n: u8, fault_model: FaultModelName) -> Self {
        Self::behind(n, fault_model, |address| address)
    }

    /// The same, where `front` says at which address the others find a node.
    pub fn behind(
        n: u8,
        fault_model: FaultModelName,
        front: impl Fn(SocketAddr) -> SocketAddr,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ports: Vec<_> = (0..n).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<_> = ports.iter().map(|port| port.local_addr().unwrap()).collect();
        let path = |seat: u8| directory.path().join(format!("node-{seat:02}.json"));
        let keys: Vec<_> = (0..n).map(|seat| NodeKeys::generate(&path(seat)).unwrap()).collect();
        let entry = |(keys, address): (&NodeKeys, &SocketAddr)| {
            NodeEntry::new(format!("http://{}", front(*address)), keys)
        };
        let network = Network {
            epoch: 1,
            fault_model,
            chain: ChainSection::unasked(),
            contracts: Contracts::unasked(),
            rules: Rules::UNASKED,
            nodes: keys.iter().zip(&addresses).map(entry).collect(),
        };
        network.save(&directory.path().join("network.toml")).unwrap();
        let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/results.jsonl");
        std::fs::copy(examples, directory.path().join("results.jsonl")).unwrap();
        Self {
            network,
            lies: BTreeMap::new(),
            directory,
            keys,
            addresses,
            children: (0..n).map(|_| Mutex::new(None)).collect(),
            ports: ports.into_iter().map(|port| Mutex::new(Some(port))).collect(),
        }
    }

    /// The same, with an index and rewards; before any node runs.
    pub fn with_index(mut self) -> Self {
        self.network.contracts.set(ContractName::Index, Account([5; 32]));
        self.network.contracts.set(ContractName::Rewards, Account([6; 32]));
        self.network.save(&self.path("network.toml")).unwrap();
        self
    }

    /// The same, under other rules; before any node runs.
    pub fn under(mut self, rules: Rules) -> Self {
        self.network.rules = rules;
        self.network.save(&self.path("network.toml")).unwrap();
        self
    }

    /// The keys of a node.
    pub fn keys(&self, seat: Seat) -> &NodeKeys {
        &self.keys[usize::from(seat)]
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    // A node's own results, if it has other ones than the rest.
    fn results(&self, seat: Seat) -> PathBuf {
        let own = self.path(&format!("results-{seat:02}.jsonl"));
        if own.exists() {
            own
        } else {
            self.path("results.jsonl")
        }
    }

    /// The command line of a node.
    pub fn command(&self, seat: Seat) -> Command {
        let mut command = match PROGRAM {
            [Some(node), _] => Command::new(node),
            [None, liar] => {
                let mut command = Command::new(liar.unwrap());
                command.args(["--lie", self.lies.get(&seat).copied().unwrap_or("none")]);
                command
            }
        };
        command
            .arg("--network")
            .arg(self.path("network.toml"))
            .args(["--seat", &seat.to_string()])
            .args(["--listen", &self.addresses[usize::from(seat)].to_string()])
            .arg("--keys")
            .arg(self.path(&format!("node-{seat:02}.json")))
            .arg("--data")
            .arg(self.path(&format!("data-{seat:02}")))
            .arg("--results")
            .arg(self.results(seat));
        for (option, name) in [("--awards", "awards"), ("--basket", "basket")] {
            let own = self.path(&format!("{name}-{seat:02}"));
            if own.exists() {
                command.arg(option).arg(own);
            }
        }
        command.arg("--nav").arg(self.path(&format!("nav-{seat:02}")));
        command
    }

    /// Starts nodes and waits until each answers.
    pub fn start(&self, seats: impl IntoIterator<Item = Seat> + Clone) {
        for seat in seats.clone() {
            self.spawn(seat);
        }
        for seat in seats {
            self.wait(&format!("seat {seat} answers"), |cluster| {
                cluster.get(seat, "/paxos/status").is_some_and(|r| r.status == 200)
            });
        }
    }

    /// Starts a node and waits for nothing.
    pub fn spawn(&self, seat: Seat) {
        *self.ports[usize::from(seat)].lock().unwrap() = None;
        let (mut command, log) = (self.command(seat), self.path(&format!("log-{seat:02}")));
        let process = Process::start(format!("seat {seat}"), &mut command, &log);
        *self.child(seat) = Some(process.unwrap());
    }

    fn child(&self, seat: Seat) -> MutexGuard<'_, Option<Process>> {
        self.children[usize::from(seat)].lock().unwrap()
    }

    /// Sends a signal to a node.
    pub fn signal(&self, seat: Seat, signal: Signal) {
        self.child(seat).as_ref().unwrap().signal(signal).unwrap();
    }

    /// The exit code of a node that has ended by itself.
    pub fn ended(&self, seat: Seat) -> Option<i32> {
        self.child(seat).as_mut()?.ended().unwrap()?.code()
    }

    /// kill -9.
    pub fn kill(&self, seats: impl IntoIterator<Item = Seat>) {
        for seat in seats {
            self.child(seat).take().unwrap().kill().unwrap();
        }
    }

    /// kill -9 while others are at work; [`Self::reap`] must follow.
    pub fn kill_nine(&self, seat: Seat) {
        self.signal(seat, Signal::KILL);
    }

    /// Takes note of the death of a node.
    pub fn reap(&self, seat: Seat) {
        drop(self.child(seat).take().unwrap());
    }

    /// SIGTERM; the exit code.
    pub fn terminate(&self, seat: Seat) -> i32 {
        let ended = self.child(seat).take().unwrap().stop(PATIENCE);
        ended.unwrap().code().unwrap()
    }

    /// Waits for something, without sleeping longer than it takes.
    pub fn wait(&self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}{}", self.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn logs(&self) -> String {
        let mut text = String::new();
        for seat in 0..self.children.len() {
            let log = std::fs::read_to_string(self.path(&format!("log-{seat:02}")));
            let log = log.unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(3).collect();
            text.push_str(&format!("\nseat {seat}: {last:?}"));
        }
        text
    }

    pub fn get(&self, seat: Seat, path: &str) -> Option<Response> {
        self.request(seat, "GET", path, &[], &[])
    }

    pub fn status(&self, seat: Seat) -> Value {
        self.get(seat, "/paxos/status").expect("the node runs").json()
    }

    /// Sends a request; `None` if the node is not there.
    pub fn request(
        &self,
        seat: Seat,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Option<Response> {
        let host = self.addresses[usize::from(seat)];
        let mut stream = TcpStream::connect(host).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let (mut signature, mut length) = (String::new(), 0);
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            match line.trim().to_ascii_lowercase().split_once(": ") {
                Some((SIGNATURE_HEADER, value)) => signature = value.to_owned(),
                Some(("content-length", value)) => length = value.parse().ok()?,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Response { status, signature, body })
    }

    /// Asks a node in the name of another, with that one's key.
    pub fn ask_as(&self, from: Seat, to: Seat, request: &Request) -> Answer {
        let body = request.encode();
        let rules = self.network.rules_digest();
        let message = request_message(&rules, from, to, &body);
        let headers = [
            ("content-type", "application/octet-stream".to_owned()),
            (SEAT_HEADER, from.to_string()),
            (SIGNATURE_HEADER, sign(&self.keys[usize::from(from)], &message)),
        ];
        let path = paxos_node::peers::route(request);
        let response = self.request(to, "POST", path, &headers, &body).unwrap();
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        let expected = answer_message(&rules, to, &message, &response.body);
        let key = self.keys[usize::from(to)].consensus_key();
        assert!(verify(&response.signature, &expected, &key));
        Answer::decode_all(&mut &response.body[..]).unwrap()
    }
}

//! The program and real nodes. What is on the chain is given: `deploy` finds it and does nothing.

use cicada_core::Account;
use cicada_localnet::{free_range, json, Process};
use cicada_network::{
    ChainSection, ContractName, Contracts, FaultModelName, Network, NodeEntry, NodeKeys, Rules,
};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const NODES: u8 = 4;
/// How long the program may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network that is deployed, of which nothing runs. Everything of it ends with this.
struct Net {
    folder: TempDir,
    base_port: u16,
}

impl Net {
    fn new() -> Self {
        let net =
            Self { folder: tempfile::tempdir().unwrap(), base_port: free_range(NODES.into()) };
        fs::create_dir_all(net.path("programs")).unwrap();
        fs::create_dir_all(net.path("keys")).unwrap();
        let mut example = cicada_localnet::programs();
        example.push("examples/node");
        symlink(example, net.path("programs/paxos-node")).unwrap();
        let deployed = net.path("programs/deploy");
        fs::write(&deployed, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&deployed, fs::Permissions::from_mode(0o755)).unwrap();
        net.deploy([3; 32]);
        net
    }

    /// Writes the network file of a committee with this contract.
    fn deploy(&self, validators: [u8; 32]) {
        let entry = |seat: u8| {
            let path = self.path(&format!("keys/node-{seat:02}.toml"));
            let keys = NodeKeys::load(&path).or_else(|_| NodeKeys::generate(&path)).unwrap();
            NodeEntry::new(self.url(seat), &keys)
        };
        let network = Network {
            epoch: 1,
            fault_model: FaultModelName::Byzantine,
            chain: ChainSection::unasked(),
            contracts: Contracts::unasked().with(ContractName::Validators, Account(validators)),
            rules: Rules::UNASKED,
            nodes: (0..NODES).map(entry).collect(),
        };
        network.save(&self.path("network.toml")).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self, seat: u8) -> String {
        format!("http://127.0.0.1:{}", self.base_port + u16::from(seat))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_localnet"));
        command.args(words).stdin(Stdio::null());
        command.env("CICADA_STATE", self.folder.path());
        command.env("CICADA_PROGRAMS", self.path("programs"));
        command.env("CICADA_NODES", NODES.to_string());
        command.env("CICADA_BASE_PORT", self.base_port.to_string());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs it, which must go well; what it says.
    fn must(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = said(&output);
        assert!(output.status.success(), "localnet {words:?}: {said}");
        said
    }

    /// Runs it, which must fail; what it says.
    fn fails(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "localnet {words:?}: {}", said(&output));
        said(&output)
    }

    fn answers(&self, seat: u8) -> bool {
        json(&(self.url(seat) + "/paxos/status")).is_some_and(|status| status["node_id"] == seat)
    }

    fn answering(&self) -> usize {
        (0..NODES).filter(|seat| self.answers(*seat)).count()
    }

    /// The process of a seat, as the file of it says.
    fn id(&self, seat: u8) -> u32 {
        let record = fs::read_to_string(self.path(&format!("processes/node-{seat:02}.toml")));
        let record: toml::Table = record.unwrap().parse().unwrap();
        u32::try_from(record["id"].as_integer().unwrap()).unwrap()
    }

    fn ids(&self) -> Vec<u32> {
        (0..NODES).map(|seat| self.id(seat)).collect()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

/// Whether a process runs; one that has ended may stay in the table until somebody asks for it.
fn is_there(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn up_twice_is_up_once_and_down_ends_it() {
    let net = Net::new();
    let said = net.must(&["up", "committee"]);
    assert!(said.contains("4 nodes answer") && said.contains("4 of them started now"), "{said}");
    let ids = net.ids();
    let said = net.must(&["up", "committee"]);
    assert!(said.contains("0 of them started now"), "{said}");
    assert_eq!((net.ids(), net.answering()), (ids.clone(), 4));
    let status = net.must(&["status", "committee"]);
    assert_eq!(status.matches(" answers").count(), 4, "{status}");

    assert!(net.must(&["down"]).contains("stopped 4 nodes"));
    assert!(!ids.iter().any(|id| is_there(*id)), "none is left");
    let status = net.run(&["status", "committee"]);
    assert_eq!(status.status.code(), Some(3));
}

#[test]
fn a_node_is_killed_and_restarted_and_what_it_promised_is_kept() {
    let net = Net::new();
    net.must(&["up", "committee"]);
    let before = net.ids();
    assert!(net.must(&["kill", "2"]).contains("killed node 2"));
    assert!(!is_there(before[2]) && net.answering() == 3);
    assert!(net.fails(&["kill", "2"]).contains("node 2 does not run"));
    assert!(net.must(&["restart", "2"]).contains("node 2 answers"));
    net.must(&["restart", "1"]);
    let after = net.ids();
    assert_eq!((after[0], after[3]), (before[0], before[3]));
    assert!(after[1] != before[1] && after[2] != before[2] && net.answering() == 4);
    assert!(net.fails(&["kill", "4"]).contains("name a seat from 0 to 3"));
}

#[test]
fn nodes_of_an_older_deployment_are_replaced() {
    let net = Net::new();
    net.must(&["up", "committee"]);
    let before = net.ids();
    net.deploy([9; 32]);
    assert!(net.must(&["up", "committee"]).contains("4 of them started now"));
    assert!(!before.iter().any(|id| is_there(*id)) && net.answering() == 4);
}

#[test]
fn what_does_not_start_is_named_with_the_end_of_its_log() {
    let net = Net::new();
    fs::remove_file(net.path("keys/node-00.toml")).unwrap();
    let said = net.fails(&["up", "committee"]);
    assert!(said.contains("node 0 has ended") && said.contains("nodes/00.log:"), "{said}");
    assert!(said.matches("keys/node-00.toml").count() == 1, "the reason is shown: {said}");
    assert!(net.must(&["logs", "node-00"]).contains("keys/node-00.toml"));
    let said = net.fails(&["logs", "node-17"]);
    assert!(said.contains("no log of 'node-17'") && said.contains("node-03"), "{said}");

    fs::remove_file(net.path("programs/paxos-node")).unwrap();
    let said = net.fails(&["up", "committee"]);
    assert!(said.contains("programs/paxos-node"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named_and_its_owner_is_left_alone() {
    let net = Net::new();
    let stranger = TcpListener::bind(("127.0.0.1", net.base_port + 1)).unwrap();
    let said = net.fails(&["up", "committee"]);
    let port = format!("something else listens on port {}, where node 1 should", net.base_port + 1);
    assert!(said.contains(&port) && said.contains("CICADA_BASE_PORT"), "{said}");
    drop(stranger);
    assert!(net.must(&["up", "committee"]).contains("4 nodes answer"));

    let chain = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", chain.local_addr().unwrap());
    // It takes connections and says nothing.
    let said = net.fails(&["up", "chain", "--url", &url]);
    assert!(said.contains("taken by something that is no node of a chain"), "{said}");
    let said = net.fails(&["up", "chain", "--url", "ws://192.0.2.1:9944"]);
    assert!(said.contains("can be started on this machine only"), "{said}");
}

#[test]
fn a_number_that_now_belongs_to_somebody_else_is_nobody_of_ours() {
    let net = Net::new();
    let mut sleep = Command::new("sleep");
    let mut other = Process::start("sleep", sleep.arg("600"), &net.path("sleep.log")).unwrap();
    net.must(&["up", "committee"]);
    let path = net.path("processes/node-01.toml");
    let record = fs::read_to_string(&path).unwrap();
    let (node, stranger) = (net.id(1), other.id());
    net.must(&["kill", "1"]);
    fs::write(&path, record.replace(&format!("id = {node}"), &format!("id = {stranger}"))).unwrap();

    let status = net.run(&["status", "committee"]);
    assert!(said(&status).contains("process -"), "{}", said(&status));
    assert!(net.fails(&["kill", "1"]).contains("does not run"));
    fs::write(&path, record.replace(&format!("id = {node}"), &format!("id = {stranger}"))).unwrap();
    net.must(&["down"]);
    assert!(other.ended().unwrap().is_none(), "the stranger goes on");
}

#[test]
fn two_networks_stand_side_by_side() {
    let (one, other) = (Net::new(), Net::new());
    one.must(&["up", "committee"]);
    other.must(&["up", "committee"]);
    one.must(&["down"]);
    assert_eq!((one.answering(), other.answering()), (0, 4));
}

/// The program in the foreground, once everything is up.
fn in_foreground(net: &Net) -> Process {
    let (log, mut command) =
        (net.path("foreground.log"), net.command(&["up", "committee", "--foreground"]));
    let mut process = Process::start("localnet", &mut command, &log).unwrap();
    let up = || fs::read_to_string(&log).unwrap().contains("everything is up");
    process.until(PATIENCE, up).unwrap();
    process
}

#[test]
fn in_the_foreground_sigterm_takes_everything_down() {
    let net = Net::new();
    let mut process = in_foreground(&net);
    let ids = net.ids();
    assert_eq!(net.answering(), 4);
    assert!(process.stop(PATIENCE).unwrap().success());
    assert!(!ids.iter().any(|id| is_there(*id)), "none is left");
}

#[test]
fn sigterm_while_it_starts_leaves_nothing_behind() {
    let net = Net::new();
    // A deployment that takes its time.
    let slow = "#!/bin/sh\necho $$ >\"$CICADA_STATE/deploying\"\nexec sleep 600\n";
    fs::write(net.path("programs/deploy"), slow).unwrap();
    let log = net.path("foreground.log");
    let mut command = net.command(&["up", "committee", "--foreground"]);
    let mut process = Process::start("localnet", &mut command, &log).unwrap();
    let deploying = || fs::read_to_string(net.path("deploying")).ok()?.trim().parse().ok();
    process.until(PATIENCE, || deploying().is_some()).unwrap();
    assert!(process.stop(PATIENCE).unwrap().success());
    assert!(!is_there(deploying().unwrap()), "what deployed is ended too");
}

#[test]
fn in_the_foreground_a_death_is_told_and_ends_the_rest() {
    let net = Net::new();
    let mut process = in_foreground(&net);
    let ids = net.ids();
    assert!(Command::new("kill").args(["-9", &ids[1].to_string()]).status().unwrap().success());
    let ended =
        || fs::read_to_string(net.path("foreground.log")).unwrap().contains("stopped 3 nodes");
    // It may end between the two looks of `until`.
    let _ = process.until(PATIENCE, ended);
    let status = process.stop(PATIENCE).unwrap();
    let log = fs::read_to_string(net.path("foreground.log")).unwrap();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("node-01 has ended") && log.contains("nodes/01.log"), "{log}");
    assert!(!ids.iter().any(|id| is_there(*id)), "none is left");
}

#[test]
fn a_setting_that_is_wrong_is_named_with_its_line() {
    let net = Net::new();
    let path = net.path("localnet.toml");
    let config = path.display().to_string();
    for (text, words) in [
        ("state = \"x\"\nbase_prot = 7\n", ["base_prot", "line 2"]),
        ("\nbase_port = 70000\n", ["base_port = 70000", "line 2"]),
        ("nodes = 33\n", ["a committee has 1 to 32 nodes", "line 1"]),
        ("url = \"http://x\"\n", ["is no address of a node", "line 1"]),
        ("parts = [\"chain\", \"moon\"]\n", ["moon", "line 1"]),
        ("fault_model = \"none\"\n", ["fault_model", "line 1"]),
        ("chain = \"parachain\"\n", ["chain = \"parachain\"", "line 1"]),
        ("nav_interval = \"often\"\n", ["is no duration", "line 1"]),
        ("validator_port = 7171\n", ["validator_port = 7171", "indexer_port = 7171"]),
        (
            "miner_port = 65535\nminers = [\"//Bob\", \"//Eve\"]\n",
            ["miner_port = 65535", "no room"],
        ),
    ] {
        fs::write(&path, text).unwrap();
        let said = net.fails(&["--config", &config, "status"]);
        assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
        assert!(said.starts_with("error: "), "{said}");
    }
    let said = net.fails(&["--config", "nowhere.toml", "status"]);
    assert!(said.contains("nowhere.toml"), "{said}");
}

#[test]
fn a_flag_counts_more_than_the_environment_and_that_more_than_the_file() {
    let net = Net::new();
    let path = net.path("localnet.toml");
    fs::write(&path, "nodes = 1\nbase_port = 1000\nindexer_port = 1001\n").unwrap();
    let config = path.display().to_string();
    let words = ["--config", &config, "--nodes", "2", "status", "committee", "indexer"];
    let status = said(&net.run(&words));
    assert_eq!(status.lines().count(), 3, "{status}");
    assert!(status.contains(&format!("127.0.0.1:{} ", net.base_port)), "{status}");
    assert!(status.contains("127.0.0.1:1001 "), "{status}");
}

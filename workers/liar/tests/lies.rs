//! The same lies against both fault models, with real processes. Honest nodes run the same
//! program with `--lie none`.

#[path = "../../paxos-node/tests/cluster/mod.rs"]
mod cluster;

use cicada_consensus::byzantine::{Kind, Statement};
use cicada_consensus::Seat;
use cicada_network::{verify_consensus, FaultModelName, Network};
use cicada_node_api::{Contradiction, Said};
use cluster::Cluster;
use parity_scale_codec::Encode;
use paxos_node::evidence;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The leader of a view, as the core chooses it.
fn leader(network: &Network, view: u64) -> Seat {
    let config = cicada_consensus::Config::new(
        0,
        network.quorum(),
        network.attestation_quorum(),
        network.epoch,
        network.config_digest(),
    );
    config.leader(view)
}

fn log(cluster: &Cluster, seat: Seat) -> BTreeMap<u64, String> {
    let Some(response) = cluster.get(seat, "/paxos/log?from=1&limit=256") else {
        return BTreeMap::new();
    };
    let json = response.json();
    let entries = json["entries"].as_array().unwrap().iter();
    let entry = |entry: &Value| {
        (entry["position"].as_u64().unwrap(), entry["digest"].as_str().unwrap().to_owned())
    };
    entries.map(entry).collect()
}

/// What is wrong among honest nodes, if anything is.
fn broken(cluster: &mut Cluster, honest: &[Seat]) -> Option<String> {
    for seat in honest {
        if let Some(code) = cluster.ended(*seat) {
            return Some(format!("seat {seat} stopped with {code}"));
        }
    }
    let mut decided: BTreeMap<u64, (Seat, String)> = BTreeMap::new();
    for seat in honest {
        for (position, digest) in log(cluster, *seat) {
            let (other, known) =
                decided.entry(position).or_insert_with(|| (*seat, digest.clone())).clone();
            if known != digest {
                return Some(format!("seats {other} and {seat} differ at position {position}"));
            }
        }
    }
    None
}

/// A committee in which some seats, counted from the first leader, lie.
fn with_liars(n: u8, model: FaultModelName, lies: &[(u8, &'static str)]) -> (Cluster, Vec<Seat>) {
    let mut cluster = Cluster::of(n, model);
    let first = leader(&cluster.network, 1);
    for (step, lie) in lies {
        cluster.lies.insert((first + step) % n, lie);
    }
    cluster.start(0..n);
    let honest = (0..n).filter(|seat| !cluster.lies.contains_key(seat)).collect();
    (cluster, honest)
}

/// Byzantine mode: slots are certified through every honest node, and all have the same.
fn withstands(n: u8, lies: &[(u8, &'static str)], slots: usize) -> (Cluster, Vec<Seat>) {
    let (mut cluster, honest) = with_liars(n, FaultModelName::Byzantine, lies);
    let begin = Instant::now();
    let mut last = 0;
    for turn in 0..slots {
        // Where liars and half of the others are a quorum, the second value of a leader that
        // equivocates may win the slot; what was proposed is refused then, and gets the next one.
        (last, _) = cluster.certify_soon(honest[turn % honest.len()]);
    }
    cluster.wait("all honest nodes have all certificates", |cluster| {
        honest.iter().all(|seat| cluster.status(*seat)["certified_slot"] == last)
    });
    let took = begin.elapsed();
    let view = &cluster.status(honest[0])["view"];
    println!("{n} nodes, {lies:?}: {slots} slots in {took:?}, now in view {view}");
    assert_eq!(broken(&mut cluster, &honest), None);
    (cluster, honest)
}

#[test]
fn a_leader_that_equivocates_convicts_itself_and_changes_nothing() {
    let (cluster, honest) = withstands(7, &[(0, "equivocate")], 3);
    let liar = leader(&cluster.network, 1);
    let key = cluster.network.members()[usize::from(liar)].consensus_key;
    let mut convicted = 0;
    for seat in honest {
        let path = cluster.path(&format!("data-{seat:02}")).join(evidence::FILE);
        for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
            let found: Contradiction = serde_json::from_str(line).unwrap();
            assert_eq!(found.seat, liar, "{line}");
            assert_ne!(found.first.digest, found.second.digest);
            for Said { kind, position, view, digest, signature } in [found.first, found.second] {
                assert_eq!(kind, "proposal");
                let (kind, digest) = (Kind::Proposal, digest.0);
                let statement = Statement { kind, position, view, digest };
                let message = statement.message(&cluster.network.config_digest());
                assert!(verify_consensus(&signature.0, &message.0, &key));
            }
            convicted += 1;
        }
    }
    assert!(convicted > 0, "somebody has heard both values");
}

#[test]
fn one_of_four_may_forge_replay_keep_silent_or_do_all_by_turns() {
    for lie in ["forge", "replay", "silent", "all"] {
        withstands(4, &[(0, lie)], 3);
    }
}

#[test]
fn two_of_seven_may_lie_differently() {
    withstands(7, &[(0, "equivocate"), (1, "forge")], 5);
    withstands(7, &[(0, "silent"), (2, "equivocate")], 5);
}

#[test]
fn seven_of_twenty_three_may_lie() {
    let lies = [
        (0, "equivocate"),
        (1, "equivocate"),
        (3, "forge"),
        (5, "forge"),
        (7, "replay"),
        (9, "silent"),
        (11, "silent"),
    ];
    withstands(23, &lies, 5);
}

/// Proposes; the connection is the caller's to keep.
fn ask_and_forget(cluster: &Cluster, seat: Seat, body: &[u8]) -> TcpStream {
    let host = cluster.network.nodes[usize::from(seat)].url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    let pass =
        cluster.pass(seat, body).map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let head = format!(
        "POST /paxos/propose HTTP/1.1\r\nhost: {host}\r\n{pass}content-length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    stream
}

/// Crash mode: the same liar breaks what the honest nodes have, or stops them.
fn breaks_crash_mode(n: u8, lie: &'static str, at_the_liar: bool) {
    let (mut cluster, honest) = with_liars(n, FaultModelName::Crash, &[(0, lie)]);
    let liar = leader(&cluster.network, 1);
    let deadline = Instant::now() + Duration::from_secs(30);
    let asked = if at_the_liar { liar } else { honest[0] };
    let proposal = cluster.proposal(asked);
    // Nobody waits for the answer: it may come from a liar, or never.
    let _asked = ask_and_forget(&cluster, asked, &proposal.encode());
    let what = loop {
        if let Some(what) = broken(&mut cluster, &honest) {
            break what;
        }
        assert!(Instant::now() < deadline, "{lie}: the liar did no harm");
        std::thread::sleep(Duration::from_millis(20));
    };
    println!("crash mode, {n} nodes, {lie}: {what}");
}

#[test]
fn in_crash_mode_one_liar_of_five_breaks_agreement() {
    breaks_crash_mode(5, "equivocate", true);
    breaks_crash_mode(5, "forge", false);
}

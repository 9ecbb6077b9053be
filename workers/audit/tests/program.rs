//! The program, with real keys and real files.

mod common;

use cicada_audit::PublicKeys;
use cicada_audit::Verifier as _;
use cicada_consensus::byzantine::{Kind, Mandate, Statement};
use cicada_consensus::{Config, Justification, Keys, Seat};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::evidence::Equivocation;
use cicada_core::hash::{Digest, Native};
use cicada_core::leaderboard::{Board, Proposal};
use cicada_core::report::Report;
use cicada_network::{
    verify_attestation, ChainSection, Contracts, FaultModelName, Network, NodeEntry, NodeKeys,
    Rules,
};
use common::{report, World};
use parity_scale_codec::{DecodeAll, Encode};
use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const N: u8 = 23;

/// The keys of one seat, and everybody's public ones.
struct Ring(NodeKeys, PublicKeys);

impl Keys for Ring {
    fn attest(&self, message: &Digest) -> Signature {
        self.0.attest(message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        self.1.verify_attestation(seat, message, signature)
    }

    fn sign(&self, message: &Digest) -> Signature {
        self.0.sign(&message.0)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        self.1.verify(seat, message, signature)
    }
}

/// A committee with its network file; the first nine seats lie.
struct Scene {
    dir: TempDir,
    network: Network,
    world: World<Ring>,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key_file = |seat: u8| dir.path().join(format!("{seat}.key"));
        let keys: Vec<NodeKeys> =
            (0..N).map(|seat| NodeKeys::generate(&key_file(seat)).unwrap()).collect();
        let entry = |keys: &NodeKeys| NodeEntry::new("http://127.0.0.1:1".into(), keys);
        let network = Network {
            epoch: 1,
            fault_model: FaultModelName::Byzantine,
            chain: ChainSection::unasked(),
            contracts: Contracts::unasked(),
            rules: Rules::UNASKED,
            nodes: keys.iter().map(entry).collect(),
        };
        network.save(&dir.path().join("network.toml")).unwrap();
        let config = |seat| {
            let (quorum, attestation) = (network.quorum(), network.attestation_quorum());
            Config::new(seat, quorum, attestation, network.epoch, network.config_digest())
        };
        let configs = (0..N).map(config).collect();
        let ring = |keys| Ring(keys, PublicKeys(network.members()));
        let rings = keys.into_iter().map(ring).collect();
        let world = World::new(configs, rings, (0..9).collect());
        Self { dir, network, world }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An element of `GET /paxos/certificates`.
    fn certified(&self, report: &Report, seats: &[Seat]) -> Value {
        let message = report.attestation_message::<Native>(&self.network.config_digest());
        let sign = |seat: &Seat| (*seat, self.world.keys[usize::from(*seat)].attest(&message));
        let quorum = self.network.attestation_quorum();
        let certificate = Certificate::assemble(1, &quorum, seats.iter().map(sign)).unwrap();
        let proposal = Proposal { report: *report, board: nothing() };
        json!({
            "slot": report.slot,
            "digest": hex::encode(report.digest::<Native>()),
            "proposal": hex::encode(proposal.encode()),
            "certificate": hex::encode(certificate.encode()),
        })
    }

    fn run(&self, arguments: &[&Path]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
        command.arg("--network").arg(self.dir.path().join("network.toml")).args(arguments);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn nothing() -> Board {
    Board { standings: vec![], shards: Digest::ZERO }
}

// The two quorums that share the nine liars only.
fn quorums() -> [Vec<Seat>; 2] {
    [(0..16).collect(), (0..9).chain(16..N).collect()]
}

#[test]
fn two_certified_reports_of_a_slot_convict_nine_for_the_chain() {
    let scene = Scene::new();
    let [first, second] = quorums();
    let one = json!([scene.certified(&report(1), &first)]).to_string();
    let one = scene.file("one.json", &one);
    let honest = scene.run(&[&one]);
    assert_eq!(honest.code, Some(0), "{}", honest.err);
    assert_eq!(honest.out, "nobody is convicted; genuine messages: 1\n");
    let uncertified = json!({ "slot": 6, "digest": "00".repeat(32), "proposal":
        hex::encode(Proposal { report: report(3), board: nothing() }.encode()), "certificate": null });
    let other = json!([scene.certified(&report(2), &second), uncertified]).to_string();
    let other = scene.file("other.json", &other);
    let evidence = scene.dir.path().join("evidence.json");
    let flag = Path::new("--evidence");
    let ran = scene.run(&[flag, &evidence, &one, &other]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.out.contains("9 of 23 seats convicted"), "{}", ran.out);
    for (seat, node) in scene.network.nodes.iter().enumerate() {
        let named = ran.out.contains(&hex::encode(node.operator));
        assert_eq!(named, seat < 9, "seat {seat}:\n{}", ran.out);
    }
    let text = std::fs::read_to_string(&evidence).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let charges = document["charges"].as_array().unwrap();
    assert_eq!(charges.len(), 9);
    let keys: Vec<_> = scene.network.nodes.iter().map(|node| node.attestation_key).collect();
    let digest = scene.network.config_digest();
    for charge in charges {
        assert_eq!(charge["charge"], "double_attestation");
        let scale = charge["chain"]["scale"].as_str().unwrap();
        let bytes = hex::decode(scale.trim_start_matches("0x")).unwrap();
        let found = Equivocation::decode_all(&mut &bytes[..]).unwrap();
        assert_eq!(found.check::<Native>(1, &digest, &keys, verify_attestation), Ok(()));
        assert_eq!(json!(found.seat), charge["seat"]);
        let name = format!("0x{}", hex::encode(found.digest::<Native>()));
        assert_eq!(charge["chain"]["digest"], json!(name));
    }
    let again = scene.run(&[&evidence]);
    assert_eq!(again.code, Some(3), "evidence convicts by itself");
    assert_eq!(
        again.out.lines().take(10).collect::<Vec<_>>(),
        ran.out.lines().take(10).collect::<Vec<_>>()
    );
}

#[test]
fn two_decisions_convict_nine_with_evidence_for_people() {
    let mut scene = Scene::new();
    let [first, second] = quorums();
    let world = &mut scene.world;
    let prepared = world.prepare(&first, &Mandate::first(), 5, b"one");
    let decided = world.commit(&first, &prepared, b"one");
    let pledges = world.pledge(&second, 2, &[]);
    let justification = Justification { pledges, tip: None, locks: vec![] };
    let mandate = world.judge(&justification);
    let prepared = world.prepare(&second, &mandate, 5, b"other");
    let other = world.commit(&second, &prepared, b"other");
    let line = |kind: &str, bytes: Vec<u8>| {
        format!("{}\n", json!({ "type": kind, "hex": hex::encode(bytes) }))
    };
    let certificates =
        line("quorum_certificate", decided.encode()) + &line("quorum_certificate", other.encode());
    let certificates = scene.file("certificates.jsonl", &certificates);
    let alone = scene.run(&[&certificates]);
    assert_eq!(alone.code, Some(0));
    assert!(alone.err.contains("two values are decided at position 5"), "{}", alone.err);
    assert!(alone.err.contains("at least 9 seats lied there"), "{}", alone.err);
    let justification = line("justification", justification.encode());
    let justification = scene.file("justification.jsonl", &justification);
    let evidence = scene.dir.path().join("evidence.json");
    let ran = scene.run(&[Path::new("--evidence"), &evidence, &certificates, &justification]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert_eq!(ran.out.matches("hid a lock").count(), 9, "{}", ran.out);
    assert!(!ran.err.contains("at least"), "{}", ran.err);
    let text = std::fs::read_to_string(&evidence).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let charge = &document["charges"][0];
    assert!(charge["use"].as_str().unwrap().contains("ed25519"), "{charge}");
    assert!(charge.get("chain").is_none());
    let again = scene.run(&[Path::new("--json"), &evidence]);
    assert_eq!(again.code, Some(3));
    assert_eq!(serde_json::from_str::<Value>(&again.out).unwrap(), document);
}

#[test]
fn what_a_node_wrote_down_convicts_a_leader() {
    let scene = Scene::new();
    let half = |digest: u8| {
        let said =
            Statement { kind: Kind::Proposal, position: 7, view: 3, digest: Digest([digest; 32]) };
        json!({
            "kind": "proposal",
            "position": 7,
            "view": 3,
            "digest": hex::encode(said.digest),
            "signature": hex::encode(scene.world.sign(4, &said)),
        })
    };
    let line = |seat: u8| json!({ "seat": seat, "first": half(1), "second": half(2) }).to_string();
    // A node that was stopped left half a line; another seat is accused falsely.
    let text = format!("{}\n{}\n{{\"seat\": 4, \"fir", line(4), line(5));
    let ran = scene.run(&[&scene.file("contradictions.jsonl", &text)]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.out.contains("proposed two values  position 7, view 3"), "{}", ran.out);
    assert!(ran.out.contains("1 of 23 seats convicted"), "{}", ran.out);
    assert!(ran.err.contains("line 3: no JSON"), "{}", ran.err);
    assert!(ran.err.contains("item 2 rejected: the signature of seat 5"), "{}", ran.err);
}

#[test]
fn two_attestations_brought_one_by_one_convict() {
    let scene = Scene::new();
    let line = |root: u8, seat: Seat| {
        let message = report(root).attestation_message::<Native>(&scene.network.config_digest());
        let signature = scene.world.keys[usize::from(seat)].attest(&message);
        let bytes = (seat, report(root), signature).encode();
        json!({ "type": "attestation", "hex": hex::encode(bytes) }).to_string()
    };
    let lines = [line(1, 3), line(2, 4), line(1, 4), line(2, 5)].join("\n");
    let ran = scene.run(&[&scene.file("attestations.jsonl", &lines)]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.out.contains("attested two reports  leaderboard, slot 5"), "{}", ran.out);
    assert!(ran.out.contains("1 of 23 seats convicted"), "{}", ran.out);
}

#[test]
fn files_that_say_nothing_are_an_error_unless_they_are_empty() {
    let scene = Scene::new();
    let empty = scene.run(&[&scene.file("contradictions.jsonl", "")]);
    assert_eq!((empty.code, empty.err.as_str()), (Some(0), ""));
    let missing = scene.run(&[&scene.dir.path().join("none.json")]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("none.json"), "{}", missing.err);
    let digest = "00".repeat(32);
    let element = json!({ "slot": 1, "digest": digest, "proposal": "00", "certificate": null });
    let element = json!([element]).to_string();
    for (text, reason) in [
        ("hello", "no JSON"),
        ("{\"foo\": 1}", "neither a certificate"),
        ("{\"type\": \"pledge\", \"hex\": \"0xzz\"}", "not hexadecimal"),
        ("{\"type\": \"pledge\", \"hex\": \"00\"}", "cannot be decoded"),
        ("{\"type\": \"plague\", \"hex\": \"00\"}", "unknown type"),
        (&element, "proposal cannot be decoded"),
    ] {
        let ran = scene.run(&[&scene.file("bad.json", text)]);
        assert_eq!(ran.code, Some(2), "{text}");
        assert!(ran.err.contains(reason), "{text}: {}", ran.err);
    }
}

//! What a node answers.

use crate::{Opaque, Scale};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Digest;
use cicada_network::{FaultModelName, Rules};
use parity_scale_codec::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `POST /paxos/propose`, 200: a value that is decided and certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "V: Encode", deserialize = "V: Decode"))]
pub struct Certified<V = Opaque> {
    /// Its position in the log.
    pub position: u64,
    /// Its slot in its feed.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// What was decided: perhaps what another had proposed before.
    pub proposal: Scale<V>,
    /// The seat that proposed it, in a feed where that matters.
    pub proposer: Option<u8>,
    /// Signatures of a quorum.
    pub certificate: Scale<Certificate>,
    /// Seats that promised, as far as the node knows.
    #[serde(default)]
    pub promised: Vec<u8>,
    /// Seats that accepted, as far as it knows.
    #[serde(default)]
    pub accepted: Vec<u8>,
    /// Seats that attested.
    #[serde(default)]
    pub attested: Vec<u8>,
}

/// An element of `GET /paxos/certificates`: what is decided for a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "V: Encode", deserialize = "V: Decode"))]
pub struct Decided<V = Opaque> {
    /// The slot of the feed.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Scale<Digest>,
    /// What was decided.
    pub proposal: Scale<V>,
    /// The seat that proposed it, in a feed where that matters.
    pub proposer: Option<u8>,
    /// The signatures, if there are enough yet.
    pub certificate: Option<Scale<Certificate>>,
}

/// `POST /paxos/propose`, 503: why there is no certificate. Of any other refusal the words alone are
/// known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// In words.
    pub error: String,
    /// The slot.
    #[serde(default)]
    pub slot: Option<u64>,
    /// The position, if it is decided.
    #[serde(default)]
    pub position: Option<u64>,
    /// Seats that did not answer.
    #[serde(default)]
    pub missing: Vec<u8>,
    /// Who refuses.
    #[serde(default)]
    pub refusals: Vec<Refusal>,
}

impl Failed {
    /// Why, with the first refusal.
    pub fn why(&self) -> String {
        let first = self.refusals.first();
        let first = first.map(|refusal| format!(" (seat {}: {})", refusal.seat, refusal.reason));
        format!("{}{}", self.error, first.unwrap_or_default())
    }

    /// What the seats signed that refuse because it is left out. Nothing is verified yet.
    pub fn signed<T: Decode>(&self) -> Vec<T> {
        let signed = self.refusals.iter().filter_map(|refusal| refusal.signed.as_ref());
        signed.filter_map(|Scale(signed)| signed.read().ok()).collect()
    }
}

/// The shortest thing that ends with a signature, in bytes.
const SHORTEST_SIGNED: usize = 64;

/// A seat that refuses a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its seat.
    pub seat: u8,
    /// Why.
    pub reason: String,
    /// What its validator has signed that the proposal leaves out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Scale<Opaque>>,
}

impl Refusal {
    /// The refusal of a seat in the words of the consensus, which carries text alone: what is signed
    /// stands at its end, in hex after a colon.
    pub fn new(seat: u8, words: String) -> Self {
        let split = words.rsplit_once(": ").and_then(|(reason, last)| {
            let signed: Scale<Opaque> = last.parse().ok()?;
            let enough = signed.0 .0.len() > SHORTEST_SIGNED;
            enough.then(|| Self { seat, reason: reason.into(), signed: Some(signed) })
        });
        split.unwrap_or(Self { seat, reason: words, signed: None })
    }
}

/// `GET /paxos/attestation`: what a node signs under the decided report of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// Its seat.
    pub seat: u8,
    /// The slot.
    pub slot: u64,
    /// Its signature.
    pub signature: Scale<Signature>,
}

/// `GET /paxos/log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Everything up to here is decided.
    pub decided_position: u64,
    /// The entries asked for.
    pub entries: Vec<LogEntry>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its position.
    pub position: u64,
    /// The digest of its value.
    pub digest: Digest,
    /// The value, with its proposer.
    pub value: Scale<Opaque>,
    /// The seat that proposed it, in a feed where that matters.
    pub proposer: Option<u8>,
    /// The signatures under its report.
    pub certificate: Option<Scale<Certificate>>,
}

/// `GET /paxos/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The seat.
    pub node_id: u8,
    /// The fault model.
    pub fault_model: FaultModelName,
    /// The view, in the Byzantine form.
    pub view: Option<u64>,
    /// Who leads.
    pub leader: Option<u8>,
    /// Whether this node does.
    pub leading: bool,
    /// Everything up to this position is decided.
    pub decided_position: u64,
    /// The newest certified slot of the leaderboard.
    pub certified_slot: u64,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many decide.
    pub quorum: u8,
    /// How many certify.
    pub attestation_quorum: u8,
    /// The committee in office.
    pub epoch: u32,
    /// What attestations bind.
    pub config_digest: Digest,
    /// What messages between nodes bind.
    pub rules_digest: Digest,
    /// What all nodes keep to.
    pub rules: Rules,
    /// The round of the newest promise.
    pub promised_proposal: u64,
    /// Its seat.
    pub promised_proposer: u8,
    /// Votes for what is not decided yet.
    pub accepted: Vec<Vote>,
    /// Values that wait.
    pub proposals_waiting: usize,
    /// Whether anything is decided or voted for.
    pub has_value: bool,
    /// The feeds by name.
    pub feeds: BTreeMap<String, FeedStatus>,
    /// The other nodes.
    pub peers: Reached,
    /// How long the engine has been busy with what it took last, in milliseconds.
    pub engine_lag_ms: u64,
    /// How long the node runs.
    pub uptime_seconds: u64,
}

/// A vote of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The position.
    pub position: u64,
    /// The ballot's round.
    pub round: u64,
    /// The ballot's seat.
    pub seat: u8,
    /// The digest of the value.
    pub digest: Digest,
}

/// A feed as a node has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedStatus {
    /// The newest decided slot.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// Its time, in milliseconds since 1970.
    pub time_ms: u64,
    /// All slots up to this one are certified.
    pub certified_slot: u64,
    /// The newest slot on the chain, as it was last read.
    pub settled_slot: u64,
    /// Decided slots without a certificate.
    pub uncertified_slots: Vec<u64>,
}

/// Whom a node has heard of lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Seats that answered the last request.
    pub reachable: Vec<u8>,
    /// Seats that did not.
    pub unreachable: Vec<u8>,
}

/// A line of a node's `contradictions.jsonl`: two statements of a seat that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// Whose.
    pub seat: u8,
    /// One.
    pub first: Said,
    /// The other.
    pub second: Said,
}

/// A signed statement of the Byzantine form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `proposal`, `prepared` or `committed`.
    pub kind: String,
    /// The position in the log.
    pub position: u64,
    /// The view.
    pub view: u64,
    /// The digest of the value.
    pub digest: Scale<Digest>,
    /// ed25519 of the seat.
    pub signature: Scale<Signature>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_brings_what_was_signed() {
        let (reason, signed) = ("my validator's observation is not in it", Opaque(vec![7; 65]));
        for words in [
            format!("{reason}: {}", hex::encode(&signed.0)),
            format!("{reason}: {}", Scale(signed.clone())),
        ] {
            let refusal = Refusal::new(4, words);
            assert_eq!((refusal.seat, refusal.reason.as_str()), (4, reason));
            assert_eq!(refusal.signed, Some(Scale(signed.clone())));
        }
        for words in ["stale", "the slot is: 12", "time: soon", &format!("x: {}", "ab".repeat(64))]
        {
            let refusal = Refusal::new(4, words.into());
            assert_eq!((refusal.reason.as_str(), refusal.signed), (words, None));
        }
        let refusals = vec![
            Refusal::new(4, "stale".into()),
            Refusal::new(5, format!("not in it: {}", hex::encode([9u64; 9].encode()))),
        ];
        let failed = Failed { error: "not decided".into(), refusals, ..Failed::default() };
        assert_eq!(failed.why(), "not decided (seat 4: stale)");
        assert_eq!(failed.signed::<[u64; 9]>(), [[9; 9]]);
        assert!(failed.signed::<u64>().is_empty(), "of another type");
    }

    #[test]
    fn failures_keep_their_names() {
        let refusals = vec![Refusal::new(5, "r".into())];
        let failed =
            Failed { error: "e".into(), slot: Some(2), position: None, missing: vec![3], refusals };
        let json = serde_json::to_value(&failed).unwrap();
        let expected = serde_json::json!({
            "error": "e", "slot": 2, "position": null, "missing": [3],
            "refusals": [{ "seat": 5, "reason": "r" }],
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Failed>(json).unwrap(), failed);
        let problem: Failed = serde_json::from_str("{\"error\":\"too soon\"}").unwrap();
        assert_eq!(problem, Failed { error: "too soon".into(), ..Failed::default() });
    }
}

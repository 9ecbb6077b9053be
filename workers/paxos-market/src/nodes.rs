//! The nodes' HTTP interface, as a proposer uses it.

use cicada_core::certificate::Certificate;
use cicada_core::hash::{Hash, Native};
use cicada_core::leaderboard::Proposal;
use cicada_network::Network;
use futures::future::join_all;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a node may take to answer a question.
const ASK: Duration = Duration::from_secs(5);
/// How long a node may take to lead a round.
const PROPOSE: Duration = Duration::from_secs(60);

/// A slot that the nodes have decided.
#[derive(Clone, Debug, Deserialize)]
pub struct Decided {
    /// The slot of the feed.
    pub slot: u64,
    /// What was decided.
    #[serde(deserialize_with = "scale")]
    pub proposal: Proposal,
    /// The signatures, if there are enough yet.
    #[serde(default, deserialize_with = "maybe_scale")]
    pub certificate: Option<Certificate>,
}

/// A proposal that was decided and certified.
#[derive(Clone, Debug, Deserialize)]
pub struct Agreed {
    /// What was decided: perhaps what another had proposed before.
    #[serde(deserialize_with = "scale")]
    pub proposal: Proposal,
    /// Signatures of a quorum.
    #[serde(deserialize_with = "scale")]
    pub certificate: Certificate,
    /// Seats that promised.
    #[serde(default)]
    pub promised: Vec<u8>,
    /// Seats that accepted.
    #[serde(default)]
    pub accepted: Vec<u8>,
    /// Seats that attested.
    #[serde(default)]
    pub attested: Vec<u8>,
}

/// Why there is no agreement.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Failed {
    /// In words.
    pub error: String,
    /// Seats that did not answer.
    #[serde(default)]
    pub missing: Vec<u8>,
    /// Seats that refused.
    #[serde(default)]
    pub refusals: Vec<Refusal>,
}

/// A node that refuses a proposal.
#[derive(Clone, Debug, Deserialize)]
pub struct Refusal {
    /// Its seat.
    pub seat: u8,
    /// Why.
    pub reason: String,
}

/// What a node answers to a proposal.
#[derive(Debug)]
pub enum Answer {
    /// Decided and certified.
    Agreed(Box<Agreed>),
    /// Too few nodes answer or agree.
    NoQuorum(Failed),
    /// The node cannot propose this now.
    Conflict(Failed),
    /// The node does not answer, or not in this protocol.
    Silent(String),
}

/// The nodes of a network.
pub struct Nodes<'a> {
    client: reqwest::Client,
    network: &'a Network,
}

impl<'a> Nodes<'a> {
    /// The nodes of `network`; nobody is asked yet.
    pub fn new(network: &'a Network) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(ASK)
            .build()?;
        Ok(Self { client, network })
    }

    /// Asks a node to lead a round for a proposal.
    pub async fn propose(&self, seat: usize, proposal: &Proposal) -> Answer {
        let url = format!("{}/paxos/propose", self.network.nodes[seat].url);
        let request = self
            .client
            .post(url)
            .timeout(PROPOSE)
            .header("content-type", "application/octet-stream")
            .body(proposal.encode());
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::Silent(cause(&error)),
        };
        let status = response.status().as_u16();
        let body = match response.bytes().await {
            Ok(body) => body,
            Err(error) => return Answer::Silent(cause(&error)),
        };
        answer(status, &body)
    }

    /// The slots after `slot` that any node knows to be decided, with a certificate wherever
    /// one of them has it; and the seats that did not answer.
    pub async fn decided_after(&self, slot: u64) -> (BTreeMap<u64, Decided>, Vec<u8>) {
        let ask = |seat: usize| {
            let node = &self.network.nodes[seat].url;
            let url = format!("{node}/paxos/certificates?feed=leaderboard&after={slot}");
            let request = self.client.get(url).timeout(ASK);
            async move { request.send().await.ok()?.error_for_status().ok()?.bytes().await.ok() }
        };
        let answers = join_all((0..self.network.nodes.len()).map(ask)).await;
        let mut merged = BTreeMap::new();
        let mut silent = Vec::new();
        for (seat, body) in (0u8..).zip(answers) {
            match body.and_then(|body| parse::<Vec<Decided>>(&body).ok()) {
                Some(list) => merge(&mut merged, list, slot),
                None => silent.push(seat),
            }
        }
        (merged, silent)
    }
}

/// Takes over what is new: a slot, or the certificate of a slot.
fn merge(merged: &mut BTreeMap<u64, Decided>, list: Vec<Decided>, after: u64) {
    for decided in list {
        if decided.slot <= after || decided.slot != decided.proposal.report.slot {
            continue;
        }
        let known = merged.entry(decided.slot).or_insert_with(|| decided.clone());
        if known.certificate.is_none() {
            *known = decided;
        }
    }
}

/// Reads a node's answer.
fn answer(status: u16, body: &[u8]) -> Answer {
    let failed = || {
        parse::<Failed>(body).unwrap_or_else(|_| Failed {
            error: String::from_utf8_lossy(body).trim().into(),
            ..Failed::default()
        })
    };
    match status {
        200 => match parse(body) {
            Ok(agreed) => Answer::Agreed(Box::new(agreed)),
            Err(error) => Answer::Silent(format!("answers in another form: {error}")),
        },
        503 => Answer::NoQuorum(failed()),
        409 => Answer::Conflict(failed()),
        _ => Answer::Silent(format!("answers {status}: {}", failed().error)),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// The innermost cause of a failed request: the outer ones say only that it failed.
fn cause(error: &reqwest::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn scale<'de, T: Decode, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    from_hex(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn maybe_scale<'de, T: Decode, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| from_hex(&text).map_err(serde::de::Error::custom)).transpose()
}

fn from_hex<T: Decode>(text: &str) -> Result<T, String> {
    let bytes = hex::decode(text.trim_start_matches("0x")).map_err(|error| error.to_string())?;
    T::decode_all(&mut &bytes[..]).map_err(|error| error.to_string())
}

/// The digest of a proposal's report.
pub fn digest_of(proposal: &Proposal) -> Hash {
    proposal.report.digest::<Native>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{certified, proposal};

    fn hex_of(value: &impl Encode) -> String {
        format!("0x{}", hex::encode(value.encode()))
    }

    #[test]
    fn an_agreement_is_read() {
        let (_, proposal, certificate) = certified();
        let body = serde_json::json!({
            "position": 1, "slot": 1, "digest": hex_of(&digest_of(&proposal)),
            "proposal": hex_of(&proposal), "certificate": hex_of(&certificate),
            "promised": [0, 1], "accepted": [0], "attested": [2],
        });
        let Answer::Agreed(agreed) = answer(200, body.to_string().as_bytes()) else {
            panic!("not agreed");
        };
        assert_eq!(agreed.proposal, proposal);
        assert_eq!(agreed.certificate, certificate);
        assert_eq!(agreed.promised, [0, 1]);
    }

    #[test]
    fn failures_keep_their_seats_and_reasons() {
        let body = br#"{"error":"12 needed","missing":[3,4],"refusals":[{"seat":5,"reason":"r"}]}"#;
        let Answer::NoQuorum(failed) = answer(503, body) else {
            panic!("not a failure");
        };
        assert_eq!(failed.missing, [3, 4]);
        assert_eq!(failed.refusals[0].seat, 5);
        assert!(matches!(answer(409, b"{\"error\":\"x\"}"), Answer::Conflict(_)));
        assert!(matches!(answer(200, b"{}"), Answer::Silent(_)));
        let Answer::Silent(reason) = answer(500, b"no json") else {
            panic!("not silent");
        };
        assert_eq!(reason, "answers 500: no json");
    }

    #[test]
    fn a_certificate_of_any_node_is_taken() {
        let (_, proposal, certificate) = certified();
        let decided = |certificate| Decided { slot: 1, proposal: proposal.clone(), certificate };
        let mut merged = BTreeMap::new();
        merge(&mut merged, vec![decided(None)], 0);
        merge(&mut merged, vec![decided(Some(certificate.clone()))], 0);
        merge(&mut merged, vec![decided(None)], 0);
        assert_eq!(merged[&1].certificate, Some(certificate));
        let mut none = BTreeMap::new();
        merge(&mut none, vec![decided(None)], 1);
        assert!(none.is_empty());
    }

    #[test]
    fn a_list_of_decided_slots_is_read() {
        let list = serde_json::json!([
            {"slot": 1, "digest": "0x", "proposal": hex_of(&proposal()), "certificate": null},
        ]);
        let list: Vec<Decided> = parse(list.to_string().as_bytes()).unwrap();
        assert_eq!(list[0].certificate, None);
    }
}

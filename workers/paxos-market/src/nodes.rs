//! The nodes' HTTP interface, as a proposer uses it.

use crate::pass::Pass;
use crate::verify::verify;
use anyhow::{ensure, Result};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::{Hash, Native};
use cicada_core::leaderboard::Proposal;
use cicada_core::report::Report;
use cicada_network::{Network, NodeEntry};
use cicada_program::{cause, read_answer};
use futures::future::join_all;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a node may take to answer a question.
const ASK: Duration = Duration::from_secs(5);
/// How long a node shall try to get a proposal decided and certified, in milliseconds: some views
/// may pass before an honest node leads.
const PROPOSE_MS: u64 = 15_000;
/// The longest answer, in bytes: 256 decided slots with their certificates.
const MOST: usize = 8 * 1024 * 1024;
/// How long to wait for its answer.
const PROPOSE: Duration = Duration::from_secs(20);

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

/// What a node attests.
#[derive(Deserialize)]
struct Attested {
    #[serde(deserialize_with = "scale")]
    signature: Signature,
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

impl Agreed {
    /// Checks that this is the agreement about the slot of a report, and genuine. What was decided
    /// there may be another's proposal; the certificate of another slot, however true, is no answer.
    pub fn check(&self, network: &Network, asked: &Report) -> Result<()> {
        let report = &self.proposal.report;
        ensure!(
            (report.slot, report.previous) == (asked.slot, asked.previous),
            "it answers with slot {}, not with the slot {} that was asked for",
            report.slot,
            asked.slot
        );
        verify(network, &self.proposal, &self.certificate)
    }
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
    pass: Pass,
}

impl<'a> Nodes<'a> {
    /// The nodes of `network`; nobody is asked yet.
    pub fn new(network: &'a Network, pass: Pass) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(ASK)
            .build()?;
        Ok(Self { client, network, pass })
    }

    /// Asks a node to lead a round for a proposal.
    pub async fn propose(&self, seat: usize, proposal: &Proposal) -> Answer {
        let node = &self.network.nodes[seat].url;
        let url = format!("{node}/paxos/propose?timeout_ms={PROPOSE_MS}");
        let body = proposal.encode();
        let mut request = self.client.post(url).timeout(PROPOSE);
        request = request.header("content-type", "application/octet-stream");
        for (name, value) in self.pass.headers(seat, &body) {
            request = request.header(name, value);
        }
        let request = request.body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::Silent(cause(&error)),
        };
        match read_answer(response, MOST).await {
            Ok((status, body)) => answer(status, &body),
            Err(error) => Answer::Silent(error),
        }
    }

    /// What nodes attest for a decided slot, each in its own name. Nothing is verified yet.
    pub async fn attestations(&self, slot: u64) -> Vec<(u8, Signature)> {
        let ask = |node: &NodeEntry| {
            let url = format!("{}/paxos/attestation?feed=leaderboard&slot={slot}", node.url);
            let request = self.client.get(url).timeout(ASK);
            async move { body(request).await }
        };
        let answers = join_all(self.network.nodes.iter().map(ask)).await;
        (0u8..)
            .zip(answers)
            .filter_map(|(seat, body)| Some((seat, parse::<Attested>(&body?).ok()?.signature)))
            .collect()
    }

    /// The slots after `slot` that are decided: those for which a node shows a genuine certificate,
    /// and those that so many nodes name alike that one of them is honest. And the seats that did
    /// not answer.
    pub async fn decided_after(&self, slot: u64) -> (BTreeMap<u64, Decided>, Vec<u8>) {
        let ask = |seat: usize| {
            let node = &self.network.nodes[seat].url;
            let url = format!("{node}/paxos/certificates?feed=leaderboard&after={slot}");
            let request = self.client.get(url).timeout(ASK);
            async move { body(request).await }
        };
        let answers = join_all((0..self.network.nodes.len()).map(ask)).await;
        let mut heard = Heard::default();
        let mut silent = Vec::new();
        for (seat, body) in (0u8..).zip(answers) {
            match body.and_then(|body| parse::<Vec<Decided>>(&body).ok()) {
                Some(list) => heard.add(self.network, list, slot),
                None => silent.push(seat),
            }
        }
        (heard.decided(self.network), silent)
    }
}

/// What nodes say is decided, by slot, with the number of nodes that say it.
#[derive(Default)]
struct Heard(BTreeMap<u64, Vec<(Decided, usize)>>);

impl Heard {
    fn add(&mut self, network: &Network, list: Vec<Decided>, after: u64) {
        for mut decided in list {
            if decided.slot <= after || decided.slot != decided.proposal.report.slot {
                continue;
            }
            let claims = self.0.entry(decided.slot).or_default();
            let known = claims.iter_mut().find(|(known, _)| known.proposal == decided.proposal);
            let certified = known.as_ref().is_some_and(|(known, _)| known.certificate.is_some());
            // One genuine certificate is enough.
            let genuine = |c: &Certificate| verify(network, &decided.proposal, c).is_ok();
            let certificate = decided.certificate.take().filter(|c| !certified && genuine(c));
            match known {
                Some((known, count)) => {
                    *count += 1;
                    known.certificate = certificate.or(known.certificate.take());
                }
                None => claims.push((Decided { certificate, ..decided }, 1)),
            }
        }
    }

    fn decided(self, network: &Network) -> BTreeMap<u64, Decided> {
        let enough = usize::from(network.quorum().weak_size());
        let sure =
            |(decided, count): &(Decided, usize)| decided.certificate.is_some() || *count >= enough;
        let slot = |(slot, mut claims): (u64, Vec<(Decided, usize)>)| {
            claims.sort_by_key(|(decided, _)| decided.certificate.is_none());
            Some((slot, claims.into_iter().find(sure)?.0))
        };
        self.0.into_iter().filter_map(slot).collect()
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

/// The body of an answer, if it is a good one.
async fn body(request: reqwest::RequestBuilder) -> Option<Vec<u8>> {
    let answer = request.send().await.ok()?;
    let (status, body) = read_answer(answer, MOST).await.ok()?;
    (status == 200).then_some(body)
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
    use cicada_network::FaultModelName;

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
    fn an_answer_about_another_slot_is_no_agreement() {
        let (network, proposal, certificate) = certified();
        let asked = proposal.report;
        let (promised, accepted, attested) = (Vec::new(), Vec::new(), Vec::new());
        let agreed = Agreed { proposal, certificate, promised, accepted, attested };
        agreed.check(&network, &asked).unwrap();
        // What another proposed for this slot is the nodes' to decide.
        agreed.check(&network, &Report { time_ms: 7, root: [9; 32], ..asked }).unwrap();
        let next = Report { slot: asked.slot + 1, previous: [1; 32], ..asked };
        let error = agreed.check(&network, &next).unwrap_err().to_string();
        assert_eq!(error, "it answers with slot 1, not with the slot 2 that was asked for");
        assert!(agreed.check(&network, &Report { previous: [1; 32], ..asked }).is_err());
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
    fn a_genuine_certificate_of_any_node_is_taken() {
        let (network, proposal, certificate) = certified();
        let decided = |certificate| Decided { slot: 1, proposal: proposal.clone(), certificate };
        let mut forged = certificate.clone();
        forged.signatures[0][5] ^= 1;
        let mut heard = Heard::default();
        for shown in [None, Some(forged.clone()), Some(certificate.clone()), None, Some(forged)] {
            heard.add(&network, vec![decided(shown)], 0);
        }
        assert_eq!(heard.decided(&network)[&1].certificate, Some(certificate));
        let mut none = Heard::default();
        none.add(&network, vec![decided(None)], 1);
        assert!(none.decided(&network).is_empty());
    }

    #[test]
    fn without_a_certificate_more_nodes_must_say_so_than_can_lie() {
        let (mut network, proposal, _) = certified();
        network.fault_model = FaultModelName::Byzantine;
        let said_by = |count: usize| {
            let mut heard = Heard::default();
            for _ in 0..count {
                let proposal = proposal.clone();
                heard.add(&network, vec![Decided { slot: 1, proposal, certificate: None }], 0);
            }
            heard.decided(&network).len()
        };
        assert_eq!((said_by(7), said_by(8)), (0, 1));
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

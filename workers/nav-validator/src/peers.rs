//! The other validators, and the seat's consensus node, over HTTP.

use crate::rankings::Shown;
use anyhow::{anyhow, bail, ensure, Context, Result};
use cicada_core::basket::observed;
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Hash;
use cicada_core::nav::Observation;
use cicada_core::report::Report;
use cicada_network::{NodeKeys, Proposer, Rules};
use futures::future::join_all;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// How long a peer may take to answer.
const ASK: Duration = Duration::from_secs(5);
/// How long a node shall try to get a proposal decided and certified, in milliseconds.
const PROPOSE_MS: u64 = 15_000;
/// How long to wait for its answer.
const PROPOSE: Duration = Duration::from_secs(20);
/// The longest answer that is read, in bytes: 23 observations and signatures are below 8 KiB.
const MOST: usize = 256 * 1024;

/// What a validator answers to `/observation`.
#[derive(Deserialize)]
struct Observed {
    config_digest: String,
    scale: String,
}

/// What a validator answers to `/attestation`.
#[derive(Deserialize)]
struct Attested {
    seat: u8,
    signature: String,
}

/// What a node answers to a proposal, and one entry of its certificates.
#[derive(Deserialize)]
struct Agreed {
    slot: u64,
    proposal: String,
    certificate: Option<String>,
}

/// What a validator wants to know of its node: for whom and under which rules it proposes.
#[derive(Deserialize)]
struct Status {
    node_id: u8,
    rules_digest: String,
    rules: Rules,
}

#[derive(Deserialize)]
struct Failed {
    error: String,
    #[serde(default)]
    refusals: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    seat: u8,
    reason: String,
}

/// A value that the nodes decided, with its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified<T> {
    /// What was decided.
    pub value: T,
    /// Signatures of a quorum.
    pub certificate: Certificate,
}

/// A client for all of them.
pub struct Peers {
    client: reqwest::Client,
    peers: Vec<String>,
    paxos: Option<String>,
    keys: Option<Arc<NodeKeys>>,
}

fn from_hex<T: Decode>(text: &str) -> Result<T> {
    let bytes = hex::decode(text.trim_start_matches("0x"))?;
    T::decode_all(&mut &bytes[..]).map_err(|error| anyhow!("{error}"))
}

impl Peers {
    /// Nobody is asked yet.
    ///
    /// # Errors
    /// If the system has no room for a client.
    pub fn new(peers: Vec<String>, paxos: Option<String>) -> Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(ASK)
            .build()?;
        Ok(Self { client, peers, paxos, keys: None })
    }

    /// With the keys of the seat, under which its node takes proposals.
    pub fn signing(self, keys: Option<Arc<NodeKeys>>) -> Self {
        Self { keys, ..self }
    }

    /// Whether there is a consensus node.
    pub fn has_node(&self) -> bool {
        self.paxos.is_some()
    }

    /// What the peers signed for a slot of the NAV under a committee, and why others did not.
    /// Nothing is verified yet.
    pub async fn observations(
        &self,
        slot: u64,
        config_digest: &Hash,
    ) -> (Vec<Observation>, Vec<String>) {
        self.observed(&format!("feed=nav&slot={slot}"), config_digest).await
    }

    /// The prices that the peers signed for a slot of the basket; the same. They are told which seat
    /// wants it, by its signature.
    pub async fn prices(
        &self,
        slot: u64,
        config_digest: &Hash,
        (seat, wanted): &(u8, Signature),
    ) -> (Vec<observed::Observation>, Vec<String>) {
        let wanted = hex::encode(wanted);
        let of = format!("feed=basket&slot={slot}&seat={seat}&wanted={wanted}");
        self.observed(&of, config_digest).await
    }

    /// What the peers signed of the ranking of an epoch, with the ranking if it is settled. Nothing is
    /// verified yet.
    pub async fn rankings(&self, epoch: u64, config_digest: &Hash) -> Vec<Shown> {
        self.said(&format!("ranking?epoch={epoch}"), config_digest).await.0
    }

    async fn observed<T: Decode>(&self, of: &str, config_digest: &Hash) -> (Vec<T>, Vec<String>) {
        self.said(&format!("observation?{of}"), config_digest).await
    }

    async fn said<T: Decode>(&self, path: &str, config_digest: &Hash) -> (Vec<T>, Vec<String>) {
        let ask = |peer: &String| {
            let url = format!("{peer}/{path}");
            let request = self.client.get(url).timeout(ASK);
            let peer = peer.clone();
            async move {
                let asked = async {
                    let (status, body) = answer(request).await?;
                    observed(status, &body, config_digest)
                };
                asked.await.map_err(|error| format!("{peer}: {error:#}"))
            }
        };
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        for answer in join_all(self.peers.iter().map(ask)).await {
            match answer {
                Ok(observation) => found.push(observation),
                Err(error) => failed.push(error),
            }
        }
        (found, failed)
    }

    /// Signatures of the peers under what the nodes decided for a slot of a feed. Nothing is
    /// verified yet.
    pub async fn attestations(&self, feed: &str, slot: u64) -> Vec<(u8, Signature)> {
        let ask = |peer: &String| {
            let url = format!("{peer}/attestation?feed={feed}&slot={slot}");
            let request = self.client.get(url).timeout(ASK);
            async move { attested(&answer(request).await.ok()?.1) }
        };
        join_all(self.peers.iter().map(ask)).await.into_iter().flatten().collect()
    }

    fn paxos(&self) -> Result<&str> {
        self.paxos.as_deref().context("no consensus node is configured")
    }

    async fn status(&self) -> Result<Status> {
        let url = format!("{}/paxos/status", self.paxos()?);
        let (code, body) = answer(self.client.get(url).timeout(ASK)).await?;
        ensure!(code == 200, "the node answers {code} to a question for its status");
        Ok(serde_json::from_slice(&body)?)
    }

    /// What the network keeps to, as the node knows it: when whose turn is.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn rules(&self) -> Result<Rules> {
        Ok(self.status().await?.rules)
    }

    /// The seat as its node knows it.
    async fn proposer(&self) -> Result<(u8, Proposer)> {
        let keys = self.keys.clone().context("proposals are signed: no keys are configured")?;
        let Status { node_id, rules_digest, .. } = self.status().await?;
        Ok((node_id, Proposer::new(node_id, from_hex(&rules_digest)?, keys)))
    }

    /// Asks the node to get a value decided and certified.
    ///
    /// # Errors
    /// In words, with what the nodes say.
    pub async fn propose<T: Decode>(&self, value: Vec<u8>) -> Result<Certified<T>> {
        let asked = Report::decode(&mut &value[..])?;
        let url = format!("{}/paxos/propose?timeout_ms={PROPOSE_MS}", self.paxos()?);
        let mut request = self.client.post(url).timeout(PROPOSE);
        request = request.header("content-type", "application/octet-stream");
        let (seat, proposer) = self.proposer().await?;
        for (name, value) in proposer.headers(seat, &value) {
            request = request.header(name, value);
        }
        let (status, body) = answer(request.body(value)).await?;
        agreed(status, &body, &asked)
    }

    /// The same for a value that rests on what seats said, and again as long as refusals bring along
    /// somebody who is not in it: who was not heard says so himself. `select` is what counts of all.
    ///
    /// # Errors
    /// As [`Self::propose`].
    pub async fn propose_with<V: Encode + Decode, T: Clone + Decode>(
        &self,
        mut said: Vec<T>,
        value: impl Fn(Vec<T>) -> V,
        select: impl Fn(Vec<T>) -> Vec<T>,
    ) -> Result<Certified<V>> {
        loop {
            match self.propose(value(said.clone()).encode()).await {
                Ok(agreed) => return Ok(agreed),
                Err(error) => {
                    let more = select(said.iter().cloned().chain(brought(&error)).collect());
                    ensure!(more.len() > said.len(), error);
                    said = more;
                }
            }
        }
    }

    /// What the nodes decided and certified for a slot of a feed, if they did.
    ///
    /// # Errors
    /// If the node does not answer, or decided the slot and has no certificate yet.
    pub async fn certified<T: Decode>(
        &self,
        feed: &str,
        slot: u64,
    ) -> Result<Option<Certified<T>>> {
        let after = slot.saturating_sub(1);
        let url = format!("{}/paxos/certificates?feed={feed}&after={after}&limit=1", self.paxos()?);
        let (status, body) = answer(self.client.get(url).timeout(ASK)).await?;
        newest(status, &body, slot)
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>)> {
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        ensure!(body.len().saturating_add(chunk.len()) <= MOST, "the answer is too long");
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

fn refused(status: u16, body: &[u8]) -> anyhow::Error {
    let Ok(failed) = serde_json::from_slice::<Failed>(body) else {
        return anyhow!("answers {status}");
    };
    let first = failed.refusals.first();
    let why = first.map(|refusal| format!(" (seat {}: {})", refusal.seat, refusal.reason));
    let said = format!("{}{}", failed.error, why.unwrap_or_default());
    let reasons = failed.refusals.into_iter().map(|refusal| refusal.reason).collect();
    Refused { said, reasons }.into()
}

/// What nodes say who refuse a proposal.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
struct Refused {
    said: String,
    reasons: Vec<String>,
}

/// What refusals of a proposal bring along: what their seats signed, in hex of SCALE at their end.
/// Nothing is verified yet.
fn brought<T: Decode>(error: &anyhow::Error) -> Vec<T> {
    let reasons = error.downcast_ref::<Refused>().map_or(&[][..], |refused| &refused.reasons);
    let last = |reason: &String| from_hex(reason.rsplit(' ').next()?).ok();
    reasons.iter().filter_map(last).collect()
}

fn observed<T: Decode>(status: u16, body: &[u8], config_digest: &Hash) -> Result<T> {
    if status != 200 {
        return Err(refused(status, body));
    }
    let observed: Observed = serde_json::from_slice(body)?;
    let same = observed.config_digest.trim_start_matches("0x") == hex::encode(config_digest);
    ensure!(same, "signs for another committee");
    from_hex(&observed.scale)
}

fn attested(body: &[u8]) -> Option<(u8, Signature)> {
    let attested: Attested = serde_json::from_slice(body).ok()?;
    Some((attested.seat, from_hex(&attested.signature).ok()?))
}

// What another proposed for the same slot is an answer; another slot is none.
fn agreed<T: Decode>(status: u16, body: &[u8], asked: &Report) -> Result<Certified<T>> {
    if status != 200 {
        return Err(refused(status, body));
    }
    let agreed: Agreed = serde_json::from_slice(body)?;
    let bytes = hex::decode(agreed.proposal.trim_start_matches("0x"))?;
    let report = Report::decode(&mut &bytes[..])?;
    ensure!(
        (report.feed, report.slot, report.previous) == (asked.feed, asked.slot, asked.previous),
        "the node answers with another slot, not with slot {} that was asked for",
        asked.slot
    );
    let certificate = agreed.certificate.context("decided, but not certified yet")?;
    Ok(Certified { value: from_hex(&agreed.proposal)?, certificate: from_hex(&certificate)? })
}

fn newest<T: Decode>(status: u16, body: &[u8], slot: u64) -> Result<Option<Certified<T>>> {
    if status != 200 {
        return Err(refused(status, body));
    }
    let decided: Vec<Agreed> = serde_json::from_slice(body)?;
    let Some(next) = decided.into_iter().find(|decided| decided.slot == slot) else {
        return Ok(None);
    };
    let Some(certificate) = next.certificate else {
        bail!("slot {slot} is decided, but not certified yet");
    };
    Ok(Some(Certified { value: from_hex(&next.proposal)?, certificate: from_hex(&certificate)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::report::{Feed, FeedState, ReportKind};
    use parity_scale_codec::Encode;

    const OBSERVATION: Observation =
        Observation { seat: 3, nav_e18: 9, time_ms: 5, signature: [7; 64] };

    fn certificate() -> Certificate {
        Certificate { scheme: 1, epoch: 1, signers: 1, signatures: vec![[1; 64]] }
    }

    #[test]
    fn an_observation_is_of_our_committee() {
        let scale = hex::encode(OBSERVATION.encode());
        let digest = hex::encode([8u8; 32]);
        let body =
            format!("{{\"config_digest\":\"0x{digest}\",\"scale\":\"0x{scale}\",\"seat\":3}}");
        let observed = observed::<Observation>;
        assert_eq!(observed(200, body.as_bytes(), &[8; 32]).unwrap(), OBSERVATION);
        let other = observed(200, body.as_bytes(), &[9; 32]).unwrap_err();
        assert!(other.to_string().contains("another committee"));
        let refused = observed(409, b"{\"error\":\"too soon\"}", &[8; 32]).unwrap_err();
        assert_eq!(refused.to_string(), "too soon");
        assert_eq!(observed(502, b"<html>", &[8; 32]).unwrap_err().to_string(), "answers 502");
    }

    #[test]
    fn an_attestation_is_a_seat_and_a_signature() {
        let signature = hex::encode([5u8; 64]);
        let body = format!("{{\"seat\":3,\"signature\":\"{signature}\"}}");
        assert_eq!(attested(body.as_bytes()), Some((3, [5; 64])));
        assert_eq!(attested(b"{\"error\":\"no\"}"), None);
    }

    #[test]
    fn an_agreement_has_a_value_and_a_certificate() {
        let feed = Feed { kind: ReportKind::Nav, contract: [1; 32] };
        let report = FeedState::EMPTY.next_report(feed, 9, [2; 32]);
        let (value, scale) = (hex::encode(report.encode()), hex::encode(certificate().encode()));
        let body = format!(
            "{{\"slot\":4,\"proposal\":\"{value}\",\"certificate\":\"{scale}\",\"promised\":[1]}}"
        );
        let expected = Certified { value: report, certificate: certificate() };
        assert_eq!(agreed::<Report>(200, body.as_bytes(), &report).unwrap(), expected);
        let other = Report { slot: 2, ..report };
        let error = agreed::<Report>(200, body.as_bytes(), &other).unwrap_err().to_string();
        assert!(error.contains("not with slot 2"), "{error}");
        let list = format!("[{body}]");
        assert_eq!(newest::<Report>(200, list.as_bytes(), 4).unwrap(), Some(expected));
        assert_eq!(newest::<Report>(200, list.as_bytes(), 3).unwrap(), None, "another slot");
        let bare = format!("[{{\"slot\":4,\"proposal\":\"{value}\",\"certificate\":null}}]");
        assert!(
            newest::<Report>(200, bare.as_bytes(), 4).is_err(),
            "decided, and to be waited for"
        );
        let refusals =
            b"{\"error\":\"not decided\",\"refusals\":[{\"seat\":2,\"reason\":\"stale\"}]}";
        let error = agreed::<Report>(503, refusals, &report).unwrap_err().to_string();
        assert_eq!(error, "not decided (seat 2: stale)");
    }
}

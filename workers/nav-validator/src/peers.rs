//! The other validators, and the seat's consensus node, over HTTP.

use crate::rankings::Shown;
use anyhow::{Context, Result};
use cicada_core::basket::observed;
use cicada_core::certificate::Signature;
use cicada_core::feed::FeedValue;
use cicada_core::hash::Digest;
use cicada_core::nav::Observation;
use cicada_core::report::{Report, ReportKind};
use cicada_network::{NodeKeys, Rules};
use cicada_node_api::{Attestation, Certified, Client, Error, Node, Scale};
use cicada_settlement::{Committee, Leaders, Round, Witnesses};
use futures::future::join_all;
use parity_scale_codec::Decode;
use serde::Deserialize;
use std::sync::Arc;

/// What a validator answers to `/observation` and `/ranking`, as far as it is read.
#[derive(Deserialize)]
#[serde(bound = "T: Decode")]
struct Signed<T> {
    config_digest: Scale<Digest>,
    scale: Scale<T>,
}

impl<T> Signed<T> {
    /// What is signed, for this committee.
    fn of(self, config_digest: &Digest) -> Result<T, String> {
        match self.config_digest.0 == *config_digest {
            true => Ok(self.scale.0),
            false => Err("signs for another committee".into()),
        }
    }
}

/// A client for all of them.
pub struct Peers {
    client: Client,
    peers: Vec<String>,
    node: Option<Node>,
    keys: Option<Arc<NodeKeys>>,
}

impl Peers {
    /// Nobody is asked yet. With the keys of the seat, under which its node takes proposals.
    ///
    /// # Errors
    /// If the system has no room for a client.
    pub fn new(
        peers: Vec<String>,
        paxos: Option<String>,
        keys: Option<Arc<NodeKeys>>,
    ) -> Result<Self> {
        let client = Client::new()?;
        let node = paxos.map(|url| client.node(url));
        Ok(Self { client, peers, node, keys })
    }

    /// Whether there is a consensus node.
    pub fn has_node(&self) -> bool {
        self.node.is_some()
    }

    /// The consensus node.
    ///
    /// # Errors
    /// If there is none.
    pub fn node(&self) -> Result<&Node> {
        self.node.as_ref().context("no consensus node is configured")
    }

    /// What the network keeps to, as the node knows it: when whose turn is.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn rules(&self) -> Result<Rules> {
        Ok(self.node()?.status().await?.rules)
    }

    /// What the peers signed for a slot of the NAV under a committee, and why others did not.
    /// Nothing is verified yet.
    pub async fn observations(
        &self,
        slot: u64,
        config_digest: &Digest,
    ) -> (Vec<Observation>, Vec<String>) {
        self.observed(&format!("feed=nav&slot={slot}"), config_digest).await
    }

    /// The prices that the peers signed for a slot of the basket; the same. They are told which seat
    /// wants it, by its signature.
    pub async fn prices(
        &self,
        slot: u64,
        config_digest: &Digest,
        (seat, wanted): &(u8, Signature),
    ) -> (Vec<observed::Observation>, Vec<String>) {
        let wanted = hex::encode(wanted);
        let of = format!("feed=basket&slot={slot}&seat={seat}&wanted={wanted}");
        self.observed(&of, config_digest).await
    }

    /// What the peers signed of the ranking of an epoch, with the ranking if it is settled. Nothing is
    /// verified yet.
    pub async fn rankings(&self, epoch: u64, config_digest: &Digest) -> Vec<Shown> {
        self.said(&format!("ranking?epoch={epoch}"), config_digest).await.0
    }

    async fn observed<T: Decode>(&self, of: &str, config_digest: &Digest) -> (Vec<T>, Vec<String>) {
        self.said(&format!("observation?{of}"), config_digest).await
    }

    async fn said<T: Decode>(&self, path: &str, config_digest: &Digest) -> (Vec<T>, Vec<String>) {
        let ask = |peer: &String| {
            let peer = peer.clone();
            async move {
                let answer = self.client.get::<Signed<T>>(&format!("{peer}/{path}")).await;
                let signed = answer.map_err(|error| error.words());
                signed
                    .and_then(|signed| signed.of(config_digest))
                    .map_err(|error| format!("{peer}: {error}"))
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
    async fn attestations(&self, feed: ReportKind, slot: u64) -> Vec<(u8, Signature)> {
        let ask = |peer: &String| {
            let url = format!("{peer}/attestation?feed={}&slot={slot}", feed.name());
            async move {
                let signed: Attestation = self.client.get(&url).await.ok()?;
                Some((signed.seat, signed.signature.0))
            }
        };
        join_all(self.peers.iter().map(ask)).await.into_iter().flatten().collect()
    }

    /// Asking the node to get a value decided and certified.
    pub fn round<'a>(&'a self, committee: &'a Committee) -> Round<'a, Self> {
        Round { leaders: self, committee, seats: vec![0], tries: 1 }
    }
}

/// One's own node is the only one that is asked.
impl<V: FeedValue + Sync> Leaders<V> for Peers {
    async fn propose(&self, _seat: usize, value: &V) -> Result<Certified<V>, Error> {
        let unconfigured = |what: &str| Error::Unreachable(format!("no {what} configured"));
        let node = self.node.as_ref().ok_or_else(|| unconfigured("consensus node is"))?;
        let keys = self.keys.clone().ok_or_else(|| unconfigured("keys are"))?;
        let (seat, pass) = node.own_pass(keys).await?;
        node.propose(value, &pass, seat).await
    }
}

/// Who signs a decided report once more: the peers, and this seat.
pub struct Signers<'a> {
    /// The peers.
    pub peers: &'a Peers,
    /// The keys of this seat.
    pub keys: &'a NodeKeys,
}

impl Witnesses for Signers<'_> {
    async fn attestations(&self, committee: &Committee, report: &Report) -> Vec<(u8, Signature)> {
        let Self { peers, keys } = self;
        let mut signed = peers.attestations(report.feed.kind, report.slot).await;
        // It is asked about what is verified alone.
        if let Some(seat) = committee.seat_of(&keys.attestation_key()) {
            signed.push((seat, keys.attest(&committee.message(report))));
        }
        signed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;

    const OBSERVATION: Observation =
        Observation { seat: 3, nav_e18: 9, time_ms: 5, signature: [7; 64] };

    async fn serve(routes: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }

    #[tokio::test]
    async fn an_observation_is_of_our_committee() {
        let signed = |digest: [u8; 32]| {
            let (digest, scale) = (hex::encode(digest), Scale(OBSERVATION));
            Json(json!({ "config_digest": digest, "scale": scale, "seat": 3 }))
        };
        let routes = |answer| Router::new().route("/observation", get(move || async { answer }));
        let soon = (StatusCode::CONFLICT, Json(json!({ "error": "too soon" })));
        let urls = [
            serve(routes((StatusCode::OK, signed([8; 32])))).await,
            serve(routes((StatusCode::OK, signed([9; 32])))).await,
            serve(routes(soon)).await,
        ];
        let peers = Peers::new(urls.to_vec(), None, None).unwrap();
        let (found, failed) = peers.observations(4, &Digest([8; 32])).await;
        assert_eq!(found, [OBSERVATION]);
        let why = ["signs for another committee", "too soon"];
        let expected = urls[1..].iter().zip(why).map(|(url, why)| format!("{url}: {why}"));
        assert_eq!(failed, expected.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn an_attestation_is_a_seat_and_a_signature() {
        let signed = json!({ "seat": 3, "slot": 4, "signature": hex::encode([5u8; 64]) });
        let signs = Router::new().route("/attestation", get(|| async { Json(signed) }));
        let refuses = Router::new().route("/attestation", get(|| async { "{\"error\":\"no\"}" }));
        let peers = vec![serve(signs).await, serve(refuses).await];
        let peers = Peers::new(peers, None, None).unwrap();
        assert_eq!(peers.attestations(ReportKind::Nav, 4).await, [(3, [5; 64])]);
    }
}

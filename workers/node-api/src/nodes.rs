//! What can be asked of a node, and of all of them.

use crate::client::answer;
use crate::{Attestation, Certified, Client, Decided, Error, Pass, Status};
use cicada_core::certificate::Signature;
use cicada_core::report::ReportKind;
use cicada_network::{Network, NodeKeys, Proposer};
use futures::future::join_all;
use parity_scale_codec::{Decode, Encode};
use std::sync::Arc;

/// The status of a node that cannot propose a value now.
pub const CONFLICT: u16 = 409;
/// The status if too few nodes answer or agree.
pub const NO_QUORUM: u16 = 503;

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    client: Client,
    url: String,
}

impl Node {
    pub(crate) fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How it is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn status(&self) -> Result<Status, Error> {
        self.client.get(&format!("{}/paxos/status", self.url)).await
    }

    /// Its seat, and what lets proposals of that seat into it: the signatures of these keys.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn own_pass(&self, keys: Arc<NodeKeys>) -> Result<(u8, Pass), Error> {
        let Status { node_id, rules_digest, .. } = self.status().await?;
        Ok((node_id, Pass::Seat(Proposer::new(node_id, rules_digest, keys))))
    }

    /// Has it get a value decided and certified; it has the seat `to`. The answer may be about what
    /// another proposed, and nothing of it is verified.
    ///
    /// # Errors
    /// [`Error`]; with the status [`CONFLICT`] the node itself would not propose it, with
    /// [`NO_QUORUM`] too few others agree.
    pub async fn propose<V: Encode + Decode>(
        &self,
        value: &V,
        pass: &Pass,
        to: u8,
    ) -> Result<Certified<V>, Error> {
        let limits = self.client.limits();
        let patience = limits.decide.as_millis();
        let body = value.encode();
        let mut request =
            self.client.post(&format!("{}/paxos/propose?timeout_ms={patience}", self.url));
        request = request.header("content-type", "application/octet-stream");
        for (name, value) in pass.headers(to, &body) {
            request = request.header(name, value);
        }
        answer(request.body(body), limits.one).await
    }

    /// What is decided after a slot of a feed, in order of slots.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn decided_after<V: Decode>(
        &self,
        feed: ReportKind,
        slot: u64,
    ) -> Result<Vec<Decided<V>>, Error> {
        let (url, feed) = (&self.url, feed.name());
        self.client.list(&format!("{url}/paxos/certificates?feed={feed}&after={slot}")).await
    }

    /// What is decided for a slot of a feed, if it is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn decided<V: Decode>(
        &self,
        feed: ReportKind,
        slot: u64,
    ) -> Result<Option<Decided<V>>, Error> {
        let (url, feed, after) = (&self.url, feed.name(), slot.saturating_sub(1));
        let url = format!("{url}/paxos/certificates?feed={feed}&after={after}&limit=1");
        let list: Vec<Decided<V>> = self.client.get(&url).await?;
        Ok(list.into_iter().find(|decided| decided.slot == slot))
    }

    /// What it signs under the decided report of a slot.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn attestation(&self, feed: ReportKind, slot: u64) -> Result<Attestation, Error> {
        let (url, feed) = (&self.url, feed.name());
        self.client.get(&format!("{url}/paxos/attestation?feed={feed}&slot={slot}")).await
    }
}

/// The nodes of a network, in order of seats.
#[derive(Clone, Debug)]
pub struct Nodes(Vec<Node>);

impl Nodes {
    /// Those of a network; nobody is asked yet.
    pub fn of(network: &Network, client: &Client) -> Self {
        Self(network.nodes.iter().map(|node| client.node(&node.url)).collect())
    }

    /// The node of a seat.
    pub fn get(&self, seat: usize) -> Option<&Node> {
        self.0.get(seat)
    }

    /// What all attest for a decided slot, each in its own name. Nothing is verified yet.
    pub async fn attestations(&self, feed: ReportKind, slot: u64) -> Vec<(u8, Signature)> {
        let answers = join_all(self.0.iter().map(|node| node.attestation(feed, slot))).await;
        (0u8..)
            .zip(answers)
            .filter_map(|(seat, answer)| Some((seat, answer.ok()?.signature.0)))
            .collect()
    }

    /// What all say is decided after a slot. Nothing is verified yet.
    pub async fn decided_after<V: Decode>(
        &self,
        feed: ReportKind,
        slot: u64,
    ) -> Vec<Result<Vec<Decided<V>>, Error>> {
        join_all(self.0.iter().map(|node| node.decided_after(feed, slot))).await
    }
}

#[cfg(test)]
mod tests;

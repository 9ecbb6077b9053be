//! Values that nodes are asked to decide, and the certificates that they answer with.

use super::{Cluster, Response, PATIENCE};
use cicada_consensus::Seat;
use cicada_core::certificate::Certificate;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Proposal};
use cicada_core::report::{FeedState, ReportKind};
use cicada_network::{NodeKeys, Proposer};
use cicada_node_api::{FeedStatus, Opaque, Scale, Status};
use parity_scale_codec::Encode;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

impl Cluster {
    /// The next leaderboard, as the results and the status of a node give it.
    pub fn proposal(&self, seat: Seat) -> Proposal {
        self.try_proposal(seat).expect("the node runs")
    }

    /// The same; `None` if the node does not answer.
    pub fn try_proposal(&self, seat: Seat) -> Option<Proposal> {
        let state = self.feed_state(seat, "leaderboard")?;
        let now = Self::now_ms();
        let results = cicada_results::read(&self.results(seat), now).unwrap();
        let board = Board::of::<Native>(&results.tally, |_| 0);
        let feed = self.network.feed(ReportKind::Leaderboard).unwrap();
        Some(Proposal { report: report::<Native>(feed, &state, &board, now), board })
    }

    /// Milliseconds since 1970.
    pub fn now_ms() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(now.as_millis()).unwrap()
    }

    /// The newest report of a feed, as the status of a node gives it; `None` if it does not answer.
    pub fn feed_state(&self, seat: Seat, feed: &str) -> Option<FeedState> {
        let status = self.get(seat, "/paxos/status")?.json();
        let status: Status = serde_json::from_value(status).unwrap();
        let FeedStatus { slot, digest, time_ms, .. } = &status.feeds[feed];
        Some(FeedState { slot: *slot, digest: *digest, time_ms: *time_ms })
    }

    /// Proposes at a node and waits for its answer.
    pub fn propose(&self, seat: Seat, proposal: &Proposal, timeout_ms: u64) -> Response {
        self.try_propose(seat, proposal, timeout_ms).expect("the node runs")
    }

    /// The same; `None` if the node does not answer.
    pub fn try_propose(
        &self,
        seat: Seat,
        proposal: &Proposal,
        timeout_ms: u64,
    ) -> Option<Response> {
        self.try_propose_value(seat, &proposal.encode(), timeout_ms)
    }

    /// The same with a value of any feed.
    pub fn try_propose_value(&self, seat: Seat, value: &[u8], timeout_ms: u64) -> Option<Response> {
        self.try_propose_as(seat, seat, value, timeout_ms)
    }

    /// The same in the name of a seat: any may propose anywhere.
    pub fn try_propose_as(
        &self,
        from: Seat,
        seat: Seat,
        value: &[u8],
        timeout_ms: u64,
    ) -> Option<Response> {
        let path = format!("/paxos/propose?timeout_ms={timeout_ms}");
        let mut headers = vec![("content-type", "application/octet-stream".to_owned())];
        headers.extend(self.pass_of(from, seat, value));
        self.request(seat, "POST", &path, &headers, value)
    }

    /// The headers that let a value into a node.
    pub fn pass(&self, seat: Seat, value: &[u8]) -> [(&'static str, String); 3] {
        self.pass_of(0, seat, value)
    }

    /// The same in the name of a seat.
    pub fn pass_of(&self, from: Seat, seat: Seat, value: &[u8]) -> [(&'static str, String); 3] {
        let keys = NodeKeys::load(&self.path(&format!("node-{from:02}.json"))).unwrap();
        Proposer::of(&self.network, Arc::new(keys)).unwrap().headers(seat, value)
    }

    /// Like [`Self::certify_next`], with as many attempts as it takes.
    pub fn certify_soon(&self, seat: Seat) -> (u64, Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let proposal = self.proposal(seat);
            let response = self.propose(seat, &proposal, 10_000);
            if response.status == 200 {
                self.check_certificate(&response.json());
                return (proposal.report.slot, response.json());
            }
            assert!(Instant::now() < deadline, "{}{}", response.json(), self.logs());
        }
    }

    /// Proposes the next leaderboard and checks the certificate with real signatures.
    pub fn certify_next(&self, seat: Seat) -> (u64, Value) {
        let proposal = self.proposal(seat);
        let response = self.propose(seat, &proposal, 60_000);
        let json = response.json();
        assert_eq!(response.status, 200, "{json}{}", self.logs());
        self.check_certificate(&json);
        (proposal.report.slot, json)
    }

    /// Checks proposal and certificate of an answer.
    pub fn check_certificate(&self, json: &Value) {
        let text = |name: &str| json[name].as_str().unwrap();
        let Scale(Opaque(value)) = text("proposal").parse().unwrap();
        let report = paxos_node::feeds::report_of(&value).unwrap();
        let Scale(certificate): Scale<Certificate> = text("certificate").parse().unwrap();
        let config = self.network.config_digest();
        let message = report.attestation_message::<Native>(&config);
        let quorum = self.network.attestation_quorum();
        certificate.check_form(1, &quorum).unwrap();
        let members = self.network.members();
        let keys: Vec<_> = members.iter().map(|member| member.attestation_key).collect();
        let verify = cicada_network::verify_attestation;
        certificate.check_signatures(&message, &keys, verify).unwrap();
    }
}

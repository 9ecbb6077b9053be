//! Figures for Prometheus.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{exponential_buckets, Histogram};
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// The kind of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// Its name.
    pub kind: &'static str,
}

type ByKind = Family<Kind, Counter>;
type Level = Gauge<u64, AtomicU64>;
type Levels = Family<Kind, Level>;

/// All figures of one node.
pub struct Metrics {
    registry: Registry,
    /// Requests of other nodes, by kind.
    pub requests: ByKind,
    /// Answers given, by kind.
    pub answers: ByKind,
    /// Requests refused before any work for the protocol, by reason.
    pub refused: ByKind,
    /// Proofs that another node lied, by the kind of statement.
    pub contradictions: ByKind,
    /// Requests sent to other nodes, by outcome.
    pub sent: ByKind,
    /// Proposals to this node, by outcome.
    pub proposals: ByKind,
    /// The round of the promised ballot; in the Byzantine form the view.
    pub promised_round: Level,
    /// Everything up to this position is decided.
    pub decided: Level,
    /// The newest slot of the leaderboard.
    pub slot: Level,
    /// The newest slot of each feed, by its name.
    pub feed_slots: Levels,
    /// Reports without a certificate.
    pub uncertified: Level,
    /// Whether this node leads.
    pub leading: Level,
    /// Other nodes that answered last.
    pub peers: Level,
    /// How long the engine has been busy with what it took last, in ms.
    pub engine_lag_ms: Level,
    /// Seconds that writes to disk took.
    pub flush_seconds: Histogram,
    /// Records per write.
    pub flush_records: Histogram,
    /// Seconds from proposal to certificate.
    pub propose_seconds: Histogram,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("paxos"),
            requests: ByKind::default(),
            answers: ByKind::default(),
            refused: ByKind::default(),
            contradictions: ByKind::default(),
            sent: ByKind::default(),
            proposals: ByKind::default(),
            promised_round: Level::default(),
            decided: Level::default(),
            slot: Level::default(),
            feed_slots: Levels::default(),
            uncertified: Level::default(),
            leading: Level::default(),
            peers: Level::default(),
            engine_lag_ms: Level::default(),
            flush_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            flush_records: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            propose_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 13)),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let r = &mut self.registry;
        r.register("requests", "Requests of other nodes", self.requests.clone());
        r.register("answers", "Answers given", self.answers.clone());
        r.register("refused", "Requests refused unread, by reason", self.refused.clone());
        let help = "Proofs that another node lied";
        r.register("contradictions", help, self.contradictions.clone());
        r.register("sent", "Requests to other nodes", self.sent.clone());
        r.register("proposals", "Proposals by outcome", self.proposals.clone());
        let help = "Round of the promised ballot; the view, if nodes may lie";
        r.register("promised_round", help, self.promised_round.clone());
        let help = "All positions up to here are decided";
        r.register("decided_position", help, self.decided.clone());
        r.register("slot", "Newest slot of the leaderboard", self.slot.clone());
        r.register("feed_slot", "Newest slot of a feed", self.feed_slots.clone());
        let help = "Decided reports without a certificate";
        r.register("uncertified", help, self.uncertified.clone());
        r.register("leading", "1 if this node leads", self.leading.clone());
        let help = "Other nodes that answered last";
        r.register("peers_reachable", help, self.peers.clone());
        let help = "Milliseconds that the engine has been busy with what it took last";
        r.register("engine_lag_ms", help, self.engine_lag_ms.clone());
        let help = "Time of one write to disk";
        r.register("flush_seconds", help, self.flush_seconds.clone());
        let help = "Records in one write to disk";
        r.register("flush_records", help, self.flush_records.clone());
        let help = "From proposal to certificate";
        r.register("propose_seconds", help, self.propose_seconds.clone());
        self
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets the level of a kind.
pub fn level(family: &Levels, kind: &'static str, to: u64) {
    family.get_or_create(&Kind { kind }).set(to);
}

/// Counts one of a kind.
pub fn count(family: &ByKind, kind: &'static str) {
    family.get_or_create(&Kind { kind }).inc();
}

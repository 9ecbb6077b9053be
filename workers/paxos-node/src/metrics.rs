//! Figures for Prometheus.

use cicada_program::figures_text;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{exponential_buckets, Histogram};
use prometheus_client::registry::{Metric, Registry};
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
        let mut registry = Registry::with_prefix("paxos");
        let r = &mut registry;
        let buckets = |start, length| Histogram::new(exponential_buckets(start, 2.0, length));
        Self {
            requests: add(r, "requests", "Requests of other nodes"),
            answers: add(r, "answers", "Answers given"),
            refused: add(r, "refused", "Requests refused unread, by reason"),
            contradictions: add(r, "contradictions", "Proofs that another node lied"),
            sent: add(r, "sent", "Requests to other nodes"),
            proposals: add(r, "proposals", "Proposals by outcome"),
            promised_round: add(
                r,
                "promised_round",
                "Round of the promised ballot; the view, if nodes may lie",
            ),
            decided: add(r, "decided_position", "All positions up to here are decided"),
            slot: add(r, "slot", "Newest slot of the leaderboard"),
            feed_slots: add(r, "feed_slot", "Newest slot of a feed"),
            uncertified: add(r, "uncertified", "Decided reports without a certificate"),
            leading: add(r, "leading", "1 if this node leads"),
            peers: add(r, "peers_reachable", "Other nodes that answered last"),
            engine_lag_ms: add(
                r,
                "engine_lag_ms",
                "Milliseconds that the engine has been busy with what it took last",
            ),
            flush_seconds: added(
                r,
                "flush_seconds",
                "Time of one write to disk",
                buckets(0.000_25, 14),
            ),
            flush_records: added(
                r,
                "flush_records",
                "Records in one write to disk",
                buckets(1.0, 10),
            ),
            propose_seconds: added(
                r,
                "propose_seconds",
                "From proposal to certificate",
                buckets(0.005, 13),
            ),
            registry,
        }
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        figures_text(&self.registry)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn added<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    added(registry, name, help, M::default())
}

/// Sets the level of a kind.
pub fn level(family: &Levels, kind: &'static str, to: u64) {
    family.get_or_create(&Kind { kind }).set(to);
}

/// Counts one of a kind.
pub fn count(family: &ByKind, kind: &'static str) {
    family.get_or_create(&Kind { kind }).inc();
}

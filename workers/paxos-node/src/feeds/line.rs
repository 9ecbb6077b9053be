//! One feed as the log builds it: its newest report, and where its slots stand.

use cicada_consensus::{AttestationRequest, Now, Position};
use cicada_core::hash::{Hash, Native};
use cicada_core::nav;
use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind, MAX_TIME_AHEAD_MS};
use std::collections::BTreeMap;

/// How far the time of a new report may lie from this node's clock.
pub const MAX_SKEW_MS: u64 = MAX_TIME_AHEAD_MS;

/// How old the time of a NAV or a basket may be besides: it is that of its round.
const ROUND_MS: u64 = nav::ROUND_MS;

/// The reports of one feed.
pub struct Line {
    name: &'static str,
    feed: Feed,
    config_digest: Hash,
    state: FeedState,
    history: BTreeMap<u64, (Position, Hash)>,
}

impl Line {
    /// An empty feed. `name` is what people call it.
    pub(crate) fn new(name: &'static str, feed: Feed, config_digest: Hash) -> Self {
        Self { name, feed, config_digest, state: FeedState::EMPTY, history: BTreeMap::new() }
    }

    /// What people call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What reports call it.
    pub fn feed(&self) -> Feed {
        self.feed
    }

    /// The newest decided report.
    pub fn state(&self) -> FeedState {
        self.state
    }

    /// Decided slots after `slot`: where in the log they stand, and their digests.
    pub fn after(&self, slot: u64) -> impl Iterator<Item = (u64, Position, Hash)> + '_ {
        let from = slot.saturating_add(1);
        let range = self.history.range(from..);
        range.map(|(slot, (position, digest))| (*slot, *position, *digest))
    }

    /// Where a slot stands in the log, and the digest of its report.
    pub fn slot(&self, slot: u64) -> Option<(Position, Hash)> {
        self.history.get(&slot).copied()
    }

    /// Whether a report comes next, now.
    pub(super) fn follows(&self, report: &Report, now: Now) -> Result<(), String> {
        self.state
            .check_next(&self.feed, report, now.wall_ms)
            .map_err(|error| explain(error, self.state.slot))?;
        if report.time_ms == self.state.time_ms && self.state.slot > 0 {
            return Err("its time is that of the report before it".into());
        }
        let is_scheduled = matches!(self.feed.kind, ReportKind::Nav | ReportKind::Basket);
        let most = MAX_SKEW_MS.saturating_add(if is_scheduled { ROUND_MS } else { 0 });
        let late = now.wall_ms.saturating_sub(report.time_ms);
        if late > most {
            return Err(format!("its time is {late} ms before my clock, more than {most} ms"));
        }
        Ok(())
    }

    /// Whether a decided report comes next. No clock here: every node must come to the same.
    pub(super) fn continues(&self, report: &Report) -> bool {
        self.state.check_next(&self.feed, report, u64::MAX).is_ok()
    }

    /// Takes the next report, which stands at `position` of the log.
    pub(super) fn extend(&mut self, position: Position, report: Report) -> AttestationRequest {
        let digest = report.digest::<Native>();
        self.state = FeedState::after(&report, digest);
        self.history.insert(report.slot, (position, digest));
        let message = report.attestation_message::<Native>(&self.config_digest);
        AttestationRequest { message, report }
    }
}

/// What is said to a report of no feed that this node knows.
pub(super) const ANOTHER_FEED: &str = "a report of another feed or contract";

fn explain(error: FeedError, newest: u64) -> String {
    match error {
        FeedError::UnknownVersion => "a report of a version that I do not read".into(),
        FeedError::WrongFeed => ANOTHER_FEED.into(),
        FeedError::SlotSkipped { expected } => {
            format!("a slot is left out: the next is {expected}")
        }
        FeedError::SlotTaken => format!("stale: slots up to {newest} are decided already"),
        FeedError::WrongPrevious => "it does not name the report before it".into(),
        FeedError::TimeReversed => "it is older than the report before it".into(),
        FeedError::TimeAhead => "its time lies in the future".into(),
    }
}

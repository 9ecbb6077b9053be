//! The application of the simulated nodes: chains of real reports, one per feed.

use cicada_consensus::{digest, Application, AttestationRequest, Now, Position};
use cicada_consensus::{Refusal, Seat, Successor};
use cicada_core::hash::{Digest, Native};
use cicada_core::report::{Feed, FeedState, Report, ReportKind};
use cicada_core::Account;
use parity_scale_codec::Decode;
use std::collections::BTreeMap;

/// How far a fresh report's time may lie from the clock of a node.
const SKEW_MS: u64 = 30_000;

/// The feed whose only report changes the committee.
pub const COMMITTEE: Feed = Feed { kind: ReportKind::Committee, contract: Account([9; 32]) };

/// The digest of the first committee's configuration.
pub const CONFIG_DIGEST: [u8; 32] = [7; 32];

/// A node's view. The first four bytes of a report's root are a mask of the seats that, by
/// their own observation, find it wrong.
#[derive(Clone, Debug)]
pub struct Chains {
    /// Whose view it is.
    pub seat: Seat,
    /// The newest report of each feed.
    pub feeds: BTreeMap<Feed, FeedState>,
    /// The digest of the committee that attests what comes next.
    pub digest: Digest,
    /// The position that ended the first epoch, and who follows.
    pub change: Option<(Position, Successor)>,
}

impl Chains {
    /// Nothing reported yet.
    pub fn new(seat: Seat) -> Self {
        Self { seat, feeds: BTreeMap::new(), digest: Digest(CONFIG_DIGEST), change: None }
    }

    /// The newest report of a feed.
    pub fn state(&self, feed: &Feed) -> FeedState {
        self.feeds.get(feed).copied().unwrap_or(FeedState::EMPTY)
    }
}

/// The seats that find a report wrong.
pub fn dissenters(report: &Report) -> u32 {
    u32::from_le_bytes([report.root.0[0], report.root.0[1], report.root.0[2], report.root.0[3]])
}

impl Application for Chains {
    fn check(&self, value: &[u8], now: Now) -> Result<(), Refusal> {
        let report = Report::decode(&mut &value[..]).map_err(|e| Refusal(e.to_string()))?;
        if dissenters(&report) >> self.seat & 1 == 1 {
            return Err(Refusal("not what I observe".into()));
        }
        if report.time_ms.abs_diff(now.wall_ms) > SKEW_MS {
            return Err(Refusal("too far from my clock".into()));
        }
        if report.feed.kind == ReportKind::Committee && self.change.is_some() {
            return Err(Refusal("the committee has changed already".into()));
        }
        let state = self.state(&report.feed);
        let next = state.check_next(&report.feed, &report, now.wall_ms);
        next.map_err(|e| Refusal(format!("{e:?}")))
    }

    fn apply(&mut self, position: Position, value: &[u8]) -> Option<AttestationRequest> {
        let report = Report::decode(&mut &value[..]).ok()?;
        let state = self.state(&report.feed);
        state.check_next(&report.feed, &report, u64::MAX).ok()?;
        let after = FeedState::after(&report, report.digest::<Native>());
        let changes = report.feed.kind == ReportKind::Committee;
        if changes && self.change.is_some() {
            return None;
        }
        self.feeds.insert(report.feed, after);
        // The old committee attests who follows it.
        let message = report.attestation_message::<Native>(&self.digest);
        if changes {
            let next = Successor { epoch: 2, config_digest: digest(&report.root.0) };
            self.change = Some((position, next));
            self.digest = next.config_digest;
        }
        Some(AttestationRequest { message, report })
    }

    fn successor(&self, position: Position) -> Option<Successor> {
        self.change.filter(|(last, _)| *last == position).map(|(_, next)| next)
    }
}

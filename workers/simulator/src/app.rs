//! The application of the simulated nodes: chains of real reports, one per feed.

use cicada_consensus::{Application, AttestationRequest, Now, Origin, Refusal, Seat};
use cicada_core::hash::Native;
use cicada_core::report::{Feed, FeedState, Report};
use parity_scale_codec::Decode;
use std::collections::BTreeMap;

/// How far a fresh report's time may lie from the clock of a node.
const SKEW_MS: u64 = 30_000;

/// The digest of the simulated committee's configuration.
pub const CONFIG_DIGEST: [u8; 32] = [7; 32];

/// A node's view. The first four bytes of a report's root are a mask of the seats that, by
/// their own observation, find it wrong.
#[derive(Clone, Debug)]
pub struct Chains {
    /// Whose view it is.
    pub seat: Seat,
    /// The newest report of each feed.
    pub feeds: BTreeMap<Feed, FeedState>,
}

impl Chains {
    /// Nothing reported yet.
    pub fn new(seat: Seat) -> Self {
        Self { seat, feeds: BTreeMap::new() }
    }

    /// The newest report of a feed.
    pub fn state(&self, feed: &Feed) -> FeedState {
        self.feeds.get(feed).copied().unwrap_or(FeedState::EMPTY)
    }
}

/// The seats that find a report wrong.
pub fn dissenters(report: &Report) -> u32 {
    u32::from_le_bytes([report.root[0], report.root[1], report.root[2], report.root[3]])
}

impl Application for Chains {
    fn check(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), Refusal> {
        let report = Report::decode(&mut &value[..]).map_err(|e| Refusal(e.to_string()))?;
        if dissenters(&report) >> self.seat & 1 == 1 {
            return Err(Refusal("not what I observe".into()));
        }
        if origin == Origin::Adopted {
            return Ok(());
        }
        if report.time_ms.abs_diff(now.wall_ms) > SKEW_MS {
            return Err(Refusal("too far from my clock".into()));
        }
        let state = self.state(&report.feed);
        let next = state.check_next(&report.feed, &report, now.wall_ms);
        next.map_err(|e| Refusal(format!("{e:?}")))
    }

    fn apply(&mut self, _: u64, value: &[u8]) -> Option<AttestationRequest> {
        let report = Report::decode(&mut &value[..]).ok()?;
        let state = self.state(&report.feed);
        state.check_next(&report.feed, &report, u64::MAX).ok()?;
        let after = FeedState::after(&report, report.digest::<Native>());
        self.feeds.insert(report.feed, after);
        Some(AttestationRequest {
            message: report.attestation_message::<Native>(&CONFIG_DIGEST),
            report,
        })
    }
}

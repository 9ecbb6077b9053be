//! What clients ask for.

use crate::world::{Event, World};
use cicada_consensus::{Input, Seat};
use cicada_core::hash::Digest;
use cicada_core::quorum::FaultModel;
use cicada_core::report::{Feed, Report, ReportKind, REPORT_VERSION};
use cicada_core::Account;
use parity_scale_codec::Encode;

impl World {
    pub(crate) fn client(&mut self) {
        if !self.clients {
            return;
        }
        let seat = self.any_seat();
        if let Some(value) = self.next_value(seat) {
            self.tickets += 1;
            let deadline_ms = self.time + self.patience();
            let input = Input::Propose { ticket: self.tickets, value, deadline_ms };
            self.step(seat, seat, input);
        }
        let pause = 50 + self.rng.below(500);
        self.at(pause, Event::Client);
    }

    pub(crate) fn patience(&self) -> u64 {
        match self.setup.model {
            FaultModel::Crash => 4_000,
            FaultModel::Byzantine => 15_000,
        }
    }

    pub(crate) fn any_seat(&mut self) -> Seat {
        self.rng.below(u64::from(self.setup.nodes)) as Seat
    }

    // What a node that is up and honest could propose now.
    pub(crate) fn next_value(&mut self, seat: Seat) -> Option<Vec<u8>> {
        self.hosts[usize::from(seat)].honest()?;
        // Values in a window are checked against the state before it: only those of feeds of
        // their own can all be valid.
        let mut contract = [0; 32];
        if self.plan.window > 1 {
            contract[..8].copy_from_slice(&self.tickets.to_le_bytes());
            contract[8] = 1;
        }
        self.extend(seat, Feed { kind: ReportKind::Leaderboard, contract: Account(contract) })
    }

    /// The next report of a feed, as a node that is up and honest sees it.
    pub(crate) fn extend(&mut self, seat: Seat, feed: Feed) -> Option<Vec<u8>> {
        let host = &self.hosts[usize::from(seat)];
        let node = host.honest()?;
        let state = node.application().state(&feed);
        let time_ms = (self.time + 1_000_000 + host.skew_ms).max(state.time_ms);
        let mut root = [0; 32];
        if self.plan.dissent && self.faults && self.rng.chance(400) {
            let all = (1u64 << self.setup.nodes) - 1;
            let mask = (self.rng.roll() & all & !(1 << seat)) as u32;
            root[..4].copy_from_slice(&mask.to_le_bytes());
        }
        root[8..16].copy_from_slice(&self.rng.roll().to_le_bytes());
        let report = Report {
            version: REPORT_VERSION,
            feed,
            slot: state.slot + 1,
            previous: state.digest,
            time_ms,
            leaf_count: 1,
            root: Digest(root),
        };
        Some(report.encode())
    }
}

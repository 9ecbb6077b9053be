//! What clients ask for and what goes wrong, as the seed has it.

use super::{Event, World};
use cicada_consensus::{Input, Seat};
use cicada_core::report::{Feed, Report, ReportKind, REPORT_VERSION};
use parity_scale_codec::Encode;

impl World {
    pub(super) fn client(&mut self) {
        if !self.clients {
            return;
        }
        let seat = self.rng.below(u64::from(self.n)) as Seat;
        let window = self.window;
        let host = &self.hosts[usize::from(seat)];
        if let Some(node) = &host.node {
            // Values in a window are checked against the state before it: only those of
            // feeds of their own can all be valid.
            let mut contract = [0; 32];
            if window > 1 {
                contract[..8].copy_from_slice(&self.tickets.to_le_bytes());
                contract[8] = 1;
            }
            let kind = ReportKind::Leaderboard;
            let feed = Feed { kind, contract };
            let state = node.application().state(&feed);
            let time_ms = (self.time + 1_000_000 + host.skew_ms).max(state.time_ms);
            let mask = if self.dissent && self.faults && self.rng.chance(400) {
                let all = (1u64 << self.n) - 1;
                (self.rng.next() & all & !(1 << seat)) as u32
            } else {
                0
            };
            let mut root = [0; 32];
            root[..4].copy_from_slice(&mask.to_le_bytes());
            root[8..16].copy_from_slice(&self.rng.next().to_le_bytes());
            let report = Report {
                version: REPORT_VERSION,
                feed,
                slot: state.slot + 1,
                previous: state.digest,
                time_ms,
                leaf_count: 1,
                root,
            };
            self.tickets += 1;
            let input = Input::Propose {
                ticket: self.tickets,
                value: report.encode(),
                deadline_ms: self.time + 4_000,
            };
            self.step(seat, seat, input);
        }
        let pause = 50 + self.rng.below(500);
        self.at(pause, Event::Client);
    }

    pub(super) fn fault(&mut self) {
        if !self.faults {
            return;
        }
        let seat = self.rng.below(u64::from(self.n)) as Seat;
        match self.rng.below(10) {
            0..=3 => {
                self.crash(seat);
                let pause = self.rng.below(2_000);
                self.at(pause, Event::Restart(seat));
            }
            4 => self.crash(seat),
            5 => self.cut.fill(false),
            6 => {
                // Two sides.
                let side = self.rng.next();
                let n = usize::from(self.n);
                for (link, cut) in self.cut.iter_mut().enumerate() {
                    *cut = (side >> (link / n) ^ side >> (link % n)) & 1 == 1;
                }
            }
            7 => {
                // Single links, one way.
                for cut in &mut self.cut {
                    *cut = self.rng.chance(300);
                }
            }
            _ => {
                let pause = self.rng.below(1_000);
                self.at(pause, Event::Restart(seat));
            }
        }
        let pause = self.rng.below(600);
        self.at(pause, Event::Fault);
    }
}

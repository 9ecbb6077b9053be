//! What clients ask for and what goes wrong, as the seed has it.

use crate::world::{Actor, Event, World};
use cicada_consensus::{Input, Seat};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::{Feed, Report, ReportKind, REPORT_VERSION};
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
        self.extend(seat, Feed { kind: ReportKind::Leaderboard, contract })
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
            let mask = (self.rng.next() & all & !(1 << seat)) as u32;
            root[..4].copy_from_slice(&mask.to_le_bytes());
        }
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
        Some(report.encode())
    }

    pub(crate) fn fault(&mut self) {
        if !self.faults {
            return;
        }
        let seat = self.any_seat();
        match self.rng.below(12) {
            0..=3 => {
                let seat = if self.rng.chance(500) { self.busy_seat() } else { seat };
                self.crash(seat);
                let pause = self.rng.below(2_000);
                self.at(pause, Event::Restart(seat));
            }
            4 => self.crash(seat),
            5 | 6 => self.cut.fill(false),
            7 => self.part(),
            8 => {
                // Single links, one way.
                for cut in &mut self.cut {
                    *cut = self.rng.chance(300);
                }
            }
            9 => {
                // A ring: each hears its neighbours only.
                let n = usize::from(self.setup.nodes);
                for (link, cut) in self.cut.iter_mut().enumerate() {
                    let apart = (link / n).abs_diff(link % n);
                    *cut = apart.min(n - apart) > n / 3;
                }
            }
            10 => {
                // The clock jumps.
                let skew_ms = self.rng.below(40_000);
                self.hosts[usize::from(seat)].skew_ms = skew_ms;
            }
            _ => {
                let pause = self.rng.below(1_000);
                self.at(pause, Event::Restart(seat));
            }
        }
        let pause = self.rng.below(self.plan.fault_pause_ms);
        self.at(pause, Event::Fault);
    }

    // Two sides.
    fn part(&mut self) {
        let side = self.rng.next();
        let n = usize::from(self.setup.nodes);
        for (link, cut) in self.cut.iter_mut().enumerate() {
            *cut = (side >> (link / n) ^ side >> (link % n)) & 1 == 1;
        }
    }

    /// Ends all faults. Of the honest nodes just enough come back, or where some dissent all.
    /// The liars lie on or fall silent.
    pub fn heal(&mut self) {
        self.faults = false;
        self.cut.fill(false);
        (self.plan.loss, self.plan.doubling, self.plan.delay) = (0, 0, 20);
        for host in &mut self.hosts {
            host.skew_ms %= 2_000;
            if let (Actor::Lying(liar), false) = (&mut host.actor, self.plan.lie_on) {
                liar.mute();
            }
        }
        let enough = Quorum::of(FaultModel::Byzantine, self.setup.nodes).map_or(0, |q| q.size());
        let mut up = if self.plan.dissent { self.setup.nodes } else { enough };
        let first = self.any_seat();
        for i in 0..self.setup.nodes {
            let seat = (first + i) % self.setup.nodes;
            if self.liars.contains(&seat) {
                continue;
            }
            if up > 0 {
                up -= 1;
                // Who has no log of the epoch before by now starts without.
                self.hosts[usize::from(seat)].ready = true;
                self.start(seat);
            } else {
                self.crash(seat);
            }
        }
    }
}

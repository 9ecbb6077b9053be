//! What goes wrong, as the seed has it.

use crate::hosts::Actor;
use crate::world::{Event, World};
use cicada_core::quorum::{FaultModel, Quorum};

impl World {
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
        let side = self.rng.roll();
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

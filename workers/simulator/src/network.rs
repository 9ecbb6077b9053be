//! The network: it loses, doubles, delays and reorders what nodes send.

use crate::world::{Event, World};
use cicada_consensus::{Output, Seat};
use std::rc::Rc;

impl World {
    pub(crate) fn post_output(&mut self, seat: Seat, from: Seat, output: Output) {
        match output {
            Output::Send { to, request } => {
                let request = Rc::new(request);
                for peer in to {
                    self.post(seat, peer, |delay, world| {
                        world.at(delay, Event::Ask(seat, peer, request.clone()));
                    });
                }
            }
            Output::Answer(answer) => {
                let answer = Rc::new(answer);
                self.post(seat, from, |delay, world| {
                    world.at(delay, Event::Tell(seat, from, answer.clone()));
                });
            }
            _ => {}
        }
    }

    // Never, once or twice, after any time.
    fn post(&mut self, from: Seat, to: Seat, mut deliver: impl FnMut(u64, &mut Self)) {
        let link = usize::from(from) * usize::from(self.setup.nodes) + usize::from(to);
        if self.cut[link] || self.rng.chance(self.plan.loss) {
            return;
        }
        let copies = 1 + u64::from(self.rng.chance(self.plan.doubling));
        for _ in 0..copies {
            let mut delay = 1 + self.rng.below(self.plan.delay);
            if self.faults && self.rng.chance(10) {
                delay += self.rng.below(5_000);
            }
            deliver(delay, self);
        }
    }
}

//! One of three arbitrators, who is the provider's accomplice.

use super::provider::{self, Provider};
use super::scene::{Scene, FEE_BPS};
use super::Aim;
use crate::market::stage::ARBITRATORS;
use crate::role::Role;
use cicada_core::escrow::Verdict;
use cicada_dice::Dice;
use cicada_runtime_tests::{address, on};
use cicada_traits::escrow::Escrow;

/// Something that the two can do.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// What a provider can.
    Work(provider::Act),
    /// Votes in all disputes, from now on: so much of a job is the provider's, in quarters.
    Vote(u128),
    /// Has what was earned paid out.
    Claim,
}

/// The two, and the market that they play with.
pub struct Arbitrators {
    work: Provider,
    aim: Aim,
    follow: bool,
    /// What the arbitrator says, in quarters.
    says: Option<u128>,
    /// What he voted last.
    said: Option<Verdict>,
}

impl Arbitrators {
    /// Among the honest, who are two of three.
    pub fn new(aim: Aim) -> Self {
        Self { work: Provider::new(aim), aim, follow: false, says: None, said: None }
    }

    /// The other two repeat what was said first.
    pub fn followed(aim: Aim) -> Self {
        Self { follow: true, ..Self::new(aim) }
    }

    fn scene(&mut self) -> &mut Scene {
        &mut self.work.scene
    }

    fn vote(&mut self) {
        let Some(quarters) = self.says else { return };
        for job in 0..self.scene().jobs.len() {
            let now = self.scene().jobs[job];
            if now.over || now.disputed.is_none() {
                continue;
            }
            let provider_share = now.amount * quarters / 4;
            let verdict = match quarters {
                0 => Verdict::Refund,
                4 => Verdict::Release,
                _ => {
                    Verdict::Split { provider_share, requester_share: now.amount - provider_share }
                }
            };
            self.scene().vote(ARBITRATORS[0], job, verdict);
            self.said = Some(verdict);
        }
    }

    fn claim(&mut self) {
        let stage = &mut self.scene().stage;
        let message = on(&stage.escrow).claim(address(&stage.token));
        let _ = stage.call(ARBITRATORS[0], message);
    }
}

impl Role for Arbitrators {
    type Act = Act;

    fn begin(&mut self) {
        self.work.begin();
        (self.says, self.said) = (None, None);
    }

    fn moments(&self) -> u32 {
        self.work.moments()
    }

    fn draw(&self, dice: &mut Dice) -> Act {
        match dice.below(10) {
            0..=5 => Act::Work(self.work.draw(dice)),
            6..=8 => Act::Vote(u128::from(dice.below(5))),
            _ => Act::Claim,
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Work(act) => self.work.act(act),
            Act::Vote(quarters) => {
                self.says = Some(*quarters);
                self.vote();
            }
            Act::Claim => self.claim(),
        }
    }

    fn pass(&mut self, _moment: u32) {
        self.vote();
        let told = self.said.filter(|_| self.follow);
        self.work.pass_with(|scene| scene.honest_panel(&ARBITRATORS[1..], told));
    }

    fn wealth(&mut self) -> i128 {
        let mut passed = 0;
        while self.scene().goes_on(passed) {
            self.pass(passed);
            passed += 1;
        }
        self.claim();
        let fees = match self.aim {
            Aim::Money => self.scene().money(&ARBITRATORS[..1]),
            Aim::Points => 0,
        };
        self.work.count() + fees
    }

    /// What the provider may win, and half of the fee of each dispute of the requester's: verdicts
    /// need two, who share.
    fn allowed(&mut self) -> i128 {
        let fees = self.work.scene.jobs.iter().filter_map(|job| match (job.disputed, self.aim) {
            (Some((_, true)), Aim::Money) => Some(job.amount * u128::from(FEE_BPS) / 20_000),
            _ => None,
        });
        let fees: u128 = fees.sum();
        self.work.allowed() + fees as i128
    }
}

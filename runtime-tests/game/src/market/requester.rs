//! A requester who says what he likes about what he gets.

use super::scene::{Scene, PENALTY};
use super::Aim;
use crate::market::stage::{report, ARBITRATORS, PROVIDER, REQUESTER};
use crate::role::Role;
use cicada_core::escrow::Decision;
use cicada_dice::Dice;

/// What all misses together may cost a provider who is careful, in bps.
const CONSENT_BPS: u16 = 2_500;
/// The provider's offer.
const OFFER: u64 = 1;
/// The most requests of a play.
const REQUESTS: usize = 3;

/// Something that a requester can do.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Asks for work.
    Ask {
        /// Whether the payload is private.
        private: bool,
        /// Whether misses cost as much as the work.
        steep: bool,
        /// Whether there are arbitrators.
        panel: bool,
    },
    /// Hands a payload over, with a key that fits or not.
    HandOver {
        /// Of which job.
        job: usize,
        /// Whether it fits.
        usable: bool,
    },
    /// Pays, and says that the work was as agreed or that it was bad.
    Settle {
        /// Which job.
        job: usize,
        /// What he says.
        bad: bool,
    },
    /// Says in a dispute that the work was bad.
    Report(usize),
    /// Disputes a job.
    Dispute(usize),
    /// Pays at the escrow contract.
    Release(usize),
    /// Has deadlines applied and conclusions drawn.
    Finish(usize),
    /// Takes a request back.
    Cancel(usize),
}

/// The requester, and the market that he plays with.
pub struct Requester {
    scene: Scene,
    aim: Aim,
    /// Numbers of his requests, and whether the provider has looked at them.
    requests: Vec<(u64, bool)>,
}

impl Requester {
    /// Among the honest.
    pub fn new(aim: Aim) -> Self {
        Self::against(aim, CONSENT_BPS)
    }

    /// Against a provider who agrees to any penalty.
    pub fn unbounded(aim: Aim) -> Self {
        Self::against(aim, 10_000)
    }

    fn against(aim: Aim, consent_bps: u16) -> Self {
        let mut scene = Scene::new();
        let offer = scene.offer(consent_bps);
        let _ = scene.stage.bid(PROVIDER, &offer).succeeds();
        Self { scene, aim, requests: Vec::new() }
    }

    fn ask(&mut self, private: bool, steep: bool, panel: bool) {
        if self.requests.len() < REQUESTS {
            let penalty = if steep { PENALTY * 20 } else { PENALTY };
            let request = self.scene.request(private, penalty, panel);
            let placed = self.scene.stage.place(REQUESTER, &request).value;
            self.requests.extend(placed.ok().map(|request| (request, false)));
        }
    }

    fn cancel(&mut self, request: usize) {
        if let Some((request, _)) = self.requests.get(request) {
            let _ = self.scene.stage.cancel_request(REQUESTER, *request);
        }
    }

    fn release(&mut self, job: usize) {
        let _ = self.scene.decide(REQUESTER, job, Decision::Release);
    }

    fn settle(&mut self, place: usize, bad: bool) {
        let (id, statement) = (self.scene.jobs[place].id, bad.then(|| report(None, &[])).flatten());
        if self.scene.stage.settle(REQUESTER, id, statement).value.is_ok() {
            let job = &mut self.scene.jobs[place];
            (job.slandered, job.over) = (bad, true);
        }
    }

    fn report(&mut self, place: usize) {
        let id = self.scene.jobs[place].id;
        let statement = report(None, &[]).expect("a statement");
        let done = self.scene.stage.report(REQUESTER, id, statement).value;
        self.scene.jobs[place].slandered |= done.is_ok();
    }
}

impl Role for Requester {
    type Act = Act;

    fn begin(&mut self) {
        self.scene.begin();
        self.requests.clear();
    }

    fn moments(&self) -> u32 {
        30
    }

    fn draw(&self, dice: &mut Dice) -> Act {
        let job = dice.place(2);
        match dice.below(12) {
            0..=3 => Act::Ask {
                private: dice.chance(500),
                steep: dice.chance(500),
                panel: dice.chance(500),
            },
            4 => Act::HandOver { job, usable: dice.chance(700) },
            5..=6 => Act::Settle { job, bad: dice.chance(700) },
            7 => Act::Report(job),
            8 => Act::Dispute(job),
            9 => Act::Release(job),
            10 => Act::Finish(job),
            _ => Act::Cancel(job),
        }
    }

    fn act(&mut self, act: &Act) {
        let job = match *act {
            Act::Ask { private, steep, panel } => return self.ask(private, steep, panel),
            Act::Cancel(request) => return self.cancel(request),
            Act::HandOver { job, .. } | Act::Settle { job, .. } => job,
            Act::Report(job) | Act::Dispute(job) | Act::Release(job) | Act::Finish(job) => job,
        };
        let Some(job) = self.scene.some(job) else { return };
        match *act {
            Act::HandOver { usable, .. } => self.scene.hand_over(job, usable),
            Act::Settle { bad, .. } => self.settle(job, bad),
            Act::Report(_) => self.report(job),
            Act::Dispute(_) => self.scene.dispute(REQUESTER, job),
            Act::Release(_) => self.release(job),
            _ => self.scene.finish(job),
        }
    }

    fn pass(&mut self, _moment: u32) {
        for (request, seen) in &mut self.requests {
            if !std::mem::replace(seen, true) {
                self.scene.accept(PROVIDER, *request, OFFER);
            }
        }
        self.scene.honest_provider();
        self.scene.honest_panel(&ARBITRATORS, None);
        self.scene.pass();
    }

    /// Good work is worth to him what he agreed to pay. What a provider loses in points counts as his.
    fn wealth(&mut self) -> i128 {
        let mut passed = 0;
        while self.scene.goes_on(passed) {
            self.pass(passed);
            passed += 1;
        }
        for (request, _) in std::mem::take(&mut self.requests) {
            let _ = self.scene.stage.cancel_request(REQUESTER, request);
        }
        let got = self.scene.jobs.iter().filter(|job| job.is_done());
        let worth: i128 = got.map(|job| job.amount as i128).sum();
        match self.aim {
            Aim::Money => self.scene.money(&[REQUESTER]) + worth,
            Aim::Points => self.scene.points(&[REQUESTER]) - self.scene.points(&[PROVIDER]),
        }
    }

    /// His word about uptime and quality costs money, as far as a careful provider has agreed to, and
    /// no mark.
    fn allowed(&mut self) -> i128 {
        let of = |amount: u128| match self.aim {
            Aim::Money => (amount * u128::from(CONSENT_BPS) / 10_000) as i128,
            Aim::Points => 0,
        };
        let slandered = self.scene.jobs.iter().filter(|job| job.slandered);
        slandered.map(|job| of(job.amount)).sum()
    }
}

//! A provider with two accounts.

use super::scene::{Job, Scene, BOND, PENALTY};
use super::Aim;
use crate::market::stage::{ARBITRATORS, OTHER, PROVIDER, REQUESTER, VIOLATION_POINTS};
use crate::role::Role;
use cicada_dice::Dice;

/// His accounts; each has an offer of its place.
const ACCOUNTS: [&str; 2] = [PROVIDER, OTHER];
/// A public request and a private one.
const REQUESTS: u64 = 2;
/// What good work, a quick start and a failure are worth in points.
const DONE: i128 = 10;
const QUICK: i128 = 2;
const FAILED: i128 = -20;

/// Something that a provider can do.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Takes a request with one of the accounts.
    Accept {
        /// Which account.
        who: usize,
        /// Which request.
        request: u64,
    },
    /// Starts a job.
    Start(usize),
    /// Delivers it.
    Deliver {
        /// Which.
        job: usize,
        /// Whether it is worth anything.
        good: bool,
    },
    /// Gives it back, at the market or at the escrow contract.
    GiveBack {
        /// Which.
        job: usize,
        /// Where.
        at_the_escrow: bool,
    },
    /// Disputes it.
    Dispute(usize),
    /// Has deadlines applied and conclusions drawn.
    Finish(usize),
    /// Takes an account's offer back.
    Cancel(usize),
}

/// The provider, and the market that he plays with.
pub struct Provider {
    pub(super) scene: Scene,
    aim: Aim,
    careless: bool,
}

impl Provider {
    /// Among the honest.
    pub fn new(aim: Aim) -> Self {
        Self::with(aim, false)
    }

    /// Where the requester pays for whatever is delivered.
    pub fn unwatched(aim: Aim) -> Self {
        Self::with(aim, true)
    }

    fn with(aim: Aim, careless: bool) -> Self {
        let mut scene = Scene::new();
        for who in ACCOUNTS {
            let offer = scene.offer(10_000);
            let _ = scene.stage.bid(who, &offer).succeeds();
        }
        for private in [false, true] {
            let request = scene.request(private, PENALTY, true);
            let _ = scene.stage.place(REQUESTER, &request).succeeds();
        }
        Self { scene, aim, careless }
    }

    /// All but the arbitrators.
    pub(super) fn pass_with(&mut self, panel: impl FnOnce(&mut Scene)) {
        self.scene.honest_requester(self.careless);
        panel(&mut self.scene);
        self.scene.pass();
    }

    /// What he has once no job is left and his offers are taken back.
    pub(super) fn count(&mut self) -> i128 {
        for (offer, who) in (1..).zip(ACCOUNTS) {
            let _ = self.scene.stage.cancel_offer(who, offer);
        }
        match self.aim {
            Aim::Money => self.scene.money(&ACCOUNTS),
            Aim::Points => self.scene.points(&ACCOUNTS),
        }
    }

    /// Good work in time is paid as agreed, less the agreed penalties. What is worth nothing, or was
    /// not there in time, costs the bond; what was given back early costs nothing.
    fn fair(&self, job: &Job) -> i128 {
        let missed = job.missed();
        match (self.aim, job.is_done(), job.is_back_early()) {
            (Aim::Money, true, _) => job.amount as i128 - (PENALTY * u128::from(missed)) as i128,
            (Aim::Points, true, _) if missed == 0 => DONE + QUICK,
            (Aim::Points, true, _) => QUICK - i128::from(VIOLATION_POINTS * missed),
            (_, _, true) => 0,
            (Aim::Money, ..) => -(BOND as i128),
            (Aim::Points, ..) => FAILED,
        }
    }
}

impl Role for Provider {
    type Act = Act;

    fn begin(&mut self) {
        self.scene.begin();
    }

    fn moments(&self) -> u32 {
        30
    }

    fn draw(&self, dice: &mut Dice) -> Act {
        let job = dice.place(2);
        match dice.below(12) {
            0..=2 => Act::Accept { who: dice.place(2), request: dice.between(1, REQUESTS) },
            3 => Act::Start(job),
            4..=6 => Act::Deliver { job, good: dice.chance(500) },
            7..=8 => Act::GiveBack { job, at_the_escrow: dice.chance(500) },
            9 => Act::Dispute(job),
            10 => Act::Finish(job),
            _ => Act::Cancel(job),
        }
    }

    fn act(&mut self, act: &Act) {
        let scene = &mut self.scene;
        let job = match *act {
            Act::Accept { who, request } => {
                return scene.accept(ACCOUNTS[who], request, who as u64 + 1);
            }
            Act::Cancel(who) => {
                let _ = scene.stage.cancel_offer(ACCOUNTS[who], who as u64 + 1);
                return;
            }
            Act::Deliver { job, .. } | Act::GiveBack { job, .. } => job,
            Act::Start(job) | Act::Dispute(job) | Act::Finish(job) => job,
        };
        let Some(job) = scene.some(job) else { return };
        match *act {
            Act::Start(_) => scene.start(job),
            Act::Deliver { good, .. } => scene.deliver(job, good),
            Act::GiveBack { at_the_escrow, .. } => scene.give_back(job, at_the_escrow),
            Act::Dispute(_) => scene.dispute(scene.jobs[job].provider, job),
            _ => scene.finish(job),
        }
    }

    fn pass(&mut self, _moment: u32) {
        self.pass_with(|scene| scene.honest_panel(&ARBITRATORS, None));
    }

    fn wealth(&mut self) -> i128 {
        let mut passed = 0;
        while self.scene.goes_on(passed) {
            self.pass(passed);
            passed += 1;
        }
        self.count()
    }

    fn allowed(&mut self) -> i128 {
        self.scene.jobs.iter().map(|job| self.fair(job)).sum()
    }
}

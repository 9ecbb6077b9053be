//! Jobs as an onlooker with a clock sees them, and the honest people of the market.
//!
//! All that is known here of a job is who did what when: nothing is asked of the contracts but what
//! was agreed at the assignment.

use crate::market::stage::*;
use cicada_core::escrow::{Decision, Fallback, Panel, Part, Verdict};
use cicada_core::market::{Offer, Request, Status};
use cicada_core::sla::Sla;
use cicada_runtime_tests::{on, Snapshot};
use cicada_traits::escrow::Escrow;

/// Units of a request.
pub const UNITS: u64 = 100;
/// What a unit that is not done costs its provider.
pub const BOND: u128 = 3 * UNITS as u128;
/// What a late start or slow work costs.
pub const PENALTY: u128 = 400;
/// The arbitrators' fee for a job, in bps.
pub const FEE_BPS: u16 = 100;
/// How long somebody may take to start, to do the work, and to hand a private payload over; each has
/// its slack.
pub const RESPONSE: u64 = 10 * MINUTE;
const WORK: u64 = HOUR;
const HAND_OVER: u64 = 10 * MINUTE;
/// How long a job may take from its hand-over.
pub const TOTAL: u64 = RESPONSE + WORK + 2 * SLACK;
/// How long an auction runs.
const AUCTION: u64 = 15 * MINUTE;
const REVIEW: u64 = 2 * HOUR;
const DISPUTE: u64 = 3 * HOUR;
/// More moments than any job has.
const MOST: u32 = 200;

/// A job.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Its number.
    pub id: u64,
    escrow: u64,
    /// Who works.
    pub provider: &'static str,
    /// What was agreed.
    pub amount: u128,
    assigned_ms: u64,
    /// When the provider had what he needs.
    pub ready_ms: Option<u64>,
    /// Whether he could read it.
    usable: bool,
    /// When he started.
    pub started_ms: Option<u64>,
    /// When he delivered, and whether it was any good.
    pub delivered: Option<(u64, bool)>,
    /// When somebody disputed it, and whether that was the requester.
    pub disputed: Option<(u64, bool)>,
    /// When the provider gave it back.
    pub returned_ms: Option<u64>,
    /// Whether the requester said that good work was bad.
    pub slandered: bool,
    /// Nothing follows any more.
    pub over: bool,
}

impl Job {
    /// How many of the agreed times were missed.
    pub fn missed(&self) -> u32 {
        let (Some(ready), Some(started)) = (self.ready_ms, self.started_ms) else { return 0 };
        let delivered = self.delivered.map_or(started, |(at, _)| at);
        let late = started - ready > RESPONSE + SLACK;
        u32::from(late) + u32::from(delivered - started > WORK + SLACK)
    }

    /// Whether good work came in time.
    pub fn is_done(&self) -> bool {
        matches!((self.ready_ms, self.delivered), (Some(ready), Some((at, true))) if at < ready + TOTAL)
    }

    /// Whether it was given back before half of its time was over, or before there was anything to do.
    pub fn is_back_early(&self) -> bool {
        let (None, Some(at)) = (self.delivered, self.returned_ms) else { return false };
        self.ready_ms.is_none_or(|ready| at < ready + TOTAL / 2)
    }

    /// When something of it changes, whoever acts.
    fn edges(&self) -> Vec<u64> {
        match (self.disputed, self.delivered, self.ready_ms) {
            (Some((at, _)), ..) => vec![at + DISPUTE / 2, at + DISPUTE],
            (_, Some((at, _)), _) => vec![at + REVIEW / 2, at + REVIEW],
            (_, _, Some(ready)) => {
                let of_work = self.started_ms.map(|at| [at + WORK / 2, at + WORK + SLACK]);
                let of_job = [FREE, RESPONSE + SLACK, TOTAL / 2, TOTAL].map(|time| ready + time);
                of_work.into_iter().flatten().chain(of_job).collect()
            }
            _ => vec![self.assigned_ms + HAND_OVER + SLACK, self.ends_ms()],
        }
    }

    /// When its present state ends without anybody's will.
    fn ends_ms(&self) -> u64 {
        match (self.disputed, self.delivered, self.ready_ms) {
            (Some((at, _)), ..) => at + DISPUTE,
            (_, Some((at, _)), _) => at + REVIEW,
            (_, _, Some(ready)) => ready + TOTAL,
            _ => self.assigned_ms + HAND_OVER + SLACK + TOTAL,
        }
    }
}

/// The market, and what happened in it.
pub struct Scene {
    /// The contracts.
    pub stage: Stage,
    start: Option<Snapshot>,
    begun_ms: u64,
    /// All jobs.
    pub jobs: Vec<Job>,
}

impl Scene {
    /// A market without orders.
    pub fn new() -> Self {
        let stage = Stage::new();
        Self { begun_ms: stage.now(), stage, start: None, jobs: Vec::new() }
    }

    /// Goes back to the first call of this.
    pub fn begin(&mut self) {
        match &self.start {
            Some(start) => self.stage.world.restore(start),
            None => self.start = Some(self.stage.world.snapshot()),
        }
        self.begun_ms = self.stage.now();
        self.jobs.clear();
    }

    /// What a requester asks for.
    pub fn request(&self, private_payload: bool, penalty: u128, panel: bool) -> Request {
        let mut terms = Request {
            units: UNITS,
            privacy: if private_payload { private() } else { self.stage.terms().privacy },
            hand_over_within_ms: if private_payload { HAND_OVER } else { 0 },
            sla: Some(Sla {
                uptime_bps: Some(9_000),
                max_response_ms: RESPONSE,
                violation_penalty: penalty,
                quality: vec![metric("accuracy", 9_000)],
            }),
            review_ms: REVIEW,
            dispute_ms: DISPUTE,
            fallback: Fallback::Refund,
            ..self.stage.terms()
        };
        terms.panel.fee_bps = FEE_BPS;
        if !panel {
            terms.panel = Panel::NONE;
        }
        terms
    }

    /// What a provider offers, with the most that all misses together may cost, in bps.
    pub fn offer(&self, max_penalty_bps: u16) -> Offer {
        let mut terms = self.stage.terms_of_offer();
        terms.bond = BOND / u128::from(UNITS);
        terms.expires_ms = self.stage.now() + 1_000 * HOUR;
        terms.consent.max_penalty_bps = max_penalty_bps;
        terms
    }

    /// The place of a job, if there is one.
    pub fn some(&self, job: usize) -> Option<usize> {
        job.checked_rem(self.jobs.len())
    }

    // ---- what anybody does who may; a refusal changes nothing ----

    /// A provider takes all of a request.
    pub fn accept(&mut self, provider: &'static str, request: u64, offer: u64) {
        let accepted = self.stage.accept(provider, request, offer, u64::MAX).value;
        let Ok(Some(id)) = accepted else { return };
        let agreed = self.stage.job(id);
        let now = self.stage.now();
        self.jobs.push(Job {
            id,
            escrow: agreed.escrow,
            provider,
            amount: agreed.price * u128::from(agreed.units),
            assigned_ms: now,
            ready_ms: (agreed.status == Status::Assigned).then_some(now),
            usable: true,
            started_ms: None,
            delivered: None,
            disputed: None,
            returned_ms: None,
            slandered: false,
            over: false,
        });
    }

    /// The requester shows the payload, with a key that fits or not.
    pub fn hand_over(&mut self, job: usize, usable: bool) {
        let now = self.stage.now();
        let done = self.stage.hand_over(REQUESTER, self.jobs[job].id, CID, SALT).value;
        if done.is_ok() {
            (self.jobs[job].ready_ms, self.jobs[job].usable) = (Some(now), usable);
        }
    }

    /// The provider starts.
    pub fn start(&mut self, job: usize) {
        let Job { id, provider, .. } = self.jobs[job];
        if self.stage.start(provider, id).value.is_ok() {
            self.jobs[job].started_ms = Some(self.stage.now());
        }
    }

    /// He delivers, and starts first if he has not.
    pub fn deliver(&mut self, job: usize, good: bool) {
        if self.jobs[job].started_ms.is_none() {
            self.start(job);
        }
        let Job { id, provider, .. } = self.jobs[job];
        if self.stage.complete(provider, id).value.is_ok() {
            self.jobs[job].delivered = Some((self.stage.now(), good));
        }
    }

    /// He gives it back, at the market or at the escrow contract.
    pub fn give_back(&mut self, job: usize, at_the_escrow: bool) {
        let Job { id, provider, .. } = self.jobs[job];
        let done = match at_the_escrow {
            true => self.decide(provider, job, Decision::Refund),
            false => self.stage.decline(provider, id).value.is_ok(),
        };
        if done {
            self.jobs[job].returned_ms = Some(self.stage.now());
            self.jobs[job].over |= !at_the_escrow;
        }
    }

    /// Somebody decides at the escrow contract.
    pub fn decide(&mut self, who: &str, job: usize, decision: Decision) -> bool {
        let Job { escrow, delivered, .. } = self.jobs[job];
        let part = Part { milestone: 0, completed: delivered.is_some() };
        let message = on(&self.stage.escrow).decide(escrow, part, decision);
        self.stage.call(who, message).value.is_ok()
    }

    /// Somebody asks the arbitrators.
    pub fn dispute(&mut self, who: &str, job: usize) {
        let message = on(&self.stage.escrow).raise_dispute(self.jobs[job].escrow, 0, vec![]);
        if self.stage.call(who, message).value.is_ok() {
            self.jobs[job].disputed = Some((self.stage.now(), who == REQUESTER));
        }
    }

    /// An arbitrator votes.
    pub fn vote(&mut self, who: &str, job: usize, verdict: Verdict) {
        let message = on(&self.stage.escrow).vote(self.jobs[job].escrow, 0, verdict);
        let _ = self.stage.call(who, message);
    }

    /// Somebody has deadlines applied and conclusions drawn.
    pub fn finish(&mut self, job: usize) {
        let Job { id, escrow, .. } = self.jobs[job];
        let message = on(&self.stage.escrow).expire(escrow);
        let _ = self.stage.call(STRANGER, message);
        self.jobs[job].over |= self.stage.finalize(id).value.is_ok();
    }

    // ---- the honest ----

    /// The requester hands over at once, and halfway through the review pays for good work and
    /// disputes the rest. A careless one pays for all.
    pub fn honest_requester(&mut self, careless: bool) {
        let now = self.stage.now();
        for place in self.running() {
            let job = self.jobs[place];
            match (job.delivered, job.disputed) {
                (None, _) if job.ready_ms.is_none() && job.returned_ms.is_none() => {
                    self.hand_over(place, true);
                }
                (Some((at, good)), None) if now >= at + REVIEW / 2 => match good || careless {
                    true => {
                        let paid = self.stage.settle(REQUESTER, job.id, None).value;
                        self.jobs[place].over |= paid.is_ok();
                    }
                    false => self.dispute(REQUESTER, place),
                },
                _ => {}
            }
        }
    }

    /// The provider starts at once and does good work in half of the time; what he cannot read he
    /// gives back.
    pub fn honest_provider(&mut self) {
        let now = self.stage.now();
        for place in self.running() {
            let job = self.jobs[place];
            match (job.ready_ms, job.started_ms, job.delivered) {
                (Some(_), None, None) if !job.usable => self.give_back(place, false),
                (Some(_), None, None) => self.start(place),
                (_, Some(at), None) if now >= at + WORK / 2 => self.deliver(place, true),
                _ => {}
            }
        }
    }

    /// These arbitrators say halfway through a dispute what is true, or what they are told.
    pub fn honest_panel(&mut self, members: &[&str], told: Option<Verdict>) {
        let now = self.stage.now();
        for place in self.running() {
            let Job { delivered: Some((_, good)), disputed: Some((at, _)), .. } = self.jobs[place]
            else {
                continue;
            };
            if now >= at + DISPUTE / 2 && now < at + DISPUTE {
                let truth = if good { Verdict::Release } else { Verdict::Refund };
                members.iter().for_each(|who| self.vote(who, place, told.unwrap_or(truth)));
                self.finish(place);
            }
        }
    }

    /// Anybody finishes what has ended, and time goes on to just before, at or after the next edge.
    pub fn pass(&mut self) {
        let now = self.stage.now();
        for place in self.running() {
            if now >= self.jobs[place].ends_ms() || self.jobs[place].returned_ms.is_some() {
                self.finish(place);
            }
        }
        let edges = self.running().into_iter().flat_map(|place| self.jobs[place].edges());
        let around = |edge: u64| [edge - 1, edge, edge + 1];
        let next = edges.chain([self.begun_ms + AUCTION]).flat_map(around).filter(|at| *at > now);
        let next = next.min().unwrap_or(now + HOUR);
        self.stage.world.at(next);
    }

    fn running(&self) -> Vec<usize> {
        (0..self.jobs.len()).filter(|job| !self.jobs[*job].over).collect()
    }

    /// Whether moments are left that matter.
    pub fn goes_on(&self, passed: u32) -> bool {
        assert!(passed < MOST, "a job that does not end: {:?}", self.jobs);
        !self.running().is_empty()
    }

    /// What accounts hold.
    pub fn money(&mut self, of: &[&str]) -> i128 {
        of.iter().map(|who| self.stage.balance_of(who) as i128).sum()
    }

    /// Their points.
    pub fn points(&mut self, of: &[&str]) -> i128 {
        of.iter().map(|who| i128::from(self.stage.points(who))).sum()
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

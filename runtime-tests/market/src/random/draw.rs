//! Which operation comes next.

use super::{Op, SignedOp};
use crate::model::Model;
use cicada_core::hash::Digest;
use cicada_core::market::HandOver;
use cicada_core::Account;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// A second, a minute, an hour in ms.
pub const SECOND: u64 = 1_000;
/// A minute in ms.
pub const MINUTE: u64 = 60 * SECOND;
/// An hour in ms.
pub const HOUR: u64 = 60 * MINUTE;

/// How often something sensible is looked for before the clock moves instead.
const TRIES: usize = 12;

/// Who acts, and what is remembered from operation to operation.
pub struct Random {
    pub(super) rng: ChaCha8Rng,
    /// Everybody with a key. The last two are strangers to the market: no money, no permission.
    pub(super) people: Vec<Account>,
    /// Decisions signed so far, to bring them again.
    pub(super) signed: Vec<SignedOp>,
    /// What opens the commitments of private requests.
    pub(super) payloads: BTreeMap<Digest, HandOver>,
}

impl Random {
    /// Draws from this seed, with these people.
    pub fn new(seed: u64, people: Vec<Account>) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, people, signed: Vec::new(), payloads: BTreeMap::new() }
    }

    /// The next operation: three of four are what somebody would do now, or at least is about
    /// something that is there; the others are twisted or hostile.
    pub fn next(&mut self, model: &Model) -> Op {
        if self.chance(14) {
            return self.clock(model);
        }
        if self.chance(8) {
            return self.hostile(model);
        }
        let found = (0..TRIES).find_map(|_| self.sensible(model));
        let Some(mut op) = found else { return self.clock(model) };
        if self.chance(22) {
            self.twist(&mut op, model);
        }
        // A contract may be a party, but sends no transactions.
        if op.by().is_some_and(|by| !self.people.contains(&by)) {
            let person = self.anybody();
            op.by_another(person);
        }
        if let Op::Signed(signed) = &op {
            self.signed.push(signed.clone());
        }
        op
    }

    fn sensible(&mut self, model: &Model) -> Option<Op> {
        match self.rng.gen_range(0..100u32) {
            0..=2 => Some(self.token()),
            3..=7 => Some(self.create(model)),
            8..=33 => self.advance(model),
            34..=42 => self.operate(model),
            43..=48 => Some(self.request(model)),
            49..=54 => Some(self.offer(model)),
            55..=69 => self.accept(model),
            70..=73 => self.close(model),
            _ => self.job(model),
        }
    }

    // ---- the clock ----

    fn clock(&mut self, model: &Model) -> Op {
        let now = model.now_ms;
        let at_ms = match self.rng.gen_range(0..100u32) {
            0..=72 => now + self.rng.gen_range(1..40 * SECOND),
            73..=95 => self.beside_a_deadline(model).unwrap_or(now + 6 * SECOND),
            96..=98 => now + self.rng.gen_range(5 * MINUTE..HOUR),
            _ => now + self.rng.gen_range(HOUR..26 * HOUR),
        };
        Op::Clock { at_ms }
    }

    /// One millisecond before, at, or one after one of the next deadlines.
    fn beside_a_deadline(&mut self, model: &Model) -> Option<u64> {
        let mut deadlines = deadlines(model);
        deadlines.retain(|deadline| *deadline > model.now_ms + 1);
        deadlines.sort_unstable();
        deadlines.truncate(3);
        let deadline = *deadlines.choose(&mut self.rng)?;
        Some(deadline + self.rng.gen_range(0..3) - 1)
    }

    // ---- draws ----

    /// With so many percent.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.rng.gen_ratio(percent, 100)
    }

    /// Anybody.
    pub(super) fn anybody(&mut self) -> Account {
        self.people[self.rng.gen_range(0..self.people.len())]
    }

    /// Anybody but the two strangers.
    pub(super) fn somebody(&mut self) -> Account {
        self.people[self.rng.gen_range(0..self.people.len() - 2)]
    }

    /// Somebody, and another one.
    pub(super) fn two(&mut self) -> (Account, Account) {
        let known = self.people.len() - 2;
        let first = self.rng.gen_range(0..known);
        let second = (first + self.rng.gen_range(1..known)) % known;
        (self.people[first], self.people[second])
    }

    /// One of these.
    pub(super) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.gen_range(0..of.len())]
    }

    /// One of these, if there are any.
    pub(super) fn any_of<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.choose(&mut self.rng).copied()
    }

    /// A digest.
    pub(super) fn digest(&mut self) -> Digest {
        Digest(self.rng.gen())
    }
}

/// Every deadline that something waits for.
fn deadlines(model: &Model) -> Vec<u64> {
    let mut all: Vec<u64> = model.escrows.values().filter_map(|deal| deal.due_ms()).collect();
    for request in model.requests.values().filter(|request| !request.closed) {
        all.push(model.auction_ends_ms(request));
        all.push(request.created_ms + model.setting.market.priority_ms);
    }
    let open = model.offers.values().filter(|offer| !offer.closed);
    all.extend(open.map(|offer| offer.terms.expires_ms));
    for job in model.assignments.values() {
        let request = &model.requests[&job.request].terms;
        all.push(job.complete_by_ms);
        let market = model.setting.market;
        all.push(job.assigned_ms + request.hand_over_within_ms + market.slack_ms);
        // The ends of what may be handed back for nothing, and without a mark.
        all.push(job.ready_ms + market.hand_back_ms);
        all.push(job.ready_ms + (job.complete_by_ms - job.ready_ms) / 2);
        all.extend(job.completed_ms.map(|at| at + request.review_ms));
        // The first moments that miss a level.
        let limit = request.sla.as_ref().map(|sla| job.ready_ms + sla.max_response_ms);
        all.extend(limit.map(|limit| limit + market.slack_ms + 1));
        let started = job.started_ms.filter(|_| limit.is_some());
        all.extend(started.map(|at| at + request.max_duration_ms + market.slack_ms + 1));
    }
    let epoch = model.setting.epoch_ms;
    let passed = (model.now_ms - model.setting.epoch_start_ms) / epoch;
    all.push(model.setting.epoch_start_ms + (passed + 1) * epoch);
    all
}

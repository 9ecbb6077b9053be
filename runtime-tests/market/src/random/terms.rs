//! Terms of escrows, requests and offers.

use super::draw::{Random, HOUR, MINUTE, SECOND};
use crate::model::Model;
use cicada_core::escrow::{Fallback, Milestone, Panel, Range, Rule, Terms};
use cicada_core::hash::{tagged, Native};
use cicada_core::market::{Consent, HandOver, Offer, Privacy, Request};
use cicada_core::name::Name;
use cicada_core::sla::{Metric, QualityReport, Sla};
use cicada_core::Account;
use rand::seq::SliceRandom;
use rand::Rng;

/// What kinds of work there are.
pub const TASKS: [&str; 3] = ["render", "train", "infer"];
const CAPABILITIES: [&str; 3] = ["cuda", "disk", "tee"];
const METRICS: [&str; 2] = ["accuracy", "recall"];

/// A name of the market.
pub fn name(text: &str) -> Name {
    Name::new(text).expect("a plain name")
}

impl Random {
    /// Terms of an escrow between two people.
    pub(super) fn terms(&mut self, model: &Model, requester: Account, provider: Account) -> Terms {
        let now = model.now_ms;
        let review_ms = self.rng.gen_range(2 * MINUTE..40 * MINUTE);
        let fund_by_ms = now + self.rng.gen_range(5 * MINUTE..20 * MINUTE);
        let mut deadline = fund_by_ms + self.rng.gen_range(MINUTE..3 * HOUR);
        let lock_ms = now + self.rng.gen_range(0..90 * MINUTE);
        let parts = self.one_of(&[1, 1, 1, 2, 3]);
        let mut milestones = Vec::new();
        for _ in 0..parts {
            let amount = self.rng.gen_range(1..50_000);
            milestones.push(Milestone { amount, complete_by_ms: deadline });
            deadline = (deadline + review_ms).max(lock_ms) + self.rng.gen_range(MINUTE..HOUR);
        }
        let rule = match self.rng.gen_range(0..4) {
            0 => Rule::Single,
            1 => Rule::BothParties,
            2 => Rule::Arbitrators,
            _ => Rule::TimeLocked { release_after_ms: lock_ms },
        };
        Terms {
            requester,
            provider,
            token: model.setting.places.token,
            milestones,
            rule,
            panel: self.panel(requester, provider, rule == Rule::Arbitrators),
            fund_by_ms,
            review_ms,
            dispute_ms: self.rng.gen_range(5 * MINUTE..HOUR),
            fallback: self.fallback(),
            job: self.digest(),
        }
    }

    fn fallback(&mut self) -> Fallback {
        match self.rng.gen_range(0..3) {
            0 => Fallback::Refund,
            1 => Fallback::Release,
            _ => Fallback::Split { provider_bps: self.rng.gen_range(0..=10_000) },
        }
    }

    /// One to three of those who are no party; sometimes nobody, unless somebody is needed.
    fn panel(&mut self, requester: Account, provider: Account, needed: bool) -> Panel {
        let mut members = self.people.clone();
        members.retain(|member| *member != requester && *member != provider);
        members.shuffle(&mut self.rng);
        let none = !needed && self.chance(10);
        members.truncate(if none { 0 } else { self.rng.gen_range(1..=3) });
        let most = u8::try_from(members.len()).expect("three at most");
        if most == 0 {
            return Panel::NONE;
        }
        let required = self.rng.gen_range(most / 2 + 1..=most);
        Panel { required, members, fee_bps: self.one_of(&[0, 0, 100, 500]) }
    }

    /// What somebody asks for.
    pub(super) fn request_terms(&mut self, model: &Model, requester: Account) -> Request {
        let priority_ms = model.setting.market.priority_ms;
        let soonest = model.now_ms + priority_ms + 1;
        let deadline_ms = soonest + self.rng.gen_range(MINUTE..HOUR);
        let min_reputation = self.chance(20).then(|| self.rng.gen_range(0..80));
        let privacy = self.privacy();
        let hand_over_within_ms = match privacy {
            Privacy::Public { .. } => 0,
            _ => self.rng.gen_range(0..20 * MINUTE),
        };
        Request {
            task_type: name(self.one_of(&TASKS)),
            units: self.one_of(&[1, 50, 99, 100, 199, 200, 350, 350, 500, 1_000, 1_100]),
            min_units: self.one_of(&[None, None, Some(1), Some(70)]),
            max_duration_ms: self.rng.gen_range(MINUTE..2 * HOUR),
            hand_over_within_ms,
            capabilities: self.names(&CAPABILITIES, 15),
            min_reputation,
            privacy,
            max_price: self.rng.gen_range(80..300),
            min_bond: self.one_of(&[0, 0, 0, 5]),
            sla: self.chance(60).then(|| self.sla()),
            deadline_ms,
            panel: self.panel(requester, requester, false),
            review_ms: self.rng.gen_range(2 * MINUTE..40 * MINUTE),
            dispute_ms: self.rng.gen_range(5 * MINUTE..HOUR),
            fallback: self.fallback(),
        }
    }

    /// Mostly everything that is asked for here.
    fn consent(&mut self) -> Consent {
        let range = |least_ms, most_ms| Range { least_ms, most_ms };
        let mut arbitrators = self.people.clone();
        if self.chance(10) {
            arbitrators.truncate(6);
        }
        Consent {
            review: self.one_of(&[range(0, HOUR), range(0, HOUR), range(4 * MINUTE, 30 * MINUTE)]),
            dispute: self.one_of(&[range(0, HOUR), range(0, HOUR), range(10 * MINUTE, HOUR)]),
            max_penalty_bps: self.one_of(&[10_000, 10_000, 5_000]),
            min_response_ms: self.one_of(&[0, 0, MINUTE]),
            min_duration_ms: self.one_of(&[0, 0, 5 * MINUTE]),
            max_time_ms: self.one_of(&[4 * HOUR, 4 * HOUR, HOUR]),
            arbitrators,
            min_required: self.one_of(&[0, 0, 0, 1]),
            max_fee_bps: self.one_of(&[500, 500, 100]),
        }
    }

    /// What somebody offers.
    pub(super) fn offer_terms(&mut self, model: &Model) -> Offer {
        let price = self.rng.gen_range(20..250);
        let firm_from = self.chance(50).then(|| self.rng.gen_range(0..price));
        let units = self.one_of(&[1, 60, 100, 250, 400, 1_000, 2_000]);
        Offer {
            task_type: name(self.one_of(&TASKS)),
            units,
            min_units: self.one_of(&[1, 1, 1, units, units.div_ceil(3)]),
            price,
            capabilities: self.names(&CAPABILITIES, 90),
            bond: self.one_of(&[0, 5, 5, 12]),
            expires_ms: model.now_ms + self.rng.gen_range(10 * MINUTE..6 * HOUR),
            payload_key: self.digest().0,
            firm_from,
            consent: self.consent(),
        }
    }

    /// Each of these names with so many percent, in order.
    fn names(&mut self, of: &[&str], percent: u32) -> Vec<Name> {
        let mut names: Vec<Name> = of.iter().map(|text| name(text)).collect();
        names.retain(|_| self.chance(percent));
        names
    }

    fn privacy(&mut self) -> Privacy {
        let cid = format!("cid-{}", self.rng.gen::<u32>()).into_bytes();
        if self.chance(55) {
            return Privacy::Public { payload: cid };
        }
        let salt = self.digest().0;
        let sealed_key =
            [self.digest().0, self.digest().0, self.digest().0].concat()[..80].to_vec();
        let commitment = tagged::<Native>(b"cicada71/payload/v1", &(&cid, &salt));
        self.payloads.insert(commitment, HandOver { cid, salt, sealed_key });
        if self.chance(60) {
            return Privacy::Private { commitment };
        }
        let mut allowed = self.people.clone();
        allowed.retain(|_| self.chance(70));
        Privacy::Confidential { commitment, capability: name("tee"), allowed }
    }

    fn sla(&mut self) -> Sla {
        let metrics = self.names(&METRICS, 60).into_iter();
        Sla {
            uptime_bps: self.chance(50).then_some(9_900),
            max_response_ms: self.rng.gen_range(10 * SECOND..10 * MINUTE),
            violation_penalty: self.rng.gen_range(0..8_001),
            quality: metrics.map(|name| Metric { name, bps: 9_000 }).collect(),
        }
    }

    /// What a requester states about a job.
    pub(super) fn report(&mut self) -> Option<QualityReport> {
        if self.chance(35) {
            return None;
        }
        let metrics = self.names(&METRICS, 85).into_iter();
        let quality = metrics.map(|name| Metric { name, bps: 9_000 - 1 }).collect::<Vec<_>>();
        let raise = |mut metric: Metric| {
            metric.bps += self.rng.gen_range(0..4) / 2;
            metric
        };
        let quality = quality.into_iter().map(raise).collect();
        let uptime_bps = self.chance(85).then(|| 9_899 + self.rng.gen_range(0..4) / 2);
        Some(QualityReport { uptime_bps, quality })
    }
}

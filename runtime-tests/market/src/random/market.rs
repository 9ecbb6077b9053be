//! What people do in the market.

use super::draw::Random;
use super::{Op, Step, What};
use crate::model::Model;
use cicada_core::escrow::{Act, State};
use cicada_core::market::{Assignment, OfferRecord, Privacy, RequestRecord, Status};
use cicada_core::sla::QualityReport;
use rand::Rng;

/// The newest of what is open.
const NEWEST: usize = 12;

fn newest<T>(of: &[T]) -> &[T] {
    &of[of.len().saturating_sub(NEWEST)..]
}

impl Random {
    pub(super) fn request(&mut self, model: &Model) -> Op {
        let by = self.somebody();
        Op::Request { by, terms: self.request_terms(model, by) }
    }

    pub(super) fn offer(&mut self, model: &Model) -> Op {
        Op::Offer { by: self.somebody(), terms: self.offer_terms(model) }
    }

    /// An accept that should work, if there is one; otherwise any. Those who wait go first.
    pub(super) fn accept(&mut self, model: &Model) -> Option<Op> {
        let is_open = |request: &&RequestRecord| !model.is_shut(request);
        let waits = |request: &RequestRecord| {
            is_open(&request) && !request.line.is_empty() && !model.line_is_open(request)
        };
        let waiting = model.requests.iter().filter(|(_, request)| waits(request));
        let waiting: Vec<u64> = waiting.map(|(id, _)| *id).collect();
        if let Some(request) = self.any_of(&waiting).filter(|_| self.chance(60)) {
            return Some(Op::AssignNext { by: self.anybody(), request });
        }
        let requests: Vec<(u64, &RequestRecord)> = model
            .requests
            .iter()
            .filter(|(_, request)| is_open(request))
            .map(|(id, request)| (*id, request))
            .collect();
        let offers: Vec<(u64, &OfferRecord)> = model
            .offers
            .iter()
            .filter(|(_, offer)| !offer.closed && offer.left > 0)
            .map(|(id, offer)| (*id, offer))
            .collect();
        let fits = |(id, request): &(u64, &RequestRecord)| {
            let suits = |offer: &&OfferRecord| {
                model.qualify(*id, request, offer, (u64::MAX, 0)).1.is_empty()
            };
            let pair =
                |(offer, record): &(u64, &OfferRecord)| suits(record).then_some((*id, *offer));
            newest(&offers).iter().filter_map(pair).collect::<Vec<_>>()
        };
        let pairs: Vec<(u64, u64)> = newest(&requests).iter().flat_map(fits).collect();
        let (request, offer) = match self.any_of(&pairs).filter(|_| self.chance(85)) {
            Some(pair) => pair,
            None if self.chance(70) => return None,
            None => (self.any_of(newest(&requests))?.0, self.any_of(newest(&offers))?.0),
        };
        Some(self.accept_pair(model, request, offer))
    }

    fn accept_pair(&mut self, model: &Model, request: u64, offer: u64) -> Op {
        let (asked, offered) = (&model.requests[&request], &model.offers[&offer]);
        let firm = offered.terms.firm_from.is_some() && self.chance(50);
        let by = if firm { asked.requester } else { offered.provider };
        let most = asked.left.min(offered.left).max(1);
        let some = self.rng.gen_range(1..=most);
        let units = self.one_of(&[some, most, most, asked.left.max(1)]);
        let (price, _) = model.qualify(request, asked, offered, (units, 0));
        let min_price = self.one_of(&[0, 0, price / 2, price]);
        Op::Accept { by, request, offer, units, min_price }
    }

    /// Takes something out of the market: mostly what is over.
    pub(super) fn close(&mut self, model: &Model) -> Option<Op> {
        let requests = model.requests.iter().filter(|(_, request)| !request.closed);
        let (over, open): (Vec<_>, Vec<_>) =
            requests.partition(|(_, request)| model.is_over(request));
        let offers = model.offers.iter().filter(|(_, offer)| !offer.closed);
        let (expired, resting): (Vec<_>, Vec<_>) =
            offers.partition(|(_, offer)| offer.terms.expires_ms <= model.now_ms);
        Some(match self.rng.gen_range(0..12) {
            0..=3 => {
                let (id, _) = self.any_of(&over)?;
                Op::Close { by: self.anybody(), what: What::CloseRequest, id: *id }
            }
            4..=7 => {
                let (id, _) = self.any_of(&expired)?;
                Op::Close { by: self.anybody(), what: What::CloseOffer, id: *id }
            }
            8 | 9 => {
                let (id, request) = self.any_of(&open)?;
                Op::Close { by: request.requester, what: What::CancelRequest, id: *id }
            }
            _ => {
                let (id, offer) = self.any_of(&resting)?;
                Op::Close { by: offer.provider, what: What::CancelOffer, id: *id }
            }
        })
    }

    /// A step of an assignment: one that runs, one whose escrow has ended, or stars.
    pub(super) fn job(&mut self, model: &Model) -> Option<Op> {
        let jobs = || model.assignments.iter().map(|(id, job)| (*id, job));
        let ended = |job: &Assignment| model.escrows[&job.escrow].has_ended();
        let (finals, live): (Vec<_>, Vec<_>) =
            jobs().partition(|(_, job)| crate::model::is_final(job.status));
        let (due, running): (Vec<_>, Vec<_>) = live.into_iter().partition(|(_, job)| ended(job));
        match self.rng.gen_range(0..20) {
            0..=4 if !due.is_empty() => {
                let (id, _) = self.any_of(&due)?;
                Some(Op::Job { by: self.anybody(), id, step: Step::Finalize })
            }
            5 | 6 => {
                let (id, job) = self.any_of(newest(&finals))?;
                let by = self.one_of(&[job.requester, job.provider]);
                let stars = self.rng.gen_range(1..=5);
                Some(Op::Job { by, id, step: Step::Feedback(stars) })
            }
            _ => {
                let (id, job) = self.any_of(newest(&running))?;
                Some(self.work(model, id, job))
            }
        }
    }

    fn work(&mut self, model: &Model, id: u64, job: &Assignment) -> Op {
        let (provider, requester) = (job.provider, job.requester);
        let (by, step) = match job.status {
            Status::AwaitingPayload | Status::Assigned | Status::InProgress if self.chance(12) => {
                (provider, Step::Decline)
            }
            Status::AwaitingPayload => {
                let payload = match &model.requests[&job.request].terms.privacy {
                    Privacy::Private { commitment } | Privacy::Confidential { commitment, .. } => {
                        &self.payloads[commitment]
                    }
                    Privacy::Public { .. } => unreachable!("waits for nothing"),
                };
                (requester, Step::HandOver(payload.clone()))
            }
            Status::Assigned => (provider, Step::Start),
            Status::InProgress => (provider, Step::Complete(self.digest())),
            // Somebody objects; then the requester can only report.
            _ if model.escrows[&job.escrow].state == State::Disputed => {
                let report = self.report();
                let report = report.unwrap_or(QualityReport { uptime_bps: None, quality: vec![] });
                (requester, Step::Report(report))
            }
            _ if self.chance(20) => {
                let by = self.one_of(&[provider, requester]);
                let act = Act::Raise { milestone: 0, evidence: vec![] };
                return Op::Act { by, id: job.escrow, act };
            }
            _ => (requester, Step::Settle(self.report())),
        };
        Op::Job { by, id, step }
    }
}

//! How an assignment ends and what follows from it.

use super::{div_floor, times, Assignment, InvalidTerms, Parameters, Request};
use crate::escrow::{Ending, Side, State};
use crate::reputation::Event;
use crate::sla::QualityReport;
use alloc::vec;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, Error};

/// Where an assignment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Status {
    /// The requester has to hand a private payload over.
    AwaitingPayload,
    /// The provider may start or decline.
    Assigned,
    /// He works.
    InProgress,
    /// The result is there; the requester looks at it.
    Delivered,
    /// Ended: paid, nothing missed.
    Completed,
    /// Ended: paid less the penalty, or a service level was missed. Counts for nothing if only the
    /// requester said so.
    SlaViolated,
    /// Ended: not delivered in time; or delivered, and refunded by the provider.
    Failed,
    /// Ended: the provider handed it back.
    Declined,
    /// Ended: there was no job, the payload never came.
    Void,
    /// Ended by a dispute that the requester raised: the votes gave the provider more than half.
    ProviderWon,
    /// Ended by a dispute: the votes gave the provider nothing.
    RequesterWon,
    /// Ended by a dispute that the provider raised and nobody decided; nothing missed.
    Undecided,
    /// Ended: paid by the requester before anything was delivered.
    Gift,
}

impl Status {
    /// Whether this is an end.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::AwaitingPayload | Self::Assigned | Self::InProgress | Self::Delivered)
    }

    /// Whether there was a trade that the two sides may give stars for: something was delivered,
    /// and not taken back.
    pub fn can_be_rated(self) -> bool {
        self.is_final() && !matches!(self, Self::Failed | Self::Declined | Self::Void | Self::Gift)
    }
}

/// What follows from an end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// What to report about the provider.
    pub provider: Vec<Event>,
    /// What to report about the requester.
    pub requester: Vec<Event>,
    /// What counts for the provider in this task type, if anything does.
    pub success: Option<bool>,
}

/// How an escrow ended: what the market needs of a [`crate::escrow::Summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The terminal state.
    pub state: State,
    /// Why.
    pub ending: Ending,
    /// What the provider got.
    pub provider_paid: u128,
    /// Who raised a dispute, if anybody did.
    pub raised_by: Option<Side>,
    /// When it ended.
    pub ended_ms: u64,
}

/// The part in work; requester, provider and token; the sum and what is locked of it.
const SKIPPED: usize = 1 + 3 * 32 + 2 * 16;

impl Outcome {
    /// From an encoded [`crate::escrow::Summary`]; none while the escrow runs. Decoding all of it would cost a
    /// contract two kilobytes of code.
    ///
    /// # Errors
    /// If the bytes are no summary.
    pub fn read(mut summary: &[u8]) -> Result<Option<Self>, Error> {
        let input = &mut summary;
        let state = State::decode(input)?;
        <[u8; SKIPPED]>::decode(input)?;
        let provider_paid = u128::decode(input)?;
        let _requester_paid = u128::decode(input)?;
        let _due_ms = Option::<u64>::decode(input)?;
        let raised_by = Option::<Side>::decode(input)?;
        let ending = Option::<Ending>::decode(input)?;
        let ended_ms = u64::decode(input)?;
        Ok(ending.map(|ending| Self { state, ending, provider_paid, raised_by, ended_ms }))
    }
}

impl Assignment {
    /// What the escrow holds for it.
    pub fn amount(&self) -> u128 {
        // At most the request's budget.
        times(self.price, self.units)
    }

    /// From the assignment (or hand-over) to the start, in ms; 0 before.
    pub fn response_ms(&self) -> u64 {
        self.started_ms.map_or(0, |started| started.saturating_sub(self.ready_ms))
    }

    /// From the start to `now_ms`.
    pub fn execution_ms(&self, now_ms: u64) -> u64 {
        self.started_ms.map_or(0, |started| now_ms.saturating_sub(started))
    }

    /// Notes what the chain measures at a delivery at `now_ms`, and gives the penalty for it.
    pub fn measure(&mut self, request: &Request, parameters: &Parameters, now_ms: u64) -> u128 {
        let Some(sla) = &request.sla else { return 0 };
        let took_ms = (self.response_ms(), self.execution_ms(now_ms));
        self.violations = sla.measured(took_ms, request.max_duration_ms, parameters.slack_ms);
        sla.penalty(&self.violations, self.amount())
    }

    /// Notes what the requester's report shows, and gives the penalty for everything. Without a
    /// report, uptime and quality are as they should be.
    ///
    /// # Errors
    /// [`InvalidTerms`] of the report.
    pub fn judge(
        &mut self,
        request: &Request,
        report: Option<QualityReport>,
    ) -> Result<u128, InvalidTerms> {
        let Some(sla) = &request.sla else { return Ok(0) };
        if let Some(report) = report {
            report.check()?;
            self.violations.stated = sla.stated(&report);
        }
        Ok(sla.penalty(&self.violations, self.amount()))
    }

    /// Whether the requester may still object: after the delivery, within the review.
    pub fn is_in_review(&self, request: &Request, now_ms: u64) -> bool {
        self.completed_ms.is_some_and(|at| now_ms < at.saturating_add(request.review_ms))
    }

    /// Notes how it ended, from how its escrow did.
    pub fn end(&mut self, escrow: &Outcome) {
        if matches!(escrow.ending, Ending::Voted { .. }) {
            // The panel has judged what the requester had stated.
            self.violations.stated = 0;
        }
        self.status = self.ended_as(escrow);
        self.paid = escrow.provider_paid;
        self.ended_ms = Some(match self.completed_ms {
            Some(_) => escrow.ended_ms,
            None => escrow.ended_ms.min(self.complete_by_ms),
        });
    }

    /// A dispute has winners and losers only where the loser raised it; otherwise nobody may have
    /// more by it than without it.
    fn ended_as(&self, escrow: &Outcome) -> Status {
        let by_requester = escrow.raised_by == Some(Side::Requester);
        match (self.status, escrow.ending, escrow.state) {
            (Status::Delivered, Ending::Voted { provider_share: 0 }, _) => Status::RequesterWon,
            (Status::Delivered, Ending::Voted { provider_share: share }, _)
                if by_requester && share > self.amount().saturating_sub(share) =>
            {
                Status::ProviderWon
            }
            (Status::Delivered, Ending::FellBack, _) if !by_requester && !self.violations.any() => {
                Status::Undecided
            }
            (Status::Delivered, _, State::Refunded) => Status::Failed,
            (Status::Delivered, ..) => self.paid_as(),
            (_, _, State::Released) => Status::Gift,
            (Status::AwaitingPayload, ..) => Status::Void,
            _ if escrow.ended_ms >= self.complete_by_ms => Status::Failed,
            _ => Status::Declined,
        }
    }

    /// Whether its own deadline is over and nothing was delivered, though its escrow may still run:
    /// that one waits until the last moment of a hand-over.
    pub fn is_overdue(&self, now_ms: u64) -> bool {
        let handed_over = matches!(self.status, Status::Assigned | Status::InProgress);
        handed_over && now_ms >= self.complete_by_ms
    }

    /// Notes that it was not delivered by its deadline.
    pub fn fail(&mut self) {
        self.status = Status::Failed;
        self.ended_ms = Some(self.complete_by_ms);
    }

    /// Notes that a private payload was handed over. Its time runs from now on.
    pub fn hand_over(&mut self, request: &Request, parameters: &Parameters, now_ms: u64) {
        self.status = Status::Assigned;
        self.ready_ms = now_ms;
        // Never later than before, since the hand-over was in time.
        let by_ms = now_ms.saturating_add(request.work_within_ms(parameters));
        self.complete_by_ms = self.complete_by_ms.min(by_ms);
    }

    /// How it ends when the provider hands it back: without a payload there was no job yet.
    pub fn handed_back_as(&self) -> Status {
        match self.status {
            Status::AwaitingPayload => Status::Void,
            _ => Status::Declined,
        }
    }

    /// How it ends when it is paid.
    pub fn paid_as(&self) -> Status {
        if self.violations.any() {
            Status::SlaViolated
        } else {
            Status::Completed
        }
    }

    /// What follows from its end.
    pub fn consequences(&self, parameters: &Parameters) -> Consequences {
        let (event, success) = match self.status {
            Status::Completed => (Event::Completed, true),
            Status::SlaViolated if self.violations.measured() > 0 => {
                let points = parameters.violation_points.saturating_mul(self.violations.measured());
                (Event::SlaViolated { points }, false)
            }
            Status::Failed => (Event::Failed, false),
            Status::Declined if self.is_late_back(parameters) => (Event::Failed, false),
            Status::ProviderWon => (Event::DisputeWon, true),
            Status::RequesterWon => (Event::DisputeLost, false),
            _ => return Consequences::default(),
        };
        let mut after =
            Consequences { provider: vec![event], requester: vec![], success: Some(success) };
        match event {
            Event::DisputeWon => after.requester.push(Event::DisputeLost),
            Event::DisputeLost => after.requester.push(Event::DisputeWon),
            Event::Failed => {}
            _ if self.was_quick(parameters) => after.provider.push(Event::FastResponse),
            _ => {}
        }
        after
    }

    fn was_quick(&self, parameters: &Parameters) -> bool {
        self.started_ms.is_some() && self.response_ms() < parameters.fast_response_ms
    }

    /// What counts among the prices of its task type: what was paid per unit for what was
    /// delivered, rounded down; none where that is nothing, or where nobody decided.
    pub fn unit_price_floor(&self) -> Option<u128> {
        match self.status {
            Status::Completed | Status::SlaViolated | Status::ProviderWon => {
                div_floor(self.paid, self.units.into()).filter(|price| *price > 0)
            }
            _ => None,
        }
    }

    /// The time for the job, and how much of it was used when it ended, at most all. In ms.
    fn used_ms(&self) -> (u64, u64) {
        let time = self.complete_by_ms.saturating_sub(self.ready_ms);
        let ended_ms = self.ended_ms.unwrap_or(self.complete_by_ms);
        (time, ended_ms.saturating_sub(self.ready_ms).min(time))
    }

    /// Until when it can be handed back without a mark.
    pub fn free_until_ms(&self, parameters: &Parameters) -> u64 {
        // From half of the time on it is a failure.
        let early = (self.used_ms().0 >> 1).saturating_sub(1);
        self.ready_ms.saturating_add(parameters.hand_back_ms.min(early))
    }

    /// Twice the share of the time that was used when it was handed back, at most all, as
    /// (part, whole); nothing while it was free.
    fn lost_share(&self, parameters: &Parameters) -> (u64, u64) {
        let (time, used) = self.used_ms();
        let free = self.ready_ms.saturating_add(used) <= self.free_until_ms(parameters);
        (if free { 0 } else { used.saturating_mul(2).min(time) }, time)
    }

    /// Whether it was handed back so late that it is a failure: half of the time was over.
    fn is_late_back(&self, parameters: &Parameters) -> bool {
        let (part, whole) = self.lost_share(parameters);
        part == whole
    }

    /// What the requester gets of the bond, which is `per_unit`. Rounded down per unit.
    pub fn lost_bond(&self, parameters: &Parameters, per_unit: u128) -> u128 {
        let lost = match self.status {
            Status::Failed | Status::RequesterWon => per_unit,
            Status::Declined => {
                let (part, whole) = self.lost_share(parameters);
                // At most 10^24 · 2^36.
                div_floor(times(per_unit, part), whole.into()).unwrap_or(0)
            }
            _ => 0,
        };
        times(lost, self.units)
    }

    /// Whether units of the offer are on offer again, with their bond, as long as the offer is
    /// open: there was no job, or it was handed back at once.
    pub fn returns_offer(&self, parameters: &Parameters) -> bool {
        match self.status {
            Status::Void => true,
            Status::Declined => self.lost_share(parameters).0 == 0,
            _ => false,
        }
    }

    /// Whether units of the request can be taken again, since their money came back.
    pub fn returns_request(&self) -> bool {
        matches!(self.status, Status::Void | Status::Declined | Status::Failed)
    }
}

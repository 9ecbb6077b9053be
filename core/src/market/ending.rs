//! How an assignment ends and what follows from it.

use super::{times, Assignment, InvalidTerms, Parameters, Request};
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
    /// Ended: paid less the penalty, or a service level was missed.
    SlaViolated,
    /// Ended: not done in time, by the provider's fault.
    Failed,
    /// Ended: the provider gave it back.
    Declined,
    /// Ended: not done in time, by nobody's fault or the requester's.
    Void,
    /// Ended by a dispute: the provider got more than half.
    ProviderWon,
    /// Ended by a dispute: the requester got more than half.
    RequesterWon,
    /// Ended by a dispute that nobody won.
    Undecided,
}

impl Status {
    /// Whether this is an end.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::AwaitingPayload | Self::Assigned | Self::InProgress | Self::Delivered)
    }

    /// Whether there was a trade that the two sides may give stars for.
    pub fn can_be_rated(self) -> bool {
        self.is_final() && !matches!(self, Self::Failed | Self::Declined | Self::Void)
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
        let _raised_by = Option::<Side>::decode(input)?;
        let ending = Option::<Ending>::decode(input)?;
        Ok(ending.map(|ending| Self { state, ending, provider_paid }))
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
    pub fn measure(&mut self, request: &Request, now_ms: u64) -> u128 {
        let Some(sla) = &request.sla else { return 0 };
        let execution_ms = self.execution_ms(now_ms);
        self.violations = sla.measured(self.response_ms(), execution_ms, request.max_duration_ms);
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

    /// Whether it is the provider's fault when it is not done: he took it himself, or started it.
    /// Whoever was only taken at his word may have had no time to look.
    fn is_bound(&self) -> bool {
        self.by_provider || self.started_ms.is_some()
    }

    /// How it ended, from how its escrow did.
    pub fn ended_as(&self, escrow: &Outcome) -> Status {
        match (escrow.ending, escrow.state) {
            // Whoever was only taken at his word cannot be dragged into a dispute.
            (Ending::Voted | Ending::FellBack, _) if !self.is_bound() => Status::Void,
            (Ending::FellBack, _) => Status::Undecided,
            (Ending::Voted, _) => {
                let rest = self.amount().saturating_sub(escrow.provider_paid);
                match escrow.provider_paid.cmp(&rest) {
                    core::cmp::Ordering::Greater => Status::ProviderWon,
                    core::cmp::Ordering::Less => Status::RequesterWon,
                    core::cmp::Ordering::Equal => Status::Undecided,
                }
            }
            (_, State::Released) => self.paid_as(),
            (Ending::TimedOut, _) => self.missed_as(),
            _ => self.given_back_as(),
        }
    }

    /// How it ends when the provider gives it back: without a payload there was no job yet.
    pub fn given_back_as(&self) -> Status {
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

    /// How it ends when the time for it is over.
    fn missed_as(&self) -> Status {
        if self.status != Status::AwaitingPayload && self.is_bound() {
            Status::Failed
        } else {
            Status::Void
        }
    }

    /// What follows from its end.
    pub fn consequences(&self, parameters: &Parameters) -> Consequences {
        let (event, success) = match self.status {
            Status::Completed => (Event::Completed, true),
            Status::SlaViolated => {
                let points = parameters.violation_points.saturating_mul(self.violations.count());
                (Event::SlaViolated { points }, false)
            }
            Status::Failed => (Event::Failed, false),
            Status::Declined if self.is_bound() => (Event::Failed, false),
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

    /// Whether its price counts among the prices of its task type: it was paid without a dispute.
    pub fn makes_a_price(&self) -> bool {
        matches!(self.status, Status::Completed | Status::SlaViolated) && self.paid > 0
    }

    /// Whether the requester gets the bond: the work failed, or was given up once begun. Otherwise
    /// whoever is late would give it back a moment before the deadline.
    pub fn forfeits_bond(&self) -> bool {
        match self.status {
            Status::Failed => true,
            Status::Declined => self.started_ms.is_some(),
            _ => false,
        }
    }

    /// Whether its units are on offer again, with their bond, as long as the offer is open: else
    /// a requester could use up a firm offer with jobs that never begin.
    pub fn returns_units(&self) -> bool {
        self.status == Status::Void
    }

    /// Whether a private payload may still be handed over: there must be time left to do the job.
    pub fn can_be_handed_over(&self, request: &Request, now_ms: u64) -> bool {
        now_ms.saturating_add(request.max_duration_ms) < self.complete_by_ms
    }
}

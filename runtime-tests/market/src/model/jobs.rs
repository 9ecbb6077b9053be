//! Assignments: from the hand-over to the stars.

use super::market::from_escrow;
use super::{valid, why, Check, Faults, Model};
use crate::random::Step;
use cicada_core::escrow::{Act, Ending, State};
use cicada_core::hash::{tagged, Hash, Native};
use cicada_core::market::{Assignment, HandOver, InvalidTerms, Privacy, Status};
use cicada_core::reputation::Event;
use cicada_core::sla::{QualityReport, Sla, Violations};
use cicada_core::Account;
use cicada_traits::auction::AuctionError;

impl Model {
    pub(super) fn apply_job(&mut self, by: Account, id: u64, step: &Step) -> Result<(), Faults> {
        let found = self.assignments.get(&id).cloned();
        let job = found.ok_or_else(|| vec![why(AuctionError::NotFound)])?;
        match step {
            Step::HandOver(payload) => self.hand_over(by, id, job, payload),
            Step::Start => self.start(by, id, job),
            Step::Decline => self.decline(by, id, job),
            Step::Complete(result) => self.complete_job(by, id, job, *result),
            Step::Settle(report) => self.settle_job(by, id, job, report.as_ref()),
            Step::Finalize => self.finalize(id, job),
            Step::Feedback(stars) => self.feedback(by, id, job, *stars),
        }
    }

    fn hand_over(
        &mut self,
        by: Account,
        id: u64,
        mut job: Assignment,
        payload: &HandOver,
    ) -> Result<(), Faults> {
        let request = &self.requests[&job.request].terms;
        let mut check = Check::default();
        check.refuse(by != job.requester, AuctionError::NotAllowed);
        check.refuse(job.status != Status::AwaitingPayload, AuctionError::WrongStatus);
        // There must be time left to do the job.
        let last_ms = job.complete_by_ms - request.max_duration_ms;
        check.refuse(self.passed(last_ms), AuctionError::TooLate);
        check.refuse_all(valid::payload(payload));
        let opened = tagged::<Native>(b"cicada71/payload/v1", &(&payload.cid, &payload.salt));
        let opens = match &request.privacy {
            Privacy::Public { .. } => true,
            Privacy::Private { commitment } | Privacy::Confidential { commitment, .. } => {
                *commitment == opened
            }
        };
        check.refuse(!opens, AuctionError::WrongOpening);
        check.done()?;
        job.status = Status::Assigned;
        job.ready_ms = self.now_ms;
        self.assignments.insert(id, job);
        self.payloads.insert(id, payload.clone());
        Ok(())
    }

    fn start(&mut self, by: Account, id: u64, mut job: Assignment) -> Result<(), Faults> {
        let mut check = Check::default();
        check.refuse(by != job.provider, AuctionError::NotAllowed);
        check.refuse(job.status != Status::Assigned, AuctionError::WrongStatus);
        check.refuse(self.passed(job.complete_by_ms), AuctionError::TooLate);
        check.done()?;
        job.status = Status::InProgress;
        job.started_ms = Some(self.now_ms);
        self.assignments.insert(id, job);
        Ok(())
    }

    fn decline(&mut self, by: Account, id: u64, job: Assignment) -> Result<(), Faults> {
        let waits = matches!(job.status, Status::AwaitingPayload | Status::Assigned);
        let mut check = Check::default();
        check.refuse(by != job.provider, AuctionError::NotAllowed);
        check.refuse(!waits, AuctionError::WrongStatus);
        check.refuse(self.passed(job.complete_by_ms), AuctionError::TooLate);
        check.done()?;
        self.by_market(job.escrow, &Act::Settle(0))?;
        let no_job_yet = job.status == Status::AwaitingPayload;
        let status = if no_job_yet { Status::Void } else { Status::Declined };
        self.conclude(id, job, status)
    }

    fn complete_job(
        &mut self,
        by: Account,
        id: u64,
        mut job: Assignment,
        result: Hash,
    ) -> Result<(), Faults> {
        let mut check = Check::default();
        check.refuse(by != job.provider, AuctionError::NotAllowed);
        check.refuse(job.status != Status::InProgress, AuctionError::WrongStatus);
        check.refuse(self.passed(job.complete_by_ms), AuctionError::TooLate);
        check.done()?;
        let request = &self.requests[&job.request].terms;
        let started_ms = job.started_ms.expect("it is in progress");
        if let Some(sla) = &request.sla {
            job.violations.response = started_ms - job.ready_ms > sla.max_response_ms;
            job.violations.execution = self.now_ms - started_ms > request.max_duration_ms;
        }
        let deduction = penalty(request.sla.as_ref(), &job);
        self.by_market(job.escrow, &Act::CompleteFor { result, deduction })?;
        job.status = Status::Delivered;
        job.completed_ms = Some(self.now_ms);
        self.assignments.insert(id, job);
        Ok(())
    }

    fn settle_job(
        &mut self,
        by: Account,
        id: u64,
        mut job: Assignment,
        report: Option<&QualityReport>,
    ) -> Result<(), Faults> {
        let request = &self.requests[&job.request].terms;
        let mut check = Check::default();
        check.refuse(by != job.requester, AuctionError::NotAllowed);
        check.refuse(job.status != Status::Delivered, AuctionError::WrongStatus);
        let review_ends = job.completed_ms.map(|completed| completed + request.review_ms);
        check.refuse(review_ends.is_some_and(|end| self.passed(end)), AuctionError::TooLate);
        // Without a service level a report says nothing.
        if let (Some(sla), Some(report)) = (&request.sla, report) {
            check.refuse_all(valid::report(report));
            job.violations.stated = missed(sla, report);
        }
        check.done()?;
        let share = amount(&job) - penalty(request.sla.as_ref(), &job);
        self.by_market(job.escrow, &Act::Settle(share))?;
        let status = paid_as(job.violations);
        self.conclude(id, job, status)
    }

    fn finalize(&mut self, id: u64, job: Assignment) -> Result<(), Faults> {
        let deal = &self.escrows[&job.escrow];
        let mut check = Check::default();
        check.refuse(is_final(job.status), AuctionError::WrongStatus);
        check.refuse(!is_final(job.status) && deal.ending.is_none(), AuctionError::NotEnded);
        check.done()?;
        let ending = deal.ending.expect("checked");
        let provider_half = deal.to_provider.cmp(&deal.to_requester);
        let status = match (ending, deal.state) {
            (Ending::Voted | Ending::FellBack, _) if !bound(&job) => Status::Void,
            (Ending::FellBack, _) => Status::Undecided,
            (Ending::Voted, _) if provider_half.is_gt() => Status::ProviderWon,
            (Ending::Voted, _) if provider_half.is_lt() => Status::RequesterWon,
            (Ending::Voted, _) => Status::Undecided,
            (_, State::Released) => paid_as(job.violations),
            (Ending::TimedOut, _) if job.status == Status::AwaitingPayload => Status::Void,
            (Ending::TimedOut, _) if bound(&job) => Status::Failed,
            (Ending::TimedOut, _) => Status::Void,
            _ if job.status == Status::AwaitingPayload => Status::Void,
            _ => Status::Declined,
        };
        self.conclude(id, job, status)
    }

    fn feedback(
        &mut self,
        by: Account,
        id: u64,
        mut job: Assignment,
        stars: u8,
    ) -> Result<(), Faults> {
        let by_requester = by == job.requester;
        let none = matches!(job.status, Status::Failed | Status::Declined | Status::Void);
        let trade = is_final(job.status) && !none;
        let mut check = Check::default();
        check.refuse(!by_requester && by != job.provider, AuctionError::NotAllowed);
        check.refuse(!trade, AuctionError::WrongStatus);
        let (rated, other) = if by_requester {
            (&mut job.rated_by_requester, job.provider)
        } else {
            (&mut job.rated_by_provider, job.requester)
        };
        check.refuse(*rated, AuctionError::AlreadyRated);
        let wrong = AuctionError::Invalid(InvalidTerms::Stars);
        check.refuse(!(1..=5).contains(&stars), wrong);
        check.done()?;
        *rated = true;
        self.assignments.insert(id, job);
        self.record(other, Event::Feedback { stars });
        Ok(())
    }

    /// The market acts on an escrow of its own.
    fn by_market(&mut self, escrow: u64, act: &Act) -> Result<(), Faults> {
        self.act(self.setting.places.auction, escrow, act).map_err(from_escrow)
    }

    /// The end of an assignment, and all that follows from it.
    fn conclude(&mut self, id: u64, mut job: Assignment, status: Status) -> Result<(), Faults> {
        job.status = status;
        job.paid = self.escrows[&job.escrow].to_provider;
        let (provider, requester, well) = self.consequences(&job);
        provider.into_iter().for_each(|event| self.record(job.provider, event));
        requester.into_iter().for_each(|event| self.record(job.requester, event));
        let task = self.requests[&job.request].terms.task_type.clone();
        if let Some(well) = well {
            let outcome = super::Outcome { provider: job.provider, task: task.clone(), well };
            self.outcomes.push(outcome);
        }
        if matches!(status, Status::Completed | Status::SlaViolated) && job.paid > 0 {
            let (time_ms, units, price) = (self.now_ms, job.units, job.price);
            self.fills.push(super::Fill { time_ms, task, units, price });
        }
        let now_ms = self.now_ms;
        let offer = self.offers.get_mut(&job.offer).expect("there is one of every job");
        if status == Status::Void && !offer.closed && now_ms < offer.terms.expires_ms {
            offer.left += job.units;
            self.assignments.insert(id, job);
            return Ok(());
        }
        let (reserve, bond) = (offer.reserve, offer.terms.bond * u128::from(job.units));
        let given_up = status == Status::Declined && job.started_ms.is_some();
        let lost = status == Status::Failed || given_up;
        let to = if lost { job.requester } else { job.provider };
        self.assignments.insert(id, job);
        self.return_bond(reserve, to, bond)
    }

    /// Events for the provider and for the requester, and what counts in the provider's share.
    fn consequences(&self, job: &Assignment) -> (Vec<Event>, Vec<Event>, Option<bool>) {
        let parameters = self.setting.market;
        let Violations { response, execution, stated } = job.violations;
        let count = u32::from(response) + u32::from(execution) + u32::from(stated);
        let (mut provider, requester, well) = match job.status {
            Status::Completed => (vec![Event::Completed], vec![], Some(true)),
            Status::SlaViolated => {
                let points = parameters.violation_points * count;
                (vec![Event::SlaViolated { points }], vec![], Some(false))
            }
            Status::Failed => (vec![Event::Failed], vec![], Some(false)),
            Status::Declined if bound(job) => (vec![Event::Failed], vec![], Some(false)),
            Status::ProviderWon => (vec![Event::DisputeWon], vec![Event::DisputeLost], Some(true)),
            Status::RequesterWon => {
                (vec![Event::DisputeLost], vec![Event::DisputeWon], Some(false))
            }
            _ => (vec![], vec![], None),
        };
        let paid = matches!(job.status, Status::Completed | Status::SlaViolated);
        let quick = |started: u64| started - job.ready_ms < parameters.fast_response_ms;
        if paid && job.started_ms.is_some_and(quick) {
            provider.push(Event::FastResponse);
        }
        (provider, requester, well)
    }
}

/// Whether an assignment has ended.
pub fn is_final(status: Status) -> bool {
    !matches!(
        status,
        Status::AwaitingPayload | Status::Assigned | Status::InProgress | Status::Delivered
    )
}

/// Whether it is the provider's fault if it is not done.
fn bound(job: &Assignment) -> bool {
    job.by_provider || job.started_ms.is_some()
}

fn paid_as(violations: Violations) -> Status {
    if violations == Violations::default() {
        Status::Completed
    } else {
        Status::SlaViolated
    }
}

fn amount(job: &Assignment) -> u128 {
    job.price * u128::from(job.units)
}

/// How many of uptime and metrics a report does not show to be kept.
fn missed(sla: &Sla, report: &QualityReport) -> u8 {
    let mut missed = 0;
    if let Some(least) = sla.uptime_bps {
        missed += u8::from(report.uptime_bps.is_none_or(|uptime| uptime < least));
    }
    for least in &sla.quality {
        let stated = report.quality.iter().find(|metric| metric.name == least.name);
        missed += u8::from(stated.is_none_or(|metric| metric.bps < least.bps));
    }
    missed
}

/// The whole penalty for each of the two times, half of it for each of the others.
fn penalty(sla: Option<&Sla>, job: &Assignment) -> u128 {
    let Some(sla) = sla else { return 0 };
    let times = u128::from(job.violations.response) + u128::from(job.violations.execution);
    let stated = u128::from(job.violations.stated) * (sla.violation_penalty / 2);
    (times * sla.violation_penalty + stated).min(amount(job))
}

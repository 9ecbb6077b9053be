//! Assignments: from the hand-over to the stars.

use super::market::{from_escrow, AUCTION_MS};
use super::{valid, why, Check, Faults, Model};
use crate::random::Step;
use cicada_core::escrow::{Act, Ending, Side, State};
use cicada_core::hash::{tagged, Digest, Native};
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
            Step::Report(report) => self.report(by, id, job, report),
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
        let last_ms = job.assigned_ms + valid::hand_over_ms(request, self.setting.market.slack_ms);
        check.refuse(self.passed(last_ms), AuctionError::TooLate);
        check.refuse(self.escrows[&job.escrow].has_ended(), AuctionError::WrongStatus);
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
        job.complete_by_ms = self.now_ms + valid::work_ms(request, self.setting.market.slack_ms);
        self.assignments.insert(id, job);
        self.payloads.insert(id, payload.clone());
        Ok(())
    }

    fn start(&mut self, by: Account, id: u64, mut job: Assignment) -> Result<(), Faults> {
        let mut check = Check::default();
        check.refuse(by != job.provider, AuctionError::NotAllowed);
        check.refuse(job.status != Status::Assigned, AuctionError::WrongStatus);
        check.refuse(self.escrows[&job.escrow].has_ended(), AuctionError::WrongStatus);
        check.refuse(self.passed(job.complete_by_ms), AuctionError::TooLate);
        check.done()?;
        job.status = Status::InProgress;
        job.started_ms = Some(self.now_ms);
        self.assignments.insert(id, job);
        Ok(())
    }

    fn decline(&mut self, by: Account, id: u64, job: Assignment) -> Result<(), Faults> {
        let undone = !is_final(job.status) && job.status != Status::Delivered;
        let mut check = Check::default();
        check.refuse(by != job.provider, AuctionError::NotAllowed);
        check.refuse(!undone, AuctionError::WrongStatus);
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
        result: Digest,
    ) -> Result<(), Faults> {
        let mut check = Check::default();
        check.refuse(by != job.provider, AuctionError::NotAllowed);
        check.refuse(job.status != Status::InProgress, AuctionError::WrongStatus);
        check.refuse(self.passed(job.complete_by_ms), AuctionError::TooLate);
        check.done()?;
        let request = &self.requests[&job.request].terms;
        let started_ms = job.started_ms.expect("it is in progress");
        if let Some(sla) = &request.sla {
            let slack_ms = self.setting.market.slack_ms;
            let (response, execution) = (started_ms - job.ready_ms, self.now_ms - started_ms);
            job.violations.response = response > sla.max_response_ms + slack_ms;
            job.violations.execution = execution > request.max_duration_ms + slack_ms;
        }
        let deduction = penalty(request.sla.as_ref(), &job);
        self.by_market(job.escrow, &Act::CompleteFor { milestone: 0, result, deduction })?;
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

    fn report(
        &mut self,
        by: Account,
        id: u64,
        mut job: Assignment,
        report: &QualityReport,
    ) -> Result<(), Faults> {
        let request = &self.requests[&job.request].terms;
        let mut check = Check::default();
        check.refuse(by != job.requester, AuctionError::NotAllowed);
        check.refuse(job.status != Status::Delivered, AuctionError::WrongStatus);
        if let Some(sla) = &request.sla {
            check.refuse_all(valid::report(report));
            job.violations.stated = missed(sla, report);
        }
        check.done()?;
        let deduction = penalty(request.sla.as_ref(), &job);
        self.by_market(job.escrow, &Act::Report { milestone: 0, deduction })?;
        self.assignments.insert(id, job);
        Ok(())
    }

    fn finalize(&mut self, id: u64, mut job: Assignment) -> Result<(), Faults> {
        let deal = &self.escrows[&job.escrow];
        let undone = matches!(job.status, Status::Assigned | Status::InProgress);
        let overdue = undone && self.passed(job.complete_by_ms);
        let mut check = Check::default();
        check.refuse(is_final(job.status), AuctionError::WrongStatus);
        let runs = !is_final(job.status) && deal.ending.is_none();
        check.refuse(runs && !overdue, AuctionError::NotEnded);
        check.done()?;
        let (state, ending, raised_by) = (deal.state, deal.ending, deal.raised_by);
        let ended_late = deal.since_ms >= job.complete_by_ms;
        let Some(ending) = ending else {
            self.by_market(job.escrow, &Act::Settle(0))?;
            return self.conclude(id, job, Status::Failed);
        };
        let judged = matches!(ending, Ending::Voted { .. });
        if judged {
            job.violations.stated = 0;
        }
        let requesters = raised_by == Some(Side::Requester);
        let kept = job.violations == Violations::default();
        let status = match (job.status, ending) {
            (Status::Delivered, Ending::Voted { provider_share: 0 }) => Status::RequesterWon,
            (Status::Delivered, Ending::Voted { provider_share }) => {
                let won = requesters && 2 * provider_share > amount(&job);
                if won {
                    Status::ProviderWon
                } else {
                    paid_as(job.violations)
                }
            }
            (Status::Delivered, Ending::FellBack) if kept && !requesters => Status::Undecided,
            (Status::Delivered, _) if state == State::Refunded => Status::Failed,
            (Status::Delivered, _) => paid_as(job.violations),
            (_, _) if state == State::Released => Status::Gift,
            (Status::AwaitingPayload, _) => Status::Void,
            _ if ended_late => Status::Failed,
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
        let none =
            matches!(job.status, Status::Failed | Status::Declined | Status::Void | Status::Gift);
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
        // What was not delivered has ended at its deadline at the latest.
        let last_ms = if job.completed_ms.is_none() { job.complete_by_ms } else { u64::MAX };
        job.ended_ms = Some(self.escrows[&job.escrow].since_ms.min(last_ms));
        self.assignments.insert(id, job.clone());
        let (provider, requester, well) = self.consequences(&job);
        provider.into_iter().for_each(|event| self.record(job.provider, event));
        requester.into_iter().for_each(|event| self.record(job.requester, event));
        let task = self.requests[&job.request].terms.task_type.clone();
        if let Some(well) = well {
            let outcome = super::Outcome { provider: job.provider, task: task.clone(), well };
            self.outcomes.push(outcome);
        }
        use Status::{Completed, Declined, Failed, ProviderWon, SlaViolated, Void};
        let price = job.paid / u128::from(job.units);
        if matches!(status, Completed | SlaViolated | ProviderWon) && price > 0 {
            let (time_ms, units) = (self.now_ms, job.units);
            self.fills.push(super::Fill { time_ms, task, units, price });
        }
        self.move_bond(&job)?;
        let request = self.requests.get_mut(&job.request).expect("there is one of every job");
        request.running -= 1;
        if matches!(status, Void | Declined | Failed) && !request.closed {
            request.left += job.units;
            request.budget += amount(&job);
            request.assigned -= 1;
            let first_end = (request.created_ms + AUCTION_MS).min(request.terms.deadline_ms);
            let end = job.ended_ms.unwrap_or(0) + job.auction_left_ms;
            request.moved_ms = request.moved_ms.max(end.saturating_sub(first_end));
        }
        let request = &self.requests[&job.request];
        if !request.closed && self.is_over(request) {
            return self.return_rest(job.request);
        }
        Ok(())
    }

    /// The time for a job, and how much of it was used at its end, at most all.
    fn used_ms(&self, job: &Assignment) -> (u64, u64) {
        let time = job.complete_by_ms - job.ready_ms;
        let ended_ms = job.ended_ms.expect("it has ended");
        (time, ended_ms.saturating_sub(job.ready_ms).min(time))
    }

    /// Whether it was handed back soon enough for nothing: within the market's time and before
    /// half of its own is over.
    fn is_free(&self, job: &Assignment) -> bool {
        let (time, used) = self.used_ms(job);
        used <= self.setting.market.hand_back_ms && used <= (time / 2).saturating_sub(1)
    }

    /// Where the bond of a job goes that has ended.
    fn move_bond(&mut self, job: &Assignment) -> Result<(), Faults> {
        let (time, used) = self.used_ms(job);
        let free = job.status == Status::Declined && self.is_free(job);
        let expires_ms = self.offers[&job.offer].terms.expires_ms;
        let expired = self.now_ms >= expires_ms;
        let offer = self.offers.get_mut(&job.offer).expect("there is one of every job");
        if (job.status == Status::Void || free) && !offer.closed && !expired {
            offer.left += job.units;
            return Ok(());
        }
        let (reserve, each) = (offer.reserve, offer.terms.bond);
        let lost = match job.status {
            Status::Failed | Status::RequesterWon => each,
            Status::Declined if free => 0,
            Status::Declined => each * u128::from((2 * used).min(time)) / u128::from(time),
            _ => 0,
        };
        let units = u128::from(job.units);
        self.return_bond(reserve, job.requester, lost * units)?;
        self.return_bond(reserve, job.provider, (each - lost) * units)
    }

    /// Events for the provider and for the requester, and what counts in the provider's share.
    fn consequences(&self, job: &Assignment) -> (Vec<Event>, Vec<Event>, Option<bool>) {
        let parameters = self.setting.market;
        let (time, used) = self.used_ms(job);
        let Violations { response, execution, .. } = job.violations;
        let measured = u32::from(response) + u32::from(execution);
        let (mut provider, requester, well) = match job.status {
            Status::Completed => (vec![Event::Completed], vec![], Some(true)),
            Status::SlaViolated if measured > 0 => {
                let points = parameters.violation_points * measured;
                (vec![Event::SlaViolated { points }], vec![], Some(false))
            }
            Status::Failed => (vec![Event::Failed], vec![], Some(false)),
            Status::Declined if !self.is_free(job) && 2 * used >= time => {
                (vec![Event::Failed], vec![], Some(false))
            }
            Status::ProviderWon => (vec![Event::DisputeWon], vec![Event::DisputeLost], Some(true)),
            Status::RequesterWon => {
                (vec![Event::DisputeLost], vec![Event::DisputeWon], Some(false))
            }
            _ => (vec![], vec![], None),
        };
        let unjudged = job.status == Status::SlaViolated && measured == 0;
        let paid = matches!(job.status, Status::Completed | Status::SlaViolated);
        let quick = |started: u64| started - job.ready_ms < parameters.fast_response_ms;
        if paid && !unjudged && job.started_ms.is_some_and(quick) {
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

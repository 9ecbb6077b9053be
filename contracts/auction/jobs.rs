//! Assignments: from the hand-over to the stars.

use crate::events::JobAdvanced;
use crate::market::{
    caller, ensure, find_assignment, find_offer, find_request, now, save, save_assignment,
    save_offer, save_request, success, window, Cell, Market,
};
use cicada_core::escrow::Side;
use cicada_core::hash::Digest;
use cicada_core::market::{Assignment, HandOver, InvalidTerms, Status, Unqualified};
use cicada_core::reputation::Event;
use cicada_core::sla::QualityReport;
use cicada_traits::auction::AuctionError;
use cicada_traits::host::HostSha256;
use ink::env::{emit_event, DefaultEnvironment};

/// An assignment of which the caller is the provider, or (`ordered`) the requester.
#[inline(never)]
fn own_job(assignment: u64, ordered: bool) -> Result<Assignment, AuctionError> {
    let job = find_assignment(assignment)?;
    let owner = if ordered { &job.requester } else { &job.provider };
    ensure(*owner == caller(), AuctionError::NotAllowed)?;
    Ok(job)
}

/// Writes an assignment that changed.
fn advance(assignment: u64, job: &Assignment) {
    advance_after(assignment, job, None);
}

/// Writes an assignment that changed, perhaps because of a dispute that a side raised.
#[inline(never)]
fn advance_after(assignment: u64, job: &Assignment, raised_by: Option<Side>) {
    save_assignment(assignment, job);
    emit_event::<DefaultEnvironment, _>(JobAdvanced {
        assignment,
        requester: job.requester.0.into(),
        provider: job.provider.0.into(),
        status: job.status,
        paid: job.paid,
        raised_by,
    });
}

impl Market {
    /// Shows a private payload to the provider.
    pub fn hand_over(&self, assignment: u64, payload: &HandOver) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, true)?;
        ensure(job.status == Status::AwaitingPayload, AuctionError::WrongStatus)?;
        let now = now();
        let terms = find_request(job.request)?.terms;
        let until = job.assigned_ms.saturating_add(terms.hand_over_ms(&self.parameters));
        ensure(now < until, AuctionError::TooLate)?;
        self.ensure_running(&job)?;
        payload.check()?;
        // The secret moves now, so this is when the provider must be worth it.
        let capable = self.is_capable(&terms, job.provider)?;
        ensure(capable, Unqualified::Privacy.into())?;
        let opened = terms.privacy.is_opened_by::<HostSha256>(payload);
        ensure(opened, AuctionError::WrongOpening)?;
        job.hand_over(&terms, &self.parameters, now);
        save(Cell::Payload(assignment), payload);
        advance(assignment, &job);
        Ok(())
    }

    /// Starts the work.
    pub fn start(&self, assignment: u64) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, false)?;
        ensure(job.status == Status::Assigned, AuctionError::WrongStatus)?;
        let now = now();
        ensure(now < job.complete_by_ms, AuctionError::TooLate)?;
        self.ensure_running(&job)?;
        job.status = Status::InProgress;
        job.started_ms = Some(now);
        advance(assignment, &job);
        Ok(())
    }

    /// An escrow that has ended is to be finalized; nothing begins with it any more.
    #[inline(never)]
    fn ensure_running(&self, job: &Assignment) -> Result<(), AuctionError> {
        let ended = self.money().outcome(job.escrow)?.is_some();
        ensure(!ended, AuctionError::WrongStatus)
    }

    /// Hands a job back that is not delivered.
    pub fn decline(&self, assignment: u64) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, false)?;
        let open =
            matches!(job.status, Status::Assigned | Status::AwaitingPayload | Status::InProgress);
        ensure(open, AuctionError::WrongStatus)?;
        let now = now();
        ensure(now < job.complete_by_ms, AuctionError::TooLate)?;
        self.money().settle(job.escrow, 0)?;
        job.status = job.handed_back_as();
        job.ended_ms = Some(now);
        self.conclude(assignment, &job, None)
    }

    /// Delivers the result.
    pub fn complete(&self, assignment: u64, result: &Digest) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, false)?;
        ensure(job.status == Status::InProgress, AuctionError::WrongStatus)?;
        let now = now();
        ensure(now < job.complete_by_ms, AuctionError::TooLate)?;
        let penalty = job.measure(&find_request(job.request)?.terms, &self.parameters, now);
        job.status = Status::Delivered;
        job.completed_ms = Some(now);
        advance(assignment, &job);
        self.money().complete(job.escrow, result, penalty)
    }

    /// Pays, less the penalties.
    pub fn settle(
        &self,
        assignment: u64,
        report: Option<QualityReport>,
    ) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, true)?;
        ensure(job.status == Status::Delivered, AuctionError::WrongStatus)?;
        let terms = find_request(job.request)?.terms;
        let now = now();
        ensure(job.is_in_review(&terms, now), AuctionError::TooLate)?;
        let penalty = job.judge(&terms, report)?;
        job.paid = job.amount().saturating_sub(penalty);
        job.status = job.paid_as();
        job.ended_ms = Some(now);
        self.money().settle(job.escrow, job.paid)?;
        self.conclude(assignment, &job, None)
    }

    /// States what a job in dispute missed.
    pub fn report(&self, assignment: u64, report: QualityReport) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, true)?;
        ensure(job.status == Status::Delivered, AuctionError::WrongStatus)?;
        let penalty = job.judge(&find_request(job.request)?.terms, Some(report))?;
        advance(assignment, &job);
        self.money().report(job.escrow, penalty)
    }

    /// Draws the conclusions of an escrow that ended otherwise, or of a job's own deadline.
    pub fn finalize(&self, assignment: u64) -> Result<(), AuctionError> {
        let mut job = find_assignment(assignment)?;
        ensure(!job.status.is_final(), AuctionError::WrongStatus)?;
        let raised_by = match self.money().outcome(job.escrow)? {
            Some(escrow) => {
                job.end(&escrow);
                escrow.raised_by
            }
            None => {
                ensure(job.is_overdue(now()), AuctionError::NotEnded)?;
                self.money().settle(job.escrow, 0)?;
                job.fail();
                None
            }
        };
        self.conclude(assignment, &job, raised_by)
    }

    /// What follows from the end of an assignment: record, price, success, bond, scores; and its
    /// request may go on with what came back, or is over.
    #[inline(never)]
    fn conclude(
        &self,
        assignment: u64,
        job: &Assignment,
        raised_by: Option<Side>,
    ) -> Result<(), AuctionError> {
        advance_after(assignment, job, raised_by);
        let now = now();
        let mut ordered = find_request(job.request)?;
        let task_type = &ordered.terms.task_type;
        if let Some(price) = job.unit_price_floor() {
            let mut window = window(task_type.clone());
            window.record(now, price, job.units);
            save(Cell::Prices(task_type.clone()), &window);
        }
        let after = job.consequences(&self.parameters);
        if let Some(well) = after.success {
            let success = success(job.provider, task_type.clone()).after(well);
            save(Cell::Success(job.provider, task_type.clone()), &success);
        }
        self.return_bond(job, now)?;
        ordered.running = ordered.running.saturating_sub(1);
        if job.returns_request() && !ordered.closed {
            ordered.take_back(job);
        }
        if !ordered.closed && ordered.is_over(now) {
            self.shut_request(job.request, &mut ordered)?;
        } else {
            save_request(job.request, &ordered);
        }
        // Money does not wait for scores: a reputation contract that refuses this one as a writer
        // loses an entry, not anybody's payment. But who calls with too little gas for it gets
        // nothing: otherwise he could choose what is remembered.
        self.scores().record(job.provider, &after.provider)?;
        self.scores().record(job.requester, &after.requester)?;
        Ok(())
    }

    /// Puts the bond of a job that has ended where it belongs.
    #[inline(never)]
    fn return_bond(&self, job: &Assignment, now: u64) -> Result<(), AuctionError> {
        let mut offered = find_offer(job.offer)?;
        if job.returns_offer(&self.parameters) && offered.may_reopen(now) {
            offered.left = offered.left.saturating_add(job.units);
            save_offer(job.offer, &offered);
            return Ok(());
        }
        let lost = job.lost_bond(&self.parameters, offered.terms.bond);
        let kept = offered.terms.bond_of(job.units).saturating_sub(lost);
        self.money().spend(offered.reserve, job.requester, lost)?;
        self.money().spend(offered.reserve, job.provider, kept)
    }

    /// Stars for the other side.
    pub fn feedback(&self, assignment: u64, stars: u8) -> Result<(), AuctionError> {
        let mut job = find_assignment(assignment)?;
        let from = caller();
        let (rated, to) = if from == job.requester {
            (&mut job.rated_by_requester, job.provider)
        } else {
            ensure(from == job.provider, AuctionError::NotAllowed)?;
            (&mut job.rated_by_provider, job.requester)
        };
        ensure(job.status.can_be_rated(), AuctionError::WrongStatus)?;
        ensure(!*rated, AuctionError::AlreadyRated)?;
        ensure((1..=5).contains(&stars), InvalidTerms::Stars.into())?;
        *rated = true;
        advance(assignment, &job);
        let written = self.scores().record(to, &[Event::Feedback { stars }])?;
        ensure(written, AuctionError::ReputationUnavailable)
    }
}

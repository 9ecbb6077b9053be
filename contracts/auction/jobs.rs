//! Assignments: from the hand-over to the stars.

use crate::events::JobAdvanced;
use crate::market::{
    caller, ensure, find_assignment, find_offer, find_request, now, save, save_assignment,
    save_offer, success, window, Cell, Market,
};
use cicada_core::hash::Hash;
use cicada_core::market::{Assignment, HandOver, InvalidTerms, Status};
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
#[inline(never)]
fn advance(assignment: u64, job: &Assignment) {
    save_assignment(assignment, job);
    emit_event::<DefaultEnvironment, _>(JobAdvanced {
        assignment,
        requester: job.requester.into(),
        provider: job.provider.into(),
        status: job.status,
        paid: job.paid,
    });
}

impl Market {
    /// Shows a private payload to the provider.
    pub fn hand_over(&self, assignment: u64, payload: &HandOver) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, true)?;
        ensure(job.status == Status::AwaitingPayload, AuctionError::WrongStatus)?;
        let now = now();
        let terms = find_request(job.request)?.terms;
        ensure(job.can_be_handed_over(&terms, now), AuctionError::TooLate)?;
        payload.check()?;
        let opened = terms.privacy.is_opened_by::<HostSha256>(payload);
        ensure(opened, AuctionError::WrongOpening)?;
        job.status = Status::Assigned;
        job.ready_ms = now;
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
        job.status = Status::InProgress;
        job.started_ms = Some(now);
        advance(assignment, &job);
        Ok(())
    }

    /// Gives a job back before the start.
    pub fn decline(&self, assignment: u64) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, false)?;
        let early = matches!(job.status, Status::Assigned | Status::AwaitingPayload);
        ensure(early, AuctionError::WrongStatus)?;
        ensure(now() < job.complete_by_ms, AuctionError::TooLate)?;
        self.money().settle(job.escrow, 0)?;
        job.status = job.given_back_as();
        self.conclude(assignment, &job)
    }

    /// Delivers the result.
    pub fn complete(&self, assignment: u64, result: &Hash) -> Result<(), AuctionError> {
        let mut job = own_job(assignment, false)?;
        ensure(job.status == Status::InProgress, AuctionError::WrongStatus)?;
        let now = now();
        ensure(now < job.complete_by_ms, AuctionError::TooLate)?;
        let penalty = job.measure(&find_request(job.request)?.terms, now);
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
        ensure(job.is_in_review(&terms, now()), AuctionError::TooLate)?;
        let penalty = job.judge(&terms, report)?;
        job.paid = job.amount().saturating_sub(penalty);
        job.status = job.paid_as();
        self.money().settle(job.escrow, job.paid)?;
        self.conclude(assignment, &job)
    }

    /// Draws the conclusions of an escrow that ended otherwise.
    pub fn finalize(&self, assignment: u64) -> Result<(), AuctionError> {
        let mut job = find_assignment(assignment)?;
        ensure(!job.status.is_final(), AuctionError::WrongStatus)?;
        let escrow = self.money().outcome(job.escrow)?.ok_or(AuctionError::NotEnded)?;
        job.status = job.ended_as(&escrow);
        job.paid = escrow.provider_paid;
        self.conclude(assignment, &job)
    }

    /// What follows from the end of an assignment: record, price, success, bond, scores.
    #[inline(never)]
    fn conclude(&self, assignment: u64, job: &Assignment) -> Result<(), AuctionError> {
        advance(assignment, job);
        let task_type = find_request(job.request)?.terms.task_type;
        if job.makes_a_price() {
            let mut window = window(task_type.clone());
            window.record(now(), job.price, job.units);
            save(Cell::Prices(task_type.clone()), &window);
        }
        let after = job.consequences(&self.parameters);
        if let Some(well) = after.success {
            let success = success(job.provider, task_type.clone()).after(well);
            save(Cell::Success(job.provider, task_type), &success);
        }
        let mut offered = find_offer(job.offer)?;
        if job.returns_units() && offered.may_reopen(now()) {
            offered.left = offered.left.saturating_add(job.units);
            save_offer(job.offer, &offered);
        } else {
            let bond = offered.terms.bond_of(job.units);
            let bond_to = if job.forfeits_bond() { job.requester } else { job.provider };
            self.money().spend(offered.reserve, bond_to, bond)?;
        }
        // Money does not wait for scores: a reputation contract that refuses this one as a writer
        // loses an entry, not anybody's payment. But who calls with too little gas for it gets
        // nothing: otherwise he could choose what is remembered.
        self.scores().record(job.provider, &after.provider)?;
        self.scores().record(job.requester, &after.requester)?;
        Ok(())
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

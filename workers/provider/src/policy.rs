//! Which requests are taken, by configuration alone.

use crate::config::Task;
use cicada_core::market::matching::AUCTION_MS;
use cicada_core::market::{Assignment, OfferRecord, Parameters, Request, RequestRecord, Status};
use cicada_core::Account;

/// Why a request is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Leave {
    /// It is closed, or its time is over.
    #[error("it is closed")]
    Closed,
    /// The provider's own.
    #[error("it is this account's own")]
    Own,
    /// It asks for something else.
    #[error("it asks for another kind of work, or for more than is offered")]
    Other,
    /// It may take longer than the configuration allows.
    #[error("it may take longer than max_duration")]
    TooLong,
    /// Its payload may come later than the configuration waits for.
    #[error("its payload may be handed over later than max_hand_over")]
    HandOver,
    /// It gives one provider more units than the configuration allows.
    #[error("it wants more units from one provider than are offered, or than max_units")]
    TooMany,
    /// Its panel, times or penalties are not those that the configuration agrees to.
    #[error(
        "its arbitrators, review, dispute, response, working time or penalties are not agreed to"
    )]
    Terms,
    /// It pays too little.
    #[error("it pays less than min_price")]
    TooCheap,
    /// Its payload is for the provider alone, whose jobs could read each other's.
    #[error("it is private, and jobs are not kept apart here: install bubblewrap, or allow user namespaces")]
    NotApart,
    /// The offer has nothing left.
    #[error("the offer is used up or over")]
    NoOffer,
}

/// How many units to take of a request, with this offer, at this time: what the configuration
/// says, before the market is asked for the effective price.
///
/// # Errors
/// [`Leave`].
pub fn judge(
    task: &Task,
    own: &Account,
    request: &RequestRecord,
    offer: &OfferRecord,
    now_ms: u64,
) -> Result<u64, Leave> {
    let terms = &request.terms;
    if request.requester == *own {
        return Err(Leave::Own);
    }
    if request.is_full() || is_over(request, now_ms) {
        return Err(Leave::Closed);
    }
    let able = terms.capabilities.iter().all(|name| task.capabilities.contains(name));
    if terms.task_type != task.task_type || !able || terms.min_bond > task.bond.0 {
        return Err(Leave::Other);
    }
    within_times(task, terms)?;
    let most = u128::from(request.left).saturating_mul(terms.max_price);
    if task.consent().covers(terms, most).is_err() {
        return Err(Leave::Terms);
    }
    if terms.max_price < task.min_price.0 {
        return Err(Leave::TooCheap);
    }
    if !offer.is_open(now_ms) {
        return Err(Leave::NoOffer);
    }
    let most = task.max_units.unwrap_or(u64::MAX);
    let units = request.left.min(offer.left).min(most);
    if units < request.least_take() || units < offer.least_take() {
        return Err(Leave::TooMany);
    }
    Ok(units)
}

/// Whether a request lasts no longer than the configuration allows: also one that took a firm offer.
///
/// # Errors
/// [`Leave::TooLong`], [`Leave::HandOver`].
pub fn within_times(task: &Task, terms: &Request) -> Result<(), Leave> {
    if terms.max_duration_ms > task.max_duration.0 {
        return Err(Leave::TooLong);
    }
    if !terms.privacy.is_public() && terms.hand_over_within_ms > task.max_hand_over.0 {
        return Err(Leave::HandOver);
    }
    Ok(())
}

/// Whether nothing will come of this request any more.
pub fn is_over(request: &RequestRecord, now_ms: u64) -> bool {
    request.closed || now_ms >= request.ends_ms()
}

/// Whether a request may still be open, or those before it of the same age.
pub fn may_be_open(request: &RequestRecord, now_ms: u64) -> bool {
    now_ms < request.ends_ms().max(request.created_ms.saturating_add(AUCTION_MS))
}

/// What handing a job back costs that has not been started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandBack {
    /// Nothing.
    Free,
    /// A part of the bond: less the earlier.
    Part,
    /// As much as a failure. Doing the job, however late, costs nothing.
    All,
}

/// What handing an assignment back costs if it is sent now: it counts a block later.
pub fn hand_back(assignment: &Assignment, parameters: &Parameters, now_ms: u64) -> HandBack {
    let then_ms = now_ms.saturating_add(parameters.slack_ms / 4);
    let used = then_ms.saturating_sub(assignment.ready_ms);
    let time = assignment.complete_by_ms.saturating_sub(assignment.ready_ms);
    match assignment.status {
        // There is no job yet.
        Status::AwaitingPayload => HandBack::Free,
        _ if then_ms <= assignment.free_until_ms(parameters) => HandBack::Free,
        _ if used.saturating_mul(2) < time => HandBack::Part,
        _ => HandBack::All,
    }
}

/// Until when an assignment is begun, or else handed back: while that is free, with a quarter of the
/// time for the transaction, and before its response would be late. Once it is not free any more, as
/// long as the job can be done.
pub fn give_up_ms(
    assignment: &Assignment,
    terms: &Request,
    parameters: &Parameters,
    now_ms: u64,
) -> u64 {
    if hand_back(assignment, parameters, now_ms) != HandBack::Free {
        return assignment.complete_by_ms.saturating_sub(parameters.slack_ms);
    }
    let after = |time_ms: u64| assignment.ready_ms.saturating_add(time_ms);
    let free = assignment.free_until_ms(parameters).saturating_sub(assignment.ready_ms);
    let begin_by = after(free - free / 4);
    terms.sla.as_ref().map_or(begin_by, |sla| {
        let slack = parameters.slack_ms - parameters.slack_ms / 4;
        begin_by.min(after(sla.max_response_ms.saturating_add(slack)))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::tests::sample;
    use crate::work::tests::{until, PARAMETERS};
    use cicada_core::escrow::{Fallback, Panel};
    use cicada_core::hash::Digest;
    use cicada_core::market::{Offer, Privacy};
    use cicada_core::name::Name;
    use cicada_core::sla::Sla;

    pub fn request() -> RequestRecord {
        let terms = Request {
            task_type: Name::new("count").unwrap(),
            units: 500,
            min_units: Some(1),
            max_duration_ms: 60_000,
            hand_over_within_ms: 60_000,
            capabilities: vec![Name::new("cpu").unwrap()],
            min_reputation: None,
            privacy: Privacy::Private { commitment: Digest::ZERO },
            max_price: 300_000,
            min_bond: 0,
            sla: None,
            deadline_ms: 500_000,
            panel: Panel::NONE,
            review_ms: 3_600_000,
            dispute_ms: 3_600_000,
            fallback: Fallback::Release,
        };
        RequestRecord {
            requester: Account([1; 32]),
            terms,
            reserve: 0,
            budget: 0,
            created_ms: 1_000,
            left: 500,
            assigned: 0,
            running: 0,
            moved_ms: 0,
            closed: false,
            line: Vec::new(),
        }
    }

    pub fn offer() -> OfferRecord {
        let task = &sample().tasks[0];
        let terms = Offer {
            task_type: task.task_type.clone(),
            units: 1_000,
            min_units: 1,
            price: task.price.0,
            capabilities: task.capabilities.clone(),
            bond: 0,
            expires_ms: 900_000,
            payload_key: [1; 32],
            firm_from: None,
            consent: task.consent(),
        };
        OfferRecord { provider: Account([2; 32]), terms, reserve: 0, left: 1_000, closed: false }
    }

    fn verdict(edit: impl Fn(&mut RequestRecord, &mut OfferRecord)) -> Result<u64, Leave> {
        let (mut request, mut offer) = (request(), offer());
        edit(&mut request, &mut offer);
        judge(&sample().tasks[0], &Account([2; 32]), &request, &offer, 2_000)
    }

    #[test]
    fn a_fitting_request_is_taken_up_to_the_configured_units() {
        assert_eq!(verdict(|_, _| ()), Ok(200));
        assert_eq!(verdict(|r, _| r.left = 150), Ok(150));
        assert_eq!(verdict(|_, o| o.left = 9), Ok(9));
    }

    #[test]
    fn each_reason_to_leave_it() {
        assert_eq!(verdict(|r, _| r.requester = Account([2; 32])), Err(Leave::Own));
        assert_eq!(verdict(|r, _| r.closed = true), Err(Leave::Closed));
        assert_eq!(verdict(|r, _| r.left = 0), Err(Leave::Closed));
        assert_eq!(verdict(|r, _| r.terms.deadline_ms = 2_000), Err(Leave::Closed));
        assert_eq!(verdict(|r, _| r.terms.task_type = Name::new("x").unwrap()), Err(Leave::Other));
        let gpu = || vec![Name::new("gpu").unwrap()];
        assert_eq!(verdict(|r, _| r.terms.capabilities = gpu()), Err(Leave::Other));
        assert_eq!(verdict(|r, _| r.terms.min_bond = 1), Err(Leave::Other));
        assert_eq!(verdict(|r, _| r.terms.max_duration_ms = 120_001), Err(Leave::TooLong));
        let year = 366 * 86_400_000;
        assert_eq!(verdict(|r, _| r.terms.hand_over_within_ms = year), Err(Leave::HandOver));
        assert_eq!(verdict(|r, _| r.terms.min_units = None), Ok(200), "a fifth is enough");
        let last_place = |r: &mut RequestRecord| (r.terms.min_units, r.assigned) = (None, 4);
        assert_eq!(verdict(|r, _| last_place(r)), Err(Leave::TooMany));
        assert_eq!(verdict(|r, _| r.terms.max_price = 199_999), Err(Leave::TooCheap));
        assert_eq!(verdict(|_, o| o.terms.expires_ms = 2_000), Err(Leave::NoOffer));
        assert_eq!(verdict(|_, o| o.closed = true), Err(Leave::NoOffer));
    }

    #[test]
    fn what_was_not_agreed_to_is_left_alone() {
        let left = |edit: fn(&mut Request)| verdict(|r, _| edit(&mut r.terms));
        let sla = |max_response_ms, violation_penalty| {
            Some(Sla { uptime_bps: None, max_response_ms, violation_penalty, quality: vec![] })
        };
        let judge = |key| Panel { required: 1, members: vec![Account([key; 32])], fee_bps: 0 };
        assert_eq!(verdict(|r, _| r.terms.panel = judge(7)), Err(Leave::Terms), "a stranger");
        assert_eq!(left(|t| t.review_ms = 366 * 86_400_000), Err(Leave::Terms));
        assert_eq!(left(|t| t.dispute_ms = 1), Err(Leave::Terms));
        assert_eq!(left(|t| t.max_duration_ms = 1), Err(Leave::Terms));
        assert_eq!(verdict(|r, _| r.terms.sla = sla(0, 0)), Err(Leave::Terms));
        assert_eq!(verdict(|r, _| r.terms.sla = sla(60_000, u128::MAX)), Err(Leave::Terms));
        assert_eq!(verdict(|r, _| r.terms.sla = sla(60_000, 1_000)), Ok(200));
    }

    #[test]
    fn a_job_is_begun_as_long_as_it_can_be_done_once_handing_back_is_not_free() {
        // Of 108 s 54 are free, of 648 s 120; a transaction takes 6 s to count.
        let cases = [(108_000, 47_999, 48_000), (648_000, 114_000, 318_000)];
        for (time, free, half) in cases {
            let job = until(time);
            let costs = |now| hand_back(&job, &PARAMETERS, now);
            assert_eq!(costs(free), HandBack::Free);
            let after = if free + 1 == half { HandBack::All } else { HandBack::Part };
            assert_eq!(costs(free + 1), after);
            assert_eq!((costs(half - 1) == HandBack::All, costs(half)), (false, HandBack::All));
            let begin_by = |now| give_up_ms(&job, &request().terms, &PARAMETERS, now);
            assert!(begin_by(free) < free);
            assert_eq!((begin_by(free + 1), begin_by(half)), (time - 24_000, time - 24_000));
        }
        let waits = Assignment { status: Status::AwaitingPayload, ..until(108_000) };
        assert_eq!(hand_back(&waits, &PARAMETERS, 107_000), HandBack::Free);
    }

    #[test]
    fn a_request_is_open_for_a_quarter_of_an_hour_and_longer_if_units_came_back() {
        let mut record = request();
        assert!(may_be_open(&record, 900_999) && !may_be_open(&record, 901_000));
        record.moved_ms = 600_000;
        assert!(may_be_open(&record, 1_099_999) && !may_be_open(&record, 1_100_000));
    }
}

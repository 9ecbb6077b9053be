//! How jobs end, and what follows.

use super::*;

/// How a job can stand when its escrow ends: status, and when it was delivered.
fn delivered(job: Assignment) -> Assignment {
    Assignment { status: Status::Delivered, completed_ms: Some(NOW + 10), ..job }
}

/// Status, bond of 3 a unit that is lost, the provider's points, success, price of a unit.
type Row = (Status, u128, Option<i32>, Option<bool>, Option<u128>);

/// What follows for a job from such an end of its escrow, by whose dispute.
fn end_of(
    before: &Assignment,
    (state, ending, raised_by): (State, Ending, Option<Side>),
    provider_paid: u128,
) -> Row {
    let ended_ms = NOW + if ending == Ending::TimedOut { 2 * HOUR } else { HOUR + 1 };
    let mut job = before.clone();
    job.end(&Outcome { state, ending, provider_paid, raised_by, ended_ms });
    let after = job.consequences(&PARAMETERS);
    let points = after.provider.iter().fold(None, |sum: Option<i32>, event| {
        let change = match crate::reputation::effect(event) {
            Ok(crate::reputation::Effect::Gain(points)) => points as i32,
            Ok(crate::reputation::Effect::Loss(points)) => -(points as i32),
            _ => panic!("{event:?}"),
        };
        Some(sum.unwrap_or(0) + change)
    });
    // Who lost a dispute raised it, or his work was worth nothing.
    if after.requester.contains(&Event::DisputeLost) {
        assert_eq!(raised_by, Some(Side::Requester));
    }
    (job.status, job.lost_bond(&PARAMETERS, 3), points, after.success, job.unit_price_floor())
}

fn started() -> Assignment {
    Assignment { started_ms: Some(NOW + 70_000), ..job(Status::InProgress) }
}

/// Delivered, with a response that was too slow, and with so much stated.
fn violated(stated: u8) -> Assignment {
    let violations = Violations { response: true, execution: false, stated };
    Assignment { violations, ..delivered(started()) }
}

fn completed(price: Option<u128>) -> Row {
    (Status::Completed, 0, Some(10), Some(true), price)
}

fn missed(points: i32, price: Option<u128>) -> Row {
    (Status::SlaViolated, 0, Some(-points), Some(false), price)
}

const FAILED: Row = (Status::Failed, 30, Some(-20), Some(false), None);

#[test]
fn each_way_an_escrow_ends_without_a_dispute_has_one_row_of_the_table() {
    use Ending::{Decided, Settled, TimedOut};
    use State::{Refunded, Released};
    let (done, released, silent) = (delivered(started()), (Released, Decided, None), TimedOut);
    assert_eq!(end_of(&done, released, 1_000), completed(Some(100)));
    assert_eq!(end_of(&done, (Released, silent, None), 1_000), completed(Some(100)));
    assert_eq!(end_of(&violated(0), (Released, silent, None), 905), missed(7, Some(90)));
    assert_eq!(end_of(&violated(0), (Released, silent, None), 0), missed(7, None));
    assert_eq!(end_of(&done, (Refunded, Decided, None), 0), FAILED);
    // Not delivered.
    let gift = (Status::Gift, 0, None, None, None);
    let waiting = job(Status::AwaitingPayload);
    for ending in [TimedOut, Decided, Settled] {
        let void = (Status::Void, 0, None, None, None);
        assert_eq!(end_of(&waiting, (Refunded, ending, None), 0), void);
    }
    assert_eq!(end_of(&waiting, released, 1_000), gift);
    for before in [&job(Status::Assigned), &started()] {
        assert_eq!(end_of(before, (Refunded, TimedOut, None), 0), FAILED);
        let late_back = (Status::Declined, 30, Some(-20), Some(false), None);
        assert_eq!(end_of(before, (Refunded, Decided, None), 0), late_back);
        let overdue = Assignment { complete_by_ms: NOW + HOUR + 1, ..before.clone() };
        assert_eq!(end_of(&overdue, (Refunded, Decided, None), 0), FAILED, "no goodwill by then");
        assert_eq!(end_of(before, released, 1_000), gift);
    }
}

#[test]
fn what_only_the_requester_states_is_no_mark() {
    let violations = Violations { response: false, execution: false, stated: 9 };
    let quick = Assignment { started_ms: Some(NOW), ..job(Status::InProgress) };
    let stated = Assignment { violations, ..delivered(quick) };
    let unmarked = (Status::SlaViolated, 0, None, None, Some(90));
    let settled = (State::Released, Ending::Settled, None);
    assert_eq!(end_of(&stated, settled, 905), unmarked);
    for by in [Side::Requester, Side::Provider] {
        assert_eq!(end_of(&stated, (State::Resolved, Ending::FellBack, Some(by)), 905), unmarked);
    }
    // Beside what was measured it counts for nothing either.
    assert_eq!(end_of(&violated(9), settled, 905), missed(7, Some(90)));
}

#[test]
fn only_who_raised_a_dispute_can_lose_points_by_it_unless_the_work_was_worth_nothing() {
    use Ending::{FellBack, Voted};
    let done = delivered(started());
    let voted = |by, provider_share| (State::Resolved, Voted { provider_share }, Some(by));
    let requesters = |share| voted(Side::Requester, share);
    let providers = |share| voted(Side::Provider, share);
    let won = (Status::ProviderWon, 0, Some(15), Some(true), Some(50));
    assert_eq!(end_of(&done, requesters(501), 501), won);
    assert_eq!(end_of(&done, requesters(500), 500), completed(Some(50)));
    assert_eq!(end_of(&done, requesters(1), 1), completed(None));
    assert_eq!(end_of(&violated(0), requesters(9), 0), missed(7, None));
    let lost = (Status::RequesterWon, 30, Some(-25), Some(false), None);
    for verdict in [requesters(0), providers(0)] {
        assert_eq!(end_of(&done, verdict, 0), lost);
    }
    // His own dispute gives the provider what silence would have given him.
    assert_eq!(end_of(&done, providers(1_000), 1_000), completed(Some(100)));
    assert_eq!(end_of(&violated(0), providers(1_000), 905), missed(7, Some(90)));
    // What the requester stated was for the panel to judge.
    assert_eq!(end_of(&violated(3), providers(1_000), 905), missed(7, Some(90)));
    let fell_back = |by| (State::Resolved, FellBack, Some(by));
    let undecided = (Status::Undecided, 0, None, None, None);
    assert_eq!(end_of(&done, fell_back(Side::Provider), 1_000), undecided);
    assert_eq!(end_of(&done, fell_back(Side::Provider), 0), undecided);
    assert_eq!(end_of(&violated(2), fell_back(Side::Provider), 9), missed(7, None));
    assert_eq!(end_of(&done, fell_back(Side::Requester), 1_000), completed(Some(100)));
    assert_eq!(end_of(&violated(0), fell_back(Side::Requester), 905), missed(7, Some(90)));
}

#[test]
fn the_time_of_a_private_job_runs_from_its_hand_over() {
    let privacy = Privacy::Private { commitment: Digest::ZERO };
    let terms = Request { privacy, hand_over_within_ms: HOUR, ..request() };
    let complete_by_ms = NOW + terms.complete_within_ms(&PARAMETERS);
    let mut private = Assignment { complete_by_ms, ..job(Status::AwaitingPayload) };
    assert!(!private.is_overdue(u64::MAX), "there is no job yet");
    let last = NOW + terms.hand_over_ms(&PARAMETERS) - 1;
    let mut late = private.clone();
    late.hand_over(&terms, &PARAMETERS, last);
    assert_eq!(late.complete_by_ms, complete_by_ms - 1);
    private.hand_over(&terms, &PARAMETERS, NOW + 1_000);
    let time = HOUR + 2 * PARAMETERS.slack_ms;
    let due = NOW + 1_000 + time;
    assert_eq!((private.status, private.complete_by_ms), (Status::Assigned, due));
    assert!(!private.is_overdue(due - 1) && private.is_overdue(due));
    let back = |after_ms| {
        let ended_ms = Some(private.ready_ms + after_ms);
        let back = Assignment { status: Status::Declined, ended_ms, ..private.clone() };
        let failed = back.consequences(&PARAMETERS).success == Some(false);
        (back.lost_bond(&PARAMETERS, 1_000), failed)
    };
    assert_eq!(back(120_000), (0, false));
    assert_eq!(back(time / 4), (5_000, false));
    assert_eq!(back(time / 2), (10_000, true), "half of its own time, not of the hand-over's");
    private.fail();
    assert_eq!((private.status, private.ended_ms), (Status::Failed, Some(due)));
    let left = NOW + AUCTION_MS;
    let mut record = placed(terms);
    record.take(10, 100);
    record.take_back(&private);
    assert_eq!(record.ends_ms(), left + 1_000 + time, "until its deadline, whoever notices when");
}

#[test]
fn handing_back_costs_twice_the_share_of_the_time_that_was_used() {
    let back = |after_ms| Assignment { ended_ms: Some(NOW + after_ms), ..job(Status::Declined) };
    let lost = |after_ms| {
        let job = back(after_ms);
        let failed = job.consequences(&PARAMETERS).success == Some(false);
        (job.lost_bond(&PARAMETERS, 1_000), failed, job.returns_offer(&PARAMETERS))
    };
    assert_eq!(lost(120_000), (0, false, true), "two minutes of two hours are free");
    assert_eq!(lost(120_001), (330, false, false), "a sixtieth of the time, twice, of each unit");
    assert_eq!(lost(HOUR / 2), (5_000, false, false));
    assert_eq!(lost(HOUR - 1), (9_990, false, false));
    assert_eq!(lost(HOUR), (10_000, true, false), "half of the time");
    assert_eq!(lost(2 * HOUR - 1), (10_000, true, false));
    let short = Assignment { complete_by_ms: NOW + 100_000, ..back(50_000) };
    assert_eq!(short.lost_bond(&PARAMETERS, 1_000), 10_000, "half of a short time is not free");
    let quick = Assignment { complete_by_ms: NOW + 100_000, ..back(49_999) };
    assert_eq!(quick.lost_bond(&PARAMETERS, 1_000), 0);
}

#[test]
fn a_fast_response_earns_two_points_more() {
    let started_ms = Some(NOW + 59_999);
    let quick = Assignment { started_ms, ..job(Status::Completed) };
    let events = quick.consequences(&PARAMETERS).provider;
    assert_eq!(events, [Event::Completed, Event::FastResponse]);
}

use super::ending::Outcome;
use super::limits::{InvalidTerms, MAX_LINE, MAX_PRICE, MAX_UNITS};
use super::matching::{effective_price_floor, enqueue, max_providers, NoPlace, AUCTION_MS};
use super::*;
use crate::escrow::{Ending, Side, State, Summary};
use crate::hash::Native;
use crate::reputation::Event;
use crate::sla::QualityReport;
use alloc::vec;
use num_bigint::BigUint;
use parity_scale_codec::Encode;
use proptest::prelude::*;

const NOW: u64 = 1_000_000;
const HOUR: u64 = 3_600_000;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn request() -> Request {
    Request {
        task_type: name("inference"),
        units: 250,
        max_duration_ms: HOUR,
        complete_within_ms: 2 * HOUR,
        capabilities: vec![],
        min_reputation: None,
        privacy: Privacy::Public { payload: vec![1] },
        max_price: 100,
        min_bond: 0,
        sla: None,
        deadline_ms: NOW + HOUR,
        panel: Panel { required: 0, members: vec![] },
        review_ms: HOUR,
        dispute_ms: HOUR,
        fallback: Fallback::Release,
    }
}

fn placed(terms: Request) -> RequestRecord {
    RequestRecord {
        requester: [1; 32],
        left: terms.units,
        budget: terms.budget(),
        terms,
        reserve: 0,
        created_ms: NOW,
        assigned: 0,
        closed: false,
        line: vec![],
    }
}

fn offered(price: u128, units: u64) -> OfferRecord {
    let terms = Offer {
        task_type: name("inference"),
        units,
        price,
        capabilities: vec![],
        bond: 0,
        expires_ms: NOW + HOUR,
        payload_key: [0; 32],
        firm_from: None,
    };
    OfferRecord { provider: [2; 32], terms, reserve: 0, left: units, closed: false }
}

fn job(status: Status) -> Assignment {
    Assignment {
        request: 1,
        offer: 1,
        requester: [1; 32],
        provider: [2; 32],
        escrow: 0,
        units: 10,
        price: 100,
        by_provider: true,
        status,
        assigned_ms: NOW,
        complete_by_ms: NOW + 2 * HOUR,
        ready_ms: NOW,
        started_ms: None,
        completed_ms: None,
        violations: Violations::default(),
        paid: 0,
        rated_by_requester: false,
        rated_by_provider: false,
    }
}

const PARAMETERS: Parameters =
    Parameters { priority_ms: 0, violation_points: 7, fast_response_ms: 60_000 };

fn summary(state: State, ending: Option<Ending>, provider_paid: u128) -> Summary {
    Summary {
        state,
        milestone: 0,
        requester: [1; 32],
        provider: [2; 32],
        token: [3; 32],
        amount: 1_000,
        locked: 4,
        provider_paid,
        requester_paid: 5,
        due_ms: None,
        raised_by: None,
        ending,
        operator: None,
        result: None,
        audit_len: 0,
        audit_head: [0; 32],
    }
}

#[test]
fn the_effective_price_at_the_edges() {
    let success = |successes, outcomes| Success { successes, outcomes };
    let price = |points, success| effective_price_floor(1_000, points, success);
    let new = Success::default();
    for (points, expected) in
        [(0, 500), (49, 500), (50, 500), (51, 510), (200, 2_000), (201, 2_000)]
    {
        assert_eq!(price(points, new), expected, "{points} points");
    }
    assert_eq!(price(100, success(0, 4)), 1_000, "four outcomes say nothing yet");
    assert_eq!(price(100, success(4, 5)), 800);
    assert_eq!(price(100, success(0, 5)), 0);
    assert_eq!(effective_price_floor(1, 50, new), 0);
    let most = success(u32::MAX, u32::MAX);
    assert_eq!(effective_price_floor(MAX_PRICE, u32::MAX, most), 2 * MAX_PRICE);
}

#[test]
fn the_number_of_providers_is_clamped() {
    for (units, most) in [(1, 1), (199, 1), (200, 2), (999, 9), (1_000, 10), (u64::MAX, 10)] {
        assert_eq!(max_providers(units), most, "{units} units");
    }
}

#[test]
fn an_auction_closes_by_time_when_filled_when_full_and_when_closed() {
    let mut record = placed(request());
    assert_eq!(record.ends_ms(), NOW + AUCTION_MS);
    assert_eq!(record.status(NOW + AUCTION_MS - 1), AuctionStatus::Open);
    assert_eq!(record.status(NOW + AUCTION_MS), AuctionStatus::Closed);
    record.take(200, 50);
    assert_eq!((record.left, record.budget), (50, 25_000 - 10_000));
    assert_eq!(record.status(NOW), AuctionStatus::MinReached);
    record.take(1, 50);
    assert_eq!(record.status(NOW), AuctionStatus::Closed, "two assignments for 250 units");
    let mut filled = placed(request());
    filled.take(250, 50);
    assert_eq!(filled.status(NOW), AuctionStatus::Closed);
    let short = placed(Request { deadline_ms: NOW + 5, ..request() });
    assert_eq!(short.ends_ms(), NOW + 5);
    let closed = RequestRecord { closed: true, ..placed(request()) };
    assert_eq!(closed.status(NOW), AuctionStatus::Closed);
}

#[test]
fn the_largest_request_and_bond_fit() {
    let terms = Request { units: MAX_UNITS, max_price: MAX_PRICE, ..request() };
    assert_eq!(terms.check(NOW, 0), Ok(()));
    assert_eq!(terms.budget(), MAX_PRICE * u128::from(MAX_UNITS));
    let parameters = Parameters { priority_ms: 60_001, ..PARAMETERS };
    assert_eq!(parameters.check(), Err(InvalidTerms::Parameter));
}

#[test]
fn a_successes_counter_stands_still_at_its_end() {
    let full = Success { successes: 3, outcomes: u32::MAX };
    assert_eq!(full.after(true), full);
    assert_eq!(Success::default().after(true), Success { successes: 1, outcomes: 1 });
    assert_eq!(Success::default().after(false), Success { successes: 0, outcomes: 1 });
}

#[test]
fn each_way_an_escrow_ends_has_one_status() {
    let ended = |job: &Assignment, state, ending, provider_paid| {
        job.ended_as(&Outcome { state, ending, provider_paid })
    };
    let assigned = job(Status::Assigned);
    let started =
        Assignment { started_ms: Some(NOW), by_provider: false, ..job(Status::InProgress) };
    let firm = Assignment { by_provider: false, ..job(Status::Assigned) };
    use Ending::{Decided, FellBack, TimedOut, Voted};
    use State::{Refunded, Released, Resolved};
    assert_eq!(ended(&started, Released, Decided, 1_000), Status::Completed);
    assert_eq!(ended(&started, Released, TimedOut, 1_000), Status::Completed);
    let late = Violations { response: true, execution: false, stated: 0 };
    let violated = Assignment { violations: late, ..started.clone() };
    assert_eq!(ended(&violated, Released, TimedOut, 900), Status::SlaViolated);
    assert_eq!(ended(&assigned, Refunded, Decided, 0), Status::Declined);
    assert_eq!(ended(&assigned, Refunded, TimedOut, 0), Status::Failed);
    assert_eq!(ended(&started, Refunded, TimedOut, 0), Status::Failed);
    assert_eq!(ended(&firm, Refunded, TimedOut, 0), Status::Void);
    assert_eq!(ended(&job(Status::AwaitingPayload), Refunded, TimedOut, 0), Status::Void);
    assert_eq!(ended(&started, Resolved, Voted, 501), Status::ProviderWon);
    assert_eq!(ended(&started, Resolved, Voted, 500), Status::Undecided);
    assert_eq!(ended(&started, Resolved, Voted, 499), Status::RequesterWon);
    assert_eq!(ended(&started, Resolved, FellBack, 1_000), Status::Undecided);
}

#[test]
fn each_status_has_its_consequences() {
    let of = |status, started: bool, by_provider| {
        let started_ms = started.then_some(NOW);
        let job = Assignment { started_ms, by_provider, ..job(status) };
        let after = job.consequences(&PARAMETERS);
        (after.provider, after.requester, after.success)
    };
    let nothing = (vec![], vec![], None);
    use Event::{Completed, DisputeLost, DisputeWon, Failed, FastResponse};
    assert_eq!(
        of(Status::Completed, true, true),
        (vec![Completed, FastResponse], vec![], Some(true))
    );
    assert_eq!(of(Status::Completed, false, true), (vec![Completed], vec![], Some(true)));
    assert_eq!(of(Status::Failed, false, true), (vec![Failed], vec![], Some(false)));
    assert_eq!(of(Status::Declined, false, true), (vec![Failed], vec![], Some(false)));
    assert_eq!(of(Status::Declined, true, false), (vec![Failed], vec![], Some(false)));
    assert_eq!(of(Status::Declined, false, false), nothing);
    assert_eq!(of(Status::Void, false, false), nothing);
    assert_eq!(of(Status::Undecided, true, true), nothing);
    let won = (vec![DisputeWon], vec![DisputeLost], Some(true));
    let lost = (vec![DisputeLost], vec![DisputeWon], Some(false));
    assert_eq!(of(Status::ProviderWon, true, true), won);
    assert_eq!(of(Status::RequesterWon, true, true), lost);
    let violations = Violations { response: true, execution: true, stated: 1 };
    let violated = Assignment { violations, ..job(Status::SlaViolated) };
    let after = violated.consequences(&PARAMETERS);
    assert_eq!(after.provider, [Event::SlaViolated { points: 21 }]);
    assert_eq!(after.success, Some(false));
}

#[test]
fn a_report_without_a_service_level_says_nothing() {
    let report = QualityReport { uptime_bps: Some(0), quality: vec![] };
    let mut job = job(Status::Delivered);
    assert_eq!(job.judge(&request(), Some(report)), Ok(0));
    assert!(!job.violations.any());
    assert_eq!(job.measure(&request(), u64::MAX), 0);
}

#[test]
fn a_payload_opens_its_own_commitment_alone() {
    let commitment = crate::privacy::commitment::<Native>(b"cid", &[1; 32]);
    let privacy = Privacy::Private { commitment };
    let payload = HandOver { cid: b"cid".to_vec(), salt: [1; 32], sealed_key: vec![] };
    assert!(privacy.is_opened_by::<Native>(&payload));
    assert_eq!(privacy.job_digest::<Native>(), commitment);
    let other = HandOver { salt: [2; 32], ..payload.clone() };
    assert!(!privacy.is_opened_by::<Native>(&other));
    // Whatever the length says, no part of the salt can pass for a part of the identifier.
    let longer = HandOver { cid: b"cid\x01".to_vec(), ..payload.clone() };
    assert!(!privacy.is_opened_by::<Native>(&longer));
    let public = Privacy::Public { payload: b"cid".to_vec() };
    assert!(!public.is_opened_by::<Native>(&payload));
}

fn arb_state() -> impl Strategy<Value = State> {
    use State::{Completed, Created, Disputed, Expired, Funded, Refunded, Released, Resolved};
    prop::sample::select(vec![
        Created, Funded, Completed, Disputed, Released, Refunded, Resolved, Expired,
    ])
}

fn arb_ending() -> impl Strategy<Value = Option<Ending>> {
    use Ending::{Decided, FellBack, Settled, TimedOut, Voted};
    prop::option::of(prop::sample::select(vec![Decided, TimedOut, Voted, FellBack, Settled]))
}

proptest! {
    #[test]
    fn division_is_that_of_the_language(a: u128, b in 0..=1u128 << 127, shift in 0..127u32) {
        let b = b >> shift;
        prop_assert_eq!(div_floor(a, b), a.checked_div(b));
    }

    #[test]
    fn the_effective_price_is_the_exact_one_rounded_down(
        ask in 1..=MAX_PRICE, points: u32, outcomes: u32, share in 0..=100u64,
    ) {
        let successes = (u64::from(outcomes) * share / 100) as u32;
        let price = effective_price_floor(ask, points, Success { successes, outcomes });
        let weight = BigUint::from(points.clamp(50, 200));
        let exact = match outcomes {
            0..=4 => BigUint::from(ask) * weight / 100u32,
            _ => BigUint::from(ask) * weight * successes / (BigUint::from(outcomes) * 100u32),
        };
        prop_assert_eq!(BigUint::from(price), exact);
    }

    #[test]
    fn who_qualifies_is_paid_within_both_limits(
        ask in 1..1_000u128, points in 0..400u32, outcomes in 0..20u32, failed in 0..20u32,
        most in 1..1_000u128, least in 0..1_000u128,
    ) {
        let record = placed(Request { max_price: most, ..request() });
        let success = Success { successes: outcomes.saturating_sub(failed), outcomes };
        match record.qualify(&offered(ask, 1), NOW, (points, success, true), least) {
            Ok(price) => prop_assert!(price >= least && price >= 1 && price <= most),
            Err(why) => prop_assert!(
                matches!(why, Unqualified::PriceTooHigh | Unqualified::PriceTooLow)
            ),
        }
    }

    #[test]
    fn takes_never_exceed_either_side_and_the_budget_covers_them(
        units in 1..10_000u64, takes in prop::collection::vec((1..5_000u64, 1..=100u128, 1..5_000u64), 0..20),
    ) {
        let mut record = placed(Request { units, ..request() });
        let (mut taken, mut paid) = (0, 0);
        for (wanted, price, there) in takes {
            if record.is_full() {
                break;
            }
            let got = record.takes(&offered(1, there), wanted);
            prop_assert!(got >= 1 && got <= there && got <= wanted && got <= record.left);
            record.take(got, price);
            taken += got;
            paid += price * u128::from(got);
        }
        prop_assert_eq!(record.left, units - taken);
        prop_assert_eq!(record.budget, record.terms.budget() - paid);
        prop_assert!(record.assigned <= max_providers(units));
    }

    #[test]
    fn the_line_holds_the_best_of_all_who_came(points in prop::collection::vec(0..6u32, 0..40)) {
        let mut line = vec![];
        let mut all = vec![];
        for (i, points) in points.into_iter().enumerate() {
            let newcomer = Waiting {
                offer: i as u64,
                provider: [i as u8; 32],
                units: 1,
                min_price: 0,
                points,
                by_provider: true,
            };
            let before = line.clone();
            let answer = enqueue(&mut line, newcomer);
            all.push(newcomer);
            // Stable: of equal points the earlier stays before the later.
            all.sort_by_key(|waiting| core::cmp::Reverse(waiting.points));
            all.truncate(MAX_LINE);
            prop_assert_eq!(&line, &all);
            match answer {
                Ok(()) => prop_assert_eq!(enqueue(&mut line, newcomer), Err(NoPlace::Twice)),
                Err(why) => prop_assert_eq!((why, before), (NoPlace::Full, line.clone())),
            }
        }
    }

    #[test]
    fn an_outcome_is_read_from_a_summary(
        state in arb_state(), ending in arb_ending(), provider_paid: u128,
        due_ms in prop::option::of(any::<u64>()), raised: Option<bool>, audit_len: u32,
    ) {
        let raised_by = raised.map(|by| if by { Side::Requester } else { Side::Provider });
        let whole = Summary { due_ms, raised_by, audit_len, ..summary(state, ending, provider_paid) };
        let expected = ending.map(|ending| Outcome { state, ending, provider_paid });
        prop_assert_eq!(Outcome::read(&whole.encode()), Ok(expected));
    }
}

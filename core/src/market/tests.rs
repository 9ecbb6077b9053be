use super::ending::Outcome;
use super::limits::{InvalidTerms, MAX_LINE, MAX_PRICE, MAX_UNITS, MIN_HAND_BACK_MS, MIN_SLACK_MS};
use super::matching::{effective_price_floor, enqueue, max_providers, NoPlace, AUCTION_MS};
use super::*;
use crate::escrow::{Ending, Limits, Range, Side, State, Summary};
use crate::hash::Native;
use crate::reputation::Event;
use crate::sla::QualityReport;
use alloc::vec;
use num_bigint::BigUint;
use parity_scale_codec::Encode;
use proptest::prelude::*;

mod ending;
mod terms;

const NOW: u64 = 1_000_000;
const HOUR: u64 = 3_600_000;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn request() -> Request {
    Request {
        task_type: name("inference"),
        units: 250,
        min_units: None,
        max_duration_ms: HOUR,
        hand_over_within_ms: 0,
        capabilities: vec![],
        min_reputation: None,
        privacy: Privacy::Public { payload: vec![1] },
        max_price: 100,
        min_bond: 0,
        sla: None,
        deadline_ms: NOW + HOUR,
        panel: Panel::NONE,
        review_ms: HOUR,
        dispute_ms: HOUR,
        fallback: Fallback::Release,
    }
}

const LIMITS: Limits = {
    let range = Range { least_ms: 1_000, most_ms: 100 * HOUR };
    Limits { review: range, dispute: range, completion: range }
};

fn consent() -> Consent {
    let range = Range { least_ms: HOUR, most_ms: 2 * HOUR };
    Consent {
        review: range,
        dispute: range,
        max_penalty_bps: 5_000,
        min_response_ms: 1_000,
        min_duration_ms: HOUR,
        max_time_ms: 3 * HOUR,
        arbitrators: (10..13).map(|key| Account([key; 32])).collect(),
        min_required: 0,
        max_fee_bps: 100,
    }
}

fn placed(terms: Request) -> RequestRecord {
    RequestRecord {
        requester: Account([1; 32]),
        left: terms.units,
        budget: terms.budget(),
        terms,
        reserve: 0,
        created_ms: NOW,
        assigned: 0,
        running: 0,
        moved_ms: 0,
        closed: false,
        line: vec![],
    }
}

fn offered(price: u128, units: u64) -> OfferRecord {
    let terms = Offer {
        task_type: name("inference"),
        units,
        min_units: 1,
        price,
        capabilities: vec![],
        bond: 0,
        expires_ms: NOW + HOUR,
        payload_key: [5; 32],
        firm_from: None,
        consent: consent(),
    };
    OfferRecord { provider: Account([2; 32]), terms, reserve: 0, left: units, closed: false }
}

fn job(status: Status) -> Assignment {
    Assignment {
        request: 1,
        offer: 1,
        requester: Account([1; 32]),
        provider: Account([2; 32]),
        escrow: 0,
        units: 10,
        price: 100,
        status,
        assigned_ms: NOW,
        auction_left_ms: AUCTION_MS,
        complete_by_ms: NOW + 2 * HOUR,
        ready_ms: NOW,
        started_ms: None,
        completed_ms: None,
        ended_ms: None,
        violations: Violations::default(),
        paid: 0,
        rated_by_requester: false,
        rated_by_provider: false,
    }
}

const PARAMETERS: Parameters = Parameters {
    priority_ms: 0,
    violation_points: 7,
    fast_response_ms: 60_000,
    slack_ms: 24_000,
    hand_back_ms: 120_000,
};

fn summary(state: State, ending: Option<Ending>, provider_paid: u128) -> Summary {
    Summary {
        state,
        milestone: 0,
        requester: Account([1; 32]),
        provider: Account([2; 32]),
        token: Account([3; 32]),
        amount: 1_000,
        locked: 4,
        provider_paid,
        requester_paid: 5,
        due_ms: None,
        raised_by: None,
        ending,
        since_ms: 77,
        operator: None,
        result: None,
        audit_len: 0,
        audit_head: Digest::ZERO,
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
    assert_eq!(price(100, success(4, 4)), 1_000);
    assert_eq!(price(100, success(4, 5)), 857);
    assert_eq!(price(100, success(0, 5)), 285, "five failures are not the end");
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
fn a_successes_counter_stands_still_at_its_end() {
    let full = Success { successes: 3, outcomes: u32::MAX };
    assert_eq!(full.after(true), full);
    assert_eq!(Success::default().after(true), Success { successes: 1, outcomes: 1 });
    assert_eq!(Success::default().after(false), Success { successes: 0, outcomes: 1 });
}

#[test]
fn one_provider_has_one_place_and_at_least_an_equal_part() {
    let standing = |placed| Standing { points: 50, capable: true, placed, ..Standing::default() };
    let qualify = |record: &RequestRecord, units, placed| {
        record.qualify(&offered(10, 1_000), NOW, &standing(placed), (units, 0))
    };
    let mut record = placed(Request { units: 1_000, ..request() });
    assert_eq!(record.least_take(), 100);
    assert_eq!(qualify(&record, 99, false), Err(Unqualified::TooFew));
    assert_eq!(qualify(&record, 100, false), Ok(5));
    assert_eq!(qualify(&record, 100, true), Err(Unqualified::HasPlace));
    record.take(955, 5);
    assert_eq!(record.least_take(), 5);
    record.terms.min_units = Some(2);
    assert_eq!(qualify(&record, 2, false), Ok(5));
    assert_eq!(placed(Request { units: 199, ..request() }).least_take(), 199);
}

#[test]
fn what_comes_back_can_be_taken_again_for_as_long_as_it_was_away() {
    let mut record = placed(Request { units: 150, ..request() });
    record.take(150, 40);
    assert!(record.is_full() && !record.is_over(NOW), "it may come back");
    record.running -= 1;
    assert!(record.is_over(NOW));
    record.take_back(&away(150, NOW, NOW + 1_234));
    assert_eq!((record.left, record.assigned), (150, 0));
    assert_eq!(record.budget, record.terms.budget());
    assert_eq!(record.ends_ms(), NOW + AUCTION_MS + 1_234);
    assert_eq!(record.status(NOW + AUCTION_MS + 1_233), AuctionStatus::Open);
}

/// A job of so many units at 40 each, taken in the first quarter of an hour, that came back.
fn away(units: u64, assigned_ms: u64, ended_ms: u64) -> Assignment {
    let auction_left_ms = NOW + AUCTION_MS - assigned_ms;
    let ended_ms = Some(ended_ms);
    let declined = job(Status::Declined);
    Assignment { units, price: 40, assigned_ms, auction_left_ms, ended_ms, ..declined }
}

#[test]
fn places_that_are_away_at_the_same_time_move_the_end_once() {
    let mut record = placed(Request { units: 1_000, ..request() });
    let back: Vec<_> = (0..10).map(|at| away(100, NOW + at, NOW + HOUR + at)).collect();
    record.take(1_000, 40);
    for job in &back {
        record.take_back(job);
        assert_eq!(record.ends_ms(), NOW + AUCTION_MS + HOUR, "as much as was left at first");
    }
    // Who says so late gets no more time for it.
    assert_eq!(record.status(NOW + 30 * 24 * HOUR), AuctionStatus::Closed);
}

#[test]
fn an_offer_is_taken_in_parts_of_at_least_its_own_least() {
    let standing = Standing { points: 50, capable: true, ..Standing::default() };
    let record = placed(Request { min_units: Some(1), ..request() });
    let mut offer = offered(10, 200);
    offer.terms.min_units = 20;
    let qualify = |offer: &OfferRecord, units| record.qualify(offer, NOW, &standing, (units, 0));
    assert_eq!(qualify(&offer, 19), Err(Unqualified::TooFew));
    assert_eq!(qualify(&offer, 20), Ok(5));
    offer.left = 7;
    assert_eq!(qualify(&offer, 6), Err(Unqualified::TooFew));
    assert_eq!(qualify(&offer, 7), Ok(5), "the last of it");
    for min_units in [0, 201] {
        let terms = Offer { min_units, ..offered(1, 200).terms };
        assert_eq!(terms.check(&Account([2; 32]), NOW), Err(InvalidTerms::Units));
    }
}

#[test]
fn a_report_without_a_service_level_says_nothing() {
    let report = QualityReport { uptime_bps: Some(0), quality: vec![] };
    let mut job = job(Status::Delivered);
    assert_eq!(job.judge(&request(), Some(report)), Ok(0));
    assert!(!job.violations.any());
    assert_eq!(job.measure(&request(), &PARAMETERS, u64::MAX), 0);
}

#[test]
fn a_payload_opens_its_own_commitment_alone() {
    let commitment = crate::privacy::commitment::<Native>(b"cid", &[1; 32]);
    let privacy = Privacy::Private { commitment };
    let payload = HandOver { cid: b"cid".to_vec(), salt: [1; 32], sealed_key: vec![0; 80] };
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
    let voted = Voted { provider_share: 5 };
    prop::option::of(prop::sample::select(vec![Decided, TimedOut, voted, FellBack, Settled]))
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
        let share = BigUint::from(u64::from(successes) + 2);
        let exact = BigUint::from(ask) * weight * share / (100u32 * BigUint::from(u64::from(outcomes) + 2));
        prop_assert_eq!(BigUint::from(price), exact);
    }

    #[test]
    fn who_qualifies_is_paid_within_both_limits(
        ask in 1..1_000u128, points in 0..400u32, outcomes in 0..20u32, failed in 0..20u32,
        most in 1..1_000u128, least in 0..1_000u128,
    ) {
        let record = placed(Request { max_price: most, ..request() });
        let success = Success { successes: outcomes.saturating_sub(failed), outcomes };
        let standing = Standing { points, success, capable: true, placed: false };
        match record.qualify(&offered(ask, 250), NOW, &standing, (250, least)) {
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
                provider: Account([i as u8; 32]),
                units: 1,
                min_price: 0,
                points,
            };
            let before = line.clone();
            let answer = enqueue(&mut line, newcomer);
            all.push(newcomer);
            // Stable: of equal points the earlier stays before the later.
            all.sort_by_key(|waiting| core::cmp::Reverse(waiting.points));
            all.truncate(MAX_LINE);
            prop_assert_eq!(&line, &all);
            match answer {
                Ok(displaced) => {
                    let last = before.last().filter(|_| before.len() == MAX_LINE);
                    prop_assert_eq!(displaced.as_ref(), last);
                    prop_assert_eq!(enqueue(&mut line, newcomer), Err(NoPlace::Twice));
                }
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
        let ended_ms = 77;
        let expected =
            ending.map(|ending| Outcome { state, ending, provider_paid, raised_by, ended_ms });
        prop_assert_eq!(Outcome::read(&whole.encode()), Ok(expected));
    }
}

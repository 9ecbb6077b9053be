//! What may be asked, offered and agreed to.

use super::*;

#[test]
fn the_largest_request_and_bond_fit() {
    let terms = Request { units: MAX_UNITS, max_price: MAX_PRICE, ..request() };
    assert_eq!(terms.check(&Account([1; 32]), NOW, &PARAMETERS, &LIMITS), Ok(()));
    assert_eq!(terms.budget(), MAX_PRICE * u128::from(MAX_UNITS));
    let parameters = Parameters { priority_ms: 60_001, ..PARAMETERS };
    assert_eq!(parameters.check(), Err(InvalidTerms::Parameter));
    assert_eq!(PARAMETERS.check(), Ok(()));
    for parameters in [
        Parameters { slack_ms: MIN_SLACK_MS - 1, ..PARAMETERS },
        Parameters { hand_back_ms: MIN_HAND_BACK_MS - 1, ..PARAMETERS },
    ] {
        assert_eq!(parameters.check(), Err(InvalidTerms::Parameter), "{parameters:?}");
    }
}

#[test]
fn what_the_escrow_contract_would_refuse_makes_no_request() {
    let check = |change: &dyn Fn(&mut Request)| {
        let mut terms = request();
        change(&mut terms);
        terms.check(&Account([1; 32]), NOW, &PARAMETERS, &LIMITS)
    };
    let panel = |required, members| Panel { required, members, fee_bps: 0 };
    assert_eq!(check(&|_| ()), Ok(()));
    let wrong = Err(InvalidTerms::Panel);
    assert_eq!(check(&|t| t.panel = panel(9, vec![Account([3; 32]); 2])), wrong);
    assert_eq!(check(&|t| t.panel = panel(1, vec![Account([3; 32]), Account([4; 32])])), wrong);
    assert_eq!(
        check(&|t| t.panel = panel(1, vec![Account([1; 32])])),
        wrong,
        "the requester himself"
    );
    let split = Fallback::Split { provider_bps: 10_001 };
    assert_eq!(check(&|t| t.fallback = split), Err(InvalidTerms::Fallback));
    assert_eq!(check(&|t| t.review_ms = 999), Err(InvalidTerms::Duration));
    assert_eq!(check(&|t| t.dispute_ms = 101 * HOUR), Err(InvalidTerms::Duration));
    assert_eq!(check(&|t| t.max_duration_ms = 100 * HOUR), Err(InvalidTerms::Duration));
    assert_eq!(check(&|t| t.hand_over_within_ms = 1), Err(InvalidTerms::Duration), "it is public");
    let key = Offer { payload_key: [0; 32], ..offered(1, 1).terms };
    assert_eq!(key.check(&Account([2; 32]), NOW), Err(InvalidTerms::Payload));
}

#[test]
fn the_account_of_zeros_neither_asks_nor_offers_nor_stands_on_a_list() {
    let nobody = Err(InvalidTerms::Accounts);
    assert_eq!(request().check(&Account::NOBODY, NOW, &PARAMETERS, &LIMITS), nobody);
    assert_eq!(offered(1, 1).terms.check(&Account::NOBODY, NOW), nobody);
    assert_eq!(offered(1, 1).terms.check(&Account([2; 32]), NOW), Ok(()));
    let (commitment, capability) = (Digest::ZERO, name("tee"));
    let allowed = vec![Account([3; 32]), Account::NOBODY];
    let privacy = Privacy::Confidential { commitment, capability, allowed };
    let terms = Request { privacy, ..request() };
    assert_eq!(terms.check(&Account([1; 32]), NOW, &PARAMETERS, &LIMITS), nobody);
}

#[test]
fn every_time_of_a_job_has_its_slack() {
    let sla = crate::sla::Sla {
        uptime_bps: None,
        max_response_ms: 5,
        violation_penalty: 1,
        quality: vec![],
    };
    let public = Request { max_duration_ms: 100, sla: Some(sla), ..request() };
    assert_eq!(public.complete_within_ms(&PARAMETERS), 5 + 24_000 + 100 + 24_000);
    let privacy = Privacy::Private { commitment: Digest::ZERO };
    let private = Request { hand_over_within_ms: 7, privacy, ..public };
    assert_eq!(private.hand_over_ms(&PARAMETERS), 24_007);
    assert_eq!(private.complete_within_ms(&PARAMETERS), 24_007 + 48_105);
    assert_eq!(private.work_within_ms(&PARAMETERS), 48_105);
    assert_eq!(private.time_ms(), 7 + 5 + 100);
}

#[test]
fn an_offer_is_bound_only_by_what_it_agrees_to() {
    let sla = |max_response_ms, violation_penalty| {
        Some(crate::sla::Sla {
            uptime_bps: Some(1),
            max_response_ms,
            violation_penalty,
            quality: vec![],
        })
    };
    let panel = |required, members: &[u8], fee_bps| Panel {
        required,
        members: members.iter().map(|key| Account([*key; 32])).collect(),
        fee_bps,
    };
    let covers = |change: &dyn Fn(&mut Request)| {
        let mut terms = request();
        change(&mut terms);
        consent().covers(&terms, 1_000)
    };
    assert_eq!(covers(&|_| ()), Ok(()));
    assert_eq!(covers(&|t| t.review_ms = 2 * HOUR + 1), Err(Unqualified::ReviewTime));
    assert_eq!(covers(&|t| t.dispute_ms = HOUR - 1), Err(Unqualified::DisputeTime));
    assert_eq!(covers(&|t| t.max_duration_ms = HOUR - 1), Err(Unqualified::WorkTime));
    assert_eq!(covers(&|t| t.sla = sla(999, 0)), Err(Unqualified::WorkTime));
    assert_eq!(covers(&|t| t.hand_over_within_ms = 2 * HOUR), Ok(()));
    assert_eq!(covers(&|t| t.hand_over_within_ms = 2 * HOUR + 1), Err(Unqualified::WorkTime));
    assert_eq!(covers(&|t| t.max_duration_ms = 3 * HOUR + 1), Err(Unqualified::WorkTime));
    assert_eq!(covers(&|t| t.sla = sla(2 * HOUR + 1, 0)), Err(Unqualified::WorkTime));
    let reversed = Consent { max_time_ms: HOUR - 1, ..consent() };
    assert_eq!(reversed.check(), Err(InvalidTerms::Duration));
    assert_eq!(covers(&|t| t.sla = sla(1_000, 200)), Ok(()), "two whole ones and a half: 500");
    assert_eq!(covers(&|t| t.sla = sla(1_000, 202)), Err(Unqualified::Penalty));
    assert_eq!(covers(&|t| t.panel = panel(2, &[10, 11, 12], 100)), Ok(()));
    assert_eq!(covers(&|t| t.panel = panel(1, &[13], 0)), Err(Unqualified::Arbitrators));
    assert_eq!(covers(&|t| t.panel = panel(2, &[10, 11], 101)), Err(Unqualified::Arbitrators));
    let strict = Consent { min_required: 2, ..consent() };
    assert_eq!(strict.covers(&request(), 1_000), Err(Unqualified::Arbitrators), "nobody at all");
}

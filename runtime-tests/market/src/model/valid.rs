//! What is accepted as a request, an offer, a report, a payload.

use super::terms::{is_fallback, is_panel, within};
use super::{why, Faults, Setting};
use cicada_core::escrow::{Range, MAX_CID_LEN};
use cicada_core::market::consent::MAX_ACCEPTED;
use cicada_core::market::limits::{
    MAX_ALLOWED, MAX_CAPABILITIES, MAX_PRICE, MAX_TERM_MS, MAX_UNITS,
};
use cicada_core::market::{HandOver, InvalidTerms, Offer, Privacy, Request};
use cicada_core::name::Name;
use cicada_core::sla::{Metric, QualityReport, MAX_METRICS};
use cicada_core::Account;
use cicada_traits::auction::AuctionError;
use std::collections::BTreeSet;

type Wrong = Vec<(bool, InvalidTerms)>;

fn collect(wrong: Wrong) -> Faults {
    let said = |(_, error)| why(AuctionError::Invalid(error));
    wrong.into_iter().filter(|(is_wrong, _)| *is_wrong).map(said).collect()
}

fn is_cid(cid: &[u8]) -> bool {
    (1..=MAX_CID_LEN).contains(&cid.len())
}

/// Whether names come in order, none twice.
fn ascend<'a>(names: impl Iterator<Item = &'a Name> + Clone) -> bool {
    let sorted: BTreeSet<&Name> = names.clone().collect();
    names.eq(sorted)
}

fn both(units: u64, price: u128, bond: u128, names: &[Name]) -> Wrong {
    vec![
        (!(1..=MAX_UNITS).contains(&units), InvalidTerms::Units),
        (!(1..=MAX_PRICE).contains(&price) || bond > MAX_PRICE, InvalidTerms::Price),
        (names.len() > MAX_CAPABILITIES || !ascend(names.iter()), InvalidTerms::Names),
    ]
}

fn figures(uptime_bps: Option<u16>, quality: &[Metric]) -> Wrong {
    let high = |bps: u16| bps > 10_000;
    let too_high = uptime_bps.is_some_and(high) || quality.iter().any(|metric| high(metric.bps));
    vec![(quality.len() > MAX_METRICS, InvalidTerms::Names), (too_high, InvalidTerms::BasisPoints)]
}

/// How long after the assignment a payload may be handed over.
pub fn hand_over_ms(terms: &Request, slack_ms: u64) -> u64 {
    match terms.privacy {
        Privacy::Public { .. } => 0,
        _ => terms.hand_over_within_ms + slack_ms,
    }
}

/// How long after the hand-over the result must be there.
pub fn work_ms(terms: &Request, slack_ms: u64) -> u64 {
    let response_ms = terms.sla.as_ref().map_or(0, |sla| sla.max_response_ms);
    response_ms + slack_ms + terms.max_duration_ms + slack_ms
}

/// How long after the assignment the result must be there.
pub fn complete_ms(terms: &Request, slack_ms: u64) -> u64 {
    hand_over_ms(terms, slack_ms) + work_ms(terms, slack_ms)
}

/// All that is wrong with somebody's request.
pub fn request(terms: &Request, by: Account, now_ms: u64, setting: &Setting) -> Faults {
    let mut wrong = both(terms.units, terms.max_price, terms.min_bond, &terms.capabilities);
    wrong.push((terms.min_units == Some(0), InvalidTerms::Units));
    let response_ms = terms.sla.as_ref().map_or(0, |sla| sla.max_response_ms);
    let times = [terms.hand_over_within_ms, response_ms, terms.max_duration_ms];
    let public = matches!(terms.privacy, Privacy::Public { .. });
    let (limits, slack_ms) = (setting.limits, setting.market.slack_ms);
    let badly_timed = times.into_iter().any(|time| time > MAX_TERM_MS)
        || terms.max_duration_ms == 0
        || public && terms.hand_over_within_ms > 0
        || !within(terms.review_ms, limits.review)
        || !within(terms.dispute_ms, limits.dispute)
        || !within(complete_ms(terms, slack_ms), limits.completion);
    wrong.push((badly_timed, InvalidTerms::Duration));
    let line_ms = setting.market.priority_ms;
    wrong.push((terms.deadline_ms <= now_ms + line_ms, InvalidTerms::Deadline));
    match &terms.privacy {
        Privacy::Public { payload } => wrong.push((!is_cid(payload), InvalidTerms::Payload)),
        Privacy::Private { .. } => {}
        Privacy::Confidential { allowed, .. } => {
            let crowd = allowed.len() > MAX_ALLOWED || allowed.contains(&Account::NOBODY);
            wrong.push((crowd, InvalidTerms::Accounts));
        }
    }
    let panel = is_panel(&terms.panel) && !terms.panel.members.contains(&by);
    wrong.push((!panel, InvalidTerms::Panel));
    wrong.push((!is_fallback(terms.fallback), InvalidTerms::Fallback));
    if let Some(sla) = &terms.sla {
        wrong.extend(figures(sla.uptime_bps, &sla.quality));
        let names = sla.quality.iter().map(|metric| &metric.name);
        wrong.push((!ascend(names), InvalidTerms::Names));
    }
    collect(wrong)
}

/// All that is wrong with an offer.
pub fn offer(terms: &Offer, now_ms: u64) -> Faults {
    let mut wrong = both(terms.units, terms.price, terms.bond, &terms.capabilities);
    let least = terms.min_units == 0 || terms.min_units > terms.units;
    wrong.push((least, InvalidTerms::Units));
    wrong.push((terms.expires_ms <= now_ms, InvalidTerms::Deadline));
    wrong.push((terms.payload_key == [0; 32], InvalidTerms::Payload));
    let consent = &terms.consent;
    let reversed = |range: Range| range.least_ms > range.most_ms;
    let times = reversed(consent.review)
        || reversed(consent.dispute)
        || consent.min_duration_ms > consent.max_time_ms;
    wrong.push((times, InvalidTerms::Duration));
    wrong.push((consent.max_penalty_bps > 10_000, InvalidTerms::BasisPoints));
    let judges = &consent.arbitrators;
    let crowd = judges.len() > MAX_ACCEPTED || judges.contains(&Account::NOBODY);
    wrong.push((crowd, InvalidTerms::Accounts));
    collect(wrong)
}

/// All that is wrong with a report.
pub fn report(report: &QualityReport) -> Faults {
    collect(figures(report.uptime_bps, &report.quality))
}

/// All that is wrong with a payload.
pub fn payload(payload: &HandOver) -> Faults {
    let wrong = payload.sealed_key.len() != 80;
    collect(vec![(!is_cid(&payload.cid) || wrong, InvalidTerms::Payload)])
}

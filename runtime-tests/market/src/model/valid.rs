//! What is accepted as a request, an offer, a report, a payload.

use super::{why, Faults};
use cicada_core::escrow::{Fallback, MAX_ARBITRATORS, MAX_CID_LEN};
use cicada_core::market::limits::{
    MAX_ALLOWED, MAX_CAPABILITIES, MAX_PRICE, MAX_SEALED_KEY_LEN, MAX_TERM_MS, MAX_UNITS,
};
use cicada_core::market::{HandOver, InvalidTerms, Offer, Privacy, Request};
use cicada_core::name::Name;
use cicada_core::sla::{Metric, QualityReport, MAX_METRICS};
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

/// All that is wrong with a request.
pub fn request(terms: &Request, now_ms: u64, priority_ms: u64) -> Faults {
    let mut wrong = both(terms.units, terms.max_price, terms.min_bond, &terms.capabilities);
    let length = |ms: u64| (1..=MAX_TERM_MS).contains(&ms);
    let durations =
        [terms.max_duration_ms, terms.complete_within_ms, terms.review_ms, terms.dispute_ms];
    let badly_timed =
        !durations.into_iter().all(length) || terms.max_duration_ms > terms.complete_within_ms;
    wrong.push((badly_timed, InvalidTerms::Duration));
    wrong.push((terms.deadline_ms <= now_ms + priority_ms, InvalidTerms::Deadline));
    match &terms.privacy {
        Privacy::Public { payload } => wrong.push((!is_cid(payload), InvalidTerms::Payload)),
        Privacy::Private { .. } => {}
        Privacy::Confidential { allowed, .. } => {
            wrong.push((allowed.len() > MAX_ALLOWED, InvalidTerms::Accounts));
        }
    }
    let crowd = terms.panel.members.len() > MAX_ARBITRATORS;
    wrong.push((crowd, InvalidTerms::Accounts));
    let undecided = terms.panel.members.is_empty() && terms.fallback == Fallback::Refund;
    wrong.push((undecided, InvalidTerms::Accounts));
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
    wrong.push((terms.expires_ms <= now_ms, InvalidTerms::Deadline));
    collect(wrong)
}

/// All that is wrong with a report.
pub fn report(report: &QualityReport) -> Faults {
    collect(figures(report.uptime_bps, &report.quality))
}

/// All that is wrong with a payload.
pub fn payload(payload: &HandOver) -> Faults {
    let long = payload.sealed_key.len() > MAX_SEALED_KEY_LEN;
    collect(vec![(!is_cid(&payload.cid) || long, InvalidTerms::Payload)])
}

//! What terms of an escrow must be like.

use super::{why, Faults};
use cicada_core::escrow::{
    Fallback, Rule, Terms, TermsError, MAX_ARBITRATORS, MAX_MILESTONES, MAX_TERM_MS, MAX_WINDOW_MS,
};
use std::collections::BTreeSet;

/// All that is wrong with terms. With `funded`, the time for funding says nothing.
pub fn faults(terms: &Terms, now_ms: u64, funded: bool) -> Faults {
    let mut wrong = BTreeSet::new();
    let mut refuse = |condition: bool, error: TermsError| {
        if condition {
            wrong.insert(why(error));
        }
    };
    refuse(terms.requester == terms.provider, TermsError::SameParty);
    let parts = &terms.milestones;
    refuse(parts.is_empty() || parts.len() > MAX_MILESTONES, TermsError::WrongMilestones);
    refuse(parts.iter().any(|part| part.amount == 0), TermsError::WrongAmount);
    refuse(total(terms).is_none(), TermsError::WrongAmount);
    for window in [terms.review_ms, terms.dispute_ms] {
        refuse(!(1..=MAX_WINDOW_MS).contains(&window), TermsError::WrongWindow);
    }
    let latest = now_ms + MAX_TERM_MS;
    let outside = |deadline: u64| deadline <= now_ms || deadline > latest;
    refuse(parts.iter().any(|part| outside(part.complete_by_ms)), TermsError::WrongDeadline);
    let crowded = |pair: &[cicada_core::escrow::Milestone]| {
        let after = u128::from(pair[0].complete_by_ms) + u128::from(terms.review_ms);
        u128::from(pair[1].complete_by_ms) < after
    };
    refuse(parts.windows(2).any(crowded), TermsError::WrongDeadline);
    if !funded {
        let first = parts.first().map_or(u64::MAX, |part| part.complete_by_ms);
        let late = terms.fund_by_ms <= now_ms || terms.fund_by_ms > first;
        refuse(late, TermsError::WrongDeadline);
    }
    if let Rule::TimeLocked { release_after_ms } = terms.rule {
        refuse(release_after_ms > latest, TermsError::WrongDeadline);
    }
    let (members, required) = (&terms.panel.members, usize::from(terms.panel.required));
    let distinct: BTreeSet<_> = members.iter().collect();
    let nobody = members.is_empty() && required == 0 && terms.rule != Rule::Arbitrators;
    let somebody = (1..=members.len()).contains(&required)
        && members.len() <= MAX_ARBITRATORS
        && distinct.len() == members.len()
        && !distinct.contains(&terms.requester)
        && !distinct.contains(&terms.provider);
    refuse(!nobody && !somebody, TermsError::WrongPanel);
    if let Fallback::Split { provider_bps } = terms.fallback {
        refuse(provider_bps > 10_000, TermsError::WrongFallback);
    }
    let escrow_error = |error| format!("Terms({error})");
    wrong.into_iter().map(escrow_error).collect()
}

/// The sum of all parts, if it is a number.
pub fn total(terms: &Terms) -> Option<u128> {
    terms.milestones.iter().try_fold(0u128, |sum, part| sum.checked_add(part.amount))
}

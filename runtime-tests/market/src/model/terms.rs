//! What terms of an escrow must be like.

use super::{why, Faults};
use cicada_core::escrow::{
    Fallback, Limits, Panel, Range, Rule, Terms, TermsError, MAX_ARBITRATORS, MAX_FEE_BPS,
    MAX_MILESTONES, MAX_TERM_MS,
};
use cicada_core::Account;
use std::collections::BTreeSet;

/// Whether a time lies within a range.
pub fn within(ms: u64, range: Range) -> bool {
    (range.least_ms..=range.most_ms).contains(&ms)
}

/// Whether a panel may be anybody's.
pub fn is_panel(panel: &Panel) -> bool {
    let (members, required) = (&panel.members, usize::from(panel.required));
    let distinct: BTreeSet<_> = members.iter().collect();
    let nobody = members.is_empty() && required == 0 && panel.fee_bps == 0;
    let most = members.len() / 2 < required
        && required <= members.len()
        && members.len() <= MAX_ARBITRATORS
        && distinct.len() == members.len()
        && !members.contains(&Account::NOBODY)
        && panel.fee_bps <= MAX_FEE_BPS;
    nobody || most
}

/// All that is wrong with terms. With `funded`, the time for funding says nothing.
pub fn faults(terms: &Terms, now_ms: u64, limits: &Limits, funded: bool) -> Faults {
    let mut wrong = BTreeSet::new();
    let mut refuse = |condition: bool, error: TermsError| {
        if condition {
            wrong.insert(why(error));
        }
    };
    let parties = [terms.requester, terms.provider];
    let party = parties[0] == parties[1] || parties.contains(&Account::NOBODY);
    refuse(party, TermsError::WrongParty);
    let parts = &terms.milestones;
    refuse(parts.is_empty() || parts.len() > MAX_MILESTONES, TermsError::WrongMilestones);
    refuse(parts.iter().any(|part| part.amount == 0), TermsError::WrongAmount);
    refuse(total(terms).is_none(), TermsError::WrongAmount);
    let windows =
        within(terms.review_ms, limits.review) && within(terms.dispute_ms, limits.dispute);
    refuse(!windows, TermsError::WrongWindow);
    let latest = now_ms + MAX_TERM_MS;
    let lock_ms = match terms.rule {
        Rule::TimeLocked { release_after_ms } => release_after_ms,
        _ => 0,
    };
    refuse(lock_ms > latest, TermsError::WrongDeadline);
    // The time for each part counts from the latest end of the one before.
    let mut start = now_ms;
    if !funded {
        let late = terms.fund_by_ms <= now_ms || terms.fund_by_ms > latest;
        refuse(late, TermsError::WrongDeadline);
        start = terms.fund_by_ms;
    }
    for part in parts {
        let by_ms = part.complete_by_ms;
        let time = by_ms.checked_sub(start).is_some_and(|time| within(time, limits.completion));
        refuse(!time || by_ms > latest, TermsError::WrongDeadline);
        start = by_ms.saturating_add(terms.review_ms).max(lock_ms);
    }
    let members = &terms.panel.members;
    let judge = members.iter().any(|member| parties.contains(member));
    let nobody = members.is_empty() && terms.rule == Rule::Arbitrators;
    refuse(!is_panel(&terms.panel) || judge || nobody, TermsError::WrongPanel);
    refuse(!is_fallback(terms.fallback), TermsError::WrongFallback);
    let escrow_error = |error| format!("Terms({error})");
    wrong.into_iter().map(escrow_error).collect()
}

/// Whether a fallback is one.
pub fn is_fallback(fallback: Fallback) -> bool {
    !matches!(fallback, Fallback::Split { provider_bps: 10_001.. })
}

/// The sum of all parts, if it is a number.
pub fn total(terms: &Terms) -> Option<u128> {
    terms.milestones.iter().try_fold(0u128, |sum, part| sum.checked_add(part.amount))
}

//! What terms must be like.

use super::{Fallback, Panel, Rule, Terms, TermsError, MAX_ARBITRATORS, MAX_MILESTONES};
use crate::fixed::BPS;
use crate::Account;

/// How far ahead a deadline may lie, in milliseconds: ten years.
pub const MAX_TERM_MS: u64 = 3_653 * 86_400_000;
/// The longest review or dispute, in milliseconds: a year.
pub const MAX_WINDOW_MS: u64 = 366 * 86_400_000;

impl Terms {
    /// Checks the terms of an escrow that is to be funded later.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn check(&self, now_ms: u64) -> Result<(), TermsError> {
        self.check_funded(now_ms)?;
        let first = self.milestones.first().ok_or(TermsError::WrongMilestones)?;
        if self.fund_by_ms <= now_ms || self.fund_by_ms > first.complete_by_ms {
            return Err(TermsError::WrongDeadline);
        }
        Ok(())
    }

    /// Checks the terms of an escrow that is funded at once: as [`Terms::check`], but
    /// `fund_by_ms` says nothing.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn check_funded(&self, now_ms: u64) -> Result<(), TermsError> {
        if self.requester == self.provider {
            return Err(TermsError::SameParty);
        }
        if self.milestones.is_empty() || self.milestones.len() > MAX_MILESTONES {
            return Err(TermsError::WrongMilestones);
        }
        self.amount()?;
        for window in [self.review_ms, self.dispute_ms] {
            if window == 0 || window > MAX_WINDOW_MS {
                return Err(TermsError::WrongWindow);
            }
        }
        self.check_deadlines(now_ms)?;
        self.check_panel()?;
        match self.fallback {
            Fallback::Split { provider_bps } if u128::from(provider_bps) > BPS => {
                Err(TermsError::WrongFallback)
            }
            _ => Ok(()),
        }
    }

    /// The sum of all parts, none of which is 0.
    ///
    /// # Errors
    /// [`TermsError::WrongAmount`].
    pub fn amount(&self) -> Result<u128, TermsError> {
        let mut sum = 0u128;
        for milestone in &self.milestones {
            if milestone.amount == 0 {
                return Err(TermsError::WrongAmount);
            }
            sum = sum.checked_add(milestone.amount).ok_or(TermsError::WrongAmount)?;
        }
        Ok(sum)
    }

    fn check_deadlines(&self, now_ms: u64) -> Result<(), TermsError> {
        let latest = now_ms.saturating_add(MAX_TERM_MS);
        let mut earliest = now_ms.saturating_add(1);
        for milestone in &self.milestones {
            if milestone.complete_by_ms < earliest || milestone.complete_by_ms > latest {
                return Err(TermsError::WrongDeadline);
            }
            earliest = milestone.complete_by_ms.saturating_add(self.review_ms);
        }
        match self.rule {
            Rule::TimeLocked { release_after_ms } if release_after_ms > latest => {
                Err(TermsError::WrongDeadline)
            }
            _ => Ok(()),
        }
    }

    fn check_panel(&self) -> Result<(), TermsError> {
        let Panel { required, members } = &self.panel;
        let none = members.is_empty() && *required == 0 && self.rule != Rule::Arbitrators;
        let some = *required >= 1 && usize::from(*required) <= members.len();
        if !(none || some) || members.len() > MAX_ARBITRATORS {
            return Err(TermsError::WrongPanel);
        }
        let mut rest = members.as_slice();
        while let Some((member, others)) = rest.split_first() {
            if self.is_party(member) || others.contains(member) {
                return Err(TermsError::WrongPanel);
            }
            rest = others;
        }
        Ok(())
    }

    /// Whether the account is the requester or the provider.
    pub fn is_party(&self, account: &Account) -> bool {
        *account == self.requester || *account == self.provider
    }
}

//! What terms must be like.

use super::{
    Fallback, Limits, Panel, Rule, Terms, TermsError, MAX_ARBITRATORS, MAX_FEE_BPS, MAX_MILESTONES,
    MAX_TERM_MS,
};
use crate::fixed::BPS;
use crate::Account;

impl Panel {
    /// Whether it may decide disputes, apart from who the parties are.
    ///
    /// # Errors
    /// [`TermsError::WrongPanel`].
    pub fn check(&self) -> Result<(), TermsError> {
        let required = usize::from(self.required);
        let none = self.members.is_empty() && required == 0 && self.fee_bps == 0;
        // Two verdicts can never both have enough votes.
        let most = required <= self.members.len()
            && required.saturating_mul(2) > self.members.len()
            && self.members.len() <= MAX_ARBITRATORS
            && self.fee_bps <= MAX_FEE_BPS;
        let mut good = none || most;
        let mut rest = self.members.as_slice();
        while let Some((member, others)) = rest.split_first() {
            good = good && *member != Account::NOBODY && !others.contains(member);
            rest = others;
        }
        if good {
            Ok(())
        } else {
            Err(TermsError::WrongPanel)
        }
    }
}

impl Fallback {
    /// Whether terms may have it.
    ///
    /// # Errors
    /// [`TermsError::WrongFallback`].
    pub fn check(&self) -> Result<(), TermsError> {
        match self {
            Self::Split { provider_bps } if u128::from(*provider_bps) > BPS => {
                Err(TermsError::WrongFallback)
            }
            _ => Ok(()),
        }
    }
}

impl Terms {
    /// Checks the terms of an escrow that is to be funded later. The time for the first part
    /// counts from `fund_by_ms`.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn check(&self, now_ms: u64, limits: &Limits) -> Result<(), TermsError> {
        if self.fund_by_ms <= now_ms || self.fund_by_ms > now_ms.saturating_add(MAX_TERM_MS) {
            return Err(TermsError::WrongDeadline);
        }
        self.check_from(self.fund_by_ms, now_ms, limits)
    }

    /// Checks the terms of an escrow that is funded at once: as [`Terms::check`], but
    /// `fund_by_ms` says nothing, and the time for the first part counts from now.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn check_funded(&self, now_ms: u64, limits: &Limits) -> Result<(), TermsError> {
        self.check_from(now_ms, now_ms, limits)
    }

    fn check_from(&self, start_ms: u64, now_ms: u64, limits: &Limits) -> Result<(), TermsError> {
        if self.requester == self.provider || self.is_party(&Account::NOBODY) {
            return Err(TermsError::WrongParty);
        }
        if self.milestones.is_empty() || self.milestones.len() > MAX_MILESTONES {
            return Err(TermsError::WrongMilestones);
        }
        self.amount()?;
        if !limits.review.contains(self.review_ms) || !limits.dispute.contains(self.dispute_ms) {
            return Err(TermsError::WrongWindow);
        }
        self.check_deadlines(start_ms, now_ms, limits)?;
        self.panel.check()?;
        let nobody = self.panel.members.is_empty() && self.rule == Rule::Arbitrators;
        if nobody || self.panel.members.iter().any(|member| self.is_party(member)) {
            return Err(TermsError::WrongPanel);
        }
        self.fallback.check()
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

    fn check_deadlines(
        &self,
        mut start_ms: u64,
        now_ms: u64,
        limits: &Limits,
    ) -> Result<(), TermsError> {
        let latest = now_ms.saturating_add(MAX_TERM_MS);
        let locked_until_ms = match self.rule {
            Rule::TimeLocked { release_after_ms } => release_after_ms,
            _ => 0,
        };
        if locked_until_ms > latest {
            return Err(TermsError::WrongDeadline);
        }
        for milestone in &self.milestones {
            let by_ms = milestone.complete_by_ms;
            let in_time =
                by_ms.checked_sub(start_ms).is_some_and(|ms| limits.completion.contains(ms));
            if !in_time || by_ms > latest {
                return Err(TermsError::WrongDeadline);
            }
            start_ms = by_ms.saturating_add(self.review_ms).max(locked_until_ms);
        }
        Ok(())
    }

    /// Whether the account is the requester or the provider.
    pub fn is_party(&self, account: &Account) -> bool {
        *account == self.requester || *account == self.provider
    }
}

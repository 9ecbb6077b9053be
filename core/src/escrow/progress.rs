//! The part of an escrow that changes.

use super::{AuditHead, Ending, Rule, Side, State, Summary, Terms};
use crate::hash::Hash;
use crate::Account;
use parity_scale_codec::{Decode, Encode};

/// The round of the votes in a dispute; the rounds before are those of the parts.
pub const DISPUTE_ROUND: u8 = u8::MAX;

/// The part of an escrow that changes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// The part in work or completed, from 0.
    pub milestone: u8,
    /// When it was completed or disputed, in milliseconds.
    pub since_ms: u64,
    /// What is held for it.
    pub locked: u128,
    /// What the provider has got.
    pub provider_paid: u128,
    /// What the requester has got back.
    pub requester_paid: u128,
    /// What the requester gets of the completed part.
    pub deduction: u128,
    /// Who raised the dispute.
    pub raised_by: Option<Side>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Digest of the newest result.
    pub result: Option<Hash>,
    /// Where its log ends.
    pub audit: AuditHead,
}

impl Progress {
    /// An escrow that waits for its money.
    pub const CREATED: Self = Self {
        state: State::Created,
        milestone: 0,
        since_ms: 0,
        locked: 0,
        provider_paid: 0,
        requester_paid: 0,
        deduction: 0,
        raised_by: None,
        ending: None,
        result: None,
        audit: AuditHead::EMPTY,
    };

    /// An escrow whose money, `amount`, is there from the start.
    pub fn funded(amount: u128) -> Self {
        Self { state: State::Funded, locked: amount, ..Self::CREATED }
    }

    /// When the present state times out, in milliseconds; none in a terminal state.
    pub fn due_ms(&self, terms: &Terms) -> Option<u64> {
        match self.state {
            State::Created => Some(terms.fund_by_ms),
            State::Funded => self.part(terms).map(|part| part.1),
            State::Completed => {
                let review_ends = self.since_ms.saturating_add(terms.review_ms);
                match terms.rule {
                    Rule::TimeLocked { release_after_ms } => {
                        Some(release_after_ms.min(review_ends))
                    }
                    _ => Some(review_ends),
                }
            }
            State::Disputed => Some(self.since_ms.saturating_add(terms.dispute_ms)),
            State::Released | State::Refunded | State::Resolved | State::Expired => None,
        }
    }

    /// Which ballots count now.
    pub fn round(&self) -> u8 {
        match self.state {
            State::Disputed | State::Resolved => DISPUTE_ROUND,
            _ => self.milestone,
        }
    }

    /// Amount and deadline of the part in work or completed.
    pub(super) fn part(&self, terms: &Terms) -> Option<(u128, u64)> {
        let part = terms.milestones.get(usize::from(self.milestone))?;
        Some((part.amount, part.complete_by_ms))
    }

    /// The escrow as others see it.
    pub fn summary(&self, terms: &Terms, operator: Option<Account>) -> Summary {
        Summary {
            state: self.state,
            milestone: self.milestone,
            requester: terms.requester,
            provider: terms.provider,
            token: terms.token,
            // Checked at creation.
            amount: terms.amount().unwrap_or_default(),
            locked: self.locked,
            provider_paid: self.provider_paid,
            requester_paid: self.requester_paid,
            due_ms: self.due_ms(terms),
            raised_by: self.raised_by,
            ending: self.ending,
            operator,
            result: self.result,
            audit_len: self.audit.len,
            audit_head: self.audit.digest,
        }
    }
}

//! The part of an escrow that changes.

use super::{AuditHead, Ending, Milestone, Rule, Side, State, Summary, Terms};
use crate::hash::Digest;
use crate::Account;
use parity_scale_codec::{Decode, Encode};

/// A part has rounds of ballots before its completion, after it, and in a dispute.
const ROUNDS: u8 = 3;

/// The part of an escrow that changes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// The part in work or completed, from 0.
    pub milestone: u8,
    /// When it was completed, disputed or ended, in milliseconds.
    pub since_ms: u64,
    /// How long disputes lasted so far, each as long as it may at most: by that much the deadlines
    /// of parts have moved, in ms.
    pub moved_ms: u64,
    /// When silence would have paid the part over which a dispute was raised last, in milliseconds.
    pub silent_until_ms: u64,
    /// What is held for it.
    pub locked: u128,
    /// What the provider has got.
    pub provider_paid: u128,
    /// What the requester has got back.
    pub requester_paid: u128,
    /// What the requester gets of the completed part, as measured.
    pub deduction: u128,
    /// What he gets of it if a dispute falls back, as reported.
    pub reported: u128,
    /// What whoever raised the dispute has deposited for the arbitrators.
    pub deposit: u128,
    /// Who raised the newest dispute.
    pub raised_by: Option<Side>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Digest of the newest result.
    pub result: Option<Digest>,
    /// Where its log ends.
    pub audit: AuditHead,
}

impl Progress {
    /// An escrow that waits for its money.
    pub const CREATED: Self = Self {
        state: State::Created,
        milestone: 0,
        since_ms: 0,
        moved_ms: 0,
        silent_until_ms: 0,
        locked: 0,
        provider_paid: 0,
        requester_paid: 0,
        deduction: 0,
        reported: 0,
        deposit: 0,
        raised_by: None,
        ending: None,
        result: None,
        audit: AuditHead::NONE,
    };

    /// An escrow whose money, `amount`, is there from the start.
    pub fn funded(amount: u128) -> Self {
        Self { state: State::Funded, locked: amount, ..Self::CREATED }
    }

    /// When the present state times out, in milliseconds; none in a terminal state.
    pub fn due_ms(&self, terms: &Terms) -> Option<u64> {
        match self.state {
            State::Created => Some(terms.fund_by_ms),
            State::Funded => {
                self.milestone(terms).map(|part| part.complete_by_ms.saturating_add(self.moved_ms))
            }
            State::Completed => {
                let review_ends = self.since_ms.saturating_add(terms.review_ms);
                match terms.rule {
                    Rule::TimeLocked { release_after_ms } => {
                        Some(release_after_ms.max(review_ends))
                    }
                    _ => Some(review_ends),
                }
            }
            // Not before silence would have paid: no dispute opens a lock or cuts a review short.
            State::Disputed => {
                Some(self.since_ms.saturating_add(terms.dispute_ms).max(self.silent_until_ms))
            }
            State::Released | State::Refunded | State::Resolved | State::Expired => None,
        }
    }

    /// Which ballots count now: those of a part before its completion, after it, or in a dispute
    /// over it.
    pub fn round(&self) -> u8 {
        let stage = match self.state {
            State::Completed | State::Released => 1,
            State::Disputed | State::Resolved => 2,
            _ => 0,
        };
        // At most 15 parts come before.
        self.milestone.saturating_mul(ROUNDS).saturating_add(stage)
    }

    /// The part in work or completed.
    pub(super) fn milestone(&self, terms: &Terms) -> Option<Milestone> {
        terms.milestones.get(usize::from(self.milestone)).copied()
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
            since_ms: self.since_ms,
            operator,
            result: self.result,
            audit_len: self.audit.len,
            audit_head: self.audit.digest,
        }
    }
}

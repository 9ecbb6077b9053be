//! The rules of an escrow: terms, states, deadlines, decisions, votes (requirement 001-escrow).
//!
//! All amounts are in the smallest unit of the escrow's token, all times in milliseconds since
//! 1970. Exactly at a deadline the timeout side wins.

mod act;
mod audit;
mod error;
mod limits;
mod machine;
mod progress;
mod signed;
mod terms;
#[cfg(test)]
mod tests;

pub use act::{Act, Action, Ballot, Case, Evidence, Papers, Payout};
pub use audit::{chain, detail, terms_digest, AuditEntry, AuditHead};
pub use error::{EscrowError, TermsError};
pub use limits::{Limits, Range, MAX_TERM_MS, MAX_WINDOW_MS};
pub use machine::fee_shares;
pub use progress::Progress;
pub use signed::SignedDecision;

use crate::hash::Digest;
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The most arbitrators of an escrow.
pub const MAX_ARBITRATORS: usize = 15;
/// The most parts of an escrow.
pub const MAX_MILESTONES: usize = 16;
/// The most pieces of evidence that one side may bring.
pub const MAX_EVIDENCE: u8 = 8;
/// The longest content identifier, in bytes.
pub const MAX_CID_LEN: usize = 96;
/// The most audit entries that one call returns.
pub const MAX_PAGE: u32 = 50;
/// The highest fee of arbitrators, in basis points of the part in dispute.
pub const MAX_FEE_BPS: u16 = 500;

/// Who may move the money out, when there is no dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Rule {
    /// One decision, in favour of the other side: the requester releases, the provider refunds.
    Single,
    /// The same decision of both parties.
    BothParties,
    /// The same decision of as many arbitrators as the panel requires.
    Arbitrators,
    /// A lock: completed work is released by anybody once both this time and the review are over,
    /// and the requester may object until then. Before, as `BothParties`.
    TimeLocked {
        /// From when on.
        release_after_ms: u64,
    },
}

/// The arbitrators: of every dispute, and of each decision under [`Rule::Arbitrators`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Panel {
    /// How many must agree: more than half of the members; 0 for an empty panel.
    pub required: u8,
    /// Distinct accounts, no party among them, at most [`MAX_ARBITRATORS`]. With none, a dispute
    /// ends by its deadline only.
    pub members: Vec<Account>,
    /// What whoever raises a dispute deposits for those whose votes decide it, in basis points of
    /// the part, at most [`MAX_FEE_BPS`]; 0 for an empty panel.
    pub fee_bps: u16,
}

impl Panel {
    /// Nobody: what is not decided by the parties ends by its deadline.
    pub const NONE: Self = Self { required: 0, members: Vec::new(), fee_bps: 0 };
}

/// A part of the job, paid by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Milestone {
    /// What it pays; not 0.
    pub amount: u128,
    /// Until when it must be completed; otherwise all that is left is refunded. Moves by the time
    /// that disputes over earlier parts took, by each at most [`Terms::dispute_ms`].
    pub complete_by_ms: u64,
}

/// A part, before or after its completion: what a decision is about. What was said before a
/// completion does not count after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Part {
    /// Which, from 0.
    pub milestone: u8,
    /// Whether it is completed.
    pub completed: bool,
}

/// What happens to the completed part when a dispute that the provider raised is not decided in
/// time. One that the requester raised pays the part then: nobody gains by his own dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Fallback {
    /// All that is left goes back to the requester.
    Refund,
    /// The part goes to the provider, less its penalties.
    Release,
    /// The provider gets this share of what the penalties leave, rounded down, the requester the
    /// rest of the part. A share of 0 is a refund.
    Split {
        /// The provider's part in basis points, at most 10,000.
        provider_bps: u16,
    },
}

/// What two parties agree on. Fixed at creation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Terms {
    /// Who pays.
    pub requester: Account,
    /// Who works; not the requester.
    pub provider: Account,
    /// The PSP22 contract of the money.
    pub token: Account,
    /// The parts, 1 to [`MAX_MILESTONES`], paid one after the other. The time for each counts from
    /// the latest release of the one before and lies within [`Limits::completion`]: a silent
    /// requester does not use it up.
    pub milestones: Vec<Milestone>,
    /// Who may release.
    pub rule: Rule,
    /// Who decides disputes.
    pub panel: Panel,
    /// Until when it must be funded; otherwise it expires.
    pub fund_by_ms: u64,
    /// How long after each completion the requester may object at least; then it is released. In
    /// ms, within [`Limits::review`].
    pub review_ms: u64,
    /// How long after it was raised a dispute may last; then the fallback applies, but not before
    /// the part would have been released without it. In ms, within [`Limits::dispute`].
    pub dispute_ms: u64,
    /// What applies then.
    pub fallback: Fallback,
    /// Digest of what is to be done.
    pub job: Digest,
}

/// Where an escrow stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum State {
    /// Agreed; no money yet.
    Created,
    /// The money is locked; the next part is in work.
    Funded,
    /// A part is completed; the requester looks at it.
    Completed,
    /// The arbitrators decide.
    Disputed,
    /// Ended: the last part was paid, or settled.
    Released,
    /// Ended: what was left went back.
    Refunded,
    /// Ended by a dispute.
    Resolved,
    /// Ended without having been funded.
    Expired,
}

/// A decision outside of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Decision {
    /// Pays the part that is in work or completed to the provider.
    Release,
    /// Gives all that is left back to the requester.
    Refund,
}

/// An arbitrator's vote in a dispute, about the part in dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Verdict {
    /// The part to the provider.
    Release,
    /// All that is left to the requester; so is a split that gives the provider nothing.
    Refund,
    /// To both; the sum is the part.
    Split {
        /// The provider's share.
        provider_share: u128,
        /// The requester's share.
        requester_share: u128,
    },
}

/// One of the two parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Side {
    /// Who pays.
    Requester,
    /// Who works.
    Provider,
}

/// How an escrow came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Ending {
    /// By decision of those whom the rule names.
    Decided,
    /// A deadline passed: funding, completion or review.
    TimedOut,
    /// By the arbitrators' votes in a dispute.
    Voted {
        /// What they gave the provider, penalties included; 0 for a refund.
        provider_share: u128,
    },
    /// The dispute was not decided in time.
    FellBack,
    /// By the operator's settlement.
    Settled,
}

/// An escrow as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Summary {
    /// Where it stands.
    pub state: State,
    /// The part in work or completed, from 0.
    pub milestone: u8,
    /// Who pays.
    pub requester: Account,
    /// Who works.
    pub provider: Account,
    /// The PSP22 contract of the money.
    pub token: Account,
    /// The sum of all parts.
    pub amount: u128,
    /// What the contract holds for it now.
    pub locked: u128,
    /// What the provider has got.
    pub provider_paid: u128,
    /// What the requester has got back.
    pub requester_paid: u128,
    /// When the present state times out; none in a terminal state.
    pub due_ms: Option<u64>,
    /// Who raised the newest dispute, if there was one.
    pub raised_by: Option<Side>,
    /// How it ended, if it has.
    pub ending: Option<Ending>,
    /// When it was completed, disputed or ended, in milliseconds; 0 before.
    pub since_ms: u64,
    /// The contract that runs it, if one does.
    pub operator: Option<Account>,
    /// Digest of the newest result.
    pub result: Option<Digest>,
    /// Entries of the audit log.
    pub audit_len: u32,
    /// Digest of the newest of them.
    pub audit_head: Digest,
}

/// Money that an operator holds ready for an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Reserve {
    /// Whose money it is.
    pub owner: Account,
    /// The contract that may spend it.
    pub operator: Account,
    /// The PSP22 contract.
    pub token: Account,
    /// What is left of it.
    pub balance: u128,
    /// Whether it is closed: nothing is drawn from it or comes back to it any more.
    pub closed: bool,
}

/// What an account has of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Holdings {
    /// What it holds at the token contract and can spend.
    pub available: u128,
    /// What the escrow contract holds of it: reserves, escrows that it funds, deposits of disputes.
    pub locked: u128,
    /// What the token refused to pay out to it, or arbitrators earned: `claim` pays it.
    pub credit: u128,
}

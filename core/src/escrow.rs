//! The rules of an escrow: terms, states, deadlines, decisions, votes (seed 001).
//!
//! All amounts are in the smallest unit of the escrow's token, all times in milliseconds since
//! 1970. Exactly at a deadline the timeout side wins.

mod act;
mod audit;
mod error;
mod machine;
mod progress;
mod signed;
mod terms;
#[cfg(test)]
mod tests;

pub use act::{Act, Action, Ballot, Case, Evidence, Papers, Payout};
pub use audit::{chain, detail, terms_digest, AuditEntry, AuditHead};
pub use error::{EscrowError, TermsError};
pub use progress::{Progress, DISPUTE_ROUND};
pub use signed::SignedDecision;
pub use terms::{MAX_TERM_MS, MAX_WINDOW_MS};

use crate::hash::Hash;
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
    /// Once completed, and from this time on, anybody triggers the release; before as `BothParties`.
    /// The review window counts here too: what comes first.
    TimeLocked {
        /// From when on.
        release_after_ms: u64,
    },
}

/// The arbitrators: of every dispute, and of each decision under [`Rule::Arbitrators`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Panel {
    /// How many must agree: 1 to the number of members; 0 for an empty panel.
    pub required: u8,
    /// Distinct accounts, no party among them, at most [`MAX_ARBITRATORS`]. With none, a dispute
    /// ends by its deadline only.
    pub members: Vec<Account>,
}

/// A part of the job, paid by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Milestone {
    /// What it pays; not 0.
    pub amount: u128,
    /// Until when it must be completed; otherwise all that is left is refunded.
    pub complete_by_ms: u64,
}

/// What happens to the money when a dispute is not decided in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Fallback {
    /// All that is left goes back to the requester.
    Refund,
    /// All that is left goes to the provider.
    Release,
    /// The provider gets this part, rounded down, the requester the rest.
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
    /// The parts, 1 to [`MAX_MILESTONES`], paid one after the other. Each deadline lies at least
    /// `review_ms` after the one before: a silent requester does not use up the time for the next.
    pub milestones: Vec<Milestone>,
    /// Who may release.
    pub rule: Rule,
    /// Who decides disputes.
    pub panel: Panel,
    /// Until when it must be funded; otherwise it expires.
    pub fund_by_ms: u64,
    /// How long after each completion the requester may object; then it is released. In ms.
    pub review_ms: u64,
    /// How long after it was raised a dispute may last; then the fallback applies. In ms.
    pub dispute_ms: u64,
    /// What applies then.
    pub fallback: Fallback,
    /// Digest of what is to be done.
    pub job: Hash,
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
    /// Ended: the last part was paid, or a settlement paid something to the provider.
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

/// An arbitrator's vote in a dispute, about all that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Verdict {
    /// All to the provider.
    Release,
    /// All to the requester.
    Refund,
    /// To both; the sum is all that is left.
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
    Voted,
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
    /// Who raised the dispute, if there was one.
    pub raised_by: Option<Side>,
    /// How it ended, if it has.
    pub ending: Option<Ending>,
    /// The contract that runs it, if one does.
    pub operator: Option<Account>,
    /// Digest of the newest result.
    pub result: Option<Hash>,
    /// Entries of the audit log.
    pub audit_len: u32,
    /// Digest of the newest of them.
    pub audit_head: Hash,
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
}

/// What an account has of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Holdings {
    /// What it holds at the token contract and can spend.
    pub available: u128,
    /// What the escrow contract holds of it: reserves, and escrows that it funds.
    pub locked: u128,
}

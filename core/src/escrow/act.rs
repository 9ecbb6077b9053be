//! What can be done to an escrow, and what goes with it.

use super::{Decision, Part, Side, Terms, Verdict};
use crate::hash::Digest;
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// What somebody does to an escrow, with all that he says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Act {
    /// Agrees on terms with this digest.
    Create(Digest),
    /// Makes an escrow of terms with this digest from a reserve.
    Draw {
        /// The number of the reserve.
        reserve: u64,
        /// The digest of the terms.
        terms: Digest,
    },
    /// Locks the money of terms with this digest.
    Fund(Digest),
    /// Delivers a part.
    Complete {
        /// Which.
        milestone: u8,
        /// The digest of the result.
        result: Digest,
    },
    /// The operator says that the provider has delivered a part.
    CompleteFor {
        /// Which.
        milestone: u8,
        /// The digest of the result.
        result: Digest,
        /// What the requester gets of the part.
        deduction: u128,
    },
    /// Decides by a transaction.
    Decide {
        /// About what.
        part: Part,
        /// The decision.
        decision: Decision,
    },
    /// Decides by a signature that somebody else brings.
    DecideSigned {
        /// About what.
        part: Part,
        /// The decision.
        decision: Decision,
        /// The number of the signature.
        nonce: u64,
    },
    /// Raises a dispute over a completed part.
    Raise {
        /// Which.
        milestone: u8,
        /// Content identifiers of evidence.
        evidence: Vec<Vec<u8>>,
    },
    /// Adds a piece of evidence.
    AddEvidence(Vec<u8>),
    /// The operator says what a part in dispute missed.
    Report {
        /// Which.
        milestone: u8,
        /// What the requester gets of it if nobody decides.
        deduction: u128,
    },
    /// Votes in a dispute.
    Vote {
        /// Over which part.
        milestone: u8,
        /// The vote.
        verdict: Verdict,
    },
    /// Applies a deadline that has passed.
    Expire,
    /// The operator pays all that is left, this much of it to the provider.
    Settle(u128),
}

/// The kind of an [`Act`], as the log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Action {
    /// Terms were agreed.
    Created,
    /// An operator made it from a reserve.
    Drawn,
    /// The money was locked.
    Funded,
    /// A part was delivered.
    Completed,
    /// Somebody whom the rule names decided.
    Decided,
    /// The same by a signature.
    DecidedSigned,
    /// A party raised a dispute.
    Disputed,
    /// A party added evidence.
    EvidenceAdded,
    /// The operator said what was missed.
    Reported,
    /// An arbitrator voted.
    Voted,
    /// A deadline that had passed was applied.
    Expired,
    /// The operator settled.
    Settled,
}

impl Act {
    /// Its kind.
    pub fn action(&self) -> Action {
        match self {
            Self::Create(_) => Action::Created,
            Self::Draw { .. } => Action::Drawn,
            Self::Fund(_) => Action::Funded,
            Self::Complete { .. } | Self::CompleteFor { .. } => Action::Completed,
            Self::Decide { .. } => Action::Decided,
            Self::DecideSigned { .. } => Action::DecidedSigned,
            Self::Raise { .. } => Action::Disputed,
            Self::AddEvidence(_) => Action::EvidenceAdded,
            Self::Report { .. } => Action::Reported,
            Self::Vote { .. } => Action::Voted,
            Self::Expire => Action::Expired,
            Self::Settle(_) => Action::Settled,
        }
    }

    /// Whether it needs the ballots of the round.
    pub fn is_ballot(&self) -> bool {
        matches!(self, Self::Decide { .. } | Self::DecideSigned { .. } | Self::Vote { .. })
    }

    /// Whether it needs the evidence.
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::Raise { .. } | Self::AddEvidence(_))
    }
}

/// Who acts on what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The terms.
    pub terms: &'a Terms,
    /// The contract that runs the escrow, if one does.
    pub operator: Option<Account>,
    /// Who acts.
    pub actor: Account,
    /// The block's time, in milliseconds.
    pub now_ms: u64,
}

/// A decision or a vote that waits for others to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Ballot {
    /// Whose it is.
    pub by: Account,
    /// What he wants.
    pub verdict: Verdict,
}

/// A piece of evidence in a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Evidence {
    /// Who brought it.
    pub by: Side,
    /// Where it is: a content identifier.
    pub cid: Vec<u8>,
}

/// What is kept beside an escrow and only some acts need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Papers {
    /// The ballots of [`Progress::round`].
    pub ballots: Vec<Ballot>,
    /// The evidence of both sides about the part in dispute.
    pub evidence: Vec<Evidence>,
}

/// What moves now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Payout {
    /// To the provider.
    pub provider: u128,
    /// To the requester.
    pub requester: u128,
    /// The arbitrators' fee: deposited with a dispute, and at its end given to those who decided it,
    /// or back if nobody did.
    pub fee: u128,
}

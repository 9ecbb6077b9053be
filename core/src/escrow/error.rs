//! Why an escrow refuses.

use parity_scale_codec::{Decode, Encode};

/// Why a message of the escrow is refused. An error changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum EscrowError {
    /// There is no escrow, or no reserve, of this number.
    NotFound,
    /// The caller has no part in this.
    NotAllowed,
    /// The token contract refused to move the money: balance or allowance do not suffice. Or
    /// another amount than this came in.
    TokenRefused,
    /// The reserve holds less than that.
    ReserveTooSmall,
    /// Not in the state that the escrow is in.
    WrongState,
    /// The escrow stands at another part, or this one is (or is not yet) completed.
    WrongPart,
    /// The escrow has other terms.
    OtherTerms,
    /// The deadline of the state has passed; the timeout has precedence.
    TooLate,
    /// No deadline has passed.
    NotDue,
    /// An amount of zero, a deduction above the part, or shares that are not the part.
    WrongAmount,
    /// No escrow can be made of these terms.
    Terms(TermsError),
    /// A side brings more than [`crate::escrow::MAX_EVIDENCE`] pieces.
    TooMuchEvidence,
    /// A content identifier is empty or longer than [`crate::escrow::MAX_CID_LEN`].
    WrongCid,
    /// The signed decision is not valid any more.
    SignatureExpired,
    /// A decision of this signer with this number or a higher one has counted already.
    StaleNonce,
    /// Not the signer's signature under this decision.
    BadSignature,
}

/// Why terms make no escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum TermsError {
    /// Requester and provider are one, or one of them is the account of zeros.
    WrongParty,
    /// No part, or more than [`crate::escrow::MAX_MILESTONES`].
    WrongMilestones,
    /// A part pays nothing, or the sum exceeds `u128::MAX`.
    WrongAmount,
    /// A deadline has passed or lies too far ahead, or a part has less or more time than the
    /// deployment permits.
    WrongDeadline,
    /// A review or dispute shorter or longer than the deployment permits.
    WrongWindow,
    /// Too many arbitrators, one listed twice, a party or the account of zeros among them, not
    /// listed / 2 < required ≤ listed, or a fee above [`crate::escrow::MAX_FEE_BPS`].
    WrongPanel,
    /// More than 10,000 basis points.
    WrongFallback,
}

impl From<TermsError> for EscrowError {
    fn from(error: TermsError) -> Self {
        Self::Terms(error)
    }
}

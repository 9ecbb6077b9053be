//! Compute requests, offers, first-accept auctions, the effective price (requirements 001-2, 001-10, 002-first-accept).
//!
//! Prices and bonds are in the smallest unit of the market's token, per compute unit; all times
//! in milliseconds since 1970, all durations in milliseconds. Exactly at a deadline the timeout
//! side wins.
//!
//! | module | what it holds |
//! |---|---|
//! | [`limits`] | what is accepted as a request, an offer, a report |
//! | [`consent`] | what an offer agrees to |
//! | [`matching`] | the auction's state, who qualifies, at which price, who waits in line |
//! | [`ending`] | how an assignment ends and what follows from it |

use crate::escrow::{Fallback, Panel};
use crate::hash::Digest;
use crate::name::Name;
use crate::sla::{Sla, Violations};
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

pub mod consent;
pub mod ending;
pub mod limits;
pub mod matching;

pub use consent::Consent;
pub use ending::{Consequences, Status};
pub use limits::InvalidTerms;
pub use matching::{AuctionStatus, Standing, Success, Unqualified, Waiting};

/// `a · b`, at most 2^128−1. Not inlined: a product of 128-bit numbers that looks for overflow is
/// a quarter of a kilobyte of a contract.
#[inline(never)]
pub(crate) fn times(a: u128, b: u64) -> u128 {
    a.saturating_mul(u128::from(b))
}

/// `⌊a / b⌋` for `b` up to 2^127; none for 0. Digit by digit: the compiler's own division of 128-bit
/// numbers is more than a kilobyte of a contract.
#[inline(never)]
pub(crate) fn div_floor(a: u128, b: u128) -> Option<u128> {
    if b == 0 {
        return None;
    }
    // The digits of `a` leave at the top while those of the quotient come in at the bottom.
    let (mut digits, mut rest) = (a, 0u128);
    for _ in 0..u128::BITS {
        rest = rest << 1 | digits >> 127;
        digits <<= 1;
        if let Some(less) = rest.checked_sub(b) {
            rest = less;
            digits |= 1;
        }
    }
    Some(digits)
}

/// Fixed when the market is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Parameters {
    /// How long after a request accepts only wait in line, by reputation; 0 to 60,000 ms. With 0
    /// nothing ever waits.
    pub priority_ms: u64,
    /// Points of reputation that one violation of a service level costs.
    pub violation_points: u32,
    /// A job that is started in less than this earns the points of a fast response.
    pub fast_response_ms: u64,
    /// What hand-over, response and execution get beside their own times: four blocks or more, so
    /// that who is in time is not late by a block. [`limits::MIN_SLACK_MS`] to
    /// [`limits::MAX_SLACK_MS`].
    pub slack_ms: u64,
    /// How long after the hand-over (which is the assignment, where the payload is public) a job
    /// may be handed back without a mark, but at most half of its time.
    /// [`limits::MIN_HAND_BACK_MS`] to [`limits::MAX_SLACK_MS`].
    pub hand_back_ms: u64,
}

/// A request or an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Order {
    /// The request of this number.
    Request(u64),
    /// The offer of this number.
    Offer(u64),
}

/// Who gets to see what is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Privacy {
    /// Everybody.
    Public {
        /// Where the payload lies: 1 to [`crate::escrow::MAX_CID_LEN`] bytes.
        payload: Vec<u8>,
    },
    /// The assigned provider, by a hand-over.
    Private {
        /// [`crate::privacy::commitment`] of the encrypted payload's place.
        commitment: Digest,
    },
    /// As private, and only certain providers.
    Confidential {
        /// [`crate::privacy::commitment`] of the encrypted payload's place.
        commitment: Digest,
        /// The committee must have attested this capability to the provider …
        capability: Name,
        /// … or he stands here; at most [`limits::MAX_ALLOWED`].
        allowed: Vec<Account>,
    },
}

/// What a requester asks for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Request {
    /// What kind of work it is.
    pub task_type: Name,
    /// Compute units; 1 to [`limits::MAX_UNITS`].
    pub units: u64,
    /// The least units of an assignment, if that is less than an equal part of what is left.
    pub min_units: Option<u64>,
    /// How long the execution may take before it violates the service level; not 0.
    pub max_duration_ms: u64,
    /// How long after the assignment a private payload is handed over at the latest; 0 if it is
    /// public. The time for the job runs from then: see [`Request::complete_within_ms`].
    pub hand_over_within_ms: u64,
    /// What the provider must be able to; ascending, none twice, at most
    /// [`limits::MAX_CAPABILITIES`].
    pub capabilities: Vec<Name>,
    /// The least points of reputation.
    pub min_reputation: Option<u32>,
    /// Who gets to see what is to be done.
    pub privacy: Privacy,
    /// The most that is paid per unit; 1 to [`limits::MAX_PRICE`].
    pub max_price: u128,
    /// The least bond of the offer per unit; at most [`limits::MAX_PRICE`].
    pub min_bond: u128,
    /// The service level, if there is one.
    pub sla: Option<Sla>,
    /// Until when it may match; after the time of the call and of the waiting line.
    pub deadline_ms: u64,
    /// Who decides disputes.
    pub panel: Panel,
    /// How long after completion the requester may object; then the provider is paid.
    pub review_ms: u64,
    /// How long a dispute may last.
    pub dispute_ms: u64,
    /// What happens to the money when a dispute of the provider's is not decided in time.
    pub fallback: Fallback,
}

/// What a provider offers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Offer {
    /// What kind of work he does.
    pub task_type: Name,
    /// Compute units; 1 to [`limits::MAX_UNITS`].
    pub units: u64,
    /// The least units of an assignment, or all that is left of the offer, if that is less: so that
    /// there are never more assignments than he can serve. 1 to `units`.
    pub min_units: u64,
    /// What he asks per unit; 1 to [`limits::MAX_PRICE`].
    pub price: u128,
    /// What he is able to; ascending, none twice, at most [`limits::MAX_CAPABILITIES`].
    pub capabilities: Vec<Name>,
    /// What he loses per unit that he does not do in time; 0 to [`limits::MAX_PRICE`].
    pub bond: u128,
    /// Until when it may match; after the time of the call.
    pub expires_ms: u64,
    /// His X25519 key, to which keys of private payloads are sealed; not zeros.
    pub payload_key: [u8; 32],
    /// With a figure, a requester may take the offer without asking again, as long as the
    /// effective price is not below it. With none, only the provider himself accepts.
    pub firm_from: Option<u128>,
    /// What requests may ask of him.
    pub consent: Consent,
}

/// A request in the market.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct RequestRecord {
    /// Who asks and pays.
    pub requester: Account,
    /// What for.
    pub terms: Request,
    /// Number of the escrow contract's reserve.
    pub reserve: u64,
    /// What is left in it; 0 once closed.
    pub budget: u128,
    /// When it came.
    pub created_ms: u64,
    /// Units that nobody has taken, or that came back.
    pub left: u64,
    /// Places that are taken.
    pub assigned: u8,
    /// How many of them have not ended.
    pub running: u8,
    /// By how much the auction's end has moved, because units were away and came back. In ms. The
    /// end lies as far after their return as it lay after their assignment, whatever else was away.
    pub moved_ms: u64,
    /// Cancelled or closed: matches no more, and the rest of the reserve was returned.
    pub closed: bool,
    /// Who waits, best first; at most [`limits::MAX_LINE`].
    pub line: Vec<Waiting>,
}

/// An offer in the market.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct OfferRecord {
    /// Who offers.
    pub provider: Account,
    /// What.
    pub terms: Offer,
    /// Number of the escrow contract's reserve for the bond; 0 without a bond.
    pub reserve: u64,
    /// Units that nobody has taken yet; 0 once closed.
    pub left: u64,
    /// Cancelled or closed: matches no more, and the bond of what was left was returned.
    pub closed: bool,
}

/// Units of a request that a provider does.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Assignment {
    /// The request.
    pub request: u64,
    /// The offer.
    pub offer: u64,
    /// Who pays.
    pub requester: Account,
    /// Who works.
    pub provider: Account,
    /// The escrow that holds `price · units`.
    pub escrow: u64,
    /// Compute units.
    pub units: u64,
    /// The effective price per unit, as agreed.
    pub price: u128,
    /// Where it stands.
    pub status: Status,
    /// When it was assigned.
    pub assigned_ms: u64,
    /// How long the request's auction had to run then, in ms.
    pub auction_left_ms: u64,
    /// Until when the result must be there. Earlier than the escrow's deadline if a private payload
    /// was handed over before the last moment.
    pub complete_by_ms: u64,
    /// Since when the provider can start: the assignment, or the hand-over of a private payload.
    pub ready_ms: u64,
    /// When he started.
    pub started_ms: Option<u64>,
    /// When he delivered the result.
    pub completed_ms: Option<u64>,
    /// When it ended; undelivered at its deadline, then, whenever somebody says so.
    pub ended_ms: Option<u64>,
    /// What service levels were missed.
    pub violations: Violations,
    /// What the provider got in the end.
    pub paid: u128,
    /// Whether the requester has given his stars.
    pub rated_by_requester: bool,
    /// Whether the provider has given his stars.
    pub rated_by_provider: bool,
}

/// What the assigned provider needs to get at a private payload.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct HandOver {
    /// Where the encrypted payload lies; 1 to [`crate::escrow::MAX_CID_LEN`] bytes.
    pub cid: Vec<u8>,
    /// What the commitment was salted with.
    pub salt: [u8; 32],
    /// The payload's key, sealed to the offer's `payload_key`: [`limits::SEALED_KEY_LEN`] bytes.
    pub sealed_key: Vec<u8>,
}

#[cfg(test)]
mod tests;

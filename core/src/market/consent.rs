//! What an offer agrees to: whoever is bound by a request could agree to all that binds him.

use super::limits::{ensure, WHOLE_BPS};
use super::{times, InvalidTerms, Request, Unqualified};
use crate::escrow::Range;
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The most arbitrators that an offer accepts.
pub const MAX_ACCEPTED: usize = 32;

/// What a provider agrees to. A request outside of it does not get the offer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Consent {
    /// How long he waits for the requester's objections.
    pub review: Range,
    /// How long he waits for a dispute's end.
    pub dispute: Range,
    /// The most that all penalties of the service level may take together, in basis points of the
    /// assignment's price.
    pub max_penalty_bps: u16,
    /// The least time to respond, if there is a service level. In ms.
    pub min_response_ms: u64,
    /// The least time to work. In ms.
    pub min_duration_ms: u64,
    /// The most time for hand-over, response and work together: for so long a place of the provider
    /// and his bond may be bound, beside the slack. In ms.
    pub max_time_ms: u64,
    /// Whom he accepts as arbitrators; at most [`MAX_ACCEPTED`].
    pub arbitrators: Vec<Account>,
    /// How many of them must agree at least. With 0 a request needs no arbitrators at all.
    pub min_required: u8,
    /// The most that arbitrators may cost who raises a dispute, in basis points.
    pub max_fee_bps: u16,
}

impl Consent {
    /// Whether it may stand in an offer.
    ///
    /// # Errors
    /// [`InvalidTerms::Duration`], [`InvalidTerms::BasisPoints`], [`InvalidTerms::Accounts`].
    pub fn check(&self) -> Result<(), InvalidTerms> {
        let ranges = [self.review, self.dispute];
        let ordered = ranges.iter().all(|range| range.least_ms <= range.most_ms);
        ensure(ordered && self.min_duration_ms <= self.max_time_ms, InvalidTerms::Duration)?;
        ensure(self.max_penalty_bps <= WHOLE_BPS, InvalidTerms::BasisPoints)?;
        let people =
            self.arbitrators.len() <= MAX_ACCEPTED && !self.arbitrators.contains(&Account::NOBODY);
        ensure(people, InvalidTerms::Accounts)
    }

    /// Whether it covers an assignment of this request that pays `amount`.
    ///
    /// # Errors
    /// [`Unqualified`]: what it does not agree to.
    pub fn covers(&self, request: &Request, amount: u128) -> Result<(), Unqualified> {
        if !self.review.contains(request.review_ms) {
            return Err(Unqualified::ReviewTime);
        }
        if !self.dispute.contains(request.dispute_ms) {
            return Err(Unqualified::DisputeTime);
        }
        let mut agreed = request.max_duration_ms >= self.min_duration_ms
            && request.time_ms() <= self.max_time_ms;
        if let Some(sla) = &request.sla {
            agreed = agreed && sla.max_response_ms >= self.min_response_ms;
            let most = sla.most_penalty(amount);
            // Amounts are below 10^34.
            if times(most, WHOLE_BPS.into()) > times(amount, self.max_penalty_bps.into()) {
                return Err(Unqualified::Penalty);
            }
        }
        if !agreed {
            return Err(Unqualified::WorkTime);
        }
        let panel = &request.panel;
        let accepted = panel.required >= self.min_required
            && panel.fee_bps <= self.max_fee_bps
            && panel.members.iter().all(|member| self.arbitrators.contains(member));
        if !accepted {
            return Err(Unqualified::Arbitrators);
        }
        Ok(())
    }
}

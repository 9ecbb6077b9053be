//! What a deployment permits.

use super::TermsError;
use parity_scale_codec::{Decode, Encode};

/// How far ahead a deadline may lie, in milliseconds: ten years.
pub const MAX_TERM_MS: u64 = 3_653 * 86_400_000;
/// The longest review or dispute, in milliseconds: a year.
pub const MAX_WINDOW_MS: u64 = 366 * 86_400_000;

/// From the least to the most, both included, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Range {
    /// The least.
    pub least_ms: u64,
    /// The most.
    pub most_ms: u64,
}

impl Range {
    /// Whether it is a range of at least 1 and at most `most_ms`.
    pub fn is_within(&self, most_ms: u64) -> bool {
        1 <= self.least_ms && self.least_ms <= self.most_ms && self.most_ms <= most_ms
    }

    /// Whether a time lies in it.
    pub fn contains(&self, ms: u64) -> bool {
        self.least_ms <= ms && ms <= self.most_ms
    }
}

/// The bounds of all terms, fixed when the contract is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Limits {
    /// Of [`super::Terms::review_ms`]; at most [`MAX_WINDOW_MS`].
    pub review: Range,
    /// Of [`super::Terms::dispute_ms`]; at most [`MAX_WINDOW_MS`].
    pub dispute: Range,
    /// Of the time for each part; at most [`MAX_TERM_MS`].
    pub completion: Range,
}

impl Limits {
    /// Whether a contract may be made with these.
    ///
    /// # Errors
    /// [`TermsError::WrongWindow`].
    pub fn check(&self) -> Result<(), TermsError> {
        let windows = self.review.is_within(MAX_WINDOW_MS) && self.dispute.is_within(MAX_WINDOW_MS);
        if windows && self.completion.is_within(MAX_TERM_MS) {
            Ok(())
        } else {
            Err(TermsError::WrongWindow)
        }
    }
}

//! Reputation: points, three metrics, decay towards the start (seeds 001, 002, 003).

use parity_scale_codec::{Decode, Encode};

/// The points that everybody starts with.
pub const START_POINTS: u32 = 50;

/// What the contracts of the market report about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Event {
    /// A job was completed and paid: +10.
    Completed,
    /// Work began quickly: +2.
    FastResponse,
    /// A job was accepted and not done: −20.
    Failed,
    /// A service level was missed: minus the market's penalty points.
    SlaViolated {
        /// How many points.
        points: u32,
    },
    /// The other side's stars, 1 to 5: +5 from 4 on, −10 up to 2.
    Feedback {
        /// 1 to 5.
        stars: u8,
    },
    /// +15.
    DisputeWon,
    /// −25.
    DisputeLost,
    /// A service was down: 0.10 off reliability.
    Downtime,
    /// A service was slow: 0.05 off performance.
    Slow,
    /// A result was wrong: 0.20 off reliability.
    WrongResult,
    /// Resources were claimed that do not exist: 0.5 off fairness.
    FalseProvisioning,
    /// Profits were manipulated: 0.8 off fairness.
    ProfitManipulation,
    /// Collusion: 1.0 off fairness.
    Collusion,
}

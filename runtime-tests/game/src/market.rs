//! Roles at the compute market.

pub mod arbitrators;
pub mod provider;
pub mod requester;
pub mod scene;

/// The market of its tests.
#[allow(clippy::new_without_default)] // a new stage is not a default
#[path = "../../tests/auction/stage.rs"]
pub mod stage;
#[path = "../../tests/auction/states.rs"]
mod states;

/// What a player wants more of: a gain of one must not hide in a loss of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Money, bonds and fees included.
    Money,
    /// Points of reputation.
    Points,
}

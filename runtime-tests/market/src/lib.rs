//! The compute market on the real contracts in an in-process chain.
//!
//! | module | what it holds |
//! |---|---|
//! | [`stage`] | the contracts, deployed, and the people who use them |
//! | [`population`] | people and their wishes, drawn from a seed |
//! | [`economy`] | what they do, round by round |
//! | [`baseline`] | the same people without the mechanism |
//! | [`metrics`] | what came of it, in figures |
//! | [`plot`] | prices over time |
//! | [`model`] | the specification, said again plainly |
//! | [`random`] | random operations on contracts and model |

pub mod baseline;
pub mod economy;
pub mod metrics;
pub mod model;
pub mod plot;
pub mod population;
pub mod random;
pub mod stage;

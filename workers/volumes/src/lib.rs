//! Trading volumes, as the exchange has them at a final block.
//!
//! All who agree on a leaderboard must come to the same volumes. So a leaderboard that has them is
//! of the time of a final block, and its volumes are those that [`Exchange`] reads at that block:
//! figures that nobody can choose and everybody can read again.

mod exchange;
mod find;

pub use exchange::Exchange;
pub use find::{find, FindError, BLOCKS};

use cicada_core::quote::Framework;
use std::collections::BTreeMap;
use std::future::Future;

/// Performance tokens traded in 24 hours, by framework. Frameworks without a market are left out.
pub type Volumes = BTreeMap<Framework, u128>;

/// A chain with an exchange.
pub trait Source: Send + Sync {
    /// Why something cannot be read.
    type Error: std::fmt::Display + Send;

    /// The number of the newest final block.
    fn newest(&self) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// The time of a final block, in milliseconds since 1970; later for each block than for the one
    /// before.
    fn time_ms(&self, block: u64) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// The volumes at a final block, of all frameworks that are listed there.
    fn volumes(&self, block: u64) -> impl Future<Output = Result<Volumes, Self::Error>> + Send;
}

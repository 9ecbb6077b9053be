//! What makes the same code of the same source everywhere. `scripts/build-contracts` takes this file
//! into the digest of the sources: a change here makes every bundle anew.

/// Raise when this program changes in a way that changes bundles.
pub const RECIPE: &str = "cicada-build 2, contract-build 5.0.3, release";
/// Goes into the name of every crate. It decides in which order the compiler lays out functions, and so
/// a few per cent of a contract's size: the best of those tried.
pub const SALT: &str = "cicada71 1";

//! Short names that are compared as bytes: task types, capabilities, quality metrics.

use crate::quote::Framework;

/// 1 to 32 of `a`–`z`, `0`–`9`, `-`, `_`, `.`, starting with a letter or digit.
pub type Name = Framework;

//! The feeds: what the committee can agree on. A new one is a line in the list here, and a module below
//! this one with its value.

use crate::hash::Hasher;
use crate::report::Report;
use alloc::string::String;
use parity_scale_codec::{Decode, Encode};

/// What is said once of a kind.
struct Declared {
    name: &'static str,
    contract: &'static str,
    distance_ms: Option<u64>,
}

// Each line: the kind, its name, the name of the contract that settles it, and, of a feed that the
// nodes agree on among themselves, the least time from one report to the next unless a network's rules say
// otherwise, in milliseconds. The place in the list is the kind's encoding: new ones go to the end.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal at $contract:literal, $distance_ms:expr;)*) => {
        /// What a report is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        #[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
        pub enum ReportKind {
            $($(#[$doc])* $kind,)*
        }

        impl ReportKind {
            /// All of them, in the order of their encoding.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            const fn declared(self) -> Declared {
                match self {
                    $(Self::$kind => Declared {
                        name: $name,
                        contract: $contract,
                        distance_ms: $distance_ms,
                    },)*
                }
            }
        }
    };
}

kinds! {
    /// A ranking of frameworks and their quotes.
    Leaderboard = "leaderboard" at "leaderboard", Some(10_000);
    /// The net asset value of the index.
    Nav = "nav" at "index", Some(10_000);
    /// The next committee.
    Committee = "committee" at "validators", None;
    /// What accounts can do.
    Capability = "capability" at "capabilities", None;
    /// The target weights and prices of the index's basket.
    Basket = "basket" at "index", Some(300_000);
    /// The rewards of an epoch.
    Rewards = "rewards" at "rewards", Some(60_000);
}

impl ReportKind {
    /// What people, files and programs call it.
    pub const fn name(self) -> &'static str {
        self.declared().name
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The name of the contract that settles it.
    pub const fn contract(self) -> &'static str {
        self.declared().contract
    }

    /// The least time from one report to the next unless a network says otherwise, in milliseconds.
    /// None if nodes do not agree on it in their log.
    pub const fn distance_ms(self) -> Option<u64> {
        self.declared().distance_ms
    }
}

/// A value that the committee agrees on: a report, and what its root commits to. Its encoding begins
/// with that of the report.
pub trait FeedValue: Encode + Decode {
    /// What it is about.
    const KIND: ReportKind;

    /// The report to attest.
    fn report(&self) -> &Report;

    /// Checks that the content is that of the report, in a committee of so many seats. Signatures are
    /// not checked.
    ///
    /// # Errors
    /// In words.
    fn check_content<H: Hasher>(&self, seats: u8) -> Result<(), String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_encodings_of_kinds_stay() {
        let kinds = [
            (ReportKind::Leaderboard, "leaderboard", "leaderboard"),
            (ReportKind::Nav, "nav", "index"),
            (ReportKind::Committee, "committee", "validators"),
            (ReportKind::Capability, "capability", "capabilities"),
            (ReportKind::Basket, "basket", "index"),
            (ReportKind::Rewards, "rewards", "rewards"),
        ];
        for (place, (kind, name, contract)) in kinds.into_iter().enumerate() {
            assert_eq!((kind.name(), kind.contract()), (name, contract));
            assert_eq!(ReportKind::named(name), Some(kind));
            assert_eq!(ReportKind::ALL[place], kind);
            assert_eq!(kind.encode(), [place as u8]);
        }
        assert_eq!(ReportKind::named("Nav"), None);
    }
}

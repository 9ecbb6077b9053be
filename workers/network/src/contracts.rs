//! The contracts of a deployment, by name.

use cicada_core::report::ReportKind;
use cicada_core::Account;
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The names of [`ContractName`]: here, in files, and which subcommand of `deploy` makes the contract.
macro_rules! contract_names {
    ($($(#[$doc:meta])* $name:ident = $text:literal by $made_by:literal;)*) => {
        /// A contract that a deployment has at most once. Its bundle has the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each is explained in docs/deployment.md")]
        pub enum ContractName {
            $($(#[$doc])* $name,)*
            /// The contract of a feed that has none of these names.
            Feed(ReportKind),
        }

        impl ContractName {
            /// All that have a name of their own.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// As files write it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Feed(kind) => kind.contract(),
                }
            }

            /// The subcommand of `deploy` that makes it.
            pub fn made_by(self) -> &'static str {
                match self {
                    $(Self::$name => $made_by,)*
                    Self::Feed(_) => "(no subcommand: write its address)",
                }
            }
        }
    };
}

contract_names! {
    /// MMC.
    Token = "token" by "committee";
    Validators = "validators" by "committee";
    Leaderboard = "leaderboard" by "committee";
    Exchange = "exchange" by "exchange";
    /// What providers of the compute market have earned.
    Reputation = "reputation" by "market";
    Capabilities = "capabilities" by "market";
    Escrow = "escrow" by "market";
    Auction = "auction" by "market";
    Index = "index" by "index";
    /// The pool of index token and TAO.
    Pair = "pair" by "index";
    Rewards = "rewards" by "index";
}

impl std::fmt::Display for ContractName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ContractName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let feed = || ReportKind::ALL.iter().copied().find(|kind| kind.contract() == text);
        let known = Self::ALL.into_iter().find(|name| name.as_str() == text);
        known.or_else(|| feed().map(Self::Feed)).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.into_iter().map(Self::as_str).collect();
            format!("no contract is called `{text}`: known are {}", known.join(", "))
        })
    }
}

impl Serialize for ContractName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ContractName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// Where contracts are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contracts(BTreeMap<ContractName, Account>);

impl Contracts {
    /// Those of a chain that nobody asks: their accounts only bind what is signed. For tests and
    /// benchmarks.
    pub fn unasked() -> Self {
        Self::default()
            .with(ContractName::Token, Account([2; 32]))
            .with(ContractName::Validators, Account([3; 32]))
            .with(ContractName::Leaderboard, Account([4; 32]))
    }

    /// The same with one more, or with another one of this name.
    #[must_use]
    pub fn with(mut self, name: ContractName, account: Account) -> Self {
        self.set(name, account);
        self
    }

    /// Where a contract is, if it is deployed.
    pub fn get(&self, name: ContractName) -> Option<Account> {
        self.0.get(&name).copied()
    }

    /// Notes where a contract is.
    pub fn set(&mut self, name: ContractName, account: Account) {
        self.0.insert(name, account);
    }

    /// Forgets a contract.
    pub fn remove(&mut self, name: ContractName) {
        self.0.remove(&name);
    }

    /// All that are deployed.
    pub fn iter(&self) -> impl Iterator<Item = (ContractName, Account)> + '_ {
        self.0.iter().map(|(name, account)| (*name, *account))
    }
}

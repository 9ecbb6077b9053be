//! Who takes part, and in which tokens.

use cicada_core::Account;
use cicada_runtime_tests::{account, AccountId};

/// Seats of the committee.
pub const SEATS: u8 = 23;
/// Operators: who is seated first, and three more.
pub const NODES: u8 = 26;
/// People who trade.
pub const USERS: u8 = 3;
/// Subnet tokens in the basket.
pub const SUBNETS: u8 = 20;

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Owns the contracts.
    Owner,
    /// Holds and trades tokens.
    User(u8),
    /// Operates a node.
    Node(u8),
    /// Has nothing at first and has allowed nothing.
    Stranger,
    /// Gets what is slashed.
    Treasury,
    /// The contract of the index.
    Index,
    /// The contract of the pool.
    Pair,
    /// The contract of the rewards.
    Rewards,
    /// The contract of the committee.
    Validators,
}

impl Who {
    /// The four contracts.
    pub const CONTRACTS: [Self; 4] = [Self::Index, Self::Pair, Self::Rewards, Self::Validators];

    /// All that are no contract.
    pub fn people() -> impl Iterator<Item = Self> {
        let single = [Self::Owner, Self::Stranger, Self::Treasury];
        let users = (0..USERS).map(Self::User);
        single.into_iter().chain(users).chain((0..NODES).map(Self::Node))
    }

    /// The name of a person, by which the harness knows keys.
    pub fn name(self) -> String {
        match self {
            Self::Owner => "alice".into(),
            Self::User(number) => ["bob", "charlie", "dave"][usize::from(number)].into(),
            Self::Node(number) => format!("node-{number}"),
            Self::Stranger => "heidi".into(),
            Self::Treasury => "treasury".into(),
            contract => unreachable!("{contract:?} has no key"),
        }
    }

    /// The account of a person.
    pub fn account(self) -> AccountId {
        account(&self.name())
    }

    /// Whether the contracts may take his tokens.
    pub fn has_approved(self) -> bool {
        matches!(self, Self::Owner | Self::User(_) | Self::Node(_))
    }
}

/// The person with this account.
pub fn person(account: &Account) -> Who {
    let found = Who::people().find(|who| Account::of(&who.account()) == *account);
    found.expect("one of them")
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coin {
    /// Staked, traded, paid as reward.
    Tao,
    /// The index token.
    Tao20,
    /// Shares in the pool.
    Share,
    /// A token of the basket.
    Subnet(u8),
}

impl Coin {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Tao, Self::Tao20, Self::Share].into_iter().chain((0..SUBNETS).map(Self::Subnet))
    }

    /// Who can have some: there is no way by which others could get it.
    pub fn holders(self) -> Vec<Who> {
        let few = [Who::Owner, Who::Stranger].into_iter().chain((0..USERS).map(Who::User));
        let some: Vec<Who> = match self {
            Self::Tao => Who::people().collect(),
            _ => few.collect(),
        };
        some.into_iter().chain(Who::CONTRACTS).collect()
    }
}

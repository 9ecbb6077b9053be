//! What the market tells those who follow it. Topics are what a client filters by.

use cicada_core::escrow::Side;
pub use cicada_core::market::Order;
use cicada_core::market::Status;
use cicada_core::name::Name;
use ink::primitives::AccountId;

/// A request or an offer came; its terms are at `request_of` or `offer_of`.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPlaced {
    /// Which.
    #[ink(topic)]
    pub order: Order,
    /// Who asks or offers.
    #[ink(topic)]
    pub owner: AccountId,
    /// What kind of work it is.
    #[ink(topic)]
    pub task_type: Name,
    /// Compute units.
    pub units: u64,
    /// The most that is paid per unit, or what is asked.
    pub price: u128,
    /// When it ends at the latest.
    pub until_ms: u64,
}

/// A request or an offer matches no more.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderClosed {
    /// Which.
    #[ink(topic)]
    pub order: Order,
    /// Who asked or offered.
    #[ink(topic)]
    pub owner: AccountId,
    /// What he got back of the money, or the bond, locked for it.
    pub returned: u128,
}

/// An accept waits in line.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptQueued {
    /// The request.
    #[ink(topic)]
    pub request: u64,
    /// Who waits.
    #[ink(topic)]
    pub provider: AccountId,
    /// With which offer.
    pub offer: u64,
    /// With how many points of reputation.
    pub points: u32,
}

/// An accept left the line: it no longer qualified, or somebody with more points displaced it.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptDropped {
    /// The request.
    #[ink(topic)]
    pub request: u64,
    /// Who waited.
    #[ink(topic)]
    pub provider: AccountId,
    /// With which offer.
    pub offer: u64,
}

/// A provider got units of a request.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The request.
    #[ink(topic)]
    pub request: u64,
    /// Who pays.
    #[ink(topic)]
    pub requester: AccountId,
    /// Who works.
    #[ink(topic)]
    pub provider: AccountId,
    /// The number of the assignment.
    pub assignment: u64,
    /// The offer.
    pub offer: u64,
    /// The escrow that holds the money.
    pub escrow: u64,
    /// Compute units.
    pub units: u64,
    /// The effective price per unit.
    pub price: u128,
}

/// An assignment changed: its payload was handed over, it was started, delivered, it ended, or one
/// side gave stars (which the reputation contract tells about).
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobAdvanced {
    /// The assignment.
    #[ink(topic)]
    pub assignment: u64,
    /// Who pays.
    #[ink(topic)]
    pub requester: AccountId,
    /// Who works.
    #[ink(topic)]
    pub provider: AccountId,
    /// Where it stands now.
    pub status: Status,
    /// What the provider got; 0 before the end.
    pub paid: u128,
    /// Who raised the dispute, if it ended after one.
    pub raised_by: Option<Side>,
}

//! What the market tells those who follow it. Topics are what a client filters by.

use cicada_core::market::Status;
use cicada_core::name::Name;
use ink::primitives::AccountId;

/// A request came; its terms are at `request_of`.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPlaced {
    /// Its number.
    #[ink(topic)]
    pub request: u64,
    /// Who asks.
    #[ink(topic)]
    pub requester: AccountId,
    /// What kind of work it is.
    #[ink(topic)]
    pub task_type: Name,
    /// Compute units.
    pub units: u64,
    /// The most that is paid per unit.
    pub max_price: u128,
    /// When the auction ends at the latest.
    pub ends_ms: u64,
}

/// An offer came; its terms are at `offer_of`.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferPlaced {
    /// Its number.
    #[ink(topic)]
    pub offer: u64,
    /// Who offers.
    #[ink(topic)]
    pub provider: AccountId,
    /// What kind of work it is.
    #[ink(topic)]
    pub task_type: Name,
    /// Compute units.
    pub units: u64,
    /// What he asks per unit.
    pub price: u128,
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

/// An assignment went on: its payload was handed over, it was started, delivered, or it ended.
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
}

/// A request matches no more.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestClosed {
    /// Its number.
    #[ink(topic)]
    pub request: u64,
    /// Who asked.
    #[ink(topic)]
    pub requester: AccountId,
    /// What the requester got back of the money locked for it.
    pub returned: u128,
}

/// An offer matches no more.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferClosed {
    /// Its number.
    #[ink(topic)]
    pub offer: u64,
    /// Who offered.
    #[ink(topic)]
    pub provider: AccountId,
    /// What the provider got back of his bond.
    pub returned: u128,
}

/// One side gave the other stars.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackGiven {
    /// The assignment.
    #[ink(topic)]
    pub assignment: u64,
    /// Who gave them.
    #[ink(topic)]
    pub from: AccountId,
    /// Who got them.
    #[ink(topic)]
    pub to: AccountId,
    /// 1 to 5.
    pub stars: u8,
}

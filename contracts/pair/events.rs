//! What happened, for whoever follows the chain.

use ink::primitives::AccountId;

/// Somebody deposited.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiquidityAdded {
    /// Who.
    #[ink(topic)]
    pub provider: AccountId,
    /// What he paid of the first token.
    pub amount_a: u128,
    /// What he paid of the second token.
    pub amount_b: u128,
    /// The shares he got; in the first deposit without those that are locked.
    pub shares: u128,
    /// The reserve of the first token afterwards.
    pub reserve_a: u128,
    /// The reserve of the second token afterwards.
    pub reserve_b: u128,
}

/// Somebody took his part out.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiquidityRemoved {
    /// Who.
    #[ink(topic)]
    pub provider: AccountId,
    /// What he got of the first token.
    pub amount_a: u128,
    /// What he got of the second token.
    pub amount_b: u128,
    /// The shares he gave back.
    pub shares: u128,
    /// The reserve of the first token afterwards.
    pub reserve_a: u128,
    /// The reserve of the second token afterwards.
    pub reserve_b: u128,
}

/// Somebody traded.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// Who.
    #[ink(topic)]
    pub trader: AccountId,
    /// The token that he paid in; the other was paid out.
    #[ink(topic)]
    pub token_in: AccountId,
    /// What he paid in, the fee included.
    pub amount_in: u128,
    /// What he got.
    pub amount_out: u128,
    /// The reserve of the first token afterwards.
    pub reserve_a: u128,
    /// The reserve of the second token afterwards.
    pub reserve_b: u128,
}

/// Shares moved, were created (`from` is none) or given back (`to` is none).
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whose shares they were.
    #[ink(topic)]
    pub from: Option<AccountId>,
    /// Whose shares they are now.
    #[ink(topic)]
    pub to: Option<AccountId>,
    /// How many.
    pub value: u128,
}

/// An allowance of shares changed.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Whose shares may be taken.
    #[ink(topic)]
    pub owner: AccountId,
    /// Who may take them.
    #[ink(topic)]
    pub spender: AccountId,
    /// What may be taken from now on.
    pub amount: u128,
}

//! Calls of the escrow and the reputation contract.

use cicada_core::escrow::{Summary, Terms};
use cicada_core::hash::Hash;
use cicada_core::name::Name;
use cicada_core::reputation::Event;
use cicada_core::Account;
use cicada_traits::auction::AuctionError;
use cicada_traits::escrow::{EscrowError, EscrowOperator};
use cicada_traits::reputation::{Reputation, ReputationError};
use ink::codegen::TraitCallBuilder;
use ink::env::{DefaultEnvironment, Error};
use ink::prelude::vec::Vec;
use ink::primitives::{AccountId, LangError};

/// What a called contract answered, if it did.
type Answer<T> = Result<Result<T, LangError>, Error>;

/// The escrow contract.
pub struct Escrow(pub AccountId);

/// The reputation contract.
pub struct Scores(pub AccountId);

fn by_escrow<T>(answer: Answer<Result<T, EscrowError>>) -> Result<T, AuctionError> {
    Ok(answer.ok().and_then(Result::ok).ok_or(AuctionError::EscrowUnavailable)??)
}

fn by_scores<T>(answer: Answer<T>) -> Result<T, AuctionError> {
    answer.ok().and_then(Result::ok).ok_or(AuctionError::ReputationUnavailable)
}

impl Escrow {
    fn contract(&self) -> ink::contract_ref!(EscrowOperator, DefaultEnvironment) {
        self.0.into()
    }

    /// Locks `amount` of the owner's money; none is locked for 0, and the number is then 0.
    #[inline(never)]
    pub fn reserve(
        &self,
        owner: AccountId,
        token: AccountId,
        amount: u128,
    ) -> Result<u64, AuctionError> {
        if amount == 0 {
            return Ok(0);
        }
        by_escrow(self.contract().call_mut().reserve(owner, token, amount).try_invoke())
    }

    /// Pays from a reserve; nothing is called for 0.
    #[inline(never)]
    pub fn spend(&self, reserve: u64, to: Account, amount: u128) -> Result<(), AuctionError> {
        if amount == 0 {
            return Ok(());
        }
        by_escrow(self.contract().call_mut().spend(reserve, to.into(), amount).try_invoke())
    }

    /// Makes a funded escrow from a reserve.
    #[inline(never)]
    pub fn draw(&self, reserve: u64, terms: Terms) -> Result<u64, AuctionError> {
        by_escrow(self.contract().call_mut().draw(reserve, terms).try_invoke())
    }

    /// The result is there.
    #[inline(never)]
    pub fn complete(&self, escrow: u64, result: Hash, deduction: u128) -> Result<(), AuctionError> {
        by_escrow(self.contract().call_mut().complete_for(escrow, result, deduction).try_invoke())
    }

    /// Pays all that is left.
    #[inline(never)]
    pub fn settle(&self, escrow: u64, provider_share: u128) -> Result<(), AuctionError> {
        by_escrow(self.contract().call_mut().settle(escrow, provider_share).try_invoke())
    }

    /// Where an escrow stands.
    #[inline(never)]
    pub fn summary(&self, escrow: u64) -> Result<Summary, AuctionError> {
        let answer = self.contract().call().summary(escrow).try_invoke();
        answer.ok().and_then(Result::ok).flatten().ok_or(AuctionError::EscrowUnavailable)
    }
}

impl Scores {
    fn contract(&self) -> ink::contract_ref!(Reputation, DefaultEnvironment) {
        self.0.into()
    }

    /// Reports events about an account.
    #[inline(never)]
    pub fn record(&self, account: Account, events: Vec<Event>) -> Result<(), AuctionError> {
        let answer: Answer<Result<(), ReputationError>> =
            self.contract().call_mut().record(account.into(), events).try_invoke();
        by_scores(answer)?.map_err(|_| AuctionError::ReputationUnavailable)
    }

    /// The points of an account.
    #[inline(never)]
    pub fn points(&self, account: Account) -> Result<u32, AuctionError> {
        by_scores(self.contract().call().points(account.into()).try_invoke())
    }

    /// Whether a capability is attested to an account.
    #[inline(never)]
    pub fn is_capable(&self, account: Account, capability: Name) -> Result<bool, AuctionError> {
        by_scores(self.contract().call().is_capable(account.into(), capability).try_invoke())
    }
}

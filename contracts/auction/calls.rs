//! Calls of the other contracts.

use cicada_core::escrow::{EscrowError, Limits, Terms};
use cicada_core::hash::Digest;
use cicada_core::market::ending::Outcome;
use cicada_core::name::Name;
use cicada_core::reputation::Event as Report;
use cicada_core::Account;
use cicada_traits::auction::AuctionError;
use cicada_traits::bytes::{call, pack};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::Decode;
use ink::selector_bytes;

/// Escrows of the market have one part.
const PART: u8 = 0;

/// The escrow contract.
pub struct Escrow(pub AccountId);

/// The reputation contract.
pub struct Scores(pub AccountId);

/// The contract of attested capabilities.
pub struct Register(pub AccountId);

impl Escrow {
    /// The number that a message answers, a `u64` or a `u128`; 0 if it answers without one.
    #[inline(never)]
    fn call_wide(&self, selector: [u8; 4], arguments: &[u8]) -> Result<u128, AuctionError> {
        let unavailable = AuctionError::EscrowUnavailable;
        let answer = call(self.0, selector, arguments).map_err(|_| unavailable)?;
        match answer.split_first() {
            Some((0, number)) if number.len() <= 16 => {
                let digits = number.iter().rev();
                Ok(digits.fold(0, |value, digit| value << 8 | u128::from(*digit)))
            }
            Some((_, mut error)) => match EscrowError::decode(&mut error) {
                Ok(error) => Err(AuctionError::Escrow(error)),
                Err(_) => Err(unavailable),
            },
            None => Err(unavailable),
        }
    }

    /// The number of what a message made; 0 if it answers without one.
    #[inline(never)]
    fn call(&self, selector: [u8; 4], arguments: &[u8]) -> Result<u64, AuctionError> {
        let number = self.call_wide(selector, arguments)?;
        u64::try_from(number).map_err(|_| AuctionError::EscrowUnavailable)
    }

    /// What its terms must lie within.
    pub fn limits(&self) -> Result<Limits, AuctionError> {
        let unavailable = AuctionError::EscrowUnavailable;
        let answer =
            call(self.0, selector_bytes!("Escrow::limits"), &[]).map_err(|_| unavailable)?;
        Limits::decode(&mut answer.as_slice()).map_err(|_| unavailable)
    }

    /// Locks `amount` of the owner's money; for 0 nothing is called, and the number is 0.
    pub fn reserve(
        &self,
        owner: Account,
        token: AccountId,
        amount: u128,
    ) -> Result<u64, AuctionError> {
        if amount == 0 {
            return Ok(0);
        }
        self.call(selector_bytes!("EscrowOperator::reserve"), &pack(&(owner, token, amount)))
    }

    /// Pays from a reserve; for 0 nothing is called.
    #[inline(never)]
    pub fn spend(&self, reserve: u64, to: Account, amount: u128) -> Result<(), AuctionError> {
        if amount > 0 {
            let arguments = pack(&(reserve, to, amount));
            self.call(selector_bytes!("EscrowOperator::spend"), &arguments)?;
        }
        Ok(())
    }

    /// Closes a reserve, the rest of which goes to its owner: how much.
    pub fn close(&self, reserve: u64) -> Result<u128, AuctionError> {
        self.call_wide(selector_bytes!("EscrowOperator::close_reserve"), &pack(&reserve))
    }

    /// Makes a funded escrow from a reserve.
    pub fn draw(&self, reserve: u64, terms: &Terms) -> Result<u64, AuctionError> {
        self.call(selector_bytes!("EscrowOperator::draw"), &pack(&(reserve, terms)))
    }

    /// The result is there.
    pub fn complete(
        &self,
        escrow: u64,
        result: &Digest,
        deduction: u128,
    ) -> Result<(), AuctionError> {
        let arguments = pack(&(escrow, PART, result, deduction));
        self.call(selector_bytes!("EscrowOperator::complete_for"), &arguments).map(|_| ())
    }

    /// What the job in dispute missed costs so much.
    pub fn report(&self, escrow: u64, deduction: u128) -> Result<(), AuctionError> {
        let arguments = pack(&(escrow, PART, deduction));
        self.call(selector_bytes!("EscrowOperator::report"), &arguments).map(|_| ())
    }

    /// Pays all that is left.
    #[inline(never)]
    pub fn settle(&self, escrow: u64, provider_share: u128) -> Result<(), AuctionError> {
        let arguments = pack(&(escrow, provider_share));
        self.call(selector_bytes!("EscrowOperator::settle"), &arguments).map(|_| ())
    }

    /// How an escrow ended, if it has.
    #[inline(never)]
    pub fn outcome(&self, escrow: u64) -> Result<Option<Outcome>, AuctionError> {
        let selector = selector_bytes!("EscrowOperator::summary");
        call(self.0, selector, &pack(&escrow))
            .ok()
            .and_then(|answer| match answer.split_first() {
                Some((1, summary)) => Outcome::read(summary).ok(),
                _ => None,
            })
            .ok_or(AuctionError::EscrowUnavailable)
    }
}

impl Scores {
    #[inline(never)]
    fn call(&self, selector: [u8; 4], arguments: &[u8]) -> Result<Vec<u8>, AuctionError> {
        call(self.0, selector, arguments).map_err(|_| AuctionError::ReputationUnavailable)
    }

    /// Reports events about an account; without any, nothing is called. Whether the contract
    /// took them.
    #[inline(never)]
    pub fn record(&self, account: Account, events: &[Report]) -> Result<bool, AuctionError> {
        if events.is_empty() {
            return Ok(true);
        }
        let arguments = pack(&(account, events));
        let answer = self.call(selector_bytes!("Reputation::record"), &arguments)?;
        Ok(answer.first() == Some(&0))
    }

    /// The points of an account.
    pub fn points(&self, account: Account) -> Result<u32, AuctionError> {
        let answer = self.call(selector_bytes!("Reputation::points"), &account.0)?;
        u32::decode(&mut answer.as_slice()).map_err(|_| AuctionError::ReputationUnavailable)
    }
}

impl Register {
    /// Whether a capability is attested to an account.
    pub fn is_capable(&self, account: Account, capability: &Name) -> Result<bool, AuctionError> {
        let arguments = pack(&(account, capability));
        let answer = call(self.0, selector_bytes!("Capabilities::is_capable"), &arguments);
        Ok(answer.map_err(|_| AuctionError::CapabilitiesUnavailable)? == [1])
    }
}

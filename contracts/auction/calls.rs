//! Calls of the other contracts.
//!
//! Bytes go in and out through one function: a typed call would cost a kilobyte of code each time.

use cicada_core::escrow::{EscrowError, Terms};
use cicada_core::hash::Hash;
use cicada_core::market::ending::Outcome;
use cicada_core::name::Name;
use cicada_core::reputation::Event as Report;
use cicada_core::Account;
use cicada_traits::auction::AuctionError;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::DefaultEnvironment;
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::{Decode, Encode, Error, Input, Output};
use ink::selector_bytes;

/// The escrow contract.
pub struct Escrow(pub AccountId);

/// The reputation contract.
pub struct Scores(pub AccountId);

/// The contract of attested capabilities.
pub struct Register(pub AccountId);

/// What is encoded already.
pub struct Encoded<'a>(pub &'a [u8]);

impl Encode for Encoded<'_> {
    fn encode_to<T: Output + ?Sized>(&self, to: &mut T) {
        to.write(self.0);
    }
}

/// Where bytes are collected. Unlike that of a `Vec`, its `write` is not inlined for each field.
struct Bytes(Vec<u8>);

impl Output for Bytes {
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// The encoding of a value.
pub fn pack<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = Bytes(Vec::new());
    value.encode_to(&mut bytes);
    bytes.0
}

/// Whatever a contract answers, not decoded.
struct Answer(Vec<u8>);

impl Decode for Answer {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let mut bytes = vec![0; input.remaining_len()?.unwrap_or_default()];
        input.read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

/// The answer of a message, in bytes; none if it did not come to one.
#[inline(never)]
fn call(callee: AccountId, selector: [u8; 4], arguments: &[u8]) -> Option<Vec<u8>> {
    let input = ExecutionInput::new(Selector::new(selector)).push_arg(Encoded(arguments));
    let answer = build_call::<DefaultEnvironment>()
        .call(callee)
        .exec_input(input)
        .returns::<Answer>()
        .try_invoke();
    Some(answer.ok()?.ok()?.0)
}

impl Escrow {
    /// The number that a message answers; 0 if it answers without one.
    #[inline(never)]
    fn call(&self, selector: [u8; 4], arguments: &[u8]) -> Result<u64, AuctionError> {
        let unavailable = AuctionError::EscrowUnavailable;
        let answer = call(self.0, selector, arguments).ok_or(unavailable)?;
        match answer.split_first() {
            Some((0, [])) => Ok(0),
            Some((0, mut number)) => u64::decode(&mut number).map_err(|_| unavailable),
            Some((_, mut error)) => match EscrowError::decode(&mut error) {
                Ok(error) => Err(AuctionError::Escrow(error)),
                Err(_) => Err(unavailable),
            },
            None => Err(unavailable),
        }
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

    /// Makes a funded escrow from a reserve.
    pub fn draw(&self, reserve: u64, terms: &Terms) -> Result<u64, AuctionError> {
        self.call(selector_bytes!("EscrowOperator::draw"), &pack(&(reserve, terms)))
    }

    /// The result is there.
    pub fn complete(
        &self,
        escrow: u64,
        result: &Hash,
        deduction: u128,
    ) -> Result<(), AuctionError> {
        let arguments = pack(&(escrow, result, deduction));
        self.call(selector_bytes!("EscrowOperator::complete_for"), &arguments).map(|_| ())
    }

    /// Pays all that is left.
    #[inline(never)]
    pub fn settle(&self, escrow: u64, provider_share: u128) -> Result<(), AuctionError> {
        let arguments = pack(&(escrow, provider_share));
        self.call(selector_bytes!("EscrowOperator::settle"), &arguments).map(|_| ())
    }

    /// How an escrow ended, if it has.
    pub fn outcome(&self, escrow: u64) -> Result<Option<Outcome>, AuctionError> {
        let selector = selector_bytes!("EscrowOperator::summary");
        call(self.0, selector, &pack(&escrow))
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
        call(self.0, selector, arguments).ok_or(AuctionError::ReputationUnavailable)
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
        let answer = self.call(selector_bytes!("Reputation::points"), &account)?;
        u32::decode(&mut answer.as_slice()).map_err(|_| AuctionError::ReputationUnavailable)
    }
}

impl Register {
    /// Whether a capability is attested to an account.
    pub fn is_capable(&self, account: Account, capability: &Name) -> Result<bool, AuctionError> {
        let arguments = pack(&(account, capability));
        let answer = call(self.0, selector_bytes!("Capabilities::is_capable"), &arguments);
        Ok(answer.ok_or(AuctionError::CapabilitiesUnavailable)? == [1])
    }
}

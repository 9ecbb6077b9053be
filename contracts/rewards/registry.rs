//! Miners that are registered for the tiers, and their bonds.

use cicada_core::fixed::{add, sub};
use cicada_core::rewards::{is_bond, Registration};
use cicada_traits::rewards::RewardsError;
use cicada_traits::stored::Stored;
use ink::primitives::AccountId;
use ink::storage::traits::ManualKey;
use ink::storage::Mapping;

/// Whose bond is here; all bonds are alike.
#[ink::storage_item]
pub struct Registry {
    /// What one deposits.
    pub bond: u128,
    /// How long it stays after its miner left, in milliseconds.
    pub unbonding_ms: u64,
    /// All that is here.
    pub bonded: u128,
    miners: Mapping<AccountId, Stored<Registration>, ManualKey<0x5245_4749>>,
}

impl Registry {
    /// Nobody.
    pub fn new(bond: u128, unbonding_ms: u64) -> Result<Self, RewardsError> {
        if !is_bond(bond, unbonding_ms) {
            return Err(RewardsError::WrongBond);
        }
        Ok(Self { bond, unbonding_ms, bonded: 0, miners: Mapping::new() })
    }

    /// The registration of an account.
    #[inline(never)]
    pub fn of(&self, account: AccountId) -> Option<Registration> {
        self.miners.get(account).map(|registration| registration.0)
    }

    /// Registers an account; answers what it deposits.
    pub fn enter(&mut self, account: AccountId, now_ms: u64) -> Result<u128, RewardsError> {
        if self.miners.contains(account) {
            return Err(RewardsError::AlreadyRegistered);
        }
        self.bonded = add(self.bonded, self.bond)?;
        let registration = Registration { since_ms: now_ms, left_ms: None };
        self.miners.insert(account, &Stored(registration));
        Ok(self.bond)
    }

    /// Ends a registration; answers when its bond is free.
    pub fn leave(&mut self, account: AccountId, now_ms: u64) -> Result<u64, RewardsError> {
        let registration = self.of(account).filter(|one| one.left_ms.is_none());
        let registration = registration.ok_or(RewardsError::NotRegistered)?;
        let left = Registration { left_ms: Some(now_ms), ..registration };
        self.miners.insert(account, &Stored(left));
        Ok(now_ms.saturating_add(self.unbonding_ms))
    }

    /// Takes a free bond out; answers how much it is.
    pub fn release(&mut self, account: AccountId, now_ms: u64) -> Result<u128, RewardsError> {
        let registration = self.of(account).ok_or(RewardsError::NotRegistered)?;
        let free_ms = registration.free_ms(self.unbonding_ms);
        if free_ms.is_none_or(|free_ms| now_ms < free_ms) {
            return Err(RewardsError::StillBonded);
        }
        self.bonded = sub(self.bonded, self.bond)?;
        self.miners.remove(account);
        Ok(self.bond)
    }
}

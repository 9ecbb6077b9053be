//! The currency: balances and allowances.

use super::{why, Check, Faults, Model};
use crate::random::Op;
use cicada_core::escrow::EscrowError;
use cicada_core::Account;
use cicada_traits::psp22::PSP22Error;

impl Model {
    /// What somebody holds.
    pub fn balance(&self, who: Account) -> u128 {
        self.balances.get(&who).copied().unwrap_or(0)
    }

    /// What `spender` may take from `owner`.
    pub fn allowance(&self, owner: Account, spender: Account) -> u128 {
        self.allowances.get(&(owner, spender)).copied().unwrap_or(0)
    }

    /// Makes money. Only at the start.
    pub fn mint(&mut self, who: Account, amount: u128) {
        *self.balances.entry(who).or_default() += amount;
    }

    pub(super) fn apply_token(&mut self, op: &Op) -> Result<(), Faults> {
        match *op {
            Op::Transfer { by, to, amount } => self.transfer(by, to, amount),
            Op::TransferFrom { by, from, to, amount } => self.transfer_from(by, from, to, amount),
            Op::Approve { by, spender, amount } => {
                if by != spender {
                    self.allowances.insert((by, spender), amount);
                }
                Ok(())
            }
            _ => unreachable!("not an operation of the token"),
        }
    }

    fn transfer(&mut self, from: Account, to: Account, amount: u128) -> Result<(), Faults> {
        if from == to || amount == 0 {
            return Ok(());
        }
        let left = self.balance(from).checked_sub(amount);
        let left = left.ok_or_else(|| vec![why(PSP22Error::InsufficientBalance)])?;
        self.balances.insert(from, left);
        self.mint(to, amount);
        Ok(())
    }

    fn transfer_from(
        &mut self,
        by: Account,
        from: Account,
        to: Account,
        amount: u128,
    ) -> Result<(), Faults> {
        if from == to || amount == 0 || by == from {
            return self.transfer(from, to, amount);
        }
        let allowed = self.allowance(from, by);
        let mut check = Check::default();
        check.refuse(allowed < amount, PSP22Error::InsufficientAllowance);
        check.refuse(self.balance(from) < amount, PSP22Error::InsufficientBalance);
        check.done()?;
        self.allowances.insert((from, by), allowed - amount);
        self.transfer(from, to, amount)
    }

    /// The escrow contract takes money. Anything but the currency refuses.
    pub(super) fn pull(
        &mut self,
        token: Account,
        from: Account,
        amount: u128,
    ) -> Result<(), Faults> {
        let escrow = self.setting.places.escrow;
        let mut refused = vec![why(EscrowError::TokenRefused)];
        if token == escrow {
            // The pallet does not even let the contract hear of it: it breaks off the whole call.
            refused = vec!["the chain: the runtime refused: ReentranceDenied".to_owned()];
        }
        if token != self.setting.places.token {
            return Err(refused);
        }
        self.transfer_from(escrow, from, escrow, amount).map_err(|_| refused)
    }

    /// The escrow contract pays.
    pub(super) fn pay(&mut self, to: Account, amount: u128) -> Result<(), Faults> {
        let escrow = self.setting.places.escrow;
        self.transfer(escrow, to, amount).map_err(|_| vec![why(EscrowError::TokenRefused)])
    }
}

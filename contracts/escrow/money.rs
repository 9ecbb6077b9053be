//! Whose money this contract holds, and payments by tokens that are not trusted.

use crate::events::{Claimed, Credited};
use cicada_traits::escrow::EscrowError;
use cicada_traits::payment;
use ink::env::{emit_event, DefaultEnvironment};
use ink::primitives::AccountId;
use ink::storage::traits::ManualKey;
use ink::storage::Mapping;

/// What is held for each account in each token.
#[ink::storage_item]
#[derive(Default)]
pub struct Books {
    /// Reserves, escrows that it funds, deposits of disputes.
    locked: Mapping<(AccountId, AccountId), u128, ManualKey<0x4c4f_434b>>,
    /// What the token refused to pay out, or an arbitrator earned.
    credits: Mapping<(AccountId, AccountId), u128, ManualKey<0x4352_4544>>,
}

impl Books {
    /// What is locked for an account.
    pub fn locked(&self, owner: AccountId, token: AccountId) -> u128 {
        self.locked.get((owner, token)).unwrap_or_default()
    }

    /// What an account can claim.
    pub fn credit(&self, owner: AccountId, token: AccountId) -> u128 {
        self.credits.get((owner, token)).unwrap_or_default()
    }

    /// Replaces `minus` by `plus` in what is locked for an owner.
    #[inline(never)]
    pub fn relock(
        &mut self,
        owner: AccountId,
        token: AccountId,
        minus: u128,
        plus: u128,
    ) -> Result<(), EscrowError> {
        if minus == plus {
            return Ok(());
        }
        let locked = self
            .locked(owner, token)
            .checked_sub(minus)
            .and_then(|rest| rest.checked_add(plus))
            .ok_or(EscrowError::WrongAmount)?;
        self.locked.insert((owner, token), &locked);
        Ok(())
    }

    /// Locks `amount` more for an owner and takes it from him; exactly that much must come.
    #[inline(never)]
    pub fn lock(
        &mut self,
        owner: AccountId,
        token: AccountId,
        amount: u128,
    ) -> Result<(), EscrowError> {
        if amount == 0 {
            return Ok(());
        }
        self.relock(owner, token, 0, amount)?;
        let here = ink::env::account_id::<DefaultEnvironment>();
        let before = payment::balance(token, here)?;
        payment::pull(token, owner, here, amount)?;
        if payment::balance(token, here)?.checked_sub(before) != Some(amount) {
            return Err(EscrowError::TokenRefused);
        }
        Ok(())
    }

    /// Notes that an account can claim `amount`.
    #[inline(never)]
    pub fn give_credit(
        &mut self,
        owner: AccountId,
        token: AccountId,
        amount: u128,
    ) -> Result<(), EscrowError> {
        if amount == 0 {
            return Ok(());
        }
        let credit = self.credit(owner, token).checked_add(amount);
        self.credits.insert((owner, token), &credit.ok_or(EscrowError::WrongAmount)?);
        emit_event::<DefaultEnvironment, _>(Credited { owner, token, amount });
        Ok(())
    }

    /// Pays; what the token refuses is credited, so that it stops nobody else's payment.
    #[inline(never)]
    pub fn pay(
        &mut self,
        to: AccountId,
        token: AccountId,
        amount: u128,
    ) -> Result<(), EscrowError> {
        if amount == 0 || send(token, to, amount) {
            return Ok(());
        }
        self.give_credit(to, token, amount)
    }

    /// Pays an account all that it can claim.
    pub fn claim(&mut self, owner: AccountId, token: AccountId) -> Result<u128, EscrowError> {
        let amount = self.credits.take((owner, token)).ok_or(EscrowError::WrongAmount)?;
        emit_event::<DefaultEnvironment, _>(Claimed { owner, token, amount });
        payment::pay(token, owner, amount)?;
        Ok(amount)
    }
}

/// Pays by a call that cannot use more than its part of the gas, so that the token stops nobody
/// else's payment. The chain gives it what is left if that is less. With too little for the
/// project's token the message fails, since nothing is left to note a credit; a token that calls
/// others in turn may leave enough, and then who chooses the gas makes a credit of a payment, which
/// is claimed later. Whether the token did not refuse; its answer is not read, since one longer
/// than its room would break off the message.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
fn send(token: AccountId, to: AccountId, amount: u128) -> bool {
    use cicada_traits::bytes::pack;
    use cicada_traits::escrow::{PAY_PROOF_SIZE, PAY_REF_TIME};
    use pallet_contracts_uapi::{CallFlags, HostFn, HostFnImpl};
    let input = pack(&(ink::selector_bytes!("PSP22::transfer"), to, amount, 0u8));
    let token: &[u8; 32] = token.as_ref();
    let flags = CallFlags::empty();
    let (time, proof) = (PAY_REF_TIME, PAY_PROOF_SIZE);
    HostFnImpl::call_v2(flags, token, time, proof, None, &[0; 16], &input, None).is_ok()
}

/// Outside a contract there is nobody to call.
#[cfg(not(target_arch = "wasm32"))]
fn send(_token: AccountId, _to: AccountId, _amount: u128) -> bool {
    false
}

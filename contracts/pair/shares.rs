//! Who holds the pool's shares, and who may move them. The sum of all shares is the pool's.

use crate::events::{Approval, Transfer};
use cicada_traits::psp22::PSP22Error;
use ink::env::{emit_event, DefaultEnvironment};
use ink::prelude::string::String;
use ink::primitives::AccountId;
use ink::storage::traits::StorageKey;
use ink::storage::Mapping;

/// What the ledger knows: one number for each.
#[derive(Clone, Copy)]
#[ink::scale_derive(Encode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // inside the derived `Encode`
pub enum Entry {
    /// The shares of an account.
    Balance(AccountId),
    /// What the second account may take from the first.
    Allowance(AccountId, AccountId),
}

/// All entries that are not zero. `K` is the key of the contract's field.
type Ledger<K> = Mapping<Entry, u128, K>;

/// An entry; 0 if it is not there.
#[inline(never)]
pub fn get<K: StorageKey>(ledger: &Ledger<K>, entry: &Entry) -> u128 {
    ledger.get(entry).unwrap_or_default()
}

/// Writes an entry, or removes it for a 0, which gives its deposit back.
#[inline(never)]
fn set<K: StorageKey>(ledger: &mut Ledger<K>, entry: &Entry, value: u128) {
    if value == 0 {
        ledger.remove(entry);
    } else {
        ledger.insert(entry, &value);
    }
}

/// Moves shares out of `from` (none: they are created) into `to` (none: they are given back).
///
/// # Errors
/// `InsufficientBalance`; `Custom` stands for a sum that cannot overflow.
#[inline(never)]
pub fn shift<K: StorageKey>(
    ledger: &mut Ledger<K>,
    from: Option<AccountId>,
    to: Option<AccountId>,
    value: u128,
) -> Result<(), PSP22Error> {
    if let Some(account) = from {
        let entry = Entry::Balance(account);
        let left = get(ledger, &entry).checked_sub(value);
        set(ledger, &entry, left.ok_or(PSP22Error::InsufficientBalance)?);
    }
    if let Some(account) = to {
        let entry = Entry::Balance(account);
        // Never an error: no balance exceeds the pool's shares, whose growth is checked.
        let more = get(ledger, &entry).checked_add(value);
        set(ledger, &entry, more.ok_or(PSP22Error::Custom(String::new()))?);
    }
    emit_event::<DefaultEnvironment, _>(Transfer { from, to, value });
    Ok(())
}

/// Replaces an allowance.
#[inline(never)]
pub fn allow<K: StorageKey>(
    ledger: &mut Ledger<K>,
    owner: AccountId,
    spender: AccountId,
    amount: u128,
) {
    set(ledger, &Entry::Allowance(owner, spender), amount);
    emit_event::<DefaultEnvironment, _>(Approval { owner, spender, amount });
}

/// Uses up `value` of what `owner` allows `spender`; for its own shares nobody needs it.
///
/// # Errors
/// `InsufficientAllowance`.
#[inline(never)]
pub fn spend<K: StorageKey>(
    ledger: &mut Ledger<K>,
    owner: AccountId,
    spender: AccountId,
    value: u128,
) -> Result<(), PSP22Error> {
    if owner == spender {
        return Ok(());
    }
    let left = get(ledger, &Entry::Allowance(owner, spender)).checked_sub(value);
    allow(ledger, owner, spender, left.ok_or(PSP22Error::InsufficientAllowance)?);
    Ok(())
}

//! Calls of the other contracts.

use cicada_core::quote::{Framework, Quote};
use cicada_traits::bytes::{call, pack};
use cicada_traits::exchange::ExchangeError;
use cicada_traits::psp22::Role;
use ink::primitives::AccountId;
use ink::scale::Decode;
use ink::selector_bytes;

/// The newest quote of a framework, of whatever age.
#[inline(never)]
pub fn newest_quote(leaderboard: AccountId, framework: &Framework) -> Result<Quote, ExchangeError> {
    let answer = call(leaderboard, selector_bytes!("Leaderboard::quote"), &pack(framework));
    answer
        .ok()
        .and_then(|bytes| Option::<Quote>::decode(&mut bytes.as_slice()).ok())
        .ok_or(ExchangeError::LeaderboardUnavailable)?
        .ok_or(ExchangeError::NoQuote)
}

/// A message of a token that must answer `Ok(())` and nothing else.
#[inline(never)]
fn done(token: AccountId, selector: [u8; 4], arguments: &[u8]) -> Result<(), ExchangeError> {
    match call(token, selector, arguments).as_deref() {
        Ok([0]) => Ok(()),
        _ => Err(ExchangeError::TokenRefused),
    }
}

/// A change of the supply, unless by nothing.
#[inline(never)]
fn supply(
    token: AccountId,
    selector: [u8; 4],
    account: AccountId,
    amount: u128,
) -> Result<(), ExchangeError> {
    if amount == 0 {
        return Ok(());
    }
    done(token, selector, &pack(&(account, amount)))
}

/// Creates tokens, if any.
pub fn mint(token: AccountId, to: AccountId, amount: u128) -> Result<(), ExchangeError> {
    supply(token, selector_bytes!("Supply::mint"), to, amount)
}

/// Destroys tokens, if any, within the allowance of who is not this contract.
pub fn burn(token: AccountId, from: AccountId, amount: u128) -> Result<(), ExchangeError> {
    supply(token, selector_bytes!("Supply::burn"), from, amount)
}

/// Creates a contract; its address.
#[cfg(target_arch = "wasm32")]
fn instantiate(code: &[u8; 32], input: &[u8], salt: &[u8]) -> Option<AccountId> {
    use pallet_contracts_uapi::{HostFn, HostFnImpl};
    let mut address = [0; 32];
    let mut room = address.as_mut_slice();
    let endowment = [0; 16];
    // All that is left of gas and deposit.
    HostFnImpl::instantiate_v2(code, 0, 0, None, &endowment, input, Some(&mut room), None, salt)
        .ok()
        .map(|()| address.into())
}

/// Outside a contract nothing is created.
#[cfg(not(target_arch = "wasm32"))]
fn instantiate(_code: &[u8; 32], _input: &[u8], _salt: &[u8]) -> Option<AccountId> {
    None
}

/// Creates the performance token of a framework, whose supply `this` contract changes. The code is
/// the owner's choice, and trusted.
#[inline(never)]
pub fn create_token(
    code: [u8; 32],
    this: AccountId,
    framework: &Framework,
    market: u32,
) -> Result<AccountId, ExchangeError> {
    let mut name = framework.as_bytes().to_vec();
    let symbol = name.to_ascii_uppercase();
    name.extend_from_slice(b" performance");
    // Encoded as the texts that they are; no decimals, no supply.
    let input = pack(&(selector_bytes!("new"), name, symbol, 0_u8, 0_u128));
    let token = instantiate(&code, &input, &market.to_le_bytes());
    let token = token.ok_or(ExchangeError::TokenRefused)?;
    for role in [Role::Minter, Role::Burner] {
        done(token, selector_bytes!("Roles::grant_role"), &pack(&(role, this)))?;
    }
    Ok(token)
}

//! Calls of the other contracts.

use cicada_core::quote::{Framework, Quote};
use cicada_traits::bytes::{call, pack, Encoded};
use cicada_traits::exchange::ExchangeError;
use cicada_traits::psp22::Role;
use ink::env::call::{build_create, ExecutionInput, FromAccountId, Selector};
use ink::env::{ContractEnv, DefaultEnvironment};
use ink::primitives::{AccountId, Hash};
use ink::scale::{Decode, Encode};
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

/// A token contract that is being created.
struct Created(AccountId);

impl FromAccountId<DefaultEnvironment> for Created {
    fn from_account_id(account: AccountId) -> Self {
        Self(account)
    }
}

impl ContractEnv for Created {
    type Env = DefaultEnvironment;
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
    let arguments = (name, symbol, 0_u8, 0_u128).encode();
    let input =
        ExecutionInput::new(Selector::new(selector_bytes!("new"))).push_arg(Encoded(&arguments));
    let created = build_create::<Created>()
        .code_hash(Hash::from(code))
        .endowment(0)
        .exec_input(input)
        .salt_bytes(market.to_le_bytes())
        .returns::<Created>()
        .params()
        .try_instantiate();
    let token = match created {
        Ok(Ok(Created(token))) => token,
        _ => return Err(ExchangeError::TokenRefused),
    };
    for role in [Role::Minter, Role::Burner] {
        done(token, selector_bytes!("Roles::grant_role"), &pack(&(role, this)))?;
    }
    Ok(token)
}

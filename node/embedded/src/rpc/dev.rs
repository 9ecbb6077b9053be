//! `dev_*`: what only a development chain can do.

use super::{error, Api, Args};
use crate::{file, App};
use cicada_runtime::{AccountId, Balance, BlockNumber, Hash};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use sp_core::U256;
use std::str::FromStr;

type Answer<T> = Result<T, ErrorObjectOwned>;

/// How many blocks one request makes at most.
const BLOCKS: BlockNumber = 10_000;

pub(super) fn register(api: &mut Api) {
    api.slow("dev_newBlock", new_block, &[]);
    api.slow("dev_setTime", set_time, &[]);
    api.slow("dev_timeTravel", time_travel, &[]);
    api.slow("dev_snapshot", |app, _| Ok(app.node.snapshot()), &[]);
    api.slow("dev_revert", revert, &[]);
    api.slow("dev_setBalance", set_balance, &[]);
    api.slow("dev_saveState", save_state, &[]);
}

/// A whole number: as such, in decimal digits, or in hexadecimal ones after `0x`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Digits(String),
}

impl Number {
    fn to<T: TryFrom<u128>>(&self, name: &str) -> Answer<T> {
        let number = match self {
            Self::Number(number) => Some(u128::from(*number)),
            Self::Digits(digits) if digits.starts_with("0x") => U256::from_str_radix(digits, 16)
                .ok()
                .filter(|number| *number <= U256::from(u128::MAX))
                .map(|number| number.low_u128()),
            Self::Digits(digits) => digits.parse().ok(),
        };
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| error::params(format!("{name}: no number, or too large a one")))
    }
}

fn number<T: TryFrom<u128>>(args: &mut Args, name: &str) -> Answer<T> {
    let number: Option<Number> = args.next(name)?;
    number.ok_or_else(|| error::params(format!("{name}: a number is expected")))?.to(name)
}

fn optional_number<T: TryFrom<u128>>(args: &mut Args, name: &str) -> Answer<Option<T>> {
    args.next::<Option<Number>>(name)?.map(|number| number.to(name)).transpose()
}

/// Makes blocks, empty if nothing waits: `count` of them, or as many as it takes to the height `to`; else one.
fn new_block(app: &App, args: Args) -> Answer<Hash> {
    let mut args = args.options();
    let count: Option<BlockNumber> = optional_number(&mut args, "count")?;
    let to: Option<BlockNumber> = optional_number(&mut args, "to")?;
    let best = app.node.best().number();
    let count = match (count, to) {
        (Some(_), Some(_)) => return Err(error::params("give either count or to, not both")),
        (Some(count), None) => count,
        (None, Some(to)) => to
            .checked_sub(best)
            .ok_or_else(|| error::params(format!("to: the chain is at block {best} already")))?,
        (None, None) => 1,
    };
    if count > BLOCKS {
        return Err(error::params(format!("at most {BLOCKS} blocks at once, not {count}")));
    }
    for _ in 0..count {
        app.node.new_block(true)?;
    }
    Ok(app.node.best().hash)
}

/// Gives the next block the time `time`, in milliseconds since 1970.
fn set_time(app: &App, args: Args) -> Answer<u64> {
    let time = number(&mut args.options(), "time")?;
    app.node.clock(|clock, newest| clock.set(time, newest)).map_err(error::params)?;
    Ok(time)
}

/// Moves the clock forward by `by` milliseconds; returns the time.
fn time_travel(app: &App, args: Args) -> Answer<u64> {
    let by = number(&mut args.options(), "by")?;
    app.node
        .clock(|clock, newest| clock.travel(by, newest).map(|()| clock.now()))
        .map_err(error::params)
}

fn revert(app: &App, args: Args) -> Answer<Hash> {
    let id = number(&mut args.options(), "id")?;
    Ok(app.node.revert(id)?.hash)
}

fn set_balance(app: &App, args: Args) -> Answer<Hash> {
    let mut args = args.options();
    let account: String = args.next("account")?;
    let account = AccountId::from_str(&account).map_err(|error| {
        error::params(format!("account: {error}: give SS58 or 0x and 64 digits"))
    })?;
    let free: Balance = number(&mut args, "free")?;
    Ok(app.node.set_balance(account, free)?.hash)
}

/// Writes the whole chain to the file that the program was started with, and to no other: whoever
/// reaches the port may ask for it.
fn save_state(app: &App, args: Args) -> Answer<String> {
    let path: Option<String> = args.options().next("path")?;
    if path.is_some() {
        return Err(error::params("path: the file is that of --state, and cannot be chosen here"));
    }
    let path = app.state_file.as_ref().ok_or_else(|| {
        error::params("the chain was started without --state FILE: there is no file to write")
    })?;
    file::save(&app.node, path)
        .map_err(|error| error::internal(format!("{}: {error}", path.display())))?;
    Ok(path.display().to_string())
}

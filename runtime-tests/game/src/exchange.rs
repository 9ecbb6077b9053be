//! Roles at the exchange.

pub mod owner;
pub mod trader;

use crate::stage::{Stage, CLAUDE};
use cicada_core::exchange::Side;
use cicada_runtime_tests::{account, address, on, AccountId};
use cicada_traits::psp22::PSP22;

/// How often an amount that is refused is halved.
const HALVINGS: u32 = 14;

/// Gives an account money and lets the exchange take it.
fn equip(stage: &mut Stage, name: &str, from: &str, mmc: u128) {
    let gift = on(&stage.mmc).transfer(account(name), mmc, vec![]);
    let _ = stage.call(from, gift).succeeds();
    let exchange = address(&stage.exchange);
    let token = cicada_runtime_tests::at::<token::token::TokenRef>(stage.market().token.0.into());
    for coin in [stage.mmc.clone(), token] {
        let _ = stage.call(name, on(&coin).approve(exchange, u128::MAX)).succeeds();
    }
}

/// Trades as much as is possible of `amount`, by halves.
fn trade(stage: &mut Stage, who: &str, side: Side, amount: u128) -> u128 {
    for halving in 0..HALVINGS {
        let amount = amount >> halving;
        let done = match side {
            Side::Buy => stage.buy(who, amount),
            Side::Sell => stage.sell(who, amount),
        };
        if let Ok(trade) = done.value {
            return trade.amount;
        }
    }
    0
}

/// What accounts hold: money, and tokens at this price.
fn worth(stage: &mut Stage, whose: &[AccountId], bid: u128) -> i128 {
    let held = whose.iter().map(|account| stage.holdings(*account));
    held.map(|(money, tokens)| (money + tokens * bid) as i128).sum()
}

/// The bid of a score.
fn bid(score: u64) -> u128 {
    990 * u128::from(score)
}

/// The next leaderboard.
fn quote(stage: &mut Stage, score: u64) {
    stage.rank(&[(CLAUDE, score)]);
}

//! What somebody has, and what he traded.

use crate::args;
use crate::context::Settings;
use crate::reply::{Outcome, Reply};
use crate::table::{or_dash, table, Left, Right};
use cicada_amounts::{mmc, plain_mmc as plain, signed_mmc, thousands};
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_core::Account;
use cicada_trade::portfolio::{lines, signed_total, total, Line};
use cicada_trade::PastTrade;
use clap::Args;
use serde_json::{json, Value};

/// `cicada71 portfolio`.
pub async fn portfolio(settings: &Settings, account: Option<Account>) -> Outcome {
    let account = settings.account_or_own(account)?;
    let exchange = settings.exchange().await?;
    // First the indexer: what the chain has is then at least as new.
    let known = settings.indexer()?.portfolio(&account).await;
    let now = exchange.now().await?;
    let holdings = now.holdings(&account).await?;
    let currency = now.mmc(&account).await?;
    let positions = known.as_ref().ok().map(|known| &known.positions[..]);
    let (lines, lags) = lines(&holdings, positions)?;
    let note = match (&known, lags) {
        (Err(error), _) => Some(error.to_string()),
        (Ok(_), true) => Some("the indexer is behind the chain: try again in a moment".into()),
        _ => None,
    };
    let in_orders = known.as_ref().ok().map(|known| known.mmc_in_orders.0);
    Ok(shown(&account, &lines, (currency, in_orders), now.block, note))
}

fn shown(
    account: &Account,
    lines: &[Line],
    (money, money_in_orders): (u128, Option<u128>),
    block: u64,
    note: Option<String>,
) -> Reply {
    let value = total(lines, |line| line.value);
    let cost = total(lines, |line| line.cost);
    let unrealised = signed_total(lines, |line| line.unrealised);
    let realised = signed_total(lines, |line| line.realised);
    let row = |line: &Line| {
        vec![
            line.framework.to_string(),
            thousands(line.amount),
            or_dash(line.in_orders.map(thousands)),
            or_dash(line.cost.map(mmc)),
            or_dash(line.bid.map(mmc)),
            or_dash(line.value.map(mmc)),
            or_dash(line.unrealised.map(signed_mmc)),
            or_dash(line.realised.map(signed_mmc)),
        ]
    };
    let columns = [
        Left("Framework"),
        Right("Tokens"),
        Right("In orders"),
        Right("Cost"),
        Right("Bid"),
        Right("Value"),
        Right("Unrealised"),
        Right("Realised"),
    ];
    let sums = vec![
        "total".into(),
        String::new(),
        String::new(),
        or_dash(cost.map(mmc)),
        String::new(),
        or_dash(value.map(mmc)),
        or_dash(unrealised.map(signed_mmc)),
        or_dash(realised.map(signed_mmc)),
    ];
    let mut text = format!("{} at block {block}\n\n", account);
    text += &match lines.is_empty() {
        true => "no performance tokens\n".into(),
        false => table(&columns, lines.iter().map(row).chain([sums])),
    };
    text += &format!(
        "\n{} MMC in the account, {} in orders; all figures in MMC\n",
        mmc(money),
        or_dash(money_in_orders.map(mmc))
    );
    if let Some(note) = &note {
        text += &format!("–: {note}\n");
    }
    let list: Vec<Value> = lines.iter().map(line_json).collect();
    let json = json!({
        "account": account.to_string(), "block": block, "mmc": plain(money),
        "mmc_in_orders": money_in_orders.map(plain), "positions": list,
        "value": value.map(plain), "cost": cost.map(plain),
        "unrealised": unrealised.map(signed_plain), "realised": realised.map(signed_plain),
        "note": note,
    });
    Reply::new(text, json)
}

fn signed_plain(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", plain(amount.unsigned_abs()))
}

fn line_json(line: &Line) -> Value {
    json!({
        "framework": line.framework.as_str(), "amount": line.amount.to_string(),
        "in_orders": line.in_orders.map(|amount| amount.to_string()),
        "cost": line.cost.map(plain), "bid": line.bid.map(plain), "value": line.value.map(plain),
        "unrealised": line.unrealised.map(signed_plain),
        "realised": line.realised.map(signed_plain),
    })
}

/// Which trades.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 history
  cicada71 history --framework claude --limit 100 --json")]
pub struct HistoryArgs {
    /// Only those of this token.
    #[arg(long)]
    framework: Option<Framework>,
    /// Of this account, instead of one's own.
    #[arg(long, value_parser = args::account)]
    account: Option<Account>,
    /// How many at most, the newest first.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// `cicada71 history`.
pub async fn history(settings: &Settings, args: HistoryArgs) -> Outcome {
    let account = settings.account_or_own(args.account)?;
    let indexer = settings.indexer()?;
    let trades = indexer.trades(&account, args.framework.as_ref(), args.limit).await?;
    Ok(told(&trades, &account))
}

/// Trades as the account sees them.
fn told(trades: &[PastTrade], account: &Account) -> Reply {
    let own = account.to_string();
    let side = |trade: &PastTrade| match trade.taker == own {
        true => trade.side,
        false => trade.side.opposite(),
    };
    let with = |trade: &PastTrade| match (&trade.maker, trade.taker == own) {
        (Some(maker), true) => maker.clone(),
        (None, true) => "market maker".into(),
        (_, false) => trade.taker.clone(),
    };
    let row = |trade: &PastTrade| {
        let sign = match side(trade) {
            Side::Buy => "-",
            Side::Sell => "+",
        };
        vec![
            trade.block.to_string(),
            side(trade).to_string(),
            trade.framework.to_string(),
            thousands(trade.amount.0),
            mmc(trade.price.0),
            format!("{sign}{}", mmc(trade.value.0)),
            or_dash(trade.order.map(|order| order.to_string())),
            with(trade),
        ]
    };
    let columns = [
        Right("Block"),
        Left("Side"),
        Left("Framework"),
        Right("Tokens"),
        Right("Price"),
        Right("MMC"),
        Right("Order"),
        Left("With"),
    ];
    let text = match trades.is_empty() {
        true => "no trades".into(),
        false => table(&columns, trades.iter().map(row)),
    };
    let list = trades.iter().map(|trade| {
        json!({
            "block": trade.block, "time_ms": trade.time_ms, "side": side(trade),
            "framework": trade.framework.as_str(), "amount": trade.amount,
            "price": plain(trade.price.0), "value": plain(trade.value.0), "order": trade.order,
            "with": trade.maker.as_ref().map(|_| with(trade)),
        })
    });
    let list: Vec<Value> = list.collect();
    Reply::new(text, json!({ "account": own, "trades": list }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_amounts::Units;

    fn claude() -> Framework {
        Framework::new("claude").unwrap()
    }

    fn line() -> Line {
        Line {
            framework: claude(),
            amount: 600,
            in_orders: Some(400),
            cost: Some(50_500_000_000),
            bid: Some(49_500_000),
            value: Some(49_500_000_000),
            unrealised: Some(-1_000_000_000),
            realised: Some(2_500_000),
        }
    }

    #[test]
    fn a_portfolio_has_profit_and_loss() {
        let reply = shown(&Account::NOBODY, &[line()], (1_500_000, Some(0)), 9, None);
        let golden = "\
5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM at block 9

Framework  Tokens  In orders    Cost   Bid   Value  Unrealised  Realised
claude        600        400  50,500  49.5  49,500      -1,000      +2.5
total                         50,500        49,500      -1,000      +2.5

1.5 MMC in the account, 0 in orders; all figures in MMC
";
        assert_eq!(reply.text, golden);
        assert_eq!(reply.value()["unrealised"], "-1000");
        assert_eq!(reply.value()["positions"][0]["cost"], "50500");
    }

    #[test]
    fn what_is_not_known_is_a_dash_with_a_reason() {
        let unknown =
            Line { in_orders: None, cost: None, unrealised: None, realised: None, ..line() };
        let reply =
            shown(&Account::NOBODY, &[unknown], (0, None), 9, Some("nobody listens".into()));
        assert!(
            reply.text.contains("claude        600          –     –  49.5  49,500"),
            "{}",
            reply.text
        );
        assert!(reply.text.ends_with("–: nobody listens\n"));
        assert_eq!(reply.value()["cost"], Value::Null);
        assert_eq!(reply.value()["note"], "nobody listens");
        let none = shown(&Account::NOBODY, &[], (0, None), 9, None);
        assert!(none.text.contains("no performance tokens"));
    }

    #[test]
    fn history_is_told_from_ones_own_side() {
        let (own, other) = (Account::NOBODY.to_string(), Account([1; 32]).to_string());
        let bought = PastTrade {
            block: 5,
            time_ms: 1,
            framework: claude(),
            taker: own.clone(),
            maker: None,
            side: Side::Buy,
            price: Units(50_500_000),
            amount: Units(1_000),
            value: Units(50_500_000_000),
            order: None,
        };
        let taker =
            PastTrade { taker: other.clone(), maker: Some(own), order: Some(4), ..bought.clone() };
        let reply = told(&[bought, taker], &Account::NOBODY);
        let golden = format!(
            "\
Block  Side  Framework  Tokens  Price      MMC  Order  With
    5  buy   claude      1,000   50.5  -50,500      –  market maker
    5  sell  claude      1,000   50.5  +50,500      4  {other}
"
        );
        assert_eq!(reply.text, golden);
        assert_eq!(reply.value()["trades"][1]["side"], "sell");
        assert_eq!(reply.value()["trades"][0]["with"], Value::Null);
    }
}

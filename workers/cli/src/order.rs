//! Limit orders.

use crate::args;
use crate::context::Settings;
use crate::reply::{Outcome, Reply};
use crate::table::{table, Left, Right};
use crate::trade::{
    approved, deal_json, fee_line, fees_json, fees_text, merge, parts_text, Sending,
};
use cicada_amounts::{mmc, plain_mmc as plain, thousands};
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_core::Account;
use cicada_trade::{OpenOrder, OrderPlan, Placement};
use clap::{Args, Subcommand};
use serde_json::{json, Value};

/// What can be done with orders.
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    Place(PlaceArgs),
    /// Takes what is left of an order out of the book and gives its money or tokens back.
    Cancel {
        /// The number of the order.
        order: u64,
    },
    /// Looks at a resting order.
    Show {
        /// The number of the order.
        order: u64,
    },
    /// Has the market maker fill a resting order that its price has reached; anybody may.
    Fill {
        /// The number of the order.
        order: u64,
    },
}

/// Places a limit order: trades at once what the price allows, and leaves the rest in the book.
///
/// A buyer pays for the rest now and gets back what it turns out to be cheaper; a seller hands the
/// tokens over.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 order place --framework claude --side buy --price 49.9 --amount 100
  cicada71 order place --framework claude --side sell --price 51 --amount 100 --dry-run")]
pub struct PlaceArgs {
    /// Whose performance token.
    #[arg(long)]
    framework: Framework,
    /// Whether to buy or to sell.
    #[arg(long, value_parser = args::side())]
    side: Side,
    /// The price of one token in MMC, a multiple of 0.00001.
    #[arg(long, value_parser = args::price, value_name = "MMC")]
    price: u128,
    /// How many tokens.
    #[arg(long, value_parser = args::tokens)]
    amount: u128,
    #[command(flatten)]
    sending: Sending,
}

/// `cicada71 order`.
pub async fn order(settings: &Settings, command: OrderCommand) -> Outcome {
    match command {
        OrderCommand::Place(args) => place(settings, args).await,
        OrderCommand::Cancel { order } => cancel(settings, order).await,
        OrderCommand::Show { order } => show(settings, order).await,
        OrderCommand::Fill { order } => fill(settings, order).await,
    }
}

async fn place(settings: &Settings, args: PlaceArgs) -> Outcome {
    let PlaceArgs { framework, side, price, amount, sending } = args;
    let exchange = settings.exchange().await?;
    let identity = settings.identity()?;
    let owner = identity.account();
    let now = exchange.now().await?;
    let plan = now.plan_order(&owner, framework, side, price, amount).await?;
    let deadline_ms = sending.deadline_ms(now.now_ms);
    let currency = exchange.chain.currency().await?;
    if sending.dry_run {
        let fees = exchange.order_fees(&plan, deadline_ms, &owner).await?;
        let text = format!("{}\n{}\nnothing was sent", wanted(&plan), fees_text(&fees, &currency));
        let mut json = order_json(&plan);
        json["dry_run"] = true.into();
        json["fees"] = fees_json(&fees, &currency);
        return Ok(Reply::new(text, json));
    }
    let signer = identity.signer(&settings.common)?;
    exchange.rehearse_order(&plan, deadline_ms, &owner).await?;
    let approval = exchange.approve(&plan.need, &signer).await?;
    if approval.is_some() {
        settings.say(&approved(&exchange, &plan.need));
    }
    let placement = exchange.place(&plan, deadline_ms, &signer).await?;
    let text = placed(&plan, &placement) + &fee_line(&placement.deal, approval.as_ref(), &currency);
    let mut json = order_json(&plan);
    json["order"] = json!(placement.resting.as_ref().map(|order| order.order));
    json["resting"] = json!(placement.resting.as_ref().map_or(0, |order| order.amount).to_string());
    json["traded"] = deal_json(&placement.deal, approval.as_ref(), &currency);
    Ok(Reply::new(text, json))
}

/// The order in words.
fn wanted(plan: &OrderPlan) -> String {
    let OrderPlan { framework, side, price, amount, .. } = plan;
    let price = mmc(*price);
    format!("an order to {} {} {framework} at {price} MMC", side, thousands(*amount))
}

fn order_json(plan: &OrderPlan) -> Value {
    json!({
        "framework": plan.framework.as_str(), "side": plan.side,
        "price": plain(plan.price), "amount": plan.amount.to_string(),
    })
}

/// What became of an order.
fn placed(plan: &OrderPlan, placement: &Placement) -> String {
    let Placement { deal, resting } = placement;
    let mut text = String::new();
    if deal.amount > 0 {
        let (amount, value) = (thousands(deal.amount), mmc(deal.value));
        text += &format!("traded {amount} {} at once for {value} MMC\n", plan.framework);
        text += &parts_text(deal);
    }
    let rest = plan.amount.saturating_sub(deal.amount);
    text += &match resting {
        Some(order) => {
            format!("order {} rests with {} tokens\n", order.order, thousands(order.amount))
        }
        None if rest == 0 => "nothing is left to rest\n".into(),
        None => format!(
            "{} tokens were neither traded nor left in the book: place the order again\n",
            thousands(rest)
        ),
    };
    text
}

async fn cancel(settings: &Settings, order: u64) -> Outcome {
    let exchange = settings.exchange().await?;
    let before = exchange.now().await?.order(order).await?;
    let (left, block) = exchange.cancel(order, &settings.signer()?).await?;
    let back = match before.side {
        Side::Buy => format!("{} MMC", mmc(before.price.saturating_mul(left))),
        Side::Sell => format!("{} {}", thousands(left), before.framework),
    };
    let text = format!("order {order} is cancelled: {back} went back");
    let json = json!({ "order": order, "amount": left.to_string(), "block": block });
    Ok(Reply::new(text, json))
}

async fn show(settings: &Settings, id: u64) -> Outcome {
    let order = settings.exchange().await?.now().await?.order(id).await?;
    Ok(crate::show::lines(json!({
        "order": id,
        "owner": order.owner.to_string(),
        "framework": order.framework.as_str(),
        "side": order.side,
        "price": plain(order.price),
        "amount": order.amount.to_string(),
    })))
}

async fn fill(settings: &Settings, order: u64) -> Outcome {
    let exchange = settings.exchange().await?;
    let framework = exchange.now().await?.order(order).await?.framework;
    let deal = exchange.fill_order(order, &settings.signer()?).await?;
    let currency = exchange.chain.currency().await?;
    let mut text = format!("filled order {order}: {} {framework}\n", thousands(deal.amount));
    text += &parts_text(&deal);
    text += &fee_line(&deal, None, &currency);
    let mut json = json!({ "order": order, "framework": framework.as_str() });
    merge(&mut json, deal_json(&deal, None, &currency));
    Ok(Reply::new(text, json))
}

/// `cicada71 orders`.
pub async fn orders(settings: &Settings, account: Option<Account>) -> Outcome {
    let account = settings.account_or_own(account)?;
    let orders = settings.indexer()?.open_orders(&account).await?;
    Ok(listed(&orders, &account))
}

fn listed(orders: &[OpenOrder], account: &Account) -> Reply {
    let row = |order: &OpenOrder| {
        vec![
            order.order.to_string(),
            order.framework.to_string(),
            order.side.to_string(),
            mmc(order.price.0),
            thousands(order.remaining.0),
            thousands(order.placed.0),
        ]
    };
    let columns = [
        Right("Order"),
        Left("Framework"),
        Left("Side"),
        Right("Price"),
        Right("Left"),
        Right("Placed"),
    ];
    let text = match orders.is_empty() {
        true => "no open orders".into(),
        false => table(&columns, orders.iter().map(row)),
    };
    let list = orders.iter().map(|order| {
        json!({
            "order": order.order, "framework": order.framework.as_str(),
            "side": order.side, "price": plain(order.price.0),
            "left": order.remaining, "placed": order.placed,
            "time_ms": order.time_ms,
        })
    });
    let list: Vec<Value> = list.collect();
    Reply::new(text, json!({ "account": account.to_string(), "orders": list }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_amounts::Units;
    use cicada_contracts::exchange::events::OrderPlaced;
    use cicada_core::hash::Digest;
    use cicada_trade::{Deal, Need};

    fn claude() -> Framework {
        Framework::new("claude").unwrap()
    }

    #[test]
    fn what_becomes_of_an_order_is_told() {
        let need = Need { token: Account([1; 32]), amount: 1, more: 0 };
        let plan = OrderPlan {
            framework: claude(),
            side: Side::Buy,
            price: 49_900_000,
            amount: 100,
            need,
        };
        assert_eq!(wanted(&plan), "an order to buy 100 claude at 49.9 MMC");
        let mut deal = Deal {
            amount: 40,
            value: 1_960_000_000,
            fills: Vec::new(),
            fee: 0,
            block: 1,
            transaction: Digest::ZERO,
        };
        let order = OrderPlaced {
            framework: claude(),
            owner: Account::NOBODY,
            order: 12,
            side: Side::Buy,
            price: plan.price,
            amount: 60,
        };
        let resting = placed(&plan, &Placement { deal: deal.clone(), resting: Some(order) });
        assert_eq!(
            resting,
            "traded 40 claude at once for 1,960 MMC\norder 12 rests with 60 tokens\n"
        );
        let refused = placed(&plan, &Placement { deal: deal.clone(), resting: None });
        assert!(refused.contains("60 tokens were neither"), "{refused}");
        (deal.amount, deal.value) = (100, 1);
        let all = placed(&plan, &Placement { deal, resting: None });
        assert!(all.ends_with("nothing is left to rest\n"), "{all}");
    }

    #[test]
    fn open_orders_are_a_table() {
        let order = OpenOrder {
            order: 3,
            framework: claude(),
            side: Side::Sell,
            price: Units(51_000_000),
            placed: Units(1_000),
            remaining: Units(400),
            time_ms: 1,
        };
        let reply = listed(&[order], &Account::NOBODY);
        let golden = "\
Order  Framework  Side  Price  Left  Placed
    3  claude     sell     51   400   1,000
";
        assert_eq!(reply.text, golden);
        assert_eq!(reply.value()["orders"][0]["left"], "400");
        assert_eq!(listed(&[], &Account::NOBODY).text, "no open orders");
    }
}

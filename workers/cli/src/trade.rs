//! Buying and selling performance tokens.

use crate::args;
use crate::context::Settings;
use crate::reply::{Outcome, Reply};
use cicada_amounts::{mmc, parse_mmc, plain_mmc as plain, thousands, units};
use cicada_chain::{CallOutcome, Currency};
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_trade::{Deal, Exchange, Fees, Intent, Limit, Need, Plan};
use clap::Args;
use serde_json::{json, Value};

/// Buys performance tokens: from resting orders up to the market maker's ask, and the rest from the
/// market maker. All of it or nothing.
///
/// Allows the exchange to take the most that it may cost, if it may not yet, and then buys: two
/// transactions at most.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 buy --framework claude --amount 1000
  cicada71 buy --framework claude --amount 1000 --max-cost 50500
  cicada71 buy --framework claude --amount 1000 --dry-run --json")]
pub struct BuyArgs {
    #[command(flatten)]
    what: What,
    /// The most that it may cost in all, in MMC; by default what it costs now and --slippage-bps.
    #[arg(long, value_parser = parse_mmc, value_name = "MMC", conflicts_with = "slippage_bps")]
    max_cost: Option<u128>,
}

/// Sells performance tokens: to resting orders down to the market maker's bid, and the rest to the
/// market maker. All of it or nothing.
///
/// Allows the exchange to take exactly these tokens, if it may not yet, and then sells: two
/// transactions at most.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 sell --framework openai --amount 500
  cicada71 sell --framework openai --amount 500 --min-proceeds 22000")]
pub struct SellArgs {
    #[command(flatten)]
    what: What,
    /// The least that it must yield in all, in MMC; by default what it yields now less
    /// --slippage-bps.
    #[arg(long, value_parser = parse_mmc, value_name = "MMC", conflicts_with = "slippage_bps")]
    min_proceeds: Option<u128>,
}

/// What both have.
#[derive(Debug, Args)]
struct What {
    /// Whose performance token.
    #[arg(long)]
    framework: Framework,
    /// How many tokens.
    #[arg(long, value_parser = args::tokens)]
    amount: u128,
    /// How much worse than now it may get, in basis points.
    #[arg(long, value_parser = args::bps, default_value = "100", value_name = "BPS")]
    slippage_bps: u16,
    #[command(flatten)]
    sending: Sending,
}

/// How something is sent to the exchange.
#[derive(Debug, Args)]
pub struct Sending {
    /// Seconds from now after which it is not done any more; at most a day.
    #[arg(long, default_value_t = 300, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub deadline: u64,
    /// Shows what it would come to, and the fees; sends nothing.
    #[arg(long)]
    pub dry_run: bool,
}

impl Sending {
    /// The deadline, in milliseconds since 1970.
    pub fn deadline_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(self.deadline.saturating_mul(1_000))
    }
}

/// `cicada71 buy`.
pub async fn buy(settings: &Settings, args: BuyArgs) -> Outcome {
    trade(settings, Side::Buy, args.what, args.max_cost).await
}

/// `cicada71 sell`.
pub async fn sell(settings: &Settings, args: SellArgs) -> Outcome {
    trade(settings, Side::Sell, args.what, args.min_proceeds).await
}

async fn trade(settings: &Settings, side: Side, what: What, limit: Option<u128>) -> Outcome {
    let exchange = settings.exchange().await?;
    let identity = settings.identity()?;
    let limit = limit.map_or(Limit::Bps(what.slippage_bps), Limit::Value);
    let intent = Intent { framework: what.framework, side, amount: what.amount, limit };
    let now = exchange.now().await?;
    let plan = now.plan(&identity.account(), intent).await?;
    let deadline_ms = what.sending.deadline_ms(now.now_ms);
    let currency = exchange.chain.currency().await?;
    if what.sending.dry_run {
        let fees = exchange.fees(&plan, deadline_ms, &identity.account()).await?;
        return Ok(foreseen(&plan, &fees, &currency));
    }
    exchange.rehearse(&plan, deadline_ms, &identity.account()).await?;
    let signer = identity.signer(&settings.common)?;
    let approval = exchange.approve(&plan.need, &signer).await?;
    if approval.is_some() {
        settings.say(&approved(&exchange, &plan.need));
    }
    let deal = exchange.trade(&plan, deadline_ms, &signer).await?;
    Ok(done(&plan, &deal, approval.as_ref(), &currency))
}

/// That an approval is final.
pub fn approved(exchange: &Exchange, need: &Need) -> String {
    let amount = match need.token == exchange.mmc {
        true => format!("{} MMC", mmc(need.amount)),
        false => format!("{} performance tokens", thousands(need.amount)),
    };
    format!("allowed the exchange to take {amount}")
}

/// A fee for people: `0.0012 UNIT`.
pub fn fee(amount: u128, currency: &Currency) -> String {
    format!("{} {}", units(amount, currency.decimals), currency.symbol)
}

/// What a trade would come to.
fn foreseen(plan: &Plan, fees: &Fees, currency: &Currency) -> Reply {
    let Intent { framework, side, amount, .. } = &plan.intent;
    let (verb, limit) = match side {
        Side::Buy => ("cost", "at most"),
        Side::Sell => ("yield", "at least"),
    };
    let value = fees.value.unwrap_or(plan.expected.value);
    let exact = fees.value.is_some() || plan.expected.exact;
    let about = match (exact, side) {
        (true, _) => "",
        (false, Side::Buy) => "at most ",
        (false, Side::Sell) => "at least ",
    };
    let text = format!(
        "{amount} {framework} would {verb} {about}{} MMC now ({} of them at the market maker's {} MMC); {limit} {} MMC is accepted\n{}\nnothing was sent",
        mmc(value),
        thousands(plan.expected.at_quote),
        mmc(side.quoted(&plan.quote).unwrap_or(0)),
        mmc(plan.limit),
        fees_text(fees, currency),
        amount = thousands(*amount),
    );
    let mut json = json!({
        "dry_run": true, "side": side, "framework": framework.as_str(),
        "amount": amount.to_string(), "value": plain(value), "exact": exact,
        "limit": plain(plan.limit), "at_quote": plan.expected.at_quote.to_string(),
        "bid": plain(plan.quote.bid), "ask": plain(plan.quote.ask),
    });
    json["fees"] = fees_json(fees, currency);
    Reply::new(text, json)
}

/// Fees in words.
pub fn fees_text(fees: &Fees, currency: &Currency) -> String {
    let mut parts = Vec::new();
    parts.extend(fees.approval.map(|amount| format!("{} for the approval", fee(amount, currency))));
    let about = if fees.exact { "" } else { "about " };
    parts.push(format!("{about}{} for the call", fee(fees.trade, currency)));
    if fees.deposit > 0 {
        parts.push(format!("a deposit of {} for storage", fee(fees.deposit, currency)));
    }
    format!("fees: {}", parts.join(", "))
}

/// Fees for programs.
pub fn fees_json(fees: &Fees, currency: &Currency) -> Value {
    let amount = |fee: u128| cicada_amounts::plain_units(fee, currency.decimals);
    json!({
        "currency": currency.symbol, "approval": fees.approval.map(amount),
        "call": amount(fees.trade), "deposit": amount(fees.deposit), "exact": fees.exact,
    })
}

/// What was traded.
fn done(plan: &Plan, deal: &Deal, approval: Option<&CallOutcome>, currency: &Currency) -> Reply {
    let Intent { framework, side, .. } = &plan.intent;
    let verb = match side {
        Side::Buy => "bought",
        Side::Sell => "sold",
    };
    let mut text = format!(
        "{verb} {} {framework} for {} MMC\n{}",
        thousands(deal.amount),
        mmc(deal.value),
        parts_text(deal)
    );
    text += &format!("{}\n", fee_line(deal, approval, currency));
    let mut json = json!({
        "side": side, "framework": framework.as_str(),
        "limit": plain(plan.limit), "approved": approval.map(|_| match side {
            Side::Buy => plain(plan.need.amount),
            Side::Sell => plan.need.amount.to_string(),
        }),
    });
    merge(&mut json, deal_json(deal, approval, currency));
    Reply::new(text, json)
}

/// The parts of a deal, a line each.
pub fn parts_text(deal: &Deal) -> String {
    let part = |fill: &cicada_trade::Fill| {
        let with = match (&fill.maker, fill.order) {
            (Some(maker), Some(order)) => {
                format!("order {order} of {}", maker)
            }
            (None, Some(order)) => format!("the market maker, for order {order}"),
            _ => "the market maker".into(),
        };
        format!("  {} at {} MMC with {with}\n", thousands(fill.amount), mmc(fill.price))
    };
    deal.fills.iter().map(part).collect()
}

/// Fee, block and transaction.
pub fn fee_line(deal: &Deal, approval: Option<&CallOutcome>, currency: &Currency) -> String {
    let approval =
        approval.map(|outcome| format!(" and {} for the approval", fee(outcome.fee, currency)));
    format!(
        "fee {}{}; block {}, transaction {}",
        fee(deal.fee, currency),
        approval.unwrap_or_default(),
        deal.block,
        deal.transaction
    )
}

/// A deal for programs.
pub fn deal_json(deal: &Deal, approval: Option<&CallOutcome>, currency: &Currency) -> Value {
    let amount = |fee: u128| cicada_amounts::plain_units(fee, currency.decimals);
    let fills: Vec<Value> = deal
        .fills
        .iter()
        .map(|fill| {
            json!({
                "price": plain(fill.price), "amount": fill.amount.to_string(),
                "order": fill.order, "maker": fill.maker.map(|maker| maker.to_string()),
            })
        })
        .collect();
    json!({
        "amount": deal.amount.to_string(), "value": plain(deal.value),
        "price": deal.mean_price_floor().map(plain), "fills": fills,
        "fee": amount(deal.fee), "approval_fee": approval.map(|outcome| amount(outcome.fee)),
        "fee_currency": currency.symbol, "block": deal.block,
        "transaction": deal.transaction,
    })
}

/// Adds the members of one object to another.
pub fn merge(json: &mut Value, more: Value) {
    if let (Value::Object(members), Value::Object(more)) = (json, more) {
        members.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::hash::Digest;
    use cicada_core::quote::Quote;
    use cicada_core::Account;
    use cicada_trade::{Expected, Fill};

    fn plan(side: Side) -> Plan {
        let framework = Framework::new("claude").unwrap();
        Plan {
            quote: Quote::new(framework.clone(), 50_000, 0, 1),
            expected: Expected { value: 50_500_000_000, at_quote: 1_000, exact: true },
            limit: 51_005_000_000,
            need: Need { token: Account([1; 32]), amount: 51_005_000_000, more: 51_005_000_000 },
            intent: Intent { framework, side, amount: 1_000, limit: Limit::Bps(100) },
        }
    }

    fn unit() -> Currency {
        Currency::default()
    }

    #[test]
    fn a_purchase_is_told_with_its_parts() {
        let deal = Deal {
            amount: 1_000,
            value: 50_490_000_000,
            fills: vec![
                Fill {
                    maker: Some(Account::NOBODY),
                    order: Some(7),
                    price: 50_000_000,
                    amount: 20,
                },
                Fill { maker: None, order: None, price: 50_500_000, amount: 980 },
            ],
            fee: 1_200_000_000,
            block: 9,
            transaction: Digest([0xab; 32]),
        };
        let reply = done(&plan(Side::Buy), &deal, None, &unit());
        let golden = format!(
            "bought 1,000 claude for 50,490 MMC\n  20 at 50 MMC with order 7 of {}\n  980 at 50.5 MMC with the market maker\nfee 0.0012 UNIT; block 9, transaction 0x{}\n",
            Account::NOBODY,
            "ab".repeat(32)
        );
        assert_eq!(reply.text, golden);
        assert_eq!(reply.value()["value"], "50490");
        assert_eq!(reply.value()["price"], "50.49");
        assert_eq!(reply.value()["fills"][0]["order"], 7);
        assert_eq!(reply.value()["approved"], Value::Null);
    }

    #[test]
    fn a_dry_run_tells_cost_limit_and_fees() {
        let fees = Fees {
            approval: Some(5_000_000_000),
            trade: 10,
            deposit: 7,
            exact: false,
            value: None,
        };
        let reply = foreseen(&plan(Side::Buy), &fees, &unit());
        assert_eq!(
            reply.text,
            "1,000 claude would cost 50,500 MMC now (1,000 of them at the market maker's 50.5 MMC); at most 51,005 MMC is accepted\nfees: 0.005 UNIT for the approval, about 0.00000000001 UNIT for the call, a deposit of 0.000000000007 UNIT for storage\nnothing was sent"
        );
        assert_eq!(reply.value()["fees"]["approval"], "0.005");
        assert_eq!(reply.value()["limit"], "51005");
        let sell = foreseen(&plan(Side::Sell), &fees, &unit());
        assert!(sell.text.contains("would yield") && sell.text.contains("at least 51,005"));
    }

    #[test]
    fn deadlines_are_seconds_from_now() {
        let sending = Sending { deadline: 300, dry_run: false };
        assert_eq!(sending.deadline_ms(1_000), 301_000);
        let never = Sending { deadline: u64::MAX, dry_run: false };
        assert_eq!(never.deadline_ms(1_000), u64::MAX);
    }
}

//! Looking at quotes, the leaderboard and markets.

use crate::context::Settings;
use crate::reply::{Outcome, Reply};
use crate::table::{or_dash, table, Left, Right};
use cicada_amounts::{mmc, plain_mmc as plain, thousands, QuoteJson};
use cicada_core::exchange::Side;
use cicada_core::hash::Digest;
use cicada_core::quote::{Framework, Quote};
use cicada_core::report::FeedState;
use cicada_program::duration_text;
use cicada_trade::{Error, MarketView, Row};
use serde::Serialize;
use serde_json::{json, Value};

#[derive(Serialize)]
struct Aged {
    #[serde(flatten)]
    quote: QuoteJson,
    age_ms: u64,
}

#[derive(Serialize)]
struct Ranking {
    slot: u64,
    time_ms: u64,
    digest: Digest,
    block: u64,
    quotes: Vec<QuoteJson>,
}

#[derive(Serialize)]
struct Market {
    quote: Option<QuoteJson>,
    #[serde(flatten)]
    rest: Value,
}

/// `cicada71 quote`.
pub async fn quote(settings: &Settings, framework: Framework) -> Outcome {
    let board = settings.board().await?;
    let quote = board.quote(&framework).await?;
    let age_ms = board.now_ms().await?.saturating_sub(quote.time_ms);
    let text =
        quotes_table([(None, &quote)]) + &format!("\nquote is {} old", duration_text(age_ms));
    Ok(Reply::new(text, Aged { quote: (&quote).into(), age_ms }))
}

/// `cicada71 leaderboard`.
pub async fn leaderboard(settings: &Settings) -> Outcome {
    let board = settings.board().await?;
    let (latest, quotes, block) = board.ranking().await?;
    let age_ms = board.now_ms().await?.saturating_sub(latest.time_ms);
    Ok(ranking(&latest, &quotes, block, age_ms))
}

fn ranking(latest: &FeedState, quotes: &[Quote], block: u64, age_ms: u64) -> Reply {
    let rows = (1u32..).zip(quotes).map(|(rank, quote)| (Some(rank), quote));
    let mut text = quotes_table(rows);
    text += &match quotes.is_empty() {
        true => "\nno leaderboard is final yet: 'paxos-market' finalizes one".into(),
        false => {
            format!("\nslot {}, {} old, read at block {block}", latest.slot, duration_text(age_ms))
        }
    };
    let json = Ranking {
        slot: latest.slot,
        time_ms: latest.time_ms,
        digest: latest.digest,
        block,
        quotes: quotes.iter().map(QuoteJson::from).collect(),
    };
    Reply::new(text, json)
}

/// Quotes in the columns of requirement 000-22.
fn quotes_table<'a>(quotes: impl IntoIterator<Item = (Option<u32>, &'a Quote)>) -> String {
    let columns = [
        Right("Rank"),
        Left("Framework"),
        Right("Score"),
        Right("Price"),
        Right("Bid"),
        Right("Ask"),
        Right("Volume 24h"),
    ];
    let row = |(rank, quote): (Option<u32>, &Quote)| {
        vec![
            or_dash(rank.map(|rank| rank.to_string())),
            quote.framework.to_string(),
            thousands(quote.score.into()),
            mmc(quote.price()),
            mmc(quote.bid),
            mmc(quote.ask),
            thousands(quote.volume_24h),
        ]
    };
    table(&columns, quotes.into_iter().map(row))
}

/// `cicada71 market`.
pub async fn market(settings: &Settings, framework: Framework) -> Outcome {
    let view = settings.exchange().await?.now().await?.view(&framework).await?;
    Ok(shown(&view))
}

/// A market for people and programs.
fn shown(view: &MarketView) -> Reply {
    let tradable = view.tradable();
    let mut text = format!("{} at block {}\n", view.framework, view.block);
    text += &match &tradable {
        Ok(quote) => format!(
            "market maker: bid {} MMC, ask {} MMC; the quote is {} old of {}\n",
            mmc(quote.bid),
            mmc(quote.ask),
            duration_text(view.age_ms().unwrap_or_default()),
            duration_text(view.terms.maker.present.max_quote_age_ms)
        ),
        Err(error) => format!("the market maker does not trade now: {error}\n"),
    };
    text += &format!(
        "volume in 24 hours: {} tokens; {} tokens exist\n",
        thousands(view.market.volume_24h),
        thousands(view.market.outstanding)
    );
    text += &reserve_line(view);
    text += &withdrawal_line(view);
    for (title, side) in [("asks", Side::Sell), ("bids", Side::Buy)] {
        text += &format!("\n{title}\n{}", depth_table(&view.rows(side)));
    }
    let rows = |side| -> Vec<Value> { view.rows(side).iter().map(row_json).collect() };
    let terms = view.terms.maker.present;
    let rest = json!({
        "framework": view.framework.as_str(), "block": view.block,
        "token": view.market.token.to_string(), "tradable": tradable.is_ok(),
        "why_not": tradable.err().map(|error: Error| error.to_string()),
        "quote_age_ms": view.age_ms(),
        "max_quote_age_ms": terms.max_quote_age_ms, "paused": !view.terms.gate.is_open(view.now_ms),
        "open_from_ms": view.terms.gate.open_from_ms,
        "volume_24h": view.market.volume_24h.to_string(),
        "outstanding": view.market.outstanding.to_string(),
        "max_outstanding": terms.limits.max_outstanding.to_string(),
        "hourly_bps": terms.limits.hourly_bps, "account_bps": terms.limits.account_bps,
        "risked_last_hour": plain(view.market.risked), "paid_last_hour": plain(view.market.paid),
        "peak_bid": plain(view.market.peak_bid),
        "withdrawal": view.market.withdrawal.map(|announced| json!({
            "amount": plain(announced.amount), "from_ms": announced.from_ms,
        })),
        "reserve": plain(view.market.reserve), "obligation": view.obligation().map(plain),
        "solvent": view.solvent(), "asks": rows(Side::Sell), "bids": rows(Side::Buy),
    });
    Reply::new(text, Market { quote: view.quote.as_ref().map(QuoteJson::from), rest })
}

fn reserve_line(view: &MarketView) -> String {
    let reserve = mmc(view.market.reserve);
    match view.obligation().zip(view.solvent()) {
        Some((cost, true)) => {
            format!("reserve: {reserve} MMC; buying all back takes {} MMC: solvent\n", mmc(cost))
        }
        Some((cost, false)) => {
            format!("reserve: {reserve} MMC; buying all back takes {} MMC: NOT ENOUGH\n", mmc(cost))
        }
        None => format!("reserve: {reserve} MMC\n"),
    }
}

/// What the owner will take out, if he announced something.
fn withdrawal_line(view: &MarketView) -> String {
    let Some(announced) = view.market.withdrawal else { return String::new() };
    let amount = mmc(announced.amount);
    match announced.from_ms.saturating_sub(view.now_ms) {
        0 if announced.is_over(view.now_ms) => String::new(),
        0 => format!("the owner announced to take out {amount} MMC and may do so now\n"),
        wait => format!("the owner takes out {amount} MMC, not before {}\n", duration_text(wait)),
    }
}

fn depth_table(rows: &[Row]) -> String {
    let columns = [Right("Price"), Right("Tokens"), Right("Orders")];
    let row = |row: &Row| {
        let orders = row.orders.map_or("maker".into(), |orders| thousands(orders.into()));
        vec![mmc(row.price), thousands(row.amount), orders]
    };
    match rows.is_empty() {
        true => "none\n".into(),
        false => table(&columns, rows.iter().map(row)),
    }
}

fn row_json(row: &Row) -> Value {
    json!({
        "price": plain(row.price), "amount": row.amount.to_string(), "orders": row.orders,
        "market_maker": row.orders.is_none(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::exchange::Withdrawal;
    use cicada_core::hash::Digest;

    #[test]
    fn the_leaderboard_is_the_table_of_the_seed() {
        let quote = |name, score, volume| {
            Quote::new(Framework::new(name).unwrap(), score, volume, 1_738_425_600_000)
        };
        let quotes = [quote("claude", 50_000, 1_000), quote("openai", 45_000, 0)];
        let latest = FeedState { slot: 3, digest: Digest([0xab; 32]), time_ms: 1_738_425_600_000 };
        let reply = ranking(&latest, &quotes, 12, 61_000);
        let golden = "\
Rank  Framework   Score  Price    Bid    Ask  Volume 24h
   1  claude     50,000     50   49.5   50.5       1,000
   2  openai     45,000     45  44.55  45.45           0

slot 3, 61 s old, read at block 12";
        assert_eq!(reply.text, golden);
        assert!(reply.json.contains("\"bid\":44.55,\"ask\":45.45,"), "{}", reply.json);
        assert!(reply.json.contains("\"digest\":\"0xabab"), "{}", reply.json);
        let none = ranking(&latest, &[], 1, 0);
        assert!(none.text.contains("no leaderboard is final yet"));
    }

    #[test]
    fn a_market_is_told_whole() {
        let mut view = MarketView::example();
        let (amount, from_ms) = (7_000_000, view.now_ms + 60_000);
        view.market.withdrawal = Some(Withdrawal { amount, from_ms });
        let reply = shown(&view);
        let golden = "\
claude at block 7
market maker: bid 49.5 MMC, ask 50.5 MMC; the quote is 10 min old of 10 min
volume in 24 hours: 1,000 tokens; 1,000 tokens exist
reserve: 5,050,000 MMC; buying all back takes 49,500 MMC: solvent
the owner takes out 7 MMC, not before 60 s

asks
Price  Tokens  Orders
 50.4       4       1
 50.5     400   maker
   51       1       1

bids
Price  Tokens  Orders
   50      10       2
 49.5       5       1
 49.5   1,000   maker
   49       9       3
";
        assert_eq!(reply.text, golden);
        assert_eq!(reply.value()["asks"][1]["market_maker"], true);
        assert_eq!(reply.value()["solvent"], true);
        assert!(reply.json.contains("\"bid\":49.50,"), "{}", reply.json);
        let mut stale = MarketView::example();
        stale.now_ms += 1;
        let reply = shown(&stale);
        assert!(reply.text.contains("does not trade now: the quote of claude is"));
        assert_eq!(reply.value()["tradable"], false);
    }
}

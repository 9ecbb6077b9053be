//! The client of the indexer: what would need a scan of the chain.

use crate::Error;
use cicada_amounts::Units;
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_core::Account;
use cicada_program::{client, read_answer};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer, in bytes: a page of 500 trades is a tenth of it.
const MOST: usize = 4 * 1024 * 1024;
/// The most entries of one page.
const PAGE: usize = 500;
/// The most open orders that are asked for.
pub const MAX_ORDERS: u32 = 10_000;

/// An indexer.
pub struct Indexer {
    url: String,
    client: reqwest::Client,
}

/// A trade of the past.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PastTrade {
    /// The block.
    pub block: u64,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// Which token.
    pub framework: Framework,
    /// Who traded: an address.
    pub taker: String,
    /// With whom: an address; none is the market maker.
    pub maker: Option<String>,
    /// The taker's side.
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: Units,
    /// Tokens.
    pub amount: Units,
    /// Base units of MMC for all of them.
    pub value: Units,
    /// The resting order that was filled.
    pub order: Option<u64>,
}

/// An order that rests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OpenOrder {
    /// Its number.
    #[serde(rename = "id")]
    pub order: u64,
    /// Which token.
    pub framework: Framework,
    /// Whether it buys or sells.
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: Units,
    /// Tokens that rested at first.
    pub placed: Units,
    /// Tokens not traded yet.
    pub remaining: Units,
    /// When it was placed, in milliseconds since 1970.
    pub time_ms: u64,
}

/// What an account has of one token, and what became of its money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Position {
    /// Which token.
    pub framework: Framework,
    /// Tokens, those in resting orders included.
    pub amount: Units,
    /// Those of them in resting orders.
    pub in_orders: Units,
    /// What they have cost, in base units of MMC.
    pub cost: Units,
    /// What was gained with tokens sold, in base units of MMC.
    pub realised: Units<i128>,
}

/// The positions of an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Portfolio {
    /// The newest block that the indexer knows.
    pub block: u64,
    /// MMC in resting orders, in base units.
    pub mmc_in_orders: Units,
    /// One for each token that it has or had.
    pub positions: Vec<Position>,
}

/// A part of a list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl Indexer {
    /// The indexer at an address such as `http://127.0.0.1:7171`. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Indexer`] if there can be no client.
    pub fn new(url: &str) -> Result<Self, Error> {
        let url = url.trim_end_matches('/').to_owned();
        let failed = |error: reqwest::Error| Error::Indexer {
            url: url.clone(),
            reason: error.without_url().to_string(),
        };
        let client = client(PATIENCE, PATIENCE).map_err(failed)?;
        Ok(Self { url, client })
    }

    /// The trades of an account, the newest first, at most `limit`; of one framework, if it is
    /// given.
    ///
    /// # Errors
    /// [`Error::Indexer`].
    pub async fn trades(
        &self,
        account: &Account,
        framework: Option<&Framework>,
        limit: u32,
    ) -> Result<Vec<PastTrade>, Error> {
        let mut query = vec![("account", account.to_string())];
        query.extend(framework.map(|framework| ("framework", framework.to_string())));
        self.list("/trades", query, limit).await
    }

    /// The open orders of an account, the newest first, at most [`MAX_ORDERS`].
    ///
    /// # Errors
    /// [`Error::Indexer`].
    pub async fn open_orders(&self, account: &Account) -> Result<Vec<OpenOrder>, Error> {
        let query = vec![("account", account.to_string()), ("state", "open".into())];
        self.list("/orders", query, MAX_ORDERS).await
    }

    /// At most `limit` entries of a list, page by page.
    async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Vec<(&str, String)>,
        limit: u32,
    ) -> Result<Vec<T>, Error> {
        let limit = limit as usize;
        let mut all: Vec<T> = Vec::new();
        let mut before: Option<String> = None;
        while all.len() < limit {
            let mut query = query.clone();
            query.push(("limit", (limit - all.len()).min(PAGE).to_string()));
            query.extend(before.take().map(|before| ("before", before)));
            let page: Page<T> = self.get(path, &query).await?;
            if page.items.is_empty() {
                break;
            }
            all.extend(page.items);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        all.truncate(limit);
        Ok(all)
    }

    /// What an account has, and what it has cost.
    ///
    /// # Errors
    /// [`Error::Indexer`].
    pub async fn portfolio(&self, account: &Account) -> Result<Portfolio, Error> {
        self.get(&format!("/portfolio/{account}"), &[]).await
    }

    fn unreadable(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Indexer { url: self.url.clone(), reason: reason.to_string() }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, Error> {
        let failed = |error: reqwest::Error| {
            let reason = match (error.is_connect(), error.is_timeout()) {
                (true, _) => "nobody listens there".into(),
                (_, true) => format!("silent for {PATIENCE:?}"),
                _ => error.without_url().to_string(),
            };
            self.unreadable(&reason)
        };
        let request = self.client.get(format!("{}{path}", self.url)).query(query);
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let (_, body) = read_answer(answer, MOST).await.map_err(|e| self.unreadable(&e))?;
        let body = serde_json::from_slice::<serde_json::Value>(&body);
        if !status.is_success() {
            let said = body.ok().and_then(|body| body.get("error")?.as_str().map(String::from));
            let said = said.map(|said| format!(": {said}")).unwrap_or_default();
            return Err(self.unreadable(&format!("{status}{said}")));
        }
        body.and_then(serde_json::from_value).map_err(|error| self.unreadable(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::{Path, Query};
    use axum::http::StatusCode;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::{json, Value};
    use std::collections::HashMap;

    type Asked = Query<HashMap<String, String>>;

    /// 600 trades in pages of at most 500.
    async fn trades(Query(asked): Asked) -> Json<Value> {
        let before: u64 = asked.get("before").map_or(600, |before| before.parse().unwrap());
        let limit: u64 = asked["limit"].parse().unwrap();
        assert!(limit <= 500);
        let last = before.saturating_sub(limit);
        let trade = |block: u64| {
            json!({
                "block": block, "index": 2, "time_ms": 60, "framework": asked["framework"],
                "side": "buy", "taker": asked["account"], "maker": null, "price": "50500000",
                "amount": "1000", "value": "50500000000", "order": null,
            })
        };
        let items: Vec<Value> = (last..before).rev().map(trade).collect();
        let next = (last > 0).then(|| last.to_string());
        Json(json!({ "block": 600, "items": items, "next": next }))
    }

    async fn orders(Query(asked): Asked) -> Json<Value> {
        assert_eq!(asked["state"], "open");
        let order = json!({
            "id": 3, "framework": "claude", "side": "sell", "price": "51000000",
            "placed": "10", "remaining": "4", "state": "open", "time_ms": 1,
        });
        Json(json!({ "block": 1, "items": [order], "next": null }))
    }

    async fn portfolio(Path(account): Path<String>) -> (StatusCode, Json<Value>) {
        if account == Account([9; 32]).to_string() {
            return (StatusCode::NOT_FOUND, Json(json!({ "error": "no such account" })));
        }
        let position = json!({
            "framework": "claude", "token": account, "amount": "10", "in_orders": "4",
            "cost": "505000000", "bid": "49500000", "value": "1", "realised": "-5",
        });
        (
            StatusCode::OK,
            Json(json!({
                "block": 5, "account": account, "mmc": "1", "mmc_in_orders": "7",
                "positions": [position],
            })),
        )
    }

    async fn serve() -> Indexer {
        let routes = Router::new()
            .route("/trades", get(trades))
            .route("/orders", get(orders))
            .route("/portfolio/{account}", get(portfolio));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Indexer::new(&url).unwrap()
    }

    #[tokio::test]
    async fn answers_are_read_in_their_units() {
        let indexer = serve().await;
        let claude = Framework::new("claude").unwrap();
        let trades = indexer.trades(&Account([1; 32]), Some(&claude), 3).await.unwrap();
        assert_eq!(trades.len(), 3);
        assert_eq!((trades[0].value, trades[0].side), (Units(50_500_000_000), Side::Buy));
        assert_eq!(trades[0].taker, Account([1; 32]).to_string());
        let many = indexer.trades(&Account([1; 32]), Some(&claude), 550).await.unwrap();
        let blocks: Vec<u64> = many.iter().map(|trade| trade.block).collect();
        assert_eq!(blocks, (50..600).rev().collect::<Vec<u64>>(), "over two pages");
        let all = indexer.trades(&Account([1; 32]), Some(&claude), 1_000).await.unwrap();
        assert_eq!(all.len(), 600);
        let orders = indexer.open_orders(&Account([1; 32])).await.unwrap();
        assert_eq!((orders[0].order, orders[0].remaining), (3, Units(4)));
        let portfolio = indexer.portfolio(&Account([1; 32])).await.unwrap();
        assert_eq!((portfolio.block, portfolio.mmc_in_orders), (5, Units(7)));
        let position = &portfolio.positions[0];
        assert_eq!((position.in_orders, position.cost), (Units(4), Units(505_000_000)));
        assert_eq!(position.realised, Units(-5));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said_with_the_address() {
        let indexer = serve().await;
        let error = indexer.portfolio(&Account([9; 32])).await.unwrap_err().to_string();
        assert!(error.contains("404") && error.contains("no such account"), "{error}");
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        let error = Indexer::new(&url).unwrap().open_orders(&Account([1; 32])).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&url) && text.contains("nobody listens"), "{text}");
    }
}

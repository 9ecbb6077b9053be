//! What can be asked of a validator.

use crate::service::App;
use crate::store::StoreError;
use crate::view;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use cicada_core::hash::Native;
use cicada_core::merkle::Tree;
use cicada_core::rewards::{leaves, Claim};
use cicada_core::Account;
use cicada_program::http::{figures, Failure, Figures};
use cicada_program::now_ms;
use serde::Deserialize;
use serde_json::{json, Value};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

mod over;
mod room;
mod signed;

use room::{in_line, with_room};

/// NAVs over which the members' parts are counted: those of a day.
const A_DAY: usize = 1_440;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        anyhow::Error::from(error).into()
    }
}

type Answer = Result<Json<Value>, Failure>;
type Shared = State<Arc<App>>;

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    // What reads the chain, or verifies signatures, for anybody.
    let people = Router::new()
        .route("/consensus", get(consensus))
        .route("/nav", get(nav))
        .route("/basket", get(basket))
        .route("/claims", get(claims));
    // What reads much of the store.
    let stored = Router::new()
        .route("/rankings", get(over::rankings))
        .route("/slashing", get(over::slashing))
        .route("/rewards", get(over::rewards));
    let peers = Router::new().route("/attestation", get(signed::attestation));
    let ranked = Router::new().route("/ranking", get(signed::signed_ranking));
    let observed = Router::new().route("/observation", get(signed::observation));
    // A program of this machine needs no room.
    let own = Router::new().route("/nav", post(demand)).route("/basket", post(rebalance));
    Router::new()
        .merge(with_room(people))
        .merge(with_room(stored))
        .merge(with_room(peers))
        .merge(in_line(observed))
        .merge(in_line(ranked))
        .merge(own)
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .with_state(app)
}

async fn metrics(State(app): Shared) -> Figures {
    figures(app.metrics.text())
}

async fn status(State(app): Shared) -> Answer {
    let cursor = app.store.cursor()?;
    let newest = app.store.newest_epoch_number()?.unwrap_or_default();
    let keys = app.observer.as_ref().map(|observer| &observer.keys);
    let lag = cursor.map(|cursor| now_ms().saturating_sub(cursor.time_ms));
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "index": app.place.index.to_string(),
        "rewards": app.place.rewards,
        "operator": keys.map(|keys| keys.operator().to_string()),
        "attestation_key": keys.map(|keys| hex::encode(keys.attestation_key())),
        "uptime_seconds": app.started.elapsed().as_secs(),
        "block": cursor.map(|cursor| cursor.block),
        "block_time_ms": cursor.map(|cursor| cursor.time_ms),
        "behind_ms": lag,
        "events": app.store.count_events()?,
        "newest_slot": app.store.newest_settled(1)?.first().map_or(0, |(slot, _)| *slot),
        "epochs_over": newest,
        "epochs_on_chain": app.epoch_on_chain(),
        "chain_problem": app.chain_problem(),
    })))
}

async fn consensus(State(app): Shared) -> Answer {
    let contracts = app.contracts();
    let office = contracts.office().await?;
    let newest = contracts.feeds().await?.1;
    let seat =
        app.observer.as_ref().and_then(|o| office.committee.seat_of(&o.keys.attestation_key()));
    let taken: Vec<_> = app.store.newest_settled(A_DAY)?;
    let part = |seat: u32, bits: fn(&crate::rows::SettledNav) -> u32| {
        let own = taken.iter().filter(|(_, nav)| nav.epoch == office.committee.epoch);
        own.filter(|(_, nav)| bits(nav).checked_shr(seat).unwrap_or(0) & 1 == 1).count()
    };
    let settled = taken.iter().filter(|(_, nav)| nav.epoch == office.committee.epoch).count();
    let members = (0u32..).zip(office.operators.iter().zip(&office.stakes));
    let members = members.map(|(seat, (operator, stake))| {
        json!({
            "seat": seat,
            "operator": operator.to_string(),
            "stake": stake.to_string(),
            "observed": part(seat, |nav| nav.observers),
            "signed": part(seat, |nav| nav.signers),
        })
    });
    Ok(Json(json!({
        "committee": office.committee.epoch,
        "config_digest": office.committee.config_digest,
        "seat": seat,
        "navs_of_this_committee": settled,
        "next_slot": newest.slot.saturating_add(1),
        "newest_time_ms": newest.time_ms,
        "last_round": app.last_of_nav(),
        "members": members.collect::<Vec<_>>(),
    })))
}

async fn nav(State(app): Shared) -> Answer {
    let own = match &app.observer {
        Some(observer) => match observer.own_nav(&app.contracts()).await {
            Ok(own) => {
                app.metrics.set_nav(own.nav_e18);
                let position = |(netuid, position): &(u16, cicada_core::nav::Position)| {
                    json!({
                        "netuid": netuid,
                        "holding": position.holding.to_string(),
                        "price_e18": position.price_e18.to_string(),
                    })
                };
                json!({
                    "nav_e18": own.nav_e18.to_string(),
                    "time_ms": own.time_ms,
                    "block": own.block,
                    "supply": own.supply.to_string(),
                    "positions": own.positions.iter().map(position).collect::<Vec<_>>(),
                })
            }
            Err(error) => json!({ "error": format!("{error:#}") }),
        },
        None => Value::Null,
    };
    Ok(Json(json!({ "own": own, "settled": view::navs(&app)? })))
}

/// The header of requests that begin something. A page in a browser cannot send it elsewhere
/// without asking first, which nobody here answers.
pub const BEGIN: &str = "x-cicada-begin";

/// What is begun is begun by a program of this machine, and by who takes part.
fn may_begin(app: &App, from: SocketAddr, headers: &HeaderMap) -> Result<(), Failure> {
    is_own_program(from, headers)?;
    if app.observer.is_none() || !app.peers.has_node() {
        return Err(Failure::conflict("this process has no keys or no consensus node"));
    }
    Ok(())
}

/// Not a page in a browser of this machine, nor what a proxy hands on: those name an origin or
/// another host.
fn is_own_program(from: SocketAddr, headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if !from.ip().is_loopback() || !is_here || headers.contains_key(header::ORIGIN) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "only from a program of this machine"));
    }
    if !headers.contains_key(BEGIN) {
        let how = format!("send the header '{BEGIN}: yes'");
        return Err(Failure::new(StatusCode::FORBIDDEN, how));
    }
    Ok(())
}

async fn demand(
    State(app): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Answer {
    may_begin(&app, from, &headers)?;
    app.demand.notify_one();
    Ok(Json(json!({ "begun": true })))
}

async fn basket(State(app): Shared) -> Answer {
    let own = match &app.baskets {
        None => Value::Null,
        Some(baskets) => match baskets.own_view(&app.contracts()).await {
            Ok((time_ms, entries)) => json!({
                "time_ms": time_ms,
                "entries": entries.iter().map(|entry| json!({
                    "netuid": entry.netuid,
                    "token": entry.token.to_string(),
                    "weight_bps": entry.weight_bps,
                    "price_e18": entry.price_e18.to_string(),
                })).collect::<Vec<_>>(),
            }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        },
    };
    let (newest, _) = app.contracts().feeds().await?;
    Ok(Json(json!({ "own": own, "settled_slot": newest.slot, "settled_time_ms": newest.time_ms })))
}

async fn rebalance(
    State(app): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Answer {
    may_begin(&app, from, &headers)?;
    if app.baskets.is_none() {
        return Err(Failure::conflict("no file of emissions is configured"));
    }
    app.rebalance.notify_one();
    Ok(Json(json!({ "begun": true })))
}

#[derive(Deserialize)]
struct OfAccount {
    account: String,
}

/// The claims under the root that the chain has, and their tree.
pub struct Claims {
    epoch: u64,
    claims: Vec<Claim>,
    tree: Tree,
}

async fn claims(State(app): Shared, Query(of): Query<OfAccount>) -> Answer {
    let account = of.account.parse::<Account>().map_err(Failure::bad)?;
    let contracts = app.contracts();
    let (state, _) = contracts.rewards_state().await?;
    app.saw_epoch(state.epoch);
    let known = app.claims.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let claims = match known.filter(|known| known.epoch == state.epoch) {
        Some(known) => known,
        None => {
            let claims = app.store.claims(state.epoch)?.ok_or_else(|| {
                Failure::absent(format!("the claims after epoch {} are not here", state.epoch))
            })?;
            let tree = Tree::new::<Native>(leaves::<Native>(&claims));
            let claims = Arc::new(Claims { epoch: state.epoch, claims, tree });
            *app.claims.lock().unwrap_or_else(PoisonError::into_inner) = Some(claims.clone());
            claims
        }
    };
    if claims.tree.root() != state.claims_root {
        return Err(Failure::conflict("the chain settled another award than we computed"));
    }
    let index = claims.claims.binary_search_by_key(&account, |claim| claim.account);
    let index = index.map_err(|_| Failure::absent("nothing was awarded to this account"))?;
    let claim = claims.claims[index];
    let proof = claims.tree.prove(index).unwrap_or_default();
    let paid = contracts.paid_of(&account).await?;
    Ok(Json(json!({
        "account": account.to_string(),
        "epoch": state.epoch,
        "cumulative": claim.cumulative.to_string(),
        "paid": paid.to_string(),
        "due": claim.cumulative.saturating_sub(paid).to_string(),
        "index": index,
        "claims": claims.claims.len(),
        "claims_root": state.claims_root,
        "proof": proof,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(from: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let named = headers.iter().map(|(name, value)| {
            (name.parse().unwrap(), axum::http::HeaderValue::from_static(value))
        });
        is_own_program(from.parse().unwrap(), &named.collect()).is_ok()
    }

    #[test]
    fn a_page_in_a_browser_a_proxy_and_another_machine_begin_nothing() {
        let own = [("host", "127.0.0.1:8081"), (BEGIN, "yes")];
        assert!(asks("127.0.0.1:5000", &own));
        assert!(asks("[::1]:5000", &[("host", "[::1]:8081"), (BEGIN, "yes")]));
        assert!(!asks("10.0.0.7:5000", &own));
        assert!(!asks("127.0.0.1:5000", &own[..1]), "a form needs no permission to be sent");
        let page = [own[0], own[1], ("origin", "http://evil.example")];
        assert!(!asks("127.0.0.1:5000", &page));
        assert!(!asks("127.0.0.1:5000", &[("host", "evil.example:8081"), (BEGIN, "yes")]));
        assert!(!asks("127.0.0.1:5000", &[own[1]]));
    }
}

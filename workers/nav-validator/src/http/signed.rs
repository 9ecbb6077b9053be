//! What other validators ask for: our signatures.

use super::{Answer, Failure, Shared};
use crate::certify::confirmed;
use crate::contracts::Office;
use crate::rebalance::wanted_message;
use crate::service::App;
use axum::extract::{Query, State};
use axum::Json;
use cicada_chain::address;
use cicada_core::basket::agreed::Proposal as Basket;
use cicada_core::certificate::Signature;
use cicada_core::nav::Proposal;
use cicada_core::ranking::ranking;
use cicada_core::rewards;
use cicada_program::count;
use parity_scale_codec::Encode;
use serde::Deserialize;
use serde_json::{json, Value};

#[derive(Deserialize)]
pub(super) struct OfSlot {
    slot: u64,
    #[serde(default = "of_nav")]
    feed: String,
    // Who wants a basket of it, with its signature in hex.
    seat: Option<u8>,
    wanted: Option<String>,
}

impl OfSlot {
    /// Whether a seat of the office wants the basket of this slot and time.
    fn is_wanted(&self, office: &Office, time_ms: u64) -> bool {
        let message = wanted_message(&office.config_digest, self.slot, time_ms);
        let mut signature = [0; 64];
        let read = self.wanted.as_ref().map(|text| hex::decode_to_slice(text, &mut signature));
        let seat = self.seat.filter(|_| read == Some(Ok(())));
        seat.is_some_and(|seat| office.signed(seat, &message, &signature))
    }
}

fn of_nav() -> String {
    "nav".into()
}

pub(super) async fn observation(State(app): Shared, Query(of): Query<OfSlot>) -> Answer {
    let signed = match &app.chain_problem() {
        None => signed(&app, &of).await,
        Some(problem) => Err(Failure::conflict(problem)),
    };
    count(&app.metrics.observations, if signed.is_ok() { "signed" } else { "refused" });
    signed.map(Json)
}

async fn signed(app: &App, of: &OfSlot) -> Result<Value, Failure> {
    let observer = app.observer.as_ref();
    let observer = observer.ok_or_else(|| Failure::conflict("this process has no keys"))?;
    let contracts = app.contracts();
    match of.feed.as_str() {
        "nav" => {
            let known = observer.observation(&contracts, of.slot).await;
            let (office, one) = known.map_err(Failure::conflict)?;
            let mut said = said(&office, of.slot, one.seat, one.time_ms, &one.signature, &one);
            said["nav_e18"] = one.nav_e18.to_string().into();
            Ok(said)
        }
        "basket" => {
            let none = || Failure::conflict("no file of emissions is configured");
            let baskets = app.baskets.as_ref().ok_or_else(none)?;
            let known = baskets.own(&contracts, observer, of.slot).await;
            let (office, own) = known.map_err(Failure::conflict)?;
            let one = &own.observation;
            if of.is_wanted(&office, one.time_ms) {
                baskets.want(of.slot, one.time_ms);
            }
            Ok(said(&office, of.slot, one.seat, one.time_ms, &one.signature, one))
        }
        _ => Err(Failure::bad("the feeds are nav and basket")),
    }
}

fn said(
    office: &Office,
    slot: u64,
    seat: u8,
    time_ms: u64,
    signature: &Signature,
    whole: &impl Encode,
) -> Value {
    json!({
        "committee": office.epoch,
        "config_digest": hex::encode(office.config_digest),
        "slot": slot,
        "seat": seat,
        "time_ms": time_ms,
        "signature": hex::encode(signature),
        "scale": hex::encode(whole.encode()),
    })
}

#[derive(Deserialize)]
pub(super) struct OfEpoch {
    epoch: u64,
}

/// What we have signed of the ranking of an epoch. The ranking itself is shown once the epoch is
/// settled: before that somebody could copy it.
pub(super) async fn signed_ranking(State(app): Shared, Query(of): Query<OfEpoch>) -> Answer {
    let observer = app.observer.as_ref();
    let observer = observer.ok_or_else(|| Failure::conflict("this process has no keys"))?;
    let outlook = observer.outlooks.now(&app.contracts()).await?;
    let (office, epoch) = (&outlook.office, of.epoch);
    let own = app.store.statement(epoch, &office.config_digest)?;
    let own = own.ok_or_else(|| Failure::conflict(format!("epoch {epoch} is not signed")))?;
    let settled = app.store.newest_awarded()?.is_some_and(|(newest, _)| newest >= epoch);
    let kept = if settled { app.store.epoch(epoch)? } else { None };
    let list = kept.map(|kept| ranking(&kept.scores));
    let one = own.statement;
    Ok(Json(json!({
        "committee": office.epoch,
        "config_digest": hex::encode(office.config_digest),
        "epoch": epoch,
        "seat": one.seat,
        "start_ms": one.start_ms,
        "end_ms": one.end_ms,
        "digest": hex::encode(one.ranking),
        "signature": hex::encode(one.signature),
        "ranking": list.as_ref().map(|list| {
            let row = |(miner, score): &(_, u128)| json!([address(miner), score.to_string()]);
            list.iter().map(row).collect::<Vec<_>>()
        }),
        "scale": hex::encode((one, list).encode()),
    })))
}

#[derive(Deserialize)]
pub(super) struct OfFeed {
    feed: String,
    slot: u64,
}

/// Our signature under what the nodes decided and certified: for a bringer who has to replace that
/// of a seat without a voice.
pub(super) async fn attestation(State(app): Shared, Query(of): Query<OfFeed>) -> Answer {
    let observer = app.observer.as_ref();
    let observer = observer.ok_or_else(|| Failure::conflict("this process has no keys"))?;
    let contracts = app.contracts();
    let (peers, slot) = (&app.peers, of.slot);
    let (feed, decided) = match of.feed.as_str() {
        "nav" => {
            let decided = peers.certified::<Proposal>("nav", slot).await?;
            let decided = decided.map(|decided| (decided.value.report, decided.certificate));
            (contracts.nav_feed(), decided)
        }
        "basket" => {
            let decided = peers.certified::<Basket>("basket", slot).await?;
            let decided = decided.map(|decided| (decided.value.report, decided.certificate));
            (contracts.basket_feed(), decided)
        }
        "rewards" => {
            let decided = peers.certified::<rewards::Proposal>("rewards", slot).await?;
            let decided = decided.map(|decided| (decided.value.report, decided.certificate));
            (contracts.rewards_feed()?, decided)
        }
        _ => return Err(Failure::bad("the feeds are nav, basket and rewards")),
    };
    let (report, certificate) =
        decided.ok_or_else(|| Failure::absent("our node has not decided that slot"))?;
    let office = contracts.office().await?;
    let seat = office.seat_of(&observer.keys.attestation_key());
    let seat = seat.ok_or_else(|| Failure::conflict("these keys have no seat"))?;
    let message =
        confirmed(&office, &feed, slot, &report, &certificate).map_err(Failure::conflict)?;
    Ok(Json(json!({ "seat": seat, "signature": hex::encode(observer.keys.attest(&message)) })))
}

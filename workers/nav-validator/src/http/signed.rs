//! What other validators ask for: our signatures.

use super::{Answer, Failure, Shared};
use crate::contracts::Office;
use crate::observe::Observer;
use crate::rebalance::wanted_message;
use crate::service::App;
use anyhow::{ensure, Context, Result};
use axum::extract::{Query, State};
use axum::Json;
use cicada_core::certificate::Signature;
use cicada_core::ranking::ranking;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_core::slashing::Weight;
use cicada_node_api::{Attestation, Decided, Scale};
use cicada_program::count;
use cicada_settlement::Committee;
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
        let message = wanted_message(&office.committee.config_digest, self.slot, time_ms);
        let mut signature = [0; 64];
        let read = self.wanted.as_ref().map(|text| hex::decode_to_slice(text, &mut signature));
        let seat = self.seat.filter(|_| read == Some(Ok(())));
        seat.is_some_and(|seat| office.committee.signed(seat, &message, &signature))
    }
}

fn of_nav() -> String {
    ReportKind::Nav.name().into()
}

pub(super) async fn observation(State(app): Shared, Query(of): Query<OfSlot>) -> Answer {
    let signed = match &app.chain_problem() {
        None => signed(&app, &of).await,
        Some(problem) => Err(Failure::conflict(problem)),
    };
    count(&app.metrics.observations, if signed.is_ok() { "signed" } else { "refused" });
    signed.map(Json)
}

fn observer(app: &App) -> Result<&Observer, Failure> {
    app.observer.as_deref().ok_or_else(|| Failure::conflict("this process has no keys"))
}

async fn signed(app: &App, of: &OfSlot) -> Result<Value, Failure> {
    let observer = observer(app)?;
    let contracts = app.contracts();
    match ReportKind::named(&of.feed) {
        Some(ReportKind::Nav) => {
            let known = observer.observation(&contracts, of.slot).await;
            let (office, one) = known.map_err(Failure::conflict)?;
            let mut said = said(&office, of.slot, one.seat, one.time_ms, &one.signature, &one);
            said["nav_e18"] = one.nav_e18.to_string().into();
            Ok(said)
        }
        Some(ReportKind::Basket) => {
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
        "committee": office.committee.epoch,
        "config_digest": office.committee.config_digest,
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
    let observer = observer(&app)?;
    let outlook = observer.outlooks.now(&app.contracts()).await?;
    let (office, epoch) = (&outlook.office, of.epoch);
    let own = app.store.statement(epoch, &office.committee.config_digest)?;
    let own = own.ok_or_else(|| Failure::conflict(format!("epoch {epoch} is not signed")))?;
    let settled = app.store.newest_awarded()?.is_some_and(|(newest, _)| newest >= epoch);
    let kept = if settled { app.store.epoch(epoch)? } else { None };
    let list = kept.map(|kept| ranking(&kept.scores));
    let one = own.statement;
    Ok(Json(json!({
        "committee": office.committee.epoch,
        "config_digest": office.committee.config_digest,
        "epoch": epoch,
        "seat": one.seat,
        "start_ms": one.start_ms,
        "end_ms": one.end_ms,
        "digest": one.ranking,
        "signature": hex::encode(one.signature),
        "ranking": list.as_ref().map(|list| {
            let row = |(miner, score): &Weight| json!([miner, score.to_string()]);
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
    let observer = observer(&app)?;
    let (contracts, slot) = (app.contracts(), of.slot);
    let feed = match ReportKind::named(&of.feed) {
        Some(ReportKind::Nav) => contracts.nav_feed(),
        Some(ReportKind::Basket) => contracts.basket_feed(),
        Some(ReportKind::Rewards) => contracts.rewards_feed()?,
        _ => return Err(Failure::bad("the feeds are nav, basket and rewards")),
    };
    let decided = app.peers.node()?.decided(feed.kind, slot).await.map_err(anyhow::Error::from)?;
    let decided = decided.ok_or_else(|| Failure::absent("our node has not decided that slot"))?;
    let office = contracts.office().await?;
    let committee = contracts.committee(&office).await?;
    let (report, epoch) = confirmed(&committee, &feed, slot, decided).map_err(Failure::conflict)?;
    let committee = committee.that_signed(epoch);
    let seat = committee.seat_of(&observer.keys.attestation_key());
    let seat =
        seat.ok_or_else(|| Failure::conflict("these keys had no seat when it was decided"))?;
    let message = committee.message(&report);
    let signature = Scale(observer.keys.attest(&message));
    Ok(Json(json!(Attestation { seat, slot, signature })))
}

/// What a seat may sign once more: the report of a slot, if a quorum of the committee in office or of
/// the one before, barred seats included, has signed it; and the epoch of those.
fn confirmed(
    committee: &Committee,
    feed: &Feed,
    slot: u64,
    decided: Decided,
) -> Result<(Report, u32)> {
    let Decided { proposal: Scale(value), certificate, .. } = decided;
    let Scale(certificate) =
        certificate.with_context(|| format!("slot {slot} is decided, but not certified yet"))?;
    let report = value.report()?;
    ensure!(report.feed == *feed && report.slot == slot, "a report of another slot");
    committee
        .check(&report, &certificate)
        .map_err(|error| anyhow::anyhow!("the certificate: {error:?}"))?;
    Ok((report, certificate.epoch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::testing::committee;
    use cicada_core::certificate::Certificate;
    use cicada_core::hash::Digest;
    use cicada_core::Account;
    use cicada_node_api::Opaque;

    const FEED: Feed = Feed { kind: ReportKind::Nav, contract: Account([3; 32]) };
    const REPORT: Report = Report {
        version: 1,
        feed: FEED,
        slot: 5,
        previous: Digest::ZERO,
        time_ms: 7,
        leaf_count: 1,
        root: Digest([9; 32]),
    };

    #[test]
    fn only_what_a_quorum_signed_is_signed_again() {
        let (keys, office) = committee(5);
        let committee = office.committee;
        let message = committee.message(&REPORT);
        let signed = (1..5u8).map(|seat| (seat, keys[usize::from(seat)].attest(&message)));
        let good = Certificate::assemble(1, &committee.quorum, signed).unwrap();
        let decided = |slot, report: &Report, certificate: Option<&Certificate>| Decided {
            slot,
            digest: Scale(Digest::ZERO),
            proposal: Scale(Opaque(report.encode())),
            proposer: None,
            certificate: certificate.cloned().map(Scale),
        };
        let check = |slot, report: &Report, certificate: Option<&Certificate>| {
            let decided = decided(slot, report, certificate);
            confirmed(&committee, &FEED, slot, decided).map(|(_, epoch)| epoch).ok()
        };
        assert_eq!(check(5, &REPORT, Some(&good)), Some(1));
        assert_eq!(check(5, &REPORT, None), None, "not certified");
        assert_eq!(check(6, &REPORT, Some(&good)), None, "another slot");
        assert_eq!(
            check(5, &Report { root: Digest([1; 32]), ..REPORT }, Some(&good)),
            None,
            "another report"
        );
        let other = Feed { contract: Account([4; 32]), ..FEED };
        assert_eq!(check(5, &Report { feed: other, ..REPORT }, Some(&good)), None, "another feed");
        let next = Certificate { epoch: 2, ..good.clone() };
        assert_eq!(check(5, &REPORT, Some(&next)), None, "another epoch");
        let before = Box::new(committee.clone());
        let after = Committee { epoch: 2, before: Some(before), ..committee.clone() };
        let decided = decided(5, &REPORT, Some(&good));
        assert_eq!(confirmed(&after, &FEED, 5, decided).unwrap(), (REPORT, 1), "of the one before");
        let mut fewer = good.clone();
        fewer.signatures.pop();
        assert_eq!(check(5, &REPORT, Some(&fewer)), None);
        let mut forged = good;
        forged.signatures[0] = forged.signatures[1];
        assert_eq!(check(5, &REPORT, Some(&forged)), None);
    }
}

//! A seat that signs two NAVs for one slot: it stands before an honest validator, hands on what that
//! one has signed to whoever asks first, and tells all others something else.

use crate::front::{self, answered, Answer, Honest};
use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::Router;
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, ReportKind};
use cicada_network::NodeKeys;
use parity_scale_codec::{DecodeAll, Encode};
use serde::Deserialize;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Who has two faces.
pub struct TwoFaced {
    /// Its honest validator.
    pub honest: Honest,
    /// The keys of its seat.
    pub keys: NodeKeys,
    /// The feed of the NAV.
    pub feed: Feed,
    /// What signatures bind.
    pub config_digest: Digest,
    /// The slot for which it signs two.
    pub slot: u64,
    /// Whether somebody has heard the honest one for that slot.
    pub heard: AtomicBool,
}

#[derive(Deserialize)]
struct OfSlot {
    slot: u64,
    feed: Option<String>,
}

/// Serves it on a free port; its address.
///
/// # Errors
/// If there is no port.
pub async fn serve(one: TwoFaced) -> Result<String> {
    let routes = Router::new().route("/observation", get(say));
    front::serve(routes.with_state(Arc::new(one))).await
}

async fn say(State(one): State<Arc<TwoFaced>>, Query(of): Query<OfSlot>) -> Answer {
    answered(one.answer(&of).await)
}

/// The observation in the answer of a validator.
///
/// # Errors
/// If it has none.
pub fn observation_in(answer: &Value) -> Result<Observation> {
    let bytes = hex::decode(answer["scale"].as_str().context("no observation")?)?;
    Ok(Observation::decode_all(&mut &bytes[..])?)
}

const NAV: &str = ReportKind::Nav.name();

impl TwoFaced {
    async fn answer(&self, of: &OfSlot) -> Result<(StatusCode, Value)> {
        let (slot, feed) = (of.slot, of.feed.as_deref().unwrap_or(NAV));
        let asked = self.honest.ask(&format!("/observation?slot={slot}&feed={feed}")).await;
        let (status, answer) = asked?;
        let lies = status.is_success() && feed == NAV && slot == self.slot;
        if !lies || !self.heard.swap(true, Ordering::Relaxed) {
            return Ok((status, answer));
        }
        let other = self.other(slot, &observation_in(&answer)?);
        Ok((status, told(answer, &other)))
    }

    /// Another NAV for the same slot, 0.1 % higher.
    fn other(&self, slot: u64, one: &Observation) -> Observation {
        let mut other = Observation { nav_e18: one.nav_e18 + one.nav_e18 / 1_000, ..*one };
        let message = other.message::<Native>(&self.config_digest, &self.feed, slot);
        other.signature = self.keys.attest(&message);
        other
    }
}

/// The answer with another observation in it.
fn told(mut answer: Value, other: &Observation) -> Value {
    answer["nav_e18"] = other.nav_e18.to_string().into();
    answer["signature"] = hex::encode(other.signature).into();
    answer["scale"] = hex::encode(other.encode()).into();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::Account;
    use cicada_network::verify_attestation;
    use serde_json::json;

    #[test]
    fn both_values_are_signed_and_convict_together() {
        let folder = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate(&folder.path().join("keys.toml")).unwrap();
        let key = keys.attestation_key();
        let feed = Feed { kind: ReportKind::Nav, contract: Account([3; 32]) };
        let mut one = Observation { seat: 9, nav_e18: 5_000, time_ms: 7, signature: [0; 64] };
        one.signature = keys.attest(&one.message::<Native>(&Digest([8; 32]), &feed, 4));
        let two = TwoFaced {
            honest: Honest::at(String::new()).unwrap(),
            keys,
            feed,
            config_digest: Digest([8; 32]),
            slot: 4,
            heard: AtomicBool::new(false),
        };
        let answer = told(json!({ "seat": 9 }), &two.other(4, &one));
        let other = observation_in(&answer).unwrap();
        assert_eq!((other.nav_e18, other.seat, other.time_ms), (5_005, 9, 7));
        let genuine = |signature: &_, message: &_, _| verify_attestation(signature, message, &key);
        assert!(one.convicts::<Native>(&other, &Digest([8; 32]), &feed, 4, genuine));
    }
}

//! A seat that shows a wrong ranking: it stands before an honest validator, and once an epoch is
//! settled it hands round another signed ranking than that one's.

use crate::front::{self, answered, Answer, Honest};
use crate::story::{Story, MISRANKED, PATIENCE};
use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::routing::get;
use axum::Router;
use cicada_contracts::rewards;
use cicada_core::hash::{Digest, Native};
use cicada_core::ranking::{digest, ACCUSE_MS};
use cicada_core::report::Feed;
use cicada_core::slashing::{Standing, Weight};
use cicada_core::Account;
use cicada_network::NodeKeys;
use nav_validator::rankings::Shown;
use parity_scale_codec::{DecodeAll, Encode};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Who ranks somebody whom nobody knows.
pub struct Misranked {
    /// Its honest validator.
    pub honest: Honest,
    /// The keys of its seat.
    pub keys: NodeKeys,
    /// The feed of the awards.
    pub feed: Feed,
    /// What signatures bind.
    pub config_digest: Digest,
}

#[derive(Deserialize)]
struct OfEpoch {
    epoch: u64,
}

type Shared = State<Arc<Misranked>>;

/// Serves it on a free port; its address.
///
/// # Errors
/// If there is no port.
pub async fn serve(one: Misranked) -> Result<String> {
    let routes = Router::new().route("/ranking", get(rank)).fallback(hand_on);
    front::serve(routes.with_state(Arc::new(one))).await
}

async fn hand_on(State(one): Shared, uri: Uri) -> Answer {
    answered(one.honest.ask(&uri.to_string()).await)
}

async fn rank(State(one): Shared, Query(of): Query<OfEpoch>) -> Answer {
    let asked = one.honest.ask(&format!("/ranking?epoch={}", of.epoch)).await;
    answered(asked.and_then(|(status, answer)| match status.is_success() {
        true => Ok((status, one.other(answer)?)),
        false => Ok((status, answer)),
    }))
}

impl Misranked {
    /// The answer with another ranking, if it has one.
    fn other(&self, mut answer: Value) -> Result<Value> {
        let scale = hex::decode(answer["scale"].as_str().context("no statement")?)?;
        let (mut statement, list): Shown = DecodeAll::decode_all(&mut &scale[..])?;
        if list.is_none() {
            return Ok(answer);
        }
        let other: Vec<Weight> = vec![(Account([0x71; 32]), 1_000_000_000)];
        statement.ranking = digest::<Native>(&other);
        let message = statement.message::<Native>(&self.config_digest, &self.feed);
        statement.signature = self.keys.attest(&message);
        let shown: Shown = (statement, Some(other));
        answer["scale"] = hex::encode(shown.encode()).into();
        Ok(answer)
    }
}

impl Story {
    /// A seat has shown others a ranking of its own. They bring it to the chain.
    pub(crate) async fn rank_wrongly(&mut self) -> Result<()> {
        let part = (self.stake * 15).div_ceil(100);
        let patience = Duration::from_millis(ACCUSE_MS) + PATIENCE;
        let stake = self.stake_once(MISRANKED, patience, |one| one.bonded != self.stake).await?;
        let state = self.stage.of_rewards(&rewards::state()).await?;
        let mut judged = 0;
        for epoch in 1..=state.epoch {
            let accused = self.stage.of_rewards(&rewards::accused(epoch)).await?;
            judged += u64::from(accused.judged);
        }
        self.check(
            format!(
                "seat {MISRANKED} showed a wrong ranking, others brought it, {judged} epochs were \
                 judged: {} of {} left, 15 % are {part}",
                stake.bonded, self.stake
            ),
            stake.bonded == self.stake - part && stake.standing == Standing::Active && judged > 0,
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::ranking::Statement;
    use cicada_core::report::ReportKind;
    use serde_json::json;

    #[test]
    fn it_signs_another_ranking_once_the_epoch_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate(&folder.path().join("keys")).unwrap();
        let key = keys.attestation_key();
        let feed = Feed { kind: ReportKind::Rewards, contract: Account([1; 32]) };
        let (honest, config_digest) = (Honest::at(String::new()).unwrap(), [8; 32]);
        let one = Misranked { honest, keys, feed, config_digest: Digest(config_digest) };
        let statement = Statement {
            seat: 3,
            epoch: 1,
            start_ms: 5,
            end_ms: 6,
            ranking: digest::<Native>(&[]),
            signature: [0; 64],
        };
        let said = |shown: Shown| json!({ "scale": hex::encode(shown.encode()) });
        let early = said((statement, None));
        assert_eq!(one.other(early.clone()).unwrap(), early);
        let other = one.other(said((statement, Some(Vec::new())))).unwrap();
        let bytes = hex::decode(other["scale"].as_str().unwrap()).unwrap();
        let (told, list): Shown = DecodeAll::decode_all(&mut &bytes[..]).unwrap();
        assert_eq!(digest::<Native>(&list.unwrap()), told.ranking);
        assert_ne!(told.ranking, statement.ranking);
        let message = told.message::<Native>(&Digest(config_digest), &feed);
        assert!(cicada_network::verify_attestation(&told.signature, &message, &key));
    }
}

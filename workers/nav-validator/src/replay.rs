//! Recorded events through the store and the rules, as if they came from a chain.

use crate::epochs::{close, due, running, standings, EpochError, Funding, Running, Schedule};
use crate::rows::Block;
use crate::store::Store;
use cicada_core::rewards::{rank, Emission};
use serde_json::{json, Value};
use std::collections::BTreeMap;

/// How recorded events are taken over.
pub struct Replay {
    /// When epochs are.
    pub schedule: Schedule,
    /// The pool of each, in units of TAO.
    pub pool: u128,
    /// How many blocks go into one transaction.
    pub batch: usize,
}

impl Replay {
    /// Takes the blocks that are not in the store yet, and closes the epochs that they end. `said`
    /// hears of each block that is on disk.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn run(
        &self,
        store: &Store,
        blocks: impl Iterator<Item = Block>,
        mut said: impl FnMut(u64),
    ) -> Result<(), EpochError> {
        let mut now = self.closed(store)?;
        let taken = store.cursor()?.map(|cursor| cursor.block);
        let mut pending: Vec<Block> = Vec::with_capacity(self.batch);
        for block in blocks.filter(|block| taken < Some(block.at.block)) {
            let at = block.at;
            pending.push(block);
            if at.time_ms >= now.end_ms || pending.len() >= self.batch {
                store.take(&pending, &BTreeMap::new())?;
                pending.clear();
                now = self.closed(store)?;
                said(at.block);
            }
        }
        store.take(&pending, &BTreeMap::new())?;
        self.closed(store)?;
        Ok(())
    }

    /// Closes what is over.
    fn closed(&self, store: &Store) -> Result<Running, EpochError> {
        loop {
            let now = running(store, &self.schedule)?;
            let Some(block) = due(store, &now)? else {
                return Ok(now);
            };
            let epoch = now.state.epoch.saturating_add(1);
            let funding = Funding {
                emission: Emission::constant(self.pool),
                funded: self.pool.saturating_mul(epoch.into()),
                stakes: Vec::new(),
            };
            close(store, &now, block, &funding)?;
        }
    }

    /// Everything that follows from what is in the store: the same for the same events.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn results(&self, store: &Store) -> Result<Value, EpochError> {
        let now = running(store, &self.schedule)?;
        let cursor = store.cursor()?;
        let next = cursor.map_or(0, |cursor| cursor.block.saturating_add(1));
        let live = standings(store, &now, next)?;
        let epochs = store.epochs()?;
        let scores = |scores: &[cicada_core::scores::Score]| -> Vec<Value> {
            let score = |score: &cicada_core::scores::Score| {
                json!([
                    hex::encode(score.miner),
                    score.final_e9.to_string(),
                    score.weighted_tenths.to_string(),
                    score.volume_e9.to_string(),
                    score.frequency_e9.to_string(),
                    score.consistency_e9.to_string(),
                    score.last_ms
                ])
            };
            scores.iter().map(score).collect()
        };
        let epoch = |epoch: &crate::rows::Epoch| {
            json!({
                "epoch": epoch.award.epoch,
                "closed_by": epoch.closed_by,
                "awarded": epoch.award.awarded.to_string(),
                "carried_out": epoch.award.carried_out.to_string(),
                "claims": epoch.award.claims,
                "claims_root": epoch.award.claims_root,
                "total": epoch.award.total.to_string(),
                "spikes": epoch.spikes.iter().map(hex::encode).collect::<Vec<_>>(),
                "ignored": [
                    epoch.ignored.outside,
                    epoch.ignored.too_small,
                    epoch.ignored.too_frequent,
                    epoch.ignored.not_held,
                ],
                "scores": scores(&epoch.scores),
            })
        };
        Ok(json!({
            "block": cursor.map(|cursor| cursor.block),
            "events": store.count_events()?,
            "epochs": epochs.iter().map(epoch).collect::<Vec<_>>(),
            "running": { "epoch": now.state.epoch.saturating_add(1), "scores": scores(&rank(&live.scores)) },
        }))
    }
}

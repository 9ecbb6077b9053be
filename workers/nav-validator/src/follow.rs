//! One final block after another, into the store.

use crate::contracts::Contracts;
use crate::epochs::{close, due, running, Schedule};
use crate::events::{self, Source};
use crate::metrics::Metrics;
use crate::rows::{Block, Change, Cursor, Epoch};
use crate::store::{Members, Store};
use anyhow::{bail, Context, Result};
use cicada_chain::FinalBlock;
use cicada_core::ranking::Told;
use cicada_core::rewards::Settled;
use cicada_files::{write_whole, PLAIN};
use futures::stream::{self, StreamExt};
use parity_scale_codec::Encode;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Awards that a start sees to: those of earlier epochs are settled or past.
const AWARDS_LOOKED_AT: usize = 24;

/// Blocks asked for at once while catching up.
const AHEAD: usize = 8;
/// Blocks in one transaction while catching up.
const BATCH: usize = 64;

/// What follows the chain.
pub struct Follower {
    /// The contracts.
    pub contracts: Arc<Contracts>,
    /// Where all goes.
    pub store: Arc<Store>,
    /// When epochs are, if there are any.
    pub schedule: Option<Schedule>,
    /// The first block, if the store is empty.
    pub from_block: u64,
    /// Where awards are written; not here if they are signed, which whoever signs does.
    pub awards: Option<PathBuf>,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

impl Follower {
    /// Checks that the store is of this chain.
    ///
    /// # Errors
    /// If not, or no node answers.
    pub async fn check(&self) -> Result<()> {
        let Some(cursor) = self.store.cursor()? else {
            return Ok(());
        };
        if self.contracts.chain.final_block().await? < cursor.block {
            bail!("the node is behind: block {} was final before", cursor.block);
        }
        let there = self.contracts.chain.block_events(cursor.block, &[]).await?;
        if there.hash != cursor.hash {
            bail!("block {} is another one than before: this is another chain, give another data folder", cursor.block);
        }
        Ok(())
    }

    /// Takes over everything that is final and not in the store yet; closes the epochs that are over.
    ///
    /// # Errors
    /// If the chain cannot be read; what was taken over stays.
    pub async fn catch_up(&self) -> Result<()> {
        self.close_due().await?;
        let newest = self.contracts.chain.final_block().await?;
        let cursor = self.store.cursor()?;
        if cursor.is_some_and(|cursor| newest <= cursor.block) {
            // Nothing new: perhaps it is a shorter history.
            return self.check().await;
        }
        let next = cursor.map_or(self.from_block, |cursor| cursor.block.saturating_add(1));
        let watched = self.contracts.watched();
        let fetch = |number| self.contracts.chain.block_events(number, &watched);
        let mut blocks = stream::iter(next..=newest).map(fetch).buffered(AHEAD);
        let mut end_ms = self.end_of_epoch()?;
        let mut committees = self.store.committees()?;
        let (mut pending, mut fresh) = (Vec::new(), BTreeMap::new());
        let mut before = cursor.map(|cursor| cursor.hash);
        while let Some(block) = blocks.next().await {
            let block = block?;
            if before.is_some_and(|before| before != block.parent) {
                bail!(
                    "block {} is not on top of the one before it that is known: this is another \
                     history of the chain, give another data folder",
                    block.number
                );
            }
            before = Some(block.hash);
            let block = self.read(block)?;
            self.learn(&block, &mut committees, &mut fresh).await?;
            let at = block.at;
            pending.push(block);
            // The block that ends an epoch ends a batch: it closes the epoch.
            if at.time_ms >= end_ms || at.block == newest || pending.len() >= BATCH {
                self.store.take(&pending, &fresh)?;
                (pending, fresh) = (Vec::new(), BTreeMap::new());
                self.metrics.block.set(at.block);
                self.close_due().await?;
                end_ms = self.end_of_epoch()?;
            }
        }
        self.metrics.events.set(self.store.count_events()?);
        Ok(())
    }

    /// The events of a block, as far as they matter.
    fn read(&self, block: FinalBlock) -> Result<Block> {
        let mut changes = Vec::new();
        for (_, event) in &block.events {
            let Some((source, name)) = self.contracts.event(event) else {
                tracing::warn!("block {}: an event that is not known here", block.number);
                continue;
            };
            let change = match source {
                Source::Index => events::of_index(event, block.time_ms),
                Source::Validators => events::of_validators(event),
                Source::Token => events::of_token(event, block.time_ms),
                Source::Rewards => events::of_rewards(event, block.time_ms),
            };
            let place = || format!("event {name} of block {}", block.number);
            changes.extend(change.with_context(place)?.map(|change| (event.index, change)));
        }
        let at = Cursor { block: block.number, hash: block.hash, time_ms: block.time_ms };
        Ok(Block { at, changes })
    }

    /// Asks who was in a committee that settled a NAV or an award, and with what stake.
    async fn learn(
        &self,
        block: &Block,
        known: &mut BTreeMap<u32, Members>,
        fresh: &mut BTreeMap<u32, Members>,
    ) -> Result<()> {
        for (_, change) in &block.changes {
            let epoch = match change {
                Change::Settled(slot, nav) => {
                    tracing::info!("NAV {slot} is settled: {} e-18 TAO", nav.nav_e18);
                    self.metrics.slot.set(*slot);
                    nav.epoch
                }
                Change::Awarded(_, award) => award.committee,
                _ => continue,
            };
            if known.contains_key(&epoch) {
                continue;
            }
            // The block of the settlement, or the one before it, if the committee changed in it.
            for at in [block.at.block, block.at.block.saturating_sub(1)] {
                let office = self.contracts.office_at(at).await?;
                if office.committee.epoch == epoch {
                    let members: Members =
                        office.operators.into_iter().zip(office.stakes).collect();
                    fresh.insert(epoch, members.clone());
                    known.insert(epoch, members);
                    self.learn_before(at, epoch, known, fresh).await?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// What the committee before one has left: who was ejected meanwhile is paid nothing, and who came
    /// back is.
    async fn learn_before(
        &self,
        block: u64,
        epoch: u32,
        known: &mut BTreeMap<u32, Members>,
        fresh: &mut BTreeMap<u32, Members>,
    ) -> Result<()> {
        let before = epoch.saturating_sub(1);
        let Some(members) = known.get_mut(&before) else {
            return Ok(());
        };
        let weights = self.contracts.weights_at(block, before).await?;
        if weights.len() == members.len() {
            members.iter_mut().zip(weights).for_each(|((_, stake), weight)| *stake = weight);
            fresh.insert(before, members.clone());
        }
        Ok(())
    }

    fn end_of_epoch(&self) -> Result<u64> {
        let Some(schedule) = &self.schedule else {
            return Ok(u64::MAX);
        };
        Ok(running(&self.store, schedule)?.end_ms)
    }

    async fn close_due(&self) -> Result<()> {
        let Some(schedule) = &self.schedule else {
            return Ok(());
        };
        loop {
            let now = running(&self.store, schedule)?;
            let Some(block) = due(&self.store, &now)? else {
                return Ok(());
            };
            let funding = self.contracts.funding_at(block).await?;
            let epoch = close(&self.store, &now, block, &funding)?;
            tracing::info!(
                "epoch {} is over: {} awarded to {} miners and {} validators",
                epoch.award.epoch,
                epoch.award.awarded,
                epoch.placements.len(),
                epoch.validators.len()
            );
            self.metrics.epoch.set(epoch.award.epoch);
            if let Some(folder) = &self.awards {
                write_told(folder, &unsigned(&epoch))?;
            }
        }
    }

    /// Writes the newest awards that are missing in the folder: a process may have been killed in
    /// between.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write_awards(&self) -> Result<()> {
        let Some(folder) = &self.awards else {
            return Ok(());
        };
        for epoch in self.store.newest_epochs(AWARDS_LOOKED_AT)? {
            write_told(folder, &unsigned(&epoch))?;
        }
        Ok(())
    }
}

fn unsigned(epoch: &Epoch) -> Told {
    Told { award: epoch.award, signed: None }
}

/// Writes an award, and what was signed of it, if it changed, for the consensus node: in one file, so
/// that the node has both or none.
///
/// # Errors
/// If it cannot be written.
pub fn write_told(folder: &Path, told: &Told) -> Result<()> {
    write_changed(&folder.join(format!("epoch-{}.scale", told.award.epoch)), &told.encode())
}

/// Writes what the chain made of the rewards until now, if it changed, for the consensus node.
///
/// # Errors
/// If it cannot be written.
pub fn write_settled(folder: &Path, settled: &Settled) -> Result<()> {
    write_changed(&folder.join("settled.scale"), &settled.encode())
}

/// Writes a file whole or not at all, if it holds something else.
fn write_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    Ok(write_whole(path, bytes, PLAIN)?)
}

//! One final block after another, into the store.

use crate::contracts::Contracts;
use crate::http::App;
use crate::store::{Store, StoreError};
use anyhow::{bail, Result};
use cicada_core::Account;
use futures::stream::{self, StreamExt};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Blocks asked for at once while catching up.
const AHEAD: usize = 8;
/// While catching up, how often a line in the log says how far it is.
const SAY_EVERY: u64 = 1_000;

/// What follows the chain.
pub struct Follower {
    /// The contracts, over the newest connection.
    pub contracts: Contracts,
    /// Where all goes.
    pub store: Store,
    /// The first block, if the store is empty.
    pub from_block: u64,
    /// Figures.
    pub app: Arc<App>,
    tokens: BTreeSet<Account>,
}

impl Follower {
    /// Goes on where the store stands.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn new(
        contracts: Contracts,
        store: Store,
        from_block: u64,
        app: Arc<App>,
    ) -> Result<Self, StoreError> {
        let tokens = store.tokens()?.into_iter().collect();
        let follower = Self { contracts, store, from_block, app, tokens };
        follower.show()?;
        Ok(follower)
    }

    /// Checks that the node has the newest block of the store.
    ///
    /// # Errors
    /// [`StoreError::OtherBlock`] if its history is another, as far as it goes; in words if it is
    /// behind, or no node answers.
    pub async fn check(&mut self) -> Result<()> {
        compare(&mut self.store, &self.contracts).await
    }

    /// Takes over everything that is final and not in the store yet.
    ///
    /// # Errors
    /// If the chain cannot be read, or a block does not fit; what was taken over stays.
    pub async fn catch_up(&mut self) -> Result<()> {
        let newest = self.contracts.chain.final_block().await?;
        self.app.metrics.final_block.set(newest);
        let cursor = self.store.cursor()?;
        if cursor.is_some_and(|cursor| newest <= cursor.block) {
            self.check().await?;
            return Ok(self.show()?);
        }
        let next = cursor.map_or(self.from_block, |cursor| cursor.block.saturating_add(1));
        let contracts = &self.contracts;
        let mut blocks = stream::iter(next..=newest).map(|n| contracts.fetch(n)).buffered(AHEAD);
        let mut empty = cursor.is_none();
        while let Some(whole) = blocks.next().await {
            let mut block = contracts.read(whole?, &mut self.tokens).await?;
            if std::mem::take(&mut empty) && block.rankings.is_empty() {
                block.rankings.extend(contracts.ranking_at(block.number).await?);
            }
            tokio::task::block_in_place(|| self.store.take(&block))?;
            if block.number % SAY_EVERY == 0 && block.number < newest {
                tracing::info!("block {} of {newest}", block.number);
            }
            self.app.metrics.block.set(block.number);
        }
        drop(blocks);
        Ok(self.show()?)
    }

    /// Brings the figures up to date.
    fn show(&self) -> Result<(), StoreError> {
        let counts = self.store.counts()?;
        let metrics = &self.app.metrics;
        metrics.block.set(self.store.cursor()?.map_or(0, |cursor| cursor.block));
        metrics.events.set(counts.events);
        metrics.trades.set(counts.trades);
        metrics.unknown.set(counts.unknown);
        Ok(())
    }

    /// Goes on over another connection, to the same chain and exchange.
    ///
    /// # Errors
    /// If it is another.
    pub async fn reconnect(&mut self, contracts: Contracts) -> Result<()> {
        if contracts.identity != self.contracts.identity {
            bail!("the exchange names other contracts than before");
        }
        // As long as it is not the same history, nothing is read over it.
        compare(&mut self.store, &contracts).await?;
        self.contracts = contracts;
        Ok(())
    }
}

// Whether a node has the newest block of a store.
async fn compare(store: &mut Store, contracts: &Contracts) -> Result<()> {
    let Some(cursor) = store.cursor()? else {
        return Ok(());
    };
    let newest = contracts.chain.final_block().await?;
    if let Some((number, hash)) = store.remembered(newest)? {
        if contracts.chain.block_hash(number).await? != Some(hash) {
            return Err(StoreError::OtherBlock(number).into());
        }
    }
    if newest < cursor.block {
        bail!("{}", behind(newest, cursor.block));
    }
    Ok(())
}

/// That a node has not got as far as the store.
pub fn behind(newest: u64, block: u64) -> String {
    format!("the node is behind: its newest final block is {newest}, and block {block} is in the store; wait, or give another node")
}

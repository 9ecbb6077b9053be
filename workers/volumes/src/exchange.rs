//! The exchange on a chain.

use crate::{Source, Volumes};
use cicada_chain::{Chain, Error};
use cicada_contracts::{exchange, Message};
use cicada_core::quote::Framework;
use cicada_core::Account;
use futures::stream::{self, StreamExt, TryStreamExt};
use parity_scale_codec::Decode;

/// Frameworks in one answer of the contract.
const PAGE: u32 = 50;
/// The most answers that are asked for: more frameworks than leaderboards rank are not read.
const PAGES: u32 = 4;
/// How many views are read at a time.
const AT_ONCE: usize = 8;

/// An exchange contract.
#[derive(Clone)]
pub struct Exchange {
    /// Its chain.
    pub chain: Chain,
    /// Its account.
    pub account: Account,
}

impl Exchange {
    async fn read<T: Decode, E>(&self, block: u64, message: &Message<T, E>) -> Result<T, Error> {
        self.chain.read_at(block, &self.account, message).await
    }

    async fn frameworks(&self, block: u64) -> Result<Vec<Framework>, Error> {
        let mut all = Vec::new();
        for page in 0..PAGES {
            let from = page.saturating_mul(PAGE);
            let some = self.read(block, &exchange::frameworks(from, PAGE)).await?;
            if some.is_empty() {
                break;
            }
            all.extend(some);
        }
        Ok(all)
    }
}

impl Source for Exchange {
    type Error = Error;

    async fn newest(&self) -> Result<u64, Error> {
        self.chain.final_block().await
    }

    async fn time_ms(&self, block: u64) -> Result<u64, Error> {
        Ok(self.chain.block_events(block, &[]).await?.time_ms)
    }

    async fn volumes(&self, block: u64) -> Result<Volumes, Error> {
        let read = |framework: Framework| async move {
            let volume = self.read(block, &exchange::volume_24h(&framework)).await?;
            Ok((framework, volume))
        };
        let reads = self.frameworks(block).await?.into_iter().map(read);
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }
}

//! The exchange on a chain.

use crate::{Source, Volumes};
use cicada_chain::{Bundle, Chain, Error};
use cicada_core::quote::Framework;
use cicada_core::Account;
use futures::stream::{self, StreamExt, TryStreamExt};
use parity_scale_codec::{Decode, Encode};
use std::sync::Arc;

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
    /// Its metadata.
    pub bundle: Arc<Bundle>,
    /// Its account.
    pub account: Account,
}

impl Exchange {
    async fn read<T: Decode>(&self, block: u64, label: &str, args: &[u8]) -> Result<T, Error> {
        self.chain.read_at(block, &self.account, &self.bundle, label, args).await
    }

    async fn frameworks(&self, block: u64) -> Result<Vec<Framework>, Error> {
        let mut all = Vec::new();
        for page in 0..PAGES {
            let from = page.saturating_mul(PAGE);
            let label = "Exchange::frameworks";
            let some: Vec<Framework> = self.read(block, label, &(from, PAGE).encode()).await?;
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
            let args = framework.encode();
            Ok((framework, self.read(block, "Exchange::volume_24h", &args).await?))
        };
        let reads = self.frameworks(block).await?.into_iter().map(read);
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }
}

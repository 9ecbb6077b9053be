//! The leaderboard and its quotes.

use crate::{Addresses, Error};
use cicada_chain::Chain;
use cicada_contracts::{leaderboard, Message};
use cicada_core::quote::{Framework, Quote};
use cicada_core::report::FeedState;
use cicada_core::Account;
use parity_scale_codec::Decode;
use std::time::{SystemTime, UNIX_EPOCH};

/// The leaderboard on a chain.
pub struct Board {
    /// The chain.
    pub chain: Chain,
    account: Account,
}

/// The time now, in milliseconds since 1970: the clock's or that of the newest block, whichever is
/// later. A chain that makes blocks on demand may stand still.
pub(crate) async fn now_ms(chain: &Chain) -> Result<u64, Error> {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let clock = u64::try_from(clock.as_millis()).unwrap_or(u64::MAX);
    Ok(clock.max(chain.final_time_ms().await?))
}

impl Board {
    /// Connects; `url` replaces that of the addresses.
    ///
    /// # Errors
    /// If no node answers or it is of another chain, or the leaderboard's address is not known.
    pub async fn connect(addresses: &Addresses, url: Option<&str>) -> Result<Self, Error> {
        let account = addresses.leaderboard.ok_or(Error::NoAddress { contract: "leaderboard" })?;
        Ok(Self { chain: addresses.connect(url).await?, account })
    }

    /// On a chain that is connected already.
    pub(crate) fn on(chain: Chain, account: Account) -> Self {
        Self { chain, account }
    }

    pub(crate) async fn read<T: Decode, E>(
        &self,
        block: u64,
        message: &Message<T, E>,
    ) -> Result<T, Error> {
        Ok(self.chain.read_at(block, &self.account, message).await?)
    }

    /// Slot and time of the newest record, its quotes in order of rank, and the final block at
    /// which they were read.
    ///
    /// # Errors
    /// As [`Chain::read`].
    pub async fn ranking(&self) -> Result<(FeedState, Vec<Quote>, u64), Error> {
        let block = self.chain.final_block().await?;
        let latest = self.read(block, &leaderboard::latest()).await?;
        Ok((latest, self.read(block, &leaderboard::ranking()).await?, block))
    }

    /// The newest quote of a framework.
    ///
    /// # Errors
    /// [`Error::NoQuote`]; as [`Chain::read`].
    pub async fn quote(&self, framework: &Framework) -> Result<Quote, Error> {
        let block = self.chain.final_block().await?;
        let quote = self.read(block, &leaderboard::quote(framework)).await?;
        quote.ok_or_else(|| Error::NoQuote(framework.clone()))
    }

    /// The time now: the clock's or that of the newest block, whichever is later.
    ///
    /// # Errors
    /// As [`Chain::final_time_ms`].
    pub async fn now_ms(&self) -> Result<u64, Error> {
        now_ms(&self.chain).await
    }
}

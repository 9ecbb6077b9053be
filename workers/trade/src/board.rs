//! The leaderboard and its quotes.

use crate::Error;
use cicada_chain::Chain;
use cicada_contracts::{leaderboard, Message};
use cicada_core::quote::{Framework, Quote};
use cicada_core::report::FeedState;
use cicada_core::Account;
use parity_scale_codec::Decode;

/// The leaderboard on a chain.
pub struct Board {
    /// The chain.
    pub chain: Chain,
    account: Account,
}

/// The time now, in milliseconds since 1970: the clock's or that of the newest block, whichever is
/// later. A chain that makes blocks on demand may stand still.
pub(crate) async fn now_ms(chain: &Chain) -> Result<u64, Error> {
    Ok(cicada_program::now_ms().max(chain.final_time_ms().await?))
}

impl Board {
    /// The one at an account.
    pub fn at(chain: Chain, account: Account) -> Self {
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

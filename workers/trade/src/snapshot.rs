//! Reading an exchange at one block.

use crate::{Error, Exchange};
use cicada_contracts::types::ExchangeTerms;
use cicada_contracts::{exchange, leaderboard, token, Message};
use cicada_core::exchange::{Level, Market, Order, Side, MAX_LEVELS};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use futures::stream::{self, StreamExt, TryStreamExt};
use parity_scale_codec::Decode;

/// How many frameworks one call answers.
const PAGE: u32 = 50;
/// How many questions are put to the node at a time.
const AT_ONCE: usize = 8;

/// An exchange at one final block.
pub struct Snapshot<'a> {
    pub(crate) exchange: &'a Exchange,
    /// The number of the block.
    pub block: u64,
    /// The time when it was looked at, in milliseconds since 1970: the clock's or the block's,
    /// whichever is later.
    pub now_ms: u64,
}

/// What an account has of one performance token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which.
    pub framework: Framework,
    /// The contract of the token.
    pub token: Account,
    /// Tokens in the account; those in resting orders are not among them.
    pub amount: u128,
    /// The newest quote, also if it is stale.
    pub quote: Option<Quote>,
}

impl Snapshot<'_> {
    async fn read<T: Decode, E>(&self, message: &Message<T, E>) -> Result<T, Error> {
        let Exchange { chain, account, .. } = self.exchange;
        chain.read_at(self.block, account, message).await.map_err(Error::of_exchange)
    }

    /// The parameters.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`]; so do all that follow.
    pub async fn terms(&self) -> Result<ExchangeTerms, Error> {
        self.read(&exchange::terms()).await
    }

    /// The listed frameworks in the order of their listing.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`].
    pub async fn frameworks(&self) -> Result<Vec<Framework>, Error> {
        let mut all: Vec<Framework> = Vec::new();
        loop {
            let from = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let page = self.read(&exchange::frameworks(from, PAGE)).await?;
            let last = page.len() < PAGE as usize;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }

    /// The market of a framework.
    ///
    /// # Errors
    /// [`Error::NotListed`].
    pub async fn market(&self, framework: &Framework) -> Result<Market, Error> {
        let market = self.read(&exchange::market(framework)).await?;
        market.ok_or_else(|| Error::NotListed(framework.clone()))
    }

    /// The newest quote of a framework, also if it is stale.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`].
    pub async fn newest_quote(&self, framework: &Framework) -> Result<Option<Quote>, Error> {
        self.exchange.board.read(self.block, &leaderboard::quote(framework)).await
    }

    /// The best price levels of one side of the book.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`].
    pub async fn depth(&self, framework: &Framework, side: Side) -> Result<Vec<Level>, Error> {
        self.read(&exchange::depth(framework, &side, MAX_LEVELS)).await
    }

    /// How many tokens the market maker trades now with an account that buys or sells.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`]: also if it does not trade at all.
    pub async fn room(
        &self,
        framework: &Framework,
        side: Side,
        account: &Account,
    ) -> Result<u128, Error> {
        self.read(&exchange::room(framework, &side, account)).await
    }

    /// A resting order.
    ///
    /// # Errors
    /// [`Error::NoOrder`].
    pub async fn order(&self, id: u64) -> Result<Order, Error> {
        let order = self.read(&exchange::order(id)).await?;
        order.ok_or(Error::NoOrder(id))
    }

    /// What an account has of a token, MMC or another, in smallest units.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`].
    pub async fn balance(&self, token: &Account, owner: &Account) -> Result<u128, Error> {
        let Exchange { chain, .. } = self.exchange;
        Ok(chain.read_at(self.block, token, &token::balance_of(owner)).await?)
    }

    /// What the exchange may take of a token from an account, in smallest units.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`].
    pub async fn allowance(&self, token: &Account, owner: &Account) -> Result<u128, Error> {
        let Exchange { chain, account, .. } = self.exchange;
        Ok(chain.read_at(self.block, token, &token::allowance(owner, account)).await?)
    }

    /// What an account has of MMC, in base units.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`].
    pub async fn mmc(&self, owner: &Account) -> Result<u128, Error> {
        self.balance(&self.exchange.mmc, owner).await
    }

    /// What an account has of every listed performance token, also where it has none.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read_at`].
    pub async fn holdings(&self, owner: &Account) -> Result<Vec<Holding>, Error> {
        let quotes = self.exchange.board.read(self.block, &leaderboard::ranking()).await?;
        let one = |framework: Framework| {
            let quote = quotes.iter().find(|quote| quote.framework == framework).cloned();
            async move {
                let token = self.market(&framework).await?.token;
                let amount = self.balance(&token, owner).await?;
                Ok(Holding { framework, token, amount, quote })
            }
        };
        let all = self.frameworks().await?;
        stream::iter(all.into_iter().map(one)).buffered(AT_ONCE).try_collect().await
    }
}

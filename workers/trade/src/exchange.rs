//! The connection to an exchange.

use crate::board::Board;
use crate::{Error, Snapshot};
use cicada_chain::{CallOutcome, Chain, Signer};
use cicada_contracts::{exchange, Message};
use cicada_core::exchange::ExchangeError;
use cicada_core::Account;
use parity_scale_codec::Decode;

/// An exchange on a chain.
pub struct Exchange {
    /// The chain.
    pub chain: Chain,
    /// The exchange's account.
    pub account: Account,
    /// The contract of MMC.
    pub mmc: Account,
    pub(crate) board: Board,
}

impl Exchange {
    /// The one at an account. Currency and leaderboard are those that the exchange itself names.
    ///
    /// # Errors
    /// If there is no exchange, or the chain cannot be asked.
    pub async fn at(chain: Chain, account: Account) -> Result<Self, Error> {
        let terms = chain.read(&account, &exchange::terms()).await?;
        let board = Board::at(chain.clone(), terms.leaderboard);
        Ok(Self { chain, account, mmc: terms.currency, board })
    }

    /// The newest final block: everything that is read from the answer is of that block.
    ///
    /// # Errors
    /// As [`Chain::final_block`].
    pub async fn now(&self) -> Result<Snapshot<'_>, Error> {
        let block = self.chain.final_block().await?;
        let now_ms = self.board.now_ms().await?;
        Ok(Snapshot { exchange: self, block, now_ms })
    }

    /// Calls a message of the exchange and waits until that is final.
    pub(crate) async fn call<T: Decode>(
        &self,
        message: &Message<T, ExchangeError>,
        signer: &Signer,
    ) -> Result<CallOutcome<T>, Error> {
        self.chain.call(&self.account, message, signer).await.map_err(Error::of_exchange)
    }
}

//! The connection to an exchange.

use crate::board::{bundle, Board};
use crate::{Addresses, Error, Snapshot};
use cicada_chain::{Bundle, CallOutcome, Chain, Signer};
use cicada_core::exchange::{Gate, Schedule};
use cicada_core::Account;
use parity_scale_codec::{Decode, Encode};
use std::path::Path;

/// The parameters of an exchange: `ExchangeTerms` of its interface.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub struct Terms {
    /// The contract of MMC.
    pub currency: Account,
    /// The contract whose newest record holds the quotes.
    pub leaderboard: Account,
    /// The code of performance tokens.
    pub token_code: [u8; 32],
    /// What the owner set, and what he announced.
    pub maker: Schedule,
    /// Whether trading is open.
    pub gate: Gate,
    /// How many frameworks have a market.
    pub markets: u32,
}

/// An exchange on a chain.
pub struct Exchange {
    /// The chain.
    pub chain: Chain,
    /// The exchange's account.
    pub account: Account,
    /// The contract of MMC.
    pub mmc: Account,
    pub(crate) board: Board,
    pub(crate) bundle: Bundle,
    pub(crate) token: Bundle,
}

impl Exchange {
    /// Connects; `url` replaces that of the addresses. Currency and leaderboard are those that the
    /// exchange itself names.
    ///
    /// # Errors
    /// If no node answers or it is of another chain, the exchange's address is not known or wrong,
    /// or the bundles are not built.
    pub async fn connect(
        addresses: &Addresses,
        bundles: &Path,
        url: Option<&str>,
    ) -> Result<Self, Error> {
        let account = addresses.exchange.ok_or(Error::NoAddress { contract: "exchange" })?;
        let [exchange, token, leaderboard] = [
            bundle(bundles, "exchange")?,
            bundle(bundles, "token")?,
            bundle(bundles, "leaderboard")?,
        ];
        let chain = addresses.connect(url).await?;
        let terms: Terms = chain.read(&account, &exchange, "Exchange::terms", &[]).await?;
        let board = Board::on(chain.clone(), terms.leaderboard, leaderboard);
        Ok(Self { chain, account, mmc: terms.currency, board, bundle: exchange, token })
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
    pub(crate) async fn call(
        &self,
        message: &str,
        args: &impl Encode,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        let args = args.encode();
        Ok(self.chain.call(&self.account, &self.bundle, message, &args, signer).await?)
    }
}

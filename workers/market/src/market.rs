//! The connection to a market.

use crate::{Error, MarketFile};
use cicada_chain::{Bundle, CallOutcome, Chain, Signer};
use cicada_core::Account;
use parity_scale_codec::{Decode, Encode};
use std::path::Path;
use std::time::Duration;

/// One of the market's contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// The currency.
    Token,
    /// Points.
    Reputation,
    /// Money.
    Escrow,
    /// The market itself.
    Auction,
}

/// What a contract says when the time for something has not come. On a chain that makes blocks
/// on demand, its clock may simply be behind.
const NOT_YET: [&str; 4] = ["NotDue", "StillOpen", "LineOpen", "NotEnded"];
/// Older blocks than this are no news of the time.
const FRESH: Duration = Duration::from_millis(1_500);

/// A market on a chain.
pub struct Market {
    /// The chain.
    pub chain: Chain,
    /// Where the contracts are.
    pub file: MarketFile,
    token: Bundle,
    reputation: Bundle,
    escrow: Bundle,
    auction: Bundle,
}

impl Market {
    /// Connects to the market of a file; `url` replaces the file's.
    ///
    /// # Errors
    /// If no node answers, or it is of another chain; if the bundles are not built.
    pub async fn connect(
        file: MarketFile,
        bundles: &Path,
        url: Option<&str>,
    ) -> Result<Self, Error> {
        let load = |name: &str| Bundle::find(bundles, name);
        let [token, reputation, escrow, auction] =
            [load("token")?, load("reputation")?, load("escrow")?, load("auction")?];
        let url = url.unwrap_or(&file.url);
        let chain = Chain::connect(url).await?;
        if chain.genesis() != file.genesis {
            return Err(Error::Other(format!(
                "the chain at {url} is not the one of the market file: deploy there with 'deploy-market', or name another file with --network"
            )));
        }
        Ok(Self { chain, file, token, reputation, escrow, auction })
    }

    /// Account and bundle of a contract.
    pub fn at(&self, contract: Contract) -> (&Account, &Bundle) {
        match contract {
            Contract::Token => (&self.file.token, &self.token),
            Contract::Reputation => (&self.file.reputation, &self.reputation),
            Contract::Escrow => (&self.file.escrow, &self.escrow),
            Contract::Auction => (&self.file.auction, &self.auction),
        }
    }

    /// Reads a view.
    ///
    /// # Errors
    /// As [`Chain::read`].
    pub async fn read<T: Decode>(
        &self,
        contract: Contract,
        message: &str,
        args: &impl Encode,
    ) -> Result<T, Error> {
        let (account, bundle) = self.at(contract);
        Ok(self.chain.read(account, bundle, message, &args.encode()).await?)
    }

    /// Calls a message and waits until that is final. If it is refused because its time has not
    /// come, and the newest block is old, a block is made and the call tried once more.
    ///
    /// # Errors
    /// As [`Chain::call`].
    pub async fn call(
        &self,
        contract: Contract,
        message: &str,
        args: &impl Encode,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        let (account, bundle) = self.at(contract);
        let args = args.encode();
        let first = self.chain.call(account, bundle, message, &args, signer).await;
        let early = |error: &cicada_chain::Error| {
            let refusal = error.refusal().unwrap_or_default();
            NOT_YET.iter().any(|word| refusal.contains(word))
        };
        match first {
            Err(error) if early(&error) => {
                if self.chain.freshen(signer, FRESH).await?.is_none() {
                    return Err(error.into());
                }
                Ok(self.chain.call(account, bundle, message, &args, signer).await?)
            }
            other => Ok(other?),
        }
    }
}

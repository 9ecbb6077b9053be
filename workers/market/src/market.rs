//! The connection to a market.

use crate::Error;
use cicada_chain::{CallOutcome, Chain, Signer};
use cicada_contracts::types::AuctionError;
use cicada_contracts::Message;
use cicada_core::hash::Digest;
use cicada_core::Account;
use cicada_network::{ContractName, Deployment};
use parity_scale_codec::Decode;
use std::time::Duration;

/// Older blocks than this are no news of the time.
const FRESH: Duration = Duration::from_millis(1_500);

/// The contracts of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketContracts {
    /// The chain's genesis hash.
    pub genesis: Digest,
    /// The market's currency, MMC.
    pub token: Account,
    /// Points.
    pub reputation: Account,
    /// Holds the money.
    pub escrow: Account,
    /// The market itself.
    pub auction: Account,
}

impl MarketContracts {
    /// Those of a deployment.
    ///
    /// # Errors
    /// If one is not deployed.
    pub fn of(file: &Deployment) -> Result<Self, Error> {
        Ok(Self {
            genesis: file.chain.genesis,
            token: file.need(ContractName::Token)?,
            reputation: file.need(ContractName::Reputation)?,
            escrow: file.need(ContractName::Escrow)?,
            auction: file.need(ContractName::Auction)?,
        })
    }
}

/// A market on a chain.
pub struct Market {
    /// The chain.
    pub chain: Chain,
    /// Where the contracts are.
    pub at: MarketContracts,
}

impl Market {
    /// Connects to the market of a deployment; `url` replaces the file's.
    ///
    /// # Errors
    /// If a contract is not deployed, no node answers, or it is of another chain.
    pub async fn connect(file: &Deployment, url: Option<&str>) -> Result<Self, Error> {
        let at = MarketContracts::of(file)?;
        Ok(Self { chain: file.connect(url).await?, at })
    }

    /// Calls a message of one of the market's contracts and waits until that is final. If it is
    /// refused because its time has not come, and the newest block is old, a block is made and the
    /// call tried once more: on a chain that makes blocks on demand, its clock may simply be behind.
    ///
    /// # Errors
    /// As [`Chain::call`].
    pub async fn call<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
        signer: &Signer,
    ) -> Result<CallOutcome<T>, Error> {
        match self.chain.call(contract, message, signer).await.map_err(Error::from) {
            Err(error) if error.is_early() => {
                if self.chain.freshen(signer, FRESH).await?.is_none() {
                    return Err(error);
                }
                Ok(self.chain.call(contract, message, signer).await?)
            }
            other => other,
        }
    }

    /// The same of a message of the market itself, such as `auction::start(3)`.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn act<T: Decode>(
        &self,
        message: &Message<T, AuctionError>,
        signer: &Signer,
    ) -> Result<CallOutcome<T>, Error> {
        self.call(&self.at.auction, message, signer).await
    }

    /// Many messages of the market itself, in as few blocks as they fit. The outcomes stand in no
    /// order.
    ///
    /// # Errors
    /// As [`Market::call`], if nothing can be read or sent; each outcome as that of a call.
    pub async fn act_each<T: Decode>(
        &self,
        messages: &[Message<T, AuctionError>],
        signer: &Signer,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let (mut calls, mut outcomes) = (Vec::new(), Vec::new());
        for message in messages {
            match self.chain.prepare(&self.at.auction, message, signer).await {
                Ok(call) => calls.push(call),
                Err(error) if error.refusal().is_some() => outcomes.push(Err(error.into())),
                Err(error) => return Err(error.into()),
            }
        }
        let sent = self.chain.send_all(&calls, signer).await?;
        outcomes.extend(sent.into_iter().map(|sent| Ok(sent.map(|_| ())?)));
        Ok(outcomes)
    }
}

//! The chain that the volumes are read from.

use super::{Looked, Lookup};
use cicada_chain::{Bundle, Chain};
use cicada_core::hash::Hash;
use cicada_core::Account;
use cicada_network::Network;
use cicada_volumes::{find, Exchange, FindError, Source, Volumes, BLOCKS};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A connection to the chain's exchange that is made when it is needed, and anew when it fails.
pub struct Connection {
    url: String,
    genesis: Hash,
    account: Account,
    bundle: Arc<Bundle>,
    open: Option<Remembering>,
}

impl Connection {
    /// To the exchange of a network, if it has one; its metadata are in the folder `bundles`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn of(network: &Network, bundles: &Path) -> Result<Option<Self>, cicada_chain::Error> {
        let Some(account) = network.chain.exchange else {
            return Ok(None);
        };
        let bundle = Arc::new(Bundle::find(bundles, "exchange")?);
        let (url, genesis) = (network.chain.url.clone(), network.chain.genesis);
        Ok(Some(Self { url, genesis, account, bundle, open: None }))
    }

    async fn connected(&mut self) -> Result<&Remembering, String> {
        let exchange = match self.open.take() {
            Some(open) => open,
            None => {
                let chain = Chain::connect(&self.url).await.map_err(|error| error.to_string())?;
                if chain.genesis() != self.genesis {
                    return Err(format!("{} is another chain than the network file's", self.url));
                }
                let exchange =
                    Exchange { chain, bundle: self.bundle.clone(), account: self.account };
                Remembering { exchange, times: Mutex::default() }
            }
        };
        Ok(self.open.insert(exchange))
    }
}

impl Lookup for Connection {
    async fn look(&mut self, time_ms: u64) -> Looked {
        let exchange = self.connected().await.map_err(FindError::Chain)?;
        let looked = async {
            let block = find(exchange, time_ms).await?;
            exchange.volumes(block).await.map_err(FindError::Chain)
        };
        let looked = looked.await;
        if matches!(looked, Err(FindError::Chain(_))) {
            self.open = None;
        }
        looked
    }
}

// An exchange, and the times of final blocks: they never change, and are looked for often.
struct Remembering {
    exchange: Exchange,
    times: Mutex<BTreeMap<u64, u64>>,
}

impl Source for Remembering {
    type Error = String;

    async fn newest(&self) -> Result<u64, String> {
        self.exchange.newest().await.map_err(|error| error.to_string())
    }

    async fn time_ms(&self, block: u64) -> Result<u64, String> {
        let times = || self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(time) = times().get(&block).copied() {
            return Ok(time);
        }
        let time = self.exchange.time_ms(block).await.map_err(|error| error.to_string())?;
        let mut times = times();
        times.insert(block, time);
        *times = times.split_off(&block.saturating_sub(BLOCKS));
        Ok(time)
    }

    async fn volumes(&self, block: u64) -> Result<Volumes, String> {
        self.exchange.volumes(block).await.map_err(|error| error.to_string())
    }
}

//! The chain that the volumes are read from.

use super::{Looked, Lookup};
use crate::settled::connect;
use cicada_chain::Chain;
use cicada_core::Account;
use cicada_network::{ChainSection, ContractName, Network};
use cicada_volumes::{find, Exchange, FindError, Source, Volumes, BLOCKS};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long no look may come to its end before the connection is given up for silent.
const SILENCE: Duration = Duration::from_secs(20);

/// A connection to the chain's exchange that is made when it is needed, and anew when it fails or is
/// silent. Looks may be given up; what they have come to by then is kept.
pub struct Connection {
    chain: ChainSection,
    account: Account,
    times: Times,
    open: Option<Remembering>,
    // A connection under way.
    opening: Option<JoinHandle<Result<Chain, String>>>,
    // Since when no look has come to its end.
    silent: Option<Instant>,
}

impl Connection {
    /// To the exchange of a network, if it has one.
    pub fn of(network: &Network) -> Option<Self> {
        let exchange = network.contracts.get(ContractName::Exchange);
        exchange.map(|account| Self::new(network.chain.clone(), account))
    }

    fn new(chain: ChainSection, account: Account) -> Self {
        let (times, open, opening, silent) = (Times::default(), None, None, None);
        Self { chain, account, times, open, opening, silent }
    }

    async fn connected(&mut self) -> Result<&Remembering, String> {
        let exchange = match self.open.take() {
            Some(open) => open,
            None => {
                let exchange = Exchange { chain: self.connect().await?, account: self.account };
                Remembering { exchange, times: self.times.clone() }
            }
        };
        Ok(self.open.insert(exchange))
    }

    // It goes on when this is given up.
    async fn connect(&mut self) -> Result<Chain, String> {
        let chain = self.chain.clone();
        let connect = async move { connect(&chain).await };
        let opening = self.opening.get_or_insert_with(|| tokio::spawn(connect));
        let opened = opening.await.map_err(|error| error.to_string());
        self.opening = None;
        opened?
    }
}

impl Lookup for Connection {
    async fn look(&mut self, time_ms: u64) -> Looked {
        if self.silent.get_or_insert_with(Instant::now).elapsed() > SILENCE {
            (self.open, self.silent) = (None, Some(Instant::now()));
        }
        let looked = async {
            let exchange = self.connected().await.map_err(FindError::Chain)?;
            let block = find(exchange, time_ms).await?;
            exchange.volumes(block).await.map_err(FindError::Chain)
        };
        let looked = looked.await;
        self.silent = None;
        if matches!(looked, Err(FindError::Chain(_))) {
            self.open = None;
        }
        looked
    }
}

// The times of final blocks: they never change, and are looked for often.
type Times = Arc<Mutex<BTreeMap<u64, u64>>>;

struct Remembering {
    exchange: Exchange,
    times: Times,
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_handshake_goes_on_when_a_look_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", silent.local_addr().unwrap());
        let chain = ChainSection { url, ..ChainSection::unasked() };
        let mut connection = Connection::new(chain, Account([8; 32]));
        let (patience, mut streams) = (Duration::from_millis(300), Vec::new());
        for _ in 0..3 {
            assert!(timeout(patience, connection.look(1)).await.is_err(), "silent");
            while let Ok(accepted) = timeout(patience / 10, silent.accept()).await {
                streams.push(accepted.unwrap());
            }
        }
        assert_eq!(streams.len(), 1, "one connection for all looks");
    }
}

//! The connection to a node.

use crate::nonce::Nonces;
use crate::{Error, Receipt, Signer};
use cicada_core::hash::Digest;
use cicada_core::Account;
use parity_scale_codec::Decode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt::backend::LegacyBackend;
use subxt::client::{ClientAtBlock, OnlineClientAtBlockImpl};
use subxt::config::RpcConfigFor;
use subxt::rpcs::methods::LegacyRpcMethods;
use subxt::rpcs::RpcClient;
use subxt::{dynamic, OnlineClient, PolkadotConfig};
use tokio::sync::Mutex;

pub(crate) type Block = ClientAtBlock<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;

/// A connection to a node of a chain with `pallet-contracts`. Cheap to clone; all clones
/// share one count of the nonces, so they may sign for the same accounts.
///
/// Everything is read at the newest *final* block.
#[derive(Clone)]
pub struct Chain {
    pub(crate) client: OnlineClient<PolkadotConfig>,
    pub(crate) rpc: LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>,
    pub(crate) nonces: Arc<Mutex<Nonces>>,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

impl Chain {
    /// Connects to the node at `url`, such as `ws://127.0.0.1:9944`.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let failed = |reason: String| Error::Connect { url: url.into(), reason };
        let connecting = async {
            let rpc = RpcClient::from_insecure_url(url)
                .await
                .map_err(|error| failed(error.to_string()))?;
            // The older of the two families of RPC methods: every node that runs contracts
            // has it, and it reports a stale nonce at once.
            let backend = LegacyBackend::builder().build(rpc.clone());
            let client = OnlineClient::from_backend(Arc::new(backend))
                .await
                .map_err(|error| failed(error.to_string()))?;
            Ok(Self { client, rpc: LegacyRpcMethods::new(rpc), nonces: Arc::default() })
        };
        tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .unwrap_or_else(|_| Err(failed(format!("silent for {CONNECT_TIMEOUT:?}"))))
    }

    /// The hash of the chain's first block: the chain's identity.
    pub fn genesis(&self) -> Digest {
        Digest(self.client.genesis_hash().0)
    }

    /// The chain's name, such as `Cicada Development`.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn name(&self) -> Result<String, Error> {
        self.rpc.system_chain().await.map_err(Error::node("asking for the chain's name"))
    }

    pub(crate) async fn at_final(&self) -> Result<Block, Error> {
        self.client.at_current_block().await.map_err(Error::node("reading the newest final block"))
    }

    /// The number of the newest final block.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn final_block(&self) -> Result<u64, Error> {
        Ok(self.at_final().await?.block_number())
    }

    /// The time of the newest final block, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn final_time_ms(&self) -> Result<u64, Error> {
        crate::at_block::time_of(&self.at_final().await?).await
    }

    /// The free balance of an account, in base units of the chain's currency.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn balance(&self, account: &Account) -> Result<u128, Error> {
        account_field(&self.at_final().await?, account, &["data", "free"]).await
    }

    /// The hash of a contract's code, or `None` if there is no contract at this account.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn code_hash(&self, contract: &Account) -> Result<Option<Digest>, Error> {
        let what = "reading the code hash of a contract";
        let address =
            dynamic::storage::<([u8; 32],), dynamic::Value>("Contracts", "ContractInfoOf");
        let block = self.at_final().await?;
        let entry = block.storage().try_fetch(address, (contract.0,)).await;
        let Some(value) = entry.map_err(Error::node(what))? else {
            return Ok(None);
        };
        // The front of a `ContractInfo`: the key of its storage, then the hash.
        let (_, hash) =
            <(Vec<u8>, Digest)>::decode(&mut value.bytes()).map_err(Error::decode(what))?;
        Ok(Some(hash))
    }

    /// Makes a block if the newest final one is older than `max_age`, by an empty transaction.
    ///
    /// A chain that makes blocks on demand stands still between transactions, and a dry run
    /// sees the clock of the last block. Call this before a call whose outcome depends on
    /// the time.
    ///
    /// # Errors
    /// As [`Chain::transfer`].
    pub async fn freshen(
        &self,
        signer: &Signer,
        max_age: Duration,
    ) -> Result<Option<Receipt>, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let newest = Duration::from_millis(self.final_time_ms().await?);
        if now.saturating_sub(newest) <= max_age {
            return Ok(None);
        }
        tracing::debug!("the chain stands still since {newest:?}: making a block");
        self.send(&crate::Call::remark(), signer).await.map(Some)
    }
}

/// A number in the chain's record of an account; 0 if there is no record.
pub(crate) async fn account_field(
    block: &Block,
    account: &Account,
    path: &[&str],
) -> Result<u128, Error> {
    use dynamic::At;
    let what = "reading an account";
    let address = dynamic::storage::<([u8; 32],), dynamic::Value>("System", "Account");
    let entry = block.storage().try_fetch(address, (account.0,)).await;
    let Some(value) = entry.map_err(Error::node(what))? else {
        return Ok(0);
    };
    let value = value.decode().map_err(Error::decode(what))?;
    let field = path.iter().try_fold(&value, |value, name| value.at(*name));
    let field = field.and_then(|field| field.as_u128());
    field.ok_or("a number is missing").map_err(Error::decode(what))
}

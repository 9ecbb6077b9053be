//! What every command has: the market, who signs, where files lie.

use crate::reply::Failure;
use cicada_chain::{account_of, signer, Signer};
use cicada_core::Account;
use cicada_market::{Market, MarketFile};
use cicada_payload::{read_secret, Keystore, Store};
use clap::Args;
use std::path::PathBuf;

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// The market file that deploy-market wrote.
    #[arg(long, global = true, env = "CICADA_MARKET", default_value = ".demo/market.toml")]
    pub network: PathBuf,
    /// Folder of the built contracts.
    #[arg(long, global = true, env = "CICADA_BUNDLES", default_value = "contracts/target/ink")]
    pub bundles: PathBuf,
    /// Address of a node of the chain, instead of the market file's.
    #[arg(long, global = true, env = "CICADA_URL")]
    pub url: Option<String>,
    /// Secret of the account that signs: for development accounts such as //Alice.
    #[arg(long, global = true, env = "CICADA_SURI", hide_env_values = true)]
    pub suri: Option<String>,
    /// A file with that secret, readable by its owner only; 'cicada71 account' makes one.
    #[arg(long, global = true, env = "CICADA_KEY_FILE", conflicts_with = "suri")]
    pub key_file: Option<PathBuf>,
    /// Folder of this account's secrets: keys of private payloads and results. Keep it.
    #[arg(long, global = true, env = "CICADA_STATE_DIR", default_value = ".demo/requester")]
    pub state: PathBuf,
    /// Where payloads, results and evidence lie: a folder, or an http(s) address to read from.
    #[arg(long, global = true, env = "CICADA_STORE", default_value = ".demo/store")]
    pub store: String,
    /// Answer in JSON. Amounts are strings in MMC, times are ms since 1970.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The same, connected.
pub struct Context {
    /// The market.
    pub market: Market,
    /// Who signs.
    pub signer: Signer,
    /// His account.
    pub own: Account,
    /// The secrets of private requests.
    pub keystore: Keystore,
    /// Where contents lie.
    pub store: Store,
}

impl Context {
    /// Connects.
    pub async fn open(common: &Common) -> Result<Self, Failure> {
        let signer = secret(common)?;
        let file = MarketFile::load(&common.network)?;
        Ok(Self {
            market: Market::connect(file, &common.bundles, common.url.as_deref()).await?,
            own: account_of(&signer),
            signer,
            keystore: Keystore::new(common.state.join("requests")),
            store: common.store.parse()?,
        })
    }
}

/// The account that signs; //Alice where nobody is named, as all tools here have it.
fn secret(common: &Common) -> Result<Signer, Failure> {
    let signer = match &common.key_file {
        Some(path) => signer(read_secret(path)?.trim()),
        None => signer(common.suri.as_deref().unwrap_or("//Alice")),
    };
    signer.map_err(|error| Failure::Usage(error.to_string()))
}

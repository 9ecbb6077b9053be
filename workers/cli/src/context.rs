//! What every command has: where things are, and who signs.

use crate::args;
use crate::config::Config;
use crate::keys::Identity;
use crate::reply::Failure;
use cicada_chain::{account_of, Chain, Signer, BUNDLES};
use cicada_core::Account;
use cicada_market::Market;
use cicada_network::{ContractName, Deployment, NETWORK_FILE};
use cicada_payload::{Keystore, Store};
use cicada_program::complain;
use cicada_trade::{Board, Exchange, Indexer};
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every command", next_display_order = 900)]
pub struct Common {
    /// The configuration file; 'cicada71 init' writes one.
    /// [default: config.toml in $XDG_CONFIG_HOME/cicada71]
    #[arg(long, global = true, env = "CICADA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The network file that deploy wrote: chain, contracts, nodes. [default: .demo/network.toml]
    #[arg(long, global = true, env = "CICADA_NETWORK", value_name = "FILE")]
    pub network: Option<PathBuf>,
    /// The exchange, instead of the one of the network file.
    #[arg(long, global = true, env = "CICADA_EXCHANGE", value_parser = args::account, value_name = "ADDRESS")]
    pub exchange: Option<Account>,
    /// The leaderboard, instead of the one of the network file.
    #[arg(long, global = true, value_parser = args::account, value_name = "ADDRESS")]
    pub leaderboard: Option<Account>,
    /// The indexer: history, orders, costs. [default: http://127.0.0.1:7171]
    #[arg(long, global = true, env = "CICADA_INDEXER_URL", value_name = "URL")]
    pub indexer: Option<String>,
    /// The address of the first of 23 nodes on successive ports, instead of those of the network file.
    #[arg(long, global = true, value_parser = args::http_url, value_name = "URL")]
    pub nodes: Option<String>,
    /// Address of a node of the chain, instead of the network file's.
    #[arg(long, global = true, env = "CICADA_URL")]
    pub url: Option<String>,
    /// Secret of the account that signs: for development accounts such as //Alice.
    #[arg(long, global = true, env = "CICADA_SURI", hide_env_values = true)]
    pub suri: Option<String>,
    /// The key file, readable by its owner only: one of 'cicada71 init' or polkadot.js, or a secret
    /// in the clear as 'cicada71 account' makes it.
    #[arg(
        long,
        global = true,
        env = "CICADA_KEY_FILE",
        conflicts_with = "suri",
        value_name = "FILE"
    )]
    pub key_file: Option<PathBuf>,
    /// A file with the password of the key file, instead of a question.
    #[arg(long, global = true, env = "CICADA_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Folder of this account's secrets: keys of private payloads and results. Keep it.
    /// [default: cicada71 in $XDG_STATE_HOME]
    #[arg(long, global = true, env = "CICADA_STATE_DIR", value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Where payloads, results and evidence lie: a folder, or an http(s) address to read from.
    #[arg(long, global = true, env = "CICADA_STORE", default_value = ".demo/store")]
    pub store: String,
    /// Answer in JSON. Amounts are strings in MMC or tokens, times are ms since 1970.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Options, environment and configuration file together.
pub struct Settings {
    /// The options.
    pub common: Common,
    config: Config,
}

impl Settings {
    /// Reads the configuration file.
    pub fn new(common: Common) -> Result<Self, Failure> {
        let config = Config::load(common.config.as_deref())?;
        Ok(Self { common, config })
    }

    /// Says on standard error how far something is that takes more than one step.
    pub fn say(&self, text: &str) {
        if !self.common.json {
            complain!("{text}");
        }
    }

    /// Who uses the command.
    pub fn identity(&self) -> Result<Identity, Failure> {
        Identity::of(&self.common, self.key_file())
    }

    /// The key file that is named, if one is.
    pub fn key_file(&self) -> Option<&Path> {
        self.common.key_file.as_deref().or(self.config.key_file.as_deref())
    }

    /// Who uses the command, ready to sign.
    pub fn signer(&self) -> Result<Signer, Failure> {
        self.identity()?.signer(&self.common)
    }

    /// The account that was named, or one's own.
    pub fn account_or_own(&self, named: Option<Account>) -> Result<Account, Failure> {
        named.map_or_else(|| Ok(self.identity()?.account()), Ok)
    }

    /// The folder of the bundles: the one that is named, or that of the configuration.
    pub fn bundles<'a>(&'a self, named: Option<&'a Path>) -> &'a Path {
        named.or(self.config.bundles.as_deref()).unwrap_or(Path::new(BUNDLES))
    }

    /// The address of a node that options or configuration name.
    pub fn url(&self) -> Option<&str> {
        self.common.url.as_deref().or(self.config.url.as_deref())
    }

    fn named(&self) -> Option<&Path> {
        self.common.network.as_deref().or(self.config.network.as_deref())
    }

    /// The network file.
    pub fn network(&self) -> &Path {
        self.named().unwrap_or(Path::new(NETWORK_FILE))
    }

    /// What the network file says. One that is not named need not be there unless it is `needed`.
    pub fn deployment(&self, needed: bool) -> Result<Option<Deployment>, Failure> {
        Ok(match needed || self.named().is_some() {
            true => Some(Deployment::load(self.network())?),
            false => Deployment::find(self.network())?,
        })
    }

    /// The chain of a network file, or any if there is none.
    pub async fn chain(&self, file: Option<&Deployment>) -> Result<Chain, Failure> {
        Ok(match file {
            Some(file) => file.connect(self.url()).await?,
            None => Chain::connect(self.url().unwrap_or("ws://127.0.0.1:9944")).await?,
        })
    }

    /// A contract that options or the network file name, and its chain.
    async fn contract(
        &self,
        name: ContractName,
        given: Option<Account>,
    ) -> Result<(Chain, Account), Failure> {
        let file = self.deployment(given.is_none())?;
        let chain = self.chain(file.as_ref()).await?;
        match (given, file) {
            (Some(account), _) => Ok((chain, account)),
            (None, Some(file)) => Ok((chain, file.need(name)?)),
            (None, None) => {
                Err(Failure::Usage(format!("name a network file with --network, or --{name}")))
            }
        }
    }

    /// The exchange.
    pub async fn exchange(&self) -> Result<Exchange, Failure> {
        let named = self.contract(ContractName::Exchange, self.common.exchange).await?;
        let (chain, account) = named;
        Ok(Exchange::at(chain, account).await?)
    }

    /// The leaderboard.
    pub async fn board(&self) -> Result<Board, Failure> {
        let named = self.contract(ContractName::Leaderboard, self.common.leaderboard).await?;
        let (chain, account) = named;
        Ok(Board::at(chain, account))
    }

    /// The indexer.
    pub fn indexer(&self) -> Result<Indexer, Failure> {
        let url = self.common.indexer.as_deref().or(self.config.indexer.as_deref());
        Ok(Indexer::new(url.unwrap_or("http://127.0.0.1:7171"))?)
    }

    /// The nodes: an address, or the network file if it is there.
    pub fn nodes(&self) -> String {
        let set = self.common.nodes.clone().or_else(|| self.config.nodes.clone());
        set.unwrap_or_else(|| match self.named().is_some() || self.network().exists() {
            true => self.network().display().to_string(),
            false => "http://127.0.0.1:7100".into(),
        })
    }
}

/// The folder of secrets that nothing replaces: not where a checkout is cleaned up.
fn state(common: &Common) -> Result<PathBuf, Failure> {
    if let Some(state) = &common.state {
        return Ok(state.clone());
    }
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let folder = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    let none = "there is neither $XDG_STATE_HOME nor $HOME: name a folder for secrets with --state";
    Ok(folder.ok_or_else(|| Failure::Usage(none.into()))?.join("cicada71"))
}

/// The compute market, connected.
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
    pub async fn open(settings: &Settings) -> Result<Self, Failure> {
        let common = &settings.common;
        let signer = settings.signer()?;
        let file = Deployment::load(settings.network())?;
        Ok(Self {
            market: Market::connect(&file, settings.url()).await?,
            own: account_of(&signer),
            signer,
            keystore: Keystore::new(state(common)?.join("requests")),
            store: common.store.parse()?,
        })
    }
}

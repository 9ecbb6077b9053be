//! What every subcommand works on: the chain, the network file, and who deploys.

use crate::found::{checked, differs, keep, standing, Standing};
use crate::{addresses, say, Steps};
use anyhow::{anyhow, ensure, Context, Result};
use cicada_chain::{signer, Bundle, Chain, Error, Instance, Signer, BUNDLES};
use cicada_contracts::types::Role;
use cicada_contracts::{reputation, token, Constructor, Message};
use cicada_core::Account;
use cicada_network::{ChainSection, ContractName, Deployment, NETWORK_FILE};
use clap::Args;
use parity_scale_codec::{Decode, Encode};
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a chain is asked for if nobody says it.
const LOCAL: &str = "ws://127.0.0.1:9944";

/// On what contracts are built that another subcommand makes anew.
const MADE_BY_COMMITTEE: &str =
    "these are contracts of 'deploy committee', and only 'deploy committee --replace' makes new ones";

/// Options of every subcommand.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every subcommand", next_display_order = 900)]
pub struct SiteArgs {
    /// The network file: it is extended, and what it holds is kept.
    #[arg(long, global = true, env = "CICADA_NETWORK", default_value = NETWORK_FILE)]
    pub network: PathBuf,
    /// Address of a node of the chain [default: that of the network file, else ws://127.0.0.1:9944].
    #[arg(long, global = true, env = "CICADA_URL")]
    pub url: Option<String>,
    /// Folder of the built contracts.
    #[arg(long, global = true, env = "CICADA_BUNDLES", default_value = BUNDLES)]
    pub bundles: PathBuf,
    /// Secret of the account that deploys and owns the contracts.
    #[arg(
        long,
        global = true,
        env = "CICADA_SURI",
        default_value = "//Alice",
        hide_env_values = true
    )]
    pub suri: String,
    /// Deploy new contracts although the network file names some; it is kept under another name.
    #[arg(long, global = true)]
    pub replace: bool,
    /// Also write the contracts' addresses for JavaScript to this JSON file.
    #[arg(long, global = true, value_name = "FILE")]
    pub addresses: Option<PathBuf>,
    /// The network's name in that file.
    #[arg(long, global = true, default_value = "local")]
    pub name: String,
}

/// Chain, network file and owner.
pub struct Site {
    /// The chain.
    pub chain: Chain,
    /// Who deploys and owns.
    pub owner: Signer,
    /// What the network file says; each contract that is made is written into it at once.
    pub file: Deployment,
    /// Whether contracts are made although the file names some.
    pub(crate) replace: bool,
    // Held as long as this process runs.
    _lock: File,
    url: String,
    bundles: PathBuf,
    salt: Vec<u8>,
    export: Option<(PathBuf, String)>,
}

/// Keeps a second run out of a network file: each would write what the other has made out of it.
fn lock(network: &Path) -> Result<File> {
    let mut name = network.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    let locked = file.try_lock();
    locked.with_context(|| format!("{}: does another 'deploy' write it?", path.display()))?;
    Ok(file)
}

impl Site {
    /// Connects to the chain and reads the network file, or begins one.
    ///
    /// # Errors
    /// If no node answers, the file cannot be read, or it is of another chain and not to be replaced.
    pub async fn open(args: &SiteArgs) -> Result<Self> {
        let lock = lock(&args.network)?;
        let there = Deployment::find(&args.network)?;
        let named = there.as_ref().map(|file| file.chain.url.as_str());
        let url = args.url.as_deref().or(named).unwrap_or(LOCAL).to_owned();
        let chain = Chain::connect(&url).await.context("cannot ask the chain")?;
        let genesis = chain.genesis();
        say(format!("chain {} at {url}, genesis {genesis}", chain.name().await?));
        let section = ChainSection { url: url.clone(), genesis };
        let file = match there {
            None => Deployment::new(&args.network, section),
            Some(file) if file.chain.genesis == genesis => file,
            Some(file) if args.replace => {
                keep(file.path())?;
                Deployment::new(&args.network, section)
            }
            Some(file) => {
                let other = file.chain.genesis;
                let why = anyhow!("it is of another chain, whose genesis is {other}");
                return Err(differs(file.path(), &why));
            }
        };
        Ok(Self {
            chain,
            owner: signer(&args.suri)?,
            url,
            file,
            replace: args.replace,
            _lock: lock,
            bundles: args.bundles.clone(),
            // Another one each time: an earlier contract may belong to a deployment that is given up.
            salt: SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos().encode(),
            export: args.addresses.clone().map(|path| (path, args.name.clone())),
        })
    }

    /// Begins the file anew, for the chain that was connected.
    pub(crate) fn begin_anew(&mut self) {
        let chain = ChainSection { url: self.url.clone(), genesis: self.chain.genesis() };
        self.file = Deployment::new(self.file.path(), chain);
    }

    /// Reads a view of a contract.
    ///
    /// # Errors
    /// As [`Chain::read`].
    pub(crate) async fn read<T: Decode, E>(
        &self,
        contract: &Account,
        view: &Message<T, E>,
    ) -> Result<T, Error> {
        self.chain.read(contract, view).await
    }

    /// Calls of the owner that do not depend on each other.
    pub(crate) fn steps(&self) -> Steps<'_> {
        Steps::new(&self.chain, &self.owner)
    }

    /// Whether an account has a role at a token.
    ///
    /// # Errors
    /// As [`Chain::read`].
    pub(crate) async fn has_role(
        &self,
        token: &Account,
        role: &Role,
        account: &Account,
    ) -> Result<bool, Error> {
        self.read(token, &token::has_role(role, account)).await
    }

    /// Whether a contract may write a reputation.
    ///
    /// # Errors
    /// As [`Chain::read`].
    pub(crate) async fn may_write(
        &self,
        reputation: &Account,
        contract: &Account,
    ) -> Result<bool, Error> {
        self.read(reputation, &reputation::is_writer(contract)).await
    }

    /// Passes on what a check of contracts by their views came to.
    ///
    /// # Errors
    /// That they differ, or that nobody knows.
    pub(crate) fn checked(&self, what: &str, check: Result<()>) -> Result<()> {
        checked(self.file.path(), what, check)
    }

    /// Says that this was deployed before.
    pub(crate) fn already(&self, what: impl Display) {
        say(format!("already deployed: {what} ({})", self.file.path().display()));
    }

    /// A built contract.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn bundle(&self, name: &str) -> Result<Bundle, Error> {
        Bundle::find(&self.bundles, name)
    }

    /// How the contracts of these names and these tokens stand, as far as the file names them.
    ///
    /// # Errors
    /// As [`standing`], or if a bundle cannot be read.
    pub(crate) async fn stand(
        &self,
        names: &[ContractName],
        tokens: &[Account],
    ) -> Result<Standing> {
        let named = names.iter().filter_map(|name| Some((*name, self.file.contracts.get(*name)?)));
        let mut contracts = Vec::new();
        let named = named.map(|(name, account)| (name.to_string(), name.as_str(), account));
        let tokens = tokens.iter().map(|token| (format!("the token {token}"), "token", *token));
        for (what, bundle, account) in named.chain(tokens) {
            let built = *self.bundle(bundle)?.code_hash();
            contracts.push((what, self.chain.code_hash(&account).await, built));
        }
        standing(self.file.path(), contracts)
    }

    /// Makes sure that contracts are there on which others are built.
    ///
    /// # Errors
    /// If one is not, or as [`Self::stand`].
    pub(crate) async fn stand_on(&self, names: &[ContractName]) -> Result<()> {
        for name in names {
            self.file.need(*name)?;
        }
        let path = self.file.path().display();
        ensure!(
            self.stand(names, &[]).await.context(MADE_BY_COMMITTEE)? == Standing::There,
            "the contracts of {path} are gone: the chain was reset; run 'deploy committee' first"
        );
        Ok(())
    }

    /// Forgets contracts that are gone with their chain, or are to be replaced, and keeps the file under
    /// another name. Whether it did so.
    ///
    /// # Errors
    /// As [`Self::stand`], or if the file cannot be kept.
    pub(crate) async fn clear(
        &mut self,
        names: &[ContractName],
        tokens: &[Account],
    ) -> Result<bool> {
        let path = self.file.path().to_owned();
        let named = names.iter().any(|name| self.file.contracts.get(*name).is_some());
        let clear = match self.replace {
            true => named || !tokens.is_empty(),
            false => self.stand(names, tokens).await? == Standing::Gone,
        };
        if clear {
            if !self.replace {
                say(format!("contracts of {} are gone: the chain was reset", path.display()));
            }
            keep(&path)?;
            for name in names {
                self.file.contracts.remove(*name);
                self.file.blocks.remove(name);
            }
        }
        Ok(clear)
    }

    /// Makes a contract, says so and writes it down, unless the file names it.
    ///
    /// # Errors
    /// As [`Chain::upload_and_instantiate`], or if the file cannot be written.
    pub(crate) async fn make<E>(
        &mut self,
        name: ContractName,
        constructor: &Constructor<E>,
    ) -> Result<Account> {
        if let Some(account) = self.file.contracts.get(name) {
            return Ok(account);
        }
        let made = self.place(name.as_str(), constructor).await?;
        say(format!(
            "{name} at {} in block {}: {} bytes, ref_time {}",
            made.account,
            made.block,
            self.bundle(name.as_str())?.wasm().len(),
            made.weight.ref_time
        ));
        self.file.contracts.set(name, made.account);
        self.file.blocks.insert(name, made.block);
        self.file.save()?;
        Ok(made.account)
    }

    /// Makes a contract that the file does not name.
    ///
    /// # Errors
    /// As [`Chain::upload_and_instantiate`].
    pub(crate) async fn place<E>(
        &self,
        bundle: &str,
        constructor: &Constructor<E>,
    ) -> Result<Instance, Error> {
        let bundle = self.bundle(bundle)?;
        self.chain.upload_and_instantiate(&bundle, constructor, &self.salt, &self.owner).await
    }

    /// Writes the file and says so.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn save(&self) -> Result<()> {
        self.file.save()?;
        say(format!("wrote {}", self.file.path().display()));
        Ok(())
    }

    /// Writes what JavaScript reads of the file, if that is wanted.
    ///
    /// # Errors
    /// As [`addresses::export`].
    pub(crate) async fn export(&self) -> Result<()> {
        match &self.export {
            Some((path, name)) => addresses::export(&self.chain, &self.file, path, name).await,
            None => Ok(()),
        }
    }
}

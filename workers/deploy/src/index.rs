//! The contracts of the index: tokens, index, pool, rewards, and the stake of those who attest, with
//! their reputation.

use crate::found::{all_there, keep, stays};
use crate::index_file::{IndexFile, Subnet};
use crate::left::is_bonded;
use crate::steps::{Steps, AT_ONCE};
use crate::{new_salt, say, Addresses};
use anyhow::{ensure, Context, Result};
use cicada_amounts::TAO;
use cicada_chain::{account_of, address, signer, signer_from_seed, Bundle, Chain, Signer};
use cicada_contracts::types::{RewardTerms, Role, StakingTerms};
use cicada_contracts::{index, pair, reputation, rewards, token, validators, Constructor};
use cicada_core::basket::BASKET_SIZE;
use cicada_core::Account;
use cicada_network::{Network, NodeKeys};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::path::{Path, PathBuf};

/// The first subnet's number; 0 is the root of the network, which has no token.
const FIRST_SUBNET: u16 = 1;
/// Of TAO and of each subnet token, for the account that deploys.
const SUPPLY: u128 = 100_000_000 * TAO;
/// What a miner deposits to be ranked.
const REGISTRATION_BOND: u128 = 100 * TAO;

/// What to deploy, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Address of a node.
    pub url: String,
    /// Folder of the built contracts.
    pub bundles: PathBuf,
    /// The network file of `deploy-paxos`; index and rewards are written into it.
    pub network: PathBuf,
    /// Folder of the operators' key files.
    pub keys: PathBuf,
    /// The index file to write.
    pub out: PathBuf,
    /// Whether new contracts are made although the index file names some.
    pub anew: bool,
    /// Secret of the account that deploys and owns.
    pub suri: String,
    /// Where penalties go: can never be changed.
    pub treasury: Account,
    /// Amounts and times.
    pub terms: Terms,
    /// The file of addresses for frontends, and the network's name in it.
    pub addresses: Option<(PathBuf, String)>,
}

/// Amounts are smallest units of TAO, times milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What a seat needs.
    pub minimum: u128,
    /// What each operator bonds.
    pub bond: u128,
    /// How long stake that is taken out can be slashed, and how long a miner's bond stays.
    pub unbonding_ms: u64,
    /// Fee of the pool in bps.
    pub pair_fee_bps: u16,
    /// The shortest epoch of rewards.
    pub epoch_ms: u64,
    /// The largest pool of an epoch.
    pub emission: u128,
    /// What is paid into the rewards at once.
    pub funds: u128,
}

/// The built contracts.
pub(crate) struct Bundles {
    token: Bundle,
    validators: Bundle,
    index: Bundle,
    pair: Bundle,
    rewards: Bundle,
    pub(crate) reputation: Bundle,
}

impl Bundles {
    fn load(folder: &Path) -> Result<Self> {
        let load = |name: &str| Bundle::find(folder, name);
        Ok(Self {
            token: load("token")?,
            validators: load("validators")?,
            index: load("index")?,
            pair: load("pair")?,
            rewards: load("rewards")?,
            reputation: load("reputation")?,
        })
    }

    pub(crate) fn of<'a>(&'a self, file: &'a IndexFile) -> Vec<(&'a Account, &'a Bundle)> {
        let mut all = vec![
            (&file.validators, &self.validators),
            (&file.tao, &self.token),
            (&file.index_token, &self.token),
            (&file.index, &self.index),
            (&file.pair, &self.pair),
            (&file.rewards, &self.rewards),
        ];
        all.extend(file.subnets.iter().map(|subnet| (&subnet.token, &self.token)));
        all
    }
}

pub(crate) struct Deployer<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) chain: Chain,
    pub(crate) bundles: Bundles,
    pub(crate) owner: Signer,
    salt: Vec<u8>,
}

/// Deploys, unless the index of the file is there already.
///
/// # Errors
/// In words.
pub async fn deploy(plan: &Plan) -> Result<IndexFile> {
    let chain = Chain::connect(&plan.url).await?;
    let mut network = Network::load(&plan.network)?;
    ensure!(
        network.chain.genesis == chain.genesis(),
        "{} is of another chain: run deploy-paxos first",
        plan.network.display()
    );
    let (bundles, owner) = (Bundles::load(&plan.bundles)?, signer(&plan.suri)?);
    let deployer = Deployer { plan, chain, bundles, owner, salt: new_salt()? };
    let file = match deployer.existing(&network).await? {
        Some(file) => {
            let index = address(&file.index);
            say(format!("already deployed: index {index} ({})", plan.out.display()));
            file
        }
        None => {
            keep(&plan.out)?;
            deployer.all(&network).await?
        }
    };
    let named = (Some(file.index), Some(file.rewards));
    if (network.chain.index, network.chain.rewards) != named {
        (network.chain.index, network.chain.rewards) = named;
        network.save(&plan.network)?;
        say(format!("wrote index and rewards to {}", plan.network.display()));
    }
    deployer.write_addresses(&file)?;
    Ok(file)
}

impl Deployer<'_> {
    /// The index of the file, if it is one of this chain and committee and its contracts answer.
    async fn existing(&self, network: &Network) -> Result<Option<IndexFile>> {
        let path = &self.plan.out;
        if self.plan.anew || !path.exists() {
            return Ok(None);
        }
        let file = IndexFile::load(path)?;
        match self.answers(&file, network).await {
            Ok(true) => Ok(Some(file)),
            Ok(false) => {
                say(format!("the contracts of {} are gone: the chain was reset", path.display()));
                Ok(None)
            }
            Err(error) => Err(stays(path, &error)),
        }
    }

    async fn answers(&self, file: &IndexFile, network: &Network) -> Result<bool> {
        if !all_there(&self.chain, &file.genesis, &self.bundles.of(file)).await? {
            return Ok(false);
        }
        ensure!(file.validators == network.chain.validators, "the committee is another");
        ensure!(file.subnets.len() == BASKET_SIZE, "it has not {BASKET_SIZE} subnets");
        let terms = self.stake_terms(file).await?.context("there are no rules of stake")?;
        let StakingTerms { reputation, judges, .. } = terms;
        ensure!(judges.contains(&file.index), "the index may not report deviations");
        ensure!(judges.contains(&file.rewards), "the rewards may not report deviations");
        let reputation = reputation.context("no reputation hears of penalties")?;
        let is_writer = reputation::is_writer(&file.validators);
        let is_writer = self.chain.read(&reputation, &is_writer).await?;
        ensure!(is_writer, "the committee's contract may not write reputation");
        Ok(true)
    }

    async fn all(&self, network: &Network) -> Result<IndexFile> {
        let keys = self.keys(network)?;
        // Token and treasury of the stake can be set once. Whatever breaks off after it, the next run
        // must find these very contracts.
        let draft = self.draft();
        let file = match self.begun(&draft, network).await? {
            Some(file) => file,
            None => {
                keep(&draft)?;
                let file = self.contracts(network.chain.validators).await?;
                file.save(&draft)?;
                file
            }
        };
        self.wire(&file, &keys).await?;
        self.bond(&file, &keys).await?;
        self.check_stakes(&file).await?;
        ensure!(self.answers(&file, network).await?, "the contracts do not answer");
        file.save(&self.plan.out)?;
        std::fs::remove_file(&draft).with_context(|| draft.display().to_string())?;
        say(format!("wrote {}", self.plan.out.display()));
        Ok(file)
    }

    /// The keys of the seats.
    fn keys(&self, network: &Network) -> Result<Vec<NodeKeys>> {
        let mut all = Vec::new();
        for (seat, node) in network.nodes.iter().enumerate() {
            let path = self.plan.keys.join(format!("node-{seat:02}.toml"));
            let keys = NodeKeys::load(&path)?;
            let path = path.display();
            ensure!(keys.operator() == node.operator, "{path} is not of seat {seat}");
            all.push(keys);
        }
        Ok(all)
    }

    pub(crate) async fn make<E>(
        &self,
        bundle: &Bundle,
        constructor: &Constructor<E>,
    ) -> Result<Account> {
        let (chain, owner) = (&self.chain, &self.owner);
        Ok(chain.upload_and_instantiate(bundle, constructor, &self.salt, owner).await?.account)
    }

    async fn token(&self, name: &str, symbol: &str, decimals: u8, supply: u128) -> Result<Account> {
        self.make(&self.bundles.token, &token::new(name, symbol, decimals, supply)).await
    }

    async fn subnet(&self, netuid: u16) -> Result<Subnet> {
        let (name, symbol) = (format!("Subnet {netuid}"), format!("SN{netuid}"));
        Ok(Subnet { netuid, token: self.token(&name, &symbol, 9, SUPPLY).await? })
    }

    /// Makes the contracts; the rewards last, since their first epoch begins with them.
    async fn contracts(&self, validators: Account) -> Result<IndexFile> {
        let from_block = self.chain.final_block().await?;
        let tao = self.token("TAO", "TAO", 9, SUPPLY).await?;
        let index_token = self.token("TAO 20", "TAO20", 18, 0).await?;
        let netuids = (FIRST_SUBNET..).take(BASKET_SIZE);
        let subnets: Vec<Subnet> = stream::iter(netuids.map(|netuid| self.subnet(netuid)))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        say(format!("TAO at {}, {} subnet tokens", address(&tao), subnets.len()));
        let index = index::new(&validators, &index_token);
        let index = self.make(&self.bundles.index, &index).await?;
        let terms = self.plan.terms;
        let pair = pair::new(&index_token, &tao, terms.pair_fee_bps);
        let pair = self.make(&self.bundles.pair, &pair).await?;
        let epochs = RewardTerms {
            start_ms: self.chain.final_time_ms().await?,
            min_epoch_ms: terms.epoch_ms,
            emission: terms.emission,
            bond: REGISTRATION_BOND,
            unbonding_ms: terms.unbonding_ms,
        };
        let rewards = rewards::new(&validators, &tao, &epochs);
        let rewards = self.make(&self.bundles.rewards, &rewards).await?;
        say(format!(
            "index at {}, pair at {}, rewards at {}",
            address(&index),
            address(&pair),
            address(&rewards)
        ));
        Ok(IndexFile {
            url: self.plan.url.clone(),
            genesis: self.chain.genesis(),
            from_block,
            validators,
            tao,
            index_token,
            index,
            pair,
            rewards,
            treasury: self.plan.treasury,
            subnets,
        })
    }

    /// Grants, rules of stake with their judges and the reputation that hears of penalties, TAO for the
    /// operators.
    async fn wire(&self, file: &IndexFile, keys: &[NodeKeys]) -> Result<()> {
        let funds = self.plan.terms.funds;
        let mut steps = Steps::new(&self.chain, &self.owner);
        for role in [Role::Minter, Role::Burner] {
            if !self.has_role(&file.index_token, &role, &file.index).await? {
                steps.add(&file.index_token, token::grant_role(&role, &file.index));
            }
        }
        steps.add(&file.tao, token::approve(&file.rewards, funds));
        self.rule_stake(file, &mut steps).await?;
        self.equip(file, keys, &mut steps).await?;
        steps.call().await.context("wiring the contracts")?;
        // What needs the steps above. Nobody but the index can make index tokens from now on.
        let owner = account_of(&self.owner);
        let mut last = Steps::new(&self.chain, &self.owner);
        if self.has_role(&file.index_token, &Role::Admin, &owner).await? {
            last.add(&file.index_token, token::revoke_role(&Role::Admin, &owner));
        }
        if self.chain.read(&file.rewards, &rewards::funded()).await? < funds {
            last.add(&file.rewards, rewards::fund(funds));
        }
        last.call().await.context("funding the rewards")
    }

    /// Each operator bonds with his own signature.
    async fn bond(&self, file: &IndexFile, keys: &[NodeKeys]) -> Result<()> {
        let (amount, chain) = (self.plan.terms.bond, &self.chain);
        let stakes = self.stakes(file).await?;
        let one = |(seat, keys): (usize, &NodeKeys)| {
            let operator = signer_from_seed(keys.operator_seed());
            async move {
                let operator = operator?;
                let approve = token::approve(&file.validators, amount);
                chain.call(&file.tao, &approve, &operator).await?;
                let bond = validators::bond(amount);
                let bonded = chain.call(&file.validators, &bond, &operator).await;
                bonded.with_context(|| format!("bonding the stake of seat {seat}"))
            }
        };
        let unbonded = keys.iter().enumerate().filter(|(seat, _)| !is_bonded(&stakes, *seat));
        let done = stream::iter(unbonded.map(one)).buffer_unordered(AT_ONCE);
        let done = done.try_collect::<Vec<_>>().await?;
        say(format!("{} operators bonded {} TAO each", done.len(), amount / TAO));
        Ok(())
    }

    async fn check_stakes(&self, file: &IndexFile) -> Result<()> {
        let stakes = self.stakes(file).await?;
        let without = stakes.iter().filter(|stake| **stake < self.plan.terms.minimum).count();
        ensure!(without == 0, "{without} seats have no stake that counts");
        Ok(())
    }

    fn write_addresses(&self, file: &IndexFile) -> Result<()> {
        let Some((path, name)) = &self.plan.addresses else {
            return Ok(());
        };
        let mut addresses = Addresses::new(name, &self.plan.url, &file.genesis);
        for (bundle, account) in [
            (&self.bundles.validators, &file.validators),
            (&self.bundles.index, &file.index),
            (&self.bundles.pair, &file.pair),
            (&self.bundles.rewards, &file.rewards),
        ] {
            addresses.add(bundle, account, None);
        }
        addresses.publish(path)
    }
}

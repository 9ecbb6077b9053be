//! The contracts of the index: tokens, index, pool, rewards, and the stake of those who attest, with
//! their reputation.

use crate::found::{all_there, keep, stays};
use crate::index_file::{IndexFile, Subnet};
use crate::left::{is_bonded, StakeTerms};
use crate::{say, Addresses};
use anyhow::{ensure, Context, Result};
use cicada_amounts::TAO;
use cicada_chain::{account_of, address, signer, signer_from_seed, Bundle, Call, Chain, Signer};
use cicada_core::basket::BASKET_SIZE;
use cicada_core::slashing::{Bands, Rates};
use cicada_core::Account;
use cicada_network::{Network, NodeKeys};
use futures::stream::{self, StreamExt, TryStreamExt};
use parity_scale_codec::{Decode, Encode};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const ADMIN: u8 = 0;
const MINTER: u8 = 1;
const BURNER: u8 = 2;
/// How many dry runs or transactions are under way at a time.
const AT_ONCE: usize = 8;
/// Epochs of 0 ms, of which each takes 0 bps: what was lost stays lost.
const NO_DECAY: (u64, u16) = (0, 0);
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
pub struct Bundles {
    /// PSP22.
    pub token: Bundle,
    /// The committee.
    pub validators: Bundle,
    /// The index.
    pub index: Bundle,
    /// The pool.
    pub pair: Bundle,
    /// The rewards.
    pub rewards: Bundle,
    /// The reputation of those who attest.
    pub reputation: Bundle,
}

impl Bundles {
    /// Reads them from a folder.
    ///
    /// # Errors
    /// In words.
    pub fn load(folder: &std::path::Path) -> Result<Self> {
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

/// One call of a contract: contract, bundle, message, arguments.
pub type Step<'a> = (Account, &'a Bundle, &'static str, Vec<u8>);

/// Makes calls that do not depend on each other: all are dry-run, sent in their order, and final
/// when this returns.
///
/// # Errors
/// In words.
pub async fn call_all(chain: &Chain, steps: Vec<Step<'_>>, signer: &Signer) -> Result<()> {
    let prepared = steps.iter().map(|(contract, bundle, message, args)| {
        chain.prepare(contract, bundle, message, args, signer)
    });
    let calls: Vec<Call> = stream::iter(prepared).buffered(AT_ONCE).try_collect().await?;
    for receipt in chain.send_all(&calls, signer).await? {
        receipt?;
    }
    Ok(())
}

pub(crate) struct Deployer<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) chain: Chain,
    pub(crate) bundles: Bundles,
    owner: Signer,
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
    // A new contract each time: an earlier one may belong to a deployment that broke off.
    let salt = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos().encode();
    let bundles = Bundles::load(&plan.bundles)?;
    let owner = signer(&plan.suri)?;
    let deployer = Deployer { plan, chain, bundles, owner, salt };
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
        let StakeTerms { reputation, judges, .. } = terms;
        ensure!(judges.contains(&file.index), "the index may not report deviations");
        ensure!(judges.contains(&file.rewards), "the rewards may not report deviations");
        let reputation = reputation.context("no reputation hears of penalties")?;
        let (bundle, args) = (&self.bundles.reputation, file.validators.encode());
        let is_writer: bool =
            self.chain.read(&reputation, bundle, "Writers::is_writer", &args).await?;
        ensure!(is_writer, "the committee's contract may not write reputation");
        Ok(true)
    }

    pub(crate) async fn validators<T: Decode>(
        &self,
        file: &IndexFile,
        message: &str,
        args: &[u8],
    ) -> Result<T> {
        let bundle = &self.bundles.validators;
        Ok(self.chain.read(&file.validators, bundle, message, args).await?)
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

    async fn make(&self, bundle: &Bundle, args: Vec<u8>) -> Result<Account> {
        let chain = &self.chain;
        let made = chain.upload_and_instantiate(bundle, "new", &args, &self.salt, &self.owner);
        Ok(made.await?.account)
    }

    async fn token(
        &self,
        name: String,
        symbol: String,
        decimals: u8,
        supply: u128,
    ) -> Result<Account> {
        self.make(&self.bundles.token, (name, symbol, decimals, supply).encode()).await
    }

    async fn subnet(&self, netuid: u16) -> Result<Subnet> {
        let (name, symbol) = (format!("Subnet {netuid}"), format!("SN{netuid}"));
        Ok(Subnet { netuid, token: self.token(name, symbol, 9, SUPPLY).await? })
    }

    /// Makes the contracts; the rewards last, since their first epoch begins with them.
    async fn contracts(&self, validators: Account) -> Result<IndexFile> {
        let from_block = self.chain.final_block().await?;
        let tao = self.token("TAO".into(), "TAO".into(), 9, SUPPLY).await?;
        let index_token = self.token("TAO 20".into(), "TAO20".into(), 18, 0).await?;
        let netuids = (FIRST_SUBNET..).take(BASKET_SIZE);
        let subnets: Vec<Subnet> = stream::iter(netuids.map(|netuid| self.subnet(netuid)))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        say(format!("TAO at {}, {} subnet tokens", address(&tao), subnets.len()));
        let index = self.make(&self.bundles.index, (validators, index_token).encode()).await?;
        let terms = self.plan.terms;
        let pair = (index_token, tao, terms.pair_fee_bps).encode();
        let pair = self.make(&self.bundles.pair, pair).await?;
        let start_ms = self.chain.final_time_ms().await?;
        let epochs = (start_ms, terms.epoch_ms, terms.emission);
        let rewards = (validators, tao, epochs, REGISTRATION_BOND, terms.unbonding_ms).encode();
        let rewards = self.make(&self.bundles.rewards, rewards).await?;
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
        let (token, validators) = (&self.bundles.token, &self.bundles.validators);
        let terms = self.plan.terms;
        let told = self.stake_terms(file).await?.and_then(|terms| terms.reputation);
        let reputation = match told {
            Some(reputation) => reputation,
            None => self.make(&self.bundles.reputation, NO_DECAY.encode()).await?,
        };
        say(format!("reputation of the validators at {}", address(&reputation)));
        let told = Some(reputation);
        let judges = vec![file.index, file.rewards];
        let staking = (
            (file.tao, file.treasury, told, judges, terms.minimum, terms.unbonding_ms),
            (Bands::NAV, Bands::RANKING, Rates::DEFAULT),
        );
        let role = |role: u8, account: Account| (role, account).encode();
        let mut steps: Vec<Step> = vec![
            (file.index_token, token, "Roles::grant_role", role(MINTER, file.index)),
            (file.index_token, token, "Roles::grant_role", role(BURNER, file.index)),
            (file.tao, token, "PSP22::approve", (file.rewards, terms.funds).encode()),
            (
                reputation,
                &self.bundles.reputation,
                "Writers::set_writer",
                (file.validators, true).encode(),
            ),
            (file.validators, validators, "Staking::set_terms", staking.encode()),
        ];
        for keys in keys {
            let nothing: Vec<u8> = Vec::new();
            let args = (keys.operator(), terms.bond, nothing).encode();
            steps.push((file.tao, token, "PSP22::transfer", args));
        }
        let steps = self.left(file, steps).await?;
        call_all(&self.chain, steps, &self.owner).await.context("wiring the contracts")?;
        // What needs the steps above. Nobody but the index can make index tokens from now on.
        let owner = account_of(&self.owner);
        let mut last: Vec<Step> =
            vec![(file.index_token, token, "Roles::revoke_role", role(ADMIN, owner))];
        if terms.funds > 0 {
            let funds = terms.funds.encode();
            last.push((file.rewards, &self.bundles.rewards, "Rewards::fund", funds));
        }
        let last = self.left(file, last).await?;
        call_all(&self.chain, last, &self.owner).await.context("funding the rewards")
    }

    /// Each operator bonds with his own signature.
    async fn bond(&self, file: &IndexFile, keys: &[NodeKeys]) -> Result<()> {
        let amount = self.plan.terms.bond;
        let stakes = self.stakes(file).await?;
        let (token, validators) = (&self.bundles.token, &self.bundles.validators);
        let one = |(seat, keys): (usize, &NodeKeys)| {
            let operator = signer_from_seed(keys.operator_seed());
            async move {
                let operator = operator?;
                let approve = (file.validators, amount).encode();
                let approved =
                    self.chain.call(&file.tao, token, "PSP22::approve", &approve, &operator);
                approved.await?;
                let (at, amount) = (&file.validators, amount.encode());
                let bonded = self.chain.call(at, validators, "Staking::bond", &amount, &operator);
                bonded.await.with_context(|| format!("bonding the stake of seat {seat}"))
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

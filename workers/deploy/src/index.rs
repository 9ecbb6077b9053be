//! The contracts of the index: tokens, index, pool, rewards, and the stake of those who attest, with
//! their reputation.

use crate::committee::key_path;
use crate::left::is_bonded;
use crate::steps::each;
use crate::{receiver, say, Site, SiteArgs};
use anyhow::{bail, ensure, Context, Result};
use cicada_amounts::TAO;
use cicada_chain::{account_of, signer_from_seed, Error};
use cicada_contracts::types::{RewardTerms, Role, StakingTerms};
use cicada_contracts::{index, pair, rewards, token, validators};
use cicada_core::basket::BASKET_SIZE;
use cicada_core::Account;
use cicada_network::{ContractName, Deployment, IndexContracts, Network, NodeKeys, Part, Subnet};
use clap::builder::TypedValueParser;
use clap::{value_parser, Args};
use std::path::{Path, PathBuf};

/// The first subnet's number; 0 is the root of the network, which has no token.
const FIRST_SUBNET: u16 = 1;
/// Of TAO and of each subnet token, for the account that deploys.
const SUPPLY: u128 = 100_000_000 * TAO;
/// What a miner deposits to be ranked.
const REGISTRATION_BOND: u128 = 100 * TAO;

const CONTRACTS: [ContractName; 3] =
    [ContractName::Index, ContractName::Pair, ContractName::Rewards];

/// Puts the contracts of the index beside a committee that is formed: TAO, 20 subnet tokens, the index
/// token, index, pair and rewards; sets the rules of stake, makes index and rewards judges, bonds the
/// operators' stake, funds the rewards; writes all of them into the network file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  deploy committee && deploy index
  deploy index --epoch-seconds 300 --emission 50
  deploy index --network /tmp/n/network.toml --keys /tmp/n/keys")]
pub struct IndexArgs {
    /// Folder of the operators' key files, which 'deploy committee' made.
    #[arg(long, env = "CICADA_KEYS", default_value = ".demo/keys")]
    keys: PathBuf,
    /// The account that penalties go to, which can never be changed: an address, or the secret of a
    /// development account [default: //Treasury, if the deployer is a development account, too].
    #[arg(long)]
    treasury: Option<String>,
    /// What a seat needs, in TAO.
    #[arg(long, default_value = "1000", value_parser = value_parser!(u64).map(tao))]
    pub(crate) minimum: u128,
    /// What each operator bonds, in TAO.
    #[arg(long, default_value = "2000", value_parser = value_parser!(u64).map(tao))]
    pub(crate) bond: u128,
    /// How long stake that is taken out can be slashed, in hours.
    // So long a miner's bond stays, too.
    #[arg(long = "unbonding-hours", value_name = "UNBONDING_HOURS", default_value = "168",
        value_parser = value_parser!(u64).range(..=8_784).map(|hours| hours * 3_600_000))]
    pub(crate) unbonding_ms: u64,
    /// Fee of the pool, in bps.
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u16).range(..=100))]
    pair_fee_bps: u16,
    /// The shortest epoch of rewards, in seconds.
    #[arg(long = "epoch-seconds", value_name = "EPOCH_SECONDS", default_value = "86400",
        value_parser = value_parser!(u64).range(1..=2_678_400).map(|seconds| seconds * 1_000))]
    epoch_ms: u64,
    /// The largest pool of an epoch, in TAO.
    #[arg(long, default_value = "100", value_parser = value_parser!(u64).map(tao))]
    emission: u128,
    /// What is paid into the rewards at once, in TAO.
    #[arg(long, default_value = "10000", value_parser = value_parser!(u64).map(tao))]
    funds: u128,
}

/// Smallest units of so many TAO.
fn tao(amount: u64) -> u128 {
    u128::from(amount).saturating_mul(TAO)
}

impl IndexArgs {
    fn treasury(&self, suri: &str) -> Result<Account> {
        receiver("--treasury", self.treasury.as_deref(), "//Treasury", suri)
    }
}

/// What is deployed, for whom, and where.
pub(crate) struct Deployer<'a> {
    pub(crate) site: &'a mut Site,
    pub(crate) args: &'a IndexArgs,
    /// Where penalties go: can never be changed.
    pub(crate) treasury: Account,
}

/// `deploy index`.
///
/// # Errors
/// If something cannot be had, or what is there is not as it should be.
pub async fn run(common: &SiteArgs, args: &IndexArgs) -> Result<()> {
    let treasury = args.treasury(&common.suri)?;
    let mut site = Site::open(common).await?;
    let network = site.file.network()?;
    site.stand_on(&[ContractName::Validators]).await?;
    let terms = site.read(&network.validators(), &validators::terms()).await?;
    if site.replace && terms.is_some() {
        bail!(match site.file.unfinished.contains(&Part::Index) {
            true => "'deploy index' was broken off here: run it without --replace, and it goes on",
            false => "what validators stake and where their penalties go can be set once: only 'deploy committee --replace' makes way for another index",
        });
    }
    let tokens = tokens_of(&site.file);
    if site.clear(&CONTRACTS, &tokens).await? {
        site.file.tokens = Default::default();
    }
    let mut deployer = Deployer { site: &mut site, args, treasury };
    let finished = !deployer.site.file.unfinished.contains(&Part::Index);
    if finished && deployer.site.file.contracts.get(ContractName::Index).is_some() {
        let at = deployer.site.file.index()?;
        let answers = deployer.answers(&at).await;
        site.checked("the index", answers)?;
        site.already(format!("index {}", at.index));
    } else {
        // Token and treasury of the stake can be set once. Whatever breaks off after it, the next run
        // finds these very contracts in the file.
        let keys = keys_of(&args.keys, &network)?;
        deployer.site.file.unfinished.insert(Part::Index);
        let at = deployer.contracts(network.validators()).await?;
        deployer.wire(&at, &keys).await?;
        deployer.bond(&at, &keys).await?;
        deployer.check_stakes(&at).await?;
        let answers = deployer.answers(&at).await;
        site.checked("the index", answers)?;
        site.file.unfinished.remove(&Part::Index);
        site.save()?;
    }
    site.export().await
}

/// All tokens of the index that a file names.
fn tokens_of(file: &Deployment) -> Vec<Account> {
    let own = [file.tokens.tao, file.tokens.index].into_iter().flatten();
    own.chain(file.tokens.subnets.iter().map(|subnet| subnet.token)).collect()
}

/// The keys of the seats.
fn keys_of(folder: &Path, network: &Network) -> Result<Vec<NodeKeys>> {
    let mut all = Vec::new();
    for (seat, node) in network.nodes.iter().enumerate() {
        let path = key_path(folder, seat);
        let keys = NodeKeys::load(&path)?;
        let path = path.display();
        ensure!(keys.operator() == node.operator, "{path} is not of seat {seat}");
        all.push(keys);
    }
    Ok(all)
}

impl Deployer<'_> {
    async fn answers(&self, at: &IndexContracts) -> Result<()> {
        ensure!(at.subnets.len() == BASKET_SIZE, "its index has not {BASKET_SIZE} subnets");
        let terms = self.stake_terms(at).await?.context("there are no rules of stake")?;
        let StakingTerms { reputation, judges, .. } = terms;
        ensure!(judges.contains(&at.index), "the index may not report deviations");
        ensure!(judges.contains(&at.rewards), "the rewards may not report deviations");
        let reputation = reputation.context("no reputation hears of penalties")?;
        let is_writer = self.site.may_write(&reputation, &at.validators).await?;
        ensure!(is_writer, "the committee's contract may not write reputation");
        Ok(())
    }

    async fn token(
        &self,
        name: &str,
        symbol: &str,
        decimals: u8,
        supply: u128,
    ) -> Result<Account, Error> {
        let new = token::new(name, symbol, decimals, supply);
        Ok(self.site.place("token", &new).await?.account)
    }

    async fn subnet(&self, netuid: u16) -> Result<Subnet, Error> {
        let (name, symbol) = (format!("Subnet {netuid}"), format!("SN{netuid}"));
        Ok(Subnet { netuid, token: self.token(&name, &symbol, 9, SUPPLY).await? })
    }

    /// Makes the tokens that the file does not name; TAO and the index token.
    async fn tokens(&mut self) -> Result<(Account, Account)> {
        let tao = match self.site.file.tokens.tao {
            Some(tao) => tao,
            None => self.token("TAO", "TAO", 9, SUPPLY).await?,
        };
        self.site.file.tokens.tao = Some(tao);
        let index_token = match self.site.file.tokens.index {
            Some(token) => token,
            None => self.token("TAO 20", "TAO20", 18, 0).await?,
        };
        self.site.file.tokens.index = Some(index_token);
        self.site.file.save()?;
        if self.site.file.tokens.subnets.is_empty() {
            let netuids = (FIRST_SUBNET..).take(BASKET_SIZE);
            let subnets = each(netuids.map(|netuid| self.subnet(netuid))).await?;
            say(format!("TAO at {tao}, {} subnet tokens", subnets.len()));
            self.site.file.tokens.subnets = subnets;
            self.site.file.save()?;
        }
        Ok((tao, index_token))
    }

    /// Makes what is missing of the contracts; the rewards last, since their first epoch begins with them.
    async fn contracts(&mut self, validators: Account) -> Result<IndexContracts> {
        let (tao, index_token) = self.tokens().await?;
        let new = index::new(&validators, &index_token);
        self.site.make(ContractName::Index, &new).await?;
        let new = pair::new(&index_token, &tao, self.args.pair_fee_bps);
        self.site.make(ContractName::Pair, &new).await?;
        let epochs = RewardTerms {
            start_ms: self.site.chain.final_time_ms().await?,
            min_epoch_ms: self.args.epoch_ms,
            emission: self.args.emission,
            bond: REGISTRATION_BOND,
            unbonding_ms: self.args.unbonding_ms,
        };
        let new = rewards::new(&validators, &tao, &epochs);
        self.site.make(ContractName::Rewards, &new).await?;
        Ok(self.site.file.index()?)
    }

    /// Grants, rules of stake with their judges and the reputation that hears of penalties, TAO for the
    /// operators.
    async fn wire(&self, at: &IndexContracts, keys: &[NodeKeys]) -> Result<()> {
        let funds = self.args.funds;
        let mut steps = self.site.steps();
        for role in [Role::Minter, Role::Burner] {
            if !self.site.has_role(&at.index_token, &role, &at.index).await? {
                steps.add(&at.index_token, token::grant_role(&role, &at.index));
            }
        }
        steps.add(&at.tao, token::approve(&at.rewards, funds));
        self.rule_stake(at, &mut steps).await?;
        self.equip(at, keys, &mut steps).await?;
        steps.call().await.context("wiring the contracts")?;
        // What needs the steps above. Nobody but the index can make index tokens from now on.
        let owner = account_of(&self.site.owner);
        let mut last = self.site.steps();
        if self.site.has_role(&at.index_token, &Role::Admin, &owner).await? {
            last.add(&at.index_token, token::revoke_role(&Role::Admin, &owner));
        }
        if self.site.read(&at.rewards, &rewards::funded()).await? < funds {
            last.add(&at.rewards, rewards::fund(funds));
        }
        last.call().await.context("funding the rewards")
    }

    /// Each operator bonds with his own signature.
    async fn bond(&self, at: &IndexContracts, keys: &[NodeKeys]) -> Result<()> {
        let (amount, chain) = (self.args.bond, &self.site.chain);
        let stakes = self.stakes(at).await?;
        let one = |(seat, keys): (usize, &NodeKeys)| {
            let operator = signer_from_seed(keys.operator_seed());
            async move {
                let operator = operator?;
                let approve = token::approve(&at.validators, amount);
                chain.call(&at.tao, &approve, &operator).await?;
                let bond = validators::bond(amount);
                let bonded = chain.call(&at.validators, &bond, &operator).await;
                bonded.with_context(|| format!("bonding the stake of seat {seat}"))
            }
        };
        let unbonded = keys.iter().enumerate().filter(|(seat, _)| !is_bonded(&stakes, *seat));
        let done = each(unbonded.map(one)).await?;
        say(format!("{} operators bonded {} TAO each", done.len(), amount / TAO));
        Ok(())
    }

    async fn check_stakes(&self, at: &IndexContracts) -> Result<()> {
        let stakes = self.stakes(at).await?;
        let without = stakes.iter().filter(|stake| **stake < self.args.minimum).count();
        ensure!(without == 0, "{without} seats have no stake that counts");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: IndexArgs,
    }

    #[test]
    fn the_options_become_terms() {
        let args = |line: &[&str]| {
            Line::try_parse_from(["x"].iter().chain(line)).unwrap_or_else(|e| panic!("{e}")).args
        };
        let terms = args(&[]);
        assert_eq!((terms.minimum, terms.bond), (1_000 * TAO, 2_000 * TAO));
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let named = args(&["--treasury", alice]).treasury("//Alice").unwrap();
        assert_eq!(named.to_string(), alice);
        let real = args(&[]).treasury("old orchard");
        assert!(real.unwrap_err().to_string().contains("--treasury"));
    }
}

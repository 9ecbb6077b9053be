//! The compute market's contracts: token, reputation, capabilities, escrow, auction.

use crate::found::{all_there, keep, stays};
use crate::{say, Addresses, Maker};
use anyhow::{ensure, Context, Result};
use cicada_chain::{account_of, address, signer, Bundle, Chain, Signer};
use cicada_contracts::types::Role;
use cicada_contracts::{auction, capabilities, escrow, reputation, token, validators};
use cicada_core::escrow::{Limits, Range};
use cicada_core::market::Parameters;
use cicada_core::quote::MMC_DECIMALS;
use cicada_core::Account;
use cicada_market::MarketFile;
use cicada_network::Network;
use std::path::PathBuf;

/// What the escrow contract permits: a review of a minute to a month, a dispute of ten minutes to a
/// month, a second to a year for each part.
pub const LIMITS: Limits = Limits {
    review: Range { least_ms: MINUTE_MS, most_ms: 30 * DAY_MS },
    dispute: Range { least_ms: 10 * MINUTE_MS, most_ms: 30 * DAY_MS },
    completion: Range { least_ms: 1_000, most_ms: 366 * DAY_MS },
};
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
/// Seats of a committee, where none is deployed yet.
const SEATS: u8 = cicada_core::quorum::COMMITTEE;

/// What to deploy, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Address of a node.
    pub url: String,
    /// Folder of the built contracts.
    pub bundles: PathBuf,
    /// The market file to write.
    pub out: PathBuf,
    /// Secret of the account that deploys and owns.
    pub suri: String,
    /// Whether new contracts are made although the market file names some.
    pub anew: bool,
    /// A network file of `deploy-paxos`, whose token and committee are used.
    pub network: Option<PathBuf>,
    /// The file of addresses for frontends, and the network's name in it.
    pub addresses: Option<(PathBuf, String)>,
    /// The market's parameters.
    pub parameters: Parameters,
    /// The length of an epoch of reputation in ms, and its decay in basis points.
    pub decay: (u64, u16),
}

struct Bundles {
    token: Bundle,
    validators: Bundle,
    capabilities: Bundle,
    reputation: Bundle,
    escrow: Bundle,
    auction: Bundle,
}

/// Deploys, unless the market of the file is there already.
///
/// # Errors
/// In words.
pub async fn deploy(plan: &Plan) -> Result<MarketFile> {
    let load = |name: &str| Bundle::find(&plan.bundles, name);
    let bundles = Bundles {
        token: load("token")?,
        validators: load("validators")?,
        capabilities: load("capabilities")?,
        reputation: load("reputation")?,
        escrow: load("escrow")?,
        auction: load("auction")?,
    };
    let chain = Chain::connect(&plan.url).await?;
    let base = base(plan, &chain)?;
    let file = match existing(plan, &chain, &bundles, base).await? {
        Some(file) => {
            let auction = address(&file.auction);
            say(format!("already deployed: market {auction} ({})", plan.out.display()));
            file
        }
        None => {
            let file = contracts(plan, &chain, &bundles, base).await?;
            keep(&plan.out)?;
            file.save(&plan.out)?;
            say(format!("wrote {}", plan.out.display()));
            file
        }
    };
    write_addresses(plan, &bundles, &file)?;
    Ok(file)
}

/// Token and committee of a network file, if there is one for this chain.
fn base(plan: &Plan, chain: &Chain) -> Result<Option<(Account, Account)>> {
    let Some(path) = plan.network.as_ref().filter(|path| path.exists()) else {
        return Ok(None);
    };
    let network = Network::load(path)?;
    ensure!(
        network.chain.genesis == chain.genesis(),
        "{} is of another chain: leave --network out, or run deploy-paxos first",
        path.display()
    );
    Ok(Some((network.chain.token, network.chain.validators)))
}

/// The market of the file, if its contracts are there; none if there is no file, or the chain was
/// reset.
async fn existing(
    plan: &Plan,
    chain: &Chain,
    bundles: &Bundles,
    base: Option<(Account, Account)>,
) -> Result<Option<MarketFile>> {
    if plan.anew || !plan.out.exists() {
        return Ok(None);
    }
    let file = MarketFile::load(&plan.out)?;
    match answers(plan, chain, bundles, &file, base).await {
        Ok(true) => Ok(Some(file)),
        Ok(false) => {
            let path = plan.out.display();
            say(format!("the contracts of {path} are gone: the chain was reset"));
            Ok(None)
        }
        Err(error) => Err(stays(&plan.out, &error)),
    }
}

async fn answers(
    plan: &Plan,
    chain: &Chain,
    bundles: &Bundles,
    file: &MarketFile,
    base: Option<(Account, Account)>,
) -> Result<bool> {
    if !all_there(chain, &file.genesis, &bundles.of(file)).await? {
        return Ok(false);
    }
    let same = base.is_none_or(|base| base == (file.token, file.validators));
    ensure!(same, "the network file names another token or committee");
    let info = chain.read(&file.auction, &auction::market()).await?;
    let wired = [info.token, info.escrow, info.reputation, info.capabilities];
    let named = [file.token, file.escrow, file.reputation, file.capabilities];
    ensure!(wired == named, "its contracts are others");
    ensure!(info.parameters == plan.parameters, "its parameters are others");
    ensure!(info.limits == LIMITS, "the limits of its escrow contract are others");
    let writer = reputation::is_writer(&file.auction);
    let writer = chain.read(&file.reputation, &writer).await?;
    ensure!(writer, "the market may not write reputation");
    Ok(true)
}

impl Bundles {
    fn of<'a>(&'a self, file: &'a MarketFile) -> [(&'a Account, &'a Bundle); 6] {
        [
            (&file.token, &self.token),
            (&file.validators, &self.validators),
            (&file.capabilities, &self.capabilities),
            (&file.reputation, &self.reputation),
            (&file.escrow, &self.escrow),
            (&file.auction, &self.auction),
        ]
    }
}

/// Makes the contracts and lets the auction write reputation.
async fn contracts(
    plan: &Plan,
    chain: &Chain,
    bundles: &Bundles,
    base: Option<(Account, Account)>,
) -> Result<MarketFile> {
    let owner = signer(&plan.suri)?;
    let genesis = chain.genesis();
    let maker = Maker::new(chain, &owner)?;
    let (token, validators) = match base {
        Some(base) => base,
        None => {
            let token = token::new("Metameme Coin", "MMC", MMC_DECIMALS, 0);
            let token = maker.make(&bundles.token, &token).await?.account;
            let validators = validators::new(&genesis, SEATS);
            (token, maker.make(&bundles.validators, &validators).await?.account)
        }
    };
    let (epoch_ms, decay_bps) = plan.decay;
    let reputation = reputation::new(epoch_ms, decay_bps);
    let reputation = maker.make(&bundles.reputation, &reputation).await?.account;
    let capabilities = capabilities::new(&validators);
    let capabilities = maker.make(&bundles.capabilities, &capabilities).await?.account;
    let escrow = maker.make(&bundles.escrow, &escrow::new(&genesis, &LIMITS)).await?.account;
    let auction = auction::new(&token, &escrow, &reputation, &capabilities, &plan.parameters);
    let auction = maker.make(&bundles.auction, &auction).await?.account;
    chain.call(&reputation, &reputation::set_writer(&auction, true), &owner).await?;
    make_minter(chain, &token, &owner).await?;
    let url = plan.url.clone();
    Ok(MarketFile { url, genesis, validators, token, capabilities, reputation, escrow, auction })
}

/// On a development chain somebody must be able to make money: who deploys.
pub(crate) async fn make_minter(chain: &Chain, token: &Account, owner: &Signer) -> Result<()> {
    let account = account_of(owner);
    if chain.read(token, &token::has_role(&Role::Minter, &account)).await? {
        return Ok(());
    }
    let granted = chain.call(token, &token::grant_role(&Role::Minter, &account), owner).await;
    granted.context("making the deployer a minter of MMC")?;
    say(format!("{} may mint MMC", address(&account)));
    Ok(())
}

fn write_addresses(plan: &Plan, bundles: &Bundles, file: &MarketFile) -> Result<()> {
    let Some((path, name)) = &plan.addresses else {
        return Ok(());
    };
    let mut addresses = Addresses::new(name, &plan.url, &file.genesis);
    for (account, bundle) in bundles.of(file) {
        addresses.add(bundle, account, None);
    }
    addresses.publish(path)
}

//! The compute market's contracts: token, reputation, capabilities, escrow, auction.

use crate::committee::TOKEN;
use crate::{say, Site, SiteArgs};
use anyhow::{ensure, Context, Result};
use cicada_chain::account_of;
use cicada_contracts::types::Role;
use cicada_contracts::{auction, capabilities, escrow, reputation, token, validators};
use cicada_core::escrow::{Limits, Range};
use cicada_core::market::limits::{MAX_SLACK_MS, MIN_HAND_BACK_MS, MIN_SLACK_MS};
use cicada_core::market::Parameters;
use cicada_core::quote::MMC_DECIMALS;
use cicada_core::Account;
use cicada_network::{ContractName, Part};
use clap::Args;

/// What the escrow contract permits: a review of a minute to a month, a dispute of ten minutes to a
/// month, a second to a year for each part.
const LIMITS: Limits = Limits {
    review: Range { least_ms: MINUTE_MS, most_ms: 30 * DAY_MS },
    dispute: Range { least_ms: 10 * MINUTE_MS, most_ms: 30 * DAY_MS },
    completion: Range { least_ms: 1_000, most_ms: 366 * DAY_MS },
};
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
/// Seats of a committee, where none is deployed yet.
const SEATS: u8 = cicada_core::quorum::COMMITTEE;

/// What a market has of its own, beside token and committee.
const OWN: &[ContractName] = &[
    ContractName::Reputation,
    ContractName::Capabilities,
    ContractName::Escrow,
    ContractName::Auction,
];
const BASE: &[ContractName] = &[ContractName::Token, ContractName::Validators];

/// Puts the contracts of the compute market on a chain (reputation, capabilities, escrow and auction),
/// lets the auction write reputation, makes the deployer a minter of MMC, and writes the contracts into
/// the network file, which cicada71 and cicada71-provider read.
///
/// Token and committee of the network file serve the market too. If there are none, the market gets its
/// own, and a committee without members.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  deploy market
  deploy market --url ws://127.0.0.1:9955 --network /tmp/m/network.toml
  deploy market --priority-ms 5000 --addresses frontend-abi/addresses/local.json")]
pub struct MarketArgs {
    /// How long accepts only wait in line, by reputation, in ms; 0: the first one gets the job.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
    priority_ms: u64,
    /// Points of reputation that a missed service level costs.
    #[arg(long, default_value_t = 5)]
    violation_points: u32,
    /// A job started in less than this earns 2 points, in ms.
    #[arg(long, default_value_t = 60_000)]
    fast_response_ms: u64,
    /// What hand-over, response and execution get beside their own times, in ms: at least four blocks.
    #[arg(long, default_value_t = 24_000, value_parser = clap::value_parser!(u64).range(MIN_SLACK_MS..=MAX_SLACK_MS))]
    slack_ms: u64,
    /// How long after the hand-over a job may be handed back without a mark, in ms.
    #[arg(long, default_value_t = 120_000, value_parser = clap::value_parser!(u64).range(MIN_HAND_BACK_MS..=MAX_SLACK_MS))]
    hand_back_ms: u64,
    /// The length of an epoch of reputation, in ms.
    #[arg(long, default_value_t = 86_400_000)]
    decay_epoch_ms: u64,
    /// How much of its distance to the start a score loses in an epoch, in basis points.
    #[arg(long, default_value_t = 100)]
    decay_bps: u16,
}

impl MarketArgs {
    fn parameters(&self) -> Parameters {
        Parameters {
            priority_ms: self.priority_ms,
            violation_points: self.violation_points,
            fast_response_ms: self.fast_response_ms,
            slack_ms: self.slack_ms,
            hand_back_ms: self.hand_back_ms,
        }
    }
}

/// `deploy market`.
///
/// # Errors
/// If something cannot be had, or what is there is not as it should be.
pub async fn run(site: &SiteArgs, args: &MarketArgs) -> Result<()> {
    let mut site = Site::open(site).await?;
    let has_committee = site.file.has_committee();
    if has_committee {
        site.stand_on(BASE).await?;
        site.clear(OWN, &[]).await?;
    } else if site.clear(&[BASE, OWN].concat(), &[]).await? {
        site.begin_anew();
    }
    let complete = OWN.iter().all(|name| site.file.contracts.get(*name).is_some());
    if complete && !site.file.unfinished.contains(&Part::Market) {
        site.checked("the market", answers(&site, args).await)?;
        site.already(format!("market {}", site.file.need(ContractName::Auction)?));
    } else {
        site.file.unfinished.insert(Part::Market);
        contracts(&mut site, args).await?;
        site.checked("the market", answers(&site, args).await)?;
        site.file.unfinished.remove(&Part::Market);
        site.save()?;
    }
    site.export().await
}

/// Whether the contracts know each other, and the market keeps to what is wanted.
async fn answers(site: &Site, args: &MarketArgs) -> Result<()> {
    use ContractName::{Capabilities, Escrow, Reputation, Token};
    let file = &site.file;
    let auction = file.need(ContractName::Auction)?;
    let info = site.read(&auction, &auction::market()).await?;
    let wired = [info.token, info.escrow, info.reputation, info.capabilities];
    let named = [Token, Escrow, Reputation, Capabilities].map(|name| file.need(name));
    let named: Vec<Account> = named.into_iter().collect::<Result<_, _>>()?;
    ensure!(wired == *named, "the contracts of its market are others");
    ensure!(info.parameters == args.parameters(), "the parameters of its market are others");
    ensure!(info.limits == LIMITS, "the limits of its escrow contract are others");
    let is_writer = site.may_write(&info.reputation, &auction).await?;
    ensure!(is_writer, "the market may not write reputation");
    Ok(())
}

/// Makes what is missing of the contracts and lets the auction write reputation.
async fn contracts(site: &mut Site, args: &MarketArgs) -> Result<()> {
    let genesis = site.chain.genesis();
    let token = token::new(TOKEN.0, TOKEN.1, MMC_DECIMALS, 0);
    let token = site.make(ContractName::Token, &token).await?;
    let validators = validators::new(&genesis, SEATS);
    let validators = site.make(ContractName::Validators, &validators).await?;
    let reputation = reputation::new(args.decay_epoch_ms, args.decay_bps);
    let reputation = site.make(ContractName::Reputation, &reputation).await?;
    let capabilities = capabilities::new(&validators);
    let capabilities = site.make(ContractName::Capabilities, &capabilities).await?;
    let escrow = escrow::new(&genesis, &LIMITS);
    let escrow = site.make(ContractName::Escrow, &escrow).await?;
    let new = auction::new(&token, &escrow, &reputation, &capabilities, &args.parameters());
    let auction = site.make(ContractName::Auction, &new).await?;
    if !site.may_write(&reputation, &auction).await? {
        let permit = reputation::set_writer(&auction, true);
        site.chain.call(&reputation, &permit, &site.owner).await?;
    }
    make_minter(site, &token).await
}

/// On a development chain somebody must be able to make money: who deploys.
pub(crate) async fn make_minter(site: &Site, token: &Account) -> Result<()> {
    let account = account_of(&site.owner);
    if site.has_role(token, &Role::Minter, &account).await? {
        return Ok(());
    }
    let grant = token::grant_role(&Role::Minter, &account);
    let granted = site.chain.call(token, &grant, &site.owner).await;
    granted.context("making the deployer a minter of MMC")?;
    say(format!("{account} may mint MMC"));
    Ok(())
}

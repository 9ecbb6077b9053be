//! The committee: MMC, the contract of the validators, the leaderboard, the nodes' keys and seats.

use crate::found::differs;
use crate::steps::each;
use crate::{say, Site, SiteArgs};
use anyhow::{anyhow, ensure, Context, Result};
use cicada_chain::{account_of, signer_from_seed, Call};
use cicada_contracts::{leaderboard, token, validators};
use cicada_core::quote::MMC_DECIMALS;
use cicada_network::{
    ContractName, Distances, FaultModelName, Network, NodeEntry, NodeKeys, Rules,
};
use clap::Args;
use std::path::{Path, PathBuf};

pub(crate) const TOKEN: (&str, &str) = ("Metameme Coin", "MMC");
const CONTRACTS: [ContractName; 3] =
    [ContractName::Token, ContractName::Validators, ContractName::Leaderboard];

/// Prepares a chain for a network of Paxos nodes: makes their keys, funds their accounts,
/// deploys token, validators and leaderboard, registers every node with a proof that it holds
/// its keys, forms the committee, and writes all of it into the network file.
///
/// With --replace, or on a chain that was reset, the network file begins anew: its other contracts were
/// those of the old committee. The old file is kept under another name.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  deploy committee
  deploy committee --url ws://127.0.0.1:9955 --network /tmp/n/network.toml --keys /tmp/n/keys --base-port 7200
  deploy committee --fault-model crash
  deploy committee --addresses frontend-abi/addresses/local.json")]
pub struct CommitteeArgs {
    /// Folder of the nodes' key files, node-00.toml and so on; missing ones are made.
    #[arg(long, env = "CICADA_KEYS", default_value = ".demo/keys")]
    keys: PathBuf,
    /// Number of nodes.
    #[arg(long, default_value_t = cicada_core::quorum::COMMITTEE,
        value_parser = clap::value_parser!(u8).range(1..=32))]
    nodes: u8,
    /// Node i listens on this port + i, on loopback.
    #[arg(long, default_value_t = 7100)]
    base_port: u16,
    /// What the consensus withstands: byzantine (7 of 23 nodes may lie) or crash (11 of 23 may
    /// stop, none may lie).
    #[arg(long, env = "CICADA_FAULT_MODEL", default_value = "byzantine")]
    fault_model: FaultModelName,
    /// The least time between two reports of a feed, in ms, such as leaderboard=500,basket=1000; all=0
    /// for every feed [default: leaderboard 10000, nav 10000, basket 300000, rewards 60000]. It stands
    /// in the network file, and all nodes must have the same.
    #[arg(long, env = "CICADA_DISTANCES", default_value = "", hide_default_value = true,
        value_parser = distances)]
    distances: Distances,
    /// How long each seat waits for the one before it with a NAV, a basket or an award, in ms; 0: not at
    /// all. As the distances.
    #[arg(long, env = "CICADA_TURN_DELAY_MS", default_value_t = Rules::default().turn_delay_ms)]
    turn_delay_ms: u64,
    /// How long all others wait for the first of them besides, in ms: until a block is final.
    #[arg(long, env = "CICADA_DUE_AFTER_MS", default_value_t = Rules::default().due_after_ms)]
    due_after_ms: u64,
    /// How long after the last a leaderboard comes that says the same, in ms; 0: as any other.
    #[arg(long, env = "CICADA_SAME_MS", default_value_t = Rules::default().same_ms)]
    same_ms: u64,
    /// What an operator's account is filled up to, in base units of the chain's currency.
    #[arg(long, default_value_t = 100_000_000_000_000)]
    funds: u128,
}

fn distances(text: &str) -> Result<Distances, String> {
    match text {
        "" => Ok(Distances::default()),
        text => text.parse(),
    }
}

impl CommitteeArgs {
    /// What the nodes of the network keep to.
    fn rules(&self) -> Rules {
        Rules {
            turn_delay_ms: self.turn_delay_ms,
            due_after_ms: self.due_after_ms,
            same_ms: self.same_ms,
            distance_ms: self.distances,
            ..Rules::default()
        }
    }
}

/// `deploy committee`.
///
/// # Errors
/// If something cannot be had, or what is there is not as it should be.
pub async fn run(site: &SiteArgs, args: &CommitteeArgs) -> Result<()> {
    args.rules().check(args.nodes.into()).map_err(anyhow::Error::msg)?;
    let mut site = Site::open(site).await?;
    if site.clear(&CONTRACTS, &[]).await? {
        site.begin_anew();
    }
    if site.file.has_committee() {
        already(&site, args).await?;
        return site.export().await;
    }
    let keys = node_keys(&args.keys, args.nodes)?;
    fund(&site, args, &keys).await?;
    let network = contracts(&mut site, args, &keys).await?;
    register(&site, &network, &keys).await?;
    form_committee(&site, &network).await?;
    site.file.seat(&network);
    site.save()?;
    site.export().await
}

/// Checks a network that is there.
async fn already(site: &Site, args: &CommitteeArgs) -> Result<()> {
    let network = site.file.network()?;
    site.checked("the committee", answers(site, &network).await)?;
    let found = (network.nodes.len(), network.fault_model);
    ensure!(
        found == (usize::from(args.nodes), args.fault_model),
        "{} is a network of {} nodes in {} mode, not of {} in {} mode: choose another file with --network, or deploy anew with --replace",
        site.file.path().display(), found.0, found.1, args.nodes, args.fault_model
    );
    let (epoch, board) = (network.epoch, network.leaderboard());
    site.already(format!("{} nodes, epoch {epoch}, leaderboard {board}", found.0));
    Ok(())
}

/// Reads from every contract of a network, and compares the committee.
async fn answers(site: &Site, network: &Network) -> Result<()> {
    let symbol = site.read(&network.token(), &token::token_symbol()).await?;
    ensure!(symbol.as_deref() == Some(TOKEN.1), "the token is not MMC");
    site.read(&network.leaderboard(), &leaderboard::latest()).await?;
    check_committee(site, network).await
}

/// Compares the chain's committee with the file's: epoch and digest over all keys.
async fn check_committee(site: &Site, network: &Network) -> Result<()> {
    let validators = &network.validators();
    let epoch = site.read(validators, &validators::epoch()).await?;
    ensure!(
        epoch == network.epoch,
        "the committee of epoch {epoch} is in office, not that of epoch {}",
        network.epoch
    );
    let digest = site.read(validators, &validators::config_digest()).await?;
    let computed = network.config_digest();
    ensure!(
        digest == computed,
        "the chain's config digest is {digest}, the computed one {computed}: the contract and this program differ, build both from one checkout"
    );
    Ok(())
}

/// The key file of a seat.
pub(crate) fn key_path(folder: &Path, seat: usize) -> PathBuf {
    folder.join(format!("node-{seat:02}.toml"))
}

/// Loads the key files, and makes those that are missing.
fn node_keys(folder: &Path, nodes: u8) -> Result<Vec<NodeKeys>> {
    let mut made = 0;
    let mut keys = Vec::new();
    for seat in 0..nodes {
        let path = key_path(folder, seat.into());
        keys.push(if path.exists() {
            NodeKeys::load(&path)?
        } else {
            made += 1;
            NodeKeys::generate(&path)?
        });
    }
    say(format!("{nodes} key files in {}, {made} of them new", folder.display()));
    Ok(keys)
}

/// Fills up the operators' accounts: they pay for their registration.
async fn fund(site: &Site, args: &CommitteeArgs, keys: &[NodeKeys]) -> Result<()> {
    let mut transfers = Vec::new();
    for keys in keys {
        let operator = keys.operator();
        let missing = args.funds.saturating_sub(site.chain.balance(&operator).await?);
        // What registering has cost so far is not worth a transfer.
        if missing > args.funds / 2 {
            transfers.push(Call::transfer(&operator, missing));
        }
    }
    let count = transfers.len();
    for receipt in site.chain.send_all(&transfers, &site.owner).await? {
        receipt.context("funding the operators from the account of --suri")?;
    }
    say(format!("funded {count} operators"));
    Ok(())
}

/// Makes what is missing of the three contracts.
async fn contracts(site: &mut Site, args: &CommitteeArgs, keys: &[NodeKeys]) -> Result<Network> {
    let genesis = site.chain.genesis();
    let token = token::new(TOKEN.0, TOKEN.1, MMC_DECIMALS, 0);
    site.make(ContractName::Token, &token).await?;
    let validators = validators::new(&genesis, args.nodes);
    let validators = site.make(ContractName::Validators, &validators).await?;
    let seats = site.read(&validators, &validators::seats()).await?;
    if seats != args.nodes {
        let why = anyhow!("its contract of validators has {seats} seats, not {}", args.nodes);
        return Err(differs(site.file.path(), &why));
    }
    site.make(ContractName::Leaderboard, &leaderboard::new(&validators)).await?;
    Ok(Network {
        epoch: 1,
        fault_model: args.fault_model,
        chain: site.file.chain.clone(),
        contracts: site.file.contracts.clone(),
        rules: args.rules(),
        nodes: node_entries(args.base_port, keys)?,
    })
}

fn node_entries(base_port: u16, keys: &[NodeKeys]) -> Result<Vec<NodeEntry>> {
    let entry = |(seat, keys): (usize, &NodeKeys)| {
        let port = u16::try_from(seat)
            .ok()
            .and_then(|seat| base_port.checked_add(seat))
            .context("--base-port leaves no room for all nodes")?;
        Ok(NodeEntry::new(format!("http://127.0.0.1:{port}"), keys))
    };
    keys.iter().enumerate().map(entry).collect()
}

/// Each operator registers its own keys, with the proof that it holds them, unless it has done so.
async fn register(site: &Site, network: &Network, keys: &[NodeKeys]) -> Result<()> {
    let (domain, contract) = (network.domain(), network.validators());
    let one = |(seat, keys): (usize, &NodeKeys)| {
        let possession = keys.prove_possession(&domain);
        let (consensus, attestation) = (keys.consensus_key(), keys.attestation_key());
        let own = validators::register(&consensus, &attestation, &possession);
        let (known, operator) = (validators::keys_of(&keys.operator()), keys.operator_seed());
        let operator = signer_from_seed(operator);
        async move {
            if site.read(&contract, &known).await? == Some((consensus, attestation)) {
                return Ok(None);
            }
            let registered = site.chain.call(&contract, &own, &operator?).await;
            registered.map(Some).with_context(|| format!("registering node {seat}"))
        }
    };
    let done = each(keys.iter().enumerate().map(one)).await?;
    let fee = done.iter().flatten().map(|outcome| outcome.fee).max().unwrap_or(0);
    say(format!(
        "registered {} nodes, each by its own operator, for a fee of at most {fee}",
        done.iter().flatten().count()
    ));
    Ok(())
}

/// Forms the committee, unless that is done.
async fn form_committee(site: &Site, network: &Network) -> Result<()> {
    let contract = network.validators();
    if site.read(&contract, &validators::epoch()).await? == 0 {
        let operators: Vec<_> = network.nodes.iter().map(|node| node.operator).collect();
        let formed = validators::form_committee(&operators);
        let formed = site.chain.call(&contract, &formed, &site.owner).await;
        formed.with_context(|| format!("as {}", account_of(&site.owner)))?;
    }
    site.checked("the committee", check_committee(site, network).await)?;
    say(format!(
        "committee of epoch {}: {} nodes, {} sign a certificate, config digest {}",
        network.epoch,
        network.nodes.len(),
        network.attestation_quorum().size(),
        network.config_digest()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::os::unix::fs::PermissionsExt;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: CommitteeArgs,
    }

    #[test]
    fn the_options_become_rules() {
        let args = |line: &[&str]| {
            Line::try_parse_from(["x"].iter().chain(line)).unwrap_or_else(|e| panic!("{e}")).args
        };
        let bare = args(&[]);
        assert_eq!((bare.nodes, bare.base_port), (23, 7100));
        assert_eq!(bare.fault_model, FaultModelName::Byzantine);
        assert_eq!(bare.rules(), Rules::default());
        let faster = ["--turn-delay-ms", "7", "--due-after-ms", "8", "--same-ms", "9"];
        let (turn_delay_ms, due_after_ms, same_ms) = (7, 8, 9);
        let expected = Rules { turn_delay_ms, due_after_ms, same_ms, ..Rules::default() };
        assert_eq!(args(&faster).rules(), expected);
        assert_eq!(args(&["--fault-model", "crash"]).fault_model, FaultModelName::Crash);
    }

    #[test]
    fn key_files_are_made_once_and_only_their_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let first = node_keys(folder.path(), 2).unwrap();
        let again = node_keys(folder.path(), 3).unwrap();
        assert_eq!(again[1].member(), first[1].member());
        assert_ne!(again[2].member(), first[1].member());
        let mode = std::fs::metadata(key_path(folder.path(), 0)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn nodes_listen_on_consecutive_ports() {
        let folder = tempfile::tempdir().unwrap();
        let keys = node_keys(folder.path(), 2).unwrap();
        let entries = node_entries(7100, &keys).unwrap();
        assert_eq!(entries[1].url, "http://127.0.0.1:7101");
        assert!(node_entries(u16::MAX, &keys).is_err());
    }
}

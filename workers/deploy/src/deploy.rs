//! The steps of a deployment.

use crate::Options;
use anyhow::{bail, ensure, Context, Result};
use cicada_chain::{account_of, address, signer, signer_from_seed, Bundle, Call, Chain, Signer};
use cicada_contracts::{leaderboard, token, validators};
use cicada_core::quote::MMC_DECIMALS;
use cicada_deploy::found::{all_there, keep as keep_old, stays};
use cicada_deploy::{say, Addresses, Maker};
use cicada_network::{ChainSection, Network, NodeEntry, NodeKeys};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::path::{Path, PathBuf};

const TOKEN: (&str, &str) = ("Metameme Coin", "MMC");
/// How many operators register at a time.
const REGISTRATIONS: usize = 8;

struct Bundles {
    token: Bundle,
    validators: Bundle,
    leaderboard: Bundle,
}

/// Deploys, unless the network is there already.
pub async fn run(options: &Options) -> Result<()> {
    let load = |name: &str| Bundle::find(&options.bundles, name);
    let bundles = Bundles {
        token: load("token")?,
        validators: load("validators")?,
        leaderboard: load("leaderboard")?,
    };
    let chain = Chain::connect(&options.url).await?;
    say(format!(
        "chain {} at {}, genesis 0x{}",
        chain.name().await?,
        options.url,
        hex::encode(chain.genesis())
    ));
    if let Some(network) = existing(options, &chain, &bundles).await? {
        return keep(options, &bundles, &network);
    }
    let keys = node_keys(&options.keys, options.nodes)?;
    let owner = signer(&options.suri)?;
    fund(options, &chain, &owner, &keys).await?;
    let (network, addresses) = contracts(options, &chain, &bundles, &owner, &keys).await?;
    register(&chain, &network, &keys).await?;
    form_committee(&chain, &owner, &network).await?;
    keep_old(&options.out)?;
    network.save(&options.out)?;
    say(format!("wrote {}", options.out.display()));
    match &options.addresses {
        Some(path) => addresses.publish(path),
        None => Ok(()),
    }
}

/// The network of the file, if its contracts are there; none if there is no file, or the chain was
/// reset.
async fn existing(options: &Options, chain: &Chain, bundles: &Bundles) -> Result<Option<Network>> {
    let path = options.out.display();
    if options.anew || !options.out.exists() {
        return Ok(None);
    }
    let network = Network::load(&options.out)?;
    match answers(chain, bundles, &network).await {
        Ok(true) => {}
        Ok(false) => {
            say(format!("the contracts of {path} are gone: the chain was reset"));
            return Ok(None);
        }
        Err(error) => return Err(stays(&options.out, &error)),
    }
    let found = (network.nodes.len(), network.fault_model);
    if found != (usize::from(options.nodes), options.fault_model) {
        bail!(
            "{path} is a network of {} nodes in {} mode, not of {} in {} mode: choose another file with --out, or remove this one to deploy anew",
            found.0, found.1, options.nodes, options.fault_model
        );
    }
    Ok(Some(network))
}

/// Whether the contracts of a network are there. If so, every one is compared with its bundle and
/// read from, and the committee is compared.
async fn answers(chain: &Chain, bundles: &Bundles, network: &Network) -> Result<bool> {
    let at = &network.chain;
    let contracts = [
        (&at.token, &bundles.token),
        (&at.validators, &bundles.validators),
        (&at.leaderboard, &bundles.leaderboard),
    ];
    if !all_there(chain, &at.genesis, &contracts).await? {
        return Ok(false);
    }
    let symbol = chain.read(&at.token, &token::token_symbol()).await?;
    ensure!(symbol.as_deref() == Some(TOKEN.1), "the token is not MMC");
    chain.read(&at.leaderboard, &leaderboard::latest()).await?;
    check_committee(chain, network).await?;
    Ok(true)
}

/// Compares the chain's committee with the file's: epoch and digest over all keys.
async fn check_committee(chain: &Chain, network: &Network) -> Result<()> {
    let validators = &network.chain.validators;
    let epoch = chain.read(validators, &validators::epoch()).await?;
    ensure!(
        epoch == network.epoch,
        "the committee of epoch {epoch} is in office, not that of epoch {}",
        network.epoch
    );
    let digest = chain.read(validators, &validators::config_digest()).await?;
    let computed = network.config_digest();
    ensure!(
        digest == computed,
        "the chain's config digest is 0x{}, the computed one 0x{}: the contract and this program differ, build both from one checkout",
        hex::encode(digest),
        hex::encode(computed)
    );
    Ok(())
}

fn keep(options: &Options, bundles: &Bundles, network: &Network) -> Result<()> {
    say(format!(
        "already deployed: {} nodes, epoch {}, leaderboard {} ({})",
        network.nodes.len(),
        network.epoch,
        address(&network.chain.leaderboard),
        options.out.display()
    ));
    let Some(path) = &options.addresses else {
        return Ok(());
    };
    let mut addresses = Addresses::new(&options.name, &options.url, &network.chain.genesis);
    addresses.add(&bundles.token, &network.chain.token, None);
    addresses.add(&bundles.validators, &network.chain.validators, None);
    addresses.add(&bundles.leaderboard, &network.chain.leaderboard, None);
    addresses.publish(path)
}

/// The key file of a seat.
fn key_path(folder: &Path, seat: u8) -> PathBuf {
    folder.join(format!("node-{seat:02}.toml"))
}

/// Loads the key files, and makes those that are missing.
fn node_keys(folder: &Path, nodes: u8) -> Result<Vec<NodeKeys>> {
    let mut made = 0;
    let mut keys = Vec::new();
    for seat in 0..nodes {
        let path = key_path(folder, seat);
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
async fn fund(options: &Options, chain: &Chain, owner: &Signer, keys: &[NodeKeys]) -> Result<()> {
    let mut transfers = Vec::new();
    for keys in keys {
        let operator = keys.operator();
        let missing = options.funds.saturating_sub(chain.balance(&operator).await?);
        // What registering has cost so far is not worth a transfer.
        if missing > options.funds / 2 {
            transfers.push(Call::transfer(&operator, missing));
        }
    }
    let count = transfers.len();
    for receipt in chain.send_all(&transfers, owner).await? {
        receipt.context("funding the operators from the account of --suri")?;
    }
    say(format!("funded {count} operators"));
    Ok(())
}

/// Makes the three contracts.
async fn contracts(
    options: &Options,
    chain: &Chain,
    bundles: &Bundles,
    owner: &Signer,
    keys: &[NodeKeys],
) -> Result<(Network, Addresses)> {
    let genesis = chain.genesis();
    let maker = Maker::new(chain, owner)?;
    let token = token::new(TOKEN.0, TOKEN.1, MMC_DECIMALS, 0);
    let token = maker.make(&bundles.token, &token).await?;
    let validators = validators::new(&genesis, options.nodes);
    let validators = maker.make(&bundles.validators, &validators).await?;
    let leaderboard = leaderboard::new(&validators.account);
    let leaderboard = maker.make(&bundles.leaderboard, &leaderboard).await?;
    let mut addresses = Addresses::new(&options.name, &options.url, &genesis);
    for (bundle, made) in [
        (&bundles.token, &token),
        (&bundles.validators, &validators),
        (&bundles.leaderboard, &leaderboard),
    ] {
        addresses.add(bundle, &made.account, Some(made.block));
    }
    let chain = ChainSection {
        url: options.url.clone(),
        genesis,
        token: token.account,
        validators: validators.account,
        leaderboard: leaderboard.account,
        index: None,
        rewards: None,
        exchange: None,
    };
    let network = Network {
        epoch: 1,
        fault_model: options.fault_model,
        chain,
        rules: options.rules(),
        nodes: node_entries(options.base_port, keys)?,
    };
    Ok((network, addresses))
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

/// Each operator registers its own keys, with the proof that it holds them.
async fn register(chain: &Chain, network: &Network, keys: &[NodeKeys]) -> Result<()> {
    let domain = network.domain();
    let one = |(seat, keys): (usize, &NodeKeys)| {
        let possession = keys.prove_possession(&domain);
        let (consensus, attestation) = (keys.consensus_key(), keys.attestation_key());
        let own = validators::register(&consensus, &attestation, &possession);
        let operator = signer_from_seed(keys.operator_seed());
        async move {
            let registered = chain.call(&network.chain.validators, &own, &operator?).await;
            registered.with_context(|| format!("registering node {seat}"))
        }
    };
    let done = stream::iter(keys.iter().enumerate().map(one))
        .buffer_unordered(REGISTRATIONS)
        .try_collect::<Vec<_>>()
        .await?;
    let fee = done.iter().map(|outcome| outcome.fee).max().unwrap_or(0);
    say(format!(
        "registered {} nodes, each by its own operator, for a fee of at most {fee}",
        done.len()
    ));
    Ok(())
}

async fn form_committee(chain: &Chain, owner: &Signer, network: &Network) -> Result<()> {
    let operators: Vec<_> = network.nodes.iter().map(|node| node.operator).collect();
    let formed = validators::form_committee(&operators);
    let formed = chain.call(&network.chain.validators, &formed, owner).await;
    let outcome = formed.with_context(|| format!("as {}", address(&account_of(owner))))?;
    check_committee(chain, network).await?;
    say(format!(
        "committee of epoch {} in block {}: {} nodes, {} sign a certificate, config digest 0x{}",
        network.epoch,
        outcome.block,
        network.nodes.len(),
        network.attestation_quorum().size(),
        hex::encode(network.config_digest())
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

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

//! How it begins: a new committee and a new index, the first basket, the market.

use crate::double::{serve, TwoFaced};
use crate::feed::{emissions, Feed};
use crate::front::{client, Honest};
use crate::miners::Miner;
use crate::misranked;
use crate::stage::Stage;
use crate::story::{
    Plan, Story, DOUBLE, LIAR, MINERS, MISRANKED, TOKEN, TWICE, TWICE_ATTESTED, UNIT_SCALE,
};
use anyhow::{bail, ensure, Context, Result};
use cicada_amounts::TAO;
use cicada_chain::{signer, Chain};
use cicada_contracts::pair;
use cicada_core::basket::agreed::Proposal as Basket;
use cicada_core::fixed::mul_div_floor;
use cicada_core::report::ReportKind;
use cicada_deploy::say;
use cicada_localnet::{Config, Owned, Part};
use cicada_network::{IndexContracts, NodeKeys};
use cicada_node_api::Client;
use cicada_program::{now_ms, termination};
use std::fs::File;
use std::io::Write;
use std::iter::repeat;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::block_in_place;

/// A day.
const DAY_MS: u64 = 86_400_000;
/// Says that a state folder is the demo's.
const MARK: &str = "index-demo.txt";
/// What a deployment calls its network file, and the demo does not.
const DEPLOYED: &str = "network.toml";
/// What is minted first, and what of it goes into the pool.
const FIRST_MINT: u128 = 5_000 * TOKEN;
const POOL: u128 = 2_000 * TOKEN;
/// What a miner begins with: TAO, and baskets for this many index tokens.
const MINER_TAO: u128 = 200 * TAO;
const MINER_BASKETS: u128 = 200 * TOKEN;

/// A new committee and a new index: stakes are whole, and epoch 1 begins now.
fn deployed(config: Config) -> Result<(Owned, File)> {
    // Before this process owns anything: what it owns it stops, also if it fails.
    let folder = own_folder(&config.state)?;
    let net = Owned::new(config);
    let broken_off = net.broken_off();
    tokio::spawn(async move {
        if termination().await.is_ok() {
            broken_off.store(true, Ordering::Relaxed);
        }
    });
    net.down(&[Part::Committee, Part::Validators, Part::Miners])?;
    let _ = std::fs::remove_file(net.network_file());
    let _ = std::fs::remove_dir_all(net.config.state.join("validators"));
    block_in_place(|| net.up(&[Part::Chain, Part::Committee, Part::Index]))?;
    Ok((net, folder))
}

/// Makes sure that the demo, which begins anew each time, takes nobody else's files away, and keeps a
/// second one out as long as the file is open.
fn own_folder(state: &Path) -> Result<File> {
    std::fs::create_dir_all(state)?;
    let (mark, deployed) = (state.join(MARK), state.join(DEPLOYED));
    let others = match mark.is_file() {
        true => deployed.symlink_metadata().is_ok().then_some(deployed),
        false => std::fs::read_dir(state)?.next().transpose()?.map(|entry| entry.path()),
    };
    if let Some(found) = others {
        bail!(
            "{} is not the demo's, which begins with an empty folder: give it one of its own (--state, CICADA_STATE)",
            found.display()
        );
    }
    let mut file = File::options().create(true).append(true).open(&mark)?;
    file.try_lock().with_context(|| format!("another demo runs in {}", state.display()))?;
    if file.metadata()?.len() == 0 {
        file.write_all(
            b"The demo of the index keeps its files here, and begins anew each time.\n",
        )?;
    }
    Ok(file)
}

fn netuids(at: &IndexContracts) -> Vec<u16> {
    at.subnets.iter().map(|subnet| subnet.netuid).collect()
}

impl Story {
    /// Deploys, starts nodes and validators, has the first basket certified, mints, fills the pool at a
    /// price 2 % above the NAV, equips the miners.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn begin(plan: Plan) -> Result<Self> {
        let (net, folder) = deployed(plan.net)?;
        let (network, at) = (net.network()?, net.deployment()?.index()?);
        ensure!(network.nodes.len() > TWICE_ATTESTED.into(), "too few seats for four liars");
        let feed = Feed::new(plan.seed, &netuids(&at), plan.recorded.as_deref())?;
        let chain = Chain::connect(net.config.url.as_str()).await?;
        let pair_fee = chain.read(&at.pair, &pair::fee_bps()).await?;
        let stage = Stage { chain, at, owner: signer(&plan.suri)? };
        let miners =
            (0..MINERS).map(|number| Miner::new(number, &net)).collect::<Result<Vec<_>>>()?;
        let mut story = Self {
            node: Client::new()?.node(&network.nodes[0].url),
            client: client()?,
            stake: 0,
            last_ms: 0,
            stage,
            network,
            net,
            miners,
            checks: Vec::new(),
            slots: Vec::new(),
            two_faced: String::new(),
            feed,
            pair_fee: pair_fee.into(),
            lying: false,
            caught: false,
            _folder: folder,
        };
        story.stake = story.stake_of(0).await?.bonded;
        story.start(plan.seed).await?;
        story.basket().await?;
        story.open_market().await?;
        Ok(story)
    }

    async fn start(&mut self, seed: u64) -> Result<()> {
        for liar in [false, true] {
            let _ = std::fs::remove_file(self.prices(liar));
        }
        self.publish()?;
        let emissions = emissions(seed, &netuids(&self.stage.at), now_ms() / DAY_MS);
        std::fs::write(&self.net.config.emissions, emissions)?;
        self.two_faced = serve(TwoFaced {
            honest: Honest::at(self.net.validator_url(DOUBLE))?,
            keys: NodeKeys::load(&self.net.key_file(DOUBLE))?,
            feed: self.stage.nav_feed(),
            config_digest: self.network.config_digest(),
            slot: TWICE,
            heard: AtomicBool::new(false),
        })
        .await?;
        let liars_prices = self.prices(true);
        self.net.config_mut().prices_of.insert(LIAR, liars_prices);
        let front = self.two_faced.clone();
        self.net.config_mut().front_of.insert(DOUBLE, front);
        let front = misranked::serve(misranked::Misranked {
            honest: Honest::at(self.net.validator_url(MISRANKED))?,
            keys: NodeKeys::load(&self.net.key_file(MISRANKED))?,
            feed: self.stage.rewards_feed(),
            config_digest: self.network.config_digest(),
        })
        .await?;
        self.net.config_mut().front_of.insert(MISRANKED, front);
        block_in_place(|| self.net.up(&[Part::Validators]))
    }

    /// The first basket: found by each validator, agreed on by the nodes, brought to the chain by one.
    async fn basket(&self) -> Result<()> {
        self.stage.freshen().await?;
        let late = "no basket is settled";
        // The others may not have found theirs yet.
        self.until(late, "/basket", repeat(0), async || {
            let (state, _) = self.stage.feeds().await?;
            Ok((state.slot > 0).then_some(()))
        })
        .await?;
        let done = self.node.decided::<Basket>(ReportKind::Basket, 1).await?;
        let agreed = done.context("the basket is not decided")?;
        let certificate = agreed.certificate.context("the basket has no certificate")?;
        let (count, signers) =
            (agreed.proposal.0.entries.len(), certificate.0.signers.count_ones());
        say(format!("basket of {count} tokens, certified by {signers} nodes, is settled"));
        Ok(())
    }

    /// The first mint, the pool at a price 2 % above the NAV, the miners.
    async fn open_market(&self) -> Result<()> {
        let (stage, owner) = (&self.stage, &self.stage.owner);
        stage.approve(owner).await?;
        stage.mint(FIRST_MINT, &vec![u128::MAX; stage.at.subnets.len()], owner).await?;
        let market = stage.market().await?;
        let nav = market.nav_e18(self.feed.prices())?;
        let tao = mul_div_floor(POOL, nav + nav / 50, UNIT_SCALE)
            .map_err(|error| anyhow::anyhow!("the pool: {error:?}"))?;
        stage.add_liquidity(POOL, tao).await?;
        let price = stage.market().await?.price_e18()?;
        say(format!(
            "minted {} index tokens; pool of {} of them at {:.6} TAO, NAV {:.6}",
            FIRST_MINT / TOKEN,
            POOL / TOKEN,
            price as f64 / 1e18,
            nav as f64 / 1e18
        ));
        for miner in &self.miners {
            miner.equip(stage, &self.net, MINER_TAO, MINER_BASKETS).await?;
        }
        say(format!("{} miners have TAO and subnet tokens", self.miners.len()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_takes_nobodys_files_away() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        let refused = || own_folder(state).unwrap_err().to_string();
        for name in [DEPLOYED, "prices.jsonl", "validators"] {
            std::fs::write(state.join(name), "").unwrap();
            let said = refused();
            assert!(said.contains(&format!("{name} is not the demo's")), "{said}");
            std::fs::remove_file(state.join(name)).unwrap();
        }
        let held = own_folder(state).unwrap();
        std::fs::create_dir(state.join("validators")).unwrap();
        assert!(refused().contains("another demo runs in"));
        drop(held);
        own_folder(state).unwrap();
        // Somebody deployed here since then, maybe to a disk that is not there now.
        std::os::unix::fs::symlink("/nowhere", state.join(DEPLOYED)).unwrap();
        assert!(refused().contains("network.toml is not the demo's"));
    }
}

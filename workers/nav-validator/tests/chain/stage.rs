//! An index on a chain with its rewards, and the processes of its validators.

use crate::nodes::{Committee, TwoFaced};
use cicada_amounts::TAO;
use cicada_contracts::types::RewardTerms;
use cicada_contracts::{index, rewards, token};
use cicada_core::basket::holdings::Holding;
use cicada_core::hash::Digest;
use cicada_core::nav::{nav_e18_floor, Position};
use cicada_core::report::ReportKind;
use cicada_network::{
    ChainSection, ContractName, Contracts, FaultModelName, Network, NodeEntry, Rules,
};
use cicada_program::now_ms;
use cicada_stage::{free_addresses, Service, PRICES, TOKEN};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

/// Seats of the committee.
pub const SEATS: u8 = 5;
/// The seat that signs two NAVs for one slot. It is no process.
pub const TWO_FACED: usize = 4;
/// The seat whose prices are 2 % too high.
pub const LIAR: usize = 3;

const EPOCH_MS: u64 = 20_000;
const EMISSION: u128 = 100 * TAO;
const BOND: u128 = 100 * TAO;
const UNBONDING_MS: u64 = 86_400_000;
const FUNDS: u128 = 10_000 * TAO;

/// Everything on the chain.
pub struct Stage {
    stage: cicada_stage::Stage,
    config_digest: Digest,
}

impl Deref for Stage {
    type Target = cicada_stage::Stage;

    fn deref(&self) -> &Self::Target {
        &self.stage
    }
}

impl Stage {
    /// Deploys and seats everything.
    pub async fn build() -> Self {
        let mut stage = cicada_stage::Stage::new(SEATS).await;
        stage.place_index().await;
        let terms = RewardTerms {
            start_ms: now_ms(),
            min_epoch_ms: EPOCH_MS,
            emission: EMISSION,
            bond: BOND,
            unbonding_ms: UNBONDING_MS,
        };
        let new = rewards::new(&stage.at("validators"), &stage.at("TAO"), &terms);
        stage.place("rewards", "rewards", &new).await;
        stage.approve("TAO", "rewards", &stage.alice).await;
        stage.call("rewards", &rewards::fund(FUNDS)).await;
        stage.call("rewards", &rewards::register()).await;
        stage.seat_index().await;
        stage.mint(10 * TOKEN).await;
        let config_digest = stage.config_digest().await;
        Self { stage, config_digest }
    }

    /// Who certifies.
    pub fn committee(&self) -> Committee {
        Committee { keys: self.keys.clone(), config_digest: self.config_digest }
    }

    /// The NAV at the honest prices.
    pub async fn exact_nav(&self) -> u128 {
        let held = self.read("index", &index::holdings()).await;
        let price = |held: &Holding| PRICES[usize::from(held.netuid) - 1];
        let position = |held: &Holding| Position { holding: held.amount, price_e18: price(held) };
        let positions: Vec<Position> = held.iter().map(position).collect();
        let supply = self.read("TAO20", &token::total_supply()).await;
        nav_e18_floor(&positions, supply).unwrap()
    }

    fn prices(&self, seat: usize) -> PathBuf {
        let path = self.folder.path().join(format!("prices-{seat}.jsonl"));
        let mut text = String::new();
        for (netuid, price) in (1..).zip(PRICES) {
            let price = if seat == LIAR { price * 102 / 100 } else { price };
            let time_ms = now_ms();
            text.push_str(&format!(
                "{{\"time_ms\":{time_ms},\"netuid\":{netuid},\"price_e18\":\"{price}\"}}\n"
            ));
        }
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The seat that signs two NAVs for `slot`.
    pub fn two_faced(&self, slot: u64) -> Arc<TwoFaced> {
        Arc::new(TwoFaced {
            committee: self.committee(),
            seat: u8::try_from(TWO_FACED).unwrap(),
            feed: self.index_feed(ReportKind::Nav),
            nav_e18: TOKEN,
            slot,
            asked: Default::default(),
            honest: Default::default(),
        })
    }

    /// Starts real consensus nodes, with the awards of their validators.
    pub fn real_nodes(&self, program: &str) -> Vec<Service> {
        let folder = self.folder.path();
        let urls = free_addresses(SEATS);
        let entry = |(url, keys)| NodeEntry::new(format!("http://{url}"), keys);
        let contracts = Contracts::default()
            .with(ContractName::Token, self.at("TAO"))
            .with(ContractName::Validators, self.at("validators"))
            // There is none.
            .with(ContractName::Leaderboard, self.at("TAO20"))
            .with(ContractName::Index, self.at("index"))
            .with(ContractName::Rewards, self.at("rewards"));
        let network = Network {
            epoch: 1,
            fault_model: FaultModelName::Byzantine,
            chain: ChainSection { url: self.url.clone(), genesis: self.chain.genesis() },
            contracts,
            // A NAV each few seconds, and no leaderboard to ask for.
            rules: Rules { turn_delay_ms: 1_000, ..Rules::UNASKED },
            nodes: urls.iter().zip(self.keys.iter()).map(entry).collect(),
        };
        let (file, results) = (folder.join("network.toml"), folder.join("results.jsonl"));
        network.save(&file).unwrap();
        std::fs::write(&results, "").unwrap();
        let node = |(seat, url): (usize, &String)| {
            let path = |name: &str| folder.join(name).display().to_string();
            let mut args = vec!["--network".into(), file.display().to_string()];
            args.extend(["--seat".into(), seat.to_string()]);
            args.extend(["--keys".into(), path(&format!("seat-{seat}.toml"))]);
            args.extend(["--data".into(), path(&format!("node-{seat}"))]);
            args.extend(["--results".into(), results.display().to_string()]);
            args.extend(["--awards".into(), path(&format!("awards-{seat}"))]);
            args.extend(["--nav".into(), path(&format!("nav-{seat}.scale"))]);
            self.service(&format!("node-{seat}"), format!("http://{url}"), program, args)
        };
        urls.iter().enumerate().map(node).collect()
    }

    /// Starts one process for each seat but the two-faced one's, beside which consensus nodes answer.
    pub fn validators(&self, paxos: &[String], two_faced: &str) -> Vec<Service> {
        let mut ports = free_addresses(SEATS - 1);
        ports.push(two_faced.to_owned());
        let network = self.network_file();
        let validator = |(seat, listen): (usize, &String)| {
            let peers = ports.iter().filter(|port| *port != listen);
            let peers: Vec<String> = peers.map(|port| format!("\"http://{port}\"")).collect();
            let text = format!(
                "network = \"{}\"\ndata = \"data-{seat}\"\nawards = \"awards-{seat}\"\n\
                 keys = \"seat-{seat}.toml\"\nprices = \"{}\"\npaxos = \"{}\"\n\
                 peers = [{}]\nlisten = \"{listen}\"\nnav_interval = \"4s\"\n\
                 nav = \"nav-{seat}.scale\"\npoll = \"300ms\"\n",
                network.display(),
                self.prices(seat).display(),
                paxos[seat],
                peers.join(", "),
            );
            let config = self.folder.path().join(format!("validator-{seat}.toml"));
            std::fs::write(&config, text).unwrap();
            let args = vec!["run".into(), "--config".into(), config.display().to_string()];
            let program = env!("CARGO_BIN_EXE_nav-validator");
            self.service(&format!("validator-{seat}"), format!("http://{listen}"), program, args)
        };
        ports[..TWO_FACED].iter().enumerate().map(validator).collect()
    }
}

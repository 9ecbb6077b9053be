//! An index on a chain, its pool, and a miner, Bob.

use cicada_amounts::TAO;
use cicada_chain::{account_of, signer};
use cicada_contracts::{index, pair, token};
use cicada_core::hash::Native;
use cicada_core::nav::{self, Observation};
use cicada_core::report::ReportKind;
use cicada_core::Account;
use cicada_miner::config::Config;
use cicada_program::now_ms;
use cicada_stage::{later, PRICES, SUBNETS, TOKEN};
use std::path::PathBuf;

/// Seats of the committee.
const SEATS: u8 = 4;
const FEE_BPS: u16 = 30;

/// Everything on the chain.
pub struct Stage {
    /// The miner's configuration.
    pub config: PathBuf,
    stage: cicada_stage::Stage,
}

fn bob() -> Account {
    account_of(&signer("//Bob").unwrap())
}

impl Stage {
    /// Deploys everything: 1,000 index tokens of NAV 1, all in the pool at a price of 1; the miner,
    /// Bob, has 100 TAO and of both subnet tokens enough for 100 index tokens.
    pub async fn build() -> Self {
        let mut stage = cicada_stage::Stage::new(SEATS).await;
        stage.place_index().await;
        let pair = pair::new(&stage.at("TAO20"), &stage.at("TAO"), FEE_BPS);
        stage.place("pair", "pair", &pair).await;
        stage.seat_index().await;
        for (subnet, price) in SUBNETS.into_iter().zip(PRICES) {
            // A half of 100 TAO, and a unit for the rounding.
            stage.give(subnet, &bob(), 50 * TAO * TOKEN / price + 1).await;
        }
        stage.give("TAO", &bob(), 100 * TAO).await;
        stage.mint(1_200 * TOKEN).await;
        for token in ["TAO", "TAO20"] {
            stage.approve(token, "pair", &stage.alice).await;
        }
        let deposit = pair::add_liquidity(1_000 * TOKEN, 1_000 * TAO, 1, later());
        stage.call("pair", &deposit).await;
        let text = format!(
            "network = \"{}\"\nsuri = \"//Bob\"\n\
             ledger = \"ledger.json\"\nlisten = \"127.0.0.1:0\"\npoll = \"200ms\"\n",
            stage.network_file().display(),
        );
        let config = stage.folder.path().join("miner.toml");
        std::fs::write(&config, text).unwrap();
        Self { config, stage }
    }

    /// The miner's configuration with more lines.
    pub fn config_with(&self, lines: &str) -> Config {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let path = self.stage.folder.path().join("other.toml");
        std::fs::write(&path, format!("{text}\n{lines}\n")).unwrap();
        Config::load(&path).unwrap()
    }

    /// A file with that configuration which serves HTTP at another address.
    pub fn config_at(&self, listen: &str) -> PathBuf {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let path = self.stage.folder.path().join("served.toml");
        std::fs::write(&path, text.replace("127.0.0.1:0", listen)).unwrap();
        path
    }

    /// The committee attests a NAV.
    pub async fn settle_nav(&self, nav_e18: u128) {
        let stage = &self.stage;
        let (_, state) = stage.read("index", &index::feeds()).await;
        let (feed, digest) = (stage.index_feed(ReportKind::Nav), stage.config_digest().await);
        let time_ms = now_ms();
        let observe = |(seat, keys): (u8, &cicada_network::NodeKeys)| {
            let unsigned = Observation { seat, nav_e18, time_ms, signature: [0; 64] };
            let message = unsigned.message::<Native>(&digest, &feed, state.slot + 1);
            Observation { signature: keys.attest(&message), ..unsigned }
        };
        let own: Vec<Observation> = (0..).zip(&stage.keys[..stage.quorum()]).map(observe).collect();
        let report = nav::report::<Native>(feed, &state, &own, time_ms);
        let certificate = stage.certificate(&report).await;
        stage.call("index", &index::settle_nav(&report, &own, &certificate)).await;
    }

    /// Alice pays into the pool.
    pub async fn trade(&self, token: &str, amount: u128) {
        let swap = pair::swap_exact_in(&self.stage.at(token), amount, 1, later());
        self.stage.call("pair", &swap).await;
    }

    /// Bob gets something of Alice.
    pub async fn give_bob(&self, token: &str, amount: u128) {
        self.stage.give(token, &bob(), amount).await;
    }

    /// What Bob has.
    pub async fn bobs(&self, token: &str) -> u128 {
        self.stage.read(token, &token::balance_of(&bob())).await
    }
}

//! The index: its contracts, the validators that attest its value, the miners that trade it.

use crate::service::{write, write_secret, Launch, Service};
use crate::{say, Localnet};
use anyhow::{ensure, Context, Result};
use serde_json::json;
use std::path::PathBuf;

/// How long after a NAV the next one is scheduled where they are made on demand: long enough for
/// the trades of a slot.
const ON_DEMAND: &str = "20s";

/// Whether a length of time is nothing.
fn is_zero(duration: &str) -> bool {
    duration.trim_start_matches('0').len() < duration.len()
        && !duration.trim_start_matches('0').starts_with(|next: char| next.is_ascii_digit())
}

fn miner_name(miner: usize) -> String {
    format!("miner-{}", miner + 1)
}

impl Localnet {
    /// What validators and miners serve: the contracts of the index.
    fn index(&self) -> Result<String> {
        let index = self.deployment()?.index().context("start the index first")?;
        let contracts = [index.validators, index.index, index.pair, index.rewards];
        Ok(contracts.map(hex::encode).join(" "))
    }

    /// What a validator keeps, and where it writes for its node.
    pub fn validator_folder(&self, seat: u8) -> PathBuf {
        self.config.state.join("validators").join(format!("{seat:02}"))
    }

    pub(crate) fn validator(&self, seat: u8) -> Service {
        let port = self.config.validator_port + u16::from(seat);
        Service::new(format!("validator-{seat:02}"), format!("validator {seat}"), port)
    }

    /// Where a validator answers.
    pub fn validator_url(&self, seat: u8) -> String {
        self.validator(seat).url()
    }

    pub(crate) fn miner(&self, miner: usize) -> Service {
        let place = u16::try_from(miner).unwrap_or(u16::MAX);
        let port = self.config.miner_port.saturating_add(place);
        Service::new(miner_name(miner), format!("miner {}", miner + 1), port)
    }

    /// Where a miner answers, from 0.
    pub fn miner_url(&self, miner: usize) -> String {
        self.miner(miner).url()
    }

    fn launch(&self, program: &str, config: PathBuf) -> Launch {
        (self.run_with(program, &config), config.with_extension("log"))
    }

    pub(crate) fn deploy_index(&self) -> Result<()> {
        let config = &self.config;
        self.deploy("index", |command| {
            command.arg("--keys").arg(config.state.join("keys"));
            if let Some(seconds) = config.epoch_seconds {
                command.args(["--epoch-seconds", &seconds.to_string()]);
            }
        })
    }

    pub(crate) fn start_validators(&self) -> Result<()> {
        let serves = self.index()?;
        let prices = &self.config.validator_prices;
        ensure!(
            prices.is_file(),
            "{}: validators read prices from this file, JSON lines as in docs/nav-validator.md: write it, or name another with --validator-prices",
            prices.display()
        );
        let seats = u8::try_from(self.network()?.nodes.len())?;
        let validators = (0..seats).map(|seat| (self.validator(seat), seat));
        let count = self.start(&serves, validators, |seat| {
            Ok(self.launch("nav-validator", self.configure_validator(seat, seats)?))
        })?;
        let (first, last) =
            (self.config.validator_port, self.config.validator_port + u16::from(seats - 1));
        say(format!(
            "{seats} validators answer on ports {first} to {last}; {count} of them started now"
        ));
        Ok(())
    }

    fn configure_validator(&self, seat: u8, seats: u8) -> Result<PathBuf> {
        let config = &self.config;
        let peers = (0..seats).filter(|peer| *peer != seat);
        let front = |peer: u8| config.front_of.get(&peer).cloned();
        let peers: Vec<String> =
            peers.map(|peer| front(peer).unwrap_or_else(|| self.validator_url(peer))).collect();
        let on_demand = is_zero(&config.nav_interval);
        let path = self.validator_folder(seat).join("nav-validator.toml");
        write(
            &path,
            &json!({
                "network": config.network,
                "url": config.url.as_str(),
                "data": "data",
                "awards": "awards",
                "keys": self.key_file(seat),
                "prices": config.prices_of.get(&seat).unwrap_or(&config.validator_prices),
                "emissions": config.emissions,
                "basket": "basket.scale",
                // Nobody waits for the next five minutes here. In so long the first seats have
                // their turn.
                "basket_interval": "20s",
                "paxos": self.node_url(seat),
                "peers": peers,
                "listen": self.validator_url(seat).trim_start_matches("http://"),
                "nav_interval": if on_demand { ON_DEMAND } else { &config.nav_interval },
                "nav_on_demand": on_demand,
                "nav": "nav.scale",
                "poll": "1s",
            }),
        )?;
        Ok(path)
    }

    /// Writes the settings of a miner, from 0; where they are.
    ///
    /// # Errors
    /// If there is no such miner.
    pub fn configure_miner(&self, miner: usize) -> Result<PathBuf> {
        let secret = self.config.miners.get(miner).context("no such miner is configured")?;
        let path = self.config.state.join(miner_name(miner)).join("miner.toml");
        write_secret(
            &path,
            &json!({
                "network": self.config.network,
                "url": self.config.url.as_str(),
                "suri": secret,
                "ledger": "ledger.json",
                "listen": self.miner_url(miner).trim_start_matches("http://"),
                "poll": "2s",
                // So that each miner has its share of the volume.
                "max_trades": 1,
            }),
        )?;
        Ok(path)
    }

    pub(crate) fn start_miners(&self) -> Result<()> {
        let serves = self.index()?;
        let miners = self.config.miners.len();
        ensure!(miners > 0, "name the secrets of the miners' accounts, with --miners or the key miners: one miner for each");
        let all = (0..miners).map(|miner| (self.miner(miner), miner));
        let count = self
            .start(&serves, all, |miner| Ok(self.launch("miner", self.configure_miner(miner)?)))?;
        say(format!("{miners} miners answer; {count} of them started now"));
        Ok(())
    }
}

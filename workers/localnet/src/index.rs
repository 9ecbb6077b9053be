//! The index: its contracts, the validators that attest its value, the miners that trade it.

use crate::process::{Process, Signal};
use crate::record::Record;
use crate::{http, say, Localnet, Row, ANSWER, STOP};
use anyhow::{ensure, Context, Result};
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The page of validators and miners that is asked whether they are there.
const PAGE: &str = "/status";

/// How long after a NAV the next one is scheduled where they are made on demand: long enough for
/// the trades of a slot.
const ON_DEMAND: &str = "20s";

/// Whether a length of time is nothing.
fn is_zero(duration: &str) -> bool {
    duration.trim_start_matches('0').len() < duration.len()
        && !duration.trim_start_matches('0').starts_with(|next: char| next.is_ascii_digit())
}

/// What `deploy-index` wrote, as far as it matters here. Accounts are addresses.
#[derive(Deserialize)]
struct IndexFile {
    from_block: u64,
    index: String,
    rewards: String,
    pair: String,
    subnets: Vec<Subnet>,
}

#[derive(Deserialize)]
struct Subnet {
    netuid: u16,
    token: String,
}

fn validator_name(seat: u8) -> String {
    format!("validator-{seat:02}")
}

fn miner_name(miner: usize) -> String {
    format!("miner-{}", miner + 1)
}

/// Writes settings as TOML.
fn write(path: &Path, settings: &serde_json::Value) -> Result<()> {
    let place = || path.display().to_string();
    let folder = path.parent().with_context(place)?;
    fs::create_dir_all(folder).with_context(place)?;
    fs::write(path, toml::to_string(settings)?).with_context(place)
}

impl Localnet {
    /// The file that says where the index is.
    pub fn index_file(&self) -> PathBuf {
        self.config.state.join("index.toml")
    }

    fn index(&self) -> Result<(IndexFile, String)> {
        let path = self.index_file();
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{}: start the index first", path.display()))?;
        let index = toml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok((index, text))
    }

    /// What a validator keeps, and where it writes for its node.
    pub fn validator_folder(&self, seat: u8) -> PathBuf {
        self.config.state.join("validators").join(format!("{seat:02}"))
    }

    /// Where a validator answers.
    pub fn validator_url(&self, seat: u8) -> String {
        format!("http://127.0.0.1:{}", self.config.validator_port + u16::from(seat))
    }

    pub(crate) fn validator_row(&self, seat: u8) -> Row {
        let (name, url) = (validator_name(seat), self.validator_url(seat));
        Row { name, title: format!("validator {seat}"), url, page: PAGE }
    }

    pub(crate) fn miner_row(&self, miner: usize) -> Row {
        let (name, url) = (miner_name(miner), self.miner_url(miner));
        Row { name, title: format!("miner {}", miner + 1), url, page: PAGE }
    }

    pub(crate) fn deploy_index(&self) -> Result<()> {
        let config = &self.config;
        self.run("deploy-index", |command| {
            command.args(["--url", config.url.as_str()]);
            command.arg("--network").arg(self.network_file());
            command.arg("--keys").arg(config.state.join("keys"));
            command.arg("--out").arg(self.index_file());
            command.arg("--bundles").arg(&config.bundles);
            command.arg("--addresses").arg(&config.addresses);
            if let Some(seconds) = config.epoch_seconds {
                command.args(["--epoch-seconds", &seconds.to_string()]);
            }
        })
    }

    pub(crate) fn start_validators(&self) -> Result<()> {
        let (index, serves) = self.index()?;
        let prices = &self.config.validator_prices;
        ensure!(
            prices.is_file(),
            "{}: validators read prices from this file, JSON lines as in docs/nav-validator.md: write it, or name another with --validator-prices",
            prices.display()
        );
        let seats = u8::try_from(self.network()?.nodes.len())?;
        let mut started = Vec::new();
        for seat in 0..seats {
            if self.is_current(&validator_name(seat), &serves)? {
                continue;
            }
            let config = self.configure_validator(seat, seats, &index)?;
            let log = config.with_extension("log");
            let (name, url) = (validator_name(seat), self.validator_url(seat));
            let record = Record::new(Path::new("nav-validator"), url, serves.clone(), log);
            started
                .push((format!("validator {seat}"), self.spawn_service(&name, &config, record)?));
        }
        let count = self.await_services(started)?;
        let (first, last) =
            (self.config.validator_port, self.config.validator_port + u16::from(seats - 1));
        say(format!(
            "{seats} validators answer on ports {first} to {last}; {count} of them started now"
        ));
        Ok(())
    }

    fn configure_validator(&self, seat: u8, seats: u8, index: &IndexFile) -> Result<PathBuf> {
        let config = &self.config;
        let peers = (0..seats).filter(|peer| *peer != seat);
        let front = |peer: u8| config.front_of.get(&peer).cloned();
        let peers: Vec<String> =
            peers.map(|peer| front(peer).unwrap_or_else(|| self.validator_url(peer))).collect();
        let on_demand = is_zero(&config.nav_interval);
        let token = |subnet: &Subnet| json!({ "netuid": subnet.netuid, "account": subnet.token });
        let path = self.validator_folder(seat).join("nav-validator.toml");
        write(
            &path,
            &json!({
                "url": config.url.as_str(),
                "index": index.index,
                "rewards": index.rewards,
                "from_block": index.from_block,
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
                "token": index.subnets.iter().map(token).collect::<Vec<_>>(),
            }),
        )?;
        Ok(path)
    }

    /// Where a miner answers, from 0.
    pub fn miner_url(&self, miner: usize) -> String {
        format!("http://127.0.0.1:{}", usize::from(self.config.miner_port) + miner)
    }

    /// Writes the settings of a miner, from 0; where they are.
    ///
    /// # Errors
    /// If there is no index, or no such miner.
    pub fn configure_miner(&self, miner: usize) -> Result<PathBuf> {
        let (index, _) = self.index()?;
        let secret = self.config.miners.get(miner).context("no such miner is configured")?;
        let path = self.config.state.join(miner_name(miner)).join("miner.toml");
        write(
            &path,
            &json!({
                "url": self.config.url.as_str(),
                "index": index.index,
                "pair": index.pair,
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
        let (_, serves) = self.index()?;
        let miners = self.config.miners.len();
        ensure!(miners > 0, "name the secrets of the miners' accounts, with --miners or the key miners: one miner for each");
        let mut started = Vec::new();
        for miner in 0..miners {
            if self.is_current(&miner_name(miner), &serves)? {
                continue;
            }
            let config = self.configure_miner(miner)?;
            let log = config.with_extension("log");
            let (name, url) = (miner_name(miner), self.miner_url(miner));
            let record = Record::new(Path::new("miner"), url, serves.clone(), log);
            started.push((
                format!("miner {}", miner + 1),
                self.spawn_service(&name, &config, record)?,
            ));
        }
        let count = self.await_services(started)?;
        say(format!("{miners} miners answer; {count} of them started now"));
        Ok(())
    }

    /// Whether the process runs and serves this; one that serves something else is stopped.
    pub(crate) fn is_current(&self, name: &str, serves: &str) -> Result<bool> {
        match self.records.running(name) {
            Some(record) if record.serves == serves => Ok(true),
            Some(_) => self.records.stop([name], Signal::TERM, STOP).map(|_| false),
            None => Ok(false),
        }
    }

    /// Starts a program that takes `run --config`, where nothing else answers.
    pub(crate) fn spawn_service(
        &self,
        name: &str,
        config: &Path,
        mut record: Record,
    ) -> Result<(Process, String)> {
        let url = record.url.clone();
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).context("no port")?;
        ensure!(
            !http::taken("127.0.0.1", port),
            "something else listens on port {port}, where {name} should: stop it, or choose another port (localnet --help)"
        );
        record.program = self.config.programs.join(&record.program);
        let mut command = Command::new(&record.program);
        command.args(["run", "--config"]).arg(config);
        let process = Process::detached(name, &mut command, &record.log)?;
        self.records.note(name, &process, record)?;
        Ok((process, url))
    }

    fn await_services(&self, started: Vec<(String, (Process, String))>) -> Result<usize> {
        let count = started.len();
        for (name, (mut process, url)) in started {
            self.until(&mut process, ANSWER, || http::answers(&(url.clone() + PAGE)))
                .with_context(|| format!("starting {name}"))?;
        }
        Ok(count)
    }
}

//! The processes: a consensus node and a validator for each seat.

use crate::miners::Miner;
use anyhow::{bail, Context, Result};
use cicada_chain::address;
use cicada_deploy::IndexFile;
use cicada_network::Network;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long after a NAV the next one is scheduled: long enough for all trades of a slot.
const NAV_INTERVAL_MS: u64 = 20_000;
/// How long a process may take until it answers.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folder of the programs.
    pub programs: PathBuf,
    /// Folder of the built contracts.
    pub bundles: PathBuf,
    /// The network file.
    pub network: PathBuf,
    /// Folder of the key files.
    pub keys: PathBuf,
    /// Folder for what the processes write.
    pub state: PathBuf,
    /// Evaluation results, which the nodes need for another feed.
    pub results: PathBuf,
    /// Validator i answers on this port + i.
    pub base_port: u16,
}

impl Places {
    /// The address of a validator.
    pub fn validator(&self, seat: usize) -> String {
        format!("http://127.0.0.1:{}", usize::from(self.base_port) + seat)
    }

    /// The prices that the validators read; a liar has his own.
    pub fn prices(&self, liar: bool) -> PathBuf {
        self.state.join(if liar { "prices-liar.jsonl" } else { "prices.jsonl" })
    }

    /// What subnets emitted.
    pub fn emissions(&self) -> PathBuf {
        self.state.join("emissions.jsonl")
    }

    /// What a validator keeps, and where it writes for its node.
    pub fn seat(&self, seat: usize) -> PathBuf {
        self.state.join(format!("seat-{seat:02}"))
    }
}

/// All processes; killed when this is dropped.
#[derive(Default)]
pub struct Fleet(Vec<(String, Child)>);

impl Drop for Fleet {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            let _ = child.kill();
        }
        for (_, child) in &mut self.0 {
            let _ = child.wait();
        }
    }
}

impl Fleet {
    fn start_seat(
        &mut self,
        places: &Places,
        program: &str,
        seat: usize,
        args: &[&str],
    ) -> Result<()> {
        let name = format!("{program} of seat {seat}");
        self.start(places, program, name, &places.seat(seat), args)
    }

    fn start(
        &mut self,
        places: &Places,
        program: &str,
        name: String,
        folder: &Path,
        args: &[&str],
    ) -> Result<()> {
        let log = folder.join(format!("{program}.log"));
        let log = File::options().create(true).append(true).open(&log);
        let log = log.with_context(|| folder.display().to_string())?;
        let path = places.programs.join(program);
        let child = Command::new(&path)
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| path.display().to_string())?;
        self.0.push((name, child));
        Ok(())
    }

    /// Starts a miner that stays up.
    ///
    /// # Errors
    /// In words.
    pub fn start_miner(&mut self, places: &Places, miner: &Miner) -> Result<()> {
        let config = miner.config.to_str().context("a path is no text")?;
        let folder = miner.config.parent().context("no folder")?;
        self.start(places, "miner", miner.name.clone(), folder, &["run", "--config", config])
    }

    /// Starts the consensus nodes.
    ///
    /// # Errors
    /// In words.
    pub fn start_nodes(&mut self, places: &Places, seats: usize) -> Result<()> {
        for seat in 0..seats {
            let folder = places.seat(seat);
            fs::create_dir_all(folder.join("node"))?;
            let keys = places.keys.join(format!("node-{seat:02}.toml"));
            let (number, own) = (seat.to_string(), |name: &str| folder.join(name));
            let (data, awards, basket) = (own("node"), own("awards"), own("basket.scale"));
            let nav = own("nav.scale");
            let args = [
                ("--network", places.network.as_path()),
                ("--seat", Path::new(&number)),
                ("--keys", &keys),
                ("--data", &data),
                ("--results", &places.results),
                ("--awards", &awards),
                ("--basket", &basket),
                ("--nav", &nav),
            ];
            let mut words = Vec::new();
            for (name, value) in &args {
                words.push(*name);
                words.push(value.to_str().context("a path is no text")?);
            }
            self.start_seat(places, "paxos-node", seat, &words)?;
        }
        Ok(())
    }

    /// Starts the validators. The one of `liar` reads other prices than the rest, and the one of
    /// `double` is asked by the others at another address.
    ///
    /// # Errors
    /// In words.
    pub fn start_validators(
        &mut self,
        places: &Places,
        network: &Network,
        index: &IndexFile,
        liar: usize,
        double: (usize, &str),
    ) -> Result<()> {
        let seats = network.nodes.len();
        for (seat, node) in network.nodes.iter().enumerate() {
            let folder = places.seat(seat);
            fs::create_dir_all(&folder)?;
            let peers = (0..seats).filter(|peer| *peer != seat);
            let address_of = |peer| match peer == double.0 {
                true => double.1.to_owned(),
                false => places.validator(peer),
            };
            let peers: Vec<String> =
                peers.map(|peer| format!("\"{}\"", address_of(peer))).collect();
            let listen = places.validator(seat);
            let tokens: String = index
                .subnets
                .iter()
                .map(|subnet| {
                    let (netuid, account) = (subnet.netuid, address(&subnet.token));
                    format!("[[token]]\nnetuid = {netuid}\naccount = \"{account}\"\n")
                })
                .collect();
            // On demand only: whoever runs the demo says when a slot begins.
            let text = format!(
                "url = {:?}\nbundles = {:?}\nindex = \"{}\"\nrewards = \"{}\"\nfrom_block = {}\n\
                 data = \"data\"\nawards = \"awards\"\nkeys = {:?}\nprices = {:?}\n\
                 emissions = {:?}\nbasket = \"basket.scale\"\npaxos = {:?}\n\
                 peers = [{}]\nlisten = \"{}\"\nnav = \"nav.scale\"\nnav_interval = \"{}ms\"\nnav_on_demand = true\n\
                 turn_delay = \"4s\"\npoll = \"1s\"\n{tokens}",
                index.url,
                places.bundles,
                address(&index.index),
                address(&index.rewards),
                index.from_block,
                places.keys.join(format!("node-{seat:02}.toml")),
                places.prices(seat == liar),
                places.emissions(),
                node.url,
                peers.join(", "),
                listen.trim_start_matches("http://"),
                NAV_INTERVAL_MS,
            );
            let config = folder.join("nav-validator.toml");
            fs::write(&config, text)?;
            let config = config.to_str().context("a path is no text")?;
            self.start_seat(places, "nav-validator", seat, &["run", "--config", config])?;
        }
        Ok(())
    }

    /// Waits until all these addresses answer.
    ///
    /// # Errors
    /// If one stays silent, or a process has ended.
    pub async fn await_all(&mut self, urls: &[String]) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let begin = Instant::now();
        for url in urls {
            loop {
                let asked = client.get(url).timeout(Duration::from_secs(5)).send().await;
                if asked.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                self.check()?;
                if begin.elapsed() > PATIENCE {
                    bail!("{url} does not answer");
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Ok(())
    }

    /// Says if a process has ended.
    ///
    /// # Errors
    /// Names it.
    pub fn check(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                bail!("{name} has ended ({status}): see its log");
            }
        }
        Ok(())
    }
}

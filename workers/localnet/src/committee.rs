//! The committee: its contracts, its nodes, and what can be done to them.

use crate::process::{Process, Signal};
use crate::record::Record;
use crate::{http, say, Localnet, Row, ANSWER, STOP};
use anyhow::{ensure, Context, Result};
use cicada_network::Network;
use clap::ValueEnum;
use std::path::PathBuf;
use std::process::Command;

/// The page of a node that is asked whether it is there.
const PAGE: &str = "/paxos/status";
/// How a bare deployment is called in its folder: by so many digits of its contract.
const DIGITS: usize = 16;

/// What a lying node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the help of paxos-liar explains them")]
pub enum Lie {
    Equivocate,
    Forge,
    Replay,
    Silent,
    All,
}

/// Who lies, in steps from the leader's seat, so that honest leaders stand between.
const LIARS: [(u8, Lie); 7] = [
    (0, Lie::Equivocate),
    (1, Lie::Equivocate),
    (3, Lie::Forge),
    (5, Lie::Forge),
    (7, Lie::Replay),
    (9, Lie::Silent),
    (11, Lie::Silent),
];

impl Lie {
    /// As `paxos-liar` calls it.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn name(seat: u8) -> String {
    format!("node-{seat:02}")
}

/// What a node serves that is started with this network file.
fn serves(network: &Network) -> String {
    let at = &network.chain;
    let optional = [at.index, at.rewards, at.exchange].into_iter().flatten();
    let contracts: Vec<String> =
        [at.validators].into_iter().chain(optional).map(hex::encode).collect();
    contracts.join(" ")
}

impl Localnet {
    /// The network file.
    pub fn network_file(&self) -> PathBuf {
        self.config.state.join("network.toml")
    }

    /// The key file of a seat.
    pub fn key_file(&self, seat: u8) -> PathBuf {
        self.config.state.join("keys").join(format!("{}.toml", name(seat)))
    }

    /// The network file's content.
    ///
    /// # Errors
    /// If there is none yet.
    pub fn network(&self) -> Result<Network> {
        let file = self.network_file();
        ensure!(
            file.is_file(),
            "nothing is deployed yet: run scripts/deploy_paxos.sh, or localnet up, first"
        );
        Ok(Network::load(&file)?)
    }

    /// Where a node answers.
    pub fn node_url(&self, seat: u8) -> String {
        format!("http://127.0.0.1:{}", self.config.base_port + u16::from(seat))
    }

    pub(crate) fn node_row(&self, seat: u8) -> Row {
        let (name, url) = (name(seat), self.node_url(seat));
        Row { name, title: format!("node {seat}"), url, page: PAGE }
    }

    pub(crate) fn deploy_committee(&self) -> Result<()> {
        let config = &self.config;
        self.run("deploy-paxos", |command| {
            command.args(["--url", config.url.as_str(), "--nodes", &config.nodes.to_string()]);
            command.args(["--base-port", &config.base_port.to_string()]);
            command.args(["--fault-model", &config.fault_model.to_string()]);
            if let Some(distances) = &config.distances {
                command.args(["--distances", distances]);
            }
            let rules = [
                // So that eight seats have their turn before the next basket is due.
                ("--turn-delay-ms", Some(config.turn_delay_ms.unwrap_or(2_000))),
                // The chain is final at once, or nearly.
                ("--due-after-ms", Some(config.due_after_ms.unwrap_or(2_000))),
                ("--same-ms", config.same_ms),
            ];
            for (option, value) in rules {
                command.args(value.map(|value| format!("{option}={value}")));
            }
            command.arg("--out").arg(self.network_file());
            command.arg("--keys").arg(config.state.join("keys"));
            command.arg("--bundles").arg(&config.bundles);
            command.arg("--addresses").arg(&config.addresses);
        })
    }

    pub(crate) fn deploy_exchange(&self, more: &[&str]) -> Result<()> {
        let config = &self.config;
        self.run("deploy-exchange", |command| {
            command.args(["--url", config.url.as_str()]);
            command.arg("--network").arg(self.network_file());
            command.arg("--bundles").arg(&config.bundles);
            command.arg("--addresses").arg(&config.addresses).args(more);
            // Nobody makes a leaderboard here every hour.
            command.args(["--max-quote-age-hours", "24"]);
        })
    }

    /// Opens the exchange's markets of the newest leaderboard and fills them up, with money for //Alice.
    ///
    /// # Errors
    /// What `deploy-exchange` says.
    pub fn fill(&self) -> Result<()> {
        self.network()?;
        // So that every command of the seed's example works: it sells tokens that it does not buy.
        self.deploy_exchange(&["--fill", "--hold", "openai=500"])
    }

    /// Starts the nodes that do not run, all at once.
    pub(crate) fn start_nodes(&self) -> Result<()> {
        let network = self.network()?;
        let (wanted, seats) = (serves(&network), self.seats()?);
        let (mut missing, mut old) = (Vec::new(), Vec::new());
        for seat in seats.clone() {
            match self.records.running(&name(seat)) {
                Some(record) if record.serves == wanted => continue,
                Some(_) => old.push(name(seat)),
                None => {}
            }
            missing.push(seat);
        }
        self.records.stop(old.iter().map(String::as_str), Signal::TERM, STOP)?;
        let mut started = Vec::new();
        for seat in &missing {
            started.push((*seat, self.spawn_node(&network, *seat, None)?));
        }
        for (seat, process) in &mut started {
            self.await_node(*seat, process)?;
        }
        let (first, last) =
            (self.config.base_port, self.config.base_port + u16::from(seats.end - 1));
        say(format!(
            "{} nodes answer on ports {first} to {last}; {} of them started now; logs in {}",
            seats.len(),
            started.len(),
            self.config.state.join("nodes").display()
        ));
        Ok(())
    }

    fn seats(&self) -> Result<std::ops::Range<u8>> {
        Ok(0..u8::try_from(self.network()?.nodes.len())?)
    }

    fn node_command(&self, network: &Network, seat: u8, lie: Option<Lie>) -> Command {
        let (config, text) = (&self.config, name(seat));
        let mut command = match lie {
            None => self.program("paxos-node"),
            Some(lie) => {
                let mut command = self.program("paxos-liar");
                command.args(["--lie", &lie.name()]);
                command
            }
        };
        // What a node promised in another deployment is not for this one.
        let deployment = &hex::encode(network.chain.validators)[..DIGITS];
        let data = config.state.join("nodes").join(deployment).join(&text["node-".len()..]);
        command.arg("--network").arg(self.network_file()).args(["--seat", &seat.to_string()]);
        command.arg("--keys").arg(self.key_file(seat)).arg("--data").arg(data);
        command.arg("--results").arg(&config.results);
        if network.chain.index.is_some() {
            let own = self.validator_folder(seat);
            command.arg("--awards").arg(own.join("awards"));
            command.arg("--basket").arg(own.join("basket.scale"));
            command.arg("--nav").arg(own.join("nav.scale"));
        }
        command
    }

    fn spawn_node(&self, network: &Network, seat: u8, lie: Option<Lie>) -> Result<Process> {
        let port = self.config.base_port + u16::from(seat);
        ensure!(
            !http::taken("127.0.0.1", port),
            "something else listens on port {port}, where node {seat} should, maybe a node of another deployment: stop it, or choose other ports with --base-port (CICADA_BASE_PORT)"
        );
        let mut command = self.node_command(network, seat, lie);
        let log = self.config.state.join("nodes").join(format!("{seat:02}.log"));
        let process = Process::detached(format!("node {seat}"), &mut command, &log)?;
        let program = PathBuf::from(command.get_program());
        let record = Record::new(&program, self.node_url(seat), serves(network), log);
        self.records.note(&name(seat), &process, record)?;
        Ok(process)
    }

    fn await_node(&self, seat: u8, process: &mut Process) -> Result<()> {
        let page = self.node_url(seat) + PAGE;
        self.until(process, ANSWER, || http::answers(&page))
    }

    fn check_seat(&self, seat: u8) -> Result<()> {
        let seats = self.seats()?;
        ensure!(seats.contains(&seat), "name a seat from 0 to {}", seats.end - 1);
        Ok(())
    }

    /// Kills a node at once, as a crash would.
    ///
    /// # Errors
    /// If it does not run.
    pub fn kill(&self, seat: u8) -> Result<()> {
        self.check_seat(seat)?;
        let killed = self.records.stop([name(seat).as_str()], Signal::KILL, STOP)?;
        ensure!(killed == 1, "node {seat} does not run");
        say(format!("killed node {seat}"));
        Ok(())
    }

    /// Stops a node if it runs, and starts it again, honest.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&self, seat: u8) -> Result<()> {
        self.replace(&[(seat, None)])?;
        say(format!("node {seat} answers on port {}", self.config.base_port + u16::from(seat)));
        Ok(())
    }

    /// Replaces a node by one that lies.
    ///
    /// # Errors
    /// If that does not start.
    pub fn lie(&self, seat: u8, lie: Lie) -> Result<()> {
        self.lies(&[(seat, lie)])
    }

    /// Replaces as many nodes as may lie, the leader and the next one among them.
    ///
    /// # Errors
    /// If one does not start.
    pub fn liars(&self) -> Result<()> {
        let seats = self.seats()?;
        let leader = seats.clone().find_map(|seat| {
            let status = http::json(&(self.node_url(seat) + PAGE))?;
            u8::try_from(status["leader"].as_u64()?).ok()
        });
        let (leader, may_lie) = (leader.unwrap_or(0), usize::from((seats.end - 1) / 3));
        let lies =
            LIARS.iter().take(may_lie).map(|(step, lie)| ((leader + step) % seats.end, *lie));
        self.lies(&lies.collect::<Vec<_>>())
    }

    fn lies(&self, lies: &[(u8, Lie)]) -> Result<()> {
        let lying: Vec<_> = lies.iter().map(|(seat, lie)| (*seat, Some(*lie))).collect();
        self.replace(&lying)?;
        for (seat, lie) in lies {
            say(format!("node {seat} lies: {}", lie.name()));
        }
        Ok(())
    }

    fn replace(&self, by: &[(u8, Option<Lie>)]) -> Result<()> {
        let network = self.network()?;
        let names: Vec<String> = by.iter().map(|(seat, _)| name(*seat)).collect();
        for (seat, _) in by {
            self.check_seat(*seat)?;
        }
        self.records.stop(names.iter().map(String::as_str), Signal::TERM, STOP)?;
        let mut started = Vec::new();
        for (seat, lie) in by {
            started.push((*seat, self.spawn_node(&network, *seat, *lie)?));
        }
        for (seat, process) in &mut started {
            self.await_node(*seat, process).with_context(|| format!("replacing node {seat}"))?;
        }
        Ok(())
    }
}

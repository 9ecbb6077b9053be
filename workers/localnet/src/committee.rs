//! The committee: its contracts, its nodes, and what can be done to them.

use crate::process::Signal;
use crate::service::{Launch, Service};
use crate::{http, say, Localnet, STOP};
use anyhow::{ensure, Context, Result};
use cicada_network::{ContractName, Deployment, Network};
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
    let optional = [ContractName::Index, ContractName::Rewards, ContractName::Exchange];
    let optional = optional.into_iter().filter_map(|name| network.contracts.get(name));
    let contracts: Vec<String> =
        [network.validators()].into_iter().chain(optional).map(hex::encode).collect();
    contracts.join(" ")
}

impl Localnet {
    /// The network file.
    pub fn network_file(&self) -> PathBuf {
        self.config.network.clone()
    }

    /// The key file of a seat.
    pub fn key_file(&self, seat: u8) -> PathBuf {
        self.config.state.join("keys").join(format!("{}.toml", name(seat)))
    }

    /// The network file's content.
    ///
    /// # Errors
    /// If there is none yet.
    pub fn deployment(&self) -> Result<Deployment> {
        let nothing = "nothing is deployed yet: run scripts/deploy_paxos.sh, or localnet up, first";
        Deployment::find(&self.config.network)?.context(nothing)
    }

    /// The committee of the network file.
    ///
    /// # Errors
    /// If there is none yet.
    pub fn network(&self) -> Result<Network> {
        Ok(self.deployment()?.network()?)
    }

    /// Runs a subcommand of `deploy`.
    pub(crate) fn deploy(&self, part: &str, more: impl FnOnce(&mut Command)) -> Result<()> {
        let config = &self.config;
        self.run("deploy", |command| {
            command.args([part, "--url", config.url.as_str()]);
            command.arg("--network").arg(&config.network);
            command.arg("--bundles").arg(&config.bundles);
            command.arg("--addresses").arg(&config.addresses);
            more(command);
        })
    }

    pub(crate) fn node(&self, seat: u8) -> Service {
        let port = self.config.base_port + u16::from(seat);
        Service {
            page: PAGE,
            advice: ", maybe a node of another deployment: stop it, or choose other ports with --base-port (CICADA_BASE_PORT)",
            ..Service::new(name(seat), format!("node {seat}"), port)
        }
    }

    /// Where a node answers.
    pub fn node_url(&self, seat: u8) -> String {
        self.node(seat).url()
    }

    pub(crate) fn deploy_committee(&self) -> Result<()> {
        let config = &self.config;
        self.deploy("committee", |command| {
            command.args(["--nodes", &config.nodes.to_string()]);
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
            command.arg("--keys").arg(config.state.join("keys"));
        })
    }

    pub(crate) fn deploy_exchange(&self, more: &[&str]) -> Result<()> {
        self.deploy("exchange", |command| {
            // Nobody makes a leaderboard here every hour.
            command.args(["--max-quote-age-hours", "24"]).args(more);
        })
    }

    /// Opens the exchange's markets of the newest leaderboard and fills them up, with money for //Alice.
    ///
    /// # Errors
    /// What `deploy exchange` says.
    pub fn fill(&self) -> Result<()> {
        self.network()?;
        // So that every command of the seed's example works: it sells tokens that it does not buy.
        self.deploy_exchange(&["--fill", "--hold", "openai=500"])
    }

    /// Starts the nodes that do not run, all at once.
    pub(crate) fn start_nodes(&self) -> Result<()> {
        let (network, seats) = (self.network()?, self.seats()?);
        let nodes = seats.clone().map(|seat| (self.node(seat), seat));
        let started = self
            .start(&serves(&network), nodes, |seat| Ok(self.node_launch(&network, seat, None)))?;
        let (first, last) =
            (self.config.base_port, self.config.base_port + u16::from(seats.end - 1));
        say(format!(
            "{} nodes answer on ports {first} to {last}; {started} of them started now; logs in {}",
            seats.len(),
            self.config.state.join("nodes").display()
        ));
        Ok(())
    }

    fn seats(&self) -> Result<std::ops::Range<u8>> {
        Ok(0..u8::try_from(self.network()?.nodes.len())?)
    }

    fn node_launch(&self, network: &Network, seat: u8, lie: Option<Lie>) -> Launch {
        let config = &self.config;
        let mut command = match lie {
            None => self.program("paxos-node"),
            Some(lie) => {
                let mut command = self.program("paxos-liar");
                command.args(["--lie", &lie.name()]);
                command
            }
        };
        // What a node promised in another deployment is not for this one.
        let deployment = &hex::encode(network.validators())[..DIGITS];
        let nodes = config.state.join("nodes");
        let data = nodes.join(deployment).join(format!("{seat:02}"));
        command.arg("--network").arg(self.network_file()).args(["--seat", &seat.to_string()]);
        command.arg("--keys").arg(self.key_file(seat)).arg("--data").arg(data);
        command.arg("--results").arg(&config.results);
        if network.contracts.get(ContractName::Index).is_some() {
            let own = self.validator_folder(seat);
            command.arg("--awards").arg(own.join("awards"));
            command.arg("--basket").arg(own.join("basket.scale"));
            command.arg("--nav").arg(own.join("nav.scale"));
        }
        (command, nodes.join(format!("{seat:02}.log")))
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
        self.replace_nodes(&[(seat, None)])?;
        say(format!("node {seat} answers on port {}", self.node(seat).port));
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
        self.replace_nodes(&lying)?;
        for (seat, lie) in lies {
            say(format!("node {seat} lies: {}", lie.name()));
        }
        Ok(())
    }

    fn replace_nodes(&self, by: &[(u8, Option<Lie>)]) -> Result<()> {
        let network = self.network()?;
        for (seat, _) in by {
            self.check_seat(*seat)?;
        }
        let nodes = by.iter().map(|of| (self.node(of.0), of)).collect();
        self.replace(&serves(&network), nodes, |(seat, lie)| {
            Ok(self.node_launch(&network, *seat, *lie))
        })?;
        Ok(())
    }
}

//! Starts and looks after a whole network on this machine: chain, contracts, committee, validators of
//! the index, miners, indexer.
//!
//! [`Localnet`] is what the program `localnet` does. What it starts goes on when it ends, and is found
//! again by its state folder. [`Process`] and [`OwnChain`] are for programs and tests that start
//! something for themselves.

mod chain;
mod committee;
mod config;
mod http;
mod index;
mod indexer;
mod ports;
mod process;
mod record;
mod service;

pub use chain::{ChainUrl, Kind, OwnChain};
pub use committee::Lie;
pub use config::{programs, repository, Config, Options, Part};
pub use http::{answers, json, rpc, text};
pub use ports::{free_ports, free_range};
pub use process::{Process, Signal};

use anyhow::{ensure, Context, Result};
use record::{Patience, Records};
use service::Service;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// How long a process may take until it answers: 23 of them start at once.
const ANSWER: Duration = Duration::from_secs(90);
/// How long a process may take to end.
const STOP: Patience = Patience::Kill(Duration::from_secs(15));
/// The same of the chain, which writes itself down then, all of it.
const STOP_CHAIN: Patience = Patience::Leave(Duration::from_secs(600));

/// Tells the person at the terminal what happens; that there is none is no reason to stop half-way.
fn say(text: impl std::fmt::Display) {
    cicada_program::complain!("==> {text}");
}

fn warn(text: impl std::fmt::Display) {
    cicada_program::complain!("warning: {text}");
}

/// A network on this machine, by its settings.
#[derive(Clone, Debug)]
pub struct Localnet {
    /// The settings.
    pub config: Config,
    records: Records,
    /// Whether what is being started shall not be.
    broken_off: Arc<AtomicBool>,
}

// Starts a part.
type Step = fn(&Localnet) -> Result<()>;

impl Localnet {
    /// The network with these settings; nothing is started.
    pub fn new(config: Config) -> Self {
        let records = Records::new(config.state.join("processes"));
        Self { config, records, broken_off: Arc::default() }
    }

    /// Setting it ends whatever [`Self::up`] waits for, with an error.
    pub fn broken_off(&self) -> Arc<AtomicBool> {
        self.broken_off.clone()
    }

    /// Starts these parts, and what is missing of them: safe to run again.
    ///
    /// # Errors
    /// What is in the way, or the end of the log of what did not start.
    pub fn up(&self, parts: &[Part]) -> Result<()> {
        std::fs::create_dir_all(&self.config.state)
            .with_context(|| self.config.state.display().to_string())?;
        if parts.contains(&Part::Chain) {
            self.start_chain(parts == [Part::Chain])?;
        }
        let steps: [(Part, Step); 8] = [
            (Part::Committee, Self::deploy_committee),
            (Part::Exchange, |net| net.deploy_exchange(&[])),
            (Part::Index, Self::deploy_index),
            (Part::Market, |net| net.deploy("market", |_| {})),
            (Part::Committee, Self::start_nodes),
            (Part::Validators, Self::start_validators),
            (Part::Miners, Self::start_miners),
            (Part::Indexer, Self::start_indexer),
        ];
        for (_, step) in steps.iter().filter(|(part, _)| parts.contains(part)) {
            step(self)?;
        }
        Ok(())
    }

    /// Stops what runs of these parts, all parts if there are none. A chain that was started alone is
    /// stopped only if it is named.
    ///
    /// # Errors
    /// If something cannot be stopped.
    pub fn down(&self, parts: &[Part]) -> Result<()> {
        // The chain last: the others ask it.
        let kinds = [
            (Part::Miners, "miner-", "miners"),
            (Part::Validators, "validator-", "validators"),
            (Part::Indexer, "indexer", "indexers"),
            (Part::Committee, "node-", "nodes"),
        ];
        let names = self.records.names();
        for (part, prefix, what) in kinds {
            if !parts.is_empty() && !parts.contains(&part) {
                continue;
            }
            let of_kind = names.iter().filter(|name| name.starts_with(prefix));
            let stopped = self.records.stop(of_kind.map(String::as_str), Signal::TERM, STOP)?;
            if stopped > 0 || parts.contains(&part) {
                say(format!("stopped {stopped} {what}"));
            }
        }
        let chain = self.records.running(chain::NAME);
        let stays = chain.as_ref().is_some_and(|record| record.serves == chain::ALONE);
        if parts.contains(&Part::Chain) || (parts.is_empty() && !stays) {
            let stopped = self.records.stop([chain::NAME], Signal::TERM, STOP_CHAIN)?;
            match chain {
                Some(record) if stopped > 0 => {
                    say(format!("stopped the chain (process {})", record.id))
                }
                _ => say("no chain of ours is running"),
            }
        }
        Ok(())
    }

    fn services(&self, of: Part) -> Vec<Service> {
        let seats = 0..self.config.nodes;
        match of {
            Part::Committee => seats.map(|seat| self.node(seat)).collect(),
            Part::Validators => seats.map(|seat| self.validator(seat)).collect(),
            Part::Miners => (0..self.config.miners.len()).map(|miner| self.miner(miner)).collect(),
            Part::Indexer => vec![self.indexer()],
            Part::Chain | Part::Exchange | Part::Index | Part::Market => Vec::new(),
        }
    }

    /// What runs, as a table, and whether everything answers that should.
    pub fn status(&self, parts: &[Part]) -> (String, bool) {
        let (mut text, mut well) = (String::new(), true);
        if parts.contains(&Part::Chain) {
            let (lines, answers) = self.chain_status();
            (text, well) = (text + &lines, well && answers);
        }
        let order = [Part::Committee, Part::Validators, Part::Miners, Part::Indexer];
        let wanted = order.into_iter().filter(|part| parts.contains(part));
        for service in wanted.flat_map(|part| self.services(part)) {
            let id = self.records.running(&service.name).map(|record| record.id.to_string());
            let answers = service.answers();
            let state = if answers { "answers" } else { "does not answer" };
            let id = id.as_deref().unwrap_or("-");
            text += &format!("{:<13} {} process {id:<8} {state}\n", service.title, service.url());
            well &= answers;
        }
        (text, well)
    }

    /// The log of a process: `chain`, `indexer`, `node-05`, `validator-05`, `miner-1`.
    ///
    /// # Errors
    /// If there is none, with the names of those that there are.
    pub fn log(&self, name: &str) -> Result<PathBuf> {
        let record = self.records.noted(name);
        let there = record.map(|record| record.log).filter(|log| log.is_file());
        there.with_context(|| match self.records.names() {
            names if names.is_empty() => "nothing was started yet: there is no log".to_owned(),
            names => format!("there is no log of '{name}': write one of {}", names.join(", ")),
        })
    }

    /// Names of what runs and what should: for people who look after it in the foreground.
    ///
    /// # Errors
    /// The first process that ended though nobody asked it to, with the end of its log.
    pub fn check(&self) -> Result<()> {
        for name in self.records.names() {
            let record = self.records.noted(&name);
            if let Some(record) = record.filter(|record| !record.runs()) {
                anyhow::bail!("{name} has ended{}", process::end_of(&record.log));
            }
        }
        Ok(())
    }

    /// A program of this repository.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.config.programs.join(name));
        // What is started works on this network, whatever the environment names.
        command.env("CICADA_NETWORK", &self.config.network);
        command
    }

    /// Runs a program to its end, which must be a good one.
    pub(crate) fn run(&self, name: &str, args: impl FnOnce(&mut Command)) -> Result<()> {
        let mut command = self.program(name);
        args(command.stdin(Stdio::null()));
        let mut child = command.spawn().with_context(|| {
            format!("{}: build it first", command.get_program().to_string_lossy())
        })?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if self.broken_off.load(Ordering::Relaxed) {
                let _ = child.kill();
                let _ = child.wait();
            }
            std::thread::sleep(process::POLL);
        };
        ensure!(status.success(), "{name}: {status}");
        Ok(())
    }

    /// Waits for a process, unless all is broken off.
    pub(crate) fn until(
        &self,
        process: &mut Process,
        patience: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let broken_off = || self.broken_off.load(Ordering::Relaxed);
        process.until(patience, || broken_off() || ready())?;
        ensure!(!broken_off(), "broken off");
        Ok(())
    }
}

/// A network that goes down with this value.
#[derive(Debug)]
pub struct Owned(Localnet);

impl Owned {
    /// The network with these settings; nothing is started.
    pub fn new(config: Config) -> Self {
        Self(Localnet::new(config))
    }

    /// Its settings, for what is not started yet.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.0.config
    }
}

impl std::ops::Deref for Owned {
    type Target = Localnet;

    fn deref(&self) -> &Localnet {
        &self.0
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Err(error) = self.down(&[]) {
            warn(format!("{error:#}"));
        }
    }
}

//! What runs beside the chain: programs that answer at a port of this machine, and are found again by
//! their names.

use crate::process::{Process, Signal};
use crate::record::Record;
use crate::{http, Localnet, ANSWER, STOP};
use anyhow::{ensure, Result};
use cicada_files::{replace_secret, write_whole, PLAIN};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of them.
pub(crate) struct Service {
    /// Its name in files, and for `logs`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Where it listens, on loopback.
    pub port: u16,
    /// The page that is asked whether it is there.
    pub page: &'static str,
    /// What to do where something else is there.
    pub advice: &'static str,
}

impl Service {
    /// One that has a page `/status`.
    pub fn new(name: String, title: String, port: u16) -> Self {
        let advice = ": stop it, or choose another port (localnet --help)";
        Self { name, title, port, page: "/status", advice }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it does so.
    pub fn answers(&self) -> bool {
        http::answers(&(self.url() + self.page))
    }
}

/// How a service is started: its command, and its log.
pub(crate) type Launch = (Command, PathBuf);

/// Writes settings as TOML.
pub(crate) fn write(path: &Path, settings: &serde_json::Value) -> Result<()> {
    Ok(write_whole(path, toml::to_string(settings)?.as_bytes(), PLAIN)?)
}

/// The same of settings that hold a secret.
pub(crate) fn write_secret(path: &Path, settings: &serde_json::Value) -> Result<()> {
    Ok(replace_secret(path, toml::to_string(settings)?.as_bytes())?)
}

impl Localnet {
    /// A program that takes `run --config`.
    pub(crate) fn run_with(&self, program: &str, config: &Path) -> Command {
        let mut command = self.program(program);
        command.args(["run", "--config"]).arg(config);
        command
    }

    /// Starts those that do not run or serve something else, all at once. How many.
    pub(crate) fn start<T>(
        &self,
        serves: &str,
        all: impl Iterator<Item = (Service, T)>,
        how: impl Fn(T) -> Result<Launch>,
    ) -> Result<usize> {
        let missing = all.filter(|(service, _)| {
            let running = self.records.running(&service.name);
            running.is_none_or(|record| record.serves != serves)
        });
        self.replace(serves, missing.collect(), how)
    }

    /// Stops those that run, and starts all of them. How many.
    pub(crate) fn replace<T>(
        &self,
        serves: &str,
        all: Vec<(Service, T)>,
        how: impl Fn(T) -> Result<Launch>,
    ) -> Result<usize> {
        let names = all.iter().map(|(service, _)| service.name.as_str());
        let old = names.filter(|name| self.records.running(name).is_some());
        self.records.stop(old, Signal::TERM, STOP)?;
        let mut started = Vec::new();
        for (service, of) in all {
            let process = self.spawn(&service, serves, how(of)?)?;
            started.push((service, process));
        }
        for (service, process) in &mut started {
            self.until(process, ANSWER, || service.answers())?;
        }
        Ok(started.len())
    }

    fn spawn(&self, service: &Service, serves: &str, launch: Launch) -> Result<Process> {
        let Service { name, title, port, advice, .. } = service;
        ensure!(
            !http::taken("127.0.0.1", *port),
            "something else listens on port {port}, where {title} should{advice}"
        );
        let (mut command, log) = launch;
        let process = Process::detached(title, &mut command, &log)?;
        let program = Path::new(command.get_program());
        let record = Record::new(program, service.url(), serves.into(), log);
        self.records.note(name, &process, record)?;
        Ok(process)
    }
}

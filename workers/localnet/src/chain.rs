//! The chain: one that answers, or one that is started.

use crate::process::Process;
use crate::record::Record;
use crate::{http, ports, say, Localnet};
use anyhow::{bail, ensure, Context, Result};
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

/// How long a chain may take until it answers.
const START: Duration = Duration::from_secs(120);
/// The name of its process.
pub(crate) const NAME: &str = "chain";
/// What it serves if it was started by itself: it stays when a network goes.
pub(crate) const ALONE: &str = "alone";
/// The node that others build.
const CONTRACTS_NODE: &str = "substrate-contracts-node";

/// What kind of chain is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The project's runtime in one process, in memory
    Embedded,
    /// A Substrate node: substrate-contracts-node of the PATH, or that of this repository
    Substrate,
}

impl Kind {
    /// What the environment's `CICADA_CHAIN` says; the embedded one if it says nothing.
    ///
    /// # Errors
    /// If it is neither.
    pub fn of_environment() -> Result<Self> {
        let Ok(text) = std::env::var("CICADA_CHAIN") else {
            return Ok(Self::Embedded);
        };
        Self::from_str(&text, false).map_err(|error| anyhow::anyhow!("CICADA_CHAIN: {error}"))
    }

    /// By default.
    pub(crate) fn finalize_delay_sec(self) -> u8 {
        match self {
            Self::Embedded => 0,
            Self::Substrate => 1,
        }
    }
}

/// The WebSocket address of a node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ChainUrl {
    text: String,
    host: String,
    port: u16,
}

impl ChainUrl {
    /// On this machine.
    pub fn local(port: u16) -> Self {
        let host = "127.0.0.1".to_owned();
        Self { text: format!("ws://{host}:{port}"), host, port }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn is_local(&self) -> bool {
        matches!(self.host.as_str(), "127.0.0.1" | "localhost")
    }
}

impl Default for ChainUrl {
    fn default() -> Self {
        Self::local(9944)
    }
}

impl std::fmt::Display for ChainUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ChainUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad =
            || format!("'{text}' is no address of a node: write for example ws://127.0.0.1:9944");
        let rest = text.strip_prefix("ws://").or(text.strip_prefix("wss://")).ok_or_else(bad)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
            None => (rest, 9944),
        };
        let plain = !host.is_empty() && !host.contains(['/', ':', ' ']);
        let host = plain.then(|| host.to_owned()).ok_or_else(bad)?;
        Ok(Self { text: text.into(), host, port })
    }
}

impl TryFrom<String> for ChainUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What kind of node answers, with its name and version.
fn described(url: &str) -> Option<String> {
    let told = |method| http::rpc(url, method, json!([]))?.as_str().map(str::to_owned);
    let (name, version) = (told("system_name")?, told("system_version").unwrap_or_default());
    let kind = match name.to_lowercase().contains("embedded") {
        true => "embedded chain",
        false => "Substrate node",
    };
    Some(format!("{kind}, {name} {version}"))
}

/// Whether a node of a chain answers.
pub(crate) fn answers(url: &str) -> bool {
    http::rpc(url, "system_chain", json!([])).is_some()
}

/// What a chain is started with.
struct Start<'a> {
    kind: Kind,
    program: Option<&'a Path>,
    port: u16,
    finalize_delay_sec: u8,
    block_interval_ms: Option<u64>,
    /// Where it is kept, unless it is to be forgotten.
    kept: Option<PathBuf>,
}

impl Start<'_> {
    fn command(&self) -> Result<Command> {
        let program = match self.program {
            Some(program) => program.to_owned(),
            None => built(self.kind)?,
        };
        let mut command = Command::new(&program);
        command.args(["--rpc-port", &self.port.to_string()]);
        command.args(["--finalize-delay-sec", &self.finalize_delay_sec.to_string()]);
        match self.kind {
            Kind::Embedded => self.embedded(&mut command),
            Kind::Substrate => self.substrate(&mut command, &program),
        }
        Ok(command)
    }

    fn embedded(&self, command: &mut Command) {
        command.args(["--max-connections", "1000"]);
        if let Some(interval) = self.block_interval_ms {
            command.args(["--block-interval-ms", &interval.to_string()]);
        }
        if let Some(folder) = &self.kept {
            command.arg("--state").arg(folder.join("embedded.state"));
        }
    }

    fn substrate(&self, command: &mut Command, program: &Path) {
        command.args(["--dev", "--rpc-max-connections", "1000", "--no-prometheus"]);
        // Every block can be read for ever, as on the embedded chain.
        command.args([
            "--no-telemetry",
            "--state-pruning",
            "archive",
            "--blocks-pruning",
            "archive",
        ]);
        match &self.kept {
            Some(folder) => command.arg("--base-path").arg(folder),
            None => command.arg("--tmp"),
        };
        if !program.ends_with(CONTRACTS_NODE) {
            let folder = program.parent().unwrap_or(Path::new(""));
            command.arg("--runtime-cache").arg(folder.join("compiled"));
        }
    }
}

/// The program of a chain; it is built if it is not there.
fn built(kind: Kind) -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("CICADA_CHAIN_BINARY") {
        return Ok(program.into());
    }
    if kind == Kind::Substrate {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut there = std::env::split_paths(&path).map(|folder| folder.join(CONTRACTS_NODE));
        if let Some(found) = there.find(|program| program.is_file()) {
            return Ok(found);
        }
    }
    let script = crate::config::repository().join("scripts/node");
    let mut build = Command::new(&script);
    build.arg("build").stdin(Stdio::null()).stderr(Stdio::inherit());
    if kind == Kind::Substrate {
        build.arg("--substrate");
    }
    let output = build.output().with_context(|| script.display().to_string())?;
    ensure!(output.status.success(), "the chain was not built: {}", output.status);
    let said = String::from_utf8(output.stdout)?;
    let path = said.lines().last().context("scripts/node build names no program")?;
    Ok(path.into())
}

/// An empty chain on a port of its own, for a test: it ends with this.
pub struct OwnChain {
    /// Where it answers.
    pub url: ChainUrl,
    _process: Process,
}

impl OwnChain {
    /// Starts it, with its log in a folder. The environment's `CICADA_CHAIN` says which kind, and
    /// `CICADA_CHAIN_BINARY` the program; without that, it is built if need be.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(folder: &Path) -> Result<Self> {
        let (kind, url) = (Kind::of_environment()?, ChainUrl::local(ports::free_ports(1)[0]));
        let start = Start {
            kind,
            program: None,
            port: url.port,
            finalize_delay_sec: kind.finalize_delay_sec(),
            block_interval_ms: None,
            kept: None,
        };
        let log = folder.join("chain.log");
        let mut process = Process::start("the chain", &mut start.command()?, &log)?;
        process.until(START, || answers(url.as_str()))?;
        Ok(Self { url, _process: process })
    }

    /// Lets so much time pass, in milliseconds: the next block, an empty one, is made then.
    ///
    /// # Errors
    /// If the chain does not answer, or refuses.
    pub fn travel(&self, ms: u64) -> Result<()> {
        for (method, params) in [("dev_timeTravel", json!([ms])), ("dev_newBlock", json!([]))] {
            http::rpc(self.url.as_str(), method, params)
                .with_context(|| format!("the chain at {} refuses {method}", self.url))?;
        }
        Ok(())
    }
}

impl Localnet {
    /// Makes sure that a node answers. One that is started `alone` is ended alone.
    pub(crate) fn start_chain(&self, alone: bool) -> Result<()> {
        let (config, url) = (&self.config, self.config.url.as_str());
        if let Some(record) = self.records.running(NAME) {
            ensure!(
                record.url == url,
                "a chain of this network runs at {}: stop it first, or give the other one a state folder of its own",
                record.url
            );
        } else if let Some(what) = described(url) {
            say(format!("using the chain at {url} ({what})"));
            return Ok(());
        } else {
            self.spawn_chain(alone)?;
        }
        let record = self.records.running(NAME).context("the chain has ended")?;
        let what = described(url).with_context(|| {
            format!("the chain does not answer at {url}; its log is {}", record.log.display())
        })?;
        say(format!(
            "the chain answers at {url}: {what} (process {}, log {})",
            record.id,
            config.state.join("node/log").display()
        ));
        Ok(())
    }

    fn spawn_chain(&self, alone: bool) -> Result<()> {
        let config = &self.config;
        let ChainUrl { text: url, host, port } = &config.url;
        ensure!(config.url.is_local(), "no node answers at {url}, and one can be started on this machine only: start it there, or leave --url out");
        if http::taken(host, *port) {
            bail!("port {port} is taken by something that is no node of a chain: free it, or choose another with --url ws://{host}:{}", port.wrapping_add(1));
        }
        let folder = config.state.join("node");
        let kept = (!config.tmp).then(|| folder.join("chain"));
        if let Some(kept) = &kept {
            std::fs::create_dir_all(kept).with_context(|| kept.display().to_string())?;
        }
        let start = Start {
            kind: config.chain,
            program: config.chain_program.as_deref(),
            port: *port,
            finalize_delay_sec: config.finalize_delay_sec,
            block_interval_ms: config.block_interval_ms,
            kept,
        };
        let mut command = start.command()?;
        let log = folder.join("log");
        // Of this chain only.
        let _ = std::fs::remove_file(&log);
        say(format!("starting {}", command.get_program().to_string_lossy()));
        let mut process = Process::detached("the chain", &mut command, &log)?;
        let program = PathBuf::from(command.get_program());
        let serves = if alone { ALONE } else { "" };
        let record = Record::new(&program, url.clone(), serves.into(), log);
        self.records.note(NAME, &process, record)?;
        self.until(&mut process, START, || answers(url))
    }

    /// A line for each thing that is known of the chain; whether it answers.
    pub(crate) fn chain_status(&self) -> (String, bool) {
        let url = self.config.url.as_str();
        let Some(what) = described(url) else {
            return (format!("no node answers at {url}\n"), false);
        };
        let height = http::rpc(url, "chain_getHeader", json!([])).and_then(|header| {
            let number = header["number"].as_str()?.trim_start_matches("0x").to_owned();
            u64::from_str_radix(&number, 16).ok()
        });
        let process = self.records.running(NAME).map(|record| record.id.to_string());
        let text = format!(
            "url      {url}\nchain    {}\nnode     {what}\nblock    {}\nprocess  {}\n",
            http::rpc(url, "system_chain", json!([]))
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or("?"),
            height.map_or("?".into(), |height| height.to_string()),
            process.as_deref().unwrap_or("not started here")
        );
        (text, true)
    }
}

//! The compute market with its real programs: the command line and a provider as processes.

use crate::{programs, repository};
use anyhow::{ensure, Context, Result};
use cicada_chain::BUNDLES;
use cicada_localnet::{json, text, OwnChain, Process};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// How much of an answer is shown to people.
const SHOWN_CHARS: usize = 200;
/// How long a provider may take to be ready.
const READY: Duration = Duration::from_secs(60);

/// Where the programs and the files of one market are.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder of the programs.
    pub programs: PathBuf,
    /// The folder of the built contracts.
    pub bundles: PathBuf,
    /// The folder of everything that is written.
    pub state: PathBuf,
    /// The address of the chain's node.
    pub url: String,
    /// Whether commands and answers are shown on standard error.
    pub shown: bool,
}

impl Place {
    /// The network file.
    pub fn network(&self) -> PathBuf {
        self.state.join("network.toml")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_remove("CICADA_NETWORK").env_remove("CICADA_STATE_DIR");
        command
    }

    /// Puts the market's contracts on the chain, unless they are there.
    ///
    /// # Errors
    /// What `deploy market` says.
    pub fn deploy(&self) -> Result<()> {
        let mut command = self.program("deploy");
        command.arg("market").arg("--url").arg(&self.url).arg("--bundles").arg(&self.bundles);
        // Blocks come on demand here: nobody is late by one.
        command.args(["--slack-ms", "4000"]);
        command.arg("--network").arg(self.network());
        command.arg("--addresses").arg(self.state.join("addresses.json"));
        let output = command.output().context("deploy market")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "deploy market: {said}");
        if self.shown {
            eprint!("{said}");
        }
        Ok(())
    }

    /// Runs `cicada71` as an account and gives exit status and answer.
    ///
    /// # Errors
    /// If it cannot be run or its answer is not JSON.
    pub fn ask(&self, suri: &str, line: &str) -> Result<(i32, Value)> {
        let name = suri.trim_start_matches('/').replace('/', "-");
        let mut command = self.program("cicada71");
        command.args(line.split_whitespace());
        command.args(["--json", "--suri", suri, "--url", &self.url]);
        command.arg("--network").arg(self.network());
        command.arg("--state").arg(self.state.join(name));
        command.arg("--store").arg(self.state.join("store"));
        let output = command.output().context("cicada71")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let answer = serde_json::from_str(&text).with_context(|| {
            format!("cicada71 {line}: {text}{}", String::from_utf8_lossy(&output.stderr))
        })?;
        if self.shown {
            eprintln!("$ cicada71 --suri {suri} {line}\n  {}", short(&answer));
        }
        Ok((output.status.code().unwrap_or(-1), answer))
    }

    /// As [`Self::ask`], for commands that must succeed.
    ///
    /// # Errors
    /// If the exit status is not 0.
    pub fn must(&self, suri: &str, line: &str) -> Result<Value> {
        let (status, answer) = self.ask(suri, line)?;
        ensure!(status == 0, "cicada71 --suri {suri} {line}: exit status {status}: {answer}");
        Ok(answer)
    }

    /// A number in the answer of a command that must succeed.
    ///
    /// # Errors
    /// If it is not there.
    pub fn number(&self, suri: &str, line: &str, field: &str) -> Result<u64> {
        let answer = self.must(suri, line)?;
        answer[field].as_u64().with_context(|| format!("{line}: no {field} in {answer}"))
    }

    /// Writes a configuration for a provider with one task, and its key unless there is one.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn configure(&self, suri: &str, task: &str, port: u16) -> Result<PathBuf> {
        let folder = self.state.join("provider");
        fs::create_dir_all(&folder)?;
        let key = folder.join("key.toml");
        if !key.exists() {
            let made =
                self.program("cicada71-provider").arg("keys").arg("--out").arg(&key).output()?;
            ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let text = format!(
            "network = {:?}\nurl = {:?}\nsuri = {suri:?}\npayload_key = {key:?}\n\
             store = {:?}\nstate = \"state\"\nlisten = \"127.0.0.1:{port}\"\nauto_accept = true\n\
             poll = \"300ms\"\n\n[[task]]\nmin_price = \"0.1\"\nmin_duration = \"1s\"\n{task}\n",
            self.network(),
            self.url,
            self.state.join("store")
        );
        let path = folder.join("provider.toml");
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Starts a provider and waits until it has offered.
    ///
    /// # Errors
    /// If it ends, or is not ready in time.
    pub fn start_provider(&self, config: &Path, port: u16) -> Result<Provider> {
        let log = config.with_extension("log");
        let mut command = self.program("cicada71-provider");
        let process =
            Process::start("the provider", command.args(["run", "--config"]).arg(config), &log)?;
        let mut provider = Provider { process, port, log };
        let url = provider.url("/status");
        let offered = || json(&url).is_some_and(|status| status["offers"] != serde_json::json!({}));
        provider.process.until(READY, offered)?;
        Ok(provider)
    }
}

/// The answer as far as it fits two lines of a terminal.
fn short(answer: &Value) -> String {
    let text = answer.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A running provider; killed when dropped.
pub struct Provider {
    process: Process,
    port: u16,
    log: PathBuf,
}

impl Provider {
    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What `/status` says, if it answers.
    pub fn status(&self) -> Option<Value> {
        json(&self.url("/status"))
    }

    /// A page of its HTTP interface.
    pub fn get(&self, path: &str) -> Option<String> {
        text(&self.url(path))
    }

    /// Its log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it at once, as a crash would.
    ///
    /// # Errors
    /// If it had ended by itself.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }
}

/// A chain of its own with the market's contracts, stopped when dropped.
pub struct ComputeMarket {
    /// Where everything is.
    pub place: Place,
    _chain: OwnChain,
    _state: TempDir,
}

impl ComputeMarket {
    /// Starts a chain and deploys the market. The programs must be built.
    ///
    /// # Errors
    /// What the programs say.
    pub fn start() -> Result<Self> {
        let state = tempfile::tempdir()?;
        let chain = OwnChain::start(state.path())?;
        let place = Place {
            programs: programs(),
            bundles: repository().join(BUNDLES),
            state: state.path().to_owned(),
            url: chain.url.to_string(),
            shown: true,
        };
        place.deploy()?;
        Ok(Self { place, _chain: chain, _state: state })
    }
}

/// A port that nothing uses now.
pub fn free_port() -> u16 {
    cicada_localnet::free_ports(1)[0]
}

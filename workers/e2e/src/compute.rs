//! The compute market with its real programs: the command line and a provider as processes.

use crate::{programs, repository, script};
use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
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
    /// The market file.
    pub fn market(&self) -> PathBuf {
        self.state.join("market.toml")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_remove("CICADA_NETWORK").env_remove("CICADA_STATE_DIR");
        command
    }

    /// Puts the market's contracts on the chain, unless they are there.
    ///
    /// # Errors
    /// What `deploy-market` says.
    pub fn deploy(&self) -> Result<()> {
        let mut command = self.program("deploy-market");
        command.arg("--url").arg(&self.url).arg("--bundles").arg(&self.bundles);
        command.arg("--out").arg(self.market());
        // Blocks come on demand here: nobody is late by one.
        command.args(["--slack-ms", "4000"]);
        command.arg("--network").arg(self.state.join("network.toml"));
        command.arg("--addresses").arg(self.state.join("addresses.json"));
        let output = command.output().context("deploy-market")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "deploy-market: {said}");
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
        command.arg("--network").arg(self.market()).arg("--bundles").arg(&self.bundles);
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
            "market = {:?}\nbundles = {:?}\nurl = {:?}\nsuri = {suri:?}\npayload_key = {key:?}\n\
             store = {:?}\nstate = \"state\"\nlisten = \"127.0.0.1:{port}\"\nauto_accept = true\n\
             poll = \"300ms\"\n\n[[task]]\n{task}\n",
            self.market(),
            self.bundles,
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
        let file = File::options().create(true).append(true).open(&log)?;
        let child = self
            .program("cicada71-provider")
            .args(["run", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .context("cicada71-provider")?;
        let mut provider = Provider { child, port, log };
        let deadline = Instant::now() + READY;
        while provider.status().is_none_or(|status| status["offers"] == serde_json::json!({})) {
            if let Some(status) = provider.child.try_wait()? {
                bail!("the provider ended with {status}: {}", provider.log());
            }
            ensure!(Instant::now() < deadline, "the provider is not ready: {}", provider.log());
            std::thread::sleep(Duration::from_millis(100));
        }
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
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Provider {
    /// What `/status` says, if it answers.
    pub fn status(&self) -> Option<Value> {
        serde_json::from_str(&self.get("/status")?).ok()
    }

    /// A page of its HTTP interface.
    pub fn get(&self, path: &str) -> Option<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_owned())
    }

    /// Its log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A chain of its own with the market's contracts, stopped when dropped.
pub struct ComputeMarket {
    /// Where everything is.
    pub place: Place,
    _state: TempDir,
}

impl ComputeMarket {
    /// Starts a chain and deploys the market. The programs must be built.
    ///
    /// # Errors
    /// What the scripts and programs say.
    pub fn start() -> Result<Self> {
        let state = tempfile::tempdir()?;
        let place = Place {
            programs: programs(),
            bundles: repository().join("contracts/target/ink"),
            state: state.path().to_owned(),
            url: format!("ws://127.0.0.1:{}", free_port()?),
            shown: true,
        };
        let market = Self { place, _state: state };
        market.node("start")?;
        market.place.deploy()?;
        Ok(market)
    }

    fn node(&self, command: &str) -> Result<()> {
        let output = script("node")
            .args([command, "--tmp", "--url", &self.place.url])
            .env("CICADA_STATE", &self.place.state)
            // The node would keep a pipe of ours open.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(output.success(), "scripts/node {command}: {output}");
        Ok(())
    }
}

impl Drop for ComputeMarket {
    fn drop(&mut self) {
        let _ = self.node("stop");
    }
}

/// A port that nothing uses now.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

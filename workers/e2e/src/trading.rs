//! The exchange of a deployment: the indexer beside it, and the command that people type.

use crate::{client, free_ports, repository, Deployment};
use cicada_chain::BUNDLES;
use serde_json::Value;
use std::fs;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

/// How long the indexer may take until it answers, or has a block.
const PATIENCE: Duration = Duration::from_secs(60);

/// An indexer of a deployment, killed when this is dropped.
pub struct Indexer {
    url: String,
    process: Child,
}

impl Drop for Indexer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Indexer {
    /// Starts one that reads the chain from its beginning.
    pub fn start(deployment: &Deployment) -> Self {
        let folder = deployment.state.path().join("indexer");
        fs::create_dir_all(&folder).expect("a folder for the indexer");
        let port = free_ports(1);
        let text = format!(
            "url = {:?}\nbundles = {:?}\naddresses = {:?}\ndata = \"data\"\n\
             listen = \"127.0.0.1:{port}\"\npoll = \"200ms\"\n",
            deployment.url,
            repository().join(BUNDLES),
            deployment.addresses(),
        );
        let config = folder.join("indexer.toml");
        fs::write(&config, text).expect("the indexer's configuration");
        let log = fs::File::create(folder.join("log")).expect("the indexer's log");
        let mut command = deployment.command("cicada71-indexer");
        command.args(["run", "--config"]).arg(&config).stdin(Stdio::null());
        let process = command.stdout(Stdio::null()).stderr(log).spawn();
        let process = process.expect("the indexer can be run");
        Self { url: format!("http://127.0.0.1:{port}"), process }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its answer, once it has a block.
    pub async fn get_at(&self, block: u64, path: &str) -> Value {
        let begin = Instant::now();
        while self.get("/status").await.is_none_or(|status| status["block"].as_u64() < Some(block))
        {
            assert!(begin.elapsed() < PATIENCE, "the indexer is not at block {block}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.get(path).await.unwrap_or_else(|| panic!("no answer to {path}"))
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let url = format!("{}{path}", self.url);
        let request = client().get(url).timeout(Duration::from_secs(5));
        request.send().await.ok()?.json().await.ok()
    }
}

impl Deployment {
    /// Runs `cicada71 …` for a development account and this indexer.
    pub fn runs(&self, indexer: &Indexer, suri: &str, words: &[&str]) -> Output {
        let mut command = self.command("cicada71");
        command.args(words).args(["--suri", suri, "--indexer", indexer.url()]);
        command.env("XDG_CONFIG_HOME", self.state.path());
        command.output().expect("cicada71 can be run")
    }

    /// The same with `--json`; it must succeed.
    pub fn cicada71(&self, indexer: &Indexer, suri: &str, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().chain(&["--json"]).copied().collect();
        let output = self.runs(indexer, suri, &words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cicada71 {words:?}: {}\n{errors}", output.status);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

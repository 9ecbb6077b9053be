//! The exchange of a deployment: the indexer beside it, and the command that people type.

use super::{client, Deployment};
use cicada_localnet::Part;
use serde_json::Value;
use std::process::Output;
use std::time::{Duration, Instant};

/// How long the indexer may take until it has a block.
const PATIENCE: Duration = Duration::from_secs(60);

/// The indexer of a deployment; it ends with that.
pub struct Indexer {
    url: String,
}

impl Indexer {
    /// Starts one that reads the chain from its beginning.
    pub fn start(deployment: &Deployment) -> Self {
        deployment.net.up(&[Part::Indexer]).expect("the indexer runs");
        Self { url: deployment.net.indexer_url() }
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
        client().get(&format!("{}{path}", self.url)).await.ok()
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

//! The indexer of the exchange, and the contracts of the compute market.

use crate::record::Record;
use crate::{http, say, Localnet, Row, ANSWER};
use anyhow::{Context, Result};
use serde_json::json;
use std::fs;
use std::path::Path;

const NAME: &str = "indexer";
/// The page that is asked whether it is there.
const PAGE: &str = "/status";

impl Localnet {
    /// Where the indexer answers.
    pub fn indexer_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.config.indexer_port)
    }

    pub(crate) fn indexer_row(&self) -> Row {
        Row { name: NAME.into(), title: NAME.into(), url: self.indexer_url(), page: PAGE }
    }

    pub(crate) fn start_indexer(&self) -> Result<()> {
        let (config, network) = (&self.config, self.network()?);
        let exchange =
            network.chain.exchange.context("there is no exchange yet: start it first")?;
        // A store is of one exchange.
        let exchange = hex::encode(exchange)[..16].to_owned();
        let folder = config.state.join(NAME).join(&exchange);
        if !self.is_current(NAME, &exchange)? {
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
            let path = folder.join("indexer.toml");
            let settings = json!({
                "url": config.url.as_str(),
                "addresses": config.addresses,
                "data": "data",
                "listen": self.indexer_url().trim_start_matches("http://"),
                "poll": "200ms",
            });
            fs::write(&path, toml::to_string(&settings)?)
                .with_context(|| path.display().to_string())?;
            let program = Path::new("cicada71-indexer");
            let record = Record::new(program, self.indexer_url(), exchange, folder.join("log"));
            let (mut process, url) = self.spawn_service(NAME, &path, record)?;
            self.until(&mut process, ANSWER, || http::answers(&(url.clone() + PAGE)))?;
        }
        say(format!(
            "the indexer answers at {}; its store and log are in {}",
            self.indexer_url(),
            folder.display()
        ));
        Ok(())
    }

    pub(crate) fn deploy_market(&self) -> Result<()> {
        let config = &self.config;
        self.run("deploy-market", |command| {
            command.args(["--url", config.url.as_str()]);
            command.arg("--bundles").arg(&config.bundles);
            command.arg("--out").arg(config.state.join("market.toml"));
            command.arg("--network").arg(self.network_file());
            command.arg("--addresses").arg(&config.addresses);
        })
    }
}

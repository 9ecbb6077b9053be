//! The indexer of the exchange.

use crate::service::{write, Service};
use crate::{say, Localnet};
use anyhow::{Context, Result};
use cicada_network::ContractName;
use serde_json::json;

const NAME: &str = "indexer";

impl Localnet {
    pub(crate) fn indexer(&self) -> Service {
        Service::new(NAME.into(), NAME.into(), self.config.indexer_port)
    }

    /// Where the indexer answers.
    pub fn indexer_url(&self) -> String {
        self.indexer().url()
    }

    pub(crate) fn start_indexer(&self) -> Result<()> {
        let (config, network) = (&self.config, self.deployment()?);
        let exchange = network.contracts.get(ContractName::Exchange);
        let exchange = exchange.context("there is no exchange yet: start it first")?;
        // A store is of one exchange.
        let exchange = hex::encode(exchange)[..16].to_owned();
        let folder = config.state.join(NAME).join(&exchange);
        self.start(&exchange, [(self.indexer(), ())].into_iter(), |()| {
            let path = folder.join("indexer.toml");
            write(
                &path,
                &json!({
                    "network": config.network,
                    "url": config.url.as_str(),
                    "data": "data",
                    "listen": self.indexer_url().trim_start_matches("http://"),
                    "poll": "200ms",
                }),
            )?;
            Ok((self.run_with("cicada71-indexer", &path), folder.join("log")))
        })?;
        say(format!(
            "the indexer answers at {}; its store and log are in {}",
            self.indexer_url(),
            folder.display()
        ));
        Ok(())
    }
}

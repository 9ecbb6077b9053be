//! Start and end of a provider.

use crate::config::{Config, Isolation};
use crate::job::{clean_up, end_all_of};
use crate::restrict::lock;
use crate::rounds::Provider;
use crate::sandbox::{can_cut_off, Sandbox};
use crate::state::{Identity, State};
use crate::status::{router, Metrics, Shown};
use crate::worker::{Isolated, Worker};
use anyhow::{bail, Context, Result};
use cicada_chain::account_of;
use cicada_market::Market;
use cicada_network::Deployment;
use cicada_program::{termination, Server};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Between two attempts to connect.
const AGAIN: Duration = Duration::from_secs(2);

async fn market(config: &Config) -> Result<(Market, Identity)> {
    let file = Deployment::load(&config.network)?;
    let market = Market::connect(&file, config.url.as_deref()).await?;
    let (genesis, auction) = (market.at.genesis, market.at.auction);
    let first_block = market.chain.first_block().await?;
    Ok((market, Identity { genesis, first_block, auction }))
}

fn isolation(config: &Config, own_program: &Path) -> Result<Isolated> {
    let account = config.account_of_jobs(nix::unistd::geteuid().is_root(), 0);
    let network = config.network_isolation != Isolation::Off;
    let sandbox = Sandbox::find(own_program, account, network);
    let network = network && (sandbox.is_some() || can_cut_off(own_program, account));
    if config.network_isolation == Isolation::Required && (sandbox.is_none() || !network) {
        bail!("this system does not let a job have a world of its own: install bubblewrap ('apt-get install bubblewrap') and allow user namespaces, or set network_isolation = \"if-possible\" and take public jobs only");
    }
    if account.is_none() && sandbox.is_none() && !config.unprotected {
        bail!("jobs would run as this user and could read its files, its keys among them: install bubblewrap ('apt-get install bubblewrap') and allow user namespaces, or start the provider as root, or set unprotected = true if your commands do nothing that a payload could choose");
    }
    Ok(Isolated { sandbox, network })
}

/// Connects as the configuration says.
///
/// # Errors
/// In words.
pub async fn connect(config: &Config, metrics: Arc<Metrics>) -> Result<Worker> {
    let own_program = std::env::current_exe().context("finding this program")?;
    let isolation = isolation(config, &own_program)?;
    let signer = config.signer()?;
    let (key, stores) = (config.provider_key()?, config.stores()?);
    let (market, identity) = market(config).await?;
    let state = State::open(&config.state, &identity)?;
    let parameters = market.parameters().await?;
    Ok(Worker {
        connection: market.into(),
        own: account_of(&signer),
        signer,
        key,
        stores,
        identity,
        parameters,
        state,
        isolation,
        own_program,
        metrics,
        config: config.clone(),
    })
}

/// Runs a provider until Ctrl-C or SIGTERM. Jobs that run then are stopped; the next start runs
/// them again if there is time.
///
/// # Errors
/// In words, if it cannot start, or the market is another one than at the start.
pub async fn run(config: &Config) -> Result<()> {
    let _lock = lock(&State::lock_file(&config.state)?).map_err(anyhow::Error::msg)?;
    let (folder, prefix) = config.workplaces();
    clean_up(&folder, &prefix);
    config.accounts_of_jobs(nix::unistd::geteuid().is_root()).for_each(end_all_of);
    let metrics = Arc::new(Metrics::new());
    let shown = Shown { metrics: metrics.clone(), view: Arc::default() };
    let mut serving = tokio::task::JoinSet::new();
    if let Some(listen) = config.listen {
        let server = Server::bind(listen).await?.known_as(config.hosts.clone());
        serving.spawn(server.serve(router(shown.clone()), std::future::pending()));
    }
    let worker = Arc::new(connect(config, metrics).await?);
    let mut provider = Provider::new(worker.clone(), shown);
    provider.announce();
    tokio::select! {
        ended = termination() => ended,
        failed = follow(config, &worker, &mut provider) => failed,
        Some(ended) = serving.join_next() => {
            ended.context("the HTTP server has ended")?;
            bail!("the HTTP server has ended");
        }
    }
}

/// Follows the market over one connection after the other. Jobs belong to the process: they go on
/// meanwhile.
async fn follow(config: &Config, worker: &Worker, provider: &mut Provider) -> Result<()> {
    loop {
        provider.follow().await;
        tracing::warn!("the connection is lost: connecting again");
        let mut said = String::new();
        loop {
            match market(config).await {
                Ok((market, identity)) if identity == worker.identity => {
                    worker.go_on_over(market);
                    tracing::info!("connected again");
                    break;
                }
                Ok(_) => bail!(
                    "the market is another one than before, or its chain was reset: start again"
                ),
                Err(error) => {
                    let text = format!("{error:#}");
                    if text != said {
                        tracing::warn!("{text}");
                        said = text;
                    }
                }
            }
            provider.pause(AGAIN).await;
        }
    }
}

//! Start and end of a provider.

use crate::config::{Config, Isolation};
use crate::job::clean_up;
use crate::restrict::{can_isolate, lock};
use crate::rounds::Provider;
use crate::state::State;
use crate::status::{router, Metrics, Shown};
use crate::work::Worker;
use anyhow::{bail, Context, Result};
use cicada_chain::account_of;
use cicada_market::{Market, MarketFile};
use cicada_program::termination;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Connects as the configuration says.
///
/// # Errors
/// In words.
pub async fn connect(config: &Config, metrics: Arc<Metrics>) -> Result<Worker> {
    let file = MarketFile::load(&config.market)?;
    let own_program = std::env::current_exe().context("finding this program")?;
    let account = config.account_of_jobs(nix::unistd::geteuid().is_root());
    let isolated = match config.network_isolation {
        Isolation::Off => false,
        wanted => {
            let can = can_isolate(&own_program, account);
            if wanted == Isolation::Required && !can {
                bail!("this system does not let a job be cut off from the network (user namespaces are forbidden): allow them, or set network_isolation = \"off\" and cut the provider off by other means");
            }
            can
        }
    };
    let signer = config.signer()?;
    Ok(Worker {
        market: Market::connect(file, &config.bundles, config.url.as_deref()).await?,
        own: account_of(&signer),
        signer,
        key: config.provider_key()?,
        stores: config.stores()?,
        state: State::open(&config.state)?,
        isolated,
        own_program,
        metrics,
        config: config.clone(),
    })
}

/// Runs a provider until Ctrl-C or SIGTERM. Jobs that run then are stopped; the next start runs
/// them again if there is time.
///
/// # Errors
/// In words, if it cannot start.
pub async fn run(config: &Config) -> Result<()> {
    let state = State::open(&config.state)?;
    let _lock = lock(&state.lock_file()).map_err(anyhow::Error::msg)?;
    let (folder, prefix) = config.workplaces();
    clean_up(&folder, &prefix);
    let metrics = Arc::new(Metrics::new());
    let shown = Shown { metrics: metrics.clone(), view: Arc::default() };
    if let Some(listen) = config.listen {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        let routes = router(shown.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }
    let mut ended = std::pin::pin!(termination());
    let mut worker = connect(config, metrics.clone()).await?;
    loop {
        let mut provider = Provider::new(Arc::new(worker), shown.clone());
        provider.announce();
        tokio::select! {
            ended = &mut ended => return ended,
            () = provider.follow() => {}
        }
        drop(provider);
        worker = loop {
            tracing::warn!("the connection is lost: connecting again");
            match connect(config, metrics.clone()).await {
                Ok(worker) => break worker,
                Err(error) => tracing::warn!("{error:#}"),
            }
            tokio::select! {
                ended = &mut ended => return ended,
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
            }
        };
    }
}

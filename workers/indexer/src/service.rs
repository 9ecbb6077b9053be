//! Start and end.

use crate::config::Config;
use crate::contracts::Contracts;
use crate::follow::Follower;
use crate::http::{router, App};
use crate::readers::Readers;
use crate::store::{self, Store, StoreError};
use anyhow::{Context, Result};
use cicada_program::{count, say, termination, Server};
use std::sync::Arc;
use std::time::Duration;

/// How long to wait before connecting again.
const AGAIN: Duration = Duration::from_secs(2);

async fn open(config: &Config) -> Result<Follower> {
    let (network, exchange, from_block) = config.place()?;
    let known = store::genesis(&config.data)?;
    let contracts = Contracts::connect(config, &network, exchange, known).await?;
    let identity = contracts.identity;
    let store = Store::open(&config.data, &identity)?;
    let app = App::new(identity, Readers::new(config.data.clone()));
    let mut follower = Follower::new(contracts, store, from_block, app)?;
    follower.check().await?;
    Ok(follower)
}

/// Whether only another configuration helps.
fn hopeless(error: &anyhow::Error) -> bool {
    let network = error.downcast_ref::<cicada_network::Error>();
    matches!(network, Some(cicada_network::Error::OtherChain { .. }))
        || matches!(
            error.downcast_ref::<StoreError>(),
            Some(
                StoreError::OtherBlock(_)
                    | StoreError::Foreign { .. }
                    | StoreError::Incomplete { .. }
                    | StoreError::Inconsistent { .. }
            )
        )
}

/// Follows the chain until the process ends, or nothing but another configuration helps.
async fn follow(mut follower: Follower, config: Config) -> Result<()> {
    let app: Arc<App> = follower.app.clone();
    let poll = Duration::from(config.poll);
    let (exchange, genesis) = (app.identity.exchange, app.identity.genesis);
    loop {
        let Err(error) = follower.catch_up().await else {
            count(&app.metrics.looks, "ok");
            app.set_problem(None);
            tokio::time::sleep(poll).await;
            continue;
        };
        count(&app.metrics.looks, "failed");
        if hopeless(&error) {
            return Err(error);
        }
        tracing::warn!("following the chain: {error:#}; connecting again");
        app.set_problem(Some(format!("{error:#}")));
        tokio::time::sleep(AGAIN).await;
        let again = async {
            let (network, ..) = config.place()?;
            let contracts = Contracts::connect(&config, &network, exchange, Some(genesis)).await?;
            follower.reconnect(contracts).await
        };
        match again.await {
            Err(error) if hopeless(&error) => return Err(error),
            Err(error) => {
                tracing::warn!("{error:#}");
                app.set_problem(Some(format!("{error:#}")));
            }
            Ok(()) => {}
        }
    }
}

/// Runs an indexer until Ctrl-C or SIGTERM.
///
/// # Errors
/// In words, if it cannot start, or the chain is not the one in the store.
pub async fn run(config: Config) -> Result<()> {
    let follower = open(&config).await?;
    let server = Server::bind(config.listen).await?.known_as(config.hosts.clone());
    tracing::info!("HTTP on {}", server.address()?);
    let routes = router(follower.app.clone());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        server.serve(routes, std::future::pending()).await;
        Ok(())
    });
    tasks.spawn(follow(follower, config));
    tokio::select! {
        ended = termination() => ended,
        ended = tasks.join_next() => {
            ended.context("nothing runs")???;
            anyhow::bail!("a part of this process has ended");
        }
    }
}

/// Says what a configuration comes to.
///
/// # Errors
/// In words.
pub async fn check(config: Config) -> Result<()> {
    let follower = open(&config).await?;
    let identity = follower.contracts.identity;
    say!("exchange {}", identity.exchange);
    say!("MMC {}", identity.currency);
    say!("leaderboard {}", identity.leaderboard);
    let newest = follower.contracts.chain.final_block().await?;
    match follower.store.cursor()? {
        Some(cursor) => say!("block {} of {newest} is in the store", cursor.block),
        None => {
            say!("the store is empty; block {} of {newest} is the first", follower.from_block)
        }
    }
    // The node must still have the next block.
    let next =
        follower.store.cursor()?.map_or(follower.from_block, |at| at.block.saturating_add(1));
    if next <= newest {
        follower.contracts.fetch(next).await?;
    }
    Ok(())
}

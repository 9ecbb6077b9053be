//! Start and end.

use crate::config::Config;
use crate::contracts::Contracts;
use crate::looks::Miner;
use crate::status::{router, Shown, Status, View};
use anyhow::{anyhow, Context, Result};
use cicada_chain::address;
use cicada_program::{now_ms, termination};
use std::time::Duration;
use tokio::net::TcpListener;

fn view(contracts: &Contracts, dry_run: bool) -> View {
    let status = Status {
        account: address(&contracts.own),
        index: address(&contracts.index),
        pair: address(&contracts.pair),
        dry_run,
        started_ms: now_ms(),
        ..Status::default()
    };
    View { status, ..View::default() }
}

/// Runs a miner until Ctrl-C or SIGTERM, which a batch that has begun still outlives. A dry run
/// prints what it would do, one JSON object a look.
///
/// # Errors
/// In words, if it cannot start. The address of HTTP also keeps a second miner of the same
/// configuration from starting.
pub async fn run(config: &Config, dry_run: bool) -> Result<()> {
    let listen = config.listen;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let contracts = Contracts::connect(config).await?;
    let shown = Shown::new(view(&contracts, dry_run));
    let mut miner = Miner::new(contracts, config, dry_run, shown.clone())?;
    tokio::spawn(async move { axum::serve(listener, router(shown)).await });
    let mut ended = tokio::spawn(termination());
    loop {
        if let Err(error) = look(&mut miner).await {
            tracing::warn!("{error:#}");
            match Contracts::connect(config).await {
                Ok(contracts) => miner.reconnect(contracts),
                Err(error) => tracing::warn!("{error:#}"),
            }
        }
        tokio::select! {
            ended = &mut ended => return ended.map_err(|error| anyhow!("{error}"))?,
            () = tokio::time::sleep(Duration::from_millis(config.poll)) => {}
        }
    }
}

/// Looks once, and ends.
///
/// # Errors
/// In words.
pub async fn once(config: &Config, dry_run: bool) -> Result<()> {
    let contracts = Contracts::connect(config).await?;
    let shown = Shown::new(view(&contracts, dry_run));
    let mut miner = Miner::new(contracts, config, dry_run, shown.clone())?;
    look(&mut miner).await?;
    if !dry_run {
        let arbitrage = shown.view().arbitrage.clone();
        println!("{}", serde_json::to_string(&arbitrage)?);
    }
    Ok(())
}

async fn look(miner: &mut Miner) -> Result<()> {
    if let Some(rehearsal) = miner.look().await? {
        println!("{}", serde_json::to_string(&rehearsal)?);
    }
    Ok(())
}

//! Start and end.

use crate::config::Config;
use crate::contracts::Contracts;
use crate::looks::Miner;
use crate::status::{router, Shown, Status, View};
use anyhow::{anyhow, bail, ensure, Result};
use cicada_program::{now_ms, say, termination, Server};

/// A miner that looks for the first time, and what it shows.
async fn begin(config: &Config, dry_run: bool) -> Result<(Miner, Shown)> {
    let contracts = Contracts::connect(config).await?;
    let status = Status {
        account: contracts.own.to_string(),
        index: contracts.index.to_string(),
        pair: contracts.pair.to_string(),
        dry_run,
        started_ms: now_ms(),
        ..Status::default()
    };
    let shown = Shown::new(View { status, ..View::default() });
    Ok((Miner::new(contracts, config, dry_run, shown.clone())?, shown))
}

/// Runs a miner until Ctrl-C or SIGTERM, which a batch that has begun still outlives. A dry run
/// prints what it would do, one JSON object a look.
///
/// # Errors
/// In words, if it cannot start. The address of HTTP also keeps a second miner of the same
/// configuration from starting.
pub async fn run(config: &Config, dry_run: bool) -> Result<()> {
    let server = Server::bind(config.listen).await?.known_as(config.hosts.clone());
    let (mut miner, shown) = begin(config, dry_run).await?;
    let mut serving = tokio::spawn(server.serve(router(shown), std::future::pending()));
    let mut ended = tokio::spawn(termination());
    // The same warning is worth one line.
    let mut said = String::new();
    loop {
        match look(&mut miner).await {
            Ok(()) => said.clear(),
            Err(error) => {
                let text = format!("{error:#}");
                if text != said {
                    tracing::warn!("{text}");
                    said = text;
                }
                reconnect(&mut miner, config).await?;
            }
        }
        tokio::select! {
            ended = &mut ended => return ended.map_err(|error| anyhow!("{error}"))?,
            _ = &mut serving => bail!("the HTTP server has ended"),
            () = tokio::time::sleep(config.poll.into()) => {}
        }
    }
}

/// Goes on over another connection, to the same contracts on the same chain.
async fn reconnect(miner: &mut Miner, config: &Config) -> Result<()> {
    match Contracts::connect(config).await {
        Ok(contracts) => {
            ensure!(
                contracts.place == miner.place(),
                "the chain was reset, or is another one: start again"
            );
            miner.reconnect(contracts);
        }
        Err(error) => tracing::debug!("{error:#}"),
    }
    Ok(())
}

/// Looks once, and ends.
///
/// # Errors
/// In words.
pub async fn once(config: &Config, dry_run: bool) -> Result<()> {
    let (mut miner, shown) = begin(config, dry_run).await?;
    look(&mut miner).await?;
    if !dry_run {
        let arbitrage = shown.view().arbitrage.clone();
        say!("{}", serde_json::to_string(&arbitrage)?);
    }
    Ok(())
}

async fn look(miner: &mut Miner) -> Result<()> {
    if let Some(rehearsal) = miner.look().await? {
        say!("{}", serde_json::to_string(&rehearsal)?);
    }
    Ok(())
}

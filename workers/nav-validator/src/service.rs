//! Start and end.

use crate::agree::Agreement;
use crate::baskets::Baskets;
use crate::config::{Config, Place};
use crate::contracts::Contracts;
use crate::epochs::Schedule;
use crate::follow::Follower;
use crate::http::{router, Claims};
use crate::metrics::Metrics;
use crate::observe::Observer;
use crate::peers::Peers;
use crate::store::Store;
use anyhow::{ensure, Context, Result};
use cicada_chain::signer_from_seed;
use cicada_network::NodeKeys;
use cicada_program::{count, now_ms, say, termination, Server};
use cicada_settlement::Underways;
use parity_scale_codec::Encode;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long to wait before connecting again.
const AGAIN: Duration = Duration::from_secs(2);

/// What all parts of a validator share.
pub struct App {
    /// Settings.
    pub config: Config,
    /// Where the index is.
    pub place: Place,
    /// What survives.
    pub store: Arc<Store>,
    /// Who signs, if this process has keys.
    pub observer: Option<Arc<Observer>>,
    /// When epochs are, if there is a contract of rewards.
    pub schedule: Option<Schedule>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// The other validators, and the consensus node.
    pub peers: Peers,
    /// A NAV is wanted now.
    pub demand: Notify,
    /// A new basket is wanted now.
    pub rebalance: Notify,
    /// Finds the basket, if this process does.
    pub baskets: Option<Baskets>,
    /// Since when it runs.
    pub started: Instant,
    /// The newest ranking, with its block.
    pub rankings: tokio::sync::Mutex<Option<(Option<u64>, serde_json::Value)>>,
    /// The newest claims on the chain.
    pub claims: Mutex<Option<Arc<Claims>>>,
    contracts: RwLock<Arc<Contracts>>,
    settled_epoch: AtomicU64,
    seen_epoch: AtomicU64,
    last_of_nav: Mutex<Option<(u64, String)>>,
    chain_problem: Mutex<Option<String>>,
    // Held as long as this process runs.
    _only_user: Option<File>,
}

/// Makes this process the only validator that signs with a key file on this machine: another, with a
/// data folder of its own, would sign another value.
fn claim(keys: &Path) -> Result<File> {
    let file = File::open(keys).with_context(|| keys.display().to_string())?;
    let taken = || format!("another validator runs with the keys {}", keys.display());
    file.try_lock().with_context(taken)?;
    Ok(file)
}

impl App {
    /// Opens everything that a configuration names.
    ///
    /// # Errors
    /// In words.
    pub async fn open(config: Config) -> Result<Arc<Self>> {
        let place = config.place()?;
        let contracts = Contracts::connect(&place).await?;
        let schedule = schedule(&config, &contracts).await?;
        let identity = (
            contracts.chain.genesis(),
            place.index,
            place.rewards,
            config.epoch.map(|length| length.0),
        );
        let store = Arc::new(Store::open(&config.data, &identity.encode())?);
        let only_user = config.keys.as_deref().map(claim).transpose()?;
        let keys = config.keys.as_deref().map(NodeKeys::load).transpose()?.map(Arc::new);
        let peers = Peers::new(config.peers.clone(), config.paxos.clone(), keys.clone())?;
        let observer = keys.map(|keys| {
            let (prices, told) = (config.prices.as_deref(), config.nav.clone());
            Arc::new(Observer::new(keys, store.clone(), prices, config.nav_interval.0, told))
        });
        Ok(Arc::new(Self {
            peers,
            metrics: Arc::new(Metrics::new()),
            demand: Notify::new(),
            rebalance: Notify::new(),
            baskets: Baskets::new(&config, &place),
            started: Instant::now(),
            rankings: tokio::sync::Mutex::default(),
            claims: Mutex::default(),
            contracts: RwLock::new(Arc::new(contracts)),
            settled_epoch: AtomicU64::new(0),
            seen_epoch: AtomicU64::new(0),
            last_of_nav: Mutex::default(),
            chain_problem: Mutex::default(),
            config,
            place,
            store,
            observer,
            schedule,
            _only_user: only_user,
        }))
    }

    /// The contracts, over the newest connection.
    pub fn contracts(&self) -> Arc<Contracts> {
        self.contracts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest epoch that the chain settled, as far as anything here has asked: to be shown.
    pub fn epoch_on_chain(&self) -> u64 {
        self.seen_epoch.load(Ordering::Relaxed).max(self.settled_epoch())
    }

    /// Notes that the chain has settled it, for [`Self::epoch_on_chain`] alone.
    pub fn saw_epoch(&self, epoch: u64) {
        self.seen_epoch.fetch_max(epoch, Ordering::Relaxed);
    }

    /// The newest epoch that the chain settled and that the consensus node has been told.
    pub fn settled_epoch(&self) -> u64 {
        self.settled_epoch.load(Ordering::Relaxed)
    }

    /// Notes it.
    pub fn set_settled_epoch(&self, epoch: u64) {
        self.settled_epoch.store(epoch, Ordering::Relaxed);
    }

    /// Notes how the last round about the NAV ended.
    pub fn said_of_nav(&self, text: String) {
        let mut last = self.last_of_nav.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((now_ms(), text));
    }

    /// How it ended, and when.
    pub fn last_of_nav(&self) -> Option<(u64, String)> {
        self.last_of_nav.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the chain cannot be followed now.
    pub fn chain_problem(&self) -> Option<String> {
        self.chain_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_chain_problem(&self, problem: Option<String>) {
        *self.chain_problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// Whether this process signs and proposes.
    fn is_agreeing(&self) -> bool {
        self.observer.is_some() && self.peers.has_node()
    }

    fn follower(&self) -> Follower {
        self.follower_of(self.contracts())
    }

    fn follower_of(&self, contracts: Arc<Contracts>) -> Follower {
        Follower {
            contracts,
            store: self.store.clone(),
            schedule: self.schedule,
            from_block: self.place.from_block,
            awards: self.config.awards.clone().filter(|_| !self.is_agreeing()),
            metrics: self.metrics.clone(),
        }
    }

    /// Connects again, to the same chain.
    async fn connect(&self) -> Result<()> {
        let fresh = Arc::new(Contracts::connect(&self.place).await?);
        // First the check: what fails it is not followed.
        self.follower_of(fresh.clone()).check().await?;
        *self.contracts.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Follows the chain until the process ends.
    async fn follow(&self) {
        let poll = Duration::from(self.config.poll);
        loop {
            match self.follower().catch_up().await {
                Ok(()) => {
                    count(&self.metrics.looks, "ok");
                    self.set_chain_problem(None);
                    tokio::time::sleep(poll).await;
                }
                Err(error) => {
                    count(&self.metrics.looks, "failed");
                    tracing::warn!("following the chain: {error:#}; connecting again");
                    self.set_chain_problem(Some(format!("{error:#}")));
                    tokio::time::sleep(AGAIN).await;
                    if let Err(error) = self.connect().await {
                        tracing::warn!("{error:#}");
                        self.set_chain_problem(Some(format!("{error:#}")));
                    }
                }
            }
        }
    }
}

async fn schedule(config: &Config, contracts: &Contracts) -> Result<Option<Schedule>> {
    if contracts.rewards.is_none() {
        return Ok(None);
    }
    let terms = contracts.reward_terms().await?;
    let length = config.epoch.map_or(terms.min_epoch_ms, |length| length.0);
    ensure!(
        length >= terms.min_epoch_ms,
        "epoch is {length} ms, and the contract allows none below {} ms",
        terms.min_epoch_ms
    );
    let schedule = Schedule::new(terms.start_ms, length);
    schedule.context("an epoch has at most 31 days: set `epoch`").map(Some)
}

/// Runs a validator until Ctrl-C or SIGTERM.
///
/// # Errors
/// In words, if it cannot start.
pub async fn run(config: Config) -> Result<()> {
    let (listen, hosts) = (config.listen, config.hosts.clone());
    let app = App::open(config).await?;
    let follower = app.follower();
    follower.check().await?;
    follower.write_awards()?;
    let server = Server::bind(listen).await?.known_as(hosts);
    tracing::info!("HTTP on {}", server.address()?);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(server.serve(router(app.clone()), std::future::pending()));
    let following = app.clone();
    tasks.spawn(async move { following.follow().await });
    match &app.observer {
        Some(observer) if app.peers.has_node() => {
            let signer = signer_from_seed(observer.keys.operator_seed())?;
            let (app, observer) = (app.clone(), observer.clone());
            // The next look comes soon, and the other feeds do not wait.
            let underways = Underways::new(Duration::ZERO);
            tasks.spawn(Agreement { app, observer, signer, underways }.run());
        }
        Some(_) => tracing::info!("no consensus node is configured: nothing is proposed"),
        None => tracing::info!("no keys are configured: nothing is signed"),
    }
    tokio::select! {
        ended = termination() => ended,
        ended = tasks.join_next() => {
            ended.context("nothing runs")??;
            anyhow::bail!("a part of this process has ended");
        }
    }
}

/// Says what a configuration comes to.
///
/// # Errors
/// In words.
pub async fn check(config: Config) -> Result<()> {
    let app = App::open(config).await?;
    app.follower().check().await?;
    let contracts = app.contracts();
    let office = contracts.office().await?;
    say!("committee {} of {}", office.committee.epoch, office.committee.quorum.n());
    if let Some(observer) = &app.observer {
        match office.committee.seat_of(&observer.keys.attestation_key()) {
            Some(seat) => say!("these keys have seat {seat}"),
            None => say!("these keys have no seat"),
        }
        match observer.own_nav(&contracts).await {
            Ok(own) => {
                say!("own NAV {} e-18 TAO, {} positions", own.nav_e18, own.positions.len())
            }
            Err(error) => say!("no NAV of our own: {error:#}"),
        }
    }
    if let Some(schedule) = &app.schedule {
        let now = crate::epochs::running(&app.store, schedule)?;
        say!("epoch {} ends at {} ms", now.state.epoch.saturating_add(1), now.end_ms);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_serves_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        NodeKeys::generate(&path).unwrap();
        let first = claim(&path).unwrap();
        let error = claim(&path).unwrap_err();
        assert!(error.to_string().contains("another validator runs"), "{error:#}");
        assert!(NodeKeys::load(&path).is_ok(), "the consensus node reads it all the same");
        drop(first);
        claim(&path).unwrap();
    }
}

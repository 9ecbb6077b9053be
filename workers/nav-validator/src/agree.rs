//! The agreement about NAV and rewards, and its way to the chain.
//!
//! Nothing here must be right for the chain to be right: nodes and contracts check everything
//! again. Who has the turn goes first, so that not all propose at once; the others follow. The nodes
//! take a proposal from nobody before its turn.

use crate::contracts::{Contracts, Office};
use crate::follow::write_settled;
use crate::observe::Observer;
use crate::peers::Signers;
use crate::rankings::{select as select_statements, AllWatched};
use crate::rebalance::Rebalancing;
use crate::service::App;
use crate::turns::{Due, Place};
use crate::watch::Judging;
use anyhow::{anyhow, ensure, Context, Result};
use cicada_chain::Signer;
use cicada_core::hash::Native;
use cicada_core::nav::{self, check, min_observations, scheduled, Observation, Proposal};
use cicada_core::report::{Feed, FeedState};
use cicada_core::rewards::{self, Award, AwardState, Settled};
use cicada_program::{count, now_ms};
use cicada_settlement::{certified, Asked, Bringer, Committee, Underways};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Whether an observation for a slot is signed by its seat.
pub fn genuine(office: &Office, feed: &Feed, slot: u64, observation: &Observation) -> bool {
    let message = observation.message::<Native>(&office.committee.config_digest, feed, slot);
    office.committee.signed(observation.seat, &message, &observation.signature)
}

/// The first of each seat, in order of seats.
pub(crate) fn one_of_each<T>(all: impl Iterator<Item = T>, seat: impl Fn(&T) -> u8) -> Vec<T> {
    let mut seats = BTreeMap::new();
    for one in all {
        seats.entry(seat(&one)).or_insert(one);
    }
    seats.into_values().collect()
}

/// Why these observations of a slot are not enough, and why others did not answer.
pub(crate) fn too_few(
    slot: u64,
    found: usize,
    error: impl std::fmt::Debug,
    failed: &[String],
) -> anyhow::Error {
    let why = failed.first().map_or("the others are invalid or of another time", |one| one);
    anyhow!("slot {slot}: {found} observations: {error:?}; {why}")
}

/// The genuine observations for a slot, one of a seat, in order of seats, all of `time_ms`.
pub fn select(
    office: &Office,
    feed: &Feed,
    slot: u64,
    candidates: Vec<Observation>,
    time_ms: u64,
) -> Vec<Observation> {
    let usable = |observation: &Observation| {
        observation.nav_e18 > 0
            && observation.time_ms == time_ms
            && genuine(office, feed, slot, observation)
    };
    one_of_each(candidates.into_iter().filter(usable), |one| one.seat)
}

/// The report of observations of one time.
pub fn proposal(
    feed: Feed,
    newest: &FeedState,
    observations: Vec<Observation>,
    time_ms: u64,
) -> Proposal {
    let report = nav::report::<Native>(feed, newest, &observations, time_ms);
    Proposal { report, observations }
}

/// One seat at work.
pub struct Agreement {
    /// Everything else.
    pub app: Arc<App>,
    /// The seat's observer.
    pub observer: Arc<Observer>,
    /// Who pays for transactions.
    pub signer: Signer,
    /// Those of which nobody has said what became of them.
    pub underways: Underways,
}

impl Agreement {
    /// Works until the process ends.
    pub async fn run(self) {
        let (mut nav_due, mut reward_due) = (None, None);
        let (mut watched, mut judged) = (None, Judging::default());
        let mut ranked = AllWatched::new();
        let mut rebalancing = Rebalancing::default();
        let poll = Duration::from(self.app.config.poll);
        loop {
            let (demanded, rebalance) = tokio::select! {
                () = self.app.demand.notified() => (true, false),
                () = self.app.rebalance.notified() => (false, true),
                () = tokio::time::sleep(poll) => (false, false),
            };
            let contracts = self.app.contracts();
            rebalancing.ask(rebalance, now_ms());
            if self.app.chain_problem().is_some() {
                // What is signed or brought now might be of another history.
                continue;
            }
            self.look_at_basket(&contracts, &mut rebalancing).await;
            if let Err(error) = self.look_at_nav(&contracts, &mut nav_due, demanded).await {
                tracing::warn!("NAV: {error:#}");
                self.app.said_of_nav(format!("{error:#}"));
                count(&self.app.metrics.nav_rounds, "failed");
            }
            if let Err(error) = self.watch(&contracts, &mut watched).await {
                tracing::warn!("watching the others: {error:#}");
            }
            if let Err(error) = self.judge(&contracts, &mut judged).await {
                tracing::warn!("having the others judged: {error:#}");
            }
            if contracts.rewards.is_none() {
                continue;
            }
            if let Err(error) = self.look_at_rewards(&contracts, &mut reward_due).await {
                tracing::warn!("rewards: {error:#}");
                count(&self.app.metrics.reward_rounds, "failed");
            }
            if let Err(error) = self.watch_rankings(&contracts, &mut ranked).await {
                tracing::warn!("watching the rankings of others: {error:#}");
            }
        }
    }

    /// Where this seat stands in a committee, if it has one there.
    ///
    /// # Errors
    /// If the node does not tell the rules.
    pub(crate) async fn place(&self, office: &Office) -> Result<Option<Place>> {
        let Some(seat) = office.committee.seat_of(&self.observer.keys.attestation_key()) else {
            return Ok(None);
        };
        let rules = self.app.peers.rules().await?;
        Ok(Some(Place { seat, seats: office.committee.quorum.n(), rules }))
    }

    async fn look_at_nav(
        &self,
        contracts: &Contracts,
        due: &mut Option<Due>,
        demanded: bool,
    ) -> Result<()> {
        let config = &self.app.config;
        let newest = contracts.feeds().await?.1;
        let (slot, now) = (newest.slot.saturating_add(1), now_ms());
        let time_ms = scheduled(newest.time_ms, config.nav_interval.0, now);
        // A peer asked for this slot, so somebody wants it.
        let wanted = demanded || !config.nav_on_demand || self.app.store.begun(slot)?;
        let Some(time_ms) = time_ms.filter(|_| wanted && newest.time_ms > 0) else {
            *due = None;
            return Ok(());
        };
        let office = contracts.office().await?;
        let Some(place) = self.place(&office).await? else {
            return Ok(());
        };
        let turn = Due::turn(due, (slot, time_ms, now), &place, now);
        if demanded && now < place.allowed_from_ms(time_ms, slot) {
            // The nodes take it from others first, who learn that it is wanted.
            self.freshen(contracts, time_ms).await?;
            self.collect(contracts, &office, slot).await?;
            self.app.said_of_nav(format!("slot {slot}: those who go before us are asked"));
            return Ok(());
        }
        if !turn && !demanded {
            return Ok(());
        }
        let block = self.round(contracts, &office, &newest, time_ms).await?;
        let how = block.map_or("was there already".to_owned(), |block| format!("in block {block}"));
        tracing::info!("NAV {slot} is on the chain: {how}");
        self.app.said_of_nav(format!("slot {slot} is on the chain: {how}"));
        count(&self.app.metrics.nav_rounds, "settled");
        Ok(())
    }

    /// A chain that makes blocks on demand has to come past a time first.
    pub(crate) async fn freshen(&self, contracts: &Contracts, time_ms: u64) -> Result<()> {
        let age = Duration::from_millis(now_ms().saturating_sub(time_ms).saturating_sub(1));
        contracts.chain.freshen(&self.signer, age).await?;
        Ok(())
    }

    /// Observes a slot of the NAV, and asks all others what they observe: what we signed, all, and why
    /// some did not answer.
    async fn collect(
        &self,
        contracts: &Contracts,
        office: &Office,
        slot: u64,
    ) -> Result<(Observation, Vec<Observation>, Vec<String>)> {
        self.observer.outlooks.forget().await;
        let (_, own) = self.observer.observation(contracts, slot).await?;
        self.app.metrics.set_nav(own.nav_e18);
        let (mut all, failed) =
            self.app.peers.observations(slot, &office.committee.config_digest).await;
        all.push(own);
        self.witness(contracts, office, slot, &all).await?;
        Ok((own, all, failed))
    }

    /// Collects, gets agreement, settles.
    async fn round(
        &self,
        contracts: &Contracts,
        office: &Office,
        newest: &FeedState,
        time_ms: u64,
    ) -> Result<Option<u64>> {
        let slot = newest.slot.saturating_add(1);
        let peers = &self.app.peers;
        self.freshen(contracts, time_ms).await?;
        let (committee, feed) = (contracts.committee(office).await?, contracts.nav_feed());
        let by = self.bringer(contracts, &committee);
        // Another may have got agreement and then failed.
        let asked = Asked::after(feed, newest);
        if let Some(done) = certified::<Proposal>(peers.node()?, &committee, &asked).await? {
            return Contracts::settle_nav(done, &by).await;
        }
        let (own, all, failed) = self.collect(contracts, office, slot).await?;
        let found = select(office, &feed, slot, all, own.time_ms);
        let needed = min_observations(office.committee.quorum.n()).context("no committee")?;
        check(&found, &office.stakes, needed, own.time_ms)
            .map_err(|error| too_few(slot, found.len(), error, &failed))?;
        let time_ms = own.time_ms;
        let value = |found| proposal(feed, newest, found, time_ms);
        let all = |all| select(office, &feed, slot, all, time_ms);
        let agreed = peers.round(&committee).agree_with(found, value, all).await?;
        Contracts::settle_nav(agreed.verified, &by).await
    }

    /// Who brings what a committee certified.
    pub(crate) fn bringer<'a>(
        &'a self,
        contracts: &'a Contracts,
        committee: &'a Committee,
    ) -> Bringer<'a, Signers<'a>> {
        let Self { underways, signer, .. } = self;
        let Contracts { chain, validators, .. } = contracts;
        let witnesses = Signers { peers: &self.app.peers, keys: &self.observer.keys };
        Bringer { chain, validators, signer, committee, witnesses, underways }
    }

    async fn look_at_rewards(&self, contracts: &Contracts, due: &mut Option<Due>) -> Result<()> {
        let Some(epoch) = self.app.store.newest_epoch()?.map(|epoch| epoch.award.epoch) else {
            return Ok(());
        };
        let now = now_ms();
        // The chain is asked when something may be left to do.
        if self.app.settled_epoch() >= epoch || due.is_some_and(|due| now < due.next_ms) {
            return Ok(());
        }
        let (state, newest) = contracts.rewards_state().await?;
        self.app.set_settled_epoch(state.epoch);
        if let Some(folder) = &self.app.config.awards {
            write_settled(folder, &Settled { state, latest: newest })?;
        }
        if state.epoch > 0 {
            let own = self.app.store.epoch(state.epoch)?.map(|own| AwardState::after(&own.award));
            ensure!(
                own.is_none_or(|own| own == state),
                "the chain settled another award for epoch {} than we computed: compare epoch and from_block",
                state.epoch
            );
        }
        let next = state.epoch.saturating_add(1);
        let Some(own) = self.app.store.epoch(next)? else {
            return Ok(());
        };
        let office = contracts.office().await?;
        let Some(place) = self.place(&office).await? else {
            return Ok(());
        };
        self.rank(contracts, (&office, place.seat), &own, &state).await?;
        // The others have to compute the award too.
        if now < own.award.end_ms.saturating_add(place.rules.due_after_ms) {
            return Ok(());
        }
        // What the first had to wait for is over: the others wait for it no second time.
        let noticed_ms = now.saturating_sub(place.rules.due_after_ms);
        let of = (newest.slot.saturating_add(1), own.award.end_ms, noticed_ms);
        if !Due::turn(due, of, &place, now) {
            return Ok(());
        }
        let block = self.settle_award(contracts, &office, &own.award, &newest).await?;
        tracing::info!("the award of epoch {next} is on the chain, block {block:?}");
        count(&self.app.metrics.reward_rounds, "settled");
        Ok(())
    }

    async fn settle_award(
        &self,
        contracts: &Contracts,
        office: &Office,
        award: &Award,
        newest: &FeedState,
    ) -> Result<Option<u64>> {
        let peers = &self.app.peers;
        let (committee, feed) = (contracts.committee(office).await?, contracts.rewards_feed()?);
        let asked = Asked::after(feed, newest);
        let done = certified::<rewards::Proposal>(peers.node()?, &committee, &asked).await?;
        let verified = match done {
            Some(done) => done,
            None => {
                let statements = self.statements(contracts, office, award).await?;
                let value = |statements| {
                    let time_ms = now_ms().max(newest.time_ms).max(award.end_ms);
                    rewards::Proposal::new::<Native>(*award, statements, feed, newest, time_ms)
                };
                let all = |all: Vec<_>| select_statements(office, &feed, award, all.into_iter());
                peers.round(&committee).agree_with(statements, value, all).await?.verified
            }
        };
        Contracts::settle_epoch(verified, &self.bringer(contracts, &committee)).await
    }
}

#[cfg(test)]
mod tests;

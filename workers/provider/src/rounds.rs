//! The provider's rounds over the market.

use crate::queue::{late, Promise};
use crate::state::Own;
use crate::status::{Shown, View};
use crate::work::Trouble;
use crate::worker::Worker;
use anyhow::Result;
use assignments::Mine;
use cicada_chain::{Call, Fate, Underway};
use cicada_core::hash::Digest;
use cicada_core::name::Name;
use cicada_market::Error;
use cicada_program::{count, now_ms, visible_line};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::task::{Id, JoinSet};

mod assignments;
mod errands;
mod promises;
mod turns;

/// After so many failed rounds in a row the connection is made anew.
const LOST_AFTER: u32 = 5;

/// What was lost sight of for so long, in ms, is perhaps forgotten: another transaction shows it.
const FORGOTTEN_MS: u64 = 60_000;
/// A node that lags knows what was known before after so long, in ms; else the chain was set back.
const SET_BACK_MS: u64 = 30_000;

/// What a look has shown.
enum Look {
    /// All that this provider has promised is known; so many requests and offers there are.
    All(u64, u64),
    /// There are assignments that were not looked at yet.
    Part,
    /// The node knows less than was known before.
    Behind,
}

/// A provider's view of the market.
pub struct Provider {
    worker: Arc<Worker>,
    shown: Shown,
    /// The offer of each task type, and whether all that stand are known.
    offers: BTreeMap<Name, u64>,
    offers_known: bool,
    /// Requests that may still be taken.
    open: BTreeSet<u64>,
    next_request: Option<u64>,
    /// Those up to this number were there before the start, and are still to be looked at.
    older: u64,
    /// Which of the open ones was looked at last.
    considered: u64,
    /// Requests in whose line this provider waits, and the longest that each may take.
    waiting: BTreeMap<u64, u64>,
    mine: BTreeMap<u64, Mine>,
    next_assignment: u64,
    /// Own ones of an earlier run that are still to be looked at.
    noted: BTreeSet<u64>,
    jobs: JoinSet<Result<Digest, Trouble>>,
    /// The assignment of each job.
    of_job: HashMap<Id, u64>,
    /// What is sent and nobody waits for, and the assignments that it is about.
    errands: JoinSet<Result<(), Error>>,
    of_errand: HashMap<Id, Vec<u64>>,
    /// An offer or an accept that was lost sight of: nothing is promised until it is known.
    underway: Option<Underway>,
    /// When it was asked about last with a transaction.
    asked_ms: u64,
    /// Since when the node knows less than was known before.
    behind_ms: Option<u64>,
    /// Jobs in a row that were not done, and until when nothing is accepted therefore.
    misses: u32,
    rest_until_ms: u64,
    /// When old results are removed next.
    remove_ms: u64,
    /// What was said last about something, so that it is not said again.
    said: BTreeMap<String, String>,
}

impl Provider {
    /// Knows nothing of the market yet.
    pub fn new(worker: Arc<Worker>, shown: Shown) -> Self {
        Self {
            next_assignment: worker.state.settled_below(),
            noted: worker.state.own(Own::Assignment),
            worker,
            shown,
            offers: BTreeMap::new(),
            offers_known: false,
            open: BTreeSet::new(),
            next_request: None,
            older: 0,
            considered: 0,
            waiting: BTreeMap::new(),
            mine: BTreeMap::new(),
            jobs: JoinSet::new(),
            of_job: HashMap::new(),
            errands: JoinSet::new(),
            of_errand: HashMap::new(),
            underway: None,
            asked_ms: 0,
            behind_ms: None,
            misses: 0,
            rest_until_ms: 0,
            remove_ms: 0,
            said: BTreeMap::new(),
        }
    }

    /// Says who works here, and how.
    pub(crate) fn announce(&self) {
        let worker = &self.worker;
        let is_root = nix::unistd::geteuid().is_root();
        let account = worker.config.account_of_jobs(is_root, 0);
        let account = account.map_or("the provider's own".into(), |id| format!("{id} and on"));
        tracing::info!(
            provider = worker.own.to_string(),
            jobs_run_as = account,
            jobs_have = worker.isolation.in_words(),
            auto_accept = worker.config.auto_accept,
            "ready"
        );
    }

    /// Warns, unless that was the last thing said about it.
    fn warn(&mut self, about: &str, text: String) {
        if self.said.get(about) != Some(&text) {
            // Nothing that strangers wrote moves a cursor.
            tracing::warn!("{about}: {}", visible_line(&text));
            self.said.insert(about.into(), text);
        }
    }

    /// Until the connection seems lost. What runs goes on.
    pub(crate) async fn follow(&mut self) {
        let mut failed = 0;
        while failed < LOST_AFTER {
            match self.round().await {
                Ok(()) => {
                    failed = 0;
                    self.said.remove("a round");
                    count(&self.worker.metrics.rounds, "ok");
                }
                Err(error) => {
                    failed += 1;
                    count(&self.worker.metrics.rounds, "failed");
                    self.warn("a round", format!("{error:#}"));
                }
            }
            self.pause(self.worker.config.poll.into()).await;
        }
    }

    /// Waits, or until a job ends.
    pub(crate) async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            Some(ended) = self.jobs.join_next_with_id() => self.job_ended(ended),
        }
    }

    /// Sees to what was promised; more is promised only once all of that is known.
    async fn round(&mut self) -> Result<()> {
        let (requests, offers) = loop {
            match self.look().await? {
                Look::All(requests, offers) => break (requests, offers),
                Look::Part => {}
                Look::Behind => return Ok(()),
            }
        };
        self.ask_about_underway().await?;
        self.find_requests(requests).await?;
        if self.underway.is_none() {
            self.renew_offers(offers).await?;
        }
        let rests = now_ms() < self.rest_until_ms;
        if self.worker.config.auto_accept && self.underway.is_none() && !rests {
            self.accept_requests().await?;
        }
        self.serve_lines().await?;
        self.remove_old_results();
        self.show();
        Ok(())
    }

    /// Sees to what was promised, without waiting for a transaction, and without reading for long what
    /// strangers can make more of.
    async fn look(&mut self) -> Result<Look> {
        while let Some(ended) = self.jobs.try_join_next_with_id() {
            self.job_ended(ended);
        }
        self.see_errands();
        let (requests, offers, assignments) = self.worker.market().counts().await?;
        if self.is_behind(requests, assignments)? {
            return Ok(Look::Behind);
        }
        let found = self.find_assignments(assignments).await;
        self.tend_assignments().await?;
        Ok(if found? { Look::All(requests, offers) } else { Look::Part })
    }

    /// Finds out what became of what was lost sight of. If a node has forgotten it, its number is free,
    /// and whatever is done under it settles the matter.
    async fn ask_about_underway(&mut self) -> Result<()> {
        let Some(underway) = self.underway else {
            return Ok(());
        };
        let worker = self.worker.clone();
        let market = worker.market();
        if market.chain.fate(&underway).await? != Fate::Open {
            self.underway = None;
            // What came of it shows on the chain.
            self.offers_known = false;
        } else if now_ms() >= self.asked_ms.saturating_add(FORGOTTEN_MS) {
            self.asked_ms = now_ms();
            self.meanwhile(market.chain.send(&Call::remark(), &worker.signer)).await?;
        }
        Ok(())
    }

    /// Whether the node knows less than was known before: it lags, or a development chain was set
    /// back. Then everything begins anew.
    fn is_behind(&mut self, requests: u64, assignments: u64) -> Result<bool> {
        let known = |next: u64, newest: u64| next > newest.saturating_add(1);
        let next_request = self.next_request.unwrap_or(1);
        if !known(self.next_assignment, assignments) && !known(next_request, requests) {
            self.behind_ms = None;
            return Ok(false);
        }
        let since = *self.behind_ms.get_or_insert(now_ms());
        if now_ms() < since.saturating_add(SET_BACK_MS) {
            return Ok(true);
        }
        tracing::warn!("the chain was set back: what was known of it is forgotten");
        self.jobs.abort_all();
        self.of_job.clear();
        self.errands.abort_all();
        self.of_errand.clear();
        self.mine.clear();
        self.noted.clear();
        self.offers.clear();
        self.offers_known = false;
        self.open.clear();
        self.waiting.clear();
        (self.next_request, self.next_assignment, self.behind_ms) = (None, 1, None);
        (self.older, self.considered) = (0, 0);
        self.worker.state.set_settled_below(1)?;
        Ok(false)
    }

    /// Whether one more job could begin now, beside those that were promised.
    fn fits(&self, longest_ms: u64) -> bool {
        let waiting = self.waiting.values().copied();
        self.has_places(waiting.chain([longest_ms]))
    }

    /// Whether all of these could begin now, beside the assignments.
    fn has_places(&self, new: impl Iterator<Item = u64>) -> bool {
        let (now, parameters) = (now_ms(), &self.worker.parameters);
        let new = new.map(|longest_ms| Promise {
            longest_ms,
            begin_by_ms: now,
            complete_by_ms: u64::MAX,
            since_ms: None,
        });
        let promised = self.mine.values().filter_map(|mine| mine.promise(parameters, now));
        let all: Vec<Promise> = promised.chain(new).collect();
        late(self.worker.config.max_jobs, &all, parameters.slack_ms, now).is_empty()
    }

    /// Notes that something was sent of which nobody knows whether it was done.
    fn lost_sight(&mut self, error: &Error) -> bool {
        self.underway = error.underway().copied();
        self.asked_ms = now_ms();
        if self.underway.is_some() {
            tracing::warn!("{error}; nothing is promised until that is known");
        }
        self.underway.is_some()
    }

    fn show(&self) {
        let worker = &self.worker;
        let offers = self.offers.iter().map(|(name, id)| (name.as_str().to_owned(), *id));
        let view = View {
            account: worker.own.to_string(),
            payload_key: format!("0x{}", hex::encode(worker.key.public())),
            auto_accept: worker.config.auto_accept,
            network_isolated: worker.isolation.network,
            jobs_isolated: worker.isolation.sandbox.is_some(),
            last_round_ms: now_ms(),
            offers: offers.collect(),
            assignments: self
                .mine
                .iter()
                .map(|(id, mine)| (*id, format!("{:?}", mine.assignment.status)))
                .collect(),
            running: self.mine.iter().filter(|(_, m)| m.run.is_some()).map(|(id, _)| *id).collect(),
        };
        *self.shown.view.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

//! One look at the market after another: see, judge, plan, act, account.

use crate::config::Config;
use crate::contracts::Contracts;
use crate::execute::{wanted, Hands, Manner};
use crate::gas::Weights;
use crate::ledger::{Done, Ledger};
use crate::plan::{decide, Decision, Idle, Moment, Planned};
use crate::seen::{total, Seen};
use crate::status::{level, OfKind, Recent, Shown};
use anyhow::{anyhow, Result};
use cicada_amounts::plain_tao;
use cicada_amounts::Units;
use cicada_chain::{Fate, Underway};
use cicada_core::arbitrage::Halt;
use cicada_core::fixed::{mul_div_floor, MathError, BPS};
use cicada_program::{now_ms, Outcome};
use serde::Serialize;
use std::path::PathBuf;

/// A miner at work.
pub struct Miner {
    contracts: Contracts,
    manner: Manner,
    nav_max_age: u64,
    dry_run: bool,
    ledger: Ledger,
    path: PathBuf,
    weights: Weights,
    shown: Shown,
    // A transaction of which nobody has said what became of it.
    underway: Option<Underway>,
}

/// What a miner would do: for `--dry-run`.
#[derive(Debug, Serialize)]
pub struct Rehearsal {
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// How many approvals it would have to give first.
    pub approvals: usize,
    /// Why the first transaction would fail, if it would.
    pub refused: Option<String>,
}

fn in_words(error: MathError) -> anyhow::Error {
    anyhow!("a calculation has no result: {error:?}")
}

impl Miner {
    /// A miner that was not at work before, or stopped.
    ///
    /// # Errors
    /// In words, if the ledger cannot be read.
    pub fn new(contracts: Contracts, config: &Config, dry_run: bool, shown: Shown) -> Result<Self> {
        let manner = Manner {
            rules: config.rules(),
            rates: config.rates(),
            deadline_ms: config.deadline.0,
            approvals: config.approvals,
        };
        let ledger = Ledger::load_of(&config.ledger, &contracts.place)?;
        Ok(Self {
            contracts,
            manner,
            nav_max_age: config.nav_max_age.0,
            dry_run,
            ledger,
            path: config.ledger.clone(),
            weights: Weights::default(),
            shown,
            underway: None,
        })
    }

    /// Chain, contracts and account in one.
    pub fn place(&self) -> &str {
        &self.contracts.place
    }

    /// Goes on over a new connection.
    pub fn reconnect(&mut self, contracts: Contracts) {
        self.contracts = contracts;
    }

    /// Looks once, and acts. What a dry run would do is returned.
    ///
    /// # Errors
    /// In words, if the chain cannot be read. A batch that fails is noted, and no error.
    pub async fn look(&mut self) -> Result<Option<Rehearsal>> {
        let looked = self.look_once().await;
        let outcome = if looked.is_ok() { "ok" } else { "failed" };
        self.shown.metrics.looks.get_or_create(&Outcome { outcome }).inc();
        self.shown.view().status.problem = looked.as_ref().err().map(|error| format!("{error:#}"));
        looked
    }

    async fn look_once(&mut self) -> Result<Option<Rehearsal>> {
        if let Some(underway) = self.underway {
            // What is not known cannot be reckoned with, and is not repeated.
            if self.contracts.chain.fate(&underway).await? == Fate::Open {
                return Ok(None);
            }
            self.underway = None;
        }
        let seen = self.contracts.see().await?;
        let (nav_e18, halt) = self.judge(&seen)?;
        let decision = self.decide(&seen, nav_e18, halt)?;
        self.show(&seen, nav_e18, &decision);
        if self.dry_run {
            return Ok(Some(self.rehearse(decision, &seen).await?));
        }
        if let Some(planned) = decision.batch {
            self.work(planned, seen, (nav_e18, halt)).await?;
        }
        Ok(None)
    }

    /// The NAV, if it is fresh; and whether losses have reached a limit.
    fn judge(&mut self, seen: &Seen) -> Result<(u128, Option<Halt>)> {
        let now = now_ms();
        let Some(nav_e18) = seen.fresh_nav(self.nav_max_age, now) else {
            return Ok((0, None));
        };
        let wealth = total(&seen.wealth(nav_e18).map_err(in_words)?).map_err(in_words)?;
        let limits = &self.manner.rules.limits;
        let before = self.ledger.clone();
        let halt = self.ledger.value(wealth, now, limits);
        if halt.is_some() && !before.stopped {
            tracing::warn!(
                "losses have reached a limit ({halt:?}): {} TAO are left",
                plain_tao(wealth)
            );
        }
        if (Ledger { now: before.now, ..self.ledger.clone() }) != before {
            self.save()?;
        }
        Ok((nav_e18, halt))
    }

    fn save(&self) -> Result<()> {
        if self.dry_run {
            return Ok(());
        }
        self.ledger.save(&self.path)
    }

    fn decide(&self, seen: &Seen, nav_e18: u128, halt: Option<Halt>) -> Result<Decision> {
        let Manner { rules, rates, approvals, .. } = &self.manner;
        let tokens = seen.index.holdings.len();
        let costs = self.weights.costs(rates, tokens, *approvals).map_err(in_words)?;
        let neutral_due = rules.neutral.is_some_and(|neutral| {
            now_ms().saturating_sub(self.ledger.neutral_ms) >= neutral.every_ms
        });
        let moment = Moment { nav_e18, costs, halt, neutral_due };
        decide(seen, rules, &moment)
            .map_err(|error| anyhow!("the market makes no sense: {error:?}"))
    }

    fn hands(&self, done: Done) -> Hands<'_> {
        Hands { contracts: &self.contracts, manner: self.manner, weights: self.weights, done }
    }

    /// Approves, measures the gas, plans once more with what was learned, and acts.
    async fn work(
        &mut self,
        planned: Planned,
        mut seen: Seen,
        (nav_e18, halt): (u128, Option<Halt>),
    ) -> Result<()> {
        let mut hands = self.hands(Done::default());
        let rules = &self.manner.rules;
        let prepared = async {
            let taken = wanted(hands.contracts, &planned.batch, &seen, rules);
            let taken = taken.map_err(|error| anyhow!("approvals: {error:?}"))?;
            if hands.allow(&taken).await? {
                seen = hands.contracts.see().await?;
            }
            hands.measure(&planned.batch, &seen).await
        };
        let prepared = prepared.await;
        let Hands { weights, done, .. } = hands;
        self.weights = weights;
        if let Err(error) = prepared {
            self.underway = lost_sight(&error);
            return self.account(planned, &seen, nav_e18, failed(done, &error)).await;
        }
        // Approvals took a while, and gas is known better now.
        let again = self.decide(&seen, nav_e18, halt)?;
        let Some(planned) = again.batch.filter(|next| next.batch.kind() == planned.batch.kind())
        else {
            tracing::info!("{}: no longer worth it", planned.batch.kind());
            // The approvals have their price nevertheless.
            self.ledger.spend(&done);
            return self.save();
        };
        tracing::info!("{}: {:?}", planned.batch.kind(), planned.batch);
        let mut hands = self.hands(done);
        let ended = hands.act(&planned.batch, &seen).await;
        let Hands { weights, mut done, .. } = hands;
        self.weights = weights;
        if let Err(error) = &ended {
            self.underway = lost_sight(error);
            done = failed(done, error);
        }
        self.account(planned, &seen, nav_e18, done).await
    }

    /// Notes what became of a batch.
    async fn account(
        &mut self,
        planned: Planned,
        before: &Seen,
        nav_e18: u128,
        done: Done,
    ) -> Result<()> {
        let kind = planned.batch.kind();
        let outcome = if done.failure.is_some() { "failed" } else { "done" };
        let after = self.contracts.see().await;
        let gained = match &after {
            Ok(after) => gain(before, after, nav_e18).map_err(in_words)?,
            Err(_) => None,
        };
        // Not to be told if the basket changed meanwhile: then what was promised counts.
        let gained = gained.unwrap_or(planned.profit.0);
        let now = now_ms();
        self.ledger.add(&planned.batch, planned.profit.0, gained, &done, now);
        self.save()?;
        match &done.failure {
            Some(failure) => tracing::warn!("{kind}: {failure}"),
            None => tracing::info!("{kind}: gained {gained} units of TAO, gas {}", done.gas.0),
        }
        let metrics = &self.shown.metrics;
        metrics.batches.get_or_create(&OfKind { kind, outcome }).inc();
        metrics.earned.set(level(self.ledger.earned.0));
        {
            let mut view = self.shown.view();
            view.performance.ledger = self.ledger.clone();
            view.arbitrage.add(Recent { time_ms: now, planned, gained: Units(gained), done });
        }
        after.map(drop)
    }

    async fn rehearse(&self, decision: Decision, seen: &Seen) -> Result<Rehearsal> {
        let nothing = |decision| Rehearsal { decision, approvals: 0, refused: None };
        let Some(planned) = &decision.batch else { return Ok(nothing(decision)) };
        let rules = &self.manner.rules;
        let taken = wanted(&self.contracts, &planned.batch, seen, rules);
        let taken = taken.map_err(|error| anyhow!("approvals: {error:?}"))?;
        let approvals = self.contracts.missing(&taken).await?.len();
        if approvals > 0 {
            return Ok(Rehearsal { approvals, ..nothing(decision) });
        }
        let tried = self.hands(Done::default()).measure(&planned.batch, seen).await;
        let refused = tried.err().map(|error| format!("{error:#}"));
        Ok(Rehearsal { decision, approvals, refused })
    }

    /// Shows what was seen and decided.
    fn show(&self, seen: &Seen, nav_e18: u128, decision: &Decision) {
        let worth = seen.wealth(nav_e18).unwrap_or_default();
        let all = total(&worth).unwrap_or(0);
        let inventory = mul_div_floor(worth.index, BPS, all.max(1)).unwrap_or(0);
        let metrics = &self.shown.metrics;
        let slot = seen.index.nav.map_or(0, |record| record.slot);
        // One TAO is 10⁹ units, and prices are at scale 10¹⁸.
        let units = |price_e18: u128| level(price_e18 / cicada_amounts::TAO);
        metrics.slot.set(level(slot));
        metrics.nav.set(units(nav_e18));
        metrics.price.set(units(decision.price_e18.0));
        metrics.spread.set(level(decision.spread_bps));
        metrics.wealth.set(level(all));
        metrics.inventory.set(level(inventory));
        metrics.earned.set(level(self.ledger.earned.0));
        let halted = matches!(decision.idle, Some(Idle::DailyLoss | Idle::StopLoss));
        metrics.halted.set(halted.into());

        let mut view = self.shown.view();
        let status = &mut view.status;
        status.last_look_ms = now_ms();
        status.block = seen.block;
        status.nav_slot = slot;
        status.nav_time_ms = seen.index.nav.map_or(0, |record| record.time_ms);
        status.tao = Units(seen.purse.tao);
        status.index_tokens = Units(seen.purse.index);
        status.mintable = Units(seen.mintable_floor());
        let performance = &mut view.performance;
        performance.ledger = self.ledger.clone();
        performance.value_tao = Units(worth.tao);
        performance.value_basket = Units(worth.basket);
        performance.value_index = Units(worth.index);
        performance.inventory_bps = u64::try_from(inventory).unwrap_or(u64::MAX);
        view.arbitrage.nav_e18 = Units(nav_e18);
        view.arbitrage.decision = Some(decision.clone());
    }
}

// The transaction that may still be done, if that is what went wrong.
fn lost_sight(error: &anyhow::Error) -> Option<Underway> {
    error.downcast_ref::<cicada_chain::Error>()?.underway().copied()
}

fn failed(done: Done, error: &anyhow::Error) -> Done {
    Done { failure: Some(format!("{error:#}")), ..done }
}

/// What the account gained between two looks, at the NAV and the basket of the first; `None` if
/// the index holds other tokens now.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn gain(before: &Seen, after: &Seen, nav_e18: u128) -> Result<Option<i128>, MathError> {
    let tokens = |seen: &Seen| -> Vec<_> {
        seen.index.holdings.iter().map(|holding| holding.token).collect()
    };
    if tokens(before) != tokens(after) {
        return Ok(None);
    }
    let then = Seen { purse: after.purse.clone(), ..before.clone() };
    let [had, has] = [before, &then].map(|seen| -> Result<i128, MathError> {
        let all = total(&seen.wealth(nav_e18)?)?;
        i128::try_from(all).map_err(|_| MathError::Overflow)
    });
    has?.checked_sub(had?).map(Some).ok_or(MathError::Overflow)
}

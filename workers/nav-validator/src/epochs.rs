//! Epochs of rewards: when one is over, and what follows from its events.
//!
//! Everything comes from final blocks, so all validators come to the same award.

use crate::rows::{Epoch, IgnoredCounts, Past};
use crate::store::{Store, StoreError};
use cicada_core::activity::held::Holder;
use cicada_core::activity::{is_spike, tally, Activity, Ignored, Tally, Window, MAX_HOURS};
use cicada_core::fixed::MathError;
use cicada_core::hash::Native;
use cicada_core::participation::shares_bps_floor;
use cicada_core::rewards::{
    gini_bps_floor, top_ten_bps_floor, Award, AwardError, AwardState, Claim, Distribution,
    Emission, Validator,
};
use cicada_core::scores::{scores, Score};
use cicada_core::Account;
use std::collections::{BTreeMap, BTreeSet};

/// Why an epoch cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules of `core`.
    #[error("epoch {epoch}: {reason}")]
    Rules {
        /// The epoch.
        epoch: u64,
        /// Which.
        reason: String,
    },
}

/// When epochs are: one after the other from a beginning, all of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    start_ms: u64,
    length_ms: u64,
}

impl Schedule {
    /// `None` if an epoch had no length, or more than 31 days.
    pub fn new(start_ms: u64, length_ms: u64) -> Option<Self> {
        Window::new(0, length_ms).map(|_| Self { start_ms, length_ms })
    }

    /// The state that the first epoch follows.
    pub fn beginning(&self) -> AwardState {
        AwardState::starting(self.start_ms)
    }

    /// The end of the epoch that follows a state.
    pub fn end_after(&self, state: &AwardState) -> u64 {
        state.end_ms.saturating_add(self.length_ms)
    }

    /// The time of the epoch that follows a state.
    fn window_after(&self, state: &AwardState) -> Result<Window, EpochError> {
        let epoch = state.epoch.saturating_add(1);
        let reason = || format!("longer than {MAX_HOURS} hours");
        Window::new(state.end_ms, self.end_after(state))
            .ok_or_else(|| EpochError::Rules { epoch, reason: reason() })
    }
}

/// What the chain says of money and stake, at the block that closes an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funding {
    /// The largest pools.
    pub emission: Emission,
    /// All that was ever paid in.
    pub funded: u128,
    /// The operators in office and their stake.
    pub stakes: Vec<(Account, u128)>,
}

/// The epoch that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// What it follows.
    pub state: AwardState,
    /// Its time.
    pub window: Window,
    /// Its end, in milliseconds since 1970.
    pub end_ms: u64,
    /// Its first block.
    pub from_block: u64,
}

/// The epoch that comes after those that are over.
///
/// # Errors
/// [`EpochError`].
pub fn running(store: &Store, schedule: &Schedule) -> Result<Running, EpochError> {
    let newest = store.newest_epoch()?;
    let state =
        newest.as_ref().map_or_else(|| schedule.beginning(), |e| AwardState::after(&e.award));
    Ok(Running {
        state,
        window: schedule.window_after(&state)?,
        end_ms: schedule.end_after(&state),
        from_block: newest.map_or(0, |epoch| epoch.closed_by),
    })
}

/// The block that closes the running epoch, if it was taken over.
///
/// # Errors
/// [`EpochError`].
pub fn due(store: &Store, running: &Running) -> Result<Option<u64>, EpochError> {
    // Blocks are closed one by one: the first one that is late enough is the newest.
    let cursor = store.cursor()?;
    Ok(cursor.filter(|cursor| cursor.time_ms >= running.end_ms).map(|cursor| cursor.block))
}

/// What counts in an epoch.
pub struct Standings {
    /// What the rules count.
    pub tally: Tally,
    /// The scores, in order of addresses.
    pub scores: Vec<Score>,
    /// Miners far above their own average.
    pub spikes: Vec<Account>,
    /// Accounts that traded or moved index tokens, as they are now.
    holders: BTreeMap<Account, Holder>,
}

/// The standings of the running epoch before a block.
///
/// # Errors
/// [`EpochError`].
pub fn standings(
    store: &Store,
    running: &Running,
    before_block: u64,
) -> Result<Standings, EpochError> {
    // The epoch before began with the block that closed the one before it.
    let older = store.epoch(running.state.epoch.saturating_sub(1))?;
    let since = older.map_or(0, |epoch| epoch.closed_by);
    let events = store.events(since..before_block)?;
    let movements = store.movements(running.from_block..before_block)?;
    let miners: BTreeSet<Account> = events.iter().map(|event| event.miner).collect();
    let moved = movements.iter().flat_map(|moved| [moved.from, moved.to]).flatten();
    let mut holders = store.holders(&miners.iter().copied().chain(moved).collect())?;
    let registered = store.registered(&miners, (running.state.end_ms, running.end_ms))?;
    let past = store.past()?;
    for movement in &movements {
        movement.apply(&mut holders, &running.window).map_err(|_| {
            rules(running, "somebody gave more index tokens than he had: from_block is too late")
        })?;
    }
    let compute = || -> Result<(Tally, Vec<Score>, Vec<Account>), MathError> {
        let held =
            |miner: &Account| holders.get(miner).copied().unwrap_or_default().held(&running.window);
        let tally = tally(&events, &running.window, held)?;
        let scores = scores(&tally.activities, |miner| registered.contains(miner))?;
        let mut spikes = Vec::new();
        for activity in &tally.activities {
            let past = past.get(&activity.miner).copied().unwrap_or_default();
            if is_spike(activity.value()?, past.value, past.epochs) {
                spikes.push(activity.miner);
            }
        }
        Ok((tally, scores, spikes))
    };
    let (tally, scores, spikes) = compute().map_err(|error| rules(running, error))?;
    Ok(Standings { tally, scores, spikes, holders })
}

fn rules(running: &Running, error: impl std::fmt::Debug) -> EpochError {
    EpochError::Rules { epoch: running.state.epoch.saturating_add(1), reason: format!("{error:?}") }
}

/// Closes the running epoch with a block, and keeps what follows from it.
///
/// # Errors
/// [`EpochError`].
pub fn close(
    store: &Store,
    running: &Running,
    block: u64,
    funding: &Funding,
) -> Result<Epoch, EpochError> {
    let standings = standings(store, running, block)?;
    let validators = validators(store, running, funding)?;
    let before = match running.state.epoch {
        0 => Vec::new(),
        newest => store.claims(newest)?.unwrap_or_default(),
    };
    let (award, distribution, claims) =
        award(running, funding, &standings.scores, &validators, &before)
            .map_err(|error| rules(running, error))?;
    let amounts: Vec<u128> = distribution
        .placements
        .iter()
        .map(|place| place.base.saturating_add(place.bonus))
        .collect();
    let figure = |figure: Result<u128, MathError>| figure.map_err(|error| rules(running, error));
    let epoch = Epoch {
        award,
        closed_by: block,
        ignored: ignored(&standings.tally),
        spikes: standings.spikes,
        scores: standings.scores,
        gini_bps: figure(gini_bps_floor(&amounts))?,
        top_ten_bps: figure(top_ten_bps_floor(&amounts))?,
        placements: distribution.placements,
        validators: distribution.validators,
    };
    let past =
        grown(store.past()?, &standings.tally.activities).map_err(|error| rules(running, error))?;
    store.keep_epoch(&epoch, &claims, &past, &standings.holders)?;
    Ok(epoch)
}

fn award(
    running: &Running,
    funding: &Funding,
    scores: &[Score],
    validators: &[Validator],
    before: &[Claim],
) -> Result<(Award, Distribution, Vec<Claim>), AwardError> {
    let state = &running.state;
    let emission = funding.emission.at(state.epoch.saturating_add(1));
    let pool = state.next_pool(emission, funding.funded)?;
    Award::compute::<Native>(state, running.end_ms, pool, scores, validators, before)
}

/// Who is in office at the end, or was in a committee of the epoch, with the part of its NAVs that he
/// observed and of its awards that he ranked. Who is not in office any more has the stake of his last
/// committee: else the block that ends an epoch would decide about all of it.
fn validators(
    store: &Store,
    running: &Running,
    funding: &Funding,
) -> Result<Vec<Validator>, EpochError> {
    let committees = store.committees()?;
    let navs = store.settled_since(running.state.end_ms)?.into_iter();
    let awards = store.awarded_since(running.state.end_ms)?.into_iter();
    // An award of the committee before, brought after a change, may be of one that is not known.
    let awards = awards
        .map(|(_, award)| award.attendance())
        .filter(|award| committees.contains_key(&award.epoch));
    let reports: Vec<_> = navs.map(|(_, nav)| nav.attendance()).chain(awards).collect();
    let operators: BTreeMap<u32, Vec<Account>> = committees
        .iter()
        .map(|(epoch, members)| (*epoch, members.iter().map(|(account, _)| *account).collect()))
        .collect();
    let of = |epoch: u32| operators.get(&epoch).map_or(&[][..], Vec::as_slice);
    let shares =
        shares_bps_floor(&reports, &running.window, of).map_err(|error| rules(running, error))?;
    let stakes = committees.values().flatten().chain(&funding.stakes).copied();
    let stakes: BTreeMap<Account, u128> = stakes.collect();
    let in_office = funding.stakes.iter().map(|(account, _)| *account);
    let accounts: BTreeSet<Account> = shares.keys().copied().chain(in_office).collect();
    let validator = |account: Account| Validator {
        account,
        stake: stakes.get(&account).copied().unwrap_or(0),
        participation_bps: shares.get(&account).copied().unwrap_or(0),
    };
    Ok(accounts.into_iter().map(validator).collect())
}

fn ignored(tally: &Tally) -> IgnoredCounts {
    let mut counts = IgnoredCounts::default();
    for (_, reason) in &tally.ignored {
        let count = match reason {
            Ignored::Repeated | Ignored::OutsideEpoch => &mut counts.outside,
            Ignored::TooSmall => &mut counts.too_small,
            Ignored::TooFrequent => &mut counts.too_frequent,
            Ignored::NotHeld => &mut counts.not_held,
        };
        *count = count.saturating_add(1);
    }
    counts
}

/// What the miners of an epoch have done by now.
fn grown(
    before: BTreeMap<Account, Past>,
    activities: &[Activity],
) -> Result<BTreeMap<Account, Past>, MathError> {
    let grow = |activity: &Activity| {
        let past = before.get(&activity.miner).copied().unwrap_or_default();
        let value = cicada_core::fixed::add(past.value, activity.value()?)?;
        Ok((activity.miner, Past { value, epochs: past.epochs.saturating_add(1) }))
    };
    activities.iter().map(grow).collect()
}

#[cfg(test)]
mod tests;

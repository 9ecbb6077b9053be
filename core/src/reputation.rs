//! Reputation: points, three metrics, decay towards the start (requirements 001-13, 002-reputation, 003-reputation, d-14).
//!
//! Points and metrics are kept in millionths (`_e6`), so that it hardly matters how often an
//! account is written between two epochs. What is shown is whole and **rounded towards the start
//! value**. [`effect`] is the one table of what each event does.

mod decay;

pub use decay::{Decay, MAX_DECAY_BPS};

use crate::arrays::codec_as_array;
use decay::approach;
use parity_scale_codec::{Decode, Encode, Error, Input, Output};

/// The points that everybody starts with.
pub const START_POINTS: u32 = 50;
/// What each metric starts with, in bps: nothing is known against the account. A metric records
/// faults; only time heals it (see [`Decay`]).
pub const START_METRIC_BPS: u16 = 10_000;
/// The most events that one call records.
pub const MAX_EVENTS: usize = 8;
/// How long a new writer waits before it may write, once there are scores to lose: a week, in ms.
pub const WRITER_DELAY_MS: u64 = 7 * 86_400_000;
/// The most entries of a history that one call returns.
pub const MAX_HISTORY_PAGE: u32 = 50;

const MILLION: u64 = 1_000_000;
const START_POINTS_E6: u64 = 50_000_000;
const START_METRIC_E6: u64 = 10_000_000_000;
/// `u32::MAX` points.
const MAX_POINTS_E6: u64 = 4_294_967_295_000_000;
/// What the contracts of the market report about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Event {
    /// A job was completed and paid: +10.
    Completed,
    /// Work began quickly: +2.
    FastResponse,
    /// A job was accepted and not done: −20.
    Failed,
    /// A service level was missed: minus the market's penalty points.
    SlaViolated {
        /// How many points.
        points: u32,
    },
    /// The other side's stars, 1 to 5: +5 from 4 on, −10 up to 2.
    Feedback {
        /// 1 to 5.
        stars: u8,
    },
    /// +15.
    DisputeWon,
    /// −25.
    DisputeLost,
    /// A service was down: 0.10 off reliability.
    Downtime,
    /// A service was slow: 0.05 off performance.
    Slow,
    /// A result was wrong: 0.20 off reliability.
    WrongResult,
    /// Resources were claimed that do not exist: 0.5 off fairness.
    FalseProvisioning,
    /// Profits were manipulated: 0.8 off fairness.
    ProfitManipulation,
    /// Collusion: 1.0 off fairness.
    Collusion,
}

/// What an event does to points and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Points are added, up to `u32::MAX`.
    Gain(u32),
    /// Points are taken, down to 0. `Loss(0)` changes nothing.
    Loss(u32),
    /// Bps are taken off reliability, down to 0.
    Unreliable(u16),
    /// Bps are taken off performance, down to 0.
    Slower(u16),
    /// Bps are taken off fairness, down to 0.
    Unfair(u16),
}

/// The stars of a feedback are not 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidStars;

/// What an event does.
///
/// # Errors
/// [`InvalidStars`].
pub const fn effect(event: &Event) -> Result<Effect, InvalidStars> {
    Ok(match *event {
        Event::Completed => Effect::Gain(10),
        Event::FastResponse => Effect::Gain(2),
        Event::Failed => Effect::Loss(20),
        Event::SlaViolated { points } => Effect::Loss(points),
        Event::Feedback { stars: 1 | 2 } => Effect::Loss(10),
        Event::Feedback { stars: 3 } => Effect::Loss(0),
        Event::Feedback { stars: 4 | 5 } => Effect::Gain(5),
        Event::Feedback { .. } => return Err(InvalidStars),
        Event::DisputeWon => Effect::Gain(15),
        Event::DisputeLost => Effect::Loss(25),
        Event::Downtime => Effect::Unreliable(1_000),
        Event::WrongResult => Effect::Unreliable(2_000),
        Event::Slow => Effect::Slower(500),
        Event::FalseProvisioning => Effect::Unfair(5_000),
        Event::ProfitManipulation => Effect::Unfair(8_000),
        Event::Collusion => Effect::Unfair(10_000),
    })
}

/// The three metrics, each 0 to 10,000 bps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Metrics {
    /// Services were up, results were right.
    pub reliability_bps: u16,
    /// Services were quick.
    pub performance_bps: u16,
    /// No fraud was found.
    pub fairness_bps: u16,
}

codec_as_array!(Metrics, [u16; 3], reliability_bps, performance_bps, fairness_bps);

impl Metrics {
    /// The score shown: the mean of the three, rounded down, 0 to 10,000 bps.
    pub fn score_bps_floor(&self) -> u16 {
        let sum = u32::from(self.reliability_bps)
            .saturating_add(u32::from(self.performance_bps))
            .saturating_add(u32::from(self.fairness_bps));
        u16::try_from(sum / 3).unwrap_or(u16::MAX)
    }
}

/// How often each thing happened. A counter that is full stays full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Counts {
    /// Jobs completed.
    pub completed: u64,
    /// Jobs accepted and not done.
    pub failed: u64,
    /// Disputes won.
    pub disputes_won: u64,
    /// Disputes lost.
    pub disputes_lost: u64,
    /// Feedbacks received.
    pub feedbacks: u64,
    /// The sum of their stars.
    pub stars: u64,
    /// Service levels missed, as the market measured ([`Event::SlaViolated`]).
    pub violations: u64,
    /// Penalties of a service: down, slow, wrong.
    pub penalties: u64,
    /// Frauds found.
    pub frauds: u64,
}

codec_as_array!(
    Counts,
    [u64; 9],
    completed,
    failed,
    disputes_won,
    disputes_lost,
    feedbacks,
    stars,
    violations,
    penalties,
    frauds
);

impl Counts {
    fn add(&mut self, event: &Event) {
        let count = match event {
            Event::Completed => &mut self.completed,
            Event::FastResponse => return,
            Event::Failed => &mut self.failed,
            Event::SlaViolated { .. } => &mut self.violations,
            Event::Feedback { stars } => {
                self.stars = self.stars.saturating_add(u64::from(*stars));
                &mut self.feedbacks
            }
            Event::DisputeWon => &mut self.disputes_won,
            Event::DisputeLost => &mut self.disputes_lost,
            Event::Downtime | Event::Slow | Event::WrongResult => &mut self.penalties,
            Event::FalseProvisioning | Event::ProfitManipulation | Event::Collusion => {
                &mut self.frauds
            }
        };
        *count = count.saturating_add(1);
    }
}

/// Whole units of a value in millionths, rounded towards its start.
fn shown(value_e6: u64, start_e6: u64) -> u64 {
    if value_e6 < start_e6 {
        value_e6.div_ceil(MILLION)
    } else {
        value_e6 / MILLION
    }
}

fn shown_bps(value_e6: u64) -> u16 {
    u16::try_from(shown(value_e6, START_METRIC_E6)).unwrap_or(u16::MAX)
}

fn take(value_e6: &mut u64, units: u32) {
    *value_e6 = value_e6.saturating_sub(u64::from(units).saturating_mul(MILLION));
}

/// What is stored of an account. Its figures are right for the epoch in which it was written;
/// [`Profile::decayed`] brings them to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Profile {
    points_e6: u64,
    reliability_e6: u64,
    performance_e6: u64,
    fairness_e6: u64,
    epoch: u64,
    events: u64,
    counts: Counts,
}

impl Encode for Profile {
    #[inline(never)]
    fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
        let Self { points_e6, reliability_e6, performance_e6, fairness_e6, epoch, events, counts } =
            *self;
        [points_e6, reliability_e6, performance_e6, fairness_e6, epoch, events].encode_to(output);
        counts.encode_to(output);
    }
}

impl Decode for Profile {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let [points_e6, reliability_e6, performance_e6, fairness_e6, epoch, events] =
            Decode::decode(input)?;
        let counts = Counts::decode(input)?;
        Ok(Self { points_e6, reliability_e6, performance_e6, fairness_e6, epoch, events, counts })
    }
}

impl Profile {
    /// The profile of an account of which nothing is known.
    pub const START: Self = Self {
        points_e6: START_POINTS_E6,
        reliability_e6: START_METRIC_E6,
        performance_e6: START_METRIC_E6,
        fairness_e6: START_METRIC_E6,
        epoch: 0,
        events: 0,
        counts: Counts {
            completed: 0,
            failed: 0,
            disputes_won: 0,
            disputes_lost: 0,
            feedbacks: 0,
            stars: 0,
            violations: 0,
            penalties: 0,
            frauds: 0,
        },
    };

    /// The profile as it is now. A time before the last writing changes nothing.
    #[must_use]
    pub fn decayed(mut self, decay: &Decay, now_ms: u64) -> Self {
        let epoch = decay.epoch_at(now_ms);
        let passed = epoch.saturating_sub(self.epoch);
        if passed > 0 {
            let keep_q63 = decay.keep_q63_ceil(passed);
            self.points_e6 = approach(self.points_e6, START_POINTS_E6, keep_q63);
            for metric in
                [&mut self.reliability_e6, &mut self.performance_e6, &mut self.fairness_e6]
            {
                *metric = approach(*metric, START_METRIC_E6, keep_q63);
            }
            self.epoch = epoch;
        }
        self
    }

    /// Applies an event to a profile that was brought to now.
    ///
    /// # Errors
    /// [`InvalidStars`]; the profile is unchanged.
    pub fn apply(&mut self, event: &Event) -> Result<(), InvalidStars> {
        match effect(event)? {
            Effect::Gain(points) => {
                let gain_e6 = u64::from(points).saturating_mul(MILLION);
                self.points_e6 = self.points_e6.saturating_add(gain_e6).min(MAX_POINTS_E6);
            }
            Effect::Loss(points) => take(&mut self.points_e6, points),
            Effect::Unreliable(bps) => take(&mut self.reliability_e6, bps.into()),
            Effect::Slower(bps) => take(&mut self.performance_e6, bps.into()),
            Effect::Unfair(bps) => take(&mut self.fairness_e6, bps.into()),
        }
        self.counts.add(event);
        // One event per number: the chain does not live to see 2^64.
        self.events = self.events.saturating_add(1);
        Ok(())
    }

    /// Whole points, 0 to `u32::MAX`, rounded towards 50.
    pub fn points(&self) -> u32 {
        u32::try_from(shown(self.points_e6, START_POINTS_E6)).unwrap_or(u32::MAX)
    }

    /// The metrics in whole bps, rounded towards 10,000.
    pub fn metrics(&self) -> Metrics {
        Metrics {
            reliability_bps: shown_bps(self.reliability_e6),
            performance_bps: shown_bps(self.performance_e6),
            fairness_bps: shown_bps(self.fairness_e6),
        }
    }

    /// The number of events so far: the index of the next one.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// What people see of the profile.
    pub fn summary(&self) -> Summary {
        let metrics = self.metrics();
        Summary {
            points: self.points(),
            metrics,
            score_bps: metrics.score_bps_floor(),
            events: self.events,
            counts: self.counts,
        }
    }
}

/// What people see of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Summary {
    /// Points now, decay included.
    pub points: u32,
    /// Metrics now, decay included.
    pub metrics: Metrics,
    /// The mean of the three metrics, rounded down.
    pub score_bps: u16,
    /// The number of events: the length of the history.
    pub events: u64,
    /// What they were.
    pub counts: Counts,
}

/// One event in the history of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct HistoryEntry {
    /// What happened.
    pub event: Event,
    /// The contract that said so.
    pub writer: crate::Account,
    /// Points after it.
    pub points: u32,
    /// Metrics after it.
    pub metrics: Metrics,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
}

impl Encode for HistoryEntry {
    // Not inlined: a contract needs it twice, in a cell and in an event.
    #[inline(never)]
    fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
        let Self { event, writer, points, metrics, time_ms } = self;
        event.encode_to(output);
        output.write(&writer.0);
        points.encode_to(output);
        metrics.encode_to(output);
        time_ms.encode_to(output);
    }
}

#[cfg(test)]
mod tests;

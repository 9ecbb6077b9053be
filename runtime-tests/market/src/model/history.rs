//! What follows from everything that has happened: points, shares of success, prices.

use super::Model;
use cicada_core::market::Success;
use cicada_core::name::Name;
use cicada_core::prices::Prices;
use cicada_core::reputation::Event;
use cicada_core::Account;

const HOUR_MS: u64 = 3_600_000;
const START: u128 = 50 * MILLION;
const MILLION: u128 = 1_000_000;
/// Further digits while a distance shrinks, so that only the last rounding is seen.
const DIGITS: u128 = 1_000_000_000_000_000_000;

/// A job that made a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// When it was settled.
    pub time_ms: u64,
    /// What kind of work.
    pub task: Name,
    /// Units.
    pub units: u64,
    /// What was paid per unit.
    pub price: u128,
}

/// A job that counted for or against a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whose.
    pub provider: Account,
    /// What kind of work.
    pub task: Name,
    /// Whether it went well.
    pub well: bool,
}

impl Model {
    fn epoch_at(&self, time_ms: u64) -> u64 {
        (time_ms - self.setting.epoch_start_ms) / self.setting.epoch_ms
    }

    /// Points as they are kept, in millionths, after so many epochs: each takes off its share of
    /// the distance to the start.
    fn decayed(&self, points: u128, epochs: u64) -> u128 {
        let left = u128::from(10_000 - self.setting.decay_bps);
        let mut distance = points.abs_diff(START) * DIGITS;
        for _ in 0..epochs {
            distance = distance * left / 10_000;
        }
        let distance = distance / DIGITS;
        if points < START {
            START - distance
        } else {
            START + distance
        }
    }

    /// Points of somebody now, rounded towards 50.
    pub fn points(&self, who: Account) -> u32 {
        let (mut points, mut epoch) = (START, 0);
        for (time_ms, event) in self.history.get(&who).into_iter().flatten() {
            let now = self.epoch_at(*time_ms);
            points = self.decayed(points, now - epoch);
            epoch = now;
            let (gain, loss) = effect(event);
            points = (points + gain * MILLION).saturating_sub(loss * MILLION);
        }
        points = self.decayed(points, self.epoch_at(self.now_ms) - epoch);
        let shown = if points < START { points.div_ceil(MILLION) } else { points / MILLION };
        u32::try_from(shown).expect("few points")
    }

    /// Writes an event into somebody's history.
    pub(super) fn record(&mut self, who: Account, event: Event) {
        self.history.entry(who).or_default().push((self.now_ms, event));
    }

    /// How a provider has done in a task type.
    pub fn success(&self, provider: Account, task: &Name) -> Success {
        let his = |outcome: &&Outcome| outcome.provider == provider && outcome.task == *task;
        let all = || self.outcomes.iter().filter(his);
        let count = |number: usize| u32::try_from(number).expect("few jobs");
        Success {
            successes: count(all().filter(|outcome| outcome.well).count()),
            outcomes: count(all().count()),
        }
    }

    /// ⌊ask · w · f⌋ for this provider now.
    pub fn effective_price(&self, provider: Account, task: &Name, ask: u128) -> u128 {
        let weight = u128::from(self.points(provider).clamp(50, 200));
        let Success { successes, outcomes } = self.success(provider, task);
        ask * weight * (u128::from(successes) + 2) / (100 * (u128::from(outcomes) + 2))
    }

    /// Prices of a task type over 24 hourly buckets, the present one included.
    pub fn prices(&self, task: &Name) -> Option<Prices> {
        let hour = |time_ms: u64| time_ms / HOUR_MS;
        let recent =
            |fill: &&Fill| fill.task == *task && hour(fill.time_ms) + 24 > hour(self.now_ms);
        let fills: Vec<&Fill> = self.fills.iter().filter(recent).collect();
        let count = u32::try_from(fills.len()).expect("few jobs");
        let volume: u128 = fills.iter().map(|fill| u128::from(fill.units)).sum();
        let value: u128 = fills.iter().map(|fill| fill.price * u128::from(fill.units)).sum();
        let sum: u128 = fills.iter().map(|fill| fill.price).sum();
        Some(Prices {
            average: sum.checked_div(count.into())?,
            vwap: value.checked_div(volume)?,
            min: fills.iter().map(|fill| fill.price).min()?,
            max: fills.iter().map(|fill| fill.price).max()?,
            volume,
            count,
        })
    }
}

/// Points gained and lost by an event, as the specification lists them.
fn effect(event: &Event) -> (u128, u128) {
    match event {
        Event::Completed => (10, 0),
        Event::FastResponse => (2, 0),
        Event::Failed => (0, 20),
        Event::SlaViolated { points } => (0, u128::from(*points)),
        Event::Feedback { stars: 1 | 2 } => (0, 10),
        Event::Feedback { stars: 4 | 5 } => (5, 0),
        Event::DisputeWon => (15, 0),
        Event::DisputeLost => (0, 25),
        // Three stars; and what only moves metrics, which the market does not report.
        _ => (0, 0),
    }
}

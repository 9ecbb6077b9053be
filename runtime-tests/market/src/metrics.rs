//! What an economy has come to: figures with their definitions.
//!
//! These are statistics about a run, printed and plotted; nothing of them is hashed, signed or
//! stored, so they are floating-point numbers.

/// Work that was assigned, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The round of the assignment, from 0.
    pub round: u32,
    /// The task type.
    pub task: usize,
    /// The provider.
    pub provider: usize,
    /// His reputation points at the assignment.
    pub points: u32,
    /// Price of a unit, in base units.
    pub price: u128,
    /// Units.
    pub units: u64,
    /// Whether a service level was agreed on.
    pub service_level: bool,
    /// How it ended.
    pub end: End,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Done, every service level kept.
    Kept,
    /// Done and paid, less a penalty.
    Violated,
    /// Not done; the money went back.
    Failed,
}

/// Everything that is counted in a run.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Rounds.
    pub rounds: u32,
    /// Requests placed.
    pub requests: u64,
    /// Requests of which at least one unit was assigned.
    pub matched: u64,
    /// Units asked for.
    pub units_wanted: u64,
    /// Units assigned.
    pub units_assigned: u64,
    /// Units offered.
    pub units_offered: u64,
    /// The jobs, in order of assignment.
    pub jobs: Vec<Job>,
}

/// The figures of a run.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// See [`DEFINITIONS`].
    pub match_rate: f64,
    /// See [`DEFINITIONS`].
    pub fill_rate: f64,
    /// See [`DEFINITIONS`].
    pub compliance: f64,
    /// See [`DEFINITIONS`].
    pub convergence: f64,
    /// See [`DEFINITIONS`]; none if one of the two groups did no work.
    pub premium: Option<f64>,
    /// See [`DEFINITIONS`].
    pub liquidity: f64,
    /// Jobs.
    pub jobs: usize,
}

/// What each figure means. The last quarter is that of the rounds.
pub const DEFINITIONS: [(&str, &str); 6] = [
    ("match rate", "requests of which at least one unit was assigned, of all requests"),
    ("fill rate", "units assigned, of all units asked for"),
    ("SLA compliance", "jobs with a service level that kept it, of all of them that ended; a job not done has not kept it"),
    ("price convergence", "1 / (1 + s/m) of the unit prices of the last quarter, m their mean and s their standard deviation, averaged over the task types"),
    ("reputation premium", "volume-weighted price of the providers in the top quartile of points, against all others, in the last quarter; averaged over the task types in which both worked"),
    ("liquidity", "units assigned, of all units offered"),
];

impl Record {
    /// The figures, by [`DEFINITIONS`].
    pub fn figures(&self) -> Figures {
        let with_level = self.jobs.iter().filter(|job| job.service_level);
        let kept = with_level.clone().filter(|job| job.end == End::Kept).count();
        Figures {
            match_rate: ratio(self.matched, self.requests),
            fill_rate: ratio(self.units_assigned, self.units_wanted),
            compliance: ratio(kept as u64, with_level.count() as u64),
            convergence: self.convergence(),
            premium: self.premium(),
            liquidity: ratio(self.units_assigned, self.units_offered),
            jobs: self.jobs.len(),
        }
    }

    /// The convergence of a part of the rounds.
    pub fn convergence_of(&self, rounds: std::ops::Range<u32>) -> f64 {
        let of_task = |task| {
            let prices: Vec<f64> = self
                .jobs
                .iter()
                .filter(|job| job.task == task && rounds.contains(&job.round))
                .map(|job| job.price as f64)
                .collect();
            (prices.len() > 1).then(|| 1.0 / (1.0 + deviation(&prices) / mean(&prices)))
        };
        mean(&self.tasks().filter_map(of_task).collect::<Vec<_>>())
    }

    /// Mean price of a task type in each round in which there was one.
    pub fn prices_by_round(&self, task: usize) -> Vec<(u32, f64)> {
        let of_round = |round| {
            let jobs = self.jobs.iter().filter(|job| job.task == task && job.round == round);
            let (paid, units) = volume(jobs);
            (units > 0.0).then(|| (round, paid / units))
        };
        (0..self.rounds).filter_map(of_round).collect()
    }

    /// The task types in which there was work.
    pub fn tasks(&self) -> impl Iterator<Item = usize> {
        0..self.jobs.iter().map(|job| job.task + 1).max().unwrap_or(0)
    }

    fn convergence(&self) -> f64 {
        self.convergence_of(self.last_quarter()..self.rounds)
    }

    fn last_quarter(&self) -> u32 {
        self.rounds - self.rounds.div_ceil(4)
    }

    fn premium(&self) -> Option<f64> {
        let last = self.last_quarter();
        let late: Vec<&Job> = self.jobs.iter().filter(|job| job.round >= last).collect();
        let providers = late.iter().map(|job| job.provider + 1).max()?;
        let mut standing: Vec<(f64, usize)> = (0..providers)
            .filter_map(|provider| {
                let jobs = late.iter().filter(|job| job.provider == provider);
                let points: Vec<f64> = jobs.map(|job| f64::from(job.points)).collect();
                (!points.is_empty()).then(|| (mean(&points), provider))
            })
            .collect();
        standing.sort_by(|a, b| b.0.total_cmp(&a.0));
        standing.truncate(standing.len().div_ceil(4));
        let is_top = |job: &&&Job| standing.iter().any(|(_, provider)| *provider == job.provider);
        let of_task = |task| {
            let jobs = late.iter().filter(move |job| job.task == task);
            let (paid, units) = volume(jobs.clone().filter(is_top).copied());
            let (paid_others, units_others) = volume(jobs.filter(|job| !is_top(job)).copied());
            let both = units > 0.0 && units_others > 0.0;
            both.then(|| (paid / units) / (paid_others / units_others) - 1.0)
        };
        let premiums: Vec<f64> = self.tasks().filter_map(of_task).collect();
        (!premiums.is_empty()).then(|| mean(&premiums))
    }
}

fn volume<'a>(jobs: impl Iterator<Item = &'a Job>) -> (f64, f64) {
    jobs.fold((0.0, 0.0), |(paid, units), job| {
        (paid + job.price as f64 * job.units as f64, units + job.units as f64)
    })
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (squares / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(round: u32, provider: usize, points: u32, price: u128) -> Job {
        let end = if provider == 0 { End::Kept } else { End::Violated };
        Job { round, task: 0, provider, points, price, units: 10, service_level: true, end }
    }

    #[test]
    fn figures_are_those_of_their_definitions() {
        let jobs =
            vec![job(0, 0, 50, 1), job(3, 0, 200, 120), job(3, 1, 50, 100), job(3, 2, 40, 100)];
        let record = Record {
            rounds: 4,
            requests: 5,
            matched: 4,
            units_wanted: 50,
            units_assigned: 40,
            units_offered: 80,
            jobs,
        };
        let figures = record.figures();
        assert_eq!((figures.match_rate, figures.fill_rate, figures.liquidity), (0.8, 0.8, 0.5));
        assert_eq!(figures.compliance, 0.5);
        assert!((figures.premium.expect("both worked") - 0.2).abs() < 1e-9);
        // Prices 120, 100, 100: mean 106.67, deviation 9.43.
        assert!((figures.convergence - 0.9188).abs() < 1e-3);
        assert_eq!(record.prices_by_round(0), [(0, 1.0), (3, 320.0 / 3.0)]);
    }

    #[test]
    fn equal_prices_have_converged() {
        let jobs = vec![job(0, 0, 50, 7), job(0, 1, 50, 7)];
        let record = Record { rounds: 1, jobs, ..Record::default() };
        assert_eq!(record.figures().convergence, 1.0);
    }
}

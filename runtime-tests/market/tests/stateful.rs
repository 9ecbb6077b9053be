//! Random operations on escrow, auction, reputation and token together, beside a plain model.
//!
//! Ten seeds of 1,000 operations each. For longer runs:
//!
//! ```text
//! CICADA_STATEFUL_SEEDS=40 CICADA_STATEFUL_OPERATIONS=5000 cargo test --test stateful -- --nocapture
//! ```
//!
//! A failure names its seed and shows the last operations; the same seed fails the same way.

use cicada_core::Account;
use cicada_market_simulation::model::Model;
use cicada_market_simulation::random::compare::{differences, differences_in_all, Touched};
use cicada_market_simulation::random::run::{Run, Tally};
use cicada_market_simulation::random::Op;
use std::sync::{Mutex, PoisonError};

const SEEDS: u64 = 10;
const OPERATIONS: u64 = 1_000;

/// Runs that have ended, and what became of their operations.
static ENDED: Mutex<(u64, Tally)> = Mutex::new((0, Tally::EMPTY));

fn number(variable: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else { return default };
    text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}"))
}

/// Seeds first, first + 10, first + 20 and so on.
fn play(first: u64) {
    let seeds = number("CICADA_STATEFUL_SEEDS", SEEDS);
    let operations = number("CICADA_STATEFUL_OPERATIONS", OPERATIONS);
    for seed in (first..=seeds).step_by(10) {
        let start = std::time::Instant::now();
        let mut run = Run::new(seed);
        let operations = usize::try_from(operations).expect("fits");
        run.play(operations).unwrap_or_else(|failure| panic!("{failure}"));
        println!("seed {seed}: {operations} operations in {:.0?}", start.elapsed());
        note(&run.tally, seeds);
    }
}

/// The run that ends last shows all operations, each kind of which must have been done.
fn note(tally: &Tally, seeds: u64) {
    let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    ended.0 += 1;
    ended.1.add(tally);
    if ended.0 == seeds {
        println!("{seeds} seeds\n{}", ended.1);
        let never: Vec<_> = ended.1.never_done().collect();
        assert!(never.is_empty(), "never accepted: {never:?}");
    }
}

macro_rules! seeds {
    ($($name:ident: $first:literal),* $(,)?) => {
        $(#[test] fn $name() { play($first); })*
    };
}

seeds! {
    contracts_and_model_agree_on_seed_1: 1,
    contracts_and_model_agree_on_seed_2: 2,
    contracts_and_model_agree_on_seed_3: 3,
    contracts_and_model_agree_on_seed_4: 4,
    contracts_and_model_agree_on_seed_5: 5,
    contracts_and_model_agree_on_seed_6: 6,
    contracts_and_model_agree_on_seed_7: 7,
    contracts_and_model_agree_on_seed_8: 8,
    contracts_and_model_agree_on_seed_9: 9,
    contracts_and_model_agree_on_seed_10: 10,
}

#[test]
fn a_model_whose_deadlines_are_a_millisecond_late_is_found_out() {
    let play = |seed| {
        let mut run = Run::new(seed);
        run.model.setting.late_by_one = true;
        Some((seed, run.play(600).err()?))
    };
    let (seed, failure) = (1..=8).find_map(play).expect("somebody acts exactly at a deadline");
    assert_eq!(failure.seed, seed);
    assert_eq!(failure.last.len(), failure.step.min(10), "the last operations are shown");
    assert!(failure.to_string().contains(&format!("seed {seed}, operation {}", failure.step)));
}

#[test]
fn the_same_seed_does_the_same() {
    let play = || {
        let mut run = Run::new(3);
        run.play(120).unwrap_or_else(|failure| panic!("{failure}"));
        (format!("{:?}", run.model), run.tally.to_string())
    };
    assert_eq!(play(), play());
}

/// Something is changed in the model that has not happened on the chain.
type Lie = (&'static str, fn(&mut Model));

#[test]
fn every_lie_about_the_state_is_found_out() {
    let mut run = Run::new(2);
    run.play(400).unwrap_or_else(|failure| panic!("{failure}"));
    let lies: [Lie; 9] = [
        ("a balance", |model| *model.balances.values_mut().next().unwrap() += 1),
        ("an allowance", |model| *model.allowances.values_mut().next().unwrap() -= 1),
        ("a permission", |model| {
            model.operators.insert((Account([1; 32]), Account([2; 32])));
        }),
        ("an amount", |model| model.escrows.get_mut(&0).unwrap().to_provider += 1),
        ("a reserve", |model| model.reserves.get_mut(&0).unwrap().balance += 1),
        ("a log", |model| model.escrows.get_mut(&0).unwrap().log[0].time_ms += 1),
        ("a request", |model| model.requests.get_mut(&1).unwrap().left += 1),
        ("an offer", |model| model.offers.get_mut(&1).unwrap().left += 1),
        ("an assignment", |model| model.assignments.get_mut(&1).unwrap().price += 1),
    ];
    for (name, lie) in lies {
        let mut model = run.model.clone();
        lie(&mut model);
        let found = differences_in_all(&mut run.stage, &model, &run.people);
        assert!(!found.is_empty(), "{name} was not found out");
    }
    let mut model = run.model.clone();
    model.fills.clear();
    assert!(!differences_in_all(&mut run.stage, &model, &run.people).is_empty(), "prices");
    model = run.model.clone();
    model.history.clear();
    assert!(!differences_in_all(&mut run.stage, &model, &run.people).is_empty(), "points");
}

#[test]
fn what_an_operation_changes_is_looked_at_at_once() {
    let mut run = Run::new(2);
    let (by, to) = (run.people[0], run.people[1]);
    let op = Op::Transfer { by, to, amount: 5 };
    // Accepted by the model, never sent to the chain.
    let (after, answer) = run.model.after(&op);
    assert_eq!(answer, Ok(None));
    let touched = Touched::by(&op, &run.model, &after);
    let found = differences(&mut run.stage, &after, &touched);
    assert_eq!(found.len(), 2, "both balances: {found:?}");
}

//! Index, pool, rewards and stake together: random operations on the real contracts, each compared
//! with a plain model.
//!
//! One TAO is staked, traded for the index token and paid as reward; what 20 subnet tokens are worth
//! decides who of 23 operators is slashed. After each operation: the answer and its error, what it
//! touched, and what must always hold. After every tenth: every balance of every token, every stake,
//! claim and setting. For longer runs:
//!
//! ```text
//! CICADA_STATEFUL_SEEDS=40 CICADA_STATEFUL_OPERATIONS=3000 cargo test --test staked_index -- --nocapture
//! ```
//!
//! A failure names its seed and shows the last operations; the same seed fails the same way.

mod brought;
mod chain;
// The keys and registrations of a committee; what is seated here has stake besides.
#[allow(dead_code)]
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod dice;
mod draw;
mod draw_basket;
mod draw_money;
mod model;
mod op;
mod people;
mod run;
mod stage;

use std::sync::{Mutex, PoisonError};

use crate::compare::Found;
use crate::model::{Mistake, Model};
use crate::people::{Coin, Who};
use crate::run::{Run, Tally};

const SEEDS: u64 = 6;
const OPERATIONS: u64 = 300;
/// A mistake of the model must show in so many operations of one of the seeds.
const SOON: usize = 150;

/// Runs that have ended, and what became of their operations.
static ENDED: Mutex<(u64, Tally)> = Mutex::new((0, Tally::EMPTY));

fn number(variable: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else { return default };
    text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}"))
}

/// Seeds first, first + 6, first + 12 and so on.
fn play(first: u64) {
    let seeds = number("CICADA_STATEFUL_SEEDS", SEEDS);
    let operations = number("CICADA_STATEFUL_OPERATIONS", OPERATIONS);
    for seed in (first..=seeds).step_by(6) {
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
        let never =
            ended.1.counts.iter().filter(|(kind, counts)| counts.0 == 0 && **kind != "accuse");
        assert_eq!(never.collect::<Vec<_>>(), Vec::new(), "never accepted");
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
}

/// Plays until contracts and model part, which they must.
fn is_found_out(mistake: Mistake) {
    let differ = |seed| Run::mistaken(seed, mistake).play(SOON).err().map(|found| (seed, found));
    let (seed, failure) = (1..=SEEDS).find_map(differ).expect("the model is wrong");
    assert!(failure.to_string().contains(&format!("seed {seed}, operation {}", failure.step)));
    assert!(!failure.differences.is_empty() && failure.last.len() == failure.step.min(8));
}

#[test]
fn a_model_whose_stake_is_free_a_millisecond_late_is_found_out() {
    is_found_out(Mistake::LateByOne);
}

#[test]
fn a_model_that_rounds_penalties_down_is_found_out() {
    is_found_out(Mistake::PenaltyRoundedDown);
}

#[test]
fn a_model_that_counts_a_second_proof_is_found_out() {
    is_found_out(Mistake::ProofCountsTwice);
}

#[test]
fn a_model_that_owes_nothing_is_found_out() {
    is_found_out(Mistake::NothingOwed);
}

#[test]
fn a_model_that_rounds_mints_down_is_found_out() {
    is_found_out(Mistake::MintRoundedDown);
}

#[test]
fn a_model_that_bars_an_eighth_seat_is_found_out() {
    is_found_out(Mistake::EightBarred);
}

#[test]
fn the_same_seed_does_the_same() {
    let play = || {
        let mut run = Run::new(3);
        run.play(60).unwrap_or_else(|failure| panic!("{failure}"));
        (format!("{:?}", run.model), run.tally.to_string())
    };
    assert_eq!(play(), play());
}

/// Something is changed in the model that has not happened on the chain.
type Lie = (&'static str, fn(&mut Model));

#[test]
fn every_lie_about_the_state_is_found_out() {
    let mut run = Run::new(2);
    run.play(120).unwrap_or_else(|failure| panic!("{failure}"));
    let lies: [Lie; 10] = [
        ("TAO", |model| *model.balances.entry((Coin::Tao, Who::Stranger)).or_default() += 1),
        ("a subnet token", |model| {
            *model.balances.entry((Coin::Subnet(7), Who::Index)).or_default() += 1;
        }),
        ("the index token", |model| {
            *model.balances.entry((Coin::Tao20, Who::User(1))).or_default() += 1;
        }),
        ("a stake", |model| model.stakes.operators.entry(Who::Node(3)).or_default().bonded += 1),
        ("points", |model| model.stakes.operators.entry(Who::Node(24)).or_default().lost += 1),
        ("what was slashed", |model| model.stakes.slashed += 1),
        ("a debt", |model| {
            model.basket.owed.insert((Who::User(0), 3), 1);
        }),
        ("a NAV", |model| model.basket.navs.last_mut().unwrap().nav_e18 += 1),
        ("a payment", |model| {
            model.rewards.paid.insert(Who::Stranger, 1 << 90);
        }),
        ("a sum of prices", |model| model.pool.sum_e18 += 1),
    ];
    for (name, lie) in lies {
        let mut model = run.model.clone();
        lie(&mut model);
        let mut found = Found::default();
        found.all(&mut run.stage, &model, run.slashed);
        assert!(!found.0.is_empty(), "{name} was not found out");
    }
}

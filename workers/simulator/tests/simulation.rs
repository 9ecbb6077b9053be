//! Thousands of runs, each from one seed.

use cicada_consensus::Mutant;
use cicada_core::quorum::FaultModel;
use cicada_simulator::plan::{Sabotage, Setup};
use cicada_simulator::run::{run, Summary};

fn all(setups: impl Iterator<Item = Setup>) -> Summary {
    let mut sum = Summary::default();
    for setup in setups {
        match run(setup) {
            Ok(one) => sum.add(&one),
            Err(rule) => panic!("{rule}"),
        }
    }
    println!("{sum:?}");
    assert!(sum.certified > 0);
    sum
}

#[test]
fn crash_mode_withstands_everything_but_liars() {
    all((0..600).map(|seed| Setup::crash(seed, 3)));
    all((0..400).map(|seed| Setup::crash(seed, 5)));
    all((0..100).map(|seed| Setup::crash(seed, 23)));
}

#[test]
fn small_committees_withstand_liars() {
    all((0..200).map(|seed| Setup::byzantine(seed, 4, 1)));
    all((0..200).map(|seed| Setup::byzantine(seed, 5, 1)));
    all((0..200).map(|seed| Setup::byzantine(seed, 7, 2)));
    all((0..100).map(|seed| Setup::byzantine(seed, 6, 0)));
}

#[test]
fn twenty_three_nodes_withstand_seven_liars() {
    all((0..50).map(|seed| Setup::byzantine(seed, 23, 7)));
}

#[test]
fn the_same_seed_is_the_same_run() {
    // Those of 5 nodes have the real database in the middle of a failure.
    let databases = [12, 110, 117, 191, 223].map(|seed| Setup::byzantine(seed, 5, 1));
    let others = [Setup::byzantine(11, 23, 7), Setup::crash(13, 5)];
    for setup in others.into_iter().chain(databases) {
        let (first, second) = (run(setup).unwrap(), run(setup).unwrap());
        assert_eq!(first.trace, second.trace);
        let other = run(Setup { seed: setup.seed + 100, ..setup }).unwrap();
        assert_ne!(first.trace, other.trace);
    }
}

/// The number of seeds until the oracle notices.
fn seeds_to_catch(setup: impl Fn(u64) -> Setup) -> u64 {
    for seed in 0..600 {
        if let Err(found) = run(setup(seed)) {
            println!("caught by seed {seed}: {}", found.rule);
            return seed;
        }
    }
    panic!("{:?} was not caught in 600 seeds", setup(0));
}

#[test]
fn broken_disks_and_quorums_are_caught() {
    use Sabotage::*;
    for sabotage in [ForgetVotes, ForgetPromises, SendBeforeFlush, SmallQuorum, IgnoreVotes] {
        seeds_to_catch(|seed| Setup { sabotage, ..Setup::crash(seed, 3) });
    }
    for sabotage in [ForgetVotes, ForgetPromises, SendBeforeFlush] {
        seeds_to_catch(|seed| Setup { sabotage, ..Setup::byzantine(seed, 5, 1) });
    }
}

#[test]
fn nine_liars_of_twenty_three_are_too_many() {
    let mut broken = (0..300).filter_map(|seed| run(Setup::byzantine(seed, 23, 9)).err());
    for found in broken.by_ref().take(3) {
        // Two quorums of 16 share nine: all of them are found, and nobody else.
        assert!(found.culprits.len() >= 9, "{}: {:?}", found.rule, found.culprits);
        assert!(found.culprits.is_subset(&found.liars), "{:?}", found.culprits);
    }
    assert!(broken.next().is_some());
}

#[test]
fn eight_liars_of_twenty_three_can_delay_and_not_deceive() {
    for seed in 0..20 {
        if let Err(found) = run(Setup::byzantine(seed, 23, 8)) {
            panic!("{found}");
        }
    }
}

#[test]
fn a_majority_is_no_quorum_against_liars() {
    let mutant = Some(Mutant::MajorityQuorum);
    seeds_to_catch(|seed| Setup { mutant, ..Setup::byzantine(seed, 23, 7) });
}

#[test]
fn crash_mode_with_a_quorum_is_a_different_thing() {
    assert_eq!(Setup::crash(0, 23).quorum().size(), 12);
    assert_eq!(Setup { model: FaultModel::Byzantine, ..Setup::crash(0, 23) }.quorum().size(), 16);
}

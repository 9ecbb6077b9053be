//! The quick models, and that what makes them quick leaves nothing out.

use cicada_consensus::Mutant;
use cicada_models::byzantine::{self, Byzantine, Pace};
use cicada_models::run::{check, Limit, Outcome, Search};
use cicada_models::suite::{byzantine as plain, judge, runs, Expected};
use std::time::Duration;

fn explore(params: byzantine::Params) -> Outcome {
    let limit = Limit::new(Duration::from_secs(600), usize::MAX);
    check(Byzantine::new(params, limit), Search::Near)
}

#[test]
fn every_quick_model_comes_out_as_expected() {
    let runs = runs(true);
    assert!(runs.iter().any(|run| run.expected == Expected::Holds));
    for run in runs {
        let outcome = run.go();
        if let Err(reason) = judge(&run, &outcome) {
            panic!("{}, {}: {reason}: {:?}", run.name, run.bounds(), outcome.broken);
        }
    }
}

#[test]
fn asking_the_code_each_time_gives_the_same_states() {
    let remembered = explore(plain(4, 2));
    let asked = explore(byzantine::Params { remember: false, ..plain(4, 2) });
    assert_eq!((asked.steps, asked.states), (remembered.steps, remembered.states));
    assert!(asked.complete && remembered.complete);
}

#[test]
fn ascending_views_reach_every_state_in_fewer_steps() {
    for n in [4, 5] {
        let any = explore(plain(n, 2));
        let ascending = explore(byzantine::Params { pace: Pace::Ascending, ..plain(n, 2) });
        assert_eq!(any.states, ascending.states);
        assert!(any.steps > ascending.steps);
    }
}

#[test]
fn whole_phases_find_what_single_steps_find() {
    let mutants = [
        Mutant::BelieveLocks,
        Mutant::IgnoreMandate,
        Mutant::HideLocks,
        Mutant::DropLocksAtViewChange,
        Mutant::RepeatedPledge,
        Mutant::FewPledges,
        Mutant::MixKinds,
        Mutant::LowestLock,
        Mutant::StalePledges,
    ];
    for mutant in mutants {
        for views in [2, 3] {
            let seeded = byzantine::Params { mutant: Some(mutant), ..plain(4, views) };
            let phases = explore(byzantine::Params { pace: Pace::Phases, ..seeded });
            let single = explore(seeded);
            let broken = [&phases, &single].map(|outcome| outcome.broken.is_some());
            assert_eq!(broken[0], broken[1], "{mutant:?}, {views} views");
        }
    }
}

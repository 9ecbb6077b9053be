//! The rules of stake, and who may judge.

use cicada_core::slashing::{Bands, ParameterError, Rates, Standing, MIN_STAKE};
use cicada_runtime_tests::{account, on};
use cicada_traits::staking::{Judged, Staking, StakingError, StakingTerms};
use cicada_traits::validators::Validators;
use validators::validators::{JudgeChanged, TermsSet};

use crate::stage::{node, Stage, DELAY, JUDGE, OWNER, STAKE, STRANGER};

#[test]
fn the_owner_sets_the_rules() {
    let mut stage = Stage::bare();
    assert_eq!(stage.world.read(on(&stage.validators).terms()), None);
    let terms = stage.usual_terms();
    let set = on(&stage.validators).set_terms(terms);
    let error = stage.world.as_(account(STRANGER)).call(set).fails();
    assert_eq!(error, StakingError::NotOwner);
    let receipt = stage.set_terms(terms).succeeds();
    assert_eq!(receipt.event::<TermsSet>(&stage.validators).terms, terms);
    assert_eq!(stage.world.read(on(&stage.validators).terms()), Some(terms));

    let other = StakingTerms { minimum: 5, reputation: None, unbonding_ms: 1, ..terms };
    let _ = stage.set_terms(other).succeeds();
    assert_eq!(stage.world.read(on(&stage.validators).terms()), Some(other));
}

#[test]
fn the_token_is_fixed_with_the_first_rules() {
    let mut stage = Stage::with_terms();
    let error = stage.change_terms(|terms| terms.token = account(STRANGER)).fails();
    assert_eq!(error, StakingError::TokenFixed);
}

#[test]
fn bands_and_rates_must_rise() {
    let mut stage = Stage::bare();
    let falling = Bands { none_bps: 200, ..Bands::NAV };
    let rates = Rates { minor_bps: 600, ..Rates::DEFAULT };
    let above = Rates { critical_bps: 10_001, ..Rates::DEFAULT };
    let mut refuse = |change: &dyn Fn(&mut StakingTerms), reason| {
        let error = stage.change_terms(change).fails();
        assert_eq!(error, StakingError::Parameters(reason));
    };
    refuse(&|terms| terms.nav_bands = falling, ParameterError::NotRising);
    refuse(
        &|terms| terms.ranking_bands = Bands { severe_bps: 1, ..Bands::RANKING },
        ParameterError::NotRising,
    );
    refuse(&|terms| terms.rates = rates, ParameterError::NotRising);
    refuse(&|terms| terms.rates = above, ParameterError::AboveWhole);
}

#[test]
fn the_owner_lists_judges() {
    let mut stage = Stage::new();
    let set = |name: &str, allowed| on(&stage.validators).set_judge(account(name), allowed);
    let by_stranger = set(STRANGER, true);
    let (list, again, off) = (set(STRANGER, true), set(STRANGER, true), set(JUDGE, false));
    let error = stage.world.as_(account(STRANGER)).call(by_stranger).fails();
    assert_eq!(error, StakingError::NotOwner);

    let owner = account(OWNER);
    let receipt = stage.world.as_(owner).call(list).succeeds();
    let event = receipt.event::<JudgeChanged>(&stage.validators);
    assert_eq!((event.contract, event.allowed), (account(STRANGER), true));
    assert!(stage.world.read(on(&stage.validators).is_judge(account(STRANGER))));
    let receipt = stage.world.as_(owner).call(again).succeeds();
    assert!(receipt.emitted.is_empty(), "nothing changed");
    let receipt = stage.world.as_(owner).call(off).succeeds();
    assert!(!receipt.event::<JudgeChanged>(&stage.validators).allowed);
    assert_eq!(stage.report(1, &[(0, 60)]).fails(), StakingError::NotJudge);
}

#[test]
fn another_minimum_counts_at_once() {
    let mut stage = Stage::new();
    assert_eq!(stage.standing(node(3)), Standing::Active);
    let _ = stage.change_terms(|terms| terms.minimum = STAKE).succeeds();
    assert_eq!(stage.standing(node(3)), Standing::Active, "exactly the minimum is enough");
    let _ = stage.change_terms(|terms| terms.minimum = STAKE + 1).succeeds();
    assert_eq!(stage.standing(node(3)), Standing::Inactive);
    assert_eq!(stage.electorate().stakes, [0; 23]);
}

#[test]
fn other_bands_and_rates_count_at_once() {
    let mut stage = Stage::new();
    let change = |terms: &mut StakingTerms| {
        terms.nav_bands = Bands { none_bps: 0, minor_bps: 0, moderate_bps: 0, severe_bps: 10 };
        terms.rates = Rates { severe_bps: 10_000, critical_bps: 10_000, ..Rates::DEFAULT };
    };
    let _ = stage.change_terms(change).succeeds();
    let _ = stage.report(1, &[(4, 10)]).succeeds();
    assert_eq!(stage.amounts(node(4)), (0, 0), "all of it, and no more");
}

#[test]
fn without_rules_there_is_no_stake_and_no_penalty() {
    let mut stage = Stage::bare();
    let form = on(&stage.validators).form_committee(stage.committee.operators());
    let _ = stage.world.as_(account(OWNER)).call(form).succeeds();
    let judge = on(&stage.validators).set_judge(account(JUDGE), true);
    let _ = stage.world.as_(account(OWNER)).call(judge).succeeds();

    assert_eq!(stage.bond(node(0), MIN_STAKE).fails(), StakingError::NoTerms);
    assert_eq!(stage.unbond(node(0), MIN_STAKE).fails(), StakingError::NoTerms);
    assert_eq!(stage.withdraw(node(0)).fails(), StakingError::ZeroAmount);
    assert_eq!(stage.report(1, &[(0, 60)]).fails(), StakingError::NoTerms);
    let navs = stage.two_navs(1, 0, 1);
    assert_eq!(stage.convict_observer(navs).fails(), StakingError::NoTerms);
    let reports = stage.two_reports(1, 0, stage.a_report(1, 1), stage.a_report(1, 2));
    assert_eq!(stage.convict(reports).fails(), StakingError::NoTerms);
    assert_eq!(stage.standing(node(0)), Standing::Inactive);

    let electorate = stage.electorate();
    assert_eq!((electorate.epoch, electorate.stakes), (1, vec![0; 23]));
    assert_eq!(stage.verify_by(0..16), Ok(()));
    stage.next_epoch();
    assert_eq!(stage.verify_by(7..23), Ok(()));
}

#[test]
fn before_the_first_committee_there_are_no_voters() {
    let mut stage = Stage::with_terms();
    let electorate = stage.world.read(on(&stage.validators).electorate());
    assert_eq!((electorate.epoch, electorate.keys.len(), electorate.stakes.len()), (0, 0, 0));
    assert_eq!(stage.report(1, &[(0, 60)]).fails(), StakingError::UnknownSeat);
    let _ = stage.bond(node(0), MIN_STAKE).succeeds();
    assert_eq!(stage.standing(node(0)), Standing::Active, "stake comes before the seat");
    assert_eq!(stage.stake(node(0)).releases_ms, 0);
    assert_eq!(stage.world.read(on(&stage.validators).terms()).unwrap().unbonding_ms, DELAY);
}

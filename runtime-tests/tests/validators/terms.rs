//! The rules of stake, and who may judge.

use cicada_core::slashing::{
    Bands, ParameterError, Rates, Standing, MAX_UNBONDING_MS, MIN_STAKE, MIN_UNBONDING_MS,
};
use cicada_runtime_tests::{account, address, on, AccountId};
use cicada_traits::staking::{
    AnnouncedTerms, Judged, Staking, StakingError, StakingTerms, MAX_JUDGES,
};
use cicada_traits::validators::Validators;
use validators::validators::{Resigned, TermsSet};

use crate::stage::{everybody, node, Stage, DAY, DELAY, JUDGE, OWNER, STAKE, STRANGER};

#[test]
fn the_first_rules_act_at_once_and_every_change_after_twice_the_delay() {
    let mut stage = Stage::bare();
    assert_eq!(stage.world.read(on(&stage.validators).terms()), None);
    let terms = stage.usual_terms();
    let set = on(&stage.validators).set_terms(terms.clone());
    let error = stage.world.as_(account(STRANGER)).call(set).fails();
    assert_eq!(error, StakingError::NotOwner);
    let receipt = stage.set_terms(terms.clone()).succeeds();
    let event = receipt.event::<TermsSet>(&stage.validators);
    assert_eq!((event.terms, event.from_ms), (terms.clone(), stage.world.now()));
    assert_eq!(stage.world.read(on(&stage.validators).terms()), Some(terms.clone()));

    let other = StakingTerms {
        minimum: MIN_STAKE / 2,
        reputation: None,
        unbonding_ms: DAY,
        ..terms.clone()
    };
    let from_ms = stage.world.now() + 2 * DELAY;
    let receipt = stage.set_terms(other.clone()).succeeds();
    assert_eq!(receipt.event::<TermsSet>(&stage.validators).from_ms, from_ms);
    stage.world.at(from_ms - 1);
    assert_eq!(stage.world.read(on(&stage.validators).terms()), Some(terms.clone()));
    let announced = AnnouncedTerms { terms: other.clone(), from_ms };
    assert_eq!(stage.world.read(on(&stage.validators).announced()), Some(announced));
    stage.world.at(from_ms);
    assert_eq!(stage.world.read(on(&stage.validators).terms()), Some(other.clone()));
    assert_eq!(stage.world.read(on(&stage.validators).announced()), None);
    // The next change waits for twice the delay of now, and those in force stay in force.
    let _ = stage.set_terms(terms.clone()).succeeds();
    assert_eq!(stage.world.read(on(&stage.validators).terms()), Some(other));
    stage.world.advance(2 * DAY);
    assert_eq!(stage.world.read(on(&stage.validators).terms()), Some(terms));
}

#[test]
fn an_announcement_takes_the_place_of_another_and_waits_from_its_own_time() {
    let mut stage = Stage::with_terms();
    let _ = stage.change_terms(|terms| terms.minimum = 1).succeeds();
    stage.world.advance(2 * DELAY - 1);
    let _ = stage.change_terms(|terms| terms.minimum = 2).succeeds();
    stage.world.advance(1);
    let minimum = |stage: &mut Stage| {
        let terms = stage.world.read(on(&stage.validators).terms());
        terms.map(|terms| terms.minimum)
    };
    assert_eq!(minimum(&mut stage), Some(MIN_STAKE), "the first is forgotten");
    stage.world.advance(2 * DELAY - 1);
    assert_eq!(minimum(&mut stage), Some(2));
}

#[test]
fn token_and_treasury_are_fixed_with_the_first_rules() {
    let mut stage = Stage::with_terms();
    let error = stage.change_terms(|terms| terms.token = account(STRANGER)).fails();
    assert_eq!(error, StakingError::Fixed);
    let error = stage.change_terms(|terms| terms.treasury = account(OWNER)).fails();
    assert_eq!(error, StakingError::Fixed);
}

#[test]
fn the_owner_takes_nothing_of_what_is_staked() {
    let mut stage = Stage::new();
    let (held, before) = (stage.held(), stage.balance(account(OWNER)));
    // Judge and highest rates, in one block and after the notice.
    let change = |terms: &mut StakingTerms| {
        terms.judges = vec![account(OWNER)];
        terms.reputation = None;
        terms.rates = Rates { critical_bps: 10_000, ..Rates::DEFAULT };
    };
    let _ = stage.change_terms(change).succeeds();
    let all: Vec<(u8, u32)> = (0..23).map(|seat| (seat, u32::MAX)).collect();
    let nav = cicada_core::report::ReportKind::Nav;
    assert_eq!(stage.report_as(OWNER, nav, 1, &all).fails(), StakingError::NotJudge);
    stage.world.advance(2 * DELAY);
    let _ = stage.report_as(OWNER, nav, 1, &all).succeeds();
    assert_eq!((stage.held(), stage.balance(account(OWNER))), (held, before), "guards hold");
}

#[test]
fn no_offence_is_used_up_for_nothing() {
    let mut stage = Stage::new();
    let free = Rates { minor_bps: 0, moderate_bps: 0, severe_bps: 0, critical_bps: 999 };
    let error = stage.change_terms(|terms| terms.rates = free).fails();
    assert_eq!(error, StakingError::Parameters(ParameterError::BelowFloor));
    let cheap = Rates { critical_bps: 1_000, ..free };
    let _ = stage.change_terms(|terms| terms.rates = cheap).succeeds();
    let _ = stage.convict_observer(stage.two_navs(1, 3, 7)).succeeds();
    assert_eq!(stage.amounts(node(3)).0, STAKE / 2, "the rates in force, not the announced ones");
}

#[test]
fn who_resigned_is_judged_by_the_rules_of_then_and_gets_out_after_a_change() {
    let mut stage = Stage::new();
    let receipt = stage.resign(node(4)).succeeds();
    assert_eq!(receipt.event::<Resigned>(&stage.validators).operator, node(4));
    assert_eq!(stage.resign(node(4)).fails(), StakingError::CannotResign);
    assert_eq!(stage.resign(account(STRANGER)).fails(), StakingError::CannotResign);
    // Voice, weight and duty stay.
    assert!(stage.stake(node(4)).is_resigned);
    assert_eq!(stage.electorate().stakes[4], MIN_STAKE * 5 / 4);
    assert_eq!(stage.verify_by(0..16), Ok(()));
    assert_eq!(stage.unbond(node(4), STAKE).fails(), StakingError::Seated);
    let change = |terms: &mut StakingTerms| {
        terms.rates = Rates { critical_bps: 10_000, ..Rates::DEFAULT };
        terms.minimum = 2 * MIN_STAKE;
        terms.unbonding_ms = 100 * DAY;
    };
    stage.enforce_terms(change);
    let _ = stage.convict_observer(stage.two_navs(1, 5, 7)).succeeds();
    assert_eq!(stage.amounts(node(5)).0, 0, "the new rate");
    let _ = stage.convict_observer(stage.two_navs(1, 4, 7)).succeeds();
    assert_eq!(stage.amounts(node(4)).0, STAKE / 2, "the old one");
    // Another sits in his place: out after the old delay.
    stage.newcomers("other");
    for seat in 0..23 {
        let _ = stage.bond(account(&format!("other-{seat}")), STAKE).succeeds();
    }
    let _ = stage.rotate_to("other", &(6..23).collect::<Vec<u8>>()).succeeds();
    let _ = stage.unbond(node(4), STAKE / 2).succeeds();
    stage.world.advance(DELAY);
    assert_eq!(stage.withdraw(node(4)).succeeds().value, STAKE / 2);
    let stake = stage.stake(node(4));
    assert!(!stake.is_resigned, "and all is forgotten");
}

#[test]
fn who_resigned_is_not_judged_by_whoever_is_named_later() {
    let mut stage = Stage::new();
    for seat in 0..7 {
        let _ = stage.resign(node(seat)).succeeds();
    }
    stage.enforce_terms(|terms| terms.judges = vec![account(OWNER)]);
    let nav = cicada_core::report::ReportKind::Nav;
    // Seven at a time: as many as may be off.
    for (slot, first) in [(1, 0), (2, 7), (3, 0), (4, 7)] {
        let off: Vec<(u8, u32)> = (first..first + 7).map(|seat| (seat, u32::MAX)).collect();
        let _ = stage.report_as(OWNER, nav, slot, &everybody(&off)).succeeds();
    }
    for seat in 0..7 {
        assert_eq!(stage.amounts(node(seat)), (STAKE, 0), "nobody judges it by rules of now");
        assert!(stage.amounts(node(seat + 7)).0 < STAKE);
    }
}

#[test]
fn who_has_lost_everything_begins_again_by_the_rules_in_force() {
    let mut stage = Stage::new();
    let whole = |terms: &mut StakingTerms| {
        terms.rates = Rates { critical_bps: 10_000, ..Rates::DEFAULT };
    };
    stage.enforce_terms(whole);
    let _ = stage.resign(node(4)).succeeds();
    stage.enforce_terms(|terms| terms.rates = Rates::DEFAULT);
    let _ = stage.convict_observer(stage.two_navs(1, 4, 7)).succeeds();
    assert_eq!(stage.amounts(node(4)), (0, 0), "by the rules of then");
    assert!(!stage.stake(node(4)).is_resigned);
    let _ = stage.bond(node(4), STAKE).succeeds();
    let _ = stage.convict_observer(stage.two_navs(1, 4, 8)).succeeds();
    assert!(stage.amounts(node(4)).0 > 0, "by those of now");
}

#[test]
fn no_change_puts_the_minimum_beyond_twice_what_it_is() {
    let mut stage = Stage::new();
    let beyond = StakingError::Parameters(ParameterError::MinimumTooHigh);
    for minimum in [2 * MIN_STAKE + 1, u128::MAX] {
        assert_eq!(stage.change_terms(|terms| terms.minimum = minimum).fails(), beyond);
    }
    stage.enforce_terms(|terms| terms.minimum = 2 * MIN_STAKE);
    let _ = stage.change_terms(|terms| terms.minimum = 4 * MIN_STAKE).succeeds();
    // Of what is in force, not of what is announced.
    assert_eq!(stage.change_terms(|terms| terms.minimum = 8 * MIN_STAKE).fails(), beyond);
    // The first rules have none before them.
    let mut bare = Stage::bare();
    let _ = bare.change_terms(|terms| terms.minimum = u128::MAX).succeeds();
}

#[test]
fn seven_that_resigned_before_a_change_of_the_minimum_outweigh_no_nine_others() {
    for minimum in [MIN_STAKE / 2, 2 * MIN_STAKE] {
        let mut stage = Stage::new();
        for seat in 0..7 {
            let _ = stage.resign(node(seat)).succeeds();
        }
        stage.enforce_terms(|terms| terms.minimum = minimum);
        let mut weights = stage.electorate().stakes;
        assert!(weights.iter().all(|weight| *weight > 0), "all of them are heard");
        weights.sort_unstable();
        let sum = |weights: &[u128]| weights.iter().sum::<u128>();
        assert!(sum(&weights[16..]) < sum(&weights[..9]), "{weights:?}");
        let cap = minimum.min(MIN_STAKE) * 5 / 4;
        assert_eq!(weights, [cap; 23], "the cap is of the lowest minimum, for all");
    }
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
        &|terms| terms.ranking_bands = Bands { moderate_bps: 1, ..Bands::RANKING },
        ParameterError::NotRising,
    );
    refuse(&|terms| terms.rates = rates, ParameterError::NotRising);
    refuse(&|terms| terms.rates = above, ParameterError::AboveWhole);
    let too_long = MAX_UNBONDING_MS + 1;
    refuse(&|terms| terms.unbonding_ms = too_long, ParameterError::DelayTooLong);
    let too_short = MIN_UNBONDING_MS - 1;
    refuse(&|terms| terms.unbonding_ms = too_short, ParameterError::DelayTooShort);
    refuse(&|terms| terms.minimum = 0, ParameterError::NoMinimum);
    let judges = vec![account(JUDGE); MAX_JUDGES + 1];
    let error = stage.change_terms(|terms| terms.judges = judges).fails();
    assert_eq!(error, StakingError::TooMany);
    let _ = stage.change_terms(|terms| terms.unbonding_ms = MAX_UNBONDING_MS).succeeds();
}

#[test]
fn the_contract_itself_is_no_token_treasury_or_reputation() {
    let mut stage = Stage::bare();
    let here = address(&stage.validators);
    let changes: [fn(&mut StakingTerms, AccountId); 3] = [
        |terms, here| terms.token = here,
        |terms, here| terms.treasury = here,
        |terms, here| terms.reputation = Some(here),
    ];
    for change in changes {
        let error = stage.change_terms(|terms| change(terms, here)).fails();
        assert_eq!(error, StakingError::OwnAccount);
    }
}

#[test]
fn the_account_of_zeros_is_no_treasury_and_no_judge() {
    let mut stage = Stage::bare();
    let nobody = AccountId::from([0; 32]);
    let error = stage.change_terms(|terms| terms.treasury = nobody).fails();
    assert_eq!(error, StakingError::Nobody);
    let error = stage.change_terms(|terms| terms.judges.push(nobody)).fails();
    assert_eq!(error, StakingError::Nobody);
}

#[test]
fn another_minimum_counts_when_it_is_in_force() {
    let mut stage = Stage::new();
    assert_eq!(stage.standing(node(3)), Standing::Active);
    stage.enforce_terms(|terms| terms.minimum = 2 * MIN_STAKE);
    stage.enforce_terms(|terms| terms.minimum = STAKE);
    assert_eq!(stage.standing(node(3)), Standing::Active, "exactly the minimum is enough");
    let _ = stage.change_terms(|terms| terms.minimum = STAKE + 1).succeeds();
    // Time to take out what is above the old minimum, or to resign.
    assert_eq!(stage.standing(node(3)), Standing::Active);
    stage.world.advance(2 * DELAY);
    assert_eq!(stage.standing(node(3)), Standing::Inactive);
    assert_eq!(stage.electorate().stakes, [0; 23]);
}

#[test]
fn other_bands_and_rates_count_when_they_are_in_force() {
    let mut stage = Stage::new();
    let change = |terms: &mut StakingTerms| {
        terms.nav_bands = Bands { none_bps: 0, minor_bps: 0, moderate_bps: 0 };
        terms.rates = Rates { severe_bps: 10_000, critical_bps: 10_000, ..Rates::DEFAULT };
    };
    stage.enforce_terms(change);
    let _ = stage.report(1, &[(4, 10)]).succeeds();
    assert_eq!(stage.amounts(node(4)), (0, 0), "all of it, and no more");
}

#[test]
fn without_rules_there_is_no_stake_and_no_penalty() {
    let mut stage = Stage::bare();
    let form = on(&stage.validators).form_committee(stage.committee.operators());
    let _ = stage.world.as_(account(OWNER)).call(form).succeeds();

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
    let electorate = stage.world.read(on(&stage.validators).electorate(None));
    assert_eq!((electorate.epoch, electorate.keys.len(), electorate.stakes.len()), (0, 0, 0));
    assert_eq!(stage.report(1, &[(0, 60)]).fails(), StakingError::UnknownEpoch);
    let _ = stage.bond(node(0), MIN_STAKE).succeeds();
    assert_eq!(stage.standing(node(0)), Standing::Active, "stake comes before the seat");
    assert_eq!(stage.stake(node(0)).releases_ms, 0);
    assert_eq!(stage.world.read(on(&stage.validators).terms()).unwrap().unbonding_ms, DELAY);
}

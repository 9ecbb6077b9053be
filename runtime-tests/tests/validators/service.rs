//! Committees follow stake.

use cicada_core::certificate::CertificateError;
use cicada_core::slashing::{Standing, MIN_STAKE};
use cicada_runtime_tests::{account, on};
use cicada_traits::staking::Staking;
use cicada_traits::validators::{Validators, ValidatorsError};

use crate::stage::{node, Stage, OWNER, STAKE};

fn everybody() -> Vec<u8> {
    (0..23).collect()
}

#[test]
fn the_first_committee_needs_stake_in_every_seat() {
    let mut stage = Stage::with_terms();
    let operators = stage.committee.operators();
    let form = |stage: &Stage| on(&stage.validators).form_committee(operators.clone());
    for seat in 0..23 {
        let amount = if seat == 22 { MIN_STAKE - 1 } else { MIN_STAKE };
        let _ = stage.bond(node(seat), amount).succeeds();
    }
    let message = form(&stage);
    let error = stage.world.as_(account(OWNER)).call(message).fails();
    assert_eq!(error, ValidatorsError::NotActive);
    let _ = stage.bond(node(22), 1).succeeds();
    let message = form(&stage);
    let _ = stage.world.as_(account(OWNER)).call(message).succeeds();
    let electorate = stage.electorate();
    assert_eq!(electorate.epoch, 1);
    assert_eq!(electorate.stakes, [MIN_STAKE; 23]);
    let keys: Vec<_> = stage.committee.members().iter().map(|m| m.attestation_key).collect();
    assert_eq!(electorate.keys, keys);
    assert_eq!(electorate.config_digest, stage.committee.config_digest(&stage.validators));
}

#[test]
fn a_change_seats_who_has_no_stake_without_a_voice() {
    let mut stage = Stage::new();
    stage.newcomers("other");
    let other = |seat: u8| account(&format!("other-{seat}"));
    for seat in 8..23 {
        let _ = stage.bond(other(seat), STAKE).succeeds();
    }
    // Eight without stake: the next committee could certify nothing.
    let error = stage.rotate_to("other", &everybody()).fails();
    assert_eq!(error, ValidatorsError::NotActive);
    assert_eq!(stage.world.read(on(&stage.validators).epoch()), 1);
    // Seven without: they sit, and their word weighs nothing.
    let _ = stage.bond(other(7), MIN_STAKE).succeeds();
    let _ = stage.rotate_to("other", &everybody()).succeeds();
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0);
    assert_eq!(stage.electorate().stakes[..7], [0; 7]);
    assert_eq!(stage.verify_by(0..16), Ok(()));
    // Inactive until topped up, and no longer.
    let _ = stage.bond(other(0), MIN_STAKE).succeeds();
    assert_eq!(stage.standing(other(0)), Standing::Active);
    assert_eq!(stage.electorate().stakes[0], MIN_STAKE);
}

#[test]
fn nobody_can_keep_the_committee_in_office() {
    let mut stage = Stage::new();
    // The next committee is certified; then one of it loses stake and is below the minimum, and
    // one is ejected.
    let (report, next, certificate) = stage.change_to("node", &everybody()[..16]);
    let _ = stage.unbond(node(20), STAKE - MIN_STAKE).succeeds();
    let _ = stage.report(1, &[(20, 51)]).succeeds();
    stage.eject(21);
    let rotate = on(&stage.validators).rotate(report, next.members(), certificate);
    let _ = stage.world.as_(node(0)).call(rotate).succeeds();
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 1 << 21);
    assert_eq!(stage.electorate().stakes[20], 0);
}

#[test]
fn who_is_ejected_is_heard_again_after_the_next_epoch() {
    let mut stage = Stage::new();
    stage.eject(9);
    assert_eq!(stage.standing(node(9)), Standing::Ejected);
    stage.next_epoch();
    // The epoch of the ejection is over, but it was not when the seats were given.
    assert_eq!(stage.standing(node(9)), Standing::Active);
    assert_eq!(stage.verify_by(0..16), Err(CertificateError::BarredSigner { seat: 9 }));
    assert_eq!(stage.electorate().stakes[9], 0);
    // Of the committee in office, of the one before as long as it counts, and of nobody else.
    let epoch = stage.electorate().epoch;
    let barred = |epoch| stage.world.read(on(&stage.validators).barred(Some(epoch)));
    assert_eq!([epoch - 2, epoch - 1, epoch, epoch + 1].map(barred), [0, 1 << 9, 1 << 9, 0]);
    stage.world.advance(86_400_000);
    assert_eq!(stage.world.read(on(&stage.validators).barred(Some(epoch - 1))), 0);
    stage.next_epoch();
    assert_eq!(stage.verify_by(0..16), Ok(()));
    assert_eq!(stage.electorate().stakes[9], MIN_STAKE * 5 / 4, "half of three minima");
}

#[test]
fn however_many_are_ejected_sixteen_are_heard() {
    let mut stage = Stage::new();
    for seat in 10..20 {
        stage.eject(seat);
    }
    for seat in 10..20 {
        assert_eq!(stage.standing(node(seat)), Standing::Ejected);
        assert_eq!(stage.electorate().stakes[usize::from(seat)], 0);
    }
    // The first seven have no voice; more would stop everything, also the change of committee.
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0b111_1111 << 10);
    stage.next_epoch();
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0b111_1111 << 10);
    stage.next_epoch();
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0);
}

#[test]
fn stake_weighs_five_quarters_of_the_minimum_at_most() {
    let mut stage = Stage::new();
    let _ = stage.bond(node(3), 5 * MIN_STAKE).succeeds();
    assert_eq!(stage.electorate().stakes[3], MIN_STAKE * 5 / 4);
}

#[test]
fn an_ejected_seat_cannot_certify_the_change() {
    let mut stage = Stage::new();
    stage.eject(9);
    let error = stage.rotate_to("node", &everybody()).fails();
    assert_eq!(error, CertificateError::BarredSigner { seat: 9 }.into());
}

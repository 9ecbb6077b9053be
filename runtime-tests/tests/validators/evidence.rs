//! Penalties for what is proven: two signatures in one slot.

use cicada_core::certificate::CertificateError;
use cicada_core::evidence::EvidenceError;
use cicada_core::report::Feed;
use cicada_core::slashing::{OffenceKind, Severity, Standing, MIN_STAKE};
use cicada_core::Account;
use cicada_runtime_tests::{account, on};
use cicada_traits::staking::{Staking, StakingError};
use cicada_traits::validators::Validators;
use validators::validators::Slashed;

use crate::common::{attestation_key, member, register};
use crate::stage::{bounty, node, Stage, DAY, DELAY, JUDGE, NOBODYS, STAKE, STRANGER, TREASURY};

const HALF: u128 = STAKE.div_ceil(2);

#[test]
fn two_reports_in_a_slot_cost_half_the_stake_and_the_seat() {
    let mut stage = Stage::new();
    let (one, other) = (stage.a_report(4, 1), stage.a_report(4, 2));
    let receipt = stage.convict(stage.two_reports(1, 9, one, other)).succeeds();
    let expected = Slashed {
        operator: node(9),
        offence: OffenceKind::Equivocation,
        epoch: 1,
        feed: one.feed,
        slot: 4,
        severity: Severity::Critical,
        amount: HALF,
    };
    assert_eq!(receipt.event::<Slashed>(&stage.validators), expected);
    assert_eq!(stage.amounts(node(9)), (STAKE - HALF, 0));
    assert_eq!(stage.balance(account(STRANGER)), bounty(HALF), "who brings the proof");
    assert_eq!(stage.balance(account(TREASURY)), HALF - bounty(HALF));
    assert_eq!(stage.standing(node(9)), Standing::Ejected);
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 1 << 9);
}

#[test]
fn two_navs_in_a_slot_cost_the_same() {
    let mut stage = Stage::new();
    let receipt = stage.convict_observer(stage.two_navs(1, 9, 4)).succeeds();
    let event = receipt.event::<Slashed>(&stage.validators);
    assert_eq!((event.operator, event.slot, event.feed), (node(9), 4, stage.feed()));
    assert_eq!((event.offence, event.amount), (OffenceKind::Equivocation, HALF));
    assert_eq!(stage.standing(node(9)), Standing::Ejected);
}

#[test]
fn an_equivocation_is_punished_once_whatever_the_proof() {
    let mut stage = Stage::new();
    let report = |root| stage.a_report(4, root);
    let [one, two, three] = [report(1), report(2), report(3)];
    let first = stage.two_reports(1, 9, one, two);
    let proofs = [
        first.clone(),
        stage.two_reports(1, 9, two, one),
        stage.two_reports(1, 9, one, three),
        stage.two_reports(1, 9, three, two),
    ];
    let _ = stage.convict(first).succeeds();
    for proof in proofs {
        assert_eq!(stage.convict(proof).fails(), StakingError::AlreadyPunished);
    }
    let _ = stage.convict_observer(stage.two_navs(1, 9, 4)).succeeds();
    let mut swapped = stage.two_navs(1, 9, 4);
    std::mem::swap(&mut swapped.one, &mut swapped.other);
    assert_eq!(stage.convict_observer(swapped).fails(), StakingError::AlreadyPunished);
    let mut third = stage.two_navs(1, 9, 4);
    third.other = stage.observation(1, 9, 4, 3);
    assert_eq!(stage.convict_observer(third).fails(), StakingError::AlreadyPunished);
    // Half, and half of the other half.
    let rest = STAKE - HALF;
    assert_eq!(stage.amounts(node(9)).0, rest - rest.div_ceil(2));
    // Another slot, another seat: other offences.
    let _ = stage.convict_observer(stage.two_navs(1, 9, 5)).succeeds();
    let _ = stage.convict_observer(stage.two_navs(1, 8, 4)).succeeds();
}

#[test]
fn evidence_must_convict() {
    let mut stage = Stage::new();
    let (one, other) = (stage.a_report(4, 1), stage.a_report(4, 2));
    let good = stage.two_reports(1, 9, one, other);
    let mut refuse = |change: &dyn Fn(&mut cicada_core::evidence::Equivocation), error| {
        let mut evidence = good.clone();
        change(&mut evidence);
        assert_eq!(stage.convict(evidence).fails(), error);
    };
    refuse(&|e| e.epoch = 0, StakingError::UnknownEpoch);
    refuse(&|e| e.epoch = 2, StakingError::UnknownEpoch);
    let bad = StakingError::Evidence;
    refuse(&|e| e.seat = 23, bad(EvidenceError::UnknownSeat));
    refuse(&|e| e.seat = 8, bad(EvidenceError::BadFirstSignature));
    refuse(&|e| e.second = e.first, bad(EvidenceError::SameReport));
    refuse(&|e| e.second.slot += 1, bad(EvidenceError::DifferentSlots));
    let elsewhere = Feed { contract: Account(NOBODYS.0), ..good.first.feed };
    refuse(&|e| e.second.feed = elsewhere, bad(EvidenceError::DifferentFeeds));
    refuse(&|e| std::mem::swap(&mut e.first, &mut e.second), bad(EvidenceError::WrongOrder));
    refuse(&|e| e.second_signature[0] ^= 1, bad(EvidenceError::BadSecondSignature));
    assert_eq!(stage.amounts(node(9)), (STAKE, 0));
    assert_eq!(stage.verify_by(0..16), Ok(()));
}

#[test]
fn observations_must_convict() {
    let mut stage = Stage::new();
    let good = stage.two_navs(1, 9, 4);
    let same_again = stage.observation(1, 9, 4, 1);
    let of_another = stage.observation(1, 8, 4, 2);
    let of_another_slot = stage.observation(1, 9, 5, 2);
    let of_another_epoch = stage.observation(2, 9, 4, 2);
    let mut refuse = |change: &dyn Fn(&mut cicada_traits::staking::DoubleObservation), error| {
        let mut evidence = good.clone();
        change(&mut evidence);
        assert_eq!(stage.convict_observer(evidence).fails(), error);
    };
    refuse(&|e| e.epoch = 0, StakingError::UnknownEpoch);
    refuse(&|e| e.epoch = 2, StakingError::UnknownEpoch);
    refuse(&|e| e.one.seat = 23, StakingError::UnknownSeat);
    let innocent = StakingError::NoConviction;
    refuse(&|e| e.other.seat = 8, innocent);
    refuse(&|e| e.other = same_again, innocent);
    refuse(&|e| e.other = of_another, innocent);
    refuse(&|e| e.other = of_another_slot, innocent);
    refuse(&|e| e.other = of_another_epoch, innocent);
    refuse(&|e| e.slot = 5, innocent);
    refuse(&|e| e.feed.contract = Account(NOBODYS.0), innocent);
    refuse(&|e| e.one.time_ms = 2, innocent);
    refuse(&|e| e.other.signature[40] ^= 1, innocent);
}

#[test]
fn an_ejected_seat_signs_no_more_and_sixteen_others_do() {
    let mut stage = Stage::new();
    stage.eject(9);
    assert_eq!(stage.verify_by(0..16), Err(CertificateError::BarredSigner { seat: 9 }));
    assert_eq!(stage.verify_by((0..23).filter(|seat| *seat != 9)), Ok(()));
    let electorate = stage.electorate();
    assert_eq!((electorate.stakes[9], electorate.stakes[8]), (0, MIN_STAKE * 5 / 4));
    assert_eq!(electorate.keys[9], member("node-9").attestation_key);
    // No stake buys it back in this epoch.
    let _ = stage.bond(node(9), 10 * MIN_STAKE).succeeds();
    assert_eq!(stage.standing(node(9)), Standing::Ejected);
    assert_eq!(stage.electorate().stakes[9], 0);
    // Seven may fall; with the eighth nothing is certified any more.
    for seat in [0, 1, 2, 3, 4, 5] {
        stage.eject(seat);
    }
    assert_eq!(stage.verify_by((6..23).filter(|seat| *seat != 9)), Ok(()));
    stage.eject(6);
    let fifteen_and_one = (7..23).collect::<Vec<_>>();
    let error = stage.verify_by(fifteen_and_one);
    assert_eq!(error, Err(CertificateError::BarredSigner { seat: 9 }));
}

#[test]
fn an_old_offence_is_punished_under_the_keys_of_its_epoch() {
    let mut stage = Stage::new();
    stage.newcomers("other");
    for seat in 0..23 {
        let _ = stage.bond(account(&format!("other-{seat}")), STAKE).succeeds();
    }
    let everybody: Vec<u8> = (0..23).collect();
    let _ = stage.rotate_to("other", &everybody).succeeds();
    // He sits no more: his stake pays, and there is no seat to lose.
    let _ = stage.convict_observer(stage.two_navs(1, 9, 4)).succeeds();
    assert_eq!(stage.amounts(node(9)).0, STAKE - HALF);
    assert_eq!(stage.standing(node(9)), Standing::Active);
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0);
    let before = stage.electorate_of(1);
    assert_eq!(before.stakes[9], 0, "nor is he heard any more among those before");
    assert_eq!(before.stakes[8], MIN_STAKE * 5 / 4, "the weights of the change stay");
    // Nor does his namesake in the same seat answer for him.
    assert_eq!(stage.amounts(account("other-9")), (STAKE, 0));
    let reports = stage.two_reports(1, 9, stage.a_report(4, 1), stage.a_report(4, 2));
    let _ = stage.convict(reports).succeeds();
    // What he signs now in the name of an epoch in which he does not sit is nothing.
    let error = stage.convict_observer(stage.two_navs(2, 9, 4)).fails();
    assert_eq!(error, StakingError::NoConviction);
}

#[test]
fn the_committee_before_counts_for_as_long_as_none_of_its_stake_can_be_out() {
    let mut stage = Stage::new();
    let report = stage.a_report(9, 9);
    let certificate = stage.committee.certify(&stage.validators, &report);
    let digest = report.digest::<cicada_core::hash::Native>();
    let verify = |stage: &mut Stage| {
        stage.world.read(on(&stage.validators).verify(digest, certificate.clone()))
    };
    stage.world.advance(10 * DAY);
    let weights = stage.electorate().stakes;
    stage.next_epoch();
    assert_eq!(verify(&mut stage), Ok(()));
    stage.world.advance(DAY - 1);
    assert_eq!(verify(&mut stage), Ok(()));
    assert_eq!(stage.electorate_of(1).stakes, weights);
    stage.world.advance(1);
    assert_eq!(verify(&mut stage), Err(CertificateError::WrongEpoch { expected: 2 }));
    let gone = stage.electorate_of(1);
    assert_eq!((gone.keys.len(), gone.stakes.len()), (0, 0));
    // What it certified in time is judged all the same, if it takes longer.
    let list = crate::stage::everybody(&[(5, 60)]);
    let nav = cicada_core::report::ReportKind::Nav;
    let _ = stage.report_of(JUDGE, nav, (1, 1), 1, &list).succeeds();
    assert!(stage.amounts(node(5)).0 < STAKE);
}

#[test]
fn an_old_offence_bars_the_same_key_in_office() {
    let mut stage = Stage::new();
    stage.next_epoch();
    let _ = stage.convict_observer(stage.two_navs(1, 9, 4)).succeeds();
    assert_eq!(stage.standing(node(9)), Standing::Ejected);
    assert_eq!(stage.verify_by(0..16), Err(CertificateError::BarredSigner { seat: 9 }));
}

#[test]
fn an_old_offence_does_not_bar_a_new_key() {
    let mut stage = Stage::new();
    // Before the next epoch the operator replaces his key; the old one is known to have signed twice.
    let old = stage.two_navs(1, 9, 4);
    let mut new = member("node-9");
    new.attestation_key = attestation_key("node-9 again").public();
    let domain = crate::common::domain(&stage.validators);
    let statement = domain.possession_statement::<cicada_core::hash::Native>(&new);
    let proof = attestation_key("node-9 again").sign(&statement.0);
    let message = on(&stage.validators).register(new.consensus_key, new.attestation_key, proof);
    let _ = stage.world.as_(node(9)).call(message).succeeds();
    let everybody: Vec<u8> = (0..23).collect();
    let mut members = stage.committee.members();
    members[9] = new;
    let (mut report, _, _) = stage.change_to("node", &everybody);
    report.root = cicada_core::committee::members_root::<cicada_core::hash::Native>(
        &crate::common::quorum(),
        &members,
    );
    let certificate = stage.committee.certify(&stage.validators, &report);
    let rotate = on(&stage.validators).rotate(report, members, certificate);
    let _ = stage.world.as_(node(0)).call(rotate).succeeds();

    let _ = stage.convict_observer(old).succeeds();
    assert_eq!(stage.amounts(node(9)).0, STAKE - HALF);
    assert_eq!(stage.standing(node(9)), Standing::Active);
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0);
    register(&mut stage.world, &stage.validators, "node-9");
}

#[test]
fn who_withdrew_in_time_is_recorded_and_pays_nothing() {
    let mut stage = Stage::new();
    // In office there is no way out below the minimum, so that a liar always has something to lose.
    let most = STAKE - MIN_STAKE;
    assert_eq!(stage.unbond(node(9), most + 1).fails(), StakingError::Seated);
    stage.newcomers("other");
    for seat in 0..23 {
        let _ = stage.bond(account(&format!("other-{seat}")), STAKE).succeeds();
    }
    let everybody: Vec<u8> = (0..23).collect();
    let _ = stage.rotate_to("other", &everybody).succeeds();
    let _ = stage.unbond(node(9), STAKE).succeeds();
    stage.world.advance(DELAY - 1);
    let _ = stage.convict_observer(stage.two_navs(1, 9, 4)).succeeds();
    assert_eq!(stage.amounts(node(9)), (0, STAKE - HALF), "one millisecond too early");
    stage.world.advance(1);
    assert_eq!(stage.withdraw(node(9)).succeeds().value, STAKE - HALF);
    let receipt = stage.convict_observer(stage.two_navs(1, 9, 5)).succeeds();
    assert_eq!(receipt.event::<Slashed>(&stage.validators).amount, 0);
    let again = stage.two_navs(1, 9, 5);
    assert_eq!(stage.convict_observer(again).fails(), StakingError::AlreadyPunished);
}

//! Epochs: only what the committee certified, in order, within what is paid in.

use crate::common::{self, Committee};
use crate::stage::*;
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::fixed::MathError;
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind, MAX_TIME_AHEAD_MS};
use cicada_core::rewards::{
    Award, AwardError, AwardState, Bounds, LONGEST_EPOCH_MS, MAX_CLAIMS, MAX_EPOCH_MS,
};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::psp22::PSP22;
use cicada_traits::rewards::{EpochRecord, RewardTerms, Rewards, RewardsError};
use cicada_traits::validators::Validators;
use rewards::rewards::{EpochSettled, Funded, RewardsContractRef, SlotVoid};

impl Stage {
    /// Brings an award whose report and certificate are right for it: it takes its slot and changes
    /// nothing else. `reason` is what a node says to it before it votes.
    fn is_void(&mut self, award: Award, reason: AwardError) {
        let before = (self.state(), self.money());
        let (slot, observed_ms) = (self.latest().slot, self.world.now());
        let bounds =
            Bounds { emission: EMISSION, min_epoch_ms: HOUR, funded: before.1 .0, observed_ms };
        assert_eq!(award.check_next(&before.0, &bounds), Err(reason));
        let receipt = self.settle_award(award).succeeds();
        assert_eq!(receipt.value, Settlement::Void);
        assert_eq!(receipt.event::<SlotVoid>(&self.rewards).slot, slot + 1);
        assert_eq!(
            (self.state(), self.money(), self.latest().slot),
            (before.0, before.1, slot + 1)
        );
    }

    /// The award of three miners in the hour that ends now.
    fn three(&mut self) -> Epoch {
        self.next(&scores(3, 1), &[], 1_000)
    }
}

#[test]
fn a_new_contract_is_empty() {
    let mut stage = Stage::new();
    let found = stage.world.read(on(&stage.rewards).terms());
    let start_ms = stage.world.now();
    assert_eq!(found, terms(start_ms));
    assert_eq!(stage.state(), AwardState::starting(start_ms));
    assert_eq!((stage.latest(), stage.money()), (FeedState::EMPTY, (0, 0, 0)));
    assert_eq!(stage.world.read(on(&stage.rewards).epoch(0)), None);
    assert_eq!(stage.world.read(on(&stage.rewards).epoch(1)), None);
    assert_eq!(stage.world.read(on(&stage.rewards).token()), address(&stage.token));
    let validators = stage.world.read(on(&stage.rewards).validators());
    assert_eq!(validators, address(&stage.validators));
}

#[test]
fn epochs_have_a_length_and_begin_within_a_year() {
    let mut stage = Stage::new();
    let latest_ms = stage.world.now() + MAX_EPOCH_MS;
    let mut deployed = |start_ms, min_epoch_ms| {
        let terms = RewardTerms { min_epoch_ms, ..terms(start_ms) };
        let constructor =
            RewardsContractRef::new(address(&stage.validators), address(&stage.token), terms);
        stage.world.as_(account(OWNER)).deploy("rewards", constructor).map(|_| ())
    };
    for (start_ms, min_epoch_ms) in [(0, 1), (latest_ms, 1), (latest_ms, LONGEST_EPOCH_MS)] {
        assert_eq!(deployed(start_ms, min_epoch_ms), Ok(()));
    }
    for min_epoch_ms in [0, LONGEST_EPOCH_MS + 1, u64::MAX] {
        assert_eq!(deployed(0, min_epoch_ms), Err(RewardsError::WrongEpochLength));
    }
    for start_ms in [latest_ms + 1, u64::MAX] {
        assert_eq!(deployed(start_ms, HOUR), Err(RewardsError::StartTooLate));
    }
}

#[test]
fn anybody_pays_in() {
    let mut stage = Stage::new();
    let receipt = stage.fund(OWNER, 500).succeeds();
    let event = receipt.event::<Funded>(&stage.rewards);
    assert_eq!(event, Funded { from: account(OWNER), amount: 500, funded: 500 });
    assert_eq!(stage.fund(STRANGER, 1).fails(), RewardsError::TokenRefused, "he has nothing");
    let gift = on(&stage.token).transfer(account(STRANGER), 70, vec![]);
    let _ = stage.call(OWNER, gift).succeeds();
    assert_eq!(stage.fund(STRANGER, 70).fails(), RewardsError::TokenRefused, "nor allowed it");
    let approval = on(&stage.token).approve(address(&stage.rewards), 70);
    let _ = stage.call(STRANGER, approval).succeeds();
    let receipt = stage.fund(STRANGER, 70).succeeds();
    assert_eq!(receipt.event::<Funded>(&stage.rewards).funded, 570);
    assert_eq!((stage.money(), stage.held()), ((570, 0, 570), 570));
    assert_eq!(stage.fund(OWNER, 0).fails(), RewardsError::ZeroAmount);
    let overflow = RewardsError::Math(MathError::Overflow);
    assert_eq!(stage.fund(OWNER, u128::MAX).fails(), overflow);
}

#[test]
fn money_that_is_not_paid_in_by_the_message_is_not_counted() {
    let mut stage = Stage::funded(10);
    let gift = on(&stage.token).transfer(address(&stage.rewards), 1_000, vec![]);
    let _ = stage.call(OWNER, gift).succeeds();
    assert_eq!(stage.money(), (10, 0, 10));
    let epoch = stage.three();
    stage.is_void(epoch.award, AwardError::AboveFunding);
}

#[test]
fn a_certified_epoch_is_settled() {
    let mut stage = Stage::funded(10_000);
    let start_ms = stage.world.now();
    let epoch = stage.next(&scores(3, 1), &validators(), 1_000);
    let award = epoch.award;
    let report = stage.report(&award);
    let receipt = stage.settled(epoch);
    let digest = report.digest::<Native>();
    let event = receipt.event::<EpochSettled>(&stage.rewards);
    assert_eq!((event.epoch, event.digest, event.claims), (1, digest, 26));
    assert_eq!((event.pool, event.awarded, event.carried_out), (1_000, 963, 37));
    assert_eq!(event.claims_root, award.claims_root);

    let end_ms = start_ms + HOUR;
    assert_eq!((award.start_ms, award.end_ms), (start_ms, end_ms));
    assert_eq!((event.ranking, event.ranked_by, event.committee), (award.ranking, 0, 1));
    let (slot, ranked_by, committee, weighed) = (1, 0, 1, 0);
    let record =
        EpochRecord { award, digest, slot, time_ms: end_ms, ranked_by, committee, weighed };
    assert_eq!(stage.world.read(on(&stage.rewards).epoch(1)), Some(record));
    assert_eq!(stage.state(), AwardState::after(&award));
    assert_eq!(stage.latest(), FeedState { slot: 1, digest, time_ms: end_ms });
    assert_eq!(stage.money(), (10_000, 0, 9_000), "963 awarded and 37 carried");
}

#[test]
fn empty_tiers_are_carried_into_the_next_epoch() {
    let mut stage = Stage::funded(10_000);
    // One miner: Diamond's 40 % of the bonus; 150 of 250 have no taker.
    let one = stage.next(&scores(1, 1), &validators(), 1_000);
    assert_eq!((one.award.awarded, one.award.carried_out), (850, 150));
    stage.settle(one);
    let two = stage.next(&scores(1, 2), &validators(), 1_000);
    // 805 of the base, 115 of the bonus of 288, 57 for the validators.
    assert_eq!((two.award.carried_in, two.award.awarded), (150, 977));
    assert_eq!(two.award.carried_out, 173, "of 1,150");
    stage.settle(two);
    // Nobody: all is carried.
    let none = stage.next(&[], &[], 1_000);
    assert_eq!((none.award.awarded, none.award.carried_out), (0, 1_173));
    stage.settle(none);
    assert_eq!((stage.state().total, stage.money().2), (1_827, 7_000));
}

#[test]
fn the_same_report_again_is_a_success_that_changes_nothing() {
    let mut stage = Stage::funded(10_000);
    let epoch = stage.three();
    let award = epoch.award;
    let report = stage.report(&award);
    let certificate = stage.certify(&report);
    stage.settle(epoch);
    let before = (stage.state(), stage.money());
    let receipt = stage.bring(report, award, &certificate).succeeds();
    assert_eq!((receipt.value, receipt.emitted.len()), (Settlement::AlreadyDone, 0));
    assert_eq!((stage.state(), stage.money()), before);
    // Once it is not the newest, its slot is taken.
    let next = stage.next(&scores(3, 2), &[], 1_000);
    stage.settle(next);
    let error = stage.bring(report, award, &certificate).fails();
    assert_eq!(error, RewardsError::Feed(FeedError::SlotTaken));
}

#[test]
fn every_bad_certificate_is_refused_with_its_own_error() {
    let mut stage = Stage::funded(10_000);
    let award = stage.three().award;
    let report = stage.report(&award);
    let good = stage.certify(&report);
    let foreign = stage.certify(&Report { time_ms: report.time_ms - 1, ..report });
    type Change<'a> = &'a dyn Fn(&mut Certificate);
    let cases: [(Change, CertificateError); 4] = [
        (&|c| c.signatures.truncate(15), CertificateError::WrongSignatureCount { expected: 16 }),
        (&|c| c.signatures[9] = c.signatures[8], CertificateError::BadSignature { seat: 9 }),
        (&|c| c.epoch = 2, CertificateError::WrongEpoch { expected: 1 }),
        (
            &|c| c.signatures = foreign.signatures.clone(),
            CertificateError::BadSignature { seat: 0 },
        ),
    ];
    for (change, reason) in cases {
        let mut certificate = good.clone();
        change(&mut certificate);
        let error = stage.bring(report, award, &certificate).fails();
        assert_eq!(error, RewardsError::Certificate(reason));
    }
    assert_eq!(stage.bring(report, award, &good).succeeds().value, Settlement::Recorded);
}

#[test]
fn what_a_committee_certified_before_it_left_is_settled_after_it() {
    let mut stage = Stage::funded(10_000);
    let next = Committee::named("next", 2);
    next.register(&mut stage.world, &stage.validators);
    let Epoch { award, claims, .. } = stage.three();
    let report = stage.report(&award);
    let contract = Account::of(&address(&stage.validators));
    let change = Report {
        feed: Feed { kind: ReportKind::Committee, contract },
        root: cicada_core::committee::members_root::<Native>(&common::quorum(), &next.members()),
        ..report
    };
    let certificate = stage.certify(&change);
    let rotate = on(&stage.validators).rotate(change, next.members(), certificate);
    let _ = stage.call(STRANGER, rotate).succeeds();
    let old = stage.certify(&report);
    assert_eq!(stage.bring(report, award, &old).succeeds().value, Settlement::Recorded);
    stage.keep(claims);
    let award = stage.next(&[], &[], 0).award;
    let report = stage.report(&award);
    let certificate = next.certify(&stage.validators, &report);
    assert_eq!(stage.bring(report, award, &certificate).succeeds().value, Settlement::Recorded);
}

#[test]
fn a_changed_figure_is_refused() {
    let mut stage = Stage::funded(10_000);
    let award = stage.three().award;
    let report = stage.report(&award);
    let certificate = stage.certify(&report);
    let changes: [fn(&mut Award); 4] = [
        |award| award.pool += 1,
        |award| award.claims_root.0[0] ^= 1,
        |award| award.claims += 1,
        |award| award.end_ms -= 1,
    ];
    for change in changes {
        let mut changed = award;
        change(&mut changed);
        let error = stage.bring(report, changed, &certificate).fails();
        assert_eq!(error, RewardsError::ContentMismatch);
        // With the root changed too, the signatures are no longer theirs.
        let forged = stage.report(&changed);
        let answer = stage.bring(forged, changed, &certificate);
        assert!(answer.value.is_err());
    }
    let two = Report { leaf_count: 2, ..report };
    let certificate = stage.certify(&two);
    assert_eq!(stage.bring(two, award, &certificate).fails(), RewardsError::ContentMismatch);
}

#[test]
fn a_report_that_does_not_extend_the_feed_is_refused() {
    let mut stage = Stage::funded(10_000);
    let award = stage.three().award;
    let report = stage.report(&award);
    let elsewhere = Feed { contract: Account([1; 32]), ..report.feed };
    let nav = Feed { kind: ReportKind::Nav, ..report.feed };
    let ahead = stage.world.now() + MAX_TIME_AHEAD_MS + 1;
    let cases = [
        (Report { feed: elsewhere, ..report }, FeedError::WrongFeed),
        (Report { feed: nav, ..report }, FeedError::WrongFeed),
        (Report { version: 2, ..report }, FeedError::UnknownVersion),
        (Report { slot: 2, ..report }, FeedError::SlotSkipped { expected: 1 }),
        (Report { slot: 0, ..report }, FeedError::SlotTaken),
        (Report { previous: Digest([1; 32]), ..report }, FeedError::WrongPrevious),
        (Report { time_ms: ahead, ..report }, FeedError::TimeAhead),
    ];
    for (report, reason) in cases {
        let certificate = stage.certify(&report);
        let error = stage.bring(report, award, &certificate).fails();
        assert_eq!(error, RewardsError::Feed(reason));
    }
}

#[test]
fn an_award_that_does_not_follow_is_void_whoever_signed_it() {
    let mut stage = Stage::funded(10_000);
    let first = stage.next(&scores(1, 1), &[], 1_000);
    stage.settle(first);
    let award = stage.next(&scores(2, 2), &[], 1_000).award;
    let expected = AwardError::WrongEpoch { expected: 2 };
    let overflow = AwardError::Math(MathError::Overflow);
    stage.is_void(Award { epoch: 3, ..award }, expected);
    stage.is_void(Award { epoch: 1, ..award }, expected);
    stage.is_void(Award { start_ms: award.start_ms + 1, ..award }, AwardError::WrongStart);
    stage.is_void(Award { end_ms: award.end_ms - 1, ..award }, AwardError::TooShort);
    stage.is_void(Award { end_ms: award.start_ms, ..award }, AwardError::TooShort);
    stage.is_void(Award { end_ms: award.end_ms + 1, ..award }, AwardError::NotOver);
    stage.is_void(Award { carried_in: 0, ..award }, AwardError::WrongCarry);
    stage.is_void(Award { pool: EMISSION + 1, ..award }, AwardError::AboveEmission);
    stage.is_void(Award { pool: 9_001, ..award }, AwardError::AboveFunding);
    stage.is_void(Award { awarded: award.awarded + 1, ..award }, AwardError::Unbalanced);
    stage.is_void(Award { carried_out: 0, ..award }, AwardError::Unbalanced);
    stage.is_void(Award { awarded: u128::MAX, ..award }, overflow);
    stage.is_void(Award { total: award.total + 1, ..award }, AwardError::WrongTotal);
    stage.is_void(Award { claims: 0, ..award }, AwardError::WrongCount);
    stage.is_void(Award { claims: MAX_CLAIMS + 1, ..award }, AwardError::WrongCount);
    assert_eq!(stage.settle_award(award).succeeds().value, Settlement::Recorded);
}

#[test]
fn no_epoch_takes_more_than_is_paid_in() {
    let mut stage = Stage::funded(2_500);
    for _ in 0..2 {
        let epoch = stage.three();
        stage.settle(epoch);
    }
    assert_eq!(stage.money(), (2_500, 0, 500));
    let epoch = stage.three();
    stage.is_void(epoch.award, AwardError::AboveFunding);
    // What is awarded and not claimed is not free, nor what is carried.
    assert!(stage.held() == 2_500 && stage.state().carried > 0);
    let _ = stage.fund(OWNER, 500).succeeds();
    let epoch = stage.three();
    stage.settle(epoch);
    assert_eq!(stage.money(), (3_000, 0, 0));
    // Without money there are epochs too, of what was carried.
    let epoch = stage.next(&scores(3, 5), &[], 0);
    assert!(epoch.award.awarded > 0);
    stage.settle(epoch);
}

#[test]
fn without_a_contract_that_verifies_nothing_is_settled() {
    let mut stage = Stage::new();
    let terms = stage.world.read(on(&stage.rewards).terms());
    let constructor = RewardsContractRef::new(account("nobody"), address(&stage.token), terms);
    stage.rewards = stage.world.as_(account(OWNER)).deploy("rewards", constructor).unwrap();
    let award = stage.next(&[], &[], 0).award;
    assert_eq!(stage.settle_award(award).fails(), RewardsError::ValidatorsUnavailable);
}

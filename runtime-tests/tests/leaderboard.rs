//! `leaderboard`: what the committee certified, and nothing else, is recorded for ever.

mod common;

use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::goedel::{commitment, MAX_EXPONENT, SHARDS};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{
    report, Board, ContentError, Record, RecordHeader, Settlement, Standing,
};
use cicada_core::quote::{Framework, Quote};
use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind, MAX_TIME_AHEAD_MS};
use cicada_core::results::{EvaluationResult, Tally};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, check_gas, check_size, on, Receipt, World};
use cicada_traits::leaderboard::{Leaderboard, LeaderboardError, MAX_PAGE};
use cicada_traits::validators::Validators;
use common::{seated, Committee};
use leaderboard::leaderboard::{LeaderboardContractRef, LeaderboardFinalized};
use validators::validators::ValidatorsContractRef;

struct Stage {
    world: World,
    validators: ValidatorsContractRef,
    committee: Committee,
    contract: LeaderboardContractRef,
}

fn row(name: &str, score: u64, volume_24h: u128) -> Standing {
    let framework = Framework::new(name).expect("a valid name");
    Standing { framework, score, volume_24h }
}

fn rows() -> Vec<Standing> {
    vec![
        row("claude", 50_000, 1_000),
        row("openai", 45_000, 800),
        row("gemini", 41_230, 0),
        row("llama", 33_333, 0),
    ]
}

// What the committee attests: the rows, and some commitment.
fn content(rows: &[Standing]) -> Board {
    Board { standings: rows.to_vec(), shards: Digest([71; 32]) }
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new();
        let (validators, committee) = seated(&mut world);
        let constructor = LeaderboardContractRef::new(address(&validators));
        let contract = world.as_(account("alice")).deploy("leaderboard", constructor);
        Self { world, validators, committee, contract }
    }

    fn feed(&self) -> Feed {
        let contract = Account::of(&address(&self.contract));
        Feed { kind: ReportKind::Leaderboard, contract }
    }

    fn latest(&mut self) -> FeedState {
        self.world.read(on(&self.contract).latest())
    }

    /// The report that makes these rows the next slot.
    fn next(&mut self, rows: &[Standing]) -> Report {
        let (feed, latest) = (self.feed(), self.latest());
        report::<Native>(feed, &latest, &content(rows), self.world.now())
    }

    fn certify(&self, report: &Report) -> Certificate {
        self.committee.certify(&self.validators, report)
    }

    fn submit(
        &mut self,
        report: Report,
        rows: &[Standing],
        certificate: Certificate,
    ) -> Receipt<Result<Settlement, LeaderboardError>> {
        self.submit_board(report, content(rows), certificate)
    }

    fn submit_board(
        &mut self,
        report: Report,
        board: Board,
        certificate: Certificate,
    ) -> Receipt<Result<Settlement, LeaderboardError>> {
        let message = on(&self.contract).submit(report, board, certificate);
        self.world.as_(account("bob")).call(message)
    }

    /// Certifies and records the next slot.
    fn settle(&mut self, rows: &[Standing]) -> Report {
        let report = self.next(rows);
        let receipt = self.submit(report, rows, self.certify(&report)).succeeds();
        assert_eq!(receipt.value, Settlement::Recorded);
        report
    }

    /// Brings a report whose certificate is right for it; it must be refused and change nothing.
    fn refuse(&mut self, report: Report, rows: &[Standing], reason: impl Into<LeaderboardError>) {
        let before = self.latest();
        let error = self.submit(report, rows, self.certify(&report)).fails();
        assert_eq!(error, reason.into());
        assert_eq!(self.latest(), before);
    }
}

#[test]
fn the_contract_stays_small() {
    check_size("leaderboard");
}

#[test]
fn a_new_leaderboard_is_empty() {
    let mut board = Stage::new();
    assert_eq!(board.latest(), FeedState::EMPTY);
    assert!(board.world.read(on(&board.contract).ranking()).is_empty());
    assert!(board.world.read(on(&board.contract).history(0, 50)).is_empty());
    assert_eq!(board.world.read(on(&board.contract).record(0)), None);
    let validators = board.world.read(on(&board.contract).validators());
    assert_eq!(validators, address(&board.validators));
}

#[test]
fn a_certified_leaderboard_is_recorded() {
    let mut board = Stage::new();
    let report = board.next(&rows());
    let certificate = board.certify(&report);
    let receipt = board.submit(report, &rows(), certificate.clone()).succeeds();
    assert_eq!(receipt.value, Settlement::Recorded);
    check_gas("leaderboard.submit: four frameworks", &receipt);
    let digest = report.digest::<Native>();
    let event = receipt.event::<LeaderboardFinalized>(&board.contract);
    assert_eq!((event.slot, event.digest, event.epoch), (1, digest, 1));
    assert_eq!((event.signers, event.time_ms), (0xffff, report.time_ms));

    let record = Record { report, epoch: 1, signers: 0xffff, board: content(&rows()) };
    assert_eq!(board.world.read(on(&board.contract).record(1)), Some(record));
    let state = FeedState { slot: 1, digest, time_ms: report.time_ms };
    assert_eq!(board.latest(), state);
    let ranking = board.world.read(on(&board.contract).ranking());
    let claude = Quote::new(Framework::new("claude").unwrap(), 50_000, 1_000, report.time_ms);
    assert_eq!((claude.bid, claude.ask), (49_500_000, 50_500_000));
    assert_eq!(ranking.len(), 4);
    assert_eq!(ranking[0], claude);
    let quote = on(&board.contract).quote(claude.framework.clone());
    assert_eq!(board.world.read(quote), Some(claude));
    let nobody = on(&board.contract).quote(Framework::new("nobody").unwrap());
    assert_eq!(board.world.read(nobody), None);
}

#[test]
fn a_new_slot_brings_new_quotes_and_keeps_the_old_record() {
    let mut board = Stage::new();
    let first = board.settle(&rows());
    board.world.advance(60_000);
    let changed = [row("openai", 60_000, 5), row("claude", 50_000, 0)];
    let second = board.settle(&changed);
    assert_eq!((second.slot, second.previous), (2, first.digest::<Native>()));
    let openai = on(&board.contract).quote(Framework::new("openai").unwrap());
    assert_eq!(board.world.read(openai).unwrap().bid, 59_400_000);
    let old = board.world.read(on(&board.contract).record(1)).unwrap();
    assert_eq!((old.report, old.board), (first, content(&rows())));
}

#[test]
fn the_same_report_again_is_a_success_that_changes_nothing() {
    let mut board = Stage::new();
    let first = board.settle(&rows());
    board.world.next_block();
    let second = board.settle(&rows());
    for report in [first, second] {
        let other_signers = board.committee.certify_by(&board.validators, &report, 7..23);
        for certificate in [board.certify(&report), other_signers] {
            let before = board.world.read(on(&board.contract).record(report.slot));
            let receipt = board.submit(report, &rows(), certificate).succeeds();
            assert_eq!(receipt.value, Settlement::AlreadyDone);
            assert!(receipt.emitted.is_empty());
            assert_eq!(receipt.deposit, 0);
            check_gas("leaderboard.submit: already done", &receipt);
            assert_eq!(board.world.read(on(&board.contract).record(report.slot)), before);
            assert_eq!(board.latest().slot, 2);
        }
    }
}

#[test]
fn every_bad_certificate_is_refused_with_its_own_error() {
    let mut board = Stage::new();
    let report = board.next(&rows());
    let other = Report { time_ms: report.time_ms - 1, ..report };
    let good = board.certify(&report);
    let foreign = board.certify(&other);
    type Change<'a> = &'a dyn Fn(&mut Certificate);
    let cases: [(Change, CertificateError); 7] = [
        (&|c| c.signatures.truncate(15), CertificateError::WrongSignatureCount { expected: 16 }),
        (&|c| c.signers &= !1, CertificateError::RepeatedSigner),
        (&|c| c.signatures[9] = c.signatures[8], CertificateError::BadSignature { seat: 9 }),
        (&|c| c.signers = c.signers & !1 | 1 << 23, CertificateError::UnknownSigner),
        (
            &|c| c.signatures = foreign.signatures.clone(),
            CertificateError::BadSignature { seat: 0 },
        ),
        (&|c| c.epoch = 0, CertificateError::WrongEpoch { expected: 1 }),
        (&|c| c.scheme = 9, CertificateError::UnknownScheme),
    ];
    for (change, reason) in cases {
        let mut certificate = good.clone();
        change(&mut certificate);
        let error = board.submit(report, &rows(), certificate).fails();
        assert_eq!(error, LeaderboardError::Certificate(reason));
        assert_eq!(board.latest(), FeedState::EMPTY);
    }
    assert_eq!(board.submit(report, &rows(), good).succeeds().value, Settlement::Recorded);
}

#[test]
fn the_committee_before_certifies_and_an_older_one_nothing() {
    let mut board = Stage::new();
    let (second, third) = (Committee::named("next", 2), Committee::named("third", 3));
    second.register(&mut board.world, &board.validators);
    third.register(&mut board.world, &board.validators);
    let contract = Account::of(&address(&board.validators));
    let feed = Feed { kind: ReportKind::Committee, contract };
    let change = |report: Report, to: &Committee| Report {
        feed,
        leaf_count: 1,
        root: cicada_core::committee::members_root::<Native>(&common::quorum(), &to.members()),
        ..report
    };
    let to_second = change(board.next(&rows()), &second);
    let certificate = board.certify(&to_second);
    let rotate = on(&board.validators).rotate(to_second, second.members(), certificate);
    let _ = board.world.as_(account("bob")).call(rotate).succeeds();
    // What the first committee certified before it left is still brought.
    board.settle(&rows());

    let to_third = Report {
        slot: 2,
        previous: to_second.digest::<Native>(),
        ..change(board.next(&rows()), &third)
    };
    let certificate = second.certify(&board.validators, &to_third);
    let rotate = on(&board.validators).rotate(to_third, third.members(), certificate);
    let _ = board.world.as_(account("bob")).call(rotate).succeeds();
    let report = board.next(&rows());
    board.refuse(report, &rows(), CertificateError::WrongEpoch { expected: 3 });
    let certificate = second.certify(&board.validators, &report);
    let _ = board.submit(report, &rows(), certificate).succeeds();
}

#[test]
fn a_changed_figure_is_refused() {
    let mut board = Stage::new();
    let report = board.next(&rows());
    let mut score = rows();
    score[3].score += 1;
    let mut volume = rows();
    volume[0].volume_24h = 0;
    let mut name = rows();
    name[0].framework = Framework::new("cloude").unwrap();
    let fewer = rows()[..3].to_vec();
    for changed in [score, volume, name, fewer] {
        board.refuse(report, &changed, LeaderboardError::ContentMismatch);
    }
    // With the root changed too, the signatures are no longer theirs.
    let mut score = rows();
    score[0].score += 1;
    let forged = board.next(&score);
    let error = board.submit(forged, &score, board.certify(&report)).fails();
    assert_eq!(error, CertificateError::BadSignature { seat: 0 }.into());
}

#[test]
fn the_commitment_to_the_shards_is_what_the_committee_signed() {
    let mut stage = Stage::new();
    let mut tally = Tally::default();
    let result = |shard, points| EvaluationResult {
        framework: Framework::new("claude").unwrap(),
        shard,
        challenge: "level-1".into(),
        points,
        success: true,
        evaluator: "e".into(),
        answer_hash: Digest::ZERO,
        time_ms: 1,
    };
    // One of them above the cap on exponents.
    tally.add(&result(0, 5)).unwrap();
    tally.add(&result(70, MAX_EXPONENT + 1)).unwrap();
    let board = Board::of::<Native>(&tally, |_| 9);
    let mut scores = [0; SHARDS];
    (scores[0], scores[70]) = (5, u64::from(MAX_EXPONENT) + 1);
    assert_eq!(board.shards, commitment::<Native>(&scores));

    let now = stage.world.now();
    let report = report::<Native>(stage.feed(), &FeedState::EMPTY, &board, now);
    let mut changed = board.clone();
    changed.shards.0[31] ^= 1;
    let error = stage.submit_board(report, changed, stage.certify(&report)).fails();
    assert_eq!(error, LeaderboardError::ContentMismatch);
    let certificate = stage.certify(&report);
    let _ = stage.submit_board(report, board.clone(), certificate).succeeds();
    let record = stage.world.read(on(&stage.contract).record(1)).unwrap();
    assert_eq!(record.board, board);
    let history = stage.world.read(on(&stage.contract).history(1, 1));
    assert_eq!(history[0].shards, commitment::<Native>(&scores));
}

#[test]
fn a_report_of_another_contract_or_kind_is_refused() {
    let mut board = Stage::new();
    let report = board.next(&rows());
    let elsewhere = Feed { contract: Account([1; 32]), ..report.feed };
    board.refuse(Report { feed: elsewhere, ..report }, &rows(), FeedError::WrongFeed);
    let nav = Feed { kind: ReportKind::Nav, ..report.feed };
    board.refuse(Report { feed: nav, ..report }, &rows(), FeedError::WrongFeed);
    board.refuse(Report { version: 2, ..report }, &rows(), FeedError::UnknownVersion);
    // Signed for another leaderboard, sent as if it were for this one.
    let twin = board.certify(&Report { feed: elsewhere, ..report });
    let error = board.submit(report, &rows(), twin).fails();
    assert_eq!(error, CertificateError::BadSignature { seat: 0 }.into());
}

#[test]
fn slots_follow_one_another() {
    let mut board = Stage::new();
    let first = board.next(&rows());
    let skipped = FeedError::SlotSkipped { expected: 1 };
    board.refuse(Report { slot: 2, ..first }, &rows(), skipped);
    board.refuse(Report { slot: 0, ..first }, &rows(), FeedError::SlotTaken);
    board.refuse(Report { previous: Digest([1; 32]), ..first }, &rows(), FeedError::WrongPrevious);
    board.settle(&rows());
    let other = [row("openai", 1, 0)];
    let rival = Report {
        ..report::<Native>(board.feed(), &FeedState::EMPTY, &content(&other), first.time_ms)
    };
    board.refuse(rival, &other, FeedError::SlotTaken);
    let second = board.next(&rows());
    board.refuse(Report { slot: 3, ..second }, &rows(), FeedError::SlotSkipped { expected: 2 });
    board.refuse(Report { previous: Digest::ZERO, ..second }, &rows(), FeedError::WrongPrevious);
    board.settle(&rows());
}

#[test]
fn time_does_not_run_backwards_or_ahead() {
    let mut board = Stage::new();
    board.settle(&rows());
    let now = board.world.now();
    let mut at = |time_ms| {
        let latest = board.latest();
        let report = report::<Native>(board.feed(), &latest, &content(&rows()), time_ms);
        board.submit(report, &rows(), board.certify(&report)).value
    };
    assert_eq!(at(now - 1), Err(FeedError::TimeReversed.into()));
    assert_eq!(at(now + MAX_TIME_AHEAD_MS + 1), Err(FeedError::TimeAhead.into()));
    assert_eq!(at(now + MAX_TIME_AHEAD_MS), Ok(Settlement::Recorded));
}

#[test]
fn rows_must_be_a_ranking() {
    let mut board = Stage::new();
    let cases = [
        (vec![], ContentError::Empty),
        (vec![row("a", 1, 0), row("b", 2, 0)], ContentError::NotRanked),
        (vec![row("b", 1, 0), row("a", 1, 0)], ContentError::NotRanked),
        (vec![row("a", 2, 0), row("a", 1, 0)], ContentError::RepeatedFramework),
        (
            (0..65).map(|i| row(&format!("f{i:02}"), 1, 0)).collect(),
            ContentError::TooManyFrameworks,
        ),
    ];
    for (rows, reason) in cases {
        let report = board.next(&rows);
        board.refuse(report, &rows, reason);
    }
}

#[test]
fn sixty_four_frameworks_fit() {
    let mut board = Stage::new();
    let name = |i: u64| format!("framework-{i:02}-{}", "x".repeat(19));
    let rows: Vec<_> = (0..64).map(|i| row(&name(i), u64::MAX - i, u128::MAX)).collect();
    let report = board.next(&rows);
    let receipt = board.submit(report, &rows, board.certify(&report)).succeeds();
    check_gas("leaderboard.submit: 64 frameworks with the longest names", &receipt);
    let ranking = board.world.read(on(&board.contract).ranking());
    assert_eq!(ranking.len(), 64);
    assert_eq!(ranking[0].ask, u128::from(u64::MAX) * 1_010);
    let record = board.world.read(on(&board.contract).record(1)).unwrap();
    assert_eq!(record.board, content(&rows));
}

#[test]
fn history_is_read_by_page() {
    let mut board = Stage::new();
    let rows = [row("claude", 1, 0)];
    let mut headers = Vec::new();
    for _ in 0..53 {
        board.world.next_block();
        let report = board.settle(&rows);
        headers.push(RecordHeader {
            slot: report.slot,
            digest: report.digest::<Native>(),
            time_ms: report.time_ms,
            epoch: 1,
            signers: 0xffff,
            shards: content(&rows).shards,
        });
    }
    let mut page = |from, limit| board.world.read(on(&board.contract).history(from, limit));
    assert_eq!(page(0, 2), headers[..2]);
    assert_eq!(page(1, u32::MAX), headers[..MAX_PAGE as usize]);
    assert_eq!(page(51, 50), headers[50..]);
    assert_eq!(page(53, 1), headers[52..]);
    assert!(page(54, 50).is_empty());
    assert!(page(1, 0).is_empty());
    assert!(page(u64::MAX, 50).is_empty());
}

#[test]
fn without_a_contract_that_verifies_nothing_is_recorded() {
    let mut board = Stage::new();
    let constructor = LeaderboardContractRef::new(account("nobody"));
    board.contract = board.world.as_(account("alice")).deploy("leaderboard", constructor);
    let report = board.next(&rows());
    board.refuse(report, &rows(), LeaderboardError::ValidatorsUnavailable);
}

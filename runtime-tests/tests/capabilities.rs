//! `capabilities`: the committee alone says what an account can do, and until when.

mod common;

use capabilities::capabilities::{CapabilitiesAttested, CapabilitiesContractRef, SlotVoid};
use cicada_core::capability::{report, CapabilityRow, MAX_ROWS};
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::name::Name;
use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind, MAX_TIME_AHEAD_MS};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, check_gas, check_size, on, Receipt, World};
use cicada_traits::capabilities::{Capabilities, CapabilitiesError};
use cicada_traits::stored::Opaque;
use common::{seated, Committee};
use validators::validators::ValidatorsContractRef;

const DAY: u64 = 86_400_000;

/// A register, and the committee that attests what comes into it.
struct Register {
    world: World,
    contract: CapabilitiesContractRef,
    validators: ValidatorsContractRef,
    committee: Committee,
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a valid name")
}

fn row(who: &str, capability: &str, until_ms: u64) -> CapabilityRow {
    CapabilityRow { account: Account::of(&account(who)), capability: name(capability), until_ms }
}

impl Register {
    fn new() -> Self {
        let mut world = World::new();
        let (validators, committee) = seated(&mut world);
        let constructor = CapabilitiesContractRef::new(address(&validators));
        let contract = world.as_(account("alice")).deploy("capabilities", constructor);
        Self { world, contract, validators, committee }
    }

    fn feed(&self) -> Feed {
        let contract = Account::of(&address(&self.contract));
        Feed { kind: ReportKind::Capability, contract }
    }

    fn latest(&mut self) -> FeedState {
        self.world.read(on(&self.contract).latest())
    }

    fn next(&mut self, rows: &[CapabilityRow]) -> Report {
        let (feed, latest) = (self.feed(), self.latest());
        report::<Native>(feed, &latest, rows, self.world.now())
    }

    fn certify(&self, report: &Report) -> Certificate {
        self.committee.certify(&self.validators, report)
    }

    fn send(
        &mut self,
        report: Report,
        rows: &[CapabilityRow],
        certificate: &Certificate,
    ) -> Receipt<Result<Settlement, CapabilitiesError>> {
        let message = on(&self.contract).attest_capabilities(
            report,
            rows.to_vec(),
            Opaque::from(certificate),
        );
        self.world.as_(account("eve")).call(message)
    }

    fn attest(&mut self, rows: &[CapabilityRow]) -> (Report, Receipt<Settlement>) {
        let report = self.next(rows);
        let receipt = self.send(report, rows, &self.certify(&report)).succeeds();
        assert_eq!(receipt.value, Settlement::Recorded);
        (report, receipt)
    }

    fn refuse(&mut self, report: Report, rows: &[CapabilityRow], e: impl Into<CapabilitiesError>) {
        let before = self.latest();
        let error = self.send(report, rows, &self.certify(&report)).fails();
        assert_eq!(error, e.into());
        assert_eq!(self.latest(), before);
    }

    fn is_capable(&mut self, who: &str, capability: &str) -> bool {
        self.world.read(on(&self.contract).is_capable(account(who), name(capability)))
    }
}

#[test]
fn the_contract_stays_small() {
    check_size("capabilities");
}

#[test]
fn a_new_register_is_empty() {
    let mut register = Register::new();
    assert_eq!(register.latest(), FeedState::EMPTY);
    let validators = register.world.read(on(&register.contract).validators());
    assert_eq!(validators, address(&register.validators));
    assert!(!register.is_capable("dave", "tee"));
}

#[test]
fn the_committee_attests_and_anybody_brings_it() {
    let mut register = Register::new();
    assert!(!register.is_capable("dave", "tee"));
    let until = register.world.now() + DAY;
    let (report, receipt) = register.attest(&[row("dave", "tee", until)]);
    check_gas("capabilities.attest_capabilities: one row", &receipt);
    let digest = report.digest::<Native>();
    let event = receipt.event::<CapabilitiesAttested>(&register.contract);
    assert_eq!((event.slot, event.digest, event.time_ms), (1, digest, report.time_ms));
    assert!(register.is_capable("dave", "tee"));
    assert!(!register.is_capable("dave", "gpu") && !register.is_capable("eve", "tee"));
    assert_eq!(register.latest(), FeedState { slot: 1, digest, time_ms: report.time_ms });
}

#[test]
fn a_capability_ends_exactly_at_its_time() {
    let mut register = Register::new();
    let until = register.world.now() + DAY;
    let _ = register.attest(&[row("dave", "tee", until)]);
    register.world.at(until - 1);
    assert!(register.is_capable("dave", "tee"));
    register.world.at(until);
    assert!(!register.is_capable("dave", "tee"));
}

#[test]
fn a_later_row_takes_a_capability_away_and_an_old_report_does_not_bring_it_back() {
    let mut register = Register::new();
    let rows = [row("dave", "tee", u64::MAX)];
    let (first, _) = register.attest(&rows);
    assert!(register.is_capable("dave", "tee"));
    let (_, receipt) = register.attest(&[row("dave", "tee", 0)]);
    assert!(receipt.deposit < 0, "the cell is given back");
    assert!(!register.is_capable("dave", "tee"));
    register.refuse(first, &rows, FeedError::SlotTaken);
    assert!(!register.is_capable("dave", "tee"));
}

#[test]
fn the_newest_certificate_brought_again_changes_nothing() {
    let mut register = Register::new();
    let rows = [row("dave", "tee", u64::MAX)];
    let (report, _) = register.attest(&rows);
    let receipt = register.send(report, &rows, &register.certify(&report)).succeeds();
    assert_eq!(receipt.value, Settlement::AlreadyDone);
    assert!(receipt.emitted.is_empty());
    assert_eq!(register.latest().slot, 1);
}

#[test]
fn a_report_of_another_feed_is_refused() {
    let mut register = Register::new();
    let rows = [row("dave", "tee", u64::MAX)];
    let report = register.next(&rows);
    for feed in [
        Feed { contract: Account([1; 32]), ..report.feed },
        Feed { kind: ReportKind::Leaderboard, ..report.feed },
        Feed { kind: ReportKind::Committee, ..report.feed },
    ] {
        register.refuse(Report { feed, ..report }, &rows, FeedError::WrongFeed);
    }
    register.refuse(Report { version: 2, ..report }, &rows, FeedError::UnknownVersion);
    // Signed for another contract, sent as if it were for this one.
    let twin = Report { feed: Feed { contract: Account([1; 32]), ..report.feed }, ..report };
    let error = register.send(report, &rows, &register.certify(&twin)).fails();
    assert_eq!(error, CertificateError::BadSignature { seat: 0 }.into());
}

#[test]
fn slots_and_times_follow_one_another() {
    let mut register = Register::new();
    let rows = [row("dave", "tee", u64::MAX)];
    let first = register.next(&rows);
    let skipped = FeedError::SlotSkipped { expected: 1 };
    register.refuse(Report { slot: 2, ..first }, &rows, skipped);
    register.refuse(Report { previous: Digest([1; 32]), ..first }, &rows, FeedError::WrongPrevious);
    let ahead = first.time_ms + MAX_TIME_AHEAD_MS + 1;
    register.refuse(Report { time_ms: ahead, ..first }, &rows, FeedError::TimeAhead);
    let _ = register.attest(&rows);
    let second = register.next(&rows);
    register.refuse(
        Report { time_ms: first.time_ms - 1, ..second },
        &rows,
        FeedError::TimeReversed,
    );
    // Another report for the slot that is final.
    let rival = Report { time_ms: first.time_ms + 1, ..first };
    register.refuse(rival, &rows, FeedError::SlotTaken);
}

#[test]
fn changed_rows_are_refused() {
    let mut register = Register::new();
    let rows = [row("dave", "tee", 5), row("dave", "zk", 5)];
    let report = register.next(&rows);
    for changed in [
        vec![row("dave", "tee", 6), row("dave", "zk", 5)],
        vec![row("dave", "gpu", 5), row("dave", "zk", 5)],
        vec![row("dave", "tee", 5)],
    ] {
        register.refuse(report, &changed, CapabilitiesError::ContentMismatch);
    }
    let two = Report { leaf_count: 2, ..report };
    register.refuse(two, &rows, CapabilitiesError::ContentMismatch);
}

#[test]
fn certified_rows_that_are_no_content_take_their_slot_and_write_nothing() {
    let mut register = Register::new();
    let many = (0..65).map(|i| row("dave", &format!("c{i:02}"), u64::MAX)).collect();
    let cases = [
        vec![],
        many,
        vec![row("dave", "zk", u64::MAX), row("dave", "tee", u64::MAX)],
        vec![row("dave", "tee", u64::MAX), row("dave", "tee", u64::MAX - 1)],
    ];
    for (slot, rows) in (1..).zip(cases) {
        let report = register.next(&rows);
        // Nothing happens without the certificate.
        let mut forged = register.certify(&report);
        forged.signatures.truncate(15);
        let _ = register.send(report, &rows, &forged).fails();
        assert_eq!(register.latest().slot, slot - 1);
        let receipt = register.send(report, &rows, &register.certify(&report)).succeeds();
        assert_eq!(receipt.value, Settlement::Void);
        let event = receipt.event::<SlotVoid>(&register.contract);
        assert_eq!(event, SlotVoid { slot, digest: report.digest::<Native>() });
        assert_eq!(register.latest().slot, slot);
    }
    assert!(!register.is_capable("dave", "c00") && !register.is_capable("dave", "tee"));
    let _ = register.attest(&[row("dave", "tee", u64::MAX)]);
    assert!(register.is_capable("dave", "tee"), "the next report follows");
}

#[test]
fn sixty_four_rows_fit() {
    let mut register = Register::new();
    let name = |i: usize| format!("capability-{i:02}-{}", "x".repeat(18));
    let rows: Vec<_> = (0..64).map(|i| row("dave", &name(i), u64::MAX)).collect();
    let (_, receipt) = register.attest(&rows);
    check_gas("capabilities.attest_capabilities: 64 rows with the longest names", &receipt);
    assert!(register.is_capable("dave", &name(0)) && register.is_capable("dave", &name(63)));
}

#[test]
fn every_bad_certificate_is_refused_with_its_own_error() {
    let mut register = Register::new();
    let rows = [row("dave", "tee", u64::MAX)];
    let report = register.next(&rows);
    let good = register.certify(&report);
    type Change<'a> = &'a dyn Fn(&mut Certificate);
    let cases: [(Change, CertificateError); 5] = [
        (&|c| c.signatures.truncate(15), CertificateError::WrongSignatureCount { expected: 16 }),
        (&|c| c.signers &= !1, CertificateError::RepeatedSigner),
        (&|c| c.signatures[9] = c.signatures[8], CertificateError::BadSignature { seat: 9 }),
        (&|c| c.epoch = 2, CertificateError::WrongEpoch { expected: 1 }),
        (&|c| c.scheme = 9, CertificateError::UnknownScheme),
    ];
    for (change, reason) in cases {
        let mut certificate = good.clone();
        change(&mut certificate);
        let error = register.send(report, &rows, &certificate).fails();
        assert_eq!(error, CapabilitiesError::Certificate(reason));
        assert!(!register.is_capable("dave", "tee"));
    }
    assert_eq!(register.send(report, &rows, &good).succeeds().value, Settlement::Recorded);
}

#[test]
fn without_a_contract_that_verifies_nothing_is_attested() {
    let mut register = Register::new();
    let constructor = CapabilitiesContractRef::new(account("nobody"));
    register.contract = register.world.as_(account("alice")).deploy("capabilities", constructor);
    let rows = [row("dave", "tee", u64::MAX)];
    let report = register.next(&rows);
    register.refuse(report, &rows, CapabilitiesError::ValidatorsUnavailable);
}

#[test]
fn a_thousand_capabilities_cost_no_more_than_ten() {
    let mut register = Register::new();
    let fill = |register: &mut Register, numbers: std::ops::Range<u32>| {
        let mut rows: Vec<_> = numbers.map(|i| row(&format!("worker-{i}"), "gpu", 1)).collect();
        rows.sort();
        for page in rows.chunks(MAX_ROWS) {
            register.world.next_block();
            let _ = register.attest(page);
        }
        let now = register.world.snapshot();
        let attest = register.attest(&[row("dave", "tee", u64::MAX)]).1.gas;
        let message = on(&register.contract).is_capable(account("dave"), name("tee"));
        let read = register.world.as_(account("eve")).call(message).gas;
        register.world.restore(&now);
        [attest, read]
    };
    let ten = fill(&mut register, 0..10);
    let thousand = fill(&mut register, 10..1_000);
    for (few, many) in ten.iter().zip(&thousand) {
        assert!(many.ref_time.abs_diff(few.ref_time) * 50 <= few.ref_time, "{few:?} {many:?}");
        assert!(many.proof_size.abs_diff(few.proof_size) * 50 <= few.proof_size);
    }
}

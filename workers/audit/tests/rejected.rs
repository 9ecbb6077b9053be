//! Whatever is forged or changed is rejected with a reason, and convicts nobody.

mod common;

use cicada_audit::{Pool, Rejection};
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{Claim, Config, Justification, Keys, Pledge, Seat};
use cicada_core::certificate::{Certificate, CertificateError, Signature};
use cicada_core::evidence::{Equivocation, EvidenceError};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::report::Report;
use common::{config, report, Stamp, CONFIG_DIGEST, EPOCH};
use proptest::prelude::*;
use std::collections::BTreeMap;

const N: u8 = 23;

fn statement(kind: Kind, digest: u8) -> Statement {
    Statement { kind, position: 5, view: 2, digest: Digest([digest; 32]) }
}

fn sign(seat: Seat, statement: &Statement) -> Signature {
    Stamp(seat).sign(&statement.message(&CONFIG_DIGEST))
}

fn certificate(kind: Kind) -> QuorumCertificate {
    let statement = statement(kind, 1);
    let shares: BTreeMap<_, _> = (0..N).map(|seat| (seat, sign(seat, &statement))).collect();
    QuorumCertificate::assemble(&config(N, 0), statement, &shares).unwrap()
}

fn pledge(seat: Seat) -> Pledge {
    let claims = vec![Claim { position: 4, view: 1, digest: Digest([1; 32]) }];
    let mut pledge = Pledge { seat, view: 3, tip: 2, claims, signature: [0; 64] };
    pledge.signature = sign(seat, &pledge.statement());
    pledge
}

fn attest(seat: Seat, report: &Report) -> Signature {
    Stamp(seat).attest(&report.attestation_message::<Native>(&CONFIG_DIGEST))
}

fn certified(report: &Report) -> Certificate {
    let shares = (0..N).map(|seat| (seat, attest(seat, report)));
    Certificate::assemble(EPOCH, &config(N, 0).attestation, shares).unwrap()
}

/// Tries to add something to a pool that holds its counterpart for each seat, so that anything
/// that gets in convicts.
fn attempt<T>(
    add: impl FnOnce(&mut Pool<'_, Stamp>) -> Result<T, Rejection>,
) -> Result<T, Rejection> {
    let config: Config = config(N, 0);
    let mut pool = Pool::new(&config, &Stamp(0));
    for seat in 0..N {
        for kind in [Kind::Proposal, Kind::Prepared, Kind::Committed] {
            let other = statement(kind, 9);
            pool.add_statement(seat, other, sign(seat, &other)).unwrap();
        }
        pool.add_attestation(seat, report(9), attest(seat, &report(9))).unwrap();
    }
    assert_eq!(pool.verdicts(), BTreeMap::new());
    let added = add(&mut pool);
    let convicted = !pool.verdicts().is_empty();
    assert_eq!(convicted, added.is_ok(), "what is genuine convicts here, what is not does not");
    added
}

#[test]
fn statements() {
    let add = |seat: Seat, said: Statement, signature: Signature| {
        attempt(|pool| pool.add_statement(seat, said, signature))
    };
    for kind in [Kind::Proposal, Kind::Prepared, Kind::Committed] {
        let said = statement(kind, 1);
        let genuine = sign(3, &said);
        assert_eq!(add(3, said, genuine), Ok(()));
        assert_eq!(add(4, said, genuine), Err(Rejection::BadSignature(4)), "another seat");
        assert_eq!(add(23, said, sign(23, &said)), Err(Rejection::NoSuchSeat(23)));
        let bad = Err(Rejection::BadSignature(3));
        assert_eq!(add(3, Statement { position: 6, ..said }, genuine), bad);
        assert_eq!(add(3, Statement { view: 1, ..said }, genuine), bad);
        assert_eq!(add(3, Statement { digest: Digest([2; 32]), ..said }, genuine), bad);
        for other in [Kind::Proposal, Kind::Prepared, Kind::Committed] {
            if other != kind {
                assert_eq!(add(3, Statement { kind: other, ..said }, genuine), bad);
            }
        }
        let elsewhere = Stamp(3).sign(&said.message(&Digest([8; 32])));
        assert_eq!(add(3, said, elsewhere), bad, "another committee");
    }
    for kind in [Kind::Timeout, Kind::Pledge] {
        let said = statement(kind, 1);
        assert_eq!(add(3, said, sign(3, &said)), Err(Rejection::NoRule(kind)));
    }
}

#[test]
fn certificates() {
    let add = |change: fn(&mut QuorumCertificate)| {
        let mut certificate = certificate(Kind::Committed);
        change(&mut certificate);
        attempt(|pool| pool.add_certificate(&certificate))
    };
    let count = |found| Err(Rejection::WrongSignatureCount { expected: 16, found });
    assert_eq!(add(|_| ()), Ok(()));
    assert_eq!(add(|c| c.signatures.truncate(15)), count(15));
    assert_eq!(add(|c| c.signatures.push([0; 64])), count(17));
    assert_eq!(add(|c| c.signers &= !1), Err(Rejection::WrongSigners), "one signs twice");
    assert_eq!(add(|c| c.signers = c.signers & !1 | 1 << 23), Err(Rejection::WrongSigners));
    assert_eq!(add(|c| c.signers = c.signers & !1 | 1 << 16), Err(Rejection::BadSignature(1)));
    assert_eq!(add(|c| c.signatures.swap(4, 5)), Err(Rejection::BadSignature(4)));
    assert_eq!(add(|c| c.signatures[15][0] ^= 1), Err(Rejection::BadSignature(15)));
    assert_eq!(add(|c| c.statement.view = 3), Err(Rejection::BadSignature(0)));
    assert_eq!(add(|c| c.statement.kind = Kind::Prepared), Err(Rejection::BadSignature(0)));
    let timeout = add(|c| c.statement.kind = Kind::Timeout);
    assert_eq!(timeout, Err(Rejection::NoRule(Kind::Timeout)));
}

#[test]
fn pledges_and_justifications() {
    let add = |change: fn(&mut Pledge)| {
        let mut pledge = pledge(3);
        change(&mut pledge);
        let alone = attempt(|pool| pool.add_pledge(&pledge));
        let (pledges, tip) = (vec![pledge], Some(certificate(Kind::Committed)));
        let justification = Justification { pledges, tip, locks: vec![] };
        assert_eq!(attempt(|pool| pool.add_justification(&justification)), alone);
        alone
    };
    let bad = Err(Rejection::BadSignature(3));
    assert_eq!(add(|_| ()), Ok(()));
    assert_eq!(add(|p| p.seat = 4), Err(Rejection::BadSignature(4)));
    assert_eq!(add(|p| p.seat = 23), Err(Rejection::NoSuchSeat(23)));
    assert_eq!(add(|p| p.view = 4), bad);
    assert_eq!(add(|p| p.tip = 0), bad);
    assert_eq!(add(|p| p.claims.clear()), bad, "claims taken away to make it look like a lie");
    assert_eq!(add(|p| p.claims[0].view = 2), bad);
    assert_eq!(add(|p| p.signature[0] ^= 1), bad);
    let mut forged = certificate(Kind::Prepared);
    forged.signatures[7][3] ^= 1;
    let justification = Justification { pledges: vec![pledge(3)], tip: None, locks: vec![forged] };
    let added = attempt(|pool| pool.add_justification(&justification));
    assert_eq!(added, Err(Rejection::BadSignature(7)), "nothing of it is kept");
}

#[test]
fn attestations_and_certified_reports() {
    let one = report(1);
    let add =
        |seat, report, signature| attempt(|pool| pool.add_attestation(seat, report, signature));
    assert_eq!(add(3, one, attest(3, &one)), Ok(()));
    assert_eq!(add(4, one, attest(3, &one)), Err(Rejection::BadSignature(4)));
    assert_eq!(add(23, one, attest(23, &one)), Err(Rejection::NoSuchSeat(23)));
    assert_eq!(add(3, report(2), attest(3, &one)), Err(Rejection::BadSignature(3)));
    let as_statement = Stamp(3).sign(&one.attestation_message::<Native>(&CONFIG_DIGEST));
    assert_eq!(add(3, one, as_statement), Err(Rejection::BadSignature(3)), "with the other key");
    let add = |report, change: fn(&mut Certificate)| {
        let mut certificate = certified(&one);
        change(&mut certificate);
        attempt(|pool| pool.add_report(report, &certificate))
    };
    let form = |error| Err(Rejection::Certificate(error));
    assert_eq!(add(one, |_| ()), Ok(()));
    assert_eq!(add(report(2), |_| ()), Err(Rejection::BadSignature(0)));
    assert_eq!(add(one, |c| c.epoch = 2), form(CertificateError::WrongEpoch { expected: 1 }));
    assert_eq!(add(one, |c| c.signers &= !1), form(CertificateError::RepeatedSigner));
    assert_eq!(add(one, |c| c.signatures.swap(2, 3)), Err(Rejection::BadSignature(2)));
}

#[test]
fn evidence_that_is_none() {
    let attested = |root| (report(root), attest(3, &report(root)));
    let found = Equivocation::new::<Native>(EPOCH, 3, attested(1), attested(2));
    let add = |change: fn(&mut Equivocation)| {
        let mut found = found.clone();
        change(&mut found);
        attempt(|pool| pool.add_evidence(&found))
    };
    assert_eq!(add(|_| ()), Ok(()));
    let none = |error| Err(Rejection::Evidence(error));
    assert_eq!(add(|e| e.seat = 4), none(EvidenceError::BadFirstSignature));
    assert_eq!(add(|e| e.seat = 23), Err(Rejection::NoSuchSeat(23)));
    assert_eq!(add(|e| e.second = e.first), none(EvidenceError::SameReport));
    assert_eq!(add(|e| e.epoch = 2), none(EvidenceError::WrongEpoch { expected: 1 }));
    assert_eq!(add(|e| e.second_signature[9] ^= 1), none(EvidenceError::BadSecondSignature));
}

proptest! {
    #[test]
    fn no_bit_of_a_signature_can_be_changed(place in 0usize..64, bit in 0u8..8, seat in 0u8..N) {
        let said = statement(Kind::Prepared, 1);
        let mut signature = sign(seat, &said);
        signature[place] ^= 1 << bit;
        let added = attempt(|pool| pool.add_statement(seat, said, signature));
        prop_assert_eq!(added, Err(Rejection::BadSignature(seat)));
    }
}

//! Registration, committees, verification, ownership.

use crate::common::{
    attestation_key, domain, member, possession, quorum, register, seated, Committee,
};
use crate::common::{GENESIS, SEATS};
use cicada_core::certificate::CertificateError;
use cicada_core::committee::{members_root, CommitteeError, Domain};
use cicada_core::hash::{Digest, Native};
use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind, REPORT_VERSION};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, check_gas, check_size, key, on, World};
use cicada_traits::ownable::{Ownable, OwnableError};
use cicada_traits::validators::{Validators, ValidatorsError};
use validators::validators::{
    CommitteeSeated, KeysRegistered, OwnershipAccepted, OwnershipProposed, ValidatorsContractRef,
};

fn empty(world: &mut World) -> ValidatorsContractRef {
    world
        .as_(account("alice"))
        .deploy("validators", ValidatorsContractRef::new(GENESIS, SEATS))
        .expect("23 seats are a committee")
}

/// A report of somebody else's feed: `verify` does not care whose.
fn some_report(world: &World) -> Report {
    Report {
        version: REPORT_VERSION,
        feed: Feed { kind: ReportKind::Leaderboard, contract: Account([5; 32]) },
        slot: 9,
        previous: Digest([6; 32]),
        time_ms: world.now(),
        leaf_count: 1,
        root: Digest([7; 32]),
    }
}

/// The report that seats `next`, in slot 1 of the contract's own feed.
fn change_to(next: &Committee, validators: &ValidatorsContractRef, world: &World) -> Report {
    Report {
        version: REPORT_VERSION,
        feed: Feed { kind: ReportKind::Committee, contract: Account::of(&address(validators)) },
        slot: 1,
        previous: Digest::ZERO,
        time_ms: world.now(),
        leaf_count: 1,
        root: members_root::<Native>(&quorum(), &next.members()),
    }
}

#[test]
fn the_contract_stays_small() {
    check_size("validators");
}

#[test]
fn a_new_contract_has_no_committee() {
    let mut world = World::new();
    let validators = empty(&mut world);
    assert_eq!(world.read(on(&validators).epoch()), 0);
    assert_eq!(world.read(on(&validators).seats()), 23);
    assert_eq!(world.read(on(&validators).domain()), domain(&validators));
    assert!(world.read(on(&validators).committee()).is_empty());
    assert_eq!(world.read(on(&validators).feed_state()), FeedState::EMPTY);
    let report = some_report(&world);
    let committee = Committee::named("node", 0);
    let nobody = committee.certify(&validators, &report);
    let answer = world.read(on(&validators).verify(report.digest::<Native>(), nobody));
    assert_eq!(answer, Err(CertificateError::BadSignature { seat: 0 }));
}

#[test]
fn a_committee_has_4_to_32_seats() {
    let mut world = World::new();
    for (seats, valid) in [(3, false), (4, true), (32, true), (33, false)] {
        let constructor = ValidatorsContractRef::new(GENESIS, seats);
        let deployed = world.as_(account("alice")).deploy("validators", constructor);
        assert_eq!(deployed.is_ok(), valid, "{seats} seats");
        if let Err(error) = deployed {
            assert_eq!(error, CommitteeError::WrongSize);
        }
    }
}

#[test]
fn an_operator_registers_and_replaces_keys() {
    let mut world = World::new();
    let validators = empty(&mut world);
    let (alice, keys) = (account("alice"), member("alice"));
    assert_eq!(world.read(on(&validators).keys_of(alice)), None);
    let proof = possession(&validators, "alice");
    let message = on(&validators).register(keys.consensus_key, keys.attestation_key, proof);
    let receipt = world.as_(alice).call(message).succeeds();
    check_gas("validators.register: first", &receipt);
    let event = receipt.event::<KeysRegistered>(&validators);
    assert_eq!((event.operator, event.consensus_key), (alice, keys.consensus_key));
    assert_eq!(
        world.read(on(&validators).keys_of(alice)),
        Some((keys.consensus_key, keys.attestation_key))
    );

    let mut new = keys;
    new.consensus_key = [1; 32];
    let statement = domain(&validators).possession_statement::<Native>(&new);
    let proof = attestation_key("alice").sign(&statement.0);
    let message = on(&validators).register(new.consensus_key, new.attestation_key, proof);
    let _ = world.as_(alice).call(message).succeeds();
    assert_eq!(
        world.read(on(&validators).keys_of(alice)),
        Some((new.consensus_key, new.attestation_key))
    );
}

#[test]
fn nobody_registers_a_key_that_he_does_not_hold() {
    let mut world = World::new();
    let validators = empty(&mut world);
    let alice = member("alice");
    let sign = |domain: Domain, member, by: &str| {
        attestation_key(by).sign(&domain.possession_statement::<Native>(&member).0)
    };
    let here = domain(&validators);
    let elsewhere = Domain { validators: Account([1; 32]), ..here };
    let other_chain = Domain { genesis: Digest([1; 32]), ..here };
    let mut other_consensus = alice;
    other_consensus.consensus_key = [1; 32];
    let proofs = [
        ("another key's signature", sign(here, alice, "bob")),
        ("for another contract", sign(elsewhere, alice, "alice")),
        ("for another chain", sign(other_chain, alice, "alice")),
        ("for another consensus key", sign(here, other_consensus, "alice")),
        ("no signature", [0; 64]),
    ];
    for (what, proof) in proofs {
        let message = on(&validators).register(alice.consensus_key, alice.attestation_key, proof);
        let error = world.as_(account("alice")).call(message).fails();
        assert_eq!(error, ValidatorsError::BadPossession, "{what}");
    }
    // Alice's own proof does not serve bob.
    let proof = possession(&validators, "alice");
    let message = on(&validators).register(alice.consensus_key, alice.attestation_key, proof);
    let error = world.as_(account("bob")).call(message).fails();
    assert_eq!(error, ValidatorsError::BadPossession);
}

#[test]
fn the_owner_seats_the_first_committee_once() {
    let mut world = World::new();
    let validators = empty(&mut world);
    let committee = Committee::named("node", 1);
    let (alice, bob) = (account("alice"), account("bob"));
    let form = || on(&validators).form_committee(committee.operators());

    let error = world.as_(alice).call(form()).fails();
    assert_eq!(error, ValidatorsError::NotRegistered);
    committee.register(&mut world, &validators);
    assert_eq!(world.as_(bob).call(form()).fails(), ValidatorsError::NotOwner);

    let receipt = world.as_(alice).call(form()).succeeds();
    check_gas("validators.form_committee: 23 seats", &receipt);
    let event = receipt.event::<CommitteeSeated>(&validators);
    let digest = committee.config_digest(&validators);
    assert_eq!((event.epoch, event.config_digest), (1, digest));
    assert_eq!(world.read(on(&validators).epoch()), 1);
    assert_eq!(world.read(on(&validators).config_digest()), digest);
    assert_eq!(world.read(on(&validators).committee()), committee.members());

    let error = world.as_(alice).call(form()).fails();
    assert_eq!(error, ValidatorsError::AlreadyFormed);
}

#[test]
fn a_committee_has_23_different_members() {
    let mut world = World::new();
    let validators = empty(&mut world);
    let committee = Committee::named("node", 1);
    committee.register(&mut world, &validators);
    let alice = account("alice");
    let mut refuse = |operators, reason| {
        let error = world.as_(alice).call(on(&validators).form_committee(operators)).fails();
        assert_eq!(error, ValidatorsError::Committee(reason));
    };
    let operators = committee.operators();
    refuse(operators[..22].to_vec(), CommitteeError::WrongSize);
    refuse([&operators[..], &[alice]].concat(), CommitteeError::WrongSize);
    let mut twice = operators.clone();
    twice[22] = twice[0];
    refuse(twice, CommitteeError::RepeatedMember);
}

#[test]
fn two_seats_never_share_a_consensus_key() {
    let mut world = World::new();
    let validators = empty(&mut world);
    let committee = Committee::named("node", 1);
    committee.register(&mut world, &validators);
    // Mallory proves his own attestation key, beside the consensus key of node-0.
    let mallory = account("mallory");
    world.fund(mallory, cicada_runtime_tests::world::FUNDS);
    let mut keys = member("mallory");
    keys.consensus_key = member("node-0").consensus_key;
    let statement = domain(&validators).possession_statement::<Native>(&keys);
    let proof = attestation_key("mallory").sign(&statement.0);
    let message = on(&validators).register(keys.consensus_key, keys.attestation_key, proof);
    let _ = world.as_(mallory).call(message).succeeds();
    let mut operators = committee.operators();
    operators[22] = mallory;
    let message = on(&validators).form_committee(operators);
    let error = world.as_(account("alice")).call(message).fails();
    assert_eq!(error, ValidatorsError::Committee(CommitteeError::RepeatedMember));
}

#[test]
fn any_sixteen_verify_and_every_forgery_has_its_own_error() {
    let mut world = World::new();
    let (validators, committee) = seated(&mut world);
    let report = some_report(&world);
    let other = Report { slot: 10, ..report };
    for seats in [0..16, 7..23, 3..23] {
        let certificate = committee.certify_by(&validators, &report, seats);
        let receipt = world
            .as_(account("bob"))
            .call(on(&validators).verify(report.digest::<Native>(), certificate))
            .succeeds();
        check_gas("validators.verify: a quorum", &receipt);
    }
    let good = committee.certify(&validators, &report);
    let mut refuse = |change: &dyn Fn(&mut cicada_core::certificate::Certificate), reason| {
        let mut certificate = good.clone();
        change(&mut certificate);
        let error = world
            .as_(account("bob"))
            .call(on(&validators).verify(report.digest::<Native>(), certificate))
            .fails();
        assert_eq!(error, reason);
    };
    refuse(&|c| c.scheme = 0, CertificateError::UnknownScheme);
    let count = CertificateError::WrongSignatureCount { expected: 16 };
    refuse(&|c| c.signatures.truncate(15), count);
    refuse(&|c| c.signatures.push([0; 64]), count);
    refuse(&|c| c.signers = c.signers & !1 | 1 << 23, CertificateError::UnknownSigner);
    refuse(&|c| c.signers |= 1 << 31, CertificateError::UnknownSigner);
    refuse(&|c| c.signers &= !1, CertificateError::RepeatedSigner);
    refuse(&|c| c.epoch = 0, CertificateError::WrongEpoch { expected: 1 });
    refuse(&|c| c.epoch = 2, CertificateError::WrongEpoch { expected: 1 });
    // The same seat's signature in two places, another report's signature, a stranger's.
    refuse(&|c| c.signatures[5] = c.signatures[4], CertificateError::BadSignature { seat: 5 });
    let foreign = committee.certify(&validators, &other).signatures[15];
    refuse(&|c| c.signatures[15] = foreign, CertificateError::BadSignature { seat: 15 });
    let stranger = key("stranger").sign(b"report");
    refuse(&|c| c.signatures[0] = stranger, CertificateError::BadSignature { seat: 0 });
}

#[test]
fn a_certificate_serves_one_contract_only() {
    let mut world = World::new();
    let (validators, committee) = seated(&mut world);
    let (twin, _) = seated(&mut world);
    let report = some_report(&world);
    let certificate = committee.certify(&twin, &report);
    let error = world
        .as_(account("bob"))
        .call(on(&validators).verify(report.digest::<Native>(), certificate))
        .fails();
    assert_eq!(error, CertificateError::BadSignature { seat: 0 });
}

#[test]
fn the_committee_in_office_seats_the_next() {
    let mut world = World::new();
    let (validators, committee) = seated(&mut world);
    let next = Committee::named("next", 2);
    next.register(&mut world, &validators);
    let change = change_to(&next, &validators, &world);
    let certificate = committee.certify(&validators, &change);
    let rotate = on(&validators).rotate(change, next.members(), certificate.clone());
    let receipt = world.as_(account("bob")).call(rotate).succeeds();
    check_gas("validators.rotate: 23 seats", &receipt);
    let event = receipt.event::<CommitteeSeated>(&validators);
    assert_eq!((event.epoch, event.config_digest), (2, next.config_digest(&validators)));
    assert_eq!(world.read(on(&validators).committee()), next.members());
    let state = FeedState::after(&change, change.digest::<Native>());
    assert_eq!(world.read(on(&validators).feed_state()), state);

    // What the one before certified still counts, but for the next change; no change comes twice.
    let report = some_report(&world);
    let old = committee.certify(&validators, &report);
    assert_eq!(world.read(on(&validators).verify(report.digest::<Native>(), old)), Ok(()));
    let new = next.certify(&validators, &report);
    assert_eq!(world.read(on(&validators).verify(report.digest::<Native>(), new)), Ok(()));
    let again = on(&validators).rotate(change, next.members(), certificate);
    let error = world.as_(account("bob")).call(again).fails();
    assert_eq!(error, ValidatorsError::Feed(FeedError::SlotTaken));
}

#[test]
fn a_change_of_committee_must_be_certified_exactly() {
    let mut world = World::new();
    let (validators, committee) = seated(&mut world);
    let next = Committee::named("next", 2);
    let change = change_to(&next, &validators, &world);
    let bob = account("bob");
    let refuse = |world: &mut World, report, members, reason| {
        let certificate = committee.certify(&validators, &report);
        let message = on(&validators).rotate(report, members, certificate);
        assert_eq!(world.as_(bob).call(message).fails(), reason);
    };
    refuse(&mut world, change, next.members(), ValidatorsError::NotRegistered);
    next.register(&mut world, &validators);
    let mut swapped = next.members();
    swapped.swap(0, 1);
    refuse(&mut world, change, swapped, ValidatorsError::WrongRoot);
    refuse(&mut world, change, committee.members(), ValidatorsError::WrongRoot);
    let short = next.members()[..22].to_vec();
    refuse(&mut world, change, short, CommitteeError::WrongSize.into());
    let skipped = Report { slot: 2, ..change };
    let reason = FeedError::SlotSkipped { expected: 1 };
    refuse(&mut world, skipped, next.members(), reason.into());
    let elsewhere = Feed { contract: Account([9; 32]), ..change.feed };
    let foreign = Report { feed: elsewhere, ..change };
    refuse(&mut world, foreign, next.members(), FeedError::WrongFeed.into());
    // Not even the owner replaces the committee without a certificate.
    let nobody = next.certify(&validators, &change);
    let message = on(&validators).rotate(change, next.members(), nobody);
    let error = world.as_(account("alice")).call(message).fails();
    assert_eq!(error, CertificateError::WrongEpoch { expected: 1 }.into());
    assert_eq!(world.read(on(&validators).epoch()), 1);
}

#[test]
fn who_replaces_his_keys_does_not_stop_a_certified_change() {
    let mut world = World::new();
    let (validators, committee) = seated(&mut world);
    let next = Committee::named("next", 2);
    next.register(&mut world, &validators);
    let change = change_to(&next, &validators, &world);
    let certificate = committee.certify(&validators, &change);
    register(&mut world, &validators, "next-4");
    let rotate = on(&validators).rotate(change, next.members(), certificate);
    let _ = world.as_(account("bob")).call(rotate).succeeds();
    assert_eq!(world.read(on(&validators).committee()), next.members());
}

#[test]
fn new_keys_serve_from_the_next_committee_on() {
    let mut world = World::new();
    let (validators, committee) = seated(&mut world);
    let before = world.read(on(&validators).committee());
    register(&mut world, &validators, "node-0");
    assert_eq!(world.read(on(&validators).committee()), before);
    assert_eq!(before, committee.members());
}

#[test]
fn ownership_is_handed_on_in_two_steps() {
    let mut world = World::new();
    let validators = empty(&mut world);
    let (alice, bob, eve) = (account("alice"), account("bob"), account("eve"));
    assert_eq!(world.read(on(&validators).owner()), alice);
    let propose = |to| on(&validators).propose_owner(to);
    let accept = || on(&validators).accept_ownership();
    assert_eq!(world.as_(eve).call(propose(eve)).fails(), OwnableError::NotOwner);
    assert_eq!(world.as_(bob).call(accept()).fails(), OwnableError::NotProposed);
    let receipt = world.as_(alice).call(propose(bob)).succeeds();
    let event = receipt.event::<OwnershipProposed>(&validators);
    assert_eq!((event.owner, event.proposed), (alice, bob));
    assert_eq!(world.read(on(&validators).owner()), alice);
    assert_eq!(world.as_(eve).call(accept()).fails(), OwnableError::NotProposed);
    let receipt = world.as_(bob).call(accept()).succeeds();
    assert_eq!(receipt.event::<OwnershipAccepted>(&validators).owner, bob);
    assert_eq!(world.read(on(&validators).owner()), bob);
    assert_eq!(world.as_(alice).call(propose(alice)).fails(), OwnableError::NotOwner);
    assert_eq!(world.as_(bob).call(accept()).fails(), OwnableError::NotProposed);
}

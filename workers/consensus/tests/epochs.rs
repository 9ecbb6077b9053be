//! What a node of the next epoch takes over, and what it does before it knows the closed log.

use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{
    carry_over, digest, Answer, Application, AttestationRequest, Closed, Config, Entry, Input,
    Keys, Node, Now, Output, Position, Proposal, Record, Refusal, Request, Seat, StartError,
    Successor, Value,
};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use std::collections::BTreeMap;

const N: u8 = 4;
const OLD: Digest = Digest([1; 32]);
const NEW: Digest = Digest([2; 32]);
/// Where the old epoch ends.
const LAST: Position = 2;
/// Leads the first view of the new epoch.
const LEADER: Seat = 3;
const NOW: Now = Now { timer_ms: 1_000, wall_ms: 1_000 };

/// Takes anything; the value `end` ends the epoch.
#[derive(Default)]
struct Ending(Option<Position>);

impl Application for Ending {
    fn check(&self, _: &[u8], _: Now) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, position: Position, value: &[u8]) -> Option<AttestationRequest> {
        if value == b"end" {
            self.0 = Some(position);
        }
        None
    }

    fn successor(&self, position: Position) -> Option<Successor> {
        (self.0 == Some(position)).then_some(Successor { epoch: 2, config_digest: NEW })
    }
}

/// The keys of a seat in an epoch.
struct Stamp(Seat, u32);

fn stamp(epoch: u32, seat: Seat, message: &Digest) -> Signature {
    let mut signature = [seat; 64];
    signature[..32].copy_from_slice(&message.0);
    signature[60..].copy_from_slice(&epoch.to_le_bytes());
    signature
}

impl Keys for Stamp {
    fn attest(&self, message: &Digest) -> Signature {
        self.sign(message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        self.verify(seat, message, signature)
    }

    fn sign(&self, message: &Digest) -> Signature {
        stamp(self.1, self.0, message)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == stamp(self.1, seat, message)
    }

    fn verify_earlier(&self, epoch: u32, seat: Seat, message: &Digest, sig: &Signature) -> bool {
        *sig == stamp(epoch, seat, message)
    }
}

fn quorum() -> Quorum {
    Quorum::of(FaultModel::Byzantine, N).unwrap()
}

fn old() -> Config {
    Config { window: 4, ..Config::new(0, quorum(), quorum(), 1, OLD) }
}

fn new(last: Position) -> Config {
    let (quorum, attestation) = (quorum(), quorum());
    let closed = vec![Closed { epoch: 1, quorum, attestation, config_digest: OLD, last }];
    Config { window: 4, closed, ..Config::new(0, quorum, quorum, 2, NEW) }
}

// What three seats of a committee signed.
fn proof(config: &Config, kind: Kind, position: Position, value: &[u8]) -> QuorumCertificate {
    let statement = Statement { kind, position, view: 1, digest: digest(value) };
    let message = statement.message(&config.config_digest);
    let shares = (0..3).map(|seat| (seat, stamp(config.epoch, seat, &message)));
    QuorumCertificate::assemble(config, statement, &shares.collect::<BTreeMap<_, _>>()).unwrap()
}

fn decision(config: &Config, position: Position, value: &[u8]) -> [Record; 2] {
    let proof = proof(config, Kind::Committed, position, value);
    [Record::Decided { position, value: value.to_vec() }, Record::Proven(proof)]
}

// The disk of a node of the old epoch: its log, a void decision, and votes.
fn old_disk() -> Vec<Record> {
    let log = [(1, "first"), (LAST, "end"), (LAST + 1, "void")];
    let mut disk: Vec<Record> =
        log.into_iter().flat_map(|(at, value)| decision(&old(), at, value.as_bytes())).collect();
    disk.push(Record::Entered(9));
    disk.push(Record::Locked(proof(&old(), Kind::Prepared, LAST + 2, b"lock")));
    disk
}

fn start(config: Config, disk: Vec<Record>) -> Result<Node<Ending, Stamp>, StartError> {
    let keys = Stamp(config.seat, config.epoch);
    Node::recover(config, Ending::default(), keys, disk)
}

fn proposal(position: Position) -> Request {
    let value: Value = b"next".to_vec();
    let said = Statement { kind: Kind::Proposal, position, view: 1, digest: digest(&value) };
    let signature = stamp(2, LEADER, &said.message(&NEW));
    let proposal = Proposal { view: 1, position, value, signature };
    Request::Propose { proposal, justification: None }
}

fn answer(node: &mut Node<Ending, Stamp>, request: Request) -> Answer {
    let outputs = node.step(NOW, Input::Request { from: LEADER, request });
    let mut answers = outputs.into_iter().filter_map(|output| match output {
        Output::Answer(answer) => Some(answer),
        _ => None,
    });
    answers.next().expect("every request is answered")
}

#[test]
fn the_first_of_two_ends_counts_and_what_lies_beyond_is_void() {
    let mut disk = old_disk();
    disk.extend(decision(&old(), LAST + 2, b"end"));
    let node = start(old(), disk).unwrap();
    assert_eq!(node.epoch_end(), Some((LAST, Successor { epoch: 2, config_digest: NEW })));
    assert_eq!(node.status().decided, LAST);
    assert!(node.entries(LAST + 1, 9).is_empty());
}

#[test]
fn the_closed_log_is_taken_over_and_nothing_else() {
    let disk = carry_over(&new(LAST), old_disk());
    assert_eq!(disk.len(), 4, "two decisions with their proofs: {disk:?}");
    let mut node = start(new(LAST), disk).unwrap();
    assert_eq!((node.status().decided, node.epoch_end()), (LAST, None));
    assert!(matches!(answer(&mut node, proposal(LAST + 1)), Answer::Prepared { .. }));
    assert!(matches!(answer(&mut node, proposal(LAST)), Answer::Entries { .. }), "long decided");
}

#[test]
fn a_disk_of_another_epoch_is_refused() {
    let mut decisions = old_disk();
    decisions.pop();
    let mut locks = carry_over(&new(LAST), old_disk());
    locks.extend(old_disk().pop());
    for disk in [decisions, locks] {
        assert!(matches!(start(new(LAST), disk), Err(StartError::Damaged(_))));
    }
}

#[test]
fn a_new_member_votes_once_it_knows_the_closed_log() {
    let mut node = start(new(LAST), vec![]).unwrap();
    assert_eq!(answer(&mut node, proposal(LAST + 1)), Answer::Behind { decided: 0 });
    let entry = |at, value: &[u8], epoch: &Config| Entry {
        position: at,
        value: value.to_vec(),
        certificate: None,
        proof: Some(proof(epoch, Kind::Committed, at, value)),
    };
    // Nobody of the new committee could decide there.
    let forged = vec![entry(1, b"forged", &new(LAST))];
    let entries = vec![entry(1, b"first", &old()), entry(LAST, b"end", &old())];
    for (entries, decided) in [(forged, 0), (entries, LAST)] {
        let answer = Answer::Entries { entries, decided: LAST };
        node.step(NOW, Input::Answer { from: LEADER, answer });
        assert_eq!(node.status().decided, decided);
    }
    assert!(matches!(answer(&mut node, proposal(LAST + 1)), Answer::Prepared { .. }));
}

#[test]
fn a_configuration_with_another_end_stops_the_node() {
    let disk = carry_over(&new(LAST), old_disk());
    assert!(matches!(start(new(LAST - 1), disk.clone()), Err(StartError::Damaged(_))));
    assert!(matches!(start(new(LAST + 1), old_disk()), Err(StartError::Damaged(_))));
}

#[test]
fn epochs_follow_each_other_and_crash_mode_has_one() {
    let wrong = |config| matches!(start(config, vec![]), Err(StartError::WrongEpochs));
    assert!(wrong(new(0)), "an epoch without a position");
    assert!(wrong(Config { epoch: 1, ..new(LAST) }), "after itself");
    let twice = [new(LAST).closed, new(LAST).closed].concat();
    assert!(wrong(Config { closed: twice, ..new(LAST) }));
    let quorum = Quorum::of(FaultModel::Crash, N).unwrap();
    assert!(wrong(Config { quorum, ..new(LAST) }));
}

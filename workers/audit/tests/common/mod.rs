//! A committee whose liars sign whatever the test wants, and whose other seats are real acceptors.
#![allow(dead_code)]

use cicada_audit::{Pool, Verifier};
use cicada_consensus::byzantine::{Acceptor, Kind, Mandate, QuorumCertificate, Statement};
use cicada_consensus::{digest, Claim, Config, Justification, Keys, Pledge, Position, Seat, View};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::{Feed, Report, ReportKind, REPORT_VERSION};
use cicada_core::Account;
use std::collections::{BTreeMap, BTreeSet};

pub const CONFIG_DIGEST: Digest = Digest([7; 32]);
pub const EPOCH: u32 = 1;

pub fn config(n: u8, seat: Seat) -> Config {
    let quorum = Quorum::of(FaultModel::Byzantine, n).unwrap();
    Config::new(seat, quorum, quorum, EPOCH, CONFIG_DIGEST)
}

/// Stands in for the keys of a seat: the signature is the message and the seat.
pub struct Stamp(pub Seat);

fn stamp(kind: u8, seat: Seat, message: &Digest) -> Signature {
    let mut signature = [seat; 64];
    signature[..32].copy_from_slice(&message.0);
    signature[63] = kind;
    signature
}

impl Keys for Stamp {
    fn attest(&self, message: &Digest) -> Signature {
        stamp(b'a', self.0, message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == stamp(b'a', seat, message)
    }

    fn sign(&self, message: &Digest) -> Signature {
        stamp(b's', self.0, message)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == stamp(b's', seat, message)
    }
}

pub fn stamps(n: u8) -> Vec<Stamp> {
    (0..n).map(Stamp).collect()
}

pub fn report(root: u8) -> Report {
    Report {
        version: REPORT_VERSION,
        feed: Feed { kind: ReportKind::Leaderboard, contract: Account([4; 32]) },
        slot: 5,
        previous: Digest([4; 32]),
        time_ms: 1_000,
        leaf_count: 1,
        root: Digest([root; 32]),
    }
}

/// A committee of real acceptors and liars.
pub struct World<K> {
    pub configs: Vec<Config>,
    pub keys: Vec<K>,
    pub liars: BTreeSet<Seat>,
    acceptors: BTreeMap<Seat, Acceptor>,
}

impl<K: Keys> World<K> {
    pub fn new(configs: Vec<Config>, keys: Vec<K>, liars: BTreeSet<Seat>) -> Self {
        let seats = configs.iter().map(|config| config.seat);
        let honest = seats.filter(|seat| !liars.contains(seat));
        let acceptors = honest.map(|seat| (seat, Acceptor::default())).collect();
        Self { configs, keys, liars, acceptors }
    }

    pub fn pool(&self) -> Pool<'_, impl Verifier> {
        Pool::new(&self.configs[0], &self.keys[0])
    }

    /// What a liar signs.
    pub fn sign(&self, seat: Seat, statement: &Statement) -> Signature {
        self.keys[usize::from(seat)].sign(&statement.message(&self.configs[0].config_digest))
    }

    fn certificate(
        &mut self,
        seats: &[Seat],
        statement: Statement,
        vote: impl Fn(&mut Acceptor, &Config, &K) -> Signature,
    ) -> QuorumCertificate {
        let mut shares = BTreeMap::new();
        for seat in seats {
            let place = usize::from(*seat);
            let share = match self.acceptors.get_mut(seat) {
                Some(honest) => vote(honest, &self.configs[place], &self.keys[place]),
                None => self.sign(*seat, &statement),
            };
            shares.insert(*seat, share);
        }
        QuorumCertificate::assemble(&self.configs[0], statement, &shares).unwrap()
    }

    pub fn prepare(
        &mut self,
        seats: &[Seat],
        mandate: &Mandate,
        position: Position,
        value: &[u8],
    ) -> QuorumCertificate {
        let (view, value) = (mandate.view(), value.to_vec());
        let statement = Statement { kind: Kind::Prepared, position, view, digest: digest(&value) };
        self.certificate(seats, statement, |honest, config, keys| {
            honest.prepare(config, keys, mandate, position, &value, &mut vec![]).unwrap()
        })
    }

    pub fn commit(
        &mut self,
        seats: &[Seat],
        prepared: &QuorumCertificate,
        value: &[u8],
    ) -> QuorumCertificate {
        let statement = Statement { kind: Kind::Committed, ..prepared.statement };
        let value = value.to_vec();
        self.certificate(seats, statement, |honest, config, keys| {
            honest.commit(config, keys, prepared, Some(&value), &mut vec![]).unwrap()
        })
    }

    /// The pledges of seats for a view; liars claim what they are told to.
    pub fn pledge(&mut self, seats: &[Seat], view: View, lies: &[Claim]) -> Vec<Pledge> {
        let mut pledges = Vec::new();
        for seat in seats {
            let place = usize::from(*seat);
            let (config, keys) = (&self.configs[place], &self.keys[place]);
            pledges.push(match self.acceptors.get_mut(seat) {
                Some(honest) => honest.pledge(config, keys, view, 0, &mut vec![]).unwrap(),
                None => {
                    let (claims, signature) = (lies.to_vec(), [0; 64]);
                    let mut pledge = Pledge { seat: *seat, view, tip: 0, claims, signature };
                    pledge.signature = self.sign(*seat, &pledge.statement());
                    pledge
                }
            });
        }
        pledges.sort();
        pledges
    }

    pub fn judge(&self, justification: &Justification) -> Mandate {
        justification.judge(&self.configs[0], &self.keys[0]).unwrap()
    }
}

//! The rules that no correct node breaks, and the charges for breaking them.

use crate::pool::Pool;
use crate::verifier::Verifier;
use cicada_consensus::byzantine::{Kind, Statement};
use cicada_consensus::{Claim, Pledge, Position, Seat};
use cicada_core::certificate::Signature;
use cicada_core::evidence::Equivocation;
use cicada_core::hash::Native;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The charges against each seat that is guilty of something.
pub type Verdicts = BTreeMap<Seat, Vec<Charge>>;

/// A statement and the signature of the one charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub statement: Statement,
    /// ed25519 over it.
    pub signature: Signature,
}

/// What a seat did that no correct node does, with the signatures that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// It signed two values as the same thing, at one position of one view.
    Equivocation {
        /// One.
        first: Signed,
        /// The other.
        second: Signed,
    },
    /// It committed to a value, and its pledge for a later view names no such lock.
    HiddenLock {
        /// The commitment.
        committed: Signed,
        /// The pledge.
        pledge: Pledge,
    },
    /// A pledge names a lock, and another one, for the same or a later view, does not.
    DroppedLock {
        /// Where the lock is.
        position: Position,
        /// The pledge that names it.
        earlier: Pledge,
        /// The pledge that does not.
        later: Pledge,
    },
    /// It attested two reports of one slot. The only charge that a contract can verify.
    DoubleAttestation(Equivocation),
}

impl Charge {
    /// Its name in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Equivocation { .. } => "equivocation",
            Self::HiddenLock { .. } => "hidden_lock",
            Self::DroppedLock { .. } => "dropped_lock",
            Self::DoubleAttestation(_) => "double_attestation",
        }
    }

    /// What was done, in words.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Equivocation { first, .. } => match first.statement.kind {
                Kind::Proposal => "proposed two values",
                Kind::Prepared => "prepared two values",
                _ => "committed to two values",
            },
            Self::HiddenLock { .. } => "hid a lock from the next leader",
            Self::DroppedLock { .. } => "dropped a lock",
            Self::DoubleAttestation(_) => "attested two reports",
        }
    }

    /// The evidence for the chain, if a contract can verify this charge.
    pub fn for_chain(&self) -> Option<&Equivocation> {
        match self {
            Self::DoubleAttestation(evidence) => Some(evidence),
            _ => None,
        }
    }
}

/// Where it was done, in words.
impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equivocation { first, .. } => {
                let Statement { position, view, .. } = first.statement;
                write!(f, "position {position}, view {view}")
            }
            Self::HiddenLock { committed, pledge } => {
                let Statement { position, view, .. } = committed.statement;
                write!(f, "position {position}, of view {view} from view {}", pledge.view)
            }
            Self::DroppedLock { position, earlier, later } => {
                let (earlier, later) = (earlier.view, later.view);
                write!(f, "position {position}, of the pledge for view {earlier} from view {later}")
            }
            Self::DoubleAttestation(evidence) => {
                write!(f, "{}, slot {}", evidence.first.feed.kind.name(), evidence.first.slot)
            }
        }
    }
}

pub(crate) fn verdicts<V: Verifier>(pool: &Pool<'_, V>) -> Verdicts {
    let mut verdicts = Verdicts::new();
    let found = equivocations(pool).chain(hidden_locks(pool)).chain(dropped_locks(pool));
    for (seat, charge) in found.chain(double_attestations(pool)) {
        verdicts.entry(seat).or_default().push(charge);
    }
    verdicts
}

// (a) One digest per seat, kind, position and view. One charge for each such place.
fn equivocations<'p, V>(pool: &'p Pool<'_, V>) -> impl Iterator<Item = (Seat, Charge)> + 'p {
    pool.statements.iter().filter_map(|(&(seat, kind, position, view), values)| {
        let mut signed = values.iter().map(|(digest, signature)| Signed {
            statement: Statement { kind, position, view, digest: *digest },
            signature: *signature,
        });
        let (first, second) = (signed.next()?, signed.next()?);
        Some((seat, Charge::Equivocation { first, second }))
    })
}

// Whether a pledge, where it speaks of this position, names this lock or a later one. In its
// own view there is but one value that a correct node is locked on.
fn names(pledge: &Pledge, lock: &Claim) -> bool {
    pledge.tip >= lock.position
        || pledge.claims.iter().any(|claim| {
            claim.position == lock.position
                && (claim.view > lock.view
                    || claim.view == lock.view && claim.digest == lock.digest)
        })
}

// (b) A lock is named in every pledge for a later view until its position is decided. One
// charge for each commitment, with the pledge for the lowest view.
fn hidden_locks<'p, V>(pool: &'p Pool<'_, V>) -> impl Iterator<Item = (Seat, Charge)> + 'p {
    let committed = pool.statements.iter().filter(|((_, kind, _, _), _)| *kind == Kind::Committed);
    let locks = committed.flat_map(|(&(seat, kind, position, view), values)| {
        values.iter().map(move |(digest, signature)| {
            let statement = Statement { kind, position, view, digest: *digest };
            (seat, Signed { statement, signature: *signature })
        })
    });
    locks.filter_map(|(seat, committed)| {
        let Statement { position, view, digest, .. } = committed.statement;
        let lock = Claim { position, view, digest };
        // In ascending order of views.
        let mut later = pool.pledges.get(&seat)?.iter().filter(|pledge| pledge.view > view);
        let pledge = later.find(|pledge| !names(pledge, &lock))?.clone();
        Some((seat, Charge::HiddenLock { committed, pledge }))
    })
}

// (b) again: what a pledge names as a lock is one. One charge for each position.
fn dropped_locks<'p, V>(pool: &'p Pool<'_, V>) -> impl Iterator<Item = (Seat, Charge)> + 'p {
    pool.pledges.iter().flat_map(|(seat, pledges)| {
        let mut charged = BTreeSet::new();
        let mut charges = Vec::new();
        for earlier in pledges {
            for lock in &earlier.claims {
                let mut later = pledges.iter().filter(|later| later.view >= earlier.view);
                let Some(later) = later.find(|later| !names(later, lock)) else {
                    continue;
                };
                if charged.insert(lock.position) {
                    let (position, earlier) = (lock.position, earlier.clone());
                    let charge = Charge::DroppedLock { position, earlier, later: later.clone() };
                    charges.push((*seat, charge));
                }
            }
        }
        charges
    })
}

// (c) One report per seat, feed and slot. One charge for each slot.
fn double_attestations<'p, V: Verifier>(
    pool: &'p Pool<'_, V>,
) -> impl Iterator<Item = (Seat, Charge)> + 'p {
    let epoch = pool.epoch();
    pool.attested.iter().filter_map(move |((seat, _, _), reports)| {
        let mut attested = reports.values().copied();
        let (one, other) = (attested.next()?, attested.next()?);
        let evidence = Equivocation::new::<Native>(epoch, *seat, one, other);
        Some((*seat, Charge::DoubleAttestation(evidence)))
    })
}

//! The acceptor of the Byzantine form: what a correct node signs, and never signs.
//!
//! Everything that agreement rests on is here and in `mandate`, free of leaders and timers: a
//! leader is just somebody who brings messages. Model checking drives this very code.

use super::mandate::Mandate;
use super::statement::{Kind, QuorumCertificate, Statement};
use crate::io::Keys;
use crate::message::{Claim, Pledge};
use crate::mutant::Mutant;
use crate::types::{digest, Config, Position, Record, Value, View, FIRST_VIEW};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use parity_scale_codec::Encode;
use std::collections::BTreeMap;

/// Why an acceptor does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The view is below the one that this node is in.
    OldView,
    /// The value is not one that the view's mandate allows there.
    NotAllowed,
    /// Another value has this node's vote there in this view.
    SecondValue,
    /// The certificate is not genuine.
    NotGenuine,
    /// The value is not here; votes are only for values that this node can show again.
    NoValue,
}

/// The view, the votes, the locks and the values of one node, as they are on disk or about to
/// be. A signature may leave the node once the records of the same call are durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Acceptor {
    view: View,
    prepared: BTreeMap<Position, (View, Digest)>,
    locks: BTreeMap<Position, QuorumCertificate>,
    values: BTreeMap<(Position, Digest), Value>,
}

impl Default for Acceptor {
    fn default() -> Self {
        Self {
            view: FIRST_VIEW,
            prepared: BTreeMap::new(),
            locks: BTreeMap::new(),
            values: BTreeMap::new(),
        }
    }
}

impl Acceptor {
    /// The highest view in which this node signed anything.
    pub fn view(&self) -> View {
        self.view
    }

    /// The value of a digest, if it was proposed here at a position.
    pub fn value(&self, position: Position, digest: &Digest) -> Option<&Value> {
        self.values.get(&(position, *digest))
    }

    /// What was last prepared at each undecided position.
    pub fn prepared(&self) -> impl Iterator<Item = (Position, View, Digest)> + '_ {
        self.prepared.iter().map(|(position, (view, digest))| (*position, *view, *digest))
    }

    /// The lock at a position.
    pub fn lock(&self, position: Position) -> Option<&QuorumCertificate> {
        self.locks.get(&position)
    }

    /// The locks at all undecided positions.
    pub fn locks(&self) -> impl Iterator<Item = &QuorumCertificate> {
        self.locks.values()
    }

    /// 1b: pledges to vote in no view below `view`, and names the locks of earlier views.
    ///
    /// # Errors
    /// [`Objection::OldView`].
    pub fn pledge(
        &mut self,
        config: &Config,
        keys: &impl Keys,
        view: View,
        tip: Position,
        records: &mut Vec<Record>,
    ) -> Result<Pledge, Objection> {
        // Once locked in this view, another pledge for it would hide the lock before.
        let locked = self.locks.values().any(|lock| lock.statement.view >= view);
        if view < self.view || locked {
            return Err(Objection::OldView);
        }
        self.enter(view, config, records);
        let earlier = self
            .locks
            .iter()
            .filter(|(position, _)| **position > tip && !config.mutated(Mutant::HideLocks));
        let claims: Vec<Claim> = earlier
            .map(|(position, lock)| Claim {
                position: *position,
                view: lock.statement.view,
                digest: lock.statement.digest,
            })
            .collect();
        let mut pledge = Pledge { seat: config.seat, view, tip, claims, signature: [0; 64] };
        pledge.signature = pledge.statement().sign(config, keys);
        Ok(pledge)
    }

    /// 2av: prepares a value that the view's mandate allows, once per view and position. The
    /// caller has checked that the value is valid, unless the mandate binds it.
    ///
    /// # Errors
    /// [`Objection`], all but `NotGenuine` and `NoValue`.
    pub fn prepare(
        &mut self,
        config: &Config,
        keys: &impl Keys,
        mandate: &Mandate,
        position: Position,
        value: &Value,
        records: &mut Vec<Record>,
    ) -> Result<Signature, Objection> {
        let view = mandate.view();
        let digest = digest(value);
        if view < self.view && !config.mutated(Mutant::VoteBelowPledge) {
            return Err(Objection::OldView);
        }
        // Nobody votes again on what an earlier epoch decided.
        if position <= config.base() {
            return Err(Objection::NotAllowed);
        }
        if !mandate.allows(position, &digest) && !config.mutated(Mutant::IgnoreMandate) {
            return Err(Objection::NotAllowed);
        }
        match self.prepared.get(&position) {
            Some((known, other))
                if *known == view && *other != digest && !config.mutated(Mutant::PrepareTwice) =>
            {
                return Err(Objection::SecondValue);
            }
            Some((known, _)) if *known > view => return Err(Objection::OldView),
            _ => {}
        }
        self.enter(view, config, records);
        self.hold(position, digest, value, records);
        if self.prepared.insert(position, (view, digest)) != Some((view, digest))
            && !config.mutated(Mutant::ForgetPrepared)
        {
            records.push(Record::Prepared { position, view, digest });
        }
        let statement = Statement { kind: Kind::Prepared, position, view, digest };
        Ok(statement.sign(config, keys))
    }

    /// 2b: commits to what a quorum prepared, and is locked on it from then on.
    ///
    /// # Errors
    /// [`Objection`].
    pub fn commit(
        &mut self,
        config: &Config,
        keys: &impl Keys,
        certificate: &QuorumCertificate,
        value: Option<&Value>,
        records: &mut Vec<Record>,
    ) -> Result<Signature, Objection> {
        let Statement { position, view, digest, .. } = certificate.statement;
        if position <= config.base() {
            return Err(Objection::NotAllowed);
        }
        if view < self.view && !config.mutated(Mutant::VoteBelowPledge) {
            return Err(Objection::OldView);
        }
        // Two certificates in one view take more liars than can be withstood. To sign both
        // would make this node look like one of them.
        let rival = |lock: &QuorumCertificate| {
            lock.statement.view == view && lock.statement.digest != digest
        };
        if self.locks.get(&position).is_some_and(rival) {
            return Err(Objection::SecondValue);
        }
        let known = self.locks.get(&position).is_some_and(|lock| lock == certificate);
        let own = self.prepared.get(&position) == Some(&(view, digest));
        let believed = known || own && config.mutated(Mutant::CommitEarly);
        if !believed && !certificate.genuine(Kind::Prepared, config, keys) {
            return Err(Objection::NotGenuine);
        }
        if !self.values.contains_key(&(position, digest)) {
            let value = value.filter(|value| crate::types::digest(value) == digest);
            let value = value.ok_or(Objection::NoValue)?;
            self.hold(position, digest, value, records);
        }
        self.enter(view, config, records);
        let statement = Statement { kind: Kind::Committed, ..certificate.statement };
        let same = |lock: &QuorumCertificate| lock.statement == certificate.statement;
        if !self.locks.get(&position).is_some_and(same) {
            self.locks.insert(position, certificate.clone());
            if !config.mutated(Mutant::ForgetLocks) {
                records.push(Record::Locked(certificate.clone()));
            }
        }
        Ok(statement.sign(config, keys))
    }

    fn enter(&mut self, view: View, config: &Config, records: &mut Vec<Record>) {
        if view > self.view {
            self.view = view;
            if !config.mutated(Mutant::ForgetPledges) {
                records.push(Record::Entered(view));
            }
            if config.mutated(Mutant::DropLocksAtViewChange) {
                self.locks.clear();
            }
        }
    }

    fn hold(&mut self, position: Position, digest: Digest, value: &Value, out: &mut Vec<Record>) {
        if self.values.insert((position, digest), value.clone()).is_none() {
            out.push(Record::Held { position, value: value.clone() });
        }
    }

    /// Takes back what was read from disk, where records are in no particular order.
    pub fn restore(&mut self, record: Record) {
        match record {
            Record::Entered(view) => self.view = self.view.max(view),
            Record::Held { position, value } => {
                self.values.insert((position, digest(&value)), value);
            }
            Record::Prepared { position, view, digest } => {
                self.view = self.view.max(view);
                let newest = self.prepared.entry(position).or_insert((view, digest));
                *newest = (*newest).max((view, digest));
            }
            Record::Locked(lock) => {
                let Statement { position, view, .. } = lock.statement;
                self.view = self.view.max(view);
                let newer = |known: &QuorumCertificate| known.statement.view < view;
                if self.locks.get(&position).is_none_or(newer) {
                    self.locks.insert(position, lock);
                }
            }
            _ => {}
        }
    }

    /// Forgets the votes up to a position: everything up to there is known to be decided.
    pub fn forget_up_to(&mut self, position: Position) {
        let next = position.saturating_add(1);
        self.prepared = self.prepared.split_off(&next);
        self.locks = self.locks.split_off(&next);
        self.values = self.values.split_off(&(next, Digest::ZERO));
    }
}

impl Pledge {
    /// What its signature says.
    pub fn statement(&self) -> Statement {
        let digest = digest(&self.claims.encode());
        Statement { kind: Kind::Pledge, position: self.tip, view: self.view, digest }
    }
}

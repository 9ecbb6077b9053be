//! The decided values, applied in order, with their certificates.

use crate::byzantine::QuorumCertificate;
use crate::io::{Application, AttestationRequest};
use crate::types::{Entry, Position, Value};
use cicada_core::certificate::Certificate;
use cicada_core::hash::Digest;
use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher};

/// One decided position. Boxed, so that a position that lacks them takes little of the map.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    pub(crate) digest: Digest,
    pub(crate) attestation: Option<Box<AttestationRequest>>,
    pub(crate) certificate: Option<Box<Certificate>>,
    pub(crate) proof: Option<Box<QuorumCertificate>>,
}

/// All that is decided, as far as this node knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    slots: BTreeMap<Position, Slot>,
    applied: Position,
    // Applied reports without a certificate.
    uncertified: BTreeMap<Position, AttestationRequest>,
}

impl Log {
    /// For [`crate::Node::hash_state`].
    pub(crate) fn hash_state(&self, state: &mut impl Hasher) {
        self.applied.hash(state);
        for (position, slot) in &self.slots {
            (position, &slot.digest, slot.certificate.is_some()).hash(state);
        }
    }

    /// The last position up to which everything is decided and applied.
    pub(crate) fn applied(&self) -> Position {
        self.applied
    }

    /// That position and the digest of its value, for others to learn from.
    pub(crate) fn tip(&self) -> (Position, Digest) {
        let digest = self.slots.get(&self.applied).map(|slot| slot.digest);
        (self.applied, digest.unwrap_or(Digest::ZERO))
    }

    /// Whether something is decided beyond a position that is not.
    pub(crate) fn has_gap(&self) -> bool {
        self.last() > self.applied
    }

    /// The last position that is known to be decided, whatever lies before it.
    pub(crate) fn last(&self) -> Position {
        self.slots.keys().next_back().copied().unwrap_or(0)
    }

    pub(crate) fn get(&self, position: Position) -> Option<&Slot> {
        self.slots.get(&position)
    }

    /// The slot, once it is applied.
    pub(crate) fn applied_slot(&self, position: Position) -> Option<&Slot> {
        (position <= self.applied).then(|| self.get(position))?
    }

    pub(crate) fn uncertified(&self) -> &BTreeMap<Position, AttestationRequest> {
        &self.uncertified
    }

    /// Notes a decision, with the digest of its value. True if it is news; an error if another value was decided there.
    pub(crate) fn decide(
        &mut self,
        position: Position,
        value: Value,
        digest: Digest,
        proof: Option<QuorumCertificate>,
    ) -> Result<bool, String> {
        if let Some(known) = self.slots.get(&position) {
            if known.digest == digest {
                return Ok(false);
            }
            return Err(format!("two values are decided at position {position}"));
        }
        let proof = proof.map(Box::new);
        let slot = Slot { value, digest, attestation: None, certificate: None, proof };
        self.slots.insert(position, slot);
        Ok(true)
    }

    /// Applies the next value, if it is decided; its position.
    pub(crate) fn apply_next(&mut self, application: &mut impl Application) -> Option<Position> {
        let next = self.applied.saturating_add(1);
        let slot = self.slots.get_mut(&next)?;
        if !slot.value.is_empty() {
            slot.attestation = application.apply(next, &slot.value).map(Box::new);
        }
        self.applied = next;
        if let (Some(request), None) = (&slot.attestation, &slot.certificate) {
            self.uncertified.insert(next, **request);
        }
        Some(next)
    }

    /// Drops what is decided beyond a position.
    pub(crate) fn cut(&mut self, last: Position) {
        self.slots.split_off(&last.saturating_add(1));
    }

    /// Keeps the certificate of an applied report. True if it is news.
    pub(crate) fn certify(&mut self, position: Position, certificate: Certificate) -> bool {
        if self.uncertified.remove(&position).is_none() {
            return false;
        }
        if let Some(slot) = self.slots.get_mut(&position) {
            slot.certificate = Some(Box::new(certificate));
        }
        true
    }

    /// Decided entries from a position on, at most `limit`, at most about `bytes` of values.
    pub(crate) fn entries(&self, from: Position, limit: usize, bytes: usize) -> Vec<Entry> {
        let mut room = bytes;
        let mut entries = Vec::new();
        for (position, slot) in self.slots.range(from..).take(limit) {
            // A certificate of 32 signatures is some 2 KiB; a proof is as long.
            let size = slot.value.len().saturating_add(4_200);
            if size > room && !entries.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            entries.push(Entry {
                position: *position,
                value: slot.value.clone(),
                certificate: slot.certificate.as_deref().cloned(),
                proof: slot.proof.as_deref().cloned(),
            });
        }
        entries
    }
}

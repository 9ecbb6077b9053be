//! The keys of one node, and the public ones of all.

use cicada_consensus::{Keys, Seat};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::committee::Member;
use cicada_core::hash::Digest;
use cicada_network::{NodeKeys, PublicKeys};
use std::sync::Arc;

/// This node's keys, and everybody's public ones.
#[derive(Clone)]
pub struct Keyring {
    own: Arc<NodeKeys>,
    members: Arc<PublicKeys>,
}

impl Keyring {
    /// `members` are the committee's in seat order.
    pub fn new(own: Arc<NodeKeys>, members: Vec<Member>) -> Self {
        Self { own, members: Arc::new(PublicKeys::new(&members)) }
    }

    /// Everybody's public keys.
    pub fn members(&self) -> Arc<PublicKeys> {
        self.members.clone()
    }
}

impl Keys for Keyring {
    fn attest(&self, message: &Digest) -> Signature {
        self.own.attest(message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        self.members.verify_attestation(seat, message, signature)
    }

    fn verify_certificate(&self, certificate: &Certificate, message: &Digest) -> bool {
        self.members.verify_certificate(certificate, message)
    }

    fn sign(&self, message: &Digest) -> Signature {
        self.own.sign(&message.0)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        self.members.verify_consensus(seat, &message.0, signature)
    }
}

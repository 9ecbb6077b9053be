//! The public keys of a committee.

use cicada_consensus::{Keys, Seat};
use cicada_core::certificate::Signature;
use cicada_core::committee::Member;
use cicada_core::hash::Digest;
use cicada_network::{verify_attestation, verify_consensus};

/// Verifies what nodes signed. The [`Keys`] of a node can, and so can [`PublicKeys`].
pub trait Verifier {
    /// Whether a seat signed this message with its ed25519 key, for the other nodes.
    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool;

    /// Whether a seat attested this message with its sr25519 key, for contracts.
    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool;
}

impl<K: Keys> Verifier for K {
    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        Keys::verify(self, seat, message, signature)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        Keys::verify_attestation(self, seat, message, signature)
    }
}

/// The keys of a committee, in seat order, without any secret.
#[derive(Clone, Debug)]
pub struct PublicKeys(pub Vec<Member>);

impl Verifier for PublicKeys {
    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        let member = self.0.get(usize::from(seat));
        member.is_some_and(|m| verify_consensus(signature, &message.0, &m.consensus_key))
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        let member = self.0.get(usize::from(seat));
        member.is_some_and(|m| verify_attestation(signature, message, &m.attestation_key))
    }
}

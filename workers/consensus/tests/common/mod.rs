//! What tests of the core share.

use cicada_consensus::{Keys, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;

/// Keys whose signatures are the seat and the message.
pub struct Stamp(pub Seat);

/// What a seat signs.
pub fn stamp(seat: Seat, message: &Digest) -> Signature {
    let mut signature = [seat; 64];
    signature[..32].copy_from_slice(&message.0);
    signature
}

impl Keys for Stamp {
    fn attest(&self, message: &Digest) -> Signature {
        stamp(self.0, message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == stamp(seat, message)
    }

    fn sign(&self, message: &Digest) -> Signature {
        stamp(self.0, message)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == stamp(seat, message)
    }
}

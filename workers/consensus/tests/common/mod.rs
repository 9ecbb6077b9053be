//! What tests of the core share.

use cicada_consensus::{Keys, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::Hash;

/// Keys whose signatures are the seat and the message.
pub struct Stamp(pub Seat);

/// What a seat signs.
pub fn stamp(seat: Seat, message: &Hash) -> Signature {
    let mut signature = [seat; 64];
    signature[..32].copy_from_slice(message);
    signature
}

impl Keys for Stamp {
    fn attest(&self, message: &Hash) -> Signature {
        stamp(self.0, message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Hash, signature: &Signature) -> bool {
        *signature == stamp(seat, message)
    }

    fn sign(&self, message: &Hash) -> Signature {
        stamp(self.0, message)
    }

    fn verify(&self, seat: Seat, message: &Hash, signature: &Signature) -> bool {
        *signature == stamp(seat, message)
    }
}

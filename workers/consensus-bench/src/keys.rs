//! The keys of the nodes. Ours and the peer sign and verify through the same code.

use crate::measure::{count, Tally};
use cicada_consensus::Seat;
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::rc::Rc;

/// How messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// ed25519.
    Real,
    /// A stamp in place of a signature: what is left are the state machines.
    Mock,
}

/// The keys of one node, and the public ones of all.
#[derive(Clone, Debug)]
pub struct Keyring {
    seat: Seat,
    secret: SigningKey,
    public: Rc<[VerifyingKey]>,
    scheme: Scheme,
    tally: Rc<Tally>,
}

impl Keyring {
    /// The keyrings of a committee of `n`.
    pub fn committee(n: u8, scheme: Scheme, tally: &Rc<Tally>) -> Vec<Self> {
        let secrets: Vec<SigningKey> =
            (0..n).map(|seat| SigningKey::from_bytes(&[seat.saturating_add(1); 32])).collect();
        let public: Rc<[VerifyingKey]> = secrets.iter().map(SigningKey::verifying_key).collect();
        let ring = |(seat, secret)| Self {
            seat,
            secret,
            public: Rc::clone(&public),
            scheme,
            tally: Rc::clone(tally),
        };
        (0..n).zip(secrets).map(ring).collect()
    }

    /// Signs a digest.
    pub fn sign(&self, message: &Digest) -> Signature {
        count(&self.tally.signs);
        match self.scheme {
            Scheme::Real => self.secret.sign(message).to_bytes(),
            Scheme::Mock => stamp(self.seat, message),
        }
    }

    /// Verifies a seat's signature of a digest.
    pub fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        count(&self.tally.verifies);
        match self.scheme {
            Scheme::Mock => *signature == stamp(seat, message),
            Scheme::Real => {
                let signature = ed25519_dalek::Signature::from_bytes(signature);
                let key = self.public.get(usize::from(seat));
                key.is_some_and(|key| key.verify_strict(message, &signature).is_ok())
            }
        }
    }
}

fn stamp(seat: Seat, message: &Digest) -> Signature {
    let mut signature = [seat; 64];
    signature[..32].copy_from_slice(message);
    signature
}

impl cicada_consensus::Keys for Keyring {
    fn attest(&self, message: &Digest) -> Signature {
        self.sign(message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        self.verify(seat, message, signature)
    }

    fn sign(&self, message: &Digest) -> Signature {
        Keyring::sign(self, message)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        Keyring::verify(self, seat, message, signature)
    }
}

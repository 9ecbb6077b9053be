//! Signatures of the simulated nodes.

use cicada_consensus::{Keys, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::rc::Rc;

/// The keys of one seat, and everybody's public ones.
#[derive(Clone, Debug)]
pub struct Ring {
    seat: Seat,
    epoch: u32,
    real: Option<Rc<Vec<SigningKey>>>,
}

impl Ring {
    /// Stamps instead of signatures: the seat and the message. Nobody here makes the stamp of
    /// a seat that is not its own, so they are as good, and a thousand times faster.
    pub fn stamps(seat: Seat) -> Self {
        Self { seat, epoch: 1, real: None }
    }

    /// The stamps of another epoch: every seat has another key there.
    pub fn of_epoch(self, epoch: u32) -> Self {
        Self { epoch, ..self }
    }

    /// Real ed25519 keys of all seats.
    pub fn real(n: u8) -> Rc<Vec<SigningKey>> {
        let key = |seat| SigningKey::from_bytes(&[seat + 1; 32]);
        Rc::new((0..n).map(key).collect())
    }

    /// A seat that signs with its real key.
    pub fn signing(seat: Seat, keys: Rc<Vec<SigningKey>>) -> Self {
        Self { seat, epoch: 1, real: Some(keys) }
    }
}

fn stamp(epoch: u32, seat: Seat, message: &Digest) -> Signature {
    let mut signature = [seat; 64];
    signature[60..].copy_from_slice(&epoch.to_le_bytes());
    signature[..32].copy_from_slice(&message.0);
    signature
}

impl Keys for Ring {
    fn attest(&self, message: &Digest) -> Signature {
        self.sign(message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        self.verify(seat, message, signature)
    }

    fn sign(&self, message: &Digest) -> Signature {
        match &self.real {
            None => stamp(self.epoch, self.seat, message),
            Some(keys) => keys[usize::from(self.seat)].sign(&message.0).to_bytes(),
        }
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        let Some(keys) = &self.real else {
            return *signature == stamp(self.epoch, seat, message);
        };
        let key: Option<VerifyingKey> = keys.get(usize::from(seat)).map(SigningKey::verifying_key);
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.is_some_and(|key| key.verify_strict(&message.0, &signature).is_ok())
    }

    fn verify_earlier(&self, epoch: u32, seat: Seat, message: &Digest, sig: &Signature) -> bool {
        self.real.is_none() && *sig == stamp(epoch, seat, message)
    }

    fn verify_earlier_attestation(
        &self,
        epoch: u32,
        seat: Seat,
        message: &Digest,
        signature: &Signature,
    ) -> bool {
        self.verify_earlier(epoch, seat, message, signature)
    }
}

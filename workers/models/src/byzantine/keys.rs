//! Signatures of a model: unforgeable by decree, checked against what was really signed.

use super::domain::{Domain, Signed};
use cicada_consensus::{Keys, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use std::cell::RefCell;

/// The keys of one node, which know what every honest seat has signed so far. The liars have
/// the lowest seats, where they win ties; their signature can be had for anything at any time.
pub struct MockKeys<'a> {
    /// Whose keys.
    pub seat: Seat,
    /// How many seats lie.
    pub liars: Seat,
    /// What the honest seats have signed.
    pub signed: &'a [Signed],
    /// The statements of the model.
    pub domain: &'a Domain,
    /// The messages that were signed with these keys.
    pub log: RefCell<Vec<Digest>>,
}

/// The one signature of a seat under a message.
pub fn mock_signature(seat: Seat, message: &Digest) -> Signature {
    let mut signature = [0; 64];
    signature[0] = seat;
    signature[1..33].copy_from_slice(&message.0);
    signature[63] = 1;
    signature
}

impl Keys for MockKeys<'_> {
    fn attest(&self, message: &Digest) -> Signature {
        mock_signature(self.seat, message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        *signature == mock_signature(seat, message)
    }

    fn sign(&self, message: &Digest) -> Signature {
        self.log.borrow_mut().push(*message);
        mock_signature(self.seat, message)
    }

    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool {
        let genuine = *signature == mock_signature(seat, message);
        let honest = seat.checked_sub(self.liars).and_then(|i| self.signed.get(usize::from(i)));
        genuine
            && honest.is_none_or(|signed| {
                self.domain.by_message(message).is_some_and(|bit| signed >> bit & 1 == 1)
            })
    }
}

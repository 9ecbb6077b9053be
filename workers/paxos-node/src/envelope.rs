//! Signatures around what nodes say to each other.
//!
//! A request is signed for its receiver, an answer for the very request. Both bind the digest of
//! committee, fault model and rules ([`cicada_network::Network::rules_digest`]): nothing of one
//! deployment means anything in another, and nodes that keep to other rules do not hear each other.

use cicada_consensus::Seat;
use cicada_core::certificate::Signature;
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_network::{verify_consensus, NodeKeys};

pub use cicada_network::{SEAT_HEADER, SIGNATURE_HEADER};

const REQUEST_TAG: &[u8] = b"cicada71/paxos-request/v1";
const ANSWER_TAG: &[u8] = b"cicada71/paxos-answer/v1";

/// What a request's sender signs; also names the request in its answer.
pub fn request_message(rules: &Digest, from: Seat, to: Seat, body: &[u8]) -> Digest {
    let digest = Native::sha256(body);
    Native::sha256(&[REQUEST_TAG, &rules.0, &[from, to], &digest.0].concat())
}

/// What an answer's sender signs.
pub fn answer_message(rules: &Digest, from: Seat, request: &Digest, body: &[u8]) -> Digest {
    let digest = Native::sha256(body);
    Native::sha256(&[ANSWER_TAG, &rules.0, &[from], &request.0, &digest.0].concat())
}

/// Signs one of the two messages.
pub fn sign(keys: &NodeKeys, message: &Digest) -> String {
    hex::encode(keys.sign(&message.0))
}

/// A signature in hex, as it comes in the header.
pub fn decode(signature: &str) -> Option<Signature> {
    let mut bytes: Signature = [0; 64];
    hex::decode_to_slice(signature, &mut bytes).ok().map(|()| bytes)
}

/// Verifies a signature in hex.
pub fn verify(signature: &str, message: &Digest, key: &[u8; 32]) -> bool {
    decode(signature).is_some_and(|bytes| verify_consensus(&bytes, &message.0, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_binds_sender_receiver_body_and_request() {
        let dir = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate(&dir.path().join("key")).unwrap();
        let rules = [1; 32];
        let message = request_message(&Digest(rules), 1, 2, b"body");
        let signature = sign(&keys, &message);
        let key = keys.consensus_key();
        assert!(verify(&signature, &message, &key));
        for other in [
            request_message(&Digest([2; 32]), 1, 2, b"body"),
            request_message(&Digest(rules), 3, 2, b"body"),
            request_message(&Digest(rules), 1, 3, b"body"),
            request_message(&Digest(rules), 1, 2, b"bode"),
            answer_message(&Digest(rules), 1, &message, b"body"),
        ] {
            assert!(!verify(&signature, &other, &key));
        }
        assert!(!verify("zz", &message, &key));
        assert_ne!(
            answer_message(&Digest(rules), 1, &message, b"body"),
            answer_message(&Digest(rules), 1, &Digest::ZERO, b"body")
        );
    }
}

//! Signatures around what nodes say to each other.
//!
//! A request is signed for its receiver, an answer for the very request. Both bind the digest of
//! committee, fault model and rules ([`cicada_network::Network::rules_digest`]): nothing of one
//! deployment means anything in another, and nodes that keep to other rules do not hear each other.

use cicada_consensus::Seat;
use cicada_core::certificate::Signature;
use cicada_core::hash::{Hash, Hasher, Native};
use cicada_network::{verify_consensus, NodeKeys};

pub use cicada_network::{SEAT_HEADER, SIGNATURE_HEADER};

const REQUEST_TAG: &[u8] = b"cicada71/paxos-request/v1";
const ANSWER_TAG: &[u8] = b"cicada71/paxos-answer/v1";

/// What a request's sender signs; also names the request in its answer.
pub fn request_message(rules: &Hash, from: Seat, to: Seat, body: &[u8]) -> Hash {
    let digest = Native::sha256(body);
    Native::sha256(&[REQUEST_TAG, rules, &[from, to], &digest].concat())
}

/// What an answer's sender signs.
pub fn answer_message(rules: &Hash, from: Seat, request: &Hash, body: &[u8]) -> Hash {
    let digest = Native::sha256(body);
    Native::sha256(&[ANSWER_TAG, rules, &[from], request, &digest].concat())
}

/// Signs one of the two messages.
pub fn sign(keys: &NodeKeys, message: &Hash) -> String {
    hex::encode(keys.sign(message))
}

/// A signature in hex, as it comes in the header.
pub fn decode(signature: &str) -> Option<Signature> {
    let mut bytes: Signature = [0; 64];
    hex::decode_to_slice(signature, &mut bytes).ok().map(|()| bytes)
}

/// Verifies a signature in hex.
pub fn verify(signature: &str, message: &Hash, key: &[u8; 32]) -> bool {
    decode(signature).is_some_and(|bytes| verify_consensus(&bytes, message, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_binds_sender_receiver_body_and_request() {
        let dir = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate(&dir.path().join("key")).unwrap();
        let rules = [1; 32];
        let message = request_message(&rules, 1, 2, b"body");
        let signature = sign(&keys, &message);
        let key = keys.consensus_key();
        assert!(verify(&signature, &message, &key));
        for other in [
            request_message(&[2; 32], 1, 2, b"body"),
            request_message(&rules, 3, 2, b"body"),
            request_message(&rules, 1, 3, b"body"),
            request_message(&rules, 1, 2, b"bode"),
            answer_message(&rules, 1, &message, b"body"),
        ] {
            assert!(!verify(&signature, &other, &key));
        }
        assert!(!verify("zz", &message, &key));
        assert_ne!(
            answer_message(&rules, 1, &message, b"body"),
            answer_message(&rules, 1, &[0; 32], b"body")
        );
    }
}

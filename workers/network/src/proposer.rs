//! Who may bring a value to a node: a seat, by its signature, or a program of the node's own
//! machine, by a token.

use crate::{Error, Network, NodeKeys};
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_files::{read_secret, replace_secret};
use rand::rngs::OsRng;
use rand::RngCore;
use std::path::Path;
use std::sync::Arc;

/// The header with the sender's seat.
pub const SEAT_HEADER: &str = "x-cicada-seat";
/// The header with the signature, in hex.
pub const SIGNATURE_HEADER: &str = "x-cicada-signature";
/// The header with the signature that goes with the value, in hex.
pub const PROPOSER_HEADER: &str = "x-cicada-proposer";
/// The header with the token.
pub const TOKEN_HEADER: &str = "x-cicada-token";
/// The file with the token, in the data directory of its node.
pub const TOKEN_FILE: &str = "proposals.token";

const PROPOSAL_TAG: &[u8] = b"cicada71/paxos-proposal/v2";
const PROPOSER_TAG: &[u8] = b"cicada71/paxos-proposer/v1";

/// What a seat signs to bring a value to the node of another: it takes a place there, and nowhere
/// else.
pub fn proposal_message(rules_digest: &Digest, to: u8, body: &[u8]) -> Digest {
    Native::sha256(&[PROPOSAL_TAG, &rules_digest.0, &[to], &Native::sha256(body).0].concat())
}

/// What a seat signs to be the proposer of a value, wherever it goes.
pub fn proposer_message(rules_digest: &Digest, body: &[u8]) -> Digest {
    Native::sha256(&[PROPOSER_TAG, &rules_digest.0, &Native::sha256(body).0].concat())
}

/// A seat that proposes.
#[derive(Clone)]
pub struct Proposer {
    seat: u8,
    rules_digest: Digest,
    keys: Arc<NodeKeys>,
}

impl Proposer {
    /// A seat of the network with this [`Network::rules_digest`].
    pub fn new(seat: u8, rules_digest: Digest, keys: Arc<NodeKeys>) -> Self {
        Self { seat, rules_digest, keys }
    }

    /// The seat of these keys in a network, if it has one.
    pub fn of(network: &Network, keys: Arc<NodeKeys>) -> Option<Self> {
        let own = |key: &[u8; 32]| *key == keys.consensus_key();
        let seat = network.nodes.iter().position(|node| own(&node.consensus_key))?;
        Some(Self::new(u8::try_from(seat).ok()?, network.rules_digest(), keys))
    }

    /// The headers of a request with this body to the node of a seat.
    pub fn headers(&self, to: u8, body: &[u8]) -> [(&'static str, String); 3] {
        let sign = |message: Digest| hex::encode(self.keys.sign(&message.0));
        [
            (SEAT_HEADER, self.seat.to_string()),
            (SIGNATURE_HEADER, sign(proposal_message(&self.rules_digest, to, body))),
            (PROPOSER_HEADER, sign(proposer_message(&self.rules_digest, body))),
        ]
    }
}

/// Makes a new token and writes it to a file that only its owner may read, in place of the one
/// before.
///
/// # Errors
/// If it cannot be written.
pub fn make_token(path: &Path) -> Result<String, Error> {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    let token = hex::encode(bytes);
    replace_secret(path, token.as_bytes())?;
    Ok(token)
}

/// Reads a token.
///
/// # Errors
/// If it cannot be read, is none, or others than its owner may read it.
pub fn read_token(path: &Path) -> Result<String, Error> {
    let text = read_secret(path)?;
    let token = text.trim();
    match hex::decode(token) {
        Ok(bytes) if bytes.len() == 32 => Ok(token.to_owned()),
        _ => Err(Error::invalid(path, "is not the token of a node")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify_consensus;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_proposal_is_signed_under_the_rules() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(NodeKeys::generate(&dir.path().join("k")).unwrap());
        let headers = Proposer::new(5, Digest([1; 32]), keys.clone()).headers(7, b"value");
        assert_eq!(headers[0], (SEAT_HEADER, "5".to_owned()));
        let signed = |place: usize, message: &Digest| {
            let mut signature = [0; 64];
            hex::decode_to_slice(&headers[place].1, &mut signature).unwrap();
            verify_consensus(&signature, &message.0, &keys.consensus_key())
        };
        let genuine = |rules, to, body: &[u8]| signed(1, &proposal_message(&rules, to, body));
        assert!(genuine(Digest([1; 32]), 7, b"value"));
        assert!(!genuine(Digest([2; 32]), 7, b"value") && !genuine(Digest([1; 32]), 7, b"other"));
        assert!(!genuine(Digest([1; 32]), 8, b"value"), "it takes no place at another node");
        let genuine = |rules, body: &[u8]| signed(2, &proposer_message(&rules, body));
        assert!(genuine(Digest([1; 32]), b"value"));
        assert!(!genuine(Digest([2; 32]), b"value") && !genuine(Digest([1; 32]), b"other"));
        assert!(!signed(1, &proposer_message(&Digest([1; 32]), b"value")), "two statements");
    }

    #[test]
    fn a_token_is_new_at_each_start_and_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(TOKEN_FILE);
        let first = make_token(&path).unwrap();
        let second = make_token(&path).unwrap();
        assert_ne!(first, second);
        assert_eq!(read_token(&path).unwrap(), second);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(read_token(&path).unwrap_err().to_string().contains("chmod 600"));
        replace_secret(&dir.path().join("x"), b"short").unwrap();
        assert!(read_token(&dir.path().join("x")).is_err());
    }
}

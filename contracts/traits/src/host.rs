//! What the chain computes for a contract.

use cicada_core::certificate::Signature;
use cicada_core::committee::AttestationKey;
use cicada_core::hash::{Digest, Hasher};
use ink::env::hash::Sha2x256;

/// SHA-256 by the host function.
pub struct HostSha256;

impl Hasher for HostSha256 {
    fn sha256(bytes: &[u8]) -> Digest {
        let mut digest = [0; 32];
        ink::env::hash_bytes::<Sha2x256>(bytes, &mut digest);
        Digest(digest)
    }
}

/// Whether `signature` is an sr25519 signature of `key` under `message`, by the host function. The
/// key of zeros is none: anybody can sign for it, with zeros.
pub fn sr25519_verify(signature: &Signature, message: &Digest, key: &AttestationKey) -> bool {
    *key != [0; 32] && ink::env::sr25519_verify(signature, &message.0, key).is_ok()
}

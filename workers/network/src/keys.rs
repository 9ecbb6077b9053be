//! The secrets of one node, and the verification of what they sign.

use crate::{bytes32, Error};
use cicada_core::certificate::Signature;
use cicada_core::committee::{AttestationKey, ConsensusKey, Domain, Member};
use cicada_core::hash::{Digest, Native};
use cicada_core::Account;
use cicada_files::{read_secret, write_secret};
use ed25519_dalek::Signer;
use rand::rngs::OsRng;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The signing context of sr25519 on Substrate chains.
pub(crate) const SR25519_CONTEXT: &[u8] = b"substrate";

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    #[serde(with = "bytes32")]
    consensus_seed: [u8; 32],
    #[serde(with = "bytes32")]
    attestation_seed: [u8; 32],
    #[serde(with = "bytes32")]
    operator_seed: [u8; 32],
}

/// The three keys of a node: one for messages between nodes, one for attestations that
/// contracts verify, one for the account that pays fees and answers for the other two.
pub struct NodeKeys {
    consensus: ed25519_dalek::SigningKey,
    attestation: schnorrkel::Keypair,
    operator_seed: [u8; 32],
}

impl NodeKeys {
    /// Creates keys from the system's randomness and writes them to a new file that only its
    /// owner may read.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn generate(path: &Path) -> Result<Self, Error> {
        let mut file =
            KeyFile { consensus_seed: [0; 32], attestation_seed: [0; 32], operator_seed: [0; 32] };
        OsRng.fill_bytes(&mut file.consensus_seed);
        OsRng.fill_bytes(&mut file.attestation_seed);
        OsRng.fill_bytes(&mut file.operator_seed);
        let text = toml::to_string(&file).map(Zeroizing::new);
        write_secret(path, text.map_err(|e| Error::invalid(path, e))?.as_bytes())?;
        Ok(Self::from_file(&file))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// If it cannot be read, is no key file, or others than its owner may read it.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = read_secret(path)?;
        // The message of the parser would quote the line, and so the secret.
        let file = toml::from_str::<KeyFile>(&text);
        let file = file.map_err(|_| Error::invalid(path, "is not a key file of a node"))?;
        Ok(Self::from_file(&file))
    }

    fn from_file(file: &KeyFile) -> Self {
        Self {
            consensus: ed25519_dalek::SigningKey::from_bytes(&file.consensus_seed),
            attestation: sr25519_pair(&file.attestation_seed),
            operator_seed: file.operator_seed,
        }
    }

    /// The public key of consensus messages.
    pub fn consensus_key(&self) -> ConsensusKey {
        self.consensus.verifying_key().to_bytes()
    }

    /// The public key of attestations.
    pub fn attestation_key(&self) -> AttestationKey {
        self.attestation.public.to_bytes()
    }

    /// The account that registers the keys: an sr25519 account.
    pub fn operator(&self) -> Account {
        Account(sr25519_pair(&self.operator_seed).public.to_bytes())
    }

    /// The 32-byte seed of the operator's account, for signing transactions.
    pub fn operator_seed(&self) -> &[u8; 32] {
        &self.operator_seed
    }

    /// The seat that these keys fill.
    pub fn member(&self) -> Member {
        Member {
            operator: self.operator(),
            consensus_key: self.consensus_key(),
            attestation_key: self.attestation_key(),
        }
    }

    /// Signs a consensus message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.consensus.sign(message).to_bytes()
    }

    /// Signs an attestation.
    pub fn attest(&self, message: &Digest) -> Signature {
        let context = schnorrkel::signing_context(SR25519_CONTEXT);
        self.attestation.sign(context.bytes(&message.0)).to_bytes()
    }

    /// Proves possession of the attestation key for registration in `domain`.
    pub fn prove_possession(&self, domain: &Domain) -> Signature {
        self.attest(&domain.possession_statement::<Native>(&self.member()))
    }
}

fn sr25519_pair(seed: &[u8; 32]) -> schnorrkel::Keypair {
    schnorrkel::MiniSecretKey::from_bytes(seed)
        .expect("any 32 bytes are a seed")
        .expand_to_keypair(schnorrkel::ExpansionMode::Ed25519)
}

/// Whether `signature` is one of the attestation key `key` under `message`.
pub fn verify_attestation(signature: &Signature, message: &Digest, key: &AttestationKey) -> bool {
    attestation_key(key).is_some_and(|key| attestation_is_of(&key, message, signature))
}

/// The key of these bytes, if they are one. Zeros are none, though they encode a point: anybody can
/// sign for it, with zeros.
pub(crate) fn attestation_key(key: &AttestationKey) -> Option<schnorrkel::PublicKey> {
    schnorrkel::PublicKey::from_bytes(key).ok().filter(|_| *key != [0; 32])
}

pub(crate) fn attestation_is_of(
    key: &schnorrkel::PublicKey,
    message: &Digest,
    signature: &Signature,
) -> bool {
    schnorrkel::Signature::from_bytes(signature)
        .is_ok_and(|signature| key.verify_simple(SR25519_CONTEXT, &message.0, &signature).is_ok())
}

/// Whether `signature` is one of the consensus key `key` under `message`. Strict: a signature
/// that some verifiers accept and others refuse is refused.
pub fn verify_consensus(signature: &Signature, message: &[u8], key: &ConsensusKey) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(key)
        .is_ok_and(|key| consensus_is_of(&key, message, signature))
}

pub(crate) fn consensus_is_of(
    key: &ed25519_dalek::VerifyingKey,
    message: &[u8],
    signature: &Signature,
) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(message, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_survive_their_file_and_stay_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/node-00.toml");
        let made = NodeKeys::generate(&path).unwrap();
        assert_eq!(NodeKeys::load(&path).unwrap().member(), made.member());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(NodeKeys::generate(&path).is_err(), "never overwritten");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = NodeKeys::load(&path).err().unwrap().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_broken_key_file_is_refused_without_quoting_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        write_secret(&path, b"consensus_seed = \"secret\"").unwrap();
        let error = NodeKeys::load(&path).err().unwrap().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn signatures_verify_and_forgeries_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate(&dir.path().join("k")).unwrap();
        let message = [7; 32];
        let attested = keys.attest(&Digest(message));
        assert!(verify_attestation(&attested, &Digest(message), &keys.attestation_key()));
        assert!(!verify_attestation(&attested, &Digest([8; 32]), &keys.attestation_key()));
        assert!(!verify_attestation(&attested, &Digest(message), &keys.consensus_key()));
        assert!(!verify_attestation(&[0; 64], &Digest(message), &keys.attestation_key()));
        let signed = keys.sign(&message);
        assert!(verify_consensus(&signed, &message, &keys.consensus_key()));
        assert!(!verify_consensus(&signed, &[8; 32], &keys.consensus_key()));
        assert!(!verify_consensus(&[0; 64], &message, &keys.consensus_key()));
    }

    #[test]
    fn possession_is_proved_for_one_domain_only() {
        let dir = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate(&dir.path().join("k")).unwrap();
        let domain = Domain { genesis: Digest([1; 32]), validators: Account([2; 32]) };
        let proof = keys.prove_possession(&domain);
        let statement = |domain: Domain| domain.possession_statement::<Native>(&keys.member());
        assert!(verify_attestation(&proof, &statement(domain), &keys.attestation_key()));
        let other = Domain { genesis: Digest([9; 32]), ..domain };
        assert!(!verify_attestation(&proof, &statement(other), &keys.attestation_key()));
    }
}

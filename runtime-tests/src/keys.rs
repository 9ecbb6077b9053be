//! People with names. A name gives the same sr25519 key in every run; the account is its public key.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use drink::frame_support::sp_runtime::traits::{BlakeTwo256, Hash};
use schnorrkel::{context::signing_context, ExpansionMode, Keypair, MiniSecretKey};

use crate::AccountId;

/// The signing context of Substrate, the only one that `sr25519_verify` on chain accepts.
const CONTEXT: &[u8] = b"substrate";

/// An sr25519 key pair made from a name.
#[derive(Clone)]
pub struct Key(Keypair);

/// The key of a name. Derived once per process: tests ask for the same few again and again.
pub fn key(name: &str) -> Key {
    static KNOWN: OnceLock<Mutex<HashMap<String, Key>>> = OnceLock::new();
    let mut known =
        KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    match known.get(name) {
        Some(key) => key.clone(),
        None => known.entry(name.to_owned()).or_insert_with(|| derive(name)).clone(),
    }
}

fn derive(name: &str) -> Key {
    let seed = BlakeTwo256::hash_of(&("cicada71 test key", name));
    let secret = MiniSecretKey::from_bytes(seed.as_bytes()).expect("a seed has 32 bytes");
    Key(secret.expand_to_keypair(ExpansionMode::Ed25519))
}

/// The account of a name: the public key of [`key`].
pub fn account(name: &str) -> AccountId {
    key(name).account()
}

impl Key {
    /// The public key, 32 bytes.
    pub fn public(&self) -> [u8; 32] {
        self.0.public.to_bytes()
    }

    /// The account with this public key.
    pub fn account(&self) -> AccountId {
        AccountId::from(self.public())
    }

    /// Signs as a Substrate wallet does. Deterministic, so that gas and snapshots do not move.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let transcript = signing_context(CONTEXT).bytes(message);
        let nonce = BlakeTwo256::hash_of(&(self.0.secret.to_bytes(), message));
        let transcript = schnorrkel::context::attach_rng(transcript, FixedNonce(nonce.0));
        self.0.sign(transcript).to_bytes()
    }
}

/// Stands in for the random generator that only salts the signature's nonce. For tests alone.
struct FixedNonce([u8; 32]);

impl rand_core::RngCore for FixedNonce {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for FixedNonce {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_always_gives_the_same_key_and_signature() {
        assert_eq!(key("alice").public(), key("alice").public());
        assert_ne!(key("alice").public(), key("bob").public());
        assert_eq!(key("alice").sign(b"quote"), key("alice").sign(b"quote"));
    }

    #[test]
    fn signatures_verify_for_the_signed_message_only() {
        let alice = key("alice");
        let signature = schnorrkel::Signature::from_bytes(&alice.sign(b"quote")).unwrap();
        assert!(alice.0.public.verify_simple(CONTEXT, b"quote", &signature).is_ok());
        assert!(alice.0.public.verify_simple(CONTEXT, b"other", &signature).is_err());
        assert!(key("bob").0.public.verify_simple(CONTEXT, b"quote", &signature).is_err());
    }
}

//! The key to which requesters seal payload keys for a provider.

use crate::key::{is_weak, secret_from_hex};
use crate::{Error, PayloadKey};
use cicada_files::{read_secret, write_secret};
use crypto_box::{PublicKey, SecretKey};
use rand::rngs::OsRng;
use serde::Deserialize;
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The most bytes of a sealed key that the market takes.
pub const MAX_SEALED_KEY: usize = 256;

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    x25519_secret: String,
}

/// A provider's X25519 key pair. Its public part stands in his offers. The secret part is
/// erased when the value is dropped.
pub struct ProviderKey(SecretKey);

impl ProviderKey {
    /// A fresh one from the system's randomness.
    pub fn generate() -> Self {
        Self(SecretKey::generate(&mut OsRng))
    }

    /// Makes one and writes it to a new file that only its owner may read.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let key = Self::generate();
        let secret = Zeroizing::new(key.0.to_bytes());
        let digits = Zeroizing::new(hex::encode(&secret[..]));
        let text = Zeroizing::new(format!("x25519_secret = \"0x{}\"\n", *digits));
        write_secret(path, text.as_bytes())?;
        Ok(key)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// If it cannot be read, is no key file, or others than its owner may read it.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = read_secret(path)?;
        // The parser's message would quote the secret.
        let file = toml::from_str::<KeyFile>(&text).ok();
        let secret = file.and_then(|file| secret_from_hex(&file.x25519_secret));
        let secret = secret.ok_or_else(|| {
            Error::file(path)("is no provider's key file: make one with 'cicada71-provider keys'")
        })?;
        Ok(Self(SecretKey::from_bytes(*secret)))
    }

    /// The public part.
    pub fn public(&self) -> [u8; 32] {
        *self.0.public_key().as_bytes()
    }

    /// Seals a payload key so that only the holder of `provider`'s secret opens it: 80 bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `provider` is no key that can be sealed to.
    pub fn seal(provider: &[u8; 32], key: &PayloadKey) -> Result<Vec<u8>, Error> {
        // Everybody would know the shared secret.
        if is_weak(provider) {
            return Err(Error::Invalid("the provider's payload key is no X25519 key".into()));
        }
        let secret = key.secret()?;
        let sealed = PublicKey::from(*provider).seal(&mut OsRng, &secret[..]);
        sealed.map_err(|_| Error::Invalid("the payload key cannot be sealed".into()))
    }

    /// Opens a sealed payload key.
    ///
    /// # Errors
    /// [`Error::Decrypt`] if it was sealed for another key or is damaged.
    pub fn open(&self, sealed: &[u8]) -> Result<PayloadKey, Error> {
        let failed =
            |reason: &str| Error::Decrypt { what: "the sealed key", reason: reason.into() };
        let secret = self.0.unseal(sealed).map(Zeroizing::new);
        let secret = secret.map_err(|_| failed("it is damaged, or sealed for another provider"))?;
        let secret: Zeroizing<[u8; 32]> =
            Zeroizing::new(secret[..].try_into().map_err(|_| failed("it is not 32 bytes long"))?);
        PayloadKey::from_secret(&secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_provider_opens_what_is_sealed_for_him() {
        let (provider, other) = (ProviderKey::generate(), ProviderKey::generate());
        let key = PayloadKey::generate();
        let sealed = ProviderKey::seal(&provider.public(), &key).unwrap();
        assert_eq!(sealed.len(), 80);
        assert!(sealed.len() <= MAX_SEALED_KEY);
        assert_eq!(provider.open(&sealed).unwrap().recipient(), key.recipient());
        assert!(other.open(&sealed).is_err());
        for position in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[position] ^= 1;
            assert!(provider.open(&damaged).is_err(), "byte {position}");
        }
        assert!(provider.open(&sealed[..79]).is_err() && provider.open(&[]).is_err());
    }

    #[test]
    fn nothing_is_sealed_for_a_key_that_keeps_no_secret() {
        for weak in crate::key::tests::weak_points() {
            assert!(ProviderKey::seal(&weak, &PayloadKey::generate()).is_err());
        }
    }

    #[test]
    fn a_key_file_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provider.toml");
        let key = ProviderKey::create(&path).unwrap();
        assert_eq!(ProviderKey::load(&path).unwrap().public(), key.public());
        assert!(ProviderKey::create(&path).is_err(), "never overwritten");
        let bad = folder.path().join("bad.toml");
        write_secret(&bad, b"x25519_secret = \"secret\"").unwrap();
        let error = ProviderKey::load(&bad).err().unwrap().to_string();
        assert!(error.contains("cicada71-provider keys") && !error.contains("\"secret"), "{error}");
    }
}

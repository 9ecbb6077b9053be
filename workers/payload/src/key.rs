//! The key pair of one payload, and encryption to it.

use crate::{Error, MAX_CONTENT};
use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::Identity;
use bech32::{FromBase32, ToBase32, Variant};
use std::fmt;
use std::io::Read;
use std::str::FromStr;
use zeroize::{Zeroize, Zeroizing};

const SECRET_PREFIX: &str = "age-secret-key-";
/// The longest header of a file, in bytes: one for a few dozen recipients. Each costs whoever opens it a
/// multiplication on the curve.
const MAX_HEADER: usize = 4_096;
/// How the last line of a header begins.
const HEADER_END: &[u8] = b"\n---";
/// What `age` adds to a file of the longest payload, generously: header, and 16 bytes of every
/// 64 KiB.
const OVERHEAD: usize = 64 * 1024;

/// The most bytes that can be encrypted.
pub const MAX_PLAIN: usize = MAX_CONTENT - OVERHEAD;

/// Bytes of an `age` file.
pub type Ciphertext = Vec<u8>;

/// Who may read what is encrypted to him: the public part of a [`PayloadKey`], `age1…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(age::x25519::Recipient);

impl FromStr for Recipient {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |reason| Error::Invalid(format!("'{}': {reason}", text.escape_default()));
        let recipient = age::x25519::Recipient::from_str(text).map_err(bad)?;
        let words = bech32::decode(text).ok().map(|(_, words, _)| words);
        let bytes = words.and_then(|words| Vec::from_base32(&words).ok());
        let point: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
        // `age` takes it here, and panics when it encrypts.
        if point.is_none_or(|point| is_weak(&point)) {
            return Err(bad("it keeps no secret"));
        }
        Ok(Self(recipient))
    }
}

/// Whether a point of X25519 keeps no secret: every secret key leads to the same shared secret, 0. Whatever
/// point comes from others is asked this before anything is done with it.
pub(crate) fn is_weak(point: &[u8; 32]) -> bool {
    // A point is of small order for all secret keys or for none: they are multiples of 8.
    let any_secret = [9; 32];
    x25519_dalek::x25519(any_secret, *point) == [0; 32]
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

/// An `age` key pair made for one payload, or for the results of one request. The secret part
/// is erased when the value is dropped.
#[derive(Clone)]
pub struct PayloadKey(Identity);

impl PayloadKey {
    /// A fresh one from the system's randomness.
    pub fn generate() -> Self {
        Self(Identity::generate())
    }

    /// The public part.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// The 32 bytes of the secret.
    ///
    /// # Errors
    /// [`Error::Invalid`], never for a key that this program made.
    pub fn secret(&self) -> Result<Zeroizing<[u8; 32]>, Error> {
        let text = self.0.to_string();
        let malformed = || Error::Invalid("the payload key has an unknown form".into());
        let (_, words, _) = bech32::decode(text.expose_secret()).map_err(|_| malformed())?;
        let bytes = Zeroizing::new(Vec::from_base32(&words).map_err(|_| malformed())?);
        let bytes: [u8; 32] = bytes[..].try_into().map_err(|_| malformed())?;
        Ok(Zeroizing::new(bytes))
    }

    /// The key pair of a secret.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, Error> {
        let malformed = || Error::Invalid("these 32 bytes are no payload key".into());
        let text = bech32::encode(SECRET_PREFIX, secret.to_base32(), Variant::Bech32);
        let mut text = text.map_err(|_| malformed())?;
        text.make_ascii_uppercase();
        let text = Zeroizing::new(text);
        Identity::from_str(&text).map(Self).map_err(|_| malformed())
    }

    /// Opens an `age` file that was encrypted to this key.
    ///
    /// # Errors
    /// [`Error::Decrypt`] for another key's or damaged bytes; [`Error::TooLarge`].
    pub fn decrypt(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let failed = |reason: String| Error::Decrypt { what: "the payload or result", reason };
        let header = &file[..file.len().min(MAX_HEADER)];
        if !header.windows(HEADER_END.len()).any(|part| part == HEADER_END) {
            return Err(failed(format!("its header does not end within {MAX_HEADER} bytes")));
        }
        let decryptor = age::Decryptor::new_buffered(file).map_err(|e| failed(e.to_string()))?;
        let identity: &dyn age::Identity = &self.0;
        let reader =
            decryptor.decrypt(std::iter::once(identity)).map_err(|e| failed(e.to_string()))?;
        let mut plain = Zeroizing::new(Vec::with_capacity(file.len()));
        let limit = MAX_CONTENT as u64 + 1;
        reader.take(limit).read_to_end(&mut plain).map_err(|e| failed(e.to_string()))?;
        within_limit("the payload or result", plain.len())?;
        Ok(plain)
    }

    /// Encrypts to a recipient.
    ///
    /// # Errors
    /// [`Error::TooLarge`], for more than [`MAX_PLAIN`].
    pub fn encrypt(recipient: &Recipient, plain: &[u8]) -> Result<Ciphertext, Error> {
        // Room for what `age` adds, so that the file keeps to the limit of a store as well.
        within_limit("the payload or result", plain.len().saturating_add(OVERHEAD))?;
        age::encrypt(&recipient.0, plain).map_err(|reason| Error::Invalid(reason.to_string()))
    }

    /// As it stands in a key file.
    pub(crate) fn to_file(&self) -> SecretString {
        self.0.to_string()
    }

    /// From a key file.
    pub(crate) fn from_file(text: &str) -> Option<Self> {
        Identity::from_str(text).map(Self).ok()
    }
}

impl fmt::Debug for PayloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadKey({})", self.recipient())
    }
}

/// Refuses what is too large.
pub(crate) fn within_limit(what: &str, size: usize) -> Result<(), Error> {
    if size > MAX_CONTENT {
        return Err(Error::TooLarge { what: what.into(), size, limit: MAX_CONTENT });
    }
    Ok(())
}

/// Reads a secret of 32 bytes in hex.
pub(crate) fn secret_from_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    let decoded = hex::decode_to_slice(text.trim().trim_start_matches("0x"), &mut bytes[..]);
    if decoded.is_err() {
        bytes.zeroize();
    }
    decoded.ok().map(|()| bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Points of small order, also in other forms than the shortest.
    pub(crate) fn weak_points() -> Vec<[u8; 32]> {
        let of = |first: u8, rest: u8, last: u8| {
            let mut bytes = [rest; 32];
            (bytes[0], bytes[31]) = (first, last);
            bytes
        };
        let order_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
        let mut point = [0; 32];
        hex::decode_to_slice(order_8, &mut point).unwrap();
        // 0, 1, -1, 0 and 1 as the field's size and one more; the highest bit does not count.
        let least = [of(0, 0, 0), of(1, 0, 0), of(0xec, 0xff, 0x7f), of(0xed, 0xff, 0x7f)];
        [&least[..], &[of(0xee, 0xff, 0x7f), of(0, 0, 0x80), point]].concat()
    }

    /// Such a point, or any, as people write a recipient.
    pub(crate) fn recipient(point: &[u8; 32]) -> String {
        bech32::encode("age", point.to_base32(), Variant::Bech32).unwrap()
    }

    #[test]
    fn a_point_that_keeps_no_secret_is_no_recipient() {
        for weak in weak_points() {
            assert!(recipient(&weak).parse::<Recipient>().is_err(), "{}", hex::encode(weak));
            assert!(recipient(&weak).to_uppercase().parse::<Recipient>().is_err());
        }
        let own = PayloadKey::generate().recipient();
        assert_eq!(own.to_string().parse::<Recipient>().unwrap(), own);
    }

    #[test]
    fn a_header_of_thousands_of_recipients_is_not_read() {
        let key = PayloadKey::generate();
        let file = PayloadKey::encrypt(&key.recipient(), b"in the dark").unwrap();
        let first = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let stanza = format!("-> X25519 {}\n{}\n", "A".repeat(43), "A".repeat(43));
        let padded = [&file[..first], stanza.repeat(100).as_bytes(), &file[first..]].concat();
        let error = key.decrypt(&padded).unwrap_err().to_string();
        assert!(error.contains("header"), "{error}");
        assert!(key.decrypt(&vec![b'-'; MAX_CONTENT]).is_err());
    }

    #[test]
    fn what_is_encrypted_comes_back() {
        let key = PayloadKey::generate();
        let file = PayloadKey::encrypt(&key.recipient(), b"in the dark").unwrap();
        assert!(file.starts_with(b"age-encryption.org/v1"), "an age file, readable by its tool");
        assert_eq!(&key.decrypt(&file).unwrap()[..], b"in the dark");
        let again = PayloadKey::from_secret(&key.secret().unwrap()).unwrap();
        assert_eq!(again.recipient(), key.recipient());
        assert_eq!(&again.decrypt(&file).unwrap()[..], b"in the dark");
    }

    #[test]
    fn the_wrong_key_opens_nothing() {
        let file = PayloadKey::encrypt(&PayloadKey::generate().recipient(), b"x").unwrap();
        let error = PayloadKey::generate().decrypt(&file).unwrap_err();
        assert!(matches!(error, Error::Decrypt { .. }), "{error}");
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let key = PayloadKey::generate();
        let file = PayloadKey::encrypt(&key.recipient(), b"in the dark").unwrap();
        for position in 0..file.len() {
            let mut damaged = file.clone();
            damaged[position] ^= 1;
            assert!(key.decrypt(&damaged).is_err(), "byte {position}");
        }
        for length in 0..file.len() {
            assert!(key.decrypt(&file[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn too_much_is_refused() {
        let key = PayloadKey::generate();
        let error = PayloadKey::encrypt(&key.recipient(), &vec![0; MAX_CONTENT + 1]).unwrap_err();
        assert!(error.to_string().contains("limit is 16777216"), "{error}");
        let largest = vec![7; MAX_CONTENT - OVERHEAD];
        let file = PayloadKey::encrypt(&key.recipient(), &largest).unwrap();
        assert!(file.len() <= MAX_CONTENT);
        assert_eq!(key.decrypt(&file).unwrap().len(), largest.len());
    }

    #[test]
    fn a_key_is_not_shown_by_accident() {
        let key = PayloadKey::generate();
        let shown = format!("{key:?}");
        assert!(shown.contains("age1") && !shown.to_uppercase().contains("SECRET"), "{shown}");
        for malformed in ["", "age1nobody", "age1\u{1b}[2J"] {
            let error = malformed.parse::<Recipient>().unwrap_err().to_string();
            assert!(!error.contains('\u{1b}'), "{error}");
        }
    }
}

//! Encrypted key files.

use crate::{Error, Secret};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use cicada_chain::Signer;
use cicada_core::Account;
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use rand::RngCore;
use scrypt::Params;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What stands before the secret key and between it and the public key: PKCS #8 in the form that
/// all generations of polkadot.js write.
const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];

/// Sizes in bytes: salt, three numbers of scrypt, nonce; and all with the encrypted keys.
const FRONT: usize = 32 + 3 * 4 + 24;
const WHOLE: usize = FRONT + 16 + HEADER.len() + 64 + DIVIDER.len() + 32;

/// The work of scrypt for new files, as polkadot.js has it: N = 2^17, about 128 MB.
const LOG_N: u8 = 17;
const BLOCK_SIZE: u32 = 8;
const PARALLEL: u32 = 1;

/// A key file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    encoded: String,
    encoding: Encoding,
    address: String,
    #[serde(default)]
    meta: serde_json::Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Encoding {
    content: Vec<String>,
    #[serde(rename = "type")]
    kind: Vec<String>,
    version: String,
}

impl KeyFile {
    /// Encrypts a secret. `name` is what polkadot.js shows, `now_ms` the time of the making in
    /// milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::EmptyPassword`].
    pub fn encrypt(
        secret: &Secret,
        password: &str,
        name: &str,
        now_ms: u64,
    ) -> Result<Self, Error> {
        Self::encrypt_with(LOG_N, secret, password, name, now_ms)
    }

    fn encrypt_with(
        log_n: u8,
        secret: &Secret,
        password: &str,
        name: &str,
        now_ms: u64,
    ) -> Result<Self, Error> {
        if password.is_empty() {
            return Err(Error::EmptyPassword);
        }
        let mut random = [0; 32 + 24];
        rand::rngs::OsRng.fill_bytes(&mut random);
        let (salt, nonce) = random.split_at(32);
        let account = secret.account();
        let plain = Zeroizing::new(
            [&HEADER[..], &secret.to_bytes()[..], &DIVIDER[..], &account.0[..]].concat(),
        );
        let sealed = XSalsa20Poly1305::new(&key(password, salt, log_n)?)
            .encrypt(Nonce::from_slice(nonce), &plain[..])
            .map_err(|_| Error::Format("the key cannot be encrypted".into()))?;
        let numbers = [1u32 << log_n, PARALLEL, BLOCK_SIZE].map(u32::to_le_bytes).concat();
        Ok(Self {
            encoded: STANDARD.encode([salt, &numbers[..], nonce, &sealed[..]].concat()),
            encoding: Encoding {
                content: ["pkcs8", "sr25519"].map(String::from).into(),
                kind: ["scrypt", "xsalsa20-poly1305"].map(String::from).into(),
                version: "3".into(),
            },
            address: account.to_string(),
            meta: serde_json::json!({ "name": name, "whenCreated": now_ms }),
        })
    }

    /// Whether a text may be a key file, and no secret in the clear.
    pub fn looks_like(text: &str) -> bool {
        text.trim_start().starts_with('{')
    }

    /// Reads a key file. Nothing is decrypted.
    ///
    /// # Errors
    /// [`Error::Format`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: Self =
            serde_json::from_str(text).map_err(|error| Error::Format(error.to_string()))?;
        file.account()?;
        let has = |list: &[String], item: &str| list.iter().any(|other| other == item);
        let Encoding { content, kind, version } = &file.encoding;
        if version != "3" || !has(content, "pkcs8") || !has(content, "sr25519") {
            let text = format!("it holds {} in version {version}", content.join(", "));
            return Err(Error::Format(text));
        }
        if !has(kind, "scrypt") || !has(kind, "xsalsa20-poly1305") {
            return Err(Error::Format(format!("it is encrypted by {}", kind.join(", "))));
        }
        let bytes = STANDARD.decode(&file.encoded).map(|bytes| bytes.len());
        if bytes != Ok(WHOLE) {
            return Err(Error::Format(format!("it does not hold {WHOLE} bytes")));
        }
        Ok(file)
    }

    /// The file's text.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The account, which everybody may know.
    ///
    /// # Errors
    /// [`Error::Format`].
    pub fn account(&self) -> Result<Account, Error> {
        self.address.parse().map_err(|error: cicada_core::BadText| Error::Format(error.to_string()))
    }

    /// Decrypts the key, which takes half a second, and checks that it is the address's.
    ///
    /// # Errors
    /// [`Error::Password`], [`Error::Format`].
    pub fn unlock(&self, password: &str) -> Result<Signer, Error> {
        use subxt_signer::polkadot_js_compat::{decrypt_json, Error as Refusal};
        decrypt_json(&self.json(), password).map_err(|error| match error {
            Refusal::Secretbox(_) => Error::Password,
            other => Error::Format(other.to_string()),
        })
    }
}

fn key(password: &str, salt: &[u8], log_n: u8) -> Result<Key, Error> {
    let bad = |_| Error::Format("scrypt's parameters".into());
    let mut key = Key::default();
    let params = Params::new(log_n, BLOCK_SIZE, PARALLEL, 32).map_err(bad)?;
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut key)
        .map_err(|_| Error::Format("scrypt's output".into()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_chain::account_of;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    /// Made by `@polkadot/keyring` 14.0.3: `addFromUri('//Alice')`, `toJson('correct horse')`.
    const FROM_POLKADOT_JS: &str = include_str!("alice.json");

    #[test]
    fn a_file_of_polkadot_js_is_opened() {
        let file = KeyFile::parse(FROM_POLKADOT_JS).unwrap();
        assert_eq!(file.account().unwrap().to_string(), ALICE);
        let signer = file.unlock("correct horse").unwrap();
        assert_eq!(account_of(&signer).to_string(), ALICE);
        assert_eq!(file.unlock("correct house").err(), Some(Error::Password));
        assert_eq!(file.unlock("").err(), Some(Error::Password));
    }

    #[test]
    fn what_is_encrypted_is_decrypted() {
        for text in
            ["//Bob", "bottom drive obey lake curtain smoke basket hold race lonely fit walk///x"]
        {
            let secret = Secret::read(text).unwrap();
            // The other allowed work factor of one lane; a quarter of the time.
            let file = KeyFile::encrypt_with(15, &secret, "pässword", "n", 7).unwrap();
            let read = KeyFile::parse(&file.json()).unwrap();
            assert_eq!(read, file);
            assert_eq!(read.account().unwrap(), secret.account());
            assert_eq!(account_of(&read.unlock("pässword").unwrap()), secret.account());
            assert_eq!(read.unlock("passwort").err(), Some(Error::Password));
            let again = KeyFile::encrypt_with(15, &secret, "pässword", "n", 7).unwrap();
            assert_ne!(again.encoded, file.encoded, "salt and nonce are new each time");
        }
    }

    #[test]
    fn new_files_have_the_form_and_the_work_of_polkadot_js() {
        let secret = Secret::read("//Alice").unwrap();
        let file = KeyFile::encrypt(&secret, "correct horse", "alice", 1_700_000_000_000).unwrap();
        let theirs = KeyFile::parse(FROM_POLKADOT_JS).unwrap();
        assert_eq!((&file.encoding, &file.address), (&theirs.encoding, &theirs.address));
        let [ours, theirs] = [&file, &theirs].map(|file| STANDARD.decode(&file.encoded).unwrap());
        assert_eq!(ours.len(), theirs.len());
        assert_eq!(ours[32..44], theirs[32..44], "N, p and r");
        assert!(!file.json().contains("correct"));
        let empty = KeyFile::encrypt(&secret, "", "alice", 0);
        assert_eq!(empty, Err(Error::EmptyPassword));
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let refused = |from: &str, to: &str| {
            let text = FROM_POLKADOT_JS.replace(from, to);
            assert_ne!(text, FROM_POLKADOT_JS, "{from}");
            assert!(matches!(KeyFile::parse(&text), Err(Error::Format(_))), "{from}");
        };
        refused("sr25519", "ed25519");
        refused("\"3\"", "\"2\"");
        refused("xsalsa20-poly1305", "none");
        refused("5Grwva", "5Grwvb");
        refused("\"encoded\": \"", "\"encoded\": \"AAAA");
        refused("{", "");
        let bob = crate::Secret::read("//Bob").unwrap().account();
        let other = FROM_POLKADOT_JS.replace(ALICE, &bob.to_string());
        let unlocked = KeyFile::parse(&other).unwrap().unlock("correct horse");
        assert!(matches!(unlocked, Err(Error::Format(_))), "the key of another address");
        assert!(KeyFile::looks_like(FROM_POLKADOT_JS) && !KeyFile::looks_like("//Alice"));
    }
}

//! A requester's secrets, one file for each private request, named by its commitment: it is on
//! the chain before the request has a number, and the file is on the disk before that.

use crate::{ContentId, Error, PayloadKey};
use age::secrecy::ExposeSecret;
use cicada_core::hash::Digest;
use cicada_files::{read_secret, write_secret};
use rand::rngs::OsRng;
use rand::RngCore;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The secrets of one request.
#[derive(Debug)]
pub struct RequestSecrets {
    /// What opens the payload; goes to each assigned provider.
    pub payload_key: PayloadKey,
    /// What opens the results; goes to nobody.
    pub reply_key: PayloadKey,
    /// The encrypted payload.
    pub cid: ContentId,
    /// What keeps the commitment from being guessed.
    pub salt: [u8; 32],
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    payload_key: String,
    reply_key: String,
    cid: String,
    salt: String,
}

impl RequestSecrets {
    /// Secrets of a payload that is encrypted already.
    pub fn new(payload_key: PayloadKey, reply_key: PayloadKey, cid: ContentId) -> Self {
        let mut salt = [0; 32];
        OsRng.fill_bytes(&mut salt);
        Self { payload_key, reply_key, cid, salt }
    }
}

/// A folder of such files.
#[derive(Clone, Debug)]
pub struct Keystore(PathBuf);

impl Keystore {
    /// The keystore in this folder; it is made when first written to.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The file of a commitment.
    pub fn path(&self, commitment: &Digest) -> PathBuf {
        self.0.join(format!("request-{}.toml", hex::encode(commitment)))
    }

    /// Keeps the secrets of a commitment; they are on the disk when this returns.
    ///
    /// # Errors
    /// If there are some already, or they cannot be written.
    pub fn keep(&self, commitment: &Digest, secrets: &RequestSecrets) -> Result<(), Error> {
        let (payload, reply) = (secrets.payload_key.to_file(), secrets.reply_key.to_file());
        let salt = Zeroizing::new(hex::encode(secrets.salt));
        let text = Zeroizing::new(format!(
            "payload_key = \"{}\"\nreply_key = \"{}\"\ncid = \"{}\"\nsalt = \"0x{}\"\n",
            payload.expose_secret(),
            reply.expose_secret(),
            secrets.cid,
            *salt
        ));
        Ok(write_secret(&self.path(commitment), text.as_bytes())?)
    }

    /// The secrets of a commitment.
    ///
    /// # Errors
    /// If they are not here, or the file is damaged.
    pub fn find(&self, commitment: &Digest) -> Result<RequestSecrets, Error> {
        let path = self.path(commitment);
        if !path.exists() {
            let reason = "the secrets of this request are not here: use the state folder (--state) with which it was made";
            return Err(Error::File { path, reason: reason.into() });
        }
        let text = read_secret(&path)?;
        parse(&text).ok_or_else(|| damaged(&path))
    }
}

fn damaged(path: &Path) -> Error {
    Error::file(path)("is no file of a request's secrets: restore it from a backup")
}

fn parse(text: &str) -> Option<RequestSecrets> {
    let file = toml::from_str::<KeyFile>(text).ok()?;
    Some(RequestSecrets {
        payload_key: PayloadKey::from_file(&file.payload_key)?,
        reply_key: PayloadKey::from_file(&file.reply_key)?,
        cid: file.cid.parse().ok()?,
        salt: *crate::key::secret_from_hex(&file.salt)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_survive_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = Keystore::new(folder.path().join("keys"));
        let cid = ContentId::of(b"file");
        let secrets = RequestSecrets::new(PayloadKey::generate(), PayloadKey::generate(), cid);
        store.keep(&Digest([7; 32]), &secrets).unwrap();
        let found = store.find(&Digest([7; 32])).unwrap();
        assert_eq!(found.payload_key.recipient(), secrets.payload_key.recipient());
        assert_eq!(found.reply_key.recipient(), secrets.reply_key.recipient());
        assert_eq!((found.cid, found.salt), (cid, secrets.salt));
        assert!(store.keep(&Digest([7; 32]), &secrets).is_err(), "never overwritten");
        let missing = store.find(&Digest([8; 32])).unwrap_err().to_string();
        assert!(missing.contains("--state"), "{missing}");
        write_secret(&store.path(&Digest([9; 32])), b"payload_key = \"AGE-SECRET-KEY-1X\"")
            .unwrap();
        let error = store.find(&Digest([9; 32])).unwrap_err().to_string();
        assert!(!error.contains("SECRET-KEY"), "{error}");
    }
}

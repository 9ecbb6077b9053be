//! Content identifiers: CIDv1, raw, sha2-256, and nothing else.

use crate::Error;
use cid::Cid;
use multihash::Multihash;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The multicodec of plain bytes.
const RAW: u64 = 0x55;
/// The multihash of SHA-256.
const SHA2_256: u64 = 0x12;

/// The name of some bytes by their SHA-256. On chain it stands as text, `bafkrei…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentId([u8; 32]);

impl ContentId {
    /// The identifier of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The identifier of the bytes with this SHA-256: a result on chain is only the hash.
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The SHA-256 of the bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.0
    }

    /// Reads one as it stands on chain: as text, or in the binary form.
    ///
    /// # Errors
    /// [`Error::BadCid`].
    pub fn from_chain(bytes: &[u8]) -> Result<Self, Error> {
        if let Some(id) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()) {
            return Ok(id);
        }
        let cid = Cid::try_from(bytes).map_err(|_| Error::BadCid(hex::encode(bytes)))?;
        Self::from_cid(&cid).ok_or_else(|| Error::BadCid(cid.to_string()))
    }

    /// As it stands on chain: the text, in ASCII.
    pub fn to_chain(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    /// Whether these bytes are the content.
    pub fn names(&self, bytes: &[u8]) -> bool {
        Self::of(bytes) == *self
    }

    fn from_cid(cid: &Cid) -> Option<Self> {
        let known = cid.version() == cid::Version::V1
            && cid.codec() == RAW
            && cid.hash().code() == SHA2_256;
        known.then(|| cid.hash().digest().try_into().ok().map(Self))?
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = Multihash::<64>::wrap(SHA2_256, &self.0).map_err(|_| fmt::Error)?;
        write!(f, "{}", Cid::new_v1(RAW, hash))
    }
}

impl FromStr for ContentId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let cid = Cid::from_str(text).map_err(|_| Error::BadCid(text.into()))?;
        Self::from_cid(&cid).ok_or_else(|| Error::BadCid(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_is_the_one_that_others_compute() {
        // `ipfs add --cid-version=1 --raw-leaves` of "hello world" without a line end.
        let id = ContentId::of(b"hello world");
        assert_eq!(id.to_string(), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
        assert_eq!(ContentId::from_sha256(id.sha256()), id);
        assert!(id.names(b"hello world") && !id.names(b"hello world\n"));
    }

    #[test]
    fn text_and_binary_form_are_read() {
        let id = ContentId::of(b"x");
        assert_eq!(ContentId::from_chain(&id.to_chain()).unwrap(), id);
        let cid = Cid::from_str(&id.to_string()).unwrap();
        assert_eq!(ContentId::from_chain(&cid.to_bytes()).unwrap(), id);
    }

    #[test]
    fn other_kinds_are_refused() {
        for text in ["", "x", "../etc/passwd", "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"] {
            assert!(matches!(text.parse::<ContentId>(), Err(Error::BadCid(_))), "{text}");
        }
        assert!(ContentId::from_chain(&[255; 4]).is_err());
    }
}

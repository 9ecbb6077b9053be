//! What can go wrong with payloads, and what to do about it.

use std::path::{Path, PathBuf};

/// Why a payload could not be stored, fetched, sealed or opened. No message repeats a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More than the limit.
    #[error("{what} has {size} bytes or more, the limit is {limit}: put large data elsewhere and name its address in the payload")]
    TooLarge {
        /// What.
        what: String,
        /// How many bytes were seen.
        size: usize,
        /// How many may be.
        limit: usize,
    },
    /// The bytes are not those that the identifier names.
    #[error("what lies at {place} is not the content {cid}: fetch it from another store")]
    WrongContent {
        /// What was asked for.
        cid: String,
        /// Where.
        place: String,
    },
    /// A content identifier that this program does not use.
    #[error("'{0}' is no content identifier of this market: it takes CIDv1, raw, sha2-256, such as bafkrei…")]
    BadCid(String),
    /// The content is not there.
    #[error("there is no {cid} at {place}: ask its owner whether it was published there, or name another store with --store")]
    NotFound {
        /// What was asked for.
        cid: String,
        /// Where.
        place: String,
    },
    /// A web server that does not give what it should.
    #[error("{place} does not answer as a content store: {reason}")]
    Fetch {
        /// The address.
        place: String,
        /// What happened.
        reason: String,
    },
    /// A store that can only be read.
    #[error("{0} can only be read: store into a folder with --store FOLDER, publish its files there, and name the address to the providers")]
    ReadOnly(String),
    /// The wrong key, or damaged bytes.
    #[error("{what} cannot be decrypted: {reason}")]
    Decrypt {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Something that is not what it should be.
    #[error("{0}")]
    Invalid(String),
    /// A file that is not what it should be.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<cicada_files::Error> for Error {
    fn from(cicada_files::Error { path, reason }: cicada_files::Error) -> Self {
        Self::File { path, reason }
    }
}

impl Error {
    /// Wraps what happened to a file.
    pub(crate) fn file<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self + '_ {
        move |reason| Self::File { path: path.into(), reason: reason.to_string() }
    }
}

//! Payloads of compute jobs: what a requester hands to the provider who got the job, and to
//! nobody else.
//!
//! A private payload is an `age` file, encrypted to a key pair made for this one request
//! ([`PayloadKey`]). The chain sees a commitment to the file's content identifier. Once a
//! provider is assigned, the payload key goes to him in a sealed box for his X25519 key
//! ([`ProviderKey`]); he fetches the file, whose bytes must give the identifier, and opens it.
//! Inside, an [`Envelope`] names the `age` recipient for the result: a key that only the
//! requester has, so that providers who share a request do not read each other's results.
//!
//! Files are kept in a [`Store`]: a folder, or any web server that gives them out.

mod content;
mod envelope;
mod error;
mod key;
mod keystore;
mod provider_key;
mod store;

pub use content::ContentId;
pub use envelope::Envelope;
pub use error::Error;
pub use key::{Ciphertext, PayloadKey, Recipient, MAX_PLAIN};
pub use keystore::{Keystore, RequestSecrets};
pub use provider_key::{ProviderKey, MAX_SEALED_KEY};
pub use store::Store;

/// The most bytes of a payload or of a result, encrypted or not: 16 MiB.
pub const MAX_CONTENT: usize = 16 * 1024 * 1024;

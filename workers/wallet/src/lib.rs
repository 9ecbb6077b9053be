//! Keys at rest: key files in the JSON form of polkadot.js, encrypted with a password, and the
//! mnemonics that keys are made from.
//!
//! A file that is made here can be imported in polkadot.js, and a file that polkadot.js exported
//! can be used here: scrypt, xsalsa20-poly1305, and sr25519 in PKCS #8, version 3.
//!
//! ```
//! # fn example() -> Result<(), cicada_wallet::Error> {
//! use cicada_wallet::{new_mnemonic, KeyFile, Secret, Words};
//! let phrase = new_mnemonic(Words::Twelve)?;
//! let secret = Secret::read(&phrase)?;
//! let file = KeyFile::encrypt(&secret, "a password", "my key", 1_700_000_000_000)?;
//! assert_eq!(file.account()?, secret.account());
//! let signer = KeyFile::parse(&file.json())?.unlock("a password")?;
//! # let _ = signer;
//! # Ok(()) }
//! ```

mod keyfile;
mod secret;

pub use keyfile::KeyFile;
pub use secret::{new_mnemonic, Secret, Words};

/// Why a key cannot be had. No message repeats a secret or a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// What was given is no secret.
    #[error("this is no secret of an account ({0}); write a mnemonic of 12 or 24 words, 0x and 64 hex digits, or a development account such as //Alice")]
    Secret(String),
    /// The file is no key file of polkadot.js that is understood here.
    #[error("this is no encrypted sr25519 key file as polkadot.js exports it: {0}")]
    Format(String),
    /// The password is not the file's.
    #[error("the password does not open this key file")]
    Password,
    /// A key is never written without a password.
    #[error("the password is empty: an encrypted key needs one")]
    EmptyPassword,
}

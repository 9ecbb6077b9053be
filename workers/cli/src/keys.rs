//! Who signs, and the passwords of key files.

use crate::context::Common;
use crate::reply::Failure;
use cicada_chain::{account_of, signer, Signer};
use cicada_core::Account;
use cicada_files::read_secret;
use cicada_wallet::KeyFile;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The account of the one who uses the command. An encrypted key is not opened before something has
/// to be signed.
pub enum Identity {
    /// A secret that was given, or stands in a file in the clear.
    Open(Box<Signer>),
    /// An encrypted key file.
    Sealed(Box<KeyFile>, Account, PathBuf),
}

impl Identity {
    /// The account that was named; //Alice where nobody is, as all tools here have it.
    pub fn of(common: &Common, key_file: Option<&Path>) -> Result<Self, Failure> {
        let open = |secret: &str| match signer(secret) {
            Ok(signer) => Ok(Self::Open(Box::new(signer))),
            Err(error) => Err(Failure::Usage(error.to_string())),
        };
        if let Some(suri) = &common.suri {
            // Everybody on this machine can read the arguments of programs.
            if !suri.starts_with("//") {
                return Err(Failure::Usage("--suri is for development accounts such as //Alice: put another secret into a file that only you can read, and name it with --key-file".into()));
            }
            return open(suri);
        }
        let Some(path) = key_file else { return open("//Alice") };
        let text = read_secret(path)?;
        if !KeyFile::looks_like(&text) {
            return open(text.trim());
        }
        let bad = |error| Failure::Usage(format!("{}: {error}", path.display()));
        let file = KeyFile::parse(&text).map_err(bad)?;
        let account = file.account().map_err(bad)?;
        Ok(Self::Sealed(Box::new(file), account, path.into()))
    }

    /// The account.
    pub fn account(&self) -> Account {
        match self {
            Self::Open(signer) => account_of(signer),
            Self::Sealed(_, account, _) => *account,
        }
    }

    /// What signs for it; asks for the password of an encrypted key.
    pub fn signer(self, common: &Common) -> Result<Signer, Failure> {
        match self {
            Self::Open(signer) => Ok(*signer),
            Self::Sealed(file, _, path) => {
                let prompt = format!("password of {}: ", path.display());
                let password = password(common.password_file.as_deref(), &prompt)?;
                file.unlock(&password)
                    .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
            }
        }
    }
}

/// A password, from its file or from the terminal.
pub fn password(file: Option<&Path>, prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let text = read_secret(path)?;
        return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        let text = format!("a password is needed and there is no terminal to ask ({error}): name a file that holds it with --password-file or CICADA_PASSWORD_FILE");
        Failure::Usage(text)
    })
}

/// A password for a new key: asked for twice.
pub fn new_password(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let first = password(file, "password for the new key file: ")?;
    if first.is_empty() {
        return Err(Failure::Usage(cicada_wallet::Error::EmptyPassword.to_string()));
    }
    if file.is_none() && *password(None, "the same again: ")? != *first {
        return Err(Failure::Usage("the two passwords differ: nothing was written".into()));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_files::write_secret;
    use cicada_wallet::Secret;

    #[test]
    fn a_key_file_is_opened_with_the_password_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let [key, words] = ["key.json", "password"].map(|name| folder.path().join(name));
        let secret = Secret::read("//Bob").unwrap();
        let file = KeyFile::encrypt(&secret, "two words", "bob", 1).unwrap();
        write_secret(&key, file.json().as_bytes()).unwrap();
        write_secret(&words, b"two words\n").unwrap();
        let common = Common { password_file: Some(words), ..Common::default() };
        let identity = Identity::of(&common, Some(&key)).unwrap();
        assert_eq!(identity.account(), secret.account());
        assert_eq!(account_of(&identity.signer(&common).unwrap()), secret.account());
        let wrong = folder.path().join("wrong");
        write_secret(&wrong, b"two word").unwrap();
        let common = Common { password_file: Some(wrong), ..Common::default() };
        let refused = Identity::of(&common, Some(&key)).unwrap().signer(&common);
        assert!(matches!(refused, Err(Failure::Usage(text)) if text.contains("password")));
    }

    #[test]
    fn secrets_in_the_clear_keep_working() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_secret(&path, b"//Bob\n").unwrap();
        let bob = account_of(&signer("//Bob").unwrap());
        let account = |common: &Common, path| Identity::of(common, path).unwrap().account();
        assert_eq!(account(&Common::default(), Some(&path)), bob);
        let alice = account_of(&signer("//Alice").unwrap());
        assert_eq!(account(&Common::default(), None), alice);
        let common = Common { suri: Some("//Alice".into()), ..Common::default() };
        assert_eq!(account(&common, Some(&path)), alice, "--suri comes first");
    }
}

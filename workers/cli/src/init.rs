//! The first step: a configuration file and an encrypted key.

use crate::config::{folder, Config};
use crate::context::Common;
use crate::keys::new_password;
use crate::reply::{Failure, Outcome, Reply};
use crate::wallet::usage;
use cicada_files::{read_secret, write_secret, write_whole, PLAIN};
use cicada_program::now_ms;
use cicada_wallet::{new_mnemonic, KeyFile, Secret, Words};
use clap::Args;
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Writes a configuration file, and makes a key or imports one, encrypted with a password in the
/// form of polkadot.js.
///
/// --network, --url, --indexer and --nodes are written into the configuration, --config
/// and --key-file say where both files go. The words of a new key are shown once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 init                                  # a new key of 12 words
  cicada71 init --words 24 --url ws://10.0.0.1:9944
  cicada71 init --mnemonic < words.txt
  cicada71 init --import exported-by-polkadot-js.json
  cicada71 init --suri //Bob --password-file p   # a development account")]
pub struct InitArgs {
    /// How many words a new key has: 12 or 24.
    #[arg(long, default_value = "12", value_parser = words, group = "key")]
    words: Words,
    /// Imports a key: reads its words from standard input.
    #[arg(long, group = "key")]
    mnemonic: bool,
    /// Imports a key: reads its secret (words, seed, derivations) from a file that others may not
    /// read.
    #[arg(long, group = "key", value_name = "FILE")]
    suri_file: Option<PathBuf>,
    /// Imports a key: copies a key file that polkadot.js exported; its password stays.
    #[arg(long, group = "key", value_name = "FILE")]
    import: Option<PathBuf>,
    /// The name that polkadot.js shows for the key.
    #[arg(long, default_value = "cicada71")]
    name: String,
    /// Replaces both files; an old key file is kept under another name.
    #[arg(long)]
    force: bool,
}

fn words(text: &str) -> Result<Words, String> {
    match text {
        "12" => Ok(Words::Twelve),
        "24" => Ok(Words::TwentyFour),
        _ => Err("12 or 24".into()),
    }
}

/// `cicada71 init`.
pub fn init(common: &Common, args: &InitArgs) -> Outcome {
    let config_path = match (&common.config, folder()) {
        (Some(path), _) => path.clone(),
        (None, Some(folder)) => folder.join("config.toml"),
        (None, None) => {
            let text = "there is no HOME: name the files with --config and --key-file";
            return Err(Failure::Usage(text.into()));
        }
    };
    let key_path = match &common.key_file {
        Some(path) => path.clone(),
        None => config_path.with_file_name("key.json"),
    };
    for path in [&config_path, &key_path] {
        if path.exists() && !args.force {
            let text = format!(
                "{} is there already: --force replaces it (an old key is kept under another name)",
                path.display()
            );
            return Err(Failure::Refused(text));
        }
    }
    let (file, mnemonic) = key(common, args)?;
    let kept = write_key(&key_path, &file)?;
    write_config(common, &config_path, &key_path)?;
    let account = file.account().map_err(usage)?.to_string();
    let mut text = format!(
        "account {account}\nkey file {}\nconfiguration {}\n",
        key_path.display(),
        config_path.display()
    );
    if let Some(kept) = &kept {
        text += &format!("the old key is in {}\n", kept.display());
    }
    if let Some(words) = &mnemonic {
        text += &format!("\nWrite these words down and keep them where nobody finds them. They are shown only now;\nwho has them has the account:\n\n  {}\n", words.as_str());
    }
    let json = json!({
        "account": account, "key_file": key_path.display().to_string(),
        "config": config_path.display().to_string(),
        "mnemonic": mnemonic.as_ref().map(|words| words.as_str()),
        "old_key_file": kept.map(|path| path.display().to_string()),
    });
    Ok(Reply::new(text, json))
}

/// The encrypted key, and the words of a new one.
fn key(common: &Common, args: &InitArgs) -> Result<(KeyFile, Option<Zeroizing<String>>), Failure> {
    if let Some(path) = &args.import {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        let file = KeyFile::parse(&text)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        return Ok((file, None));
    }
    let (text, is_new) = if let Some(suri) = &common.suri {
        (Zeroizing::new(suri.clone()), false)
    } else if let Some(path) = &args.suri_file {
        (read_secret(path)?, false)
    } else if args.mnemonic {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin()
            .take(4_096)
            .read_to_string(&mut text)
            .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
        let words: Vec<&str> = text.split_whitespace().collect();
        (Zeroizing::new(words.join(" ")), false)
    } else {
        (new_mnemonic(args.words).map_err(usage)?, true)
    };
    let secret = Secret::read(&text).map_err(usage)?;
    let password = new_password(common.password_file.as_deref())?;
    let file = KeyFile::encrypt(&secret, &password, &args.name, now_ms()).map_err(usage)?;
    Ok((file, is_new.then_some(text)))
}

/// Writes the key file. One that is there is kept under the name that is answered: keys are never
/// destroyed.
fn write_key(path: &Path, file: &KeyFile) -> Result<Option<PathBuf>, Failure> {
    let mut kept = None;
    if path.exists() {
        let name = |i: u32| path.with_extension(format!("old-{i}.json"));
        let free = (1..u32::MAX).map(name).find(|path| !path.exists());
        let free = free.ok_or_else(|| Failure::Refused("too many old keys".into()))?;
        let moved = std::fs::rename(path, &free);
        moved.map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))?;
        kept = Some(free);
    }
    write_secret(path, file.json().as_bytes())?;
    Ok(kept)
}

/// Writes the configuration with absolute paths: it is read from any folder.
fn write_config(common: &Common, path: &Path, key: &Path) -> Result<(), Failure> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
    let config = Config {
        network: common.network.as_deref().map(absolute),
        url: common.url.clone(),
        bundles: None,
        indexer: common.indexer.clone(),
        nodes: common.nodes.clone(),
        key_file: Some(absolute(key)),
    };
    Ok(write_whole(path, config.text().as_bytes(), PLAIN)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn args() -> InitArgs {
        InitArgs {
            words: Words::Twelve,
            mnemonic: false,
            suri_file: None,
            import: None,
            name: "me".into(),
            force: false,
        }
    }

    fn place(folder: &Path) -> Common {
        let password = folder.join("password");
        if !password.exists() {
            write_secret(&password, b"word").unwrap();
        }
        Common {
            config: Some(folder.join("c/config.toml")),
            password_file: Some(password),
            url: Some("ws://x".into()),
            ..Common::default()
        }
    }

    #[test]
    fn a_new_key_is_shown_once_and_encrypted() {
        let folder = tempfile::tempdir().unwrap();
        let common = place(folder.path());
        let reply = init(&common, &args()).unwrap();
        let json = reply.value();
        let words = json["mnemonic"].as_str().unwrap();
        assert_eq!(words.split(' ').count(), 12);
        assert!(reply.text.contains(words));
        let key = folder.path().join("c/key.json");
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&key).unwrap();
        let file = KeyFile::parse(&text).unwrap();
        assert!(!text.contains(words) && file.unlock("word").is_ok());
        assert_eq!(file.account().unwrap(), Secret::read(words).unwrap().account());
        let config = Config::load(common.config.as_deref()).unwrap();
        assert_eq!((config.url.as_deref(), config.key_file), (Some("ws://x"), Some(key)));
    }

    #[test]
    fn nothing_is_overwritten_and_an_old_key_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let common = Common { suri: Some("//Bob".into()), ..place(folder.path()) };
        let first = init(&common, &args()).unwrap();
        assert_eq!(
            first.value()["mnemonic"],
            serde_json::Value::Null,
            "an imported one is not shown"
        );
        assert!(
            matches!(init(&common, &args()), Err(Failure::Refused(text)) if text.contains("--force"))
        );
        let force = InitArgs { force: true, ..args() };
        let again = init(&Common { suri: Some("//Eve".into()), ..common }, &force).unwrap();
        let json = again.value();
        let old = json["old_key_file"].as_str().unwrap();
        let kept = KeyFile::parse(&std::fs::read_to_string(old).unwrap()).unwrap();
        assert_eq!(kept.account().unwrap().to_string(), first.value()["account"]);
        assert_ne!(first.value()["account"], again.value()["account"]);
    }

    #[test]
    fn keys_are_imported_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let common = Common { suri: Some("//Bob".into()), ..place(folder.path()) };
        let bob = init(&common, &args()).unwrap().value();
        let import = InitArgs { import: Some(bob["key_file"].as_str().unwrap().into()), ..args() };
        let elsewhere = |name: &str| Common {
            config: Some(folder.path().join(name).join("config.toml")),
            suri: None,
            ..common.clone()
        };
        assert_eq!(init(&elsewhere("d"), &import).unwrap().value()["account"], bob["account"]);
        let suri = folder.path().join("suri");
        write_secret(&suri, b"//Bob\n").unwrap();
        let from_file = InitArgs { suri_file: Some(suri), ..args() };
        assert_eq!(init(&elsewhere("e"), &from_file).unwrap().value()["account"], bob["account"]);
    }
}

//! The wallet: address, balances, key file.

use crate::args;
use crate::context::Settings;
use crate::keys::{new_password, Identity};
use crate::reply::{Failure, Outcome, Reply};
use crate::table::{table, Left, Right};
use cicada_amounts::{mmc, plain_mmc as plain, plain_units, thousands, units};
use cicada_chain::Currency;
use cicada_core::Account;
use cicada_files::{read_secret, write_secret};
use cicada_program::now_ms;
use cicada_trade::Holding;
use cicada_wallet::{KeyFile, Secret};
use clap::Subcommand;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};

/// What can be asked of a wallet.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// The account that signs.
    Address,
    /// MMC, the chain's own currency, and performance tokens.
    Balance {
        /// The account; by default the one that signs.
        #[arg(value_parser = args::account)]
        account: Option<Account>,
    },
    /// Gives the key as an encrypted file that polkadot.js imports.
    Export {
        /// The file, never overwritten; without it, to standard output.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// `cicada71 wallet`.
pub async fn wallet(settings: &Settings, command: WalletCommand) -> Outcome {
    match command {
        WalletCommand::Address => {
            let own = settings.identity()?.account().to_string();
            Ok(Reply::new(own.clone(), json!({ "account": own })))
        }
        WalletCommand::Balance { account } => balance(settings, account).await,
        WalletCommand::Export { out } => export(settings, out.as_deref()),
    }
}

async fn balance(settings: &Settings, account: Option<Account>) -> Outcome {
    let account = settings.account_or_own(account)?;
    let exchange = settings.exchange().await?;
    let now = exchange.now().await?;
    let native = exchange.chain.balance(&account).await?;
    let currency = exchange.chain.currency().await?;
    let mmc = now.mmc(&account).await?;
    let mut holdings = now.holdings(&account).await?;
    holdings.retain(|holding| holding.amount > 0);
    Ok(balances(&account, (native, &currency), mmc, &holdings))
}

fn balances(
    account: &Account,
    (native, currency): (u128, &Currency),
    money: u128,
    holdings: &[Holding],
) -> Reply {
    let mut rows = vec![
        vec!["MMC".into(), mmc(money)],
        vec![currency.symbol.clone(), units(native, currency.decimals)],
    ];
    rows.extend(holdings.iter().map(|h| vec![h.framework.to_string(), thousands(h.amount)]));
    let text = format!("{}\n\n{}", account, table(&[Left("Of"), Right("Balance")], rows));
    let list = holdings.iter().map(|holding| {
        json!({
            "framework": holding.framework.as_str(), "token": holding.token.to_string(),
            "amount": holding.amount.to_string(),
        })
    });
    let json = json!({
        "account": account.to_string(), "mmc": plain(money),
        "native": plain_units(native, currency.decimals), "native_symbol": currency.symbol,
        "tokens": list.collect::<Vec<Value>>(),
    });
    Reply::new(text, json)
}

/// The key file of the account: as it is if it is one, else encrypted now.
fn export(settings: &Settings, out: Option<&Path>) -> Outcome {
    let file = match settings.identity()? {
        Identity::Sealed(file, _, _) => *file,
        Identity::Open(_) => {
            let secret = open_secret(settings)?;
            let password = new_password(settings.common.password_file.as_deref())?;
            KeyFile::encrypt(&secret, &password, "cicada71", now_ms()).map_err(usage)?
        }
    };
    let account = file.account().map_err(usage)?.to_string();
    let Some(path) = out else {
        let json: Value = serde_json::from_str(&file.json()).unwrap_or_default();
        return Ok(Reply::new(file.json(), json));
    };
    write_secret(path, file.json().as_bytes())?;
    let text = format!("{}: account {account}", path.display());
    let json = json!({ "account": account, "file": path.display().to_string() });
    Ok(Reply::new(text, json))
}

/// The secret that was given in the clear.
fn open_secret(settings: &Settings) -> Result<Secret, Failure> {
    if let Some(suri) = &settings.common.suri {
        return Secret::read(suri).map_err(usage);
    }
    let Some(path) = settings.key_file() else {
        let text = "there is no key to export: name it with --key-file or --suri, or make one with 'cicada71 init'";
        return Err(Failure::Usage(text.into()));
    };
    Secret::read(&read_secret(path)?).map_err(usage)
}

/// A fault of what was given.
pub fn usage(error: cicada_wallet::Error) -> Failure {
    Failure::Usage(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Common;
    use cicada_core::quote::Framework;

    #[test]
    fn balances_are_a_table() {
        let framework = Framework::new("claude").unwrap();
        let holding = Holding { framework, token: Account([1; 32]), amount: 1_000, quote: None };
        let native = (1_500_000_000_000, &Currency::default());
        let reply = balances(&Account::NOBODY, native, 2_500_000, &[holding]);
        let golden = "\
5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM

Of      Balance
MMC         2.5
UNIT        1.5
claude    1,000
";
        assert_eq!(reply.text, golden);
        assert_eq!(reply.value()["native"], "1.5");
        assert_eq!(reply.value()["tokens"][0]["amount"], "1000");
    }

    #[test]
    fn a_secret_in_the_clear_is_exported_encrypted() {
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        write_secret(&password, b"word\n").unwrap();
        let common = Common {
            suri: Some("//Bob".into()),
            password_file: Some(password),
            config: Some("/dev/null".into()),
            ..Common::default()
        };
        let settings = Settings::new(common).unwrap();
        let out = folder.path().join("bob.json");
        export(&settings, Some(&out)).unwrap();
        let file = KeyFile::parse(&read_secret(&out).unwrap()).unwrap();
        let signer = file.unlock("word").unwrap();
        assert_eq!(cicada_chain::account_of(&signer), Secret::read("//Bob").unwrap().account());
        assert!(export(&settings, Some(&out)).is_err(), "never overwritten");
    }
}

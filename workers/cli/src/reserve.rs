//! Opening markets, and the market maker's reserve.

use crate::context::Settings;
use crate::reply::{after, Outcome, Reply};
use crate::trade::approved;
use cicada_amounts::{mmc, parse_mmc, plain_mmc as plain};
use cicada_core::quote::Framework;
use clap::{Args, Subcommand};
use serde_json::json;

/// `cicada71 list`.
pub async fn list(settings: &Settings, framework: Framework) -> Outcome {
    let exchange = settings.exchange().await?;
    let (token, block) = exchange.list(&framework, &settings.signer()?).await?;
    let token = token.to_string();
    let text = format!("opened the market of {framework}; its token is {token}");
    let json = json!({ "framework": framework.as_str(), "token": token, "block": block });
    Ok(Reply::new(text, json))
}

/// The market maker's reserve.
#[derive(Debug, Subcommand)]
pub enum ReserveCommand {
    /// Adds MMC to the reserve of a framework; anybody may.
    Deposit(ReserveArgs),
    /// Announces, as the exchange's owner, that MMC will be taken out of it: a day later, for a day.
    Announce(ReserveArgs),
    /// Takes out what was announced, as long as all tokens can still be bought back.
    Withdraw(ReserveArgs),
}

/// Of which framework, and how much.
#[derive(Debug, Args)]
pub struct ReserveArgs {
    /// Whose performance token.
    #[arg(long)]
    framework: Framework,
    /// How much, in MMC.
    #[arg(long, value_parser = parse_mmc, value_name = "MMC")]
    amount: u128,
}

/// `cicada71 reserve`.
pub async fn reserve(settings: &Settings, command: ReserveCommand) -> Outcome {
    let exchange = settings.exchange().await?;
    let signer = settings.signer()?;
    let (framework, outcome) = match command {
        ReserveCommand::Deposit(ReserveArgs { framework, amount }) => {
            let owner = cicada_chain::account_of(&signer);
            let need = exchange.now().await?.mmc_need(&owner, amount).await?;
            if exchange.approve(&need, &signer).await?.is_some() {
                settings.say(&approved(&exchange, &need));
            }
            let outcome = exchange.deposit(&framework, amount, &signer).await?;
            (framework, outcome)
        }
        ReserveCommand::Announce(ReserveArgs { framework, amount }) => {
            let (from_ms, block) =
                exchange.announce_withdrawal(&framework, amount, &signer).await?;
            return Ok(announcement(&framework, amount, from_ms, block));
        }
        ReserveCommand::Withdraw(ReserveArgs { framework, amount }) => {
            let outcome = exchange.withdraw(&framework, amount, &signer).await?;
            (framework, outcome)
        }
    };
    after(&outcome, &format!("the reserve of {framework}"), async {
        let reserve = exchange.now().await?.market(&framework).await?.reserve;
        let text = format!("the reserve of {framework} is {} MMC", mmc(reserve));
        let json = json!({
            "framework": framework.as_str(), "reserve": plain(reserve), "block": outcome.block,
        });
        Ok(Reply::new(text, json))
    })
    .await
}

fn announcement(framework: &Framework, amount: u128, from_ms: u64, block: u64) -> Reply {
    let text = format!(
        "announced: up to {} MMC out of the reserve of {framework}, a day from now and within a day then",
        mmc(amount)
    );
    let json = json!({
        "framework": framework.as_str(), "amount": plain(amount), "from_ms": from_ms, "block": block,
    });
    Reply::new(text, json)
}

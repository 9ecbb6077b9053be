//! The command that people type.

mod args;
mod commands;
mod config;
mod context;
mod dispute;
mod goedel;
mod init;
mod keys;
mod lines;
mod markets;
mod money;
mod nodes;
mod order;
mod pages;
mod place;
mod portfolio;
mod reply;
mod reserve;
mod show;
mod table;
mod trade;
mod verify;
mod wallet;
mod work;

use cicada_contracts::auction;
use cicada_files::write_secret;
use clap::{CommandFactory, Parser};
pub use commands::Cli;
use commands::{Command, EscrowCommand};
use context::{Context, Settings};
use reply::{written, Failure, Outcome, Reply};
use serde_json::json;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    cicada_program::quiet_logs();
    let as_json = cli.common.json;
    match run(cli).await {
        Ok(reply) => {
            reply.print(as_json);
            written(if reply.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(failure) => {
            failure.print(as_json);
            failure.code()
        }
    }
}

async fn run(cli: Cli) -> Outcome {
    // What needs neither chain nor configuration.
    match cli.command {
        Command::Account { out } => new_account(&out),
        Command::Init(args) => init::init(&cli.common, &args),
        Command::Goedel(command) => goedel::goedel(command),
        Command::Completions { shell } => pages::completions(Cli::command(), shell),
        Command::Man { out } => pages::man(Cli::command(), out.as_deref()),
        command => trading(&Settings::new(cli.common)?, command).await,
    }
}

/// The exchange, the leaderboard, the nodes; what is left is the compute market's.
async fn trading(settings: &Settings, command: Command) -> Outcome {
    let s = settings;
    match command {
        Command::Wallet(command) => wallet::wallet(s, command).await,
        Command::Quote { framework } => markets::quote(s, framework).await,
        Command::Leaderboard => markets::leaderboard(s).await,
        Command::Market { framework } => markets::market(s, framework).await,
        Command::Buy(args) => trade::buy(s, args).await,
        Command::Sell(args) => trade::sell(s, args).await,
        Command::Order(command) => order::order(s, command).await,
        Command::Orders { account } => order::orders(s, account).await,
        Command::Portfolio { account } => portfolio::portfolio(s, account).await,
        Command::History(args) => portfolio::history(s, args).await,
        Command::List { framework } => reserve::list(s, framework).await,
        Command::Reserve(command) => reserve::reserve(s, command).await,
        Command::Node(command) => nodes::node(s, command).await,
        Command::Verify(args) => verify::verify(s, &args).await,
        command => compute(&Context::open(s).await?, command).await,
    }
}

/// The compute market.
async fn compute(c: &Context, command: Command) -> Outcome {
    match command {
        Command::Request(args) => place::request(c, args).await,
        Command::Offer(args) => place::offer(c, args).await,
        Command::Cancel { what, id } => place::cancel(c, what, id).await,
        Command::Accept(args) => work::accept(c, args).await,
        Command::AssignNext { request } => lines::assign_next(c, request).await,
        Command::HandOver(args) => work::hand_over(c, args).await,
        Command::Start { assignment } => {
            work::plain(c, &auction::start(assignment), assignment).await
        }
        Command::Decline { assignment } => {
            work::plain(c, &auction::decline(assignment), assignment).await
        }
        Command::Complete(args) => work::complete(c, args).await,
        Command::Result(args) => work::result(c, args).await,
        Command::Release(args) => money::release(c, args).await,
        Command::Settle(args) => money::settle(c, args).await,
        Command::Claim => money::claim(c).await,
        Command::Dispute(args) => dispute::dispute(c, args).await,
        Command::Resolve(args) => dispute::resolve(c, args).await,
        Command::Finalize { assignment } => money::finalize(c, assignment).await,
        Command::Expire { what, id } => money::expire(c, what, id).await,
        Command::Feedback { assignment, stars } => money::feedback(c, assignment, stars).await,
        Command::Reputation { account } => show::reputation(c, account).await,
        Command::Price { task_type } => show::price(c, task_type).await,
        Command::Show { what, id } => show::show(c, what, id).await,
        Command::Escrow(EscrowCommand::Show { id }) => show::escrow(c, id).await,
        Command::Escrow(EscrowCommand::Audit { id }) => show::audit(c, id).await,
        Command::Balance { account } => show::balance(c, account).await,
        Command::Mint(args) => money::mint(c, args).await,
        Command::Transfer(args) => money::transfer(c, args).await,
        Command::Permit { amount } => money::permit(c, amount).await,
        // All others were answered before.
        other => Err(Failure::Usage(format!("{other:?} is no command of the compute market"))),
    }
}

/// `cicada71 account`: 32 random bytes as the seed.
fn new_account(out: &std::path::Path) -> Outcome {
    let seed = zeroize::Zeroizing::new(rand::random::<[u8; 32]>());
    let text = zeroize::Zeroizing::new(format!("0x{}", hex::encode(&seed[..])));
    let signer = cicada_chain::signer_from_seed(&seed);
    let signer = signer.map_err(|error| Failure::Refused(error.to_string()))?;
    write_secret(out, text.as_bytes())?;
    let address = cicada_chain::account_of(&signer).to_string();
    let text = format!("{}: account {address}", out.display());
    Ok(Reply::new(text, json!({ "account": address })))
}

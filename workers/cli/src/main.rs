//! The command that people type.

mod args;
mod context;
mod dispute;
mod money;
mod place;
mod reply;
mod show;
mod work;

use cicada_core::name::Name;
use cicada_core::Account;
use cicada_market::parse_mmc;
use cicada_payload::write_secret;
use clap::{Parser, Subcommand};
use context::{Common, Context};
use reply::{Failure, Outcome, Reply};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Cicada-71: a market for compute.
#[derive(Debug, Parser)]
#[command(name = "cicada71", version, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Commands are grouped in modules by subject; a new subject is a new module and its variants here.
#[derive(Debug, Subcommand)]
enum Command {
    Request(place::RequestArgs),
    Offer(place::OfferArgs),
    /// Takes back what is unfilled of a request or an offer.
    Cancel {
        what: place::Placed,
        id: u64,
    },
    Accept(work::AcceptArgs),
    /// Serves the waiting line of a request; anybody may.
    AssignNext {
        request: u64,
    },
    HandOver(work::HandOverArgs),
    /// Starts an assignment by hand, as the provider.
    Start {
        assignment: u64,
    },
    /// Gives an assignment back before the start, as the provider.
    Decline {
        assignment: u64,
    },
    Complete(work::CompleteArgs),
    Result(work::ResultArgs),
    Release(money::ReleaseArgs),
    Settle(money::SettleArgs),
    Dispute(dispute::DisputeArgs),
    Resolve(dispute::ResolveArgs),
    /// Draws the market's conclusions when an assignment's escrow has ended; anybody may.
    Finalize {
        assignment: u64,
    },
    /// Applies a deadline that has passed; anybody may.
    Expire {
        what: money::Expiring,
        id: u64,
    },
    /// Gives the other side of an ended assignment 1 to 5 stars, once.
    Feedback {
        assignment: u64,
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=5))]
        stars: u8,
    },
    /// Points, metrics and counts of an account.
    Reputation {
        #[arg(value_parser = args::account)]
        account: Account,
    },
    /// Prices of a task type over the last 24 hours.
    Price {
        #[arg(value_parser = args::name)]
        task_type: Name,
    },
    /// Looks at a request, an offer or an assignment.
    Show {
        what: show::Shown,
        id: u64,
    },
    /// Looks at escrows.
    #[command(subcommand)]
    Escrow(EscrowCommand),
    /// What an account has, and what is locked of it.
    Balance {
        /// The account; by default the one that signs.
        #[arg(value_parser = args::account)]
        account: Option<Account>,
    },
    #[command(visible_alias = "fund")]
    Mint(money::MintArgs),
    /// Lets the market run escrows for this account, and the escrow contract take an amount;
    /// request and offer do it by themselves.
    Permit {
        /// How much, in MMC.
        #[arg(value_parser = parse_mmc)]
        amount: u128,
    },
    /// Makes a new account and writes its secret to a file for --key-file.
    Account {
        /// The file; never overwritten.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum EscrowCommand {
    /// State, money, votes and evidence.
    Show { id: u64 },
    /// The log; recomputes its chain of hashes and says whether it holds (exit status 1 if not).
    Audit { id: u64 },
}

const EXAMPLES: &str = "\
Examples:
  cicada71 mint //Bob 1000
  cicada71 request --task-type wordcount --units 100 --max-price 0.5 --private text.txt
  cicada71 hand-over --request 1 --wait 2m
  cicada71 result 1 --wait 2m && cicada71 release 1
  cicada71 escrow audit 0 --json

Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 not found or not yet.
The walk through is docs/compute-market.md.";

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let as_json = cli.common.json;
    match run(cli).await {
        Ok(reply) => {
            reply.print(as_json);
            if reply.holds {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(failure) => {
            failure.print(as_json);
            failure.code()
        }
    }
}

async fn run(cli: Cli) -> Outcome {
    if let Command::Account { out } = &cli.command {
        return new_account(out);
    }
    let context = Context::open(&cli.common).await?;
    let c = &context;
    match cli.command {
        Command::Request(args) => place::request(c, args).await,
        Command::Offer(args) => place::offer(c, args).await,
        Command::Cancel { what, id } => place::cancel(c, what, id).await,
        Command::Accept(args) => work::accept(c, args).await,
        Command::AssignNext { request } => work::assign_next(c, request).await,
        Command::HandOver(args) => work::hand_over(c, args).await,
        Command::Start { assignment } => work::plain(c, "start", assignment).await,
        Command::Decline { assignment } => work::plain(c, "decline", assignment).await,
        Command::Complete(args) => work::complete(c, args).await,
        Command::Result(args) => work::result(c, args).await,
        Command::Release(args) => money::release(c, args).await,
        Command::Settle(args) => money::settle(c, args).await,
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
        Command::Permit { amount } => money::permit(c, amount).await,
        Command::Account { out } => new_account(&out),
    }
}

/// `cicada71 account`: 32 random bytes as the seed.
fn new_account(out: &std::path::Path) -> Outcome {
    let seed = zeroize::Zeroizing::new(rand::random::<[u8; 32]>());
    let text = zeroize::Zeroizing::new(format!("0x{}", hex::encode(&seed[..])));
    let signer = cicada_chain::signer_from_seed(&seed);
    let signer = signer.map_err(|error| Failure::Refused(error.to_string()))?;
    write_secret(out, text.as_bytes())?;
    let address = cicada_chain::address(&cicada_chain::account_of(&signer));
    let text = format!("{}: account {address}", out.display());
    Ok(Reply::new(text, json!({ "account": address })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_are_read_as_the_documentation_has_them() {
        for line in [
            "cicada71 request --task-type wordcount --units 100 --max-price 0.5 --private t.txt",
            "cicada71 request --task-type x --units 1 --max-price 2 --public s --max-response 30s --penalty 10 --quality accuracy=9500 --arbitrator //Dave --required 1",
            "cicada71 offer --suri //Bob --task-type x --units 9 --price 2 --bond 0.1 --key-of k --firm-from 1",
            "cicada71 accept --suri //Bob 1 4 --units 50 --min-price 0.25",
            "cicada71 hand-over 3",
            "cicada71 hand-over --request 1 --wait 2m --json",
            "cicada71 complete 3 --result out.txt",
            "cicada71 release 5 --escrow",
            "cicada71 settle 3 --uptime 9990 --quality accuracy=9100",
            "cicada71 resolve --suri //Dave 3 --split 70/30",
            "cicada71 expire request 3",
            "cicada71 feedback 3 --stars 5",
            "cicada71 reputation //Bob",
            "cicada71 escrow audit 0 --json",
            "cicada71 fund //Bob 1000",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "cicada71",
            "cicada71 request --task-type x --units 1 --max-price 2 --public a --private b",
            "cicada71 request --task-type x --units 1 --max-price 2 --confidential a",
            "cicada71 request --task-type x --units 1 --max-price 2 --public a --penalty 1",
            "cicada71 request --task-type X --units 1 --max-price 2 --public a",
            "cicada71 offer --task-type x --units 1 --price 2",
            "cicada71 hand-over",
            "cicada71 complete 3",
            "cicada71 resolve 3",
            "cicada71 resolve 3 --refund --release",
            "cicada71 resolve 3 --split 70/40",
            "cicada71 feedback 3 --stars 6",
            "cicada71 mint //Bob 1.0000001",
            "cicada71 escrow audit zero",
            "cicada71 balance --suri //A --key-file b",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

//! The commands and their options.

use crate::context::Common;
use crate::{
    args, dispute, goedel, init, money, nodes, order, place, portfolio, reserve, show, trade,
    verify, wallet, work,
};
use cicada_amounts::parse_mmc;
use cicada_core::name::Name;
use cicada_core::quote::Framework;
use cicada_core::Account;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Cicada-71: a market for compute and for the performance of AI agents.
#[derive(Debug, Parser)]
#[command(name = "cicada71", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    /// Options of every command.
    pub common: Common,
    #[command(subcommand)]
    /// What to do.
    pub command: Command,
}

/// Commands are grouped in modules by subject; a new subject is a new module and its variants here.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::InitArgs),
    /// The account: its address, what it has, its key.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// The newest quote of a performance token.
    Quote {
        /// Whose performance token.
        #[arg(long)]
        framework: Framework,
    },
    /// The ranking and all its quotes, at the newest final block.
    Leaderboard,
    /// A market: the market maker's prices, depth, volume, reserve, age of the quote.
    #[command(after_help = "Example:\n  cicada71 market --framework claude")]
    Market {
        /// Whose performance token.
        #[arg(long)]
        framework: Framework,
    },
    Buy(trade::BuyArgs),
    Sell(trade::SellArgs),
    /// Limit orders.
    #[command(subcommand)]
    Order(order::OrderCommand),
    /// One's own open orders, from the indexer.
    Orders {
        /// Of this account, instead of one's own.
        #[arg(long, value_parser = args::account)]
        account: Option<Account>,
    },
    /// Performance tokens with their cost, value, profit and loss.
    ///
    /// Holdings and quotes are the chain's, cost and what is in orders the indexer's; without it
    /// they are left open.
    Portfolio {
        /// Of this account, instead of one's own.
        #[arg(long, value_parser = args::account)]
        account: Option<Account>,
    },
    /// One's own trades, from the indexer.
    History(portfolio::HistoryArgs),
    /// Opens the market of a framework that the leaderboard ranks; anybody may.
    List {
        /// Whose performance token.
        #[arg(long)]
        framework: Framework,
    },
    /// The market maker's reserve.
    #[command(subcommand)]
    Reserve(reserve::ReserveCommand),
    /// The 23 nodes that agree on the leaderboard.
    #[command(subcommand)]
    Node(nodes::NodeCommand),
    Verify(verify::VerifyArgs),
    /// Gödel numbers of the scores of the 71 shards.
    #[command(subcommand)]
    Goedel(goedel::GoedelCommand),
    /// Prints the completions of a shell.
    #[command(
        after_help = "Example:\n  cicada71 completions bash > ~/.local/share/bash-completion/completions/cicada71"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Writes the manual pages.
    #[command(
        after_help = "Examples:\n  cicada71 man --out ~/.local/share/man/man1\n  cicada71 man | man -l -"
    )]
    Man {
        /// The folder for the page of every command; without it the first page is printed.
        #[arg(long)]
        out: Option<PathBuf>,
    },
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
        /// The number of the request; without it, all open requests whose line may be served.
        request: Option<u64>,
    },
    HandOver(work::HandOverArgs),
    /// Starts an assignment by hand, as the provider.
    Start {
        assignment: u64,
    },
    /// Hands an assignment back that is not delivered, as the provider: for nothing soon after the
    /// hand-over, later for a share of the bond.
    Decline {
        assignment: u64,
    },
    Complete(work::CompleteArgs),
    Result(work::ResultArgs),
    Release(money::ReleaseArgs),
    Settle(money::SettleArgs),
    Dispute(dispute::DisputeArgs),
    Resolve(dispute::ResolveArgs),
    /// Takes what waits at the escrow contract: an arbitrator's fees, or what could not be paid out.
    Claim,
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
    Transfer(money::TransferArgs),
    /// Lets the market run escrows for this account, and the escrow contract take an amount;
    /// request and offer do it by themselves.
    Permit {
        /// How much, in MMC.
        #[arg(value_parser = parse_mmc)]
        amount: u128,
    },
    /// Makes a new account and writes its secret, in the clear, to a file for --key-file: for
    /// services. People take init.
    Account {
        /// The file; never overwritten.
        #[arg(long)]
        out: PathBuf,
    },
}

/// What can be seen of escrows.
#[derive(Debug, Subcommand)]
pub enum EscrowCommand {
    /// State, money, votes and evidence.
    Show { id: u64 },
    /// The log; recomputes its chain of hashes and says whether it holds (exit status 1 if not).
    Audit { id: u64 },
}

const EXAMPLES: &str = "\
Examples:
  cicada71 init
  cicada71 buy --framework claude --amount 1000
  cicada71 portfolio
  cicada71 market --framework claude
  cicada71 mint //Bob 1000
  cicada71 request --task-type wordcount --units 100 --max-price 0.5 --private text.txt --no-panel
  cicada71 hand-over --request 1 --wait 2m
  cicada71 result 1 --wait 2m && cicada71 release 1
  cicada71 escrow audit 0 --json

Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 not found or not yet, 4 sent and perhaps
done, or done and not to be read: look for the transaction before you repeat it.
Trading, wallets and nodes: docs/cli.md. The compute market: docs/compute-market.md.";

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
            "cicada71 request --task-type wordcount --units 100 --max-price 0.5 --private t.txt --no-panel",
            "cicada71 request --task-type x --units 1 --max-price 2 --public s --max-response 30s --penalty 10 --quality accuracy=9500 --arbitrator //Dave --required 1 --arbitrator-fee 100",
            "cicada71 offer --suri //Bob --task-type x --units 9 --price 2 --bond 0.1 --key-of k --firm-from 1 --accept-arbitrator //Dave --most-penalty 500",
            "cicada71 claim --suri //Dave",
            "cicada71 accept --suri //Bob 1 4 --units 50 --min-price 0.25",
            "cicada71 hand-over 3",
            "cicada71 hand-over --request 1 --wait 2m --json",
            "cicada71 complete 3 --result out.txt",
            "cicada71 release 5 --escrow",
            "cicada71 settle 3 --uptime 9990 --quality accuracy=9100",
            "cicada71 resolve --suri //Dave 3 --split 70/30",
            "cicada71 expire request 3",
            "cicada71 assign-next",
            "cicada71 assign-next 3",
            "cicada71 feedback 3 --stars 5",
            "cicada71 reputation //Bob",
            "cicada71 escrow audit 0 --json",
            "cicada71 fund //Bob 1000",
            "cicada71 buy --framework claude --amount 1000",
            "cicada71 sell --framework openai --amount 500",
            "cicada71 portfolio",
            "cicada71 market --framework claude",
            "cicada71 buy --framework claude --amount 1,000 --max-cost 50500.5 --dry-run --json",
            "cicada71 sell --framework gpt-4.1 --amount 5 --slippage-bps 0 --deadline 60",
            "cicada71 quote --framework claude --url ws://x",
            "cicada71 leaderboard --json",
            "cicada71 order place --framework claude --side buy --price 49.9 --amount 100",
            "cicada71 order cancel 3 --suri //Bob",
            "cicada71 order show 3",
            "cicada71 order fill 3",
            "cicada71 orders",
            "cicada71 history --framework claude --limit 100",
            "cicada71 wallet address",
            "cicada71 wallet balance //Bob",
            "cicada71 wallet export --out key.json",
            "cicada71 init --words 24 --url ws://x --password-file p",
            "cicada71 init --mnemonic --force",
            "cicada71 node status --nodes http://127.0.0.1:7100",
            "cicada71 verify leaderboard --json",
            "cicada71 verify //Bob --as token --rebuild",
            "cicada71 goedel encode 3 0 2",
            "cicada71 goedel decode",
            "cicada71 reserve deposit --framework claude --amount 1000",
            "cicada71 list --framework claude",
            "cicada71 completions fish",
            "cicada71 man --out pages",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "cicada71",
            "cicada71 request --task-type x --units 1 --max-price 2 --public a --private b --no-panel",
            "cicada71 request --task-type x --units 1 --max-price 2 --confidential a --no-panel",
            "cicada71 request --task-type x --units 1 --max-price 2 --public a --penalty 1 --no-panel",
            "cicada71 request --task-type X --units 1 --max-price 2 --public a --no-panel",
            "cicada71 request --task-type x --units 1 --max-price 2 --public a",
            "cicada71 request --task-type x --units 1 --max-price 2 --public a --no-panel --arbitrator //Dave",
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
            "cicada71 buy --framework claude",
            "cicada71 buy --framework Claude --amount 1",
            "cicada71 buy --framework claude --amount 0",
            "cicada71 buy --framework claude --amount 1.5",
            "cicada71 buy --framework claude --amount 1 --max-cost 2 --slippage-bps 3",
            "cicada71 sell --framework claude --amount 1 --max-cost 2",
            "cicada71 order place --framework claude --side hold --price 1 --amount 1",
            "cicada71 init --words 13",
            "cicada71 init --mnemonic --import a",
            "cicada71 history --limit 0",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

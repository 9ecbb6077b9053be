//! Commands about money: release, settle, finalize, expire, mint.

use crate::args;
use crate::context::Context;
use crate::reply::{after, Failure, Outcome, Reply};
use crate::show::{status_json, status_line};
use cicada_amounts::{parse_mmc, parse_units, plain_mmc, plain_units};
use cicada_contracts::types::AuctionError;
use cicada_contracts::{auction, token, Message};
use cicada_core::escrow::{Decision, State, Summary, Terms};
use cicada_core::market::Status;
use cicada_core::quote::MMC_DECIMALS;
use cicada_core::sla::{Metric, QualityReport};
use cicada_core::Account;
use cicada_market::EscrowOrAssignment;
use clap::Args;
use serde_json::json;

/// The money of a job of the market, or of an escrow of two people.
#[derive(Debug, Args)]
pub struct Target {
    /// The number of the assignment; with --escrow, of the escrow.
    id: u64,
    /// The number is that of an escrow.
    #[arg(long)]
    escrow: bool,
    /// Which part of the escrow, from 0; of one that has several it must be said: who repeats a command
    /// means the same part.
    #[arg(long, requires = "escrow")]
    part: Option<u8>,
}

impl Target {
    /// The escrow as it stands and its terms, if it stands at the part that is meant.
    pub async fn see(&self, context: &Context, id: u64) -> Result<(Summary, Terms), Failure> {
        let market = &context.market;
        let (seen, terms) = (market.escrow(id).await?, market.terms(id).await?);
        meant(self.part, seen.milestone, terms.milestones.len())?;
        Ok((seen, terms))
    }

    /// The number of the escrow, and of the assignment if there is one.
    pub async fn find(&self, context: &Context) -> Result<(u64, Option<u64>), Failure> {
        if self.escrow {
            return Ok((self.id, None));
        }
        let of = EscrowOrAssignment::Assignment(self.id);
        Ok((context.market.escrow_id(of).await?, Some(self.id)))
    }
}

/// Whether the part at which an escrow stands is the one that is meant.
fn meant(part: Option<u8>, stands_at: u8, parts: usize) -> Result<(), Failure> {
    match part {
        Some(part) if part != stands_at => Err(Failure::Refused(format!(
            "the escrow is not at part {part} but at part {stands_at}: nothing was done"
        ))),
        None if parts > 1 => Err(Failure::Usage(format!(
            "the escrow has {parts} parts, 0 to {}, and is at part {stands_at}: say with --part which one is meant",
            parts - 1
        ))),
        _ => Ok(()),
    }
}

/// Pays the provider, as the requester.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 release 3               # an assignment that was delivered
  cicada71 release 3 --early       # before it was delivered
  cicada71 release 5 --escrow      # an escrow of two people, as its rule allows
  cicada71 release 5 --escrow --part 0     # the first part of one that has several")]
pub struct ReleaseArgs {
    #[command(flatten)]
    target: Target,
    /// Pay although nothing was delivered yet.
    #[arg(long)]
    early: bool,
}

/// `cicada71 release`.
pub async fn release(context: &Context, args: ReleaseArgs) -> Outcome {
    let market = &context.market;
    let (escrow, assignment) = args.target.find(context).await?;
    let Some(id) = assignment else {
        let (seen, _) = args.target.see(context, escrow).await?;
        let done = market.decide(escrow, &seen, Decision::Release, &context.signer).await?;
        return after(&done, &format!("released escrow {escrow}"), stands(context, escrow)).await;
    };
    match market.assignment(id).await?.status {
        Status::Delivered => {
            let done = market.act(&auction::settle(id, &None), &context.signer).await?;
            after(&done, &format!("released assignment {id}"), ended(context, id)).await
        }
        status if args.early && !status.is_final() => {
            let seen = market.escrow(escrow).await?;
            if seen.state != State::Funded {
                let text = format!("escrow {escrow} is {:?}: nothing was paid", seen.state);
                return Err(Failure::Refused(text));
            }
            market.decide(escrow, &seen, Decision::Release, &context.signer).await?;
            let text = format!("escrow {escrow} was released (finalize {id} does the rest)");
            finalize(context, id).await.map_err(|failure| failure.having(&text))
        }
        status => {
            let text =
                format!("assignment {id} is {status:?}, not delivered (--early pays before that)");
            Err(Failure::Refused(text))
        }
    }
}

/// How an escrow stands.
async fn stands(context: &Context, escrow: u64) -> Outcome {
    let state = format!("{:?}", context.market.escrow(escrow).await?.state);
    let json = json!({ "escrow": escrow, "state": state });
    Ok(Reply::new(format!("escrow {escrow}: {state}"), json))
}

/// Pays less the penalties, by a report of what you measured. What a report leaves out counts as
/// missed; without any option it is the same as release.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cicada71 settle 3 --uptime 9990 --quality accuracy=9100")]
pub struct SettleArgs {
    /// The number of the assignment.
    assignment: u64,
    /// Measured uptime: 99.9%, or basis points.
    #[arg(long, value_parser = args::measured)]
    uptime: Option<u16>,
    /// Measured metric, NAME=95% or NAME=BPS; may be repeated.
    #[arg(long, value_parser = args::metric)]
    quality: Vec<Metric>,
}

/// `cicada71 settle`. While a dispute runs, the report counts if nobody decides.
pub async fn settle(context: &Context, args: SettleArgs) -> Outcome {
    let (market, id) = (&context.market, args.assignment);
    let report = QualityReport { uptime_bps: args.uptime, quality: args.quality };
    let empty = report.uptime_bps.is_none() && report.quality.is_empty();
    let report = (!empty).then_some(report);
    let escrow = market.assignment(id).await?.escrow;
    let disputed = market.escrow(escrow).await?.state == State::Disputed;
    let message = match &report {
        Some(report) if disputed => auction::report(id, report),
        report => auction::settle(id, report),
    };
    let done = market.act(&message, &context.signer).await?;
    after(&done, &format!("settled assignment {id}"), ended(context, id)).await
}

/// `cicada71 claim`.
pub async fn claim(context: &Context) -> Outcome {
    let amount = plain_mmc(context.market.claim(&context.signer).await?.value);
    let text = format!("claimed {amount} MMC from the escrow contract");
    Ok(Reply::new(text, json!({ "claimed": amount })))
}

/// How an assignment stands after a settlement.
async fn ended(context: &Context, id: u64) -> Outcome {
    let assignment = context.market.assignment(id).await?;
    let text = status_line(id, &assignment);
    Ok(Reply::new(text, status_json(id, &assignment)))
}

/// `cicada71 finalize`.
pub async fn finalize(context: &Context, id: u64) -> Outcome {
    let done = context.market.act(&auction::finalize(id), &context.signer).await?;
    after(&done, &format!("finalized assignment {id}"), ended(context, id)).await
}

/// What can run out.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Expiring {
    /// A request whose auction has ended: what is unfilled goes back.
    Request,
    /// An offer whose time is over: its bond goes back.
    Offer,
    /// An assignment that was not delivered by its deadline, or whose escrow's deadline has passed.
    Assignment,
    /// An escrow of two people.
    Escrow,
}

/// `cicada71 expire`.
pub async fn expire(context: &Context, what: Expiring, id: u64) -> Outcome {
    let market = &context.market;
    let signer = &context.signer;
    let close = |message: Message<(), AuctionError>, word: &'static str| async move {
        market.act(&message, signer).await?;
        let text = format!("{word} {id} is closed; what was unfilled went back");
        Ok(Reply::new(text, json!({ "closed": word, "id": id })))
    };
    match what {
        Expiring::Request => close(auction::close_request(id), "request").await,
        Expiring::Offer => close(auction::close_offer(id), "offer").await,
        Expiring::Escrow => {
            let done = market.expire(id, signer).await?;
            after(&done, &format!("expired escrow {id}"), stands(context, id)).await
        }
        Expiring::Assignment => {
            let job = market.assignment(id).await?;
            let escrow = job.escrow;
            if has_own_deadline(job.status) || market.escrow(escrow).await?.ending.is_some() {
                return finalize(context, id).await;
            }
            market.expire(escrow, signer).await?;
            let text = format!("escrow {escrow} was expired (finalize {id} does the rest)");
            finalize(context, id).await.map_err(|failure| failure.having(&text))
        }
    }
}

/// Whether the market itself ends an assignment at its deadline. Its escrow, which waits for the last
/// moment of a hand-over, may run for much longer.
fn has_own_deadline(status: Status) -> bool {
    matches!(status, Status::Assigned | Status::InProgress)
}

/// `cicada71 feedback`.
pub async fn feedback(context: &Context, id: u64, stars: u8) -> Outcome {
    context.market.act(&auction::feedback(id, stars), &context.signer).await?;
    let text = format!("gave {stars} stars for assignment {id}");
    Ok(Reply::new(text, json!({ "assignment": id, "stars": stars })))
}

/// Mints MMC: on a development chain, as the account that deployed the market.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cicada71 mint //Bob 1000")]
pub struct MintArgs {
    /// Who gets it: an address, or //Bob.
    #[arg(value_parser = args::account)]
    account: Account,
    /// How much, in MMC.
    #[arg(value_parser = parse_mmc)]
    amount: u128,
}

/// `cicada71 mint`.
pub async fn mint(context: &Context, args: MintArgs) -> Outcome {
    let (market, mint) = (&context.market, token::mint(&args.account, args.amount));
    market.call(&market.at.token, &mint, &context.signer).await?;
    let (to, amount) = (args.account.to_string(), plain_mmc(args.amount));
    let text = format!("minted {amount} MMC for {to}");
    Ok(Reply::new(text, json!({ "account": to, "minted": amount })))
}

/// Moves MMC, or the chain's own currency, in which fees are paid, to another account.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 transfer 5FHneW… 20 --own-currency     # so that it can pay fees
  cicada71 transfer //Bob 100")]
pub struct TransferArgs {
    /// Who gets it: an address, or //Bob.
    #[arg(value_parser = args::account)]
    account: Account,
    /// How much, such as 0.5.
    amount: String,
    /// The chain's own currency, UNIT on a development chain, instead of MMC.
    #[arg(long)]
    own_currency: bool,
}

/// `cicada71 transfer`.
pub async fn transfer(context: &Context, args: TransferArgs) -> Outcome {
    let Context { market, signer, .. } = context;
    let (symbol, decimals) = match args.own_currency {
        true => {
            let currency = market.chain.currency().await?;
            (currency.symbol, currency.decimals)
        }
        false => ("MMC".to_owned(), MMC_DECIMALS),
    };
    let amount = parse_units(&args.amount, decimals, &symbol).map_err(Failure::Usage)?;
    let block = match args.own_currency {
        true => market.chain.transfer(signer, &args.account, amount).await?.block,
        false => {
            let message = token::transfer(&args.account, amount, &[]);
            market.call(&market.at.token, &message, signer).await?.block
        }
    };
    let (to, amount) = (args.account.to_string(), plain_units(amount, decimals));
    let text = format!("moved {amount} {symbol} to {to}");
    Ok(Reply::new(text, json!({ "account": to, "moved": amount, "of": symbol, "block": block })))
}

/// `cicada71 permit`.
pub async fn permit(context: &Context, amount: u128) -> Outcome {
    let said = context.market.permit(&context.signer, amount).await?;
    let text = if said.is_empty() { "nothing had to be done".into() } else { said.join("\n") };
    Ok(Reply::new(text, json!({ "said": said })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_was_handed_over_does_not_wait_for_its_escrow() {
        assert!(has_own_deadline(Status::Assigned) && has_own_deadline(Status::InProgress));
        let by_escrow = [Status::AwaitingPayload, Status::Delivered];
        assert!(!by_escrow.into_iter().any(has_own_deadline));
    }

    #[test]
    fn a_part_that_is_paid_is_not_paid_again_with_the_next_one() {
        assert!(meant(None, 0, 1).is_ok() && meant(Some(0), 0, 1).is_ok());
        assert!(matches!(meant(None, 0, 2), Err(Failure::Usage(_))));
        assert!(meant(Some(0), 0, 2).is_ok());
        assert!(matches!(meant(Some(0), 1, 2), Err(Failure::Refused(_))));
    }
}

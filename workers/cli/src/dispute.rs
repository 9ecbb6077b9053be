//! Commands of a dispute.

use crate::args;
use crate::context::Context;
use crate::money::Target;
use crate::place::read;
use crate::reply::{after, Failure, Outcome, Reply};
use cicada_amounts::plain_mmc;
use cicada_core::escrow::{State, Verdict};
use cicada_payload::ContentId;
use clap::Args;
use serde_json::json;
use std::path::Path;

/// Hands delivered work to the arbitrators, as the requester or the provider. Their fee, if the terms
/// name one, is deposited; it comes back if nobody decides. A dispute that nobody decides never
/// leaves whoever raised it better off.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 dispute 3 --evidence screenshot.png --evidence bafkrei…
  cicada71 dispute 5 --escrow

A file given as evidence is put into the store as it is: everybody may read it.")]
pub struct DisputeArgs {
    #[command(flatten)]
    target: Target,
    /// A file, or the content identifier of one; may be repeated, up to 8 times.
    #[arg(long)]
    evidence: Vec<String>,
}

/// `cicada71 dispute`.
pub async fn dispute(context: &Context, args: DisputeArgs) -> Outcome {
    let market = &context.market;
    let (escrow, _) = args.target.find(context).await?;
    let (seen, terms) = args.target.see(context, escrow).await?;
    if seen.state != State::Completed {
        let text = format!(
            "escrow {escrow} is {:?}: only what is delivered and not yet paid can be disputed",
            seen.state
        );
        return Err(Failure::Refused(text));
    }
    let mut evidence = Vec::new();
    for item in &args.evidence {
        evidence.push(identifier(context, item).await?);
    }
    let cids: Vec<Vec<u8>> = evidence.iter().map(ContentId::to_chain).collect();
    let part = terms.milestones.get(usize::from(seen.milestone)).map_or(0, |part| part.amount);
    let fee = args::share_floor(part, terms.panel.fee_bps);
    let said = match fee {
        0 => Vec::new(),
        fee => market.permit(&context.signer, fee).await?,
    };
    let outcome = market.dispute(escrow, &seen, &cids, &context.signer).await?;
    let names: Vec<String> = evidence.iter().map(ToString::to_string).collect();
    let fee = plain_mmc(fee);
    let text = format!(
        "escrow {escrow} is disputed; {} pieces of evidence; {fee} MMC deposited for the arbitrators",
        names.len()
    );
    let json = json!({
        "escrow": escrow, "evidence": names, "block": outcome.block, "fee": fee, "said": said,
    });
    Ok(Reply::new(text, json))
}

/// Of a file the identifier under which it is stored now.
async fn identifier(context: &Context, item: &str) -> Result<ContentId, Failure> {
    if !Path::new(item).exists() {
        return item.parse().map_err(|_| {
            Failure::Usage(format!("'{item}' is neither a file nor a content identifier"))
        });
    }
    Ok(context.store.put(&read(Path::new(item)).await?).await?)
}

/// Votes in a dispute, as an arbitrator. As many equal votes as the panel requires decide it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 resolve --suri //Dave 3 --split 70/30     # 70 % to the provider
  cicada71 resolve --suri //Eve 5 --escrow --refund

When the votes decide an assignment's escrow, 'cicada71 finalize' draws the conclusions for
reputation and prices; anybody may.")]
pub struct ResolveArgs {
    #[command(flatten)]
    target: Target,
    /// The part to the provider.
    #[arg(long, group = "verdict", required = true)]
    release: bool,
    /// All to the requester.
    #[arg(long, group = "verdict")]
    refund: bool,
    /// To both, in whole percent: PROVIDER/REQUESTER. The provider's share is rounded down.
    #[arg(long, group = "verdict", value_parser = args::split)]
    split: Option<u16>,
}

/// `cicada71 resolve`.
pub async fn resolve(context: &Context, args: ResolveArgs) -> Outcome {
    let market = &context.market;
    let (escrow, _) = args.target.find(context).await?;
    let (seen, terms) = args.target.see(context, escrow).await?;
    let part = terms.milestones.get(usize::from(seen.milestone)).map_or(0, |part| part.amount);
    let verdict = match args.split {
        Some(provider_bps) => {
            let provider_share = args::share_floor(part, provider_bps);
            let requester_share = part.saturating_sub(provider_share);
            Verdict::Split { provider_share, requester_share }
        }
        None if args.release => Verdict::Release,
        None => Verdict::Refund,
    };
    let done = market.vote(escrow, &seen, verdict, &context.signer).await?;
    after(&done, &format!("voted on escrow {escrow}"), voted(context, escrow)).await
}

/// What a vote has come to.
async fn voted(context: &Context, escrow: u64) -> Outcome {
    let after = context.market.escrow(escrow).await?;
    let decided = after.state != State::Disputed;
    let text = if decided {
        let (provider, requester) =
            (plain_mmc(after.provider_paid), plain_mmc(after.requester_paid));
        format!("escrow {escrow} is decided: provider {provider} MMC, requester {requester} MMC")
    } else {
        format!("voted on escrow {escrow}; not decided yet")
    };
    let json = json!({
        "escrow": escrow, "decided": decided, "provider_paid": plain_mmc(after.provider_paid),
        "requester_paid": plain_mmc(after.requester_paid),
    });
    Ok(Reply::new(text, json))
}

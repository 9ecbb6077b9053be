//! Commands round the work itself: accept, hand over, start, complete, result.

use crate::args;
use crate::context::Context;
use crate::place::read;
use crate::reply::{after, Failure, Outcome, Reply};
use cicada_amounts::{parse_mmc, plain_mmc};
use cicada_contracts::types::AuctionError;
use cicada_contracts::{auction, Message};
use cicada_core::hash::Digest;
use cicada_core::market::{Assignment, HandOver, Privacy, Status};
use cicada_files::{replace_secret, write_whole, PLAIN};
use cicada_payload::{ContentId, ProviderKey};
use cicada_program::parse_ms;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often something awaited is looked for.
const POLL: Duration = Duration::from_millis(500);

/// Gives an offer units of a request: as the offer's provider, or as the requester if the offer
/// is firm.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cicada71 accept --suri //Bob 1 4 --units 50 --min-price 0.25")]
pub struct AcceptArgs {
    /// The number of the request.
    request: u64,
    /// The number of the offer.
    offer: u64,
    /// How many units, at most; by default all that are left.
    #[arg(long)]
    units: Option<u64>,
    /// The least effective price per unit, in MMC; by default what the market quotes now.
    #[arg(long, value_parser = parse_mmc)]
    min_price: Option<u128>,
}

/// `cicada71 accept`.
pub async fn accept(context: &Context, args: AcceptArgs) -> Outcome {
    let market = &context.market;
    let (request, offer) = (args.request, args.offer);
    let min_price = match args.min_price {
        Some(price) => price,
        None => market.quote(request, offer).await?,
    };
    let units = args.units.unwrap_or(market.request(request).await?.left);
    // The provider's bond is locked with his offer; what he permits here is the escrow itself.
    let said = market.permit(&context.signer, 0).await?;
    let done = market.accept((request, offer), units, min_price, &context.signer).await?;
    let Some(id) = done.value else {
        let text = format!("waiting in line for request {request}");
        return Ok(Reply::new(text, json!({ "assignment": null, "waiting": true, "said": said })));
    };
    after(&done.outcome, &format!("accepted as assignment {id}"), async {
        let assignment = market.assignment(id).await?;
        let text = format!(
            "assignment {id}: {} units at {} MMC each, escrow {}",
            assignment.units,
            plain_mmc(assignment.price),
            assignment.escrow
        );
        let json = json!({
            "assignment": id, "units": assignment.units, "price": plain_mmc(assignment.price),
            "escrow": assignment.escrow, "said": said,
        });
        Ok(Reply::new(text, json))
    })
    .await
}

/// Gives the key of a private payload to the provider who got the job: sealed for him alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 hand-over 3
  cicada71 hand-over --request 1 --wait 2m     # to whoever accepts until then")]
pub struct HandOverArgs {
    /// The number of the assignment.
    #[arg(required_unless_present = "request")]
    assignment: Option<u64>,
    /// All assignments of this request that wait for it.
    #[arg(long, conflicts_with = "assignment")]
    request: Option<u64>,
    /// How long to wait for the first of them.
    #[arg(long, value_parser = parse_ms, default_value = "0s", requires = "request")]
    wait: u64,
}

/// The assignments of a request: made between its beginning and its end, however many others came after.
pub async fn assignments_of(
    context: &Context,
    request: u64,
) -> Result<Vec<(u64, Assignment)>, Failure> {
    let record = context.market.request(request).await?;
    let from = first_since(context, record.created_ms).await?;
    Ok(assignments_from(context, request, from, record.ends_ms()).await?.0)
}

/// The first assignment that was made at this time or later: they are numbered as they are made. One
/// more than the newest if there is none.
async fn first_since(context: &Context, time_ms: u64) -> Result<u64, Failure> {
    let (_, _, newest) = context.market.counts().await?;
    let (mut low, mut high) = (1, newest.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if context.market.assignment(middle).await?.assigned_ms < time_ms {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// Those of a request from a number on, made until `until_ms`, and the number that was not looked at.
async fn assignments_from(
    context: &Context,
    request: u64,
    from: u64,
    until_ms: u64,
) -> Result<(Vec<(u64, Assignment)>, u64), Failure> {
    let (_, _, newest) = context.market.counts().await?;
    let mut found = Vec::new();
    for id in from..=newest {
        let assignment = context.market.assignment(id).await?;
        if assignment.assigned_ms > until_ms {
            return Ok((found, id));
        }
        if assignment.request == request {
            found.push((id, assignment));
        }
    }
    Ok((found, from.max(newest.saturating_add(1))))
}

/// `cicada71 hand-over`.
pub async fn hand_over(context: &Context, args: HandOverArgs) -> Outcome {
    let ids = match (args.assignment, args.request) {
        (Some(id), _) => vec![id],
        (None, Some(request)) => awaited(context, request, args.wait).await?,
        (None, None) => return Err(Failure::Usage("give an assignment or --request".into())),
    };
    let (mut text, mut done) = (String::new(), Vec::new());
    for id in &ids {
        match hand_one_over(context, *id).await {
            Ok(()) => done.push(*id),
            Err(failure) if done.is_empty() => return Err(failure),
            // Those before it are handed over all the same.
            Err(failure) => {
                let why = failure.text();
                text += &format!("assignment {id} is not handed over, nor those after it: {why}\n");
                let json = json!({ "handed_over": done, "failed": id, "error": why });
                return Ok(Reply { holds: false, ..Reply::new(text, json) });
            }
        }
        text += &format!("handed the payload key of assignment {id} over, sealed\n");
    }
    Ok(Reply::new(text, json!({ "handed_over": ids })))
}

/// Those that wait for a hand-over, as soon as there are any.
async fn awaited(context: &Context, request: u64, wait_ms: u64) -> Result<Vec<u64>, Failure> {
    let deadline = Instant::now() + Duration::from_millis(wait_ms);
    let created_ms = context.market.request(request).await?.created_ms;
    let mut next = first_since(context, created_ms).await?;
    loop {
        // Whoever waits does so from the beginning.
        let (all, from) = assignments_from(context, request, next, u64::MAX).await?;
        next = from;
        let waiting = all.into_iter().filter(|(_, a)| a.status == Status::AwaitingPayload);
        let ids: Vec<u64> = waiting.map(|(id, _)| id).collect();
        if !ids.is_empty() {
            return Ok(ids);
        }
        if Instant::now() >= deadline {
            let text = format!("no assignment of request {request} waits for a hand-over");
            return Err(Failure::NotFound(text));
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn hand_one_over(context: &Context, id: u64) -> Result<(), Failure> {
    let market = &context.market;
    let assignment = market.assignment(id).await?;
    let request = market.request(assignment.request).await?;
    let (Privacy::Private { commitment } | Privacy::Confidential { commitment, .. }) =
        request.terms.privacy
    else {
        let text = format!("the payload of assignment {id} is public: there is nothing to do");
        return Err(Failure::Refused(text));
    };
    let secrets = context.keystore.find(&commitment)?;
    let offer = market.offer(assignment.offer).await?;
    let payload = HandOver {
        cid: secrets.cid.to_chain(),
        salt: secrets.salt,
        sealed_key: ProviderKey::seal(&offer.terms.payload_key, &secrets.payload_key)?,
    };
    market.act(&auction::hand_over(id, &payload), &context.signer).await?;
    Ok(())
}

/// `cicada71 start` and `cicada71 decline`.
pub async fn plain(context: &Context, message: &Message<(), AuctionError>, id: u64) -> Outcome {
    let outcome = context.market.act(message, &context.signer).await?;
    let what = message.label().trim_start_matches("Auction::");
    after(&outcome, &format!("{what} of assignment {id}"), async {
        let status = format!("{:?}", context.market.assignment(id).await?.status);
        let text = format!("assignment {id}: {status}");
        Ok(Reply::new(text, json!({ "assignment": id, "status": status, "block": outcome.block })))
    })
    .await
}

/// Delivers a result by hand, as the provider; 'cicada71-provider run' does it by itself.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 complete --suri //Bob 3 --result out.txt   # stores it as it is: for public jobs
  cicada71 complete --suri //Bob 3 --hash 0x…")]
pub struct CompleteArgs {
    /// The number of the assignment.
    assignment: u64,
    /// The file with the result.
    #[arg(long, group = "what", required = true)]
    result: Option<PathBuf>,
    /// The SHA-256 of the result.
    #[arg(long, group = "what", value_parser = args::hash)]
    hash: Option<[u8; 32]>,
}

/// `cicada71 complete`.
pub async fn complete(context: &Context, args: CompleteArgs) -> Outcome {
    let digest = match (&args.result, args.hash) {
        (Some(path), _) => {
            let job = context.market.assignment(args.assignment).await?;
            let privacy = context.market.request(job.request).await?.terms.privacy;
            if !privacy.is_public() {
                let text = "the payload of this job is private, and the store shows to everybody what is in it: encrypt the result to its requester, put it there, and deliver its --hash";
                return Err(Failure::Refused(text.into()));
            }
            context.store.put(&read(path).await?).await?.sha256()
        }
        (None, Some(digest)) => digest,
        (None, None) => return Err(Failure::Usage("give --result or --hash".into())),
    };
    let id = args.assignment;
    let complete = auction::complete(id, &Digest(digest));
    let outcome = context.market.act(&complete, &context.signer).await?;
    let digest = format!("0x{}", hex::encode(digest));
    let text = format!("delivered assignment {id}: result {digest}");
    let json = json!({ "assignment": id, "result": digest, "block": outcome.block });
    Ok(Reply::new(text, json))
}

/// Fetches a result, checks it against the chain, and decrypts it if it is private.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 result 3
  cicada71 result 3 --wait 2m --out answer.txt")]
pub struct ResultArgs {
    /// The number of the assignment.
    assignment: u64,
    /// Where to write it; otherwise to standard output.
    #[arg(long)]
    out: Option<PathBuf>,
    /// How long to wait for it.
    #[arg(long, value_parser = parse_ms, default_value = "0s")]
    wait: u64,
}

/// `cicada71 result`.
pub async fn result(context: &Context, args: ResultArgs) -> Outcome {
    let id = args.assignment;
    let market = &context.market;
    let deadline = Instant::now() + Duration::from_millis(args.wait);
    let (assignment, digest) = loop {
        let assignment = market.assignment(id).await?;
        if let Some(digest) = market.escrow(assignment.escrow).await?.result {
            break (assignment, digest);
        }
        if assignment.status.is_final() || Instant::now() >= deadline {
            let text = format!("assignment {id} has no result: {:?}", assignment.status);
            return Err(Failure::NotFound(text));
        }
        tokio::time::sleep(POLL).await;
    };
    let cid = ContentId::from_sha256(digest.0);
    let stored = zeroize::Zeroizing::new(context.store.get(&cid).await?);
    let privacy = market.request(assignment.request).await?.terms.privacy;
    let public = privacy.is_public();
    let content = match privacy {
        Privacy::Public { .. } => stored,
        Privacy::Private { commitment } | Privacy::Confidential { commitment, .. } => {
            context.keystore.find(&commitment)?.reply_key.decrypt(&stored)?
        }
    };
    let mut json = json!({ "assignment": id, "cid": cid.to_string(), "bytes": content.len() });
    if let Some(path) = args.out {
        match public {
            true => write_whole(&path, &content, PLAIN)?,
            false => replace_secret(&path, &content)?,
        }
        let (length, place) = (content.len(), path.display());
        let text = format!("{length} bytes of result, checked against the chain: {place}");
        return Ok(Reply::new(text, json));
    }
    // What is no text has its bytes in hex, so that nothing is lost.
    match std::str::from_utf8(&content) {
        Ok(text) => json["content"] = text.into(),
        Err(_) => json["content_hex"] = hex::encode(&content).into(),
    }
    let text = String::from_utf8_lossy(&content).into_owned();
    Ok(Reply { raw: Some(content), ..Reply::new(text, json) })
}

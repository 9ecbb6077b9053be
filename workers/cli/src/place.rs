//! Commands that place requests and offers, and take them back.

use crate::args;
use crate::context::Context;
use crate::reply::{Failure, Outcome, Reply};
use cicada_amounts::{parse_mmc, plain_mmc};
use cicada_contracts::auction;
use cicada_core::escrow::{Fallback, Panel, Range};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::market::{Consent, Offer, Privacy, Request};
use cicada_core::name::Name;
use cicada_core::privacy::commitment;
use cicada_core::sla::{Metric, Sla};
use cicada_core::Account;
use cicada_payload::{Envelope, PayloadKey, ProviderKey, RequestSecrets};
use cicada_program::{now_ms, parse_ms};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Asks for compute and locks the maximum price of all units.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 request --task-type wordcount --units 100 --max-price 0.5 --private text.txt --no-panel
  cicada71 request --task-type render --units 500 --max-price 2 --public scene.json \\
    --max-response 30s --penalty 10 --quality accuracy=9500 \\
    --arbitrator //Dave --arbitrator //Eve --arbitrator //Ferdie --required 2")]
pub struct RequestArgs {
    /// What kind of work it is.
    #[arg(long, value_parser = args::name)]
    task_type: Name,
    /// Compute units.
    #[arg(long)]
    units: u64,
    /// The most that is paid per unit, in MMC.
    #[arg(long, value_parser = args::price)]
    max_price: u128,
    /// File with the payload that everybody may see.
    #[arg(long, group = "payload")]
    public: Option<PathBuf>,
    /// File with the payload that only the assigned provider may see.
    #[arg(long, group = "payload")]
    private: Option<PathBuf>,
    /// As --private, and only for providers with --needs or on the --allow list.
    #[arg(long, group = "payload", requires = "needs")]
    confidential: Option<PathBuf>,
    /// The attested capability that a confidential payload needs.
    #[arg(long, value_parser = args::name)]
    needs: Option<Name>,
    /// A provider who may see a confidential payload without it; may be repeated.
    #[arg(long, value_parser = args::account)]
    allow: Vec<Account>,
    /// A capability that the provider must offer; may be repeated.
    #[arg(long, value_parser = args::name)]
    capability: Vec<Name>,
    /// The least points of reputation.
    #[arg(long)]
    min_reputation: Option<u32>,
    /// The least bond per unit, in MMC.
    #[arg(long, value_parser = parse_mmc, default_value = "0")]
    min_bond: u128,
    /// The least units that a provider takes; by default an equal part of what is left.
    #[arg(long)]
    min_units: Option<u64>,
    /// How long the execution may take.
    #[arg(long, value_parser = parse_ms, default_value = "10m")]
    max_duration: u64,
    /// How long after the assignment you hand a private payload over at the latest; the provider's
    /// time runs from then.
    #[arg(long, value_parser = parse_ms, default_value = "15m")]
    hand_over_within: u64,
    /// How long from now it may find providers; an auction lasts at most 15 minutes.
    #[arg(long, value_parser = parse_ms, default_value = "15m")]
    deadline: u64,
    #[command(flatten)]
    sla: SlaArgs,
    #[command(flatten)]
    panel: PanelArgs,
}

#[derive(Debug, Args)]
struct SlaArgs {
    /// The longest time from assignment or hand-over to the start. Makes a service level.
    #[arg(long, value_parser = parse_ms, requires = "penalty")]
    max_response: Option<u64>,
    /// What each violation costs, in MMC; of uptime and of each quality metric half of it.
    #[arg(long, value_parser = parse_mmc, requires = "max_response")]
    penalty: Option<u128>,
    /// The least uptime: 99.9%, or basis points.
    #[arg(long, value_parser = args::measured, requires = "max_response")]
    uptime: Option<u16>,
    /// The least value of a metric, NAME=BPS; may be repeated.
    #[arg(long, value_parser = args::metric, requires = "max_response")]
    quality: Vec<Metric>,
}

#[derive(Debug, Args)]
struct PanelArgs {
    /// Who decides disputes; may be repeated. Providers take requests with arbitrators whom they
    /// accept.
    #[arg(long, value_parser = args::account, required_unless_present = "no_panel")]
    arbitrator: Vec<Account>,
    /// Nobody decides disputes: whatever is delivered in time is paid, however bad it is, unless the
    /// provider refunds it.
    #[arg(long, conflicts_with = "arbitrator")]
    no_panel: bool,
    /// How many of them must agree: more than half, which is the default.
    #[arg(long, requires = "arbitrator")]
    required: Option<u8>,
    /// What who raises a dispute deposits for those who decide it, in basis points of the price; at
    /// most 500.
    #[arg(long, value_parser = args::bps, default_value_t = 0, requires = "arbitrator")]
    arbitrator_fee: u16,
    /// How long after completion you may object; then the provider is paid.
    #[arg(long, value_parser = parse_ms, default_value = "1h")]
    review: u64,
    /// How long a dispute may last.
    #[arg(long, value_parser = parse_ms, default_value = "1d")]
    dispute_for: u64,
    /// What happens when a dispute of the provider's is not decided: refund, release, or a split such
    /// as 70/30. One of yours that is not decided pays him.
    #[arg(long, value_parser = args::fallback, default_value = "refund")]
    fallback: Fallback,
}

impl SlaArgs {
    fn sla(self) -> Option<Sla> {
        let mut quality = self.quality;
        quality.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Sla {
            uptime_bps: self.uptime,
            max_response_ms: self.max_response?,
            violation_penalty: self.penalty?,
            quality,
        })
    }
}

impl PanelArgs {
    fn panel(&self) -> Panel {
        let members = self.arbitrator.clone();
        if members.is_empty() {
            return Panel::NONE;
        }
        let half = u8::try_from(members.len() / 2).unwrap_or(u8::MAX);
        let required = self.required.unwrap_or(half.saturating_add(1));
        Panel { required, members, fee_bps: self.arbitrator_fee }
    }
}

/// The deadline on the chain of something that lasts from now.
pub fn deadline(duration_ms: u64) -> u64 {
    now_ms().saturating_add(duration_ms)
}

fn sorted(mut names: Vec<Name>) -> Vec<Name> {
    names.sort();
    names.dedup();
    names
}

/// Reads a payload.
pub async fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let content = tokio::fs::read(path).await;
    content.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// Encrypts a payload, stores it, and keeps its secrets, all before the chain hears of it.
async fn commit(context: &Context, path: &Path) -> Result<[u8; 32], Failure> {
    let payload = zeroize::Zeroizing::new(read(path).await?);
    let (payload_key, reply_key) = (PayloadKey::generate(), PayloadKey::generate());
    let packed = Envelope::pack(&reply_key, &payload);
    let file = PayloadKey::encrypt(&payload_key.recipient(), &packed)?;
    let cid = context.store.put(&file).await?;
    let secrets = RequestSecrets::new(payload_key, reply_key, cid);
    let commitment = commitment::<Native>(&cid.to_chain(), &secrets.salt);
    context.keystore.keep(&commitment, &secrets)?;
    Ok(commitment.0)
}

async fn privacy(context: &Context, args: &RequestArgs) -> Result<Privacy, Failure> {
    match (&args.public, &args.private, &args.confidential, &args.needs) {
        (Some(path), ..) => {
            let cid = context.store.put(&read(path).await?).await?;
            Ok(Privacy::Public { payload: cid.to_chain() })
        }
        (_, Some(path), ..) => {
            Ok(Privacy::Private { commitment: Digest(commit(context, path).await?) })
        }
        (_, _, Some(path), Some(needs)) => Ok(Privacy::Confidential {
            commitment: Digest(commit(context, path).await?),
            capability: needs.clone(),
            allowed: args.allow.clone(),
        }),
        _ => Err(Failure::Usage("give the payload: --public, --private or --confidential".into())),
    }
}

/// `cicada71 request`.
pub async fn request(context: &Context, args: RequestArgs) -> Outcome {
    let privacy = privacy(context, &args).await?;
    let panel = args.panel.panel();
    let hand_over_within_ms = if privacy.is_public() { 0 } else { args.hand_over_within };
    let terms = Request {
        task_type: args.task_type,
        units: args.units,
        min_units: args.min_units,
        max_duration_ms: args.max_duration,
        hand_over_within_ms,
        capabilities: sorted(args.capability),
        min_reputation: args.min_reputation,
        privacy,
        max_price: args.max_price,
        min_bond: args.min_bond,
        sla: args.sla.sla(),
        deadline_ms: deadline(args.deadline),
        panel,
        review_ms: args.panel.review,
        dispute_ms: args.panel.dispute_for,
        fallback: args.panel.fallback,
    };
    let budget = terms.budget();
    let said = context.market.permit(&context.signer, budget).await?;
    let done = context.market.place_request(&terms, &context.signer).await?;
    let (id, name) = (done.value, terms.task_type.as_str());
    let mut text = said.join("\n");
    text += &format!(
        "\nrequest {id}: {} units of {name}, at most {} MMC each; {} MMC are locked",
        terms.units,
        plain_mmc(terms.max_price),
        plain_mmc(budget)
    );
    let json = json!({
        "request": id, "locked": plain_mmc(budget), "block": done.outcome.block, "said": said,
        "ends_ms": terms.deadline_ms,
    });
    Ok(Reply::new(text.trim_start(), json))
}

/// Offers compute; with a bond, locks it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 offer --suri //Bob --task-type wordcount --units 1000 --price 0.6 \\
    --payload-key 0x…            # as 'cicada71-provider keys' printed it
  cicada71 offer --suri //Bob --task-type render --units 500 --price 2 --bond 0.1 \\
    --key-of provider-key.toml --firm-from 1

'cicada71-provider run' places its offers by itself.")]
pub struct OfferArgs {
    /// What kind of work you do.
    #[arg(long, value_parser = args::name)]
    task_type: Name,
    /// Compute units.
    #[arg(long)]
    units: u64,
    /// The least units of a job; 1 without it, and all of a firm offer.
    #[arg(long)]
    min_units: Option<u64>,
    /// What you ask per unit, in MMC. Your reputation makes the effective price of it.
    #[arg(long, value_parser = args::price)]
    price: u128,
    /// What you lose per unit that you do not do in time, in MMC.
    #[arg(long, value_parser = parse_mmc, default_value = "0")]
    bond: u128,
    /// A capability of yours; may be repeated.
    #[arg(long, value_parser = args::name)]
    capability: Vec<Name>,
    /// How long from now the offer stands.
    #[arg(long, value_parser = parse_ms, default_value = "1d")]
    expires_in: u64,
    /// The X25519 public key to which payload keys are sealed.
    #[arg(long, value_parser = args::hash, group = "key", required = true)]
    payload_key: Option<[u8; 32]>,
    /// The key file to take it from.
    #[arg(long, group = "key")]
    key_of: Option<PathBuf>,
    /// Makes the offer firm: requesters may take it without asking, at this effective price per
    /// unit or more.
    #[arg(long, value_parser = args::price)]
    firm_from: Option<u128>,
    #[command(flatten)]
    consent: ConsentArgs,
}

/// What requests may ask of you: the market refuses others.
#[derive(Debug, Args)]
struct ConsentArgs {
    /// Whom you accept as an arbitrator; may be repeated. With none, only requests without
    /// arbitrators fit.
    #[arg(long, value_parser = args::account)]
    accept_arbitrator: Vec<Account>,
    /// How many of them must agree at least; with 0, requests without arbitrators fit too.
    #[arg(long, default_value_t = 0)]
    least_required: u8,
    /// The most that you deposit for arbitrators when you raise a dispute, in basis points.
    #[arg(long, value_parser = args::bps, default_value_t = 200)]
    most_fee: u16,
    /// The longest review that you wait for.
    #[arg(long, value_parser = parse_ms, default_value = "1d")]
    most_review: u64,
    /// The shortest dispute: arbitrators need time.
    #[arg(long, value_parser = parse_ms, default_value = "10m")]
    least_dispute: u64,
    /// The longest dispute that you wait for.
    #[arg(long, value_parser = parse_ms, default_value = "7d")]
    most_dispute: u64,
    /// The most that all penalties of a service level may take, in basis points of the price.
    #[arg(long, value_parser = args::bps, default_value_t = 2_000)]
    most_penalty: u16,
    /// The least time to respond, if there is a service level: the chain needs some of it.
    #[arg(long, value_parser = parse_ms, default_value = "1m")]
    least_response: u64,
    /// The least time to work, of which the chain needs some too.
    #[arg(long, value_parser = parse_ms, default_value = "1m")]
    least_duration: u64,
    /// The most time for hand-over, response and work together.
    #[arg(long, value_parser = parse_ms, default_value = "2h")]
    most_time: u64,
}

impl ConsentArgs {
    fn consent(self) -> Consent {
        Consent {
            review: Range { least_ms: 0, most_ms: self.most_review },
            dispute: Range { least_ms: self.least_dispute, most_ms: self.most_dispute },
            max_penalty_bps: self.most_penalty,
            min_response_ms: self.least_response,
            min_duration_ms: self.least_duration,
            max_time_ms: self.most_time,
            arbitrators: self.accept_arbitrator,
            min_required: self.least_required,
            max_fee_bps: self.most_fee,
        }
    }
}

/// `cicada71 offer`.
pub async fn offer(context: &Context, args: OfferArgs) -> Outcome {
    let payload_key = match (args.payload_key, &args.key_of) {
        (Some(key), _) => key,
        (None, Some(path)) => ProviderKey::load(path)?.public(),
        (None, None) => return Err(Failure::Usage("give --payload-key or --key-of".into())),
    };
    let terms = Offer {
        task_type: args.task_type,
        units: args.units,
        min_units: args.min_units.unwrap_or(if args.firm_from.is_some() { args.units } else { 1 }),
        price: args.price,
        capabilities: sorted(args.capability),
        bond: args.bond,
        expires_ms: deadline(args.expires_in),
        payload_key,
        firm_from: args.firm_from,
        consent: args.consent.consent(),
    };
    let bond = terms.bond_of(terms.units);
    let said = context.market.permit(&context.signer, bond).await?;
    let done = context.market.place_offer(&terms, &context.signer).await?;
    let (id, name) = (done.value, terms.task_type.as_str());
    let mut text = said.join("\n");
    text += &format!(
        "\noffer {id}: {} units of {name} at {} MMC each; {} MMC of bond are locked",
        terms.units,
        plain_mmc(terms.price),
        plain_mmc(bond)
    );
    let json = json!({
        "offer": id, "locked": plain_mmc(bond), "block": done.outcome.block, "said": said,
        "expires_ms": terms.expires_ms,
    });
    Ok(Reply::new(text.trim_start(), json))
}

/// What can be taken back.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Placed {
    /// What is unfilled of a request.
    Request,
    /// What is unfilled of an offer.
    Offer,
}

/// `cicada71 cancel`.
pub async fn cancel(context: &Context, what: Placed, id: u64) -> Outcome {
    let (message, word) = match what {
        Placed::Request => (auction::cancel_request(id), "request"),
        Placed::Offer => (auction::cancel_offer(id), "offer"),
    };
    context.market.act(&message, &context.signer).await?;
    Ok(Reply::new(format!("{word} {id} is closed"), json!({ "closed": word, "id": id })))
}

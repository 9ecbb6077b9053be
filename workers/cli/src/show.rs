//! Commands that only look.

use crate::context::Context;
use crate::reply::{Outcome, Reply};
use crate::work::assignments_of;
use cicada_amounts::plain_mmc;
use cicada_core::market::{Assignment, Privacy};
use cicada_core::name::Name;
use cicada_core::Account;
use serde_json::{json, Value};

/// What can be shown.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Shown {
    /// A request and its assignments.
    Request,
    /// An offer.
    Offer,
    /// An assignment.
    Assignment,
}

/// `cicada71 show`.
pub async fn show(context: &Context, what: Shown, id: u64) -> Outcome {
    match what {
        Shown::Request => request(context, id).await,
        Shown::Offer => offer(context, id).await,
        Shown::Assignment => {
            let assignment = context.market.assignment(id).await?;
            let escrow = context.market.escrow(assignment.escrow).await?;
            let mut json = status_json(id, &assignment);
            json["result"] = json!(escrow.result);
            json["due_ms"] = escrow.due_ms.into();
            Ok(lines(json))
        }
    }
}

/// An assignment in one line.
pub fn status_line(id: u64, a: &Assignment) -> String {
    let amount = plain_mmc(a.amount());
    format!(
        "assignment {id}: {:?}; {} of {amount} MMC paid to the provider",
        a.status,
        plain_mmc(a.paid)
    )
}

/// An assignment for programs.
pub fn status_json(id: u64, a: &Assignment) -> Value {
    json!({
        "assignment": id,
        "status": format!("{:?}", a.status),
        "request": a.request,
        "offer": a.offer,
        "escrow": a.escrow,
        "requester": a.requester.to_string(),
        "provider": a.provider.to_string(),
        "units": a.units,
        "price": plain_mmc(a.price),
        "amount": plain_mmc(a.amount()),
        "paid": plain_mmc(a.paid),
        "violations": {
            "response": a.violations.response,
            "execution": a.violations.execution,
            "stated": a.violations.stated,
        },
        "assigned_ms": a.assigned_ms,
        "ready_ms": a.ready_ms,
        "started_ms": a.started_ms,
        "completed_ms": a.completed_ms,
        "complete_by_ms": a.complete_by_ms,
        "ended_ms": a.ended_ms,
    })
}

/// The same as lines for people: one per field.
pub fn lines(json: Value) -> Reply {
    let mut text = String::new();
    if let Value::Object(fields) = &json {
        for (name, value) in fields {
            let value = match value {
                Value::String(value) => value.clone(),
                other => other.to_string(),
            };
            text += &format!("{name:<16} {value}\n");
        }
    }
    Reply::new(text, json)
}

async fn request(context: &Context, id: u64) -> Outcome {
    let record = context.market.request(id).await?;
    let status = context.market.auction_status(id).await?;
    let terms = &record.terms;
    let privacy = match &terms.privacy {
        Privacy::Public { payload } => format!("public {}", String::from_utf8_lossy(payload)),
        Privacy::Private { commitment } => format!("private {commitment}"),
        Privacy::Confidential { commitment, capability, .. } => {
            format!("confidential {commitment}, needs {}", capability.as_str())
        }
    };
    let assignments: Vec<u64> =
        assignments_of(context, id).await?.into_iter().map(|(id, _)| id).collect();
    let names = |names: &[Name]| names.iter().map(|n| n.as_str().to_owned()).collect::<Vec<_>>();
    Ok(lines(json!({
        "request": id,
        "auction": format!("{status:?}"),
        "requester": record.requester.to_string(),
        "task_type": terms.task_type.as_str(),
        "units": terms.units,
        "left": record.left,
        "least_take": record.least_take(),
        "max_price": plain_mmc(terms.max_price),
        "locked": plain_mmc(record.budget),
        "capabilities": names(&terms.capabilities),
        "privacy": privacy,
        "ends_ms": record.ends_ms(),
        "waiting": record.line.len(),
        "assignments": assignments,
    })))
}

async fn offer(context: &Context, id: u64) -> Outcome {
    let record = context.market.offer(id).await?;
    let terms = &record.terms;
    Ok(lines(json!({
        "offer": id,
        "provider": record.provider.to_string(),
        "task_type": terms.task_type.as_str(),
        "units": terms.units,
        "left": record.left,
        "price": plain_mmc(terms.price),
        "bond": plain_mmc(terms.bond),
        "firm_from": terms.firm_from.map(plain_mmc),
        "expires_ms": terms.expires_ms,
        "payload_key": format!("0x{}", hex::encode(terms.payload_key)),
        "closed": record.closed,
    })))
}

/// `cicada71 escrow show`.
pub async fn escrow(context: &Context, id: u64) -> Outcome {
    let market = &context.market;
    let (summary, terms) = (market.escrow(id).await?, market.terms(id).await?);
    let votes: Vec<Value> = market
        .votes(id)
        .await?
        .iter()
        .map(|vote| json!({ "by": vote.by.to_string(), "verdict": format!("{:?}", vote.verdict) }))
        .collect();
    let evidence = market.evidence(id, summary.milestone).await?;
    let evidence: Vec<String> = evidence
        .iter()
        .map(|e| format!("{:?} {}", e.by, String::from_utf8_lossy(&e.cid)))
        .collect();
    let members: Vec<String> = terms.panel.members.iter().map(Account::to_string).collect();
    Ok(lines(json!({
        "escrow": id,
        "state": format!("{:?}", summary.state),
        "ending": summary.ending.map(|ending| format!("{ending:?}")),
        "requester": summary.requester.to_string(),
        "provider": summary.provider.to_string(),
        "operator": summary.operator,
        "amount": plain_mmc(summary.amount),
        "locked": plain_mmc(summary.locked),
        "provider_paid": plain_mmc(summary.provider_paid),
        "requester_paid": plain_mmc(summary.requester_paid),
        "due_ms": summary.due_ms,
        "rule": format!("{:?}", terms.rule),
        "part": summary.milestone,
        "panel": {
            "required": terms.panel.required, "members": members, "fee_bps": terms.panel.fee_bps,
        },
        "fallback": format!("{:?}", terms.fallback),
        "raised_by": summary.raised_by.map(|side| format!("{side:?}")),
        "votes": votes,
        "evidence": evidence,
        "result": summary.result,
        "audit_entries": summary.audit_len,
        "audit_head": summary.audit_head,
    })))
}

/// `cicada71 escrow audit`: the log, and whether its chain of hashes holds.
pub async fn audit(context: &Context, id: u64) -> Outcome {
    let audit = context.market.audit(id).await?;
    let mut text = String::new();
    let mut entries = Vec::new();
    for (index, entry) in audit.entries.iter().enumerate() {
        let (action, actor) = (format!("{:?}", entry.action), entry.actor.to_string());
        let (from, to) = (format!("{:?}", entry.from), format!("{:?}", entry.to));
        let time = entry.time_ms;
        text += &format!("{index:>3} {time} {action:<14} {from:>9} -> {to:<9} {actor}\n");
        entries.push(json!({
            "index": index, "action": action, "actor": actor, "from": from, "to": to,
            "time_ms": time, "detail": entry.detail,
        }));
    }
    let holds = audit.holds();
    let (head, recomputed) = (audit.head, audit.recomputed);
    text += &match holds {
        true => format!("the chain of hashes holds: {} entries, head {head}", entries.len()),
        false => {
            format!("THE CHAIN OF HASHES DOES NOT HOLD: contract {head}, entries {recomputed}")
        }
    };
    let json = json!({
        "escrow": id, "holds": holds, "head": head,
        "recomputed": recomputed, "entries": entries,
    });
    Ok(Reply { holds, ..Reply::new(text, json) })
}

/// `cicada71 price`.
pub async fn price(context: &Context, task_type: Name) -> Outcome {
    let Some(prices) = context.market.prices(&task_type).await? else {
        let text = format!("no job of {} was settled in the last 24 hours", task_type.as_str());
        return Err(crate::reply::Failure::NotFound(text));
    };
    Ok(lines(json!({
        "task_type": task_type.as_str(),
        "average": plain_mmc(prices.average),
        "vwap": plain_mmc(prices.vwap),
        "min": plain_mmc(prices.min),
        "max": plain_mmc(prices.max),
        "volume_units": prices.volume.to_string(),
        "jobs": prices.count,
    })))
}

/// `cicada71 reputation`.
pub async fn reputation(context: &Context, account: Account) -> Outcome {
    let summary = context.market.reputation(&account).await?;
    let (metrics, counts) = (summary.metrics, summary.counts);
    Ok(lines(json!({
        "account": account.to_string(),
        "points": summary.points,
        "score_bps": summary.score_bps,
        "reliability_bps": metrics.reliability_bps,
        "performance_bps": metrics.performance_bps,
        "fairness_bps": metrics.fairness_bps,
        "completed": counts.completed,
        "failed": counts.failed,
        "violations": counts.violations,
        "disputes_won": counts.disputes_won,
        "disputes_lost": counts.disputes_lost,
        "feedbacks": counts.feedbacks,
        "stars": counts.stars,
        "events": summary.events,
    })))
}

/// `cicada71 balance`.
pub async fn balance(context: &Context, account: Option<Account>) -> Outcome {
    let account = account.unwrap_or(context.own);
    let holdings = context.market.holdings(&account).await?;
    Ok(lines(json!({
        "account": account.to_string(),
        "available": plain_mmc(holdings.available),
        "locked": plain_mmc(holdings.locked),
        "claimable": plain_mmc(holdings.credit),
    })))
}

//! Waiting lines of requests: whoever stands in one gets nothing until somebody serves it.

use crate::context::Context;
use crate::reply::{Failure, Outcome, Reply};
use cicada_contracts::auction;
use cicada_core::market::matching::AUCTION_MS;
use cicada_core::market::{AuctionStatus, RequestRecord};
use cicada_program::now_ms;
use serde_json::json;

/// `cicada71 assign-next`: of one request, or of all whose line may be served.
pub async fn assign_next(context: &Context, request: Option<u64>) -> Outcome {
    if let Some(request) = request {
        let block = serve_line(context, request).await?;
        let text = format!("served the line of request {request}");
        return Ok(Reply::new(text, json!({ "request": request, "block": block })));
    }
    let (mut text, mut served, mut failed) = (String::new(), Vec::new(), Vec::new());
    for request in due_lines(context).await? {
        match serve_line(context, request).await {
            Ok(_) => {
                text += &format!("served the line of request {request}\n");
                served.push(request);
            }
            // Perhaps somebody else was quicker.
            Err(failure) => {
                text += &format!("the line of request {request}: {}\n", failure.text());
                failed.push(json!({ "request": request, "error": failure.text() }));
            }
        }
    }
    if text.is_empty() {
        text = "no line is due".into();
    }
    let holds = failed.is_empty();
    Ok(Reply { holds, ..Reply::new(text, json!({ "served": served, "failed": failed })) })
}

/// Gives units to whoever is first in line; the block in which that was done.
async fn serve_line(context: &Context, request: u64) -> Result<u64, Failure> {
    let serve = auction::assign_next(request);
    Ok(context.market.act(&serve, &context.signer).await?.block)
}

/// The open requests whose line may be served.
async fn due_lines(context: &Context) -> Result<Vec<u64>, Failure> {
    let market = &context.market;
    let priority_ms = market.parameters().await?.priority_ms;
    let (newest, _, _) = market.counts().await?;
    let mut due = Vec::new();
    for id in (1..=newest).rev() {
        let request = market.request(id).await?;
        let now_ms = now_ms();
        // Those before it were open for as long.
        if now_ms >= request.ends_ms().max(request.created_ms.saturating_add(AUCTION_MS)) {
            break;
        }
        if is_due(&request, priority_ms, now_ms) {
            due.push(id);
        }
    }
    due.reverse();
    Ok(due)
}

/// Whether somebody waits there, and may get units now.
fn is_due(request: &RequestRecord, priority_ms: u64, now_ms: u64) -> bool {
    let waits = !request.line.is_empty() && now_ms >= request.line_until_ms(priority_ms);
    waits && request.status(now_ms) != AuctionStatus::Closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::escrow::{Fallback, Panel};
    use cicada_core::hash::Digest;
    use cicada_core::market::{Privacy, Request, Waiting};
    use cicada_core::name::Name;
    use cicada_core::Account;

    fn request() -> RequestRecord {
        let terms = Request {
            task_type: Name::new("count").unwrap(),
            units: 500,
            min_units: Some(1),
            max_duration_ms: 60_000,
            hand_over_within_ms: 60_000,
            capabilities: vec![],
            min_reputation: None,
            privacy: Privacy::Private { commitment: Digest::ZERO },
            max_price: 300_000,
            min_bond: 0,
            sla: None,
            deadline_ms: 500_000,
            panel: Panel::NONE,
            review_ms: 3_600_000,
            dispute_ms: 3_600_000,
            fallback: Fallback::Release,
        };
        let line = vec![Waiting {
            offer: 1,
            provider: Account([2; 32]),
            units: 9,
            min_price: 1,
            points: 50,
        }];
        RequestRecord {
            requester: Account([1; 32]),
            terms,
            reserve: 0,
            budget: 0,
            created_ms: 1_000,
            left: 500,
            assigned: 0,
            running: 0,
            moved_ms: 0,
            closed: false,
            line,
        }
    }

    #[test]
    fn a_line_is_due_while_there_is_something_to_get() {
        let due = |edit: fn(&mut RequestRecord), now_ms| {
            let mut request = request();
            edit(&mut request);
            is_due(&request, 30_000, now_ms)
        };
        assert!(due(|_| (), 31_000) && due(|_| (), 499_999));
        assert!(!due(|_| (), 30_999), "others may still come before them");
        assert!(!due(|_| (), 500_000), "its deadline");
        assert!(!due(|request| request.line.clear(), 31_000));
        assert!(!due(|request| request.left = 0, 31_000));
        assert!(!due(|request| request.closed = true, 31_000));
    }
}

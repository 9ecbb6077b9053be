//! What must hold after each operation. These sentences are not those of the code, nor of the model,
//! which repeats the code: who has not delivered is not paid, nobody gains by his own dispute,
//! nobody bears a fault that the other side made.

use super::{Op, Step};
use crate::model::{is_final, Deal, Model};
use cicada_core::escrow::{Act, Ending, Side, State};
use cicada_core::market::{Assignment, Status};
use cicada_core::reputation::Event;
use cicada_core::Account;
use std::collections::BTreeSet;

/// What does not hold, in words, after `op` has made `after` of `before`.
pub fn broken(op: &Op, before: &Model, after: &Model) -> Vec<String> {
    let mut found = Vec::new();
    for (id, now) in &after.escrows {
        let Some(then) = before.escrows.get(id).filter(|then| *then != now) else { continue };
        found.extend(
            of_escrow(op, then, now, after.now_ms)
                .into_iter()
                .map(|what| format!("escrow {id}: {what}")),
        );
    }
    for (id, now) in &after.assignments {
        let Some(then) = before.assignments.get(id) else { continue };
        if is_final(now.status) && !is_final(then.status) {
            let broken = of_end((before, after), then, now);
            found.extend(broken.into_iter().map(|what| format!("job {id}: {what}")));
        }
    }
    found.extend(of_places(after));
    found
}

fn of_escrow(op: &Op, then: &Deal, now: &Deal, after_ms: u64) -> Vec<&'static str> {
    let mut found = Vec::new();
    let paid = now.to_provider - then.to_provider;
    let delivered = matches!(then.state, State::Completed | State::Disputed);
    let somebody_said_so = matches!(
        op,
        Op::Act { act: Act::Decide { .. } | Act::Settle(_), .. }
            | Op::Signed(_)
            | Op::Job { step: Step::Settle(_), .. }
    );
    if paid > 0 && !delivered && !somebody_said_so {
        found.push("paid for what was not delivered, and nobody said so");
    }
    if now.state == State::Disputed && !delivered {
        found.push("a dispute stops work that is not delivered");
    }
    if then.state == State::Disputed && matches!(op, Op::Act { act: Act::Expire, .. }) {
        if after_ms < then.silent_until_ms {
            found.push("a dispute pays before silence would have");
        }
        // Silence would have paid the part, less what was measured.
        let by_silence = then.amount() - then.deduction;
        let back = now.to_requester - then.to_requester;
        match then.raised_by {
            Some(Side::Provider) if paid > by_silence => found.push("he gains by his dispute"),
            Some(Side::Requester) if back > then.deduction.max(then.reported) => {
                found.push("he gets back by his dispute what he owed");
            }
            _ => {}
        }
    }
    let paid_out = |deal: &Deal| deal.to_provider + deal.to_requester;
    if then.part != now.part && paid_out(now) == paid_out(then) {
        found.push("went on to the next part without paying for this one");
    }
    found
}

/// Whether somebody lost points.
fn lost_points(who: Account, before: &Model, after: &Model) -> bool {
    let count = before.history.get(&who).map_or(0, Vec::len);
    let mut new = after.history.get(&who).into_iter().flatten().skip(count);
    new.any(|(_, event)| {
        matches!(event, Event::Failed | Event::DisputeLost | Event::SlaViolated { .. })
    })
}

/// Whether somebody won a dispute.
fn gained(who: Account, before: &Model, after: &Model) -> bool {
    let count = before.history.get(&who).map_or(0, Vec::len);
    let mut new = after.history.get(&who).into_iter().flatten().skip(count);
    new.any(|(_, event)| *event == Event::DisputeWon)
}

/// What the requester got beside the money of the job and of his request: the bond.
fn bond_of(before: &Model, after: &Model, job: &Assignment) -> i128 {
    let signed = |amount: u128| i128::try_from(amount).expect("amounts of the test are small");
    let reserve = before.requests[&job.request].reserve;
    let more = |of: &dyn Fn(&Model) -> u128| signed(of(after)) - signed(of(before));
    more(&|model| model.balance(job.requester))
        - more(&|model| model.escrows[&job.escrow].to_requester)
        + more(&|model| model.reserves[&reserve].balance)
}

fn of_end(
    (before, after): (&Model, &Model),
    then: &Assignment,
    now: &Assignment,
) -> Vec<&'static str> {
    let mut found = Vec::new();
    let deal = &after.escrows[&now.escrow];
    let delivered = now.completed_ms.is_some_and(|at| at < now.complete_by_ms);
    let kept = !now.violations.response && !now.violations.execution;
    let judged_worthless = deal.ending == Some(Ending::Voted { provider_share: 0 });
    let taken_back = deal.state == State::Refunded;
    let failed = after.outcomes.len() > before.outcomes.len()
        && after.outcomes.last().is_some_and(|outcome| !outcome.well);
    let mark = failed || lost_points(now.provider, before, after);
    let bond = bond_of(before, after, now);
    let whole = after.offers[&now.offer].terms.bond * u128::from(now.units);

    if delivered && kept && !judged_worthless && !taken_back {
        if mark {
            found.push("who delivered in time what was asked for has a mark");
        }
        if bond != 0 {
            found.push("who delivered in time lost bond");
        }
    }
    let measured = now.violations.response || now.violations.execution;
    let won_against = deal.raised_by == Some(Side::Requester) && deal.state == State::Resolved;
    if delivered && measured && !mark && !won_against {
        found.push("a level was missed, and whose dispute ever washed it away");
    }
    let requesters_loss = lost_points(now.requester, before, after);
    if requesters_loss && deal.raised_by != Some(Side::Requester) {
        found.push("the requester lost points by a dispute that he did not raise");
    }
    let won = gained(now.provider, before, after);
    if won && deal.raised_by != Some(Side::Requester) {
        found.push("the provider won a dispute of his own");
    }
    let overdue = now.completed_ms.is_none() && after.now_ms >= then.complete_by_ms;
    let undone = matches!(then.status, Status::Assigned | Status::InProgress);
    let in_time = deal.ending == Some(Ending::Decided) && deal.since_ms < then.complete_by_ms;
    if undone && overdue && !in_time && now.status != Status::Gift && bond.unsigned_abs() != whole {
        found.push("his own time is over, and the bond is not the requester's");
    }
    if now.completed_ms.is_none() && now.paid > 0 && now.status != Status::Gift {
        found.push("paid without a delivery");
    }
    if then.status == Status::AwaitingPayload && (mark || bond != 0) {
        found.push("blamed for a payload that never came");
    }
    let too_late = deal.ending == Some(Ending::TimedOut) && taken_back;
    if too_late && then.status != Status::AwaitingPayload && bond.unsigned_abs() != whole {
        found.push("nothing delivered at the deadline, and the bond is not the requester's");
    }
    let at_once = now.ended_ms.is_some_and(|at| at <= now.ready_ms + 60_000)
        && now.complete_by_ms - now.ready_ms > 10 * 60_000;
    if now.status == Status::Declined && at_once && (mark || bond != 0) {
        found.push("handed back at once, and a mark for it");
    }
    found
}

/// One place of a provider in a request.
fn of_places(after: &Model) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice =
        after.assignments.iter().filter(|(_, job)| !seen.insert((job.request, job.provider)));
    twice.map(|(id, _)| format!("job {id}: the provider has two places in one request")).collect()
}

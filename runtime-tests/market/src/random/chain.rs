//! Operations on the real contracts.

use super::{Op, SignedOp, Step, What};
use crate::model::{why, Answer};
use crate::stage::Stage;
use cicada_core::escrow::Act;
use cicada_core::hash::Native;
use cicada_core::reputation::Event;
use cicada_core::Account;
use cicada_runtime_tests::message::Message;
use cicada_runtime_tests::{address, on, AccountId, Key};
use cicada_traits::auction::Auction;
use cicada_traits::escrow::{Escrow, EscrowOperator};
use cicada_traits::psp22::PSP22;
use cicada_traits::reputation::{Reputation, Writers};
use escrow::escrow::EscrowAdvanced;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What an operation did on the chain.
pub struct Done {
    /// The number of what it made, or why it was refused: one error.
    pub answer: Answer,
    /// The entries of escrows' logs that it made.
    pub advances: Vec<EscrowAdvanced>,
}

/// Somebody who sends one message.
struct Sender<'a> {
    stage: &'a mut Stage,
    by: Account,
}

impl Sender<'_> {
    fn send<M, T, E>(self, message: M, number: impl Fn(T) -> Option<u64>) -> Done
    where
        M: Message<Output = Result<T, E>>,
        E: Debug,
    {
        match self.stage.world.as_(AccountId::from(self.by.0)).try_call(message) {
            Err(refusal) => {
                Done { answer: Err(vec![format!("the chain: {refusal}")]), advances: Vec::new() }
            }
            Ok(receipt) => {
                let advances = receipt.events(&self.stage.escrow);
                let answer = receipt.value.map(number).map_err(|error| vec![why(error)]);
                Done { answer, advances }
            }
        }
    }

    fn just<M, E>(self, message: M) -> Done
    where
        M: Message<Output = Result<(), E>>,
        E: Debug,
    {
        self.send(message, |()| None)
    }
}

/// Does it.
pub fn run(stage: &mut Stage, keys: &BTreeMap<Account, Key>, op: &Op) -> Done {
    let (token, escrow) = (stage.token.clone(), stage.escrow.clone());
    let (auction, reputation) = (stage.auction.clone(), stage.reputation.clone());
    if let Op::Clock { at_ms } = op {
        stage.world.at(*at_ms);
        return Done { answer: Ok(None), advances: Vec::new() };
    }
    // Moves the stage: one message is sent.
    let as_ = move |by: Account| {
        let stage = stage;
        Sender { stage, by }
    };
    let id = |account: Account| AccountId::from(account.0);
    match op.clone() {
        Op::Clock { .. } => unreachable!("done above"),
        Op::Transfer { by, to, amount } => {
            as_(by).just(on(&token).transfer(id(to), amount, Vec::new()))
        }
        Op::TransferFrom { by, from, to, amount } => {
            as_(by).just(on(&token).transfer_from(id(from), id(to), amount, Vec::new()))
        }
        Op::Approve { by, spender, amount } => {
            as_(by).just(on(&token).approve(id(spender), amount))
        }
        Op::SetOperator { by, operator, allowed } => {
            as_(by).just(on(&escrow).set_operator(id(operator), allowed))
        }
        Op::Create { by, terms } => as_(by).send(on(&escrow).create(terms), Some),
        Op::CreateFunded { by, terms } => as_(by).send(on(&escrow).create_funded(terms), Some),
        Op::Claim { by } => as_(by).send(on(&escrow).claim(address(&token)), |_| None),
        Op::CloseReserve { by, reserve } => {
            as_(by).send(on(&escrow).close_reserve(reserve), |_| None)
        }
        Op::Act { by, id, act } => act_on(as_(by), id, act),
        Op::Signed(signed) => bring(as_(signed.by), keys, &signed),
        Op::Reserve { by, owner, token, amount } => {
            as_(by).send(on(&escrow).reserve(id(owner), id(token), amount), Some)
        }
        Op::Spend { by, reserve, to, amount } => {
            as_(by).just(on(&escrow).spend(reserve, id(to), amount))
        }
        Op::Draw { by, reserve, terms } => as_(by).send(on(&escrow).draw(reserve, terms), Some),
        Op::Request { by, terms } => as_(by).send(on(&auction).request(terms), Some),
        Op::Offer { by, terms } => as_(by).send(on(&auction).offer(terms), Some),
        Op::Accept { by, request, offer, units, min_price } => {
            as_(by).send(on(&auction).accept(request, offer, units, min_price), |made| made)
        }
        Op::AssignNext { by, request } => {
            as_(by).send(on(&auction).assign_next(request), |made| made)
        }
        Op::Close { by, what, id } => match what {
            What::CancelRequest => as_(by).just(on(&auction).cancel_request(id)),
            What::CancelOffer => as_(by).just(on(&auction).cancel_offer(id)),
            What::CloseRequest => as_(by).just(on(&auction).close_request(id)),
            What::CloseOffer => as_(by).just(on(&auction).close_offer(id)),
        },
        Op::Job { by, id, step } => step_of(as_(by), id, step),
        Op::Record { by, about } => {
            as_(by).just(on(&reputation).record(id(about), vec![Event::Completed]))
        }
        Op::SetWriter { by, writer } => as_(by).just(on(&reputation).set_writer(id(writer), true)),
    }
}

fn act_on(sender: Sender<'_>, id: u64, act: Act) -> Done {
    let escrow = sender.stage.escrow.clone();
    match act {
        Act::Fund(terms) => sender.just(on(&escrow).fund(id, terms)),
        Act::Complete { milestone, result } => {
            sender.just(on(&escrow).complete(id, milestone, result))
        }
        Act::CompleteFor { milestone, result, deduction } => {
            sender.just(on(&escrow).complete_for(id, milestone, result, deduction))
        }
        Act::Decide { part, decision } => sender.just(on(&escrow).decide(id, part, decision)),
        Act::Raise { milestone, evidence } => {
            sender.just(on(&escrow).raise_dispute(id, milestone, evidence))
        }
        Act::AddEvidence(cid) => sender.just(on(&escrow).add_evidence(id, cid)),
        Act::Report { milestone, deduction } => {
            sender.just(on(&escrow).report(id, milestone, deduction))
        }
        Act::Vote { milestone, verdict } => sender.just(on(&escrow).vote(id, milestone, verdict)),
        Act::Expire => sender.just(on(&escrow).expire(id)),
        Act::Settle(share) => sender.just(on(&escrow).settle(id, share)),
        Act::Create(_) | Act::Draw { .. } | Act::DecideSigned { .. } => unreachable!("other ops"),
    }
}

fn bring(sender: Sender<'_>, keys: &BTreeMap<Account, Key>, op: &SignedOp) -> Done {
    let escrow = sender.stage.escrow.clone();
    let signature = keys[&op.key].sign(&op.signed.digest::<Native>().0);
    let signer = AccountId::from(op.signer.0);
    sender.just(on(&escrow).decide_signed(
        op.id,
        op.part,
        op.decision,
        signer,
        op.nonce,
        op.expires_ms,
        signature,
    ))
}

fn step_of(sender: Sender<'_>, id: u64, step: Step) -> Done {
    let auction = sender.stage.auction.clone();
    match step {
        Step::HandOver(payload) => sender.just(on(&auction).hand_over(id, payload)),
        Step::Start => sender.just(on(&auction).start(id)),
        Step::Decline => sender.just(on(&auction).decline(id)),
        Step::Complete(result) => sender.just(on(&auction).complete(id, result)),
        Step::Settle(report) => sender.just(on(&auction).settle(id, report)),
        Step::Report(report) => sender.just(on(&auction).report(id, report)),
        Step::Finalize => sender.just(on(&auction).finalize(id)),
        Step::Feedback(stars) => sender.just(on(&auction).feedback(id, stars)),
    }
}

//! What people can do.

use cicada_core::escrow::{Act, Decision, Part, SignedDecision, Terms};
use cicada_core::hash::Digest;
use cicada_core::market::{HandOver, Offer, Request};
use cicada_core::sla::QualityReport;
use cicada_core::Account;

/// A step of a run: a message of one of the contracts, or the clock.
#[derive(Clone, Debug)]
pub enum Op {
    /// A block at this time.
    Clock { at_ms: u64 },
    /// `token.transfer`
    Transfer { by: Account, to: Account, amount: u128 },
    /// `token.transfer_from`
    TransferFrom { by: Account, from: Account, to: Account, amount: u128 },
    /// `token.approve`
    Approve { by: Account, spender: Account, amount: u128 },
    /// `escrow.set_operator`
    SetOperator { by: Account, operator: Account, allowed: bool },
    /// `escrow.create`
    Create { by: Account, terms: Terms },
    /// `escrow.create_funded`
    CreateFunded { by: Account, terms: Terms },
    /// `escrow.claim`
    Claim { by: Account },
    /// `escrow.close_reserve`
    CloseReserve { by: Account, reserve: u64 },
    /// Any other plain message of escrow about one escrow, named by its act; those that only
    /// operators may send included.
    Act { by: Account, id: u64, act: Act },
    /// `escrow.decide_signed`
    Signed(SignedOp),
    /// `escrow.reserve`
    Reserve { by: Account, owner: Account, token: Account, amount: u128 },
    /// `escrow.spend`
    Spend { by: Account, reserve: u64, to: Account, amount: u128 },
    /// `escrow.draw`
    Draw { by: Account, reserve: u64, terms: Terms },
    /// `auction.request`
    Request { by: Account, terms: Request },
    /// `auction.offer`
    Offer { by: Account, terms: Offer },
    /// `auction.accept`
    Accept { by: Account, request: u64, offer: u64, units: u64, min_price: u128 },
    /// `auction.assign_next`
    AssignNext { by: Account, request: u64 },
    /// `auction.cancel_request` and the like.
    Close { by: Account, what: What, id: u64 },
    /// A message of the auction about an assignment.
    Job { by: Account, id: u64, step: Step },
    /// `reputation.record`, by somebody who is no writer.
    Record { by: Account, about: Account },
    /// `reputation.set_writer`, by somebody who is not the owner.
    SetWriter { by: Account, writer: Account },
}

/// A signed decision and what is said about it.
#[derive(Clone, Debug)]
pub struct SignedOp {
    /// Who brings it.
    pub by: Account,
    /// For which escrow.
    pub id: u64,
    /// About which part it is said to be.
    pub part: Part,
    /// Which decision it is said to be.
    pub decision: Decision,
    /// Whose it is said to be.
    pub signer: Account,
    /// Its number, as said.
    pub nonce: u64,
    /// Its end, as said.
    pub expires_ms: u64,
    /// What was really signed.
    pub signed: SignedDecision,
    /// Whose key signed it.
    pub key: Account,
}

/// What is taken out of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A request, by its requester.
    CancelRequest,
    /// An offer, by its provider.
    CancelOffer,
    /// A request whose time is over, by anybody.
    CloseRequest,
    /// An offer whose time is over, by anybody.
    CloseOffer,
}

/// What is done to an assignment.
#[derive(Clone, Debug)]
pub enum Step {
    /// `hand_over`
    HandOver(HandOver),
    /// `start`
    Start,
    /// `decline`
    Decline,
    /// `complete`
    Complete(Digest),
    /// `settle`
    Settle(Option<QualityReport>),
    /// `report`
    Report(QualityReport),
    /// `finalize`
    Finalize,
    /// `feedback`
    Feedback(u8),
}

impl Op {
    /// The contract and the message, for statistics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Clock { .. } => "clock",
            Self::Transfer { .. } => "token.transfer",
            Self::TransferFrom { .. } => "token.transfer_from",
            Self::Approve { .. } => "token.approve",
            Self::SetOperator { .. } => "escrow.set_operator",
            Self::Create { .. } => "escrow.create",
            Self::CreateFunded { .. } => "escrow.create_funded",
            Self::Claim { .. } => "escrow.claim",
            Self::CloseReserve { .. } => "escrow.close_reserve",
            Self::Act { act, .. } => act_kind(act),
            Self::Signed(_) => "escrow.decide_signed",
            Self::Reserve { .. } => "escrow.reserve",
            Self::Spend { .. } => "escrow.spend",
            Self::Draw { .. } => "escrow.draw",
            Self::Request { .. } => "auction.request",
            Self::Offer { .. } => "auction.offer",
            Self::Accept { .. } => "auction.accept",
            Self::AssignNext { .. } => "auction.assign_next",
            Self::Close { what, .. } => match what {
                What::CancelRequest => "auction.cancel_request",
                What::CancelOffer => "auction.cancel_offer",
                What::CloseRequest => "auction.close_request",
                What::CloseOffer => "auction.close_offer",
            },
            Self::Job { step, .. } => step_kind(step),
            Self::Record { .. } => "reputation.record",
            Self::SetWriter { .. } => "reputation.set_writer",
        }
    }

    /// Who does it; nobody moves the clock.
    pub fn by(&self) -> Option<Account> {
        match self {
            Self::Clock { .. } => None,
            Self::Signed(signed) => Some(signed.by),
            Self::Transfer { by, .. }
            | Self::TransferFrom { by, .. }
            | Self::Approve { by, .. }
            | Self::SetOperator { by, .. }
            | Self::Create { by, .. }
            | Self::CreateFunded { by, .. }
            | Self::Claim { by }
            | Self::CloseReserve { by, .. }
            | Self::Act { by, .. }
            | Self::Reserve { by, .. }
            | Self::Spend { by, .. }
            | Self::Draw { by, .. }
            | Self::Request { by, .. }
            | Self::Offer { by, .. }
            | Self::Accept { by, .. }
            | Self::AssignNext { by, .. }
            | Self::Close { by, .. }
            | Self::Job { by, .. }
            | Self::Record { by, .. }
            | Self::SetWriter { by, .. } => Some(*by),
        }
    }

    /// Somebody else does it.
    pub fn by_another(&mut self, other: Account) {
        match self {
            Self::Clock { .. } => {}
            Self::Signed(signed) => signed.key = other,
            Self::Transfer { by, .. }
            | Self::TransferFrom { by, .. }
            | Self::Approve { by, .. }
            | Self::SetOperator { by, .. }
            | Self::Create { by, .. }
            | Self::CreateFunded { by, .. }
            | Self::Claim { by }
            | Self::CloseReserve { by, .. }
            | Self::Act { by, .. }
            | Self::Reserve { by, .. }
            | Self::Spend { by, .. }
            | Self::Draw { by, .. }
            | Self::Request { by, .. }
            | Self::Offer { by, .. }
            | Self::Accept { by, .. }
            | Self::AssignNext { by, .. }
            | Self::Close { by, .. }
            | Self::Job { by, .. }
            | Self::Record { by, .. }
            | Self::SetWriter { by, .. } => *by = other,
        }
    }

    /// The same about the escrow, request, offer, assignment or reserve of another number.
    pub fn about_another(&mut self, other: u64) {
        match self {
            Self::Act { id, .. } | Self::Close { id, .. } | Self::Job { id, .. } => *id = other,
            Self::Signed(signed) => signed.id = other,
            Self::Spend { reserve, .. }
            | Self::Draw { reserve, .. }
            | Self::CloseReserve { reserve, .. } => *reserve = other,
            Self::Accept { request, offer, .. } => {
                *(if other.is_multiple_of(2) { request } else { offer }) = other;
            }
            Self::AssignNext { request, .. } => *request = other,
            _ => {}
        }
    }
}

fn act_kind(act: &Act) -> &'static str {
    match act {
        Act::Fund(_) => "escrow.fund",
        Act::Complete { .. } => "escrow.complete",
        Act::CompleteFor { .. } => "escrow.complete_for",
        Act::Decide { .. } => "escrow.decide",
        Act::Raise { .. } => "escrow.raise_dispute",
        Act::AddEvidence(_) => "escrow.add_evidence",
        Act::Report { .. } => "escrow.report",
        Act::Vote { .. } => "escrow.vote",
        Act::Expire => "escrow.expire",
        Act::Settle(_) => "escrow.settle",
        Act::Create(_) | Act::Draw { .. } | Act::DecideSigned { .. } => unreachable!("other ops"),
    }
}

fn step_kind(step: &Step) -> &'static str {
    match step {
        Step::HandOver(_) => "auction.hand_over",
        Step::Start => "auction.start",
        Step::Decline => "auction.decline",
        Step::Complete(_) => "auction.complete",
        Step::Settle(_) => "auction.settle",
        Step::Report(_) => "auction.report",
        Step::Finalize => "auction.finalize",
        Step::Feedback(_) => "auction.feedback",
    }
}

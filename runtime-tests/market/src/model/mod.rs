//! A plain model of token, escrow, reputation and market: what the specification says, said
//! again without a thought for storage, size or speed.
//!
//! Nothing here calls the rules in `cicada_core`; only its types are used, so that a view of a
//! contract can be compared with the model's record as it is. Figures that the contracts keep up
//! to date (points, prices, shares of success, sums of what is locked) are computed from the whole
//! history each time they are asked for.
//!
//! Checks are collected rather than ordered: an operation that is wrong in several ways may be
//! refused for any of them, but for nothing else.

mod audit;
mod deal;
mod history;
mod jobs;
mod market;
mod money;
mod operator;
mod terms;
mod valid;

pub use audit::{head as log_digest, of_terms};
pub use deal::Deal;
pub use history::{Fill, Outcome};
pub use jobs::is_final;

use crate::random::Op;
use cicada_core::escrow::{Limits, Reserve, Side};
use cicada_core::hash::Digest;
use cicada_core::market::{Assignment, HandOver, OfferRecord, Parameters, RequestRecord};
use cicada_core::reputation::Event;
use cicada_core::Account;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Why an operation is refused: the contracts' errors, as `Debug` writes them. Any of them will do.
pub type Faults = Vec<String>;

/// What an operation gives: the number of what it made, if it made something.
pub type Answer = Result<Option<u64>, Faults>;

/// Where the contracts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// The currency.
    pub token: Account,
    /// Escrow.
    pub escrow: Account,
    /// Reputation.
    pub reputation: Account,
    /// The market.
    pub auction: Account,
}

/// What was fixed at the start.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Where the contracts are.
    pub places: Places,
    /// The chain that signed decisions bind.
    pub genesis: Digest,
    /// Parameters of the market.
    pub market: Parameters,
    /// What the escrow contract permits.
    pub limits: Limits,
    /// When the first epoch of reputation began.
    pub epoch_start_ms: u64,
    /// How long an epoch is.
    pub epoch_ms: u64,
    /// What each takes off the distance to the start, in basis points.
    pub decay_bps: u16,
    /// Planted in the harness's own test: deadlines one millisecond too late.
    pub late_by_one: bool,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Model {
    /// What was fixed at the start.
    pub setting: Setting,
    /// The time, in ms since 1970.
    pub now_ms: u64,
    /// What everybody holds of the currency.
    pub balances: BTreeMap<Account, u128>,
    /// What owners allow spenders.
    pub allowances: BTreeMap<(Account, Account), u128>,
    /// Who (owner, operator) may act for whom.
    pub operators: BTreeSet<(Account, Account)>,
    /// Escrows by number.
    pub escrows: BTreeMap<u64, Deal>,
    /// Reserves by number.
    pub reserves: BTreeMap<u64, Reserve>,
    /// What arbitrators can claim.
    pub credits: BTreeMap<Account, u128>,
    /// Requests by number.
    pub requests: BTreeMap<u64, RequestRecord>,
    /// Offers by number.
    pub offers: BTreeMap<u64, OfferRecord>,
    /// Assignments by number.
    pub assignments: BTreeMap<u64, Assignment>,
    /// Who has or had a place in which request.
    pub placed: BTreeSet<(u64, Account)>,
    /// What was handed over, by assignment.
    pub payloads: BTreeMap<u64, HandOver>,
    /// Every event of everybody's reputation, with its time.
    pub history: BTreeMap<Account, Vec<(u64, Event)>>,
    /// Every job that made a price.
    pub fills: Vec<Fill>,
    /// Every job that counted for or against a provider.
    pub outcomes: Vec<Outcome>,
}

/// One fault, as the contract would say it.
pub fn why(error: impl Debug) -> String {
    format!("{error:?}")
}

/// Collects faults.
#[derive(Default)]
pub struct Check(Faults);

impl Check {
    /// Notes the error if the condition holds.
    pub fn refuse(&mut self, condition: bool, error: impl Debug) {
        if condition {
            self.0.push(why(error));
        }
    }

    /// Notes all of these.
    pub fn refuse_all(&mut self, faults: Faults) {
        self.0.extend(faults);
    }

    /// Whether nothing was wrong.
    ///
    /// # Errors
    /// What was.
    pub fn done(self) -> Result<(), Faults> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}

impl Model {
    /// Nothing has happened yet.
    pub fn new(setting: Setting, now_ms: u64) -> Self {
        Self {
            setting,
            now_ms,
            balances: BTreeMap::new(),
            allowances: BTreeMap::new(),
            operators: BTreeSet::new(),
            escrows: BTreeMap::new(),
            reserves: BTreeMap::new(),
            credits: BTreeMap::new(),
            requests: BTreeMap::new(),
            offers: BTreeMap::new(),
            assignments: BTreeMap::new(),
            placed: BTreeSet::new(),
            payloads: BTreeMap::new(),
            history: BTreeMap::new(),
            fills: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// The model after the operation, and what the operation gives. What is refused changes
    /// nothing.
    pub fn after(&self, op: &Op) -> (Self, Answer) {
        let mut next = self.clone();
        match next.apply(op) {
            Ok(answer) => (next, Ok(answer)),
            Err(faults) => (self.clone(), Err(faults)),
        }
    }

    fn apply(&mut self, op: &Op) -> Answer {
        match op {
            Op::Clock { at_ms } => {
                self.now_ms = *at_ms;
                Ok(None)
            }
            Op::Transfer { .. } | Op::TransferFrom { .. } | Op::Approve { .. } => {
                self.apply_token(op).map(|()| None)
            }
            Op::SetOperator { .. }
            | Op::Create { .. }
            | Op::CreateFunded { .. }
            | Op::Claim { .. }
            | Op::CloseReserve { .. }
            | Op::Act { .. }
            | Op::Signed(_)
            | Op::Reserve { .. }
            | Op::Spend { .. }
            | Op::Draw { .. } => self.apply_escrow(op),
            Op::Request { .. } | Op::Offer { .. } | Op::Accept { .. } | Op::AssignNext { .. } => {
                self.apply_market(op)
            }
            Op::Close { by, what, id } => self.close(*by, *what, *id).map(|()| None),
            Op::Job { by, id, step } => self.apply_job(*by, *id, step).map(|()| None),
            // Only the market may write, and nobody here owns the list.
            Op::Record { .. } => Err(vec!["NotWriter".to_owned()]),
            Op::SetWriter { .. } => Err(vec!["NotOwner".to_owned()]),
        }
    }

    /// The first moment at which a deadline counts as passed.
    pub fn passed(&self, deadline_ms: u64) -> bool {
        self.now_ms >= deadline_ms + u64::from(self.setting.late_by_one)
    }

    /// Where the log of an escrow starts.
    pub fn log_start(&self, escrow: u64) -> Digest {
        audit::start(self.setting.genesis, self.setting.places.escrow, escrow)
    }

    /// What the escrow contract holds of somebody: reserves, what he has funded, his deposits.
    pub fn locked_of(&self, who: Account, token: Account) -> u128 {
        let raiser = |deal: &Deal| match deal.raised_by {
            Some(Side::Provider) => deal.terms.provider,
            _ => deal.terms.requester,
        };
        let of_deal = |deal: &Deal| {
            let funded = if deal.terms.requester == who { deal.locked } else { 0 };
            funded + if raiser(deal) == who { deal.deposit } else { 0 }
        };
        let owned = |reserve: &&Reserve| reserve.owner == who && reserve.token == token;
        let deals = self.escrows.values().filter(|deal| deal.terms.token == token);
        let reserves = self.reserves.values().filter(owned);
        deals.map(of_deal).sum::<u128>() + reserves.map(|reserve| reserve.balance).sum::<u128>()
    }

    /// What the escrow contract holds for everybody.
    pub fn locked_in_all(&self) -> u128 {
        let deals: u128 = self.escrows.values().map(|deal| deal.locked + deal.deposit).sum();
        let reserves: u128 = self.reserves.values().map(|reserve| reserve.balance).sum();
        deals + reserves + self.credits.values().sum::<u128>()
    }
}

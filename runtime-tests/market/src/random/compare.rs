//! What contracts and model disagree about.

use super::{Op, What};
use crate::model::{why, Model};
use crate::stage::Stage;
use cicada_core::escrow::{Ballot, Holdings, MAX_PAGE};
use cicada_core::market::AuctionStatus;
use cicada_core::name::Name;
use cicada_core::Account;
use cicada_runtime_tests::{on, AccountId};
use cicada_traits::auction::AuctionView;
use cicada_traits::escrow::{Escrow, EscrowOperator};
use cicada_traits::psp22::PSP22;
use cicada_traits::reputation::Reputation;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// What is looked at.
#[derive(Default)]
pub struct Touched {
    people: BTreeSet<Account>,
    operators: BTreeSet<(Account, Account)>,
    escrows: BTreeSet<u64>,
    reserves: BTreeSet<u64>,
    requests: BTreeSet<u64>,
    offers: BTreeSet<u64>,
    assignments: BTreeSet<u64>,
    scores: BTreeSet<Account>,
    shares: BTreeSet<(Account, Name)>,
    tasks: BTreeSet<Name>,
}

/// The keys whose values differ.
fn changed<K: Ord + Clone, V: PartialEq>(a: &BTreeMap<K, V>, b: &BTreeMap<K, V>) -> BTreeSet<K> {
    let keys = a.keys().chain(b.keys());
    keys.filter(|key| a.get(key) != b.get(key)).cloned().collect()
}

impl Touched {
    /// What the operation is about, changed or not, and all that changed.
    pub fn by(op: &Op, before: &Model, after: &Model) -> Self {
        let mut touched = Self {
            people: changed(&before.balances, &after.balances)
                .union(&changed(&before.credits, &after.credits))
                .copied()
                .collect(),
            operators: before.operators.symmetric_difference(&after.operators).copied().collect(),
            escrows: changed(&before.escrows, &after.escrows),
            reserves: changed(&before.reserves, &after.reserves),
            requests: changed(&before.requests, &after.requests),
            offers: changed(&before.offers, &after.offers),
            assignments: changed(&before.assignments, &after.assignments),
            scores: changed(&before.history, &after.history),
            ..Self::default()
        };
        let owners = changed(&before.allowances, &after.allowances);
        touched.people.extend(owners.into_iter().map(|pair| pair.0));
        for outcome in &after.outcomes[before.outcomes.len()..] {
            touched.shares.insert((outcome.provider, outcome.task.clone()));
        }
        let fills = &after.fills[before.fills.len()..];
        touched.tasks.extend(fills.iter().map(|fill| fill.task.clone()));
        touched.add(op);
        touched.relatives(after);
        touched
    }

    fn add(&mut self, op: &Op) {
        match op {
            Op::Transfer { by, to, .. } => self.people.extend([*by, *to]),
            Op::TransferFrom { by, from, to, .. } => self.people.extend([*by, *from, *to]),
            Op::Approve { by, .. } => self.people.extend([*by]),
            Op::SetOperator { by, operator, .. } => self.operators.extend([(*by, *operator)]),
            Op::Create { terms, .. } | Op::CreateFunded { terms, .. } => {
                self.people.extend([terms.requester]);
            }
            Op::Claim { by } => self.people.extend([*by]),
            Op::Act { id, .. } => self.escrows.extend([*id]),
            Op::Signed(signed) => self.escrows.extend([signed.id]),
            Op::Reserve { by, owner, .. } => self.people.extend([*by, *owner]),
            Op::Spend { reserve, .. }
            | Op::Draw { reserve, .. }
            | Op::CloseReserve { reserve, .. } => {
                self.reserves.extend([*reserve]);
            }
            Op::Request { by, .. } | Op::Offer { by, .. } => self.people.extend([*by]),
            Op::Accept { request, offer, .. } => {
                self.requests.extend([*request]);
                self.offers.extend([*offer]);
            }
            Op::AssignNext { request, .. } => self.requests.extend([*request]),
            Op::Close { what: What::CancelRequest | What::CloseRequest, id, .. } => {
                self.requests.extend([*id]);
            }
            Op::Close { id, .. } => self.offers.extend([*id]),
            Op::Job { id, .. } => self.assignments.extend([*id]),
            Op::Record { about, .. } => self.scores.extend([*about]),
            Op::Clock { .. } | Op::SetWriter { .. } => {}
        }
    }

    /// Whom and what the touched things belong to.
    fn relatives(&mut self, model: &Model) {
        for id in &self.assignments {
            let Some(job) = model.assignments.get(id) else { continue };
            self.escrows.insert(job.escrow);
            self.requests.insert(job.request);
            self.offers.insert(job.offer);
        }
        let requests = self.requests.iter().filter_map(|id| model.requests.get(id));
        self.reserves.extend(requests.map(|request| request.reserve));
        for id in &self.reserves {
            self.people.extend(model.reserves.get(id).map(|reserve| reserve.owner));
        }
        for id in &self.escrows {
            let Some(deal) = model.escrows.get(id) else { continue };
            self.people.extend([deal.terms.requester, deal.terms.provider]);
        }
    }

    /// Everything.
    pub fn everything(model: &Model, people: &[Account]) -> Self {
        let names = || model.requests.values().map(|request| request.terms.task_type.clone());
        let shares = model.outcomes.iter().map(|one| (one.provider, one.task.clone()));
        Self {
            people: people.iter().copied().collect(),
            operators: model.operators.clone(),
            escrows: model.escrows.keys().copied().collect(),
            reserves: model.reserves.keys().copied().collect(),
            requests: model.requests.keys().copied().collect(),
            offers: model.offers.keys().copied().collect(),
            assignments: model.assignments.keys().copied().collect(),
            scores: people.iter().copied().collect(),
            shares: shares.collect(),
            tasks: names().collect(),
        }
    }
}

struct Compare<'a> {
    stage: &'a mut Stage,
    model: &'a Model,
    found: Vec<String>,
}

/// What contracts and model disagree about, among what is to be looked at, and what always holds.
pub fn differences(stage: &mut Stage, model: &Model, touched: &Touched) -> Vec<String> {
    let mut compare = Compare { stage, model, found: Vec::new() };
    compare.money(touched);
    touched.escrows.iter().for_each(|id| compare.escrow(*id));
    touched.requests.iter().for_each(|id| compare.request(*id));
    touched.offers.iter().for_each(|id| compare.offer(*id));
    touched.assignments.iter().for_each(|id| compare.assignment(*id));
    compare.standing(touched);
    compare.found
}

/// What only a look at everything shows: the supply, the counts, whole logs.
pub fn differences_in_all(stage: &mut Stage, model: &Model, people: &[Account]) -> Vec<String> {
    let mut found = differences(stage, model, &Touched::everything(model, people));
    let mut compare = Compare { stage, model, found: Vec::new() };
    compare.totals();
    model.escrows.keys().for_each(|id| compare.log(*id));
    found.append(&mut compare.found);
    found
}

impl Compare<'_> {
    fn same<T: Debug + PartialEq>(&mut self, what: impl Debug, chain: T, model: T) {
        if chain != model {
            self.found.push(format!("{what:?}:\n    chain {chain:?}\n    model {model:?}"));
        }
    }

    fn money(&mut self, touched: &Touched) {
        let (token, escrow) = (self.stage.token.clone(), self.stage.escrow.clone());
        let places = self.model.setting.places;
        let id = |account: Account| AccountId::from(account.0);
        for who in touched.people.iter().copied() {
            let chain = self.stage.world.read(on(&escrow).holdings(id(who), id(places.token)));
            let locked = self.model.locked_of(who, places.token);
            let credit = self.model.credits.get(&who).copied().unwrap_or(0);
            let model = Holdings { available: self.model.balance(who), locked, credit };
            self.same(("holdings", name_of(who)), chain, Ok(model));
            let allowed = on(&token).allowance(id(who), id(places.escrow));
            let chain = self.stage.world.read(allowed);
            self.same(("allowance", name_of(who)), chain, self.model.allowance(who, places.escrow));
        }
        for (what, contract) in [("escrow", places.escrow), ("auction", places.auction)] {
            let chain = self.stage.world.read(on(&token).balance_of(id(contract)));
            self.same(("money of", what), chain, self.model.balance(contract));
        }
        for reserve in &touched.reserves {
            let chain = self.stage.world.read(on(&escrow).reserve_of(*reserve));
            self.same(("reserve", reserve), chain, self.model.reserves.get(reserve).copied());
        }
        for (owner, operator) in touched.operators.iter().copied() {
            let chain = self.stage.world.read(on(&escrow).is_operator(id(owner), id(operator)));
            let model = self.model.operators.contains(&(owner, operator));
            self.same(("operator of", name_of(owner)), chain, model);
        }
    }

    fn escrow(&mut self, id: u64) {
        let contract = self.stage.escrow.clone();
        let chain = self.stage.world.read(on(&contract).summary(id));
        let Some(deal) = self.model.escrows.get(&id) else {
            return self.same(("escrow", id), chain, None);
        };
        self.same(("escrow", id), chain, Some(deal.summary(self.model.log_start(id))));
        if deal.log.len() == 1 {
            let chain = self.stage.world.read(on(&contract).terms(id));
            self.same(("terms", id), chain, Some(deal.terms.clone()));
            return;
        }
        let chain = self.stage.world.read(on(&contract).votes(id));
        let ballot = |(by, verdict): &(Account, _)| Ballot { by: *by, verdict: *verdict };
        self.same(("votes", id), chain, deal.shown_ballots().iter().map(ballot).collect());
        if deal.raised_by.is_some() {
            for milestone in 0..=deal.milestone() {
                let chain = self.stage.world.read(on(&contract).evidence(id, milestone));
                let model = deal.evidence.get(&milestone.into()).cloned().unwrap_or_default();
                self.same(("evidence", id, milestone), chain, model);
            }
        }
        for (signer, nonce) in &deal.nonces {
            let chain = self.stage.world.read(on(&contract).nonce(id, AccountId::from(signer.0)));
            self.same(("nonce", id, name_of(*signer)), chain, *nonce);
        }
    }

    /// The whole log, by pages.
    fn log(&mut self, id: u64) {
        let contract = self.stage.escrow.clone();
        let (mut chain, mut from) = (Vec::new(), 0);
        loop {
            let page = self.stage.world.read(on(&contract).audit(id, from, MAX_PAGE));
            from += MAX_PAGE;
            let last = page.len() < MAX_PAGE as usize;
            chain.extend(page);
            if last {
                break;
            }
        }
        self.same(("log", id), chain, self.model.escrows[&id].log.clone());
    }

    fn request(&mut self, id: u64) {
        let auction = self.stage.auction.clone();
        let model = self.model.requests.get(&id);
        let chain = self.stage.world.read(on(&auction).request_of(id));
        self.same(("request", id), chain, model.cloned());
        let status = model.map(|request| {
            if self.model.is_shut(request) {
                AuctionStatus::Closed
            } else if request.assigned > 0 {
                AuctionStatus::MinReached
            } else {
                AuctionStatus::Open
            }
        });
        let chain = self.stage.world.read(on(&auction).status_of(id));
        self.same(("status of request", id), chain, status);
    }

    fn offer(&mut self, id: u64) {
        let auction = self.stage.auction.clone();
        let chain = self.stage.world.read(on(&auction).offer_of(id));
        self.same(("offer", id), chain, self.model.offers.get(&id).cloned());
        // The price of this offer for the newest request, which is about as often right as wrong.
        let Some((request, asked)) = self.model.requests.last_key_value() else { return };
        let Some(offer) = self.model.offers.get(&id) else { return };
        let (price, faults) = self.model.qualify(*request, asked, offer, (u64::MAX, 0));
        match self.stage.world.read(on(&auction).quote(*request, id)) {
            Ok(quoted) if faults.is_empty() => self.same(("quote", request, id), quoted, price),
            Ok(quoted) => self.found.push(format!("quote of {id}: {quoted}, not {faults:?}")),
            Err(error) if faults.contains(&why(error)) => {}
            Err(error) => self.found.push(format!("quote of {id}: {error:?}, not {faults:?}")),
        }
    }

    fn assignment(&mut self, id: u64) {
        let auction = self.stage.auction.clone();
        let chain = self.stage.world.read(on(&auction).assignment_of(id));
        self.same(("assignment", id), chain, self.model.assignments.get(&id).cloned());
        let chain = self.stage.world.read(on(&auction).payload_of(id));
        self.same(("payload", id), chain, self.model.payloads.get(&id).cloned());
    }

    /// Points, shares of success, prices.
    fn standing(&mut self, touched: &Touched) {
        let (auction, reputation) = (self.stage.auction.clone(), self.stage.reputation.clone());
        for who in touched.scores.iter().copied() {
            let chain = self.stage.world.read(on(&reputation).points(AccountId::from(who.0)));
            self.same(("points", name_of(who)), chain, self.model.points(who));
        }
        for (who, task) in &touched.shares {
            let success = on(&auction).success_of(AccountId::from(who.0), task.clone());
            let chain = self.stage.world.read(success);
            self.same(("success", name_of(*who)), chain, self.model.success(*who, task));
        }
        for task in &touched.tasks {
            let chain = self.stage.world.read(on(&auction).prices(task.clone()));
            self.same(("prices", task), chain, self.model.prices(task));
        }
    }

    fn totals(&mut self) {
        let (token, auction) = (self.stage.token.clone(), self.stage.auction.clone());
        let escrow = self.stage.escrow.clone();
        let supply = self.stage.world.read(on(&token).total_supply());
        self.same("supply", supply, self.model.balances.values().sum());
        let held = self.model.balance(self.model.setting.places.escrow);
        if held < self.model.locked_in_all() {
            self.found.push(format!("{held} do not cover {}", self.model.locked_in_all()));
        }
        let market = self.stage.world.read(on(&auction).market());
        let chain = (market.requests, market.offers, market.assignments);
        let count = |number: usize| number as u64;
        let (requests, offers) = (self.model.requests.len(), self.model.offers.len());
        let jobs = self.model.assignments.len();
        self.same("numbers", chain, (count(requests), count(offers), count(jobs)));
        let chain = self.stage.world.read(on(&escrow).count());
        self.same("escrows", chain, self.model.escrows.len() as u64);
    }
}

/// The first bytes of an account, for people to read.
pub fn name_of(account: Account) -> String {
    account.0.iter().take(3).map(|byte| format!("{byte:02x}")).collect()
}

//! The basket: mint, redeem, swap, what is owed, NAV.

use cicada_core::Account;
use std::collections::{BTreeMap, BTreeSet};

use cicada_core::basket::holdings::{Holding, LOCKED_SUPPLY, MAX_MINIMUM};
use cicada_core::basket::rebalance::swap_floor;
use cicada_core::basket::BasketError;
use cicada_core::leaderboard::Settlement;
use cicada_core::report::FeedError;
use cicada_traits::index::IndexError;

use super::nav::Nav;
use super::{ceil, floor, Answer, Done, FeedPlace, Mistake, Model, FRESH_MS};
use crate::op::{BasketFault, BasketOp, Signed, Target};
use crate::people::{Coin, Who};

/// How long fee and minimum are announced.
const NOTICE_MS: u64 = 2 * 86_400_000;
const ONE_E9: u128 = 1_000_000_000;
const ONE_E18: u128 = ONE_E9 * ONE_E9;

/// What is held of a subnet token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub target: Target,
    pub amount: u128,
    /// Since which basket it has no price; 0 if it has one.
    pub unpriced_ms: u64,
}

/// The index.
#[derive(Clone, Debug)]
pub struct Basket {
    pub fee_bps: u16,
    pub minimum: u128,
    /// Fee and minimum that are announced, and from when on they count.
    pub next: Option<(u16, u128, u64)>,
    pub paused: bool,
    /// In the order of the contract.
    pub parts: Vec<Part>,
    pub supply: u128,
    pub set: FeedPlace,
    /// When the basket was taken over.
    pub taken_ms: u64,
    pub newest: FeedPlace,
    /// The first slot's first, without those that are void.
    pub navs: Vec<Nav>,
    pub voids: BTreeSet<u64>,
    /// How far seats were off, in slots that are not judged yet.
    pub off: BTreeMap<u64, Vec<(u8, u128)>>,
    /// By subnet.
    pub written_off: BTreeMap<u8, u128>,
    pub owed: BTreeMap<(Who, u8), u128>,
}

impl Basket {
    /// Without a basket.
    pub fn new() -> Self {
        Self {
            fee_bps: 0,
            minimum: 0,
            next: None,
            paused: false,
            parts: Vec::new(),
            supply: 0,
            set: FeedPlace::default(),
            taken_ms: 0,
            newest: FeedPlace::default(),
            navs: Vec::new(),
            voids: BTreeSet::new(),
            off: BTreeMap::new(),
            written_off: BTreeMap::new(),
            owed: BTreeMap::new(),
        }
    }

    /// Time went on: what was announced may count by now.
    pub fn at(&mut self, now_ms: u64) {
        if let Some((fee_bps, minimum, _)) = self.next.filter(|(_, _, from)| now_ms >= *from) {
            (self.fee_bps, self.minimum, self.next) = (fee_bps, minimum, None);
        }
    }

    /// What one token is worth, rounded down, at scale 10¹⁸.
    pub fn nav_e18(&self) -> u128 {
        if self.supply == 0 {
            return ONE_E18;
        }
        // Prices have at most six digits after the point: nothing is lost by the division.
        let worth = |part: &Part| part.amount * (part.target.price_e18 / 1_000_000_000_000);
        let value: u128 = self.parts.iter().map(worth).sum();
        floor(value, 1_000_000_000_000 * ONE_E9, self.supply)
    }

    /// What all are owed of a token.
    pub fn owed_in_all(&self, subnet: u8) -> u128 {
        self.owed.iter().filter(|((_, of), _)| *of == subnet).map(|(_, amount)| amount).sum()
    }

    /// What the fee leaves.
    pub fn kept(&self, tokens: u128) -> u128 {
        tokens - ceil(tokens, self.fee_bps.into(), 10_000)
    }

    /// What a mint takes of each part.
    pub fn cost(&self, tokens: u128) -> Vec<u128> {
        let cost = |part: &Part| match (self.supply, part.target.weight_bps) {
            (0, 0) => 0,
            (0, weight) => {
                ceil(tokens, u128::from(weight) * ONE_E9, part.target.price_e18 * 10_000)
            }
            (supply, _) => ceil(part.amount, tokens, supply),
        };
        self.parts.iter().map(cost).collect()
    }

    /// What a redemption pays of each part.
    pub fn share(&self, tokens: u128) -> Vec<u128> {
        let left = self.kept(tokens);
        self.parts.iter().map(|part| floor(part.amount, left, self.supply)).collect()
    }

    fn part(&mut self, subnet: u8) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.target.subnet == subnet)
    }
}

/// Each of `lower` is at most what stands in its place in `upper`.
fn within(lower: &[u128], upper: &[u128]) -> Result<(), IndexError> {
    if lower.len() != upper.len() {
        return Err(IndexError::WrongLength);
    }
    match lower.iter().zip(upper).all(|(low, high)| low <= high) {
        true => Ok(()),
        false => Err(IndexError::BeyondLimit),
    }
}

impl Model {
    pub(super) fn basket(&mut self, op: &BasketOp) -> Answer {
        match op {
            BasketOp::SetTerms { by, fee_bps, minimum, paused } => {
                self.set_terms(*by, *fee_bps, *minimum, *paused)?;
            }
            BasketOp::SetBasket { entries, time_ms, fault, signed } => {
                return Ok(Done::Settled(self.set_basket(entries, *time_ms, *fault, signed)?));
            }
            BasketOp::BringBasketAgain => return Ok(Done::Settled(Settlement::AlreadyDone)),
            BasketOp::Mint { by, tokens, least, most, deadline_ms } => {
                self.mint(*by, *tokens, *least, most, *deadline_ms)?;
            }
            BasketOp::Redeem { by, tokens, least, deadline_ms } => {
                self.redeem(*by, *tokens, least, *deadline_ms)?;
            }
            BasketOp::ClaimOwed { by, subnet } => self.claim_owed(*by, *subnet)?,
            BasketOp::Sync { subnet } => self.sync(*subnet)?,
            BasketOp::Swap { by, give, amount, take, least, deadline_ms } => {
                self.in_time(*deadline_ms)?;
                self.swap(*by, (*give, *amount), (*take, *least))?;
            }
            BasketOp::SettleNav { values, time_ms, fault, signed } => {
                return Ok(Done::Settled(self.settle_nav(values, *time_ms, *fault, signed)?));
            }
            BasketOp::JudgeNav => self.judge_nav()?,
            BasketOp::BringNavAgain { slot, rival: false }
                if self.basket.voids.contains(slot) && *slot < self.basket.newest.slot =>
            {
                return Err(FeedError::SlotTaken.into());
            }
            BasketOp::BringNavAgain { rival: true, .. } => return Err(FeedError::SlotTaken.into()),
            BasketOp::BringNavAgain { .. } => return Ok(Done::Settled(Settlement::AlreadyDone)),
        }
        Ok(Done::Nothing)
    }

    fn in_time(&self, deadline_ms: u64) -> Result<(), IndexError> {
        if self.now_ms >= deadline_ms {
            return Err(IndexError::Expired);
        }
        Ok(())
    }

    fn set_terms(
        &mut self,
        by: Who,
        fee_bps: u16,
        minimum: u128,
        paused: bool,
    ) -> Result<(), IndexError> {
        if by != Who::Owner {
            return Err(IndexError::NotOwner);
        }
        if fee_bps > 100 {
            return Err(BasketError::FeeTooHigh.into());
        }
        if minimum > MAX_MINIMUM {
            return Err(IndexError::MinimumTooHigh);
        }
        let from_ms = self.now_ms + NOTICE_MS;
        let basket = &mut self.basket;
        basket.paused = paused;
        if basket.set.slot == 0 {
            (basket.fee_bps, basket.minimum) = (fee_bps, minimum);
        }
        let changes = (fee_bps, minimum) != (basket.fee_bps, basket.minimum);
        basket.next = changes.then_some((fee_bps, minimum, from_ms));
        Ok(())
    }

    fn set_basket(
        &mut self,
        entries: &[Target],
        time_ms: u64,
        fault: Option<BasketFault>,
        signed: &Signed,
    ) -> Result<Settlement, IndexError> {
        let skipped = fault == Some(BasketFault::Skipped);
        let set = self.basket.set.follow(self.now_ms, time_ms, skipped)?;
        if fault == Some(BasketFault::OtherContent) {
            return Err(IndexError::ContentMismatch);
        }
        self.verify(signed)?;
        let sum: u32 = entries.iter().map(|entry| u32::from(entry.weight_bps)).sum();
        if sum != 10_000 || entries.iter().any(|entry| entry.price_e18 == 0) {
            self.basket.set = FeedPlace { time_ms: self.basket.set.time_ms, ..set };
            return Ok(Settlement::Void);
        }
        if self.basket.set.slot == 0 && self.basket.newest.slot == 0 {
            self.basket.newest.time_ms = time_ms;
        }
        let mut parts = Vec::new();
        for target in entries.iter().copied() {
            let amount = self.basket.part(target.subnet).map_or(0, |part| part.amount);
            if target.weight_bps > 0 || amount > 0 {
                parts.push(Part { target, amount, unpriced_ms: 0 });
            }
        }
        for part in &self.basket.parts {
            let named = entries.iter().any(|entry| entry.subnet == part.target.subnet);
            if part.amount > 0 && !named {
                let target = Target { weight_bps: 0, price_e18: 0, ..part.target };
                let unpriced_ms = if part.unpriced_ms == 0 { time_ms } else { part.unpriced_ms };
                parts.push(Part { target, amount: part.amount, unpriced_ms });
            }
        }
        let value = |part: &Part| part.amount * (part.target.price_e18 / 1_000_000_000_000);
        let total: u128 = parts.iter().map(value).sum();
        let goes = |part: &Part| match (part.target.weight_bps, part.target.price_e18) {
            (0, 0) => time_ms.saturating_sub(part.unpriced_ms) >= 86_400_000,
            (0, _) => value(part) * 10_000 < total,
            _ => false,
        };
        for part in parts.iter().filter(|part| goes(part)) {
            *self.basket.written_off.entry(part.target.subnet).or_default() += part.amount;
        }
        parts.retain(|part| !goes(part));
        (self.basket.parts, self.basket.set) = (parts, set);
        self.basket.taken_ms = self.now_ms;
        Ok(Settlement::Recorded)
    }

    fn mint(
        &mut self,
        by: Who,
        tokens: u128,
        least: u128,
        most: &[u128],
        deadline_ms: u64,
    ) -> Result<(), IndexError> {
        let supply = self.basket.supply;
        if self.basket.paused {
            return Err(IndexError::Paused);
        }
        self.in_time(deadline_ms)?;
        if tokens < self.basket.minimum {
            return Err(IndexError::BelowMinimum);
        }
        let kept = self.basket.kept(tokens);
        if kept == 0 {
            return Err(BasketError::ZeroAmount.into());
        }
        if self.is_frozen(Coin::Tao20) {
            return Err(IndexError::IndexTokenRefused);
        }
        let locked = if supply == 0 { LOCKED_SUPPLY } else { 0 };
        if kept <= locked {
            return Err(BasketError::ZeroAmount.into());
        }
        if kept - locked < least {
            return Err(IndexError::BeyondLimit);
        }
        if supply == 0 && !self.basket.set.is_fresh(self.now_ms) {
            return Err(BasketError::StalePrices.into());
        }
        let mut costs = self.basket.cost(tokens);
        within(&costs, most)?;
        if self.errs(Mistake::MintRoundedDown) && supply > 0 {
            let down = |part: &Part| floor(part.amount, tokens, supply);
            costs = self.basket.parts.iter().map(down).collect();
        }
        for (place, cost) in costs.into_iter().enumerate() {
            let part = &mut self.basket.parts[place];
            part.amount += cost;
            let coin = Coin::Subnet(part.target.subnet);
            if !self.pull(coin, by, Who::Index, cost) {
                return Err(IndexError::TokenRefused);
            }
        }
        self.basket.supply += kept;
        self.put(Coin::Tao20, by, kept - locked);
        self.put(Coin::Tao20, Who::Index, locked);
        Ok(())
    }

    fn redeem(
        &mut self,
        by: Who,
        tokens: u128,
        least: &[u128],
        deadline_ms: u64,
    ) -> Result<(), IndexError> {
        self.in_time(deadline_ms)?;
        let frozen = self.is_frozen(Coin::Tao20);
        let is_all = !frozen && self.balance(Coin::Tao20, by) == tokens;
        if tokens < self.basket.minimum && !is_all {
            return Err(IndexError::BelowMinimum);
        }
        let kept = self.basket.kept(tokens);
        if kept == 0 {
            return Err(BasketError::ZeroAmount.into());
        }
        if frozen {
            return Err(IndexError::IndexTokenRefused);
        }
        if kept > self.basket.supply {
            return Err(BasketError::BeyondSupply.into());
        }
        let shares = self.basket.share(tokens);
        within(least, &shares)?;
        if !by.has_approved() || !self.take(Coin::Tao20, by, tokens) {
            return Err(IndexError::IndexTokenRefused);
        }
        self.basket.supply -= tokens;
        for (place, share) in shares.into_iter().enumerate() {
            let part = &mut self.basket.parts[place];
            part.amount -= share;
            let subnet = part.target.subnet;
            let paid = self.pay(Coin::Subnet(subnet), Who::Index, by, share);
            if !paid && !self.errs(Mistake::NothingOwed) {
                *self.basket.owed.entry((by, subnet)).or_default() += share;
            }
        }
        Ok(())
    }

    fn claim_owed(&mut self, by: Who, subnet: u8) -> Result<(), IndexError> {
        match self.basket.owed.remove(&(by, subnet)) {
            None => Err(IndexError::NothingOwed),
            Some(owed) if self.pay(Coin::Subnet(subnet), Who::Index, by, owed) => Ok(()),
            Some(_) => Err(IndexError::TokenRefused),
        }
    }

    fn sync(&mut self, subnet: u8) -> Result<(), IndexError> {
        let coin = Coin::Subnet(subnet);
        if self.is_frozen(coin) {
            return Err(IndexError::TokenRefused);
        }
        let apart = self.basket.written_off.get(&subnet).copied().unwrap_or_default();
        let own = self.balance(coin, Who::Index) - self.basket.owed_in_all(subnet) - apart;
        let part = self.basket.part(subnet).ok_or(BasketError::UnknownToken)?;
        if part.target.weight_bps == 0 {
            return Err(BasketError::NoWeight.into());
        }
        if part.amount == own {
            return Err(BasketError::ZeroAmount.into());
        }
        part.amount = own;
        Ok(())
    }

    fn swap(&mut self, by: Who, give: (u8, u128), take: (u8, u128)) -> Result<(), IndexError> {
        if !self.basket.set.is_fresh(self.now_ms) {
            return Err(BasketError::StalePrices.into());
        }
        let id = |subnet: u8| [subnet + 1; 32];
        let holding = |part: &Part| Holding {
            token: Account(id(part.target.subnet)),
            netuid: u16::from(part.target.subnet),
            weight_bps: part.target.weight_bps,
            price_e18: part.target.price_e18,
            amount: part.amount,
            unpriced_ms: part.unpriced_ms,
        };
        let mut holdings: Vec<Holding> = self.basket.parts.iter().map(holding).collect();
        let age = self.now_ms - self.basket.taken_ms;
        let taken =
            swap_floor(&mut holdings, &Account(id(give.0)), give.1, &Account(id(take.0)), age)?;
        if taken < take.1 {
            return Err(IndexError::BeyondLimit);
        }
        let paid = self.pull(Coin::Subnet(give.0), by, Who::Index, give.1)
            && self.pay(Coin::Subnet(take.0), Who::Index, by, taken);
        if !paid {
            return Err(IndexError::TokenRefused);
        }
        self.basket.part(give.0).expect("swapped").amount += give.1;
        self.basket.part(take.0).expect("swapped").amount -= taken;
        Ok(())
    }

    /// Whether the prices count.
    pub fn has_prices(&self) -> bool {
        self.now_ms.saturating_sub(self.basket.set.time_ms) <= FRESH_MS && self.basket.set.slot > 0
    }
}

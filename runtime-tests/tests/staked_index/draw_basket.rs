//! Which operation of the index comes next.

use cicada_traits::index::NOTICE_MS;

use crate::dice::Draws;
use crate::draw::Draw;
use crate::model::{floor, Model, Part};
use crate::op::{BasketFault, BasketOp, NavFault, Op, Target};
use crate::people::{Coin, Who, SEATS, SUBNETS};

/// One index token, one TAO at the scale of prices.
const ONE: u128 = 1_000_000_000_000_000_000;

impl Draw {
    pub fn basket(&mut self, model: &Model) -> BasketOp {
        match self.dice.below(41) {
            0..=9 => self.settle_nav(model),
            10 | 11 if model.basket.newest.slot > 0 => BasketOp::JudgeNav,
            12 | 13 if model.basket.newest.slot > 0 => {
                let slot = 1 + self.dice.below(model.basket.newest.slot);
                BasketOp::BringNavAgain { slot, rival: self.dice.once_in(3) }
            }
            14 if model.basket.set.slot > 0 => BasketOp::BringBasketAgain,
            15..=18 => self.set_basket(model),
            19..=25 => self.mint(model),
            26..=31 => self.redeem(model),
            32..=34 => self.claim_owed(model),
            35 | 36 => self.sync(model),
            37..=39 => self.swap(model),
            _ => self.terms(),
        }
    }

    fn terms(&mut self) -> BasketOp {
        let fee_bps = self.dice.pick(&[0, 0, 1, 30, 99, 100, 101]);
        let minimum = self.dice.pick(&[0, 0, 1_000, ONE / 10, ONE, ONE + 1]);
        let paused = self.dice.once_in(3);
        if paused {
            let again =
                BasketOp::SetTerms { by: Who::Owner, fee_bps: 0, minimum: 0, paused: false };
            self.then_draw(|draw, model| Op::Basket(draw.mint(model)));
            self.then_draw(|draw, model| Op::Basket(draw.redeem(model)));
            self.then([Op::Basket(again)]);
        }
        if self.dice.once_in(2) {
            let ms = NOTICE_MS - self.dice.below(2);
            self.then([Op::Wait { ms }]);
        }
        BasketOp::SetTerms { by: self.ruler(), fee_bps, minimum, paused }
    }

    /// Other weights and prices; at times a token leaves, with a price or without.
    pub fn set_basket(&mut self, model: &Model) -> BasketOp {
        let mut subnets: Vec<u8> = (0..SUBNETS).collect();
        let without = match self.dice.below(4) {
            0 => Some(subnets.remove(self.dice.place(subnets.len()))),
            _ => None,
        };
        let mut weights: Vec<u16> =
            subnets.iter().map(|_| 200 + u16::from(self.dice.small(250))).collect();
        let rest = 10_000 - weights[1..].iter().sum::<u16>();
        weights[0] = rest;
        let mut entries: Vec<Target> = subnets
            .iter()
            .zip(weights)
            .map(|(subnet, weight_bps)| Target {
                subnet: *subnet,
                weight_bps,
                price_e18: self.price(*subnet),
            })
            .collect();
        if let (Some(subnet), true) = (without, self.dice.once_in(2)) {
            let price_e18 = self.price(subnet);
            entries.push(Target { subnet, weight_bps: 0, price_e18 });
        }
        match self.dice.below(25) {
            0 => entries[3].weight_bps += 1,
            1 => entries[3].price_e18 = 0,
            _ => {}
        }
        let fault = match self.dice.below(25) {
            0 => Some(BasketFault::OtherContent),
            1 => Some(BasketFault::Skipped),
            _ => None,
        };
        let (time_ms, signed) = (self.time(model), self.signed(model));
        BasketOp::SetBasket { entries, time_ms, fault, signed }
    }

    /// About 0.1, 0.2, … 2 TAO, with at most six digits.
    fn price(&mut self, subnet: u8) -> u128 {
        let about = u128::from(subnet + 1) * 100_000;
        (about / 2 + self.dice.wide(about)) * 1_000_000_000_000
    }

    pub fn mint(&mut self, model: &Model) -> BasketOp {
        let tokens = match self.dice.below(8) {
            0 => self.dice.wide(1_000),
            1 => self.dice.wide(ONE),
            2 => self.dice.wide(10_000_000 * ONE),
            _ => 1 + self.dice.wide(20_000 * ONE),
        };
        let costs = model.basket.cost(tokens);
        let mut most =
            if self.dice.once_in(2) { costs.clone() } else { vec![u128::MAX; costs.len()] };
        if let (true, Some(limit)) = (self.dice.once_in(12), most.last_mut()) {
            *limit = costs[costs.len() - 1].saturating_sub(1);
        }
        if self.dice.once_in(25) {
            most.pop();
        }
        let kept = model.basket.kept(tokens);
        let least = if self.dice.once_in(12) { kept + 1 } else { self.dice.wide(kept + 1) };
        let deadline_ms = self.deadline(model);
        BasketOp::Mint { by: self.trader(), tokens, least, most, deadline_ms }
    }

    pub fn redeem(&mut self, model: &Model) -> BasketOp {
        let by = self.holder(model, Coin::Tao20);
        let tokens = self.dice.part(model.balance(Coin::Tao20, by));
        let mut least = vec![0; model.basket.parts.len()];
        if self.dice.once_in(3) && (1..=model.basket.supply).contains(&tokens) {
            least = model.basket.share(tokens);
            if self.dice.once_in(4) {
                least[0] += 1;
            }
        }
        if self.dice.once_in(25) {
            least.pop();
        }
        BasketOp::Redeem { by, tokens, least, deadline_ms: self.deadline(model) }
    }

    pub fn claim_owed(&mut self, model: &Model) -> BasketOp {
        let owed: Vec<_> = model.basket.owed.keys().copied().collect();
        if owed.is_empty() && !self.dice.once_in(4) {
            return self.redeem(model);
        }
        if owed.is_empty() || self.dice.once_in(8) {
            return BasketOp::ClaimOwed { by: self.trader(), subnet: self.dice.small(SUBNETS) };
        }
        let (by, subnet) = self.dice.pick(&owed);
        BasketOp::ClaimOwed { by, subnet }
    }

    fn sync(&mut self, model: &Model) -> BasketOp {
        let has_more = |part: &&Part| {
            let subnet = part.target.subnet;
            let due = part.amount + model.basket.owed_in_all(subnet);
            model.balance(Coin::Subnet(subnet), Who::Index) > due
        };
        let some = model.basket.parts.iter().filter(has_more).map(|part| part.target.subnet);
        let some: Vec<u8> = some.collect();
        let any = some.is_empty() || self.dice.once_in(6);
        let subnet = if any { self.dice.small(SUBNETS) } else { self.dice.pick(&some) };
        BasketOp::Sync { subnet }
    }

    /// A token that is below its target for one that is above; at times any two.
    fn swap(&mut self, model: &Model) -> BasketOp {
        if !model.has_prices() && !self.dice.once_in(6) {
            self.then_draw(|draw, model| Op::Basket(draw.swap(model)));
            self.then_draw(|draw, model| Op::Basket(draw.swap(model)));
            return self.set_basket(model);
        }
        let parts = &model.basket.parts;
        let value = |part: &Part| part.amount * (part.target.price_e18 / 1_000_000_000_000);
        let total: u128 = parts.iter().map(value).sum();
        let target = |part: &Part| floor(total, part.target.weight_bps.into(), 10_000);
        let low: Vec<u8> = parts
            .iter()
            .filter(|part| part.target.price_e18 > 0 && value(part) < target(part))
            .map(|part| part.target.subnet)
            .collect();
        let high: Vec<u8> = parts
            .iter()
            .filter(|part| value(part) > target(part))
            .map(|part| part.target.subnet)
            .collect();
        let any = low.is_empty() || high.is_empty() || self.dice.once_in(8);
        let (give, take) = match any {
            true => (self.dice.small(SUBNETS), self.dice.small(SUBNETS)),
            false => (self.dice.pick(&low), self.dice.pick(&high)),
        };
        let gap = parts.iter().find(|part| part.target.subnet == give).map_or(0, |part| {
            target(part).saturating_sub(value(part))
                / (part.target.price_e18 / 1_000_000_000_000).max(1)
        });
        let amount = match self.dice.below(4) {
            0 => self.dice.part(gap),
            _ => self.dice.wide(gap / 8 + 1),
        };
        let least = u128::from(self.dice.once_in(15)) << 90;
        let deadline_ms = self.deadline(model);
        BasketOp::Swap { by: self.trader(), give, amount, take, least, deadline_ms }
    }

    /// What most seats see, and what a few say instead.
    pub fn settle_nav(&mut self, model: &Model) -> BasketOp {
        let nav = model.basket.nav_e18();
        let missing = self.dice.pick(&[0, 0, 0, 1, 3, 7, 7, 8]);
        let mut seats: Vec<u8> = (0..SEATS).collect();
        for _ in 0..missing {
            let place = self.dice.place(seats.len());
            seats.remove(place);
        }
        let mut values: Vec<(u8, u128)> = seats.into_iter().map(|seat| (seat, nav)).collect();
        let liars = self.dice.pick(&[0, 0, 1, 1, 2, 4]);
        for _ in 0..liars {
            let place = self.dice.place(values.len());
            values[place].1 = self.off(nav);
        }
        let place = self.dice.place(values.len());
        let fault = match self.dice.below(36) {
            0 => Some(NavFault::Skipped),
            1 => Some(NavFault::Unordered),
            2..=4 => Some(NavFault::OtherTime(place)),
            5 => Some(NavFault::OtherContent),
            6 => Some(NavFault::Forged(place)),
            7 => {
                values[place].1 = 0;
                None
            }
            _ => None,
        };
        let (time_ms, signed) = (self.time(model), self.signed(model));
        BasketOp::SettleNav { values, time_ms, fault, signed }
    }

    /// A value that is off by the edge of a band or a drawn deviation.
    fn off(&mut self, nav: u128) -> u128 {
        let edges = [1, 50, 51, 100, 101, 200, 500, 501, 1_500];
        let bps = match self.dice.below(12) {
            0 => self.dice.pick(&[1_501, 3_000, 9_999]),
            1..=6 => self.dice.pick(&edges),
            _ => u128::from(1 + self.dice.below(1_500)),
        };
        let by = floor(nav, bps, 10_000) + u128::from(self.dice.once_in(4));
        if self.dice.once_in(2) {
            nav + by
        } else {
            nav - by.min(nav - 1)
        }
    }
}

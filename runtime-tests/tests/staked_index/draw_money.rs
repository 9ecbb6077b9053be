//! Which operation of the pool and of the rewards comes next.

use crate::dice::Draws;
use crate::draw::Draw;
use crate::model::{floor_or_most, Model, EPOCH_MS, NOTICE_MS};
use crate::op::{AwardFault, Epoch, Op, PoolOp, RewardOp};
use crate::people::{Coin, Who, USERS};

impl Draw {
    // ---- the pool ----

    pub fn pool(&mut self, model: &Model) -> PoolOp {
        let [a, b] = model.pool.reserves;
        let what = self.dice.below(if a == 0 { 4 } else { 13 });
        let needed = if (4..=6).contains(&what) { Coin::Share } else { Coin::Tao20 };
        let (by, deadline_ms) = (self.holder(model, needed), self.deadline(model));
        let [tokens, tao] = [Coin::Tao20, Coin::Tao].map(|coin| model.balance(coin, by));
        match what {
            0..=3 => {
                let first = self.dice.part(tokens);
                // At about one TAO a token, or at the pool's price.
                let second = match a {
                    0 => first / 1_000_000_000,
                    _ => floor_or_most(first, b, a).min(1 << 120) + 1,
                };
                let second = if self.dice.once_in(8) { self.dice.part(tao) } else { second };
                let least = u128::from(self.dice.once_in(10)) << 100;
                PoolOp::Add { by, most: [first, second], least, deadline_ms }
            }
            4..=6 => {
                let shares = self.dice.part(model.balance(Coin::Share, by));
                let least = [0, u128::from(self.dice.once_in(10)) << 100];
                PoolOp::Remove { by, shares, least, deadline_ms }
            }
            7..=9 => {
                let (coin, side, most) = self.pair_side(tokens, tao);
                let amount = self.dice.part(most.min(model.pool.reserves[side]));
                let exact = model.quote_out(side, amount).unwrap_or_default();
                let least = self.dice.pick(&[0, exact, exact + 1]);
                PoolOp::Sell { by, coin, amount, least, deadline_ms }
            }
            10 | 11 => {
                let (coin, side, most) = self.pair_side(tokens, tao);
                let reserve = model.pool.reserves[1 - side];
                let amount = if self.dice.once_in(5) { reserve } else { reserve / 20 };
                let amount = self.dice.part(amount);
                let exact = model.quote_in(side, amount).unwrap_or(most);
                let most = self.dice.pick(&[u128::MAX, exact, exact.saturating_sub(1)]);
                PoolOp::Buy { by, coin, amount, most, deadline_ms }
            }
            _ => {
                let to = if self.dice.once_in(6) { Who::Pair } else { self.user() };
                PoolOp::Skim { by, to }
            }
        }
    }

    /// The token that is paid in, its place in the pool, and what there is of it.
    fn pair_side(&mut self, tokens: u128, tao: u128) -> (Coin, usize, u128) {
        match self.dice.below(20) {
            0 => (Coin::Subnet(0), 0, tao),
            1..=10 => (Coin::Tao20, 0, tokens),
            _ => (Coin::Tao, 1, tao),
        }
    }

    // ---- the rewards ----

    pub fn reward(&mut self, model: &Model) -> RewardOp {
        let free = model.rewards.free();
        match self.dice.below(14) {
            0..=1 => self.fund(model),
            2..=4 if free < 1_000_000 => self.fund(model),
            2..=5 => self.epoch(model),
            6 if model.rewards.epoch > 0 => RewardOp::BringEpochAgain,
            7 => {
                let late_ms = model.now_ms.saturating_sub(model.rewards.end_ms);
                let from_epoch =
                    model.rewards.epoch + (late_ms + NOTICE_MS) / EPOCH_MS + self.dice.below(4);
                let amount = self.dice.wide(3_000_000_000_000);
                RewardOp::SetEmission { by: self.ruler(), from_epoch, amount }
            }
            _ => self.claim(model),
        }
    }

    pub fn fund(&mut self, model: &Model) -> RewardOp {
        let by = self.trader();
        let most = model.balance(Coin::Tao, by).min(9_000_000_000_000);
        RewardOp::Fund { by, amount: self.dice.part(most) }
    }

    /// Waits until an epoch can be over, and settles it.
    fn epoch(&mut self, model: &Model) -> RewardOp {
        let now = model.now_ms;
        let due = model.rewards.end_ms + EPOCH_MS;
        if due > now && !self.dice.once_in(4) {
            self.then([Op::Wait { ms: due - now }]);
            self.then_draw(|draw, model| Op::Reward(draw.epoch(model)));
            return self.fund(model);
        }
        let end_ms = match self.dice.below(8) {
            0 => due - 1,
            1 => now + 1,
            _ => now.max(due),
        };
        let most = model.rewards.free().min(model.rewards.emission_at(model.rewards.epoch + 1));
        let pool = match self.dice.below(8) {
            0 => model.rewards.free() + 1,
            1 => model.rewards.emission_at(model.rewards.epoch + 1) + 1,
            2 => most,
            _ => self.dice.wide(most / 2 + 1),
        };
        let miners = (0..USERS).map(Who::User).chain([Who::Stranger, Who::Node(0)]);
        let scores = miners.map(|who| (who, self.dice.wide(1_000_000_000))).collect();
        let seats = model.stakes.committee().iter().map(|node| Who::Node(*node));
        let weigh = |who: Who| (who, model.stakes.of(who).bonded, u16::from(self.dice.small(200)));
        let validators = seats.map(weigh).collect();
        let all = [
            AwardFault::Epoch,
            AwardFault::Start,
            AwardFault::Carried,
            AwardFault::Awarded,
            AwardFault::Total,
            AwardFault::OtherContent,
        ];
        let fault = self.dice.once_in(6).then(|| self.dice.pick(&all));
        let (signed, time_ms) = (self.signed(model), self.time(model).max(now));
        RewardOp::SettleEpoch(Epoch { pool, end_ms, time_ms, scores, validators, fault, signed })
    }

    pub fn claim(&mut self, model: &Model) -> RewardOp {
        if model.rewards.newest().is_empty() && !self.dice.once_in(4) {
            return self.epoch(model);
        }
        let open =
            model.rewards.newest().iter().filter(|(who, amount)| {
                model.rewards.paid.get(who).is_none_or(|paid| paid < amount)
            });
        let open: Vec<Who> = open.map(|(who, _)| *who).collect();
        let known: Vec<Who> = model.rewards.newest().keys().copied().collect();
        let of = match self.dice.below(8) {
            0 => self.staker(),
            1 if !known.is_empty() => self.dice.pick(&known),
            _ if open.is_empty() => self.staker(),
            _ => self.dice.pick(&open),
        };
        let by = if self.dice.once_in(2) { Who::Stranger } else { of };
        let ago = match self.dice.below(8) {
            0 => self.dice.place(model.rewards.claims.len()),
            _ => 0,
        };
        let claim = RewardOp::Claim { by, of, extra: u128::from(self.dice.once_in(10)), ago };
        if self.dice.once_in(5) {
            self.then([Op::Reward(claim.clone())]);
        }
        claim
    }
}

//! Which operation comes next: mostly what people would do, at times what they should not.

use std::collections::VecDeque;

use cicada_core::slashing::MIN_STAKE;
use cicada_dice::Dice;

use crate::dice::Draws;
use crate::model::{Model, EPOCH_MS, FRESH_MS};
use crate::op::{BasketOp, Op, PoolOp, Proof, Rules, Signed, SignedFault, Source, StakeOp};
use crate::people::{Coin, Who, NODES, SEATS, SUBNETS, USERS};
use crate::stage::{first_rules, DELAY_MS};

const DAY_MS: u64 = 86_400_000;

/// What comes before anything else is drawn.
pub enum Next {
    /// This.
    Op(Op),
    /// Something that is drawn from the state by then.
    Drawn(fn(&mut Draw, &Model) -> Op),
}

/// Draws operations.
pub struct Draw {
    pub dice: Dice,
    pub queue: VecDeque<Next>,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), queue: VecDeque::new() }
    }

    /// The next operation.
    pub fn next(&mut self, model: &Model) -> Op {
        match self.queue.pop_front() {
            Some(Next::Op(op)) => return op,
            Some(Next::Drawn(draw)) => return draw(self, model),
            None => {}
        }
        if model.basket.supply == 0 && !self.dice.once_in(6) {
            return self.open(model);
        }
        match self.dice.below(100) {
            0..=6 => self.wait(model),
            7 | 8 => self.freeze(model),
            9..=11 => self.gift(model),
            12..=32 => Op::Stake(self.stake(model)),
            33..=73 => Op::Basket(self.basket(model)),
            74..=85 => Op::Pool(self.pool(model)),
            _ => Op::Reward(self.reward(model)),
        }
    }

    /// A basket and, while its prices are fresh, the first mint.
    fn open(&mut self, model: &Model) -> Op {
        if model.has_prices() && !model.basket.paused {
            return Op::Basket(self.mint(model));
        }
        Op::Basket(self.set_basket(model))
    }

    /// These come next.
    pub fn then(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.queue.extend(ops.into_iter().map(Next::Op));
    }

    /// The same with what is drawn by then.
    pub fn then_draw(&mut self, draw: fn(&mut Self, &Model) -> Op) {
        self.queue.push_back(Next::Drawn(draw));
    }

    // ---- who ----

    pub fn user(&mut self) -> Who {
        Who::User(self.dice.small(USERS))
    }

    /// A user, seldom somebody else.
    pub fn trader(&mut self) -> Who {
        match self.dice.below(20) {
            0 => Who::Stranger,
            1 => Who::Owner,
            _ => self.user(),
        }
    }

    /// Somebody who has some of the token, at times anybody.
    pub fn holder(&mut self, model: &Model, coin: Coin) -> Who {
        let users = (0..USERS).map(Who::User);
        let some: Vec<Who> = users.filter(|who| model.balance(coin, *who) > 0).collect();
        match some.is_empty() || self.dice.once_in(6) {
            true => self.trader(),
            false => self.dice.pick(&some),
        }
    }

    /// The owner, at times somebody who is not.
    pub fn ruler(&mut self) -> Who {
        match self.dice.below(4) {
            0 => self.user(),
            _ => Who::Owner,
        }
    }

    pub fn staker(&mut self) -> Who {
        match self.dice.below(12) {
            0 => Who::Stranger,
            1 => self.user(),
            _ => Who::Node(self.dice.small(NODES)),
        }
    }

    /// A deadline that is not reached, seldom one that is.
    pub fn deadline(&mut self, model: &Model) -> u64 {
        model.now_ms + u64::from(!self.dice.once_in(15))
    }

    /// The time of a report: now, at times a little off, seldom too far.
    pub fn time(&mut self, model: &Model) -> u64 {
        match self.dice.below(16) {
            0 => model.now_ms + 30_000,
            1 => model.now_ms + 30_001,
            2 => model.now_ms - self.dice.below(120_000),
            _ => model.now_ms,
        }
    }

    /// Sixteen seats that are heard, at times fewer, or one that is not, or a false signature.
    pub fn signed(&mut self, model: &Model) -> Signed {
        let careless = self.dice.once_in(12);
        let is_heard = |seat: &u8| careless || !model.stakes.barred.contains(seat);
        let mut seats: Vec<u8> = (0..SEATS).filter(is_heard).collect();
        let count = if self.dice.once_in(25) { 15 } else { 16 };
        while seats.len() > count {
            let place = self.dice.place(seats.len());
            seats.remove(place);
        }
        let fault = match self.dice.below(40) {
            0 => Some(SignedFault::OtherEpoch),
            1 => Some(SignedFault::Forged(self.dice.place(seats.len()))),
            _ => None,
        };
        Signed { seats, fault }
    }

    // ---- time, tokens ----

    fn wait(&mut self, model: &Model) -> Op {
        let mut lots = model.stakes.operators.iter().filter(|(_, op)| op.free_at_ms > model.now_ms);
        let next = lots.next().map(|(who, operator)| (*who, operator.free_at_ms));
        if let (Some((by, free_at)), true) = (next, self.dice.once_in(3)) {
            let early = self.dice.below(2);
            self.then([Op::Stake(StakeOp::Withdraw { by })]);
            return Op::Wait { ms: free_at - model.now_ms - early };
        }
        let stale = (model.basket.set.time_ms + FRESH_MS).saturating_sub(model.now_ms);
        let over = (model.rewards.end_ms + EPOCH_MS).saturating_sub(model.now_ms);
        let some = [1, 6_000, 60_000, stale, stale + 1, over, over, EPOCH_MS, DAY_MS, DELAY_MS];
        Op::Wait { ms: self.dice.pick(&some) }
    }

    /// A token of the basket stops or goes on; seldom TAO or the index token.
    fn freeze(&mut self, model: &Model) -> Op {
        let first = model.frozen.iter().next().copied();
        if let (Some(coin), false) = (first, self.dice.once_in(3)) {
            for _ in 0..self.dice.below(4) {
                self.then_draw(|draw, model| Op::Basket(draw.claim_owed(model)));
            }
            return Op::Freeze { coin, frozen: false };
        }
        let coin = match self.dice.below(8) {
            0 => Coin::Tao,
            1 => Coin::Tao20,
            _ => Coin::Subnet(self.dice.small(SUBNETS)),
        };
        // What everything needs comes back soon; a token of the basket may be away for long.
        for _ in 0..self.dice.below(6) {
            self.then_draw(Self::with_frozen);
        }
        if !matches!(coin, Coin::Subnet(_)) || self.dice.once_in(2) {
            self.then([Op::Freeze { coin, frozen: false }]);
            self.then_draw(|draw, model| Op::Basket(draw.claim_owed(model)));
        }
        Op::Freeze { coin, frozen: true }
    }

    /// Something that needs a token that is frozen.
    fn with_frozen(&mut self, model: &Model) -> Op {
        let frozen: Vec<Coin> = model.frozen.iter().copied().collect();
        let coin = if frozen.is_empty() { Coin::Tao } else { self.dice.pick(&frozen) };
        match (coin, self.dice.below(6)) {
            (Coin::Tao, 0..=2) => Op::Stake(self.stake(model)),
            (Coin::Tao, 3) => Op::Reward(self.claim(model)),
            (Coin::Tao20, 0) => Op::Basket(self.mint(model)),
            (Coin::Tao20, 1 | 2) => Op::Basket(self.redeem(model)),
            (Coin::Tao, 4) => Op::Reward(self.fund(model)),
            (Coin::Subnet(_), 0) => Op::Basket(self.mint(model)),
            (Coin::Subnet(_), 1..=3) => Op::Basket(self.redeem(model)),
            (Coin::Subnet(_), 4) => Op::Basket(self.claim_owed(model)),
            (Coin::Subnet(subnet), _) => Op::Basket(BasketOp::Sync { subnet }),
            _ => Op::Pool(self.pool(model)),
        }
    }

    fn gift(&mut self, model: &Model) -> Op {
        let by = self.trader();
        let coin = match self.dice.below(6) {
            0 => Coin::Tao,
            1 => Coin::Tao20,
            2 => Coin::Share,
            _ => Coin::Subnet(self.dice.small(SUBNETS)),
        };
        let to = match self.dice.below(6) {
            0 => self.user(),
            1 => Who::Pair,
            2 => self.dice.pick(&Who::CONTRACTS),
            _ => Who::Index,
        };
        let most = model.balance(coin, by);
        let amount = match self.dice.below(16) {
            0 => self.dice.part(most),
            _ => self.dice.wide(most / 10_000 + 2),
        };
        match (coin, to) {
            (Coin::Subnet(subnet), Who::Index) if self.dice.once_in(2) => {
                self.then([Op::Basket(BasketOp::Sync { subnet })]);
            }
            (_, Who::Pair) if self.dice.once_in(2) => {
                self.then([Op::Pool(PoolOp::Skim { by, to: Who::User(0) })]);
            }
            _ => {}
        }
        Op::Gift { by, coin, to, amount }
    }

    // ---- stake ----

    fn stake(&mut self, model: &Model) -> StakeOp {
        match self.dice.below(42) {
            0..=8 => {
                let by = self.staker();
                let most = model.balance(Coin::Tao, by).min(4 * MIN_STAKE);
                StakeOp::Bond { by, amount: self.dice.part(most) }
            }
            9..=17 => {
                let by = self.staker();
                let bonded = model.stakes.of(by).bonded;
                let most = if self.dice.once_in(3) { bonded } else { bonded / 4 };
                StakeOp::Unbond { by, amount: self.dice.part(most) }
            }
            18..=23 => {
                let lots = model.stakes.operators.iter().filter(|(_, op)| op.unbonding > 0);
                let some: Vec<Who> = lots.map(|(who, _)| *who).collect();
                let any = some.is_empty() || self.dice.once_in(5);
                StakeOp::Withdraw { by: if any { self.staker() } else { self.dice.pick(&some) } }
            }
            24 | 25 => self.rules(),
            26 => StakeOp::Resign { by: self.staker() },
            27 => StakeOp::SetWriter { by: self.ruler(), allowed: !self.dice.once_in(3) },
            28 => {
                let (by, seat) = (self.trader(), self.dice.small(SEATS));
                StakeOp::Accuse { by, seat, bps: 10_000 }
            }
            29..=36 => self.convict(model),
            _ => self.rotate(model),
        }
    }

    fn rules(&mut self) -> StakeOp {
        let mut rules = first_rules();
        rules.minimum = self.dice.pick(&[MIN_STAKE / 2, MIN_STAKE, MIN_STAKE, 2 * MIN_STAKE + 1]);
        rules.delay_ms = DELAY_MS - self.dice.below(3) * DAY_MS;
        rules.rates[0] += u32::from(self.dice.small(100));
        if self.dice.once_in(10) {
            rules.rates[2] = 1;
        }
        let by = self.ruler();
        StakeOp::SetRules { by, rules: Rules { ..rules }, other_token: self.dice.once_in(8) }
    }

    /// Proofs about few seats and slots, so that the same comes again in another wrapping.
    fn convict(&mut self, model: &Model) -> StakeOp {
        let epochs = u64::from(model.stakes.epoch());
        let epoch = match self.dice.below(10) {
            0 => self.dice.below(epochs + 2),
            1..=3 => 1 + self.dice.below(epochs),
            _ => epochs,
        };
        let epoch = u32::try_from(epoch).expect("few epochs");
        let seat = if self.dice.once_in(20) { SEATS } else { self.dice.small(9) };
        let slot = 1 + self.dice.below(2);
        let all =
            [Proof::Good, Proof::Good, Proof::Good, Proof::Turned, Proof::Same, Proof::Forged];
        let proof = self.dice.pick(&all);
        if self.dice.once_in(4) {
            return self.convict_many(epochs);
        }
        if self.dice.once_in(3) {
            // The same offence once more, by a proof of the other kind.
            let (source, proof) = (Source::Nav, Proof::Good);
            let again = StakeOp::ConvictSigner { epoch, seat, source, slot, proof };
            self.then([Op::Stake(again)]);
        }
        if self.dice.once_in(2) {
            return StakeOp::ConvictObserver { epoch, seat, slot, proof };
        }
        let sources = [Source::Nav, Source::Nav, Source::Basket, Source::Rewards];
        StakeOp::ConvictSigner { epoch, seat, source: self.dice.pick(&sources), slot, proof }
    }

    /// More seats than may fall silent.
    fn convict_many(&mut self, epochs: u64) -> StakeOp {
        let (epoch, first) = (u32::try_from(epochs).expect("few epochs"), self.dice.small(14));
        let slot = 3 + self.dice.below(100);
        let of = |seat| StakeOp::ConvictObserver { epoch, seat, slot, proof: Proof::Good };
        self.then((first + 1..first + 9).map(of).map(Op::Stake));
        of(first)
    }

    fn rotate(&mut self, model: &Model) -> StakeOp {
        let mut nodes = model.stakes.committee().to_vec();
        for _ in 0..self.dice.below(4) {
            let place = self.dice.place(nodes.len());
            let other = self.dice.small(NODES);
            match nodes.iter().position(|node| *node == other) {
                Some(there) if !self.dice.once_in(12) => nodes.swap(place, there),
                _ => nodes[place] = other,
            }
        }
        StakeOp::Rotate { nodes, signed: self.signed(model) }
    }
}

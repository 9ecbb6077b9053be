//! What contracts and model disagree about, and what must hold of the contracts alone.

use cicada_core::Account;
use std::collections::BTreeSet;
use std::fmt::Debug;

use cicada_core::basket::holdings::Holding;
use cicada_core::basket::keeps_backing;
use cicada_core::fixed::product;
use cicada_core::pair::{keeps_product, Pool};
use cicada_core::rewards::AwardState;
use cicada_runtime_tests::on;
use cicada_traits::index::Index;
use cicada_traits::pair::Pair;
use cicada_traits::psp22::PSP22;
use cicada_traits::reputation::Reputation;
use cicada_traits::rewards::Rewards;
use cicada_traits::staking::{Judged, StakeView, Staking};

use crate::model::{bits, Model};
use crate::op::{BasketOp, Op, PoolOp};
use crate::people::{Coin, Who, NODES, SUBNETS};
use crate::stage::{Stage, SUPPLY};

/// What is looked at after each operation.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub holdings: Vec<Holding>,
    /// Of the index token; none while it refuses everything.
    pub supply: Option<u128>,
    pub pool: Pool,
    pub barred: u32,
    /// Paid in, paid out, free.
    pub money: [u128; 3],
    pub awards: AwardState,
}

impl Stage {
    pub fn view(&mut self, model: &Model) -> View {
        let frozen = model.is_frozen(Coin::Tao20);
        let rewards = on(&self.rewards);
        let world = &mut self.world;
        View {
            holdings: world.read(on(&self.index).holdings()),
            supply: (!frozen).then(|| world.read(on(&self.tao20).total_supply())),
            pool: world.read(on(&self.pair).reserves()),
            barred: world.read(on(&self.validators).barred(None)),
            money: [
                world.read(rewards.funded()),
                world.read(on(&self.rewards).paid()),
                world.read(on(&self.rewards).available()),
            ],
            awards: world.read(on(&self.rewards).state()),
        }
    }
}

/// The differences so far.
#[derive(Default)]
pub struct Found(pub Vec<String>);

impl Found {
    fn same<T: Debug + PartialEq>(&mut self, what: impl Debug, chain: T, model: T) {
        if chain != model {
            self.0.push(format!("{what:?}:\n    chain {chain:?}\n    model {model:?}"));
        }
    }

    fn holds(&mut self, what: &str, holds: bool) {
        if !holds {
            self.0.push(what.to_owned());
        }
    }

    /// The view against the model.
    pub fn view(&mut self, stage: &Stage, view: &View, model: &Model) {
        let held = model.basket.parts.iter().map(|part| Holding {
            token: Account::of(&stage.coin(Coin::Subnet(part.target.subnet))),
            netuid: u16::from(part.target.subnet) + 1,
            weight_bps: part.target.weight_bps,
            price_e18: part.target.price_e18,
            amount: part.amount,
            unpriced_ms: part.unpriced_ms,
        });
        self.same("holdings", &view.holdings, &held.collect());
        self.same("supply", view.supply.unwrap_or(model.basket.supply), model.basket.supply);
        let ([a, b], shares) = (model.pool.reserves, model.pool.shares);
        self.same("pool", view.pool, Pool { a, b, shares });
        self.same("barred", view.barred, bits(&model.stakes.barred));
        let rewards = &model.rewards;
        let money = [rewards.funded, rewards.paid_in_all(), rewards.free()];
        self.same("rewards", view.money, money);
        let awards = (view.awards.epoch, view.awards.end_ms, view.awards.carried);
        self.same("epoch", awards, (rewards.epoch, rewards.end_ms, rewards.carried));
        let awards = (view.awards.total, view.awards.claims as usize);
        self.same("claims", awards, (rewards.awarded(), rewards.newest().len()));
    }

    /// These balances, of which those in a frozen token cannot be read; their sum.
    pub fn balances(
        &mut self,
        stage: &mut Stage,
        model: &Model,
        whose: impl IntoIterator<Item = (Coin, Who)>,
    ) -> u128 {
        let mut sum = 0;
        for (coin, who) in whose {
            if !model.is_frozen(coin) {
                let chain = stage.balance(coin, who);
                self.same((coin, who), chain, model.balance(coin, who));
                sum += chain;
            }
        }
        sum
    }

    pub fn stakes(
        &mut self,
        stage: &mut Stage,
        model: &Model,
        whose: impl IntoIterator<Item = Who>,
    ) {
        for who in whose {
            let operator = model.stakes.of(who);
            let expected = StakeView {
                bonded: operator.bonded,
                unbonding: operator.unbonding,
                releases_ms: operator.free_at_ms,
                is_resigned: operator.resigned.is_some(),
                standing: model.stakes.standing(who),
            };
            let chain = stage.world.read(on(&stage.validators).stake_of(who.account()));
            self.same(("stake", who), chain, expected);
        }
    }

    /// All balances, stakes, claims and everything else that there is.
    pub fn all(&mut self, stage: &mut Stage, model: &Model, slashed: u128) {
        let people: BTreeSet<Who> = Who::people().collect();
        for coin in Coin::all() {
            let holders = coin.holders().into_iter().map(|who| (coin, who));
            let held = self.balances(stage, model, holders);
            self.conserved(stage, model, coin, held);
        }
        self.stakes(stage, model, people.iter().copied());
        self.books(model, slashed);
        self.committee(stage, model);
        self.index(stage, model);
        for who in people {
            let paid = stage.world.read(on(&stage.rewards).paid_of(who.account()));
            let expected = model.rewards.paid.get(&who).copied().unwrap_or_default();
            self.same(("paid", who), paid, expected);
        }
        let chain = stage.world.read(on(&stage.pair).cumulative_price());
        let sum = model.pool.sum_at(model.now_ms);
        self.same("sum of prices", (chain.cumulative_e18, chain.time_ms), (sum, model.now_ms));
        let emission = stage.world.read(on(&stage.rewards).emission());
        let expected = (model.rewards.emission, model.rewards.change);
        self.same("emission", (emission.current, emission.change), expected);
    }

    /// Nothing of a token is lost or made: what all hold is what there is.
    fn conserved(&mut self, stage: &mut Stage, model: &Model, coin: Coin, held: u128) {
        if model.is_frozen(coin) {
            return;
        }
        let supply = stage.supply(coin);
        self.same(("all of", coin), held, supply);
        if matches!(coin, Coin::Tao | Coin::Subnet(_)) {
            self.same(("supply of", coin), supply, SUPPLY);
        }
    }

    /// What contracts hold covers what they owe; the treasury has what was slashed.
    fn books(&mut self, model: &Model, slashed: u128) {
        self.same("slashed", slashed, model.stakes.slashed);
        let treasury = model.balance(Coin::Tao, Who::Treasury);
        self.same("treasury", treasury + model.stakes.bounties, slashed);
        let covers = [
            (Who::Validators, Coin::Tao, model.stakes.held()),
            (
                Who::Rewards,
                Coin::Tao,
                model.rewards.funded.saturating_sub(model.rewards.paid_in_all()),
            ),
            (Who::Pair, Coin::Tao20, model.pool.reserves[0]),
            (Who::Pair, Coin::Tao, model.pool.reserves[1]),
        ];
        for (who, coin, due) in covers {
            let held = model.balance(coin, who);
            self.holds(&format!("{who:?} holds {held} {coin:?} of {due}"), held >= due);
        }
        for part in &model.basket.parts {
            let coin = Coin::Subnet(part.target.subnet);
            let due = part.amount + model.basket.owed_in_all(part.target.subnet);
            let held = model.balance(coin, Who::Index);
            self.holds(&format!("the index holds {held} {coin:?} of {due}"), held >= due);
        }
    }

    fn committee(&mut self, stage: &mut Stage, model: &Model) {
        let electorate = stage.world.read(on(&stage.validators).electorate(None));
        let weights = model.stakes.weights();
        let expected = (model.stakes.epoch(), weights);
        self.same("electorate", (electorate.epoch, electorate.stakes), expected);
        for node in 0..NODES {
            let account = Who::Node(node).account();
            let points = stage.world.read(on(&stage.reputation).points(account));
            self.same(("points", node), points, model.stakes.points(node));
        }
    }

    fn index(&mut self, stage: &mut Stage, model: &Model) {
        let basket = &model.basket;
        let terms = stage.world.read(on(&stage.index).terms());
        let chain = (terms.fee_bps, terms.minimum, terms.minting_paused);
        self.same("terms", chain, (basket.fee_bps, basket.minimum, basket.paused));
        let announced = stage.world.read(on(&stage.index).announced());
        let announced = announced.map(|next| (next.fee_bps, next.minimum, next.from_ms));
        self.same("announced terms", announced, basket.next);
        let chain = stage.world.read(on(&stage.index).to_judge());
        self.same("slot to judge", chain, basket.off.keys().next().copied());
        let (set, newest) = stage.world.read(on(&stage.index).feeds());
        let chain = [(set.slot, set.time_ms), (newest.slot, newest.time_ms)];
        let places = [basket.set, basket.newest].map(|place| (place.slot, place.time_ms));
        self.same("feeds", chain, places);
        let chain = stage.world.read(on(&stage.index).newest_nav()).map(|record| {
            (
                record.slot,
                record.nav_e18,
                record.time_ms,
                (record.epoch, record.signers),
                record.observers,
            )
        });
        let expected = basket.navs.last().map(|nav| {
            (nav.slot, nav.nav_e18, nav.time_ms, (nav.epoch, nav.signers), nav.observers)
        });
        self.same("newest NAV", chain, expected);
        for subnet in 0..SUBNETS {
            let (token, index) = (stage.coin(Coin::Subnet(subnet)), stage.account(Who::Index));
            let owed = stage.world.read(on(&stage.index).owed(index, token));
            self.same(("owed of", subnet), owed, basket.owed_in_all(subnet));
            let apart = stage.world.read(on(&stage.index).written_off(token));
            let expected = basket.written_off.get(&subnet).copied().unwrap_or_default();
            self.same(("written off of", subnet), apart, expected);
        }
        for ((who, subnet), amount) in &basket.owed {
            let token = stage.coin(Coin::Subnet(*subnet));
            let owed = stage.world.read(on(&stage.index).owed(who.account(), token));
            self.same(("owed to", who, subnet), owed, *amount);
        }
    }

    /// What holds whatever the model says.
    pub fn always(&mut self, op: &Op, before: &View, after: &View) {
        self.holds("more than seven seats are barred", after.barred.count_ones() <= 7);
        let [funded, paid, free] = after.money;
        self.holds("more is paid than was paid in", paid <= funded);
        self.holds("more is paid than was awarded", paid <= after.awards.total);
        let all = free + after.awards.carried + after.awards.total;
        self.same("free, carried and awarded", all, funded);
        self.pool(op, before.pool, after.pool);
        self.backing(op, before, after);
    }

    fn pool(&mut self, op: &Op, before: Pool, after: Pool) {
        let product_kept = keeps_product((before.a, before.b), (after.a, after.b));
        let is_removal = matches!(op, Op::Pool(PoolOp::Remove { .. }));
        self.holds("the product of the reserves fell", is_removal || product_kept);
        // before ≤ after of a · b / shares², without division.
        let square = |shares: u128| product(shares, shares);
        let worth =
            |pool: Pool, other: Pool| product(pool.a, pool.b).full_mul(square(other.shares));
        self.holds("a share is worth less", worth(before, after) <= worth(after, before));
    }

    fn backing(&mut self, op: &Op, before: &View, after: &View) {
        let amounts = |view: &View| -> Vec<u128> {
            view.holdings.iter().map(|holding| holding.amount).collect()
        };
        // At scale 10¹⁸.
        let value = |view: &View| {
            let worth = |held: &Holding| product(held.amount, held.price_e18);
            view.holdings.iter().map(worth).fold(product(0, 0), |sum, worth| sum + worth)
        };
        match op {
            Op::Basket(BasketOp::Swap { .. }) => {
                // What swaps pay at last: 20 bps of what is given, which is less than the whole.
                let least = value(before) / product(10_000, 1) * product(9_980, 1);
                self.holds("a swap lowered the value", value(after) >= least);
            }
            Op::Basket(BasketOp::SetBasket { .. }) => {
                let sum = |view: &View| amounts(view).iter().sum::<u128>();
                self.holds("a basket adds to what is held", sum(after) <= sum(before));
            }
            _ => {
                if let (Some(old), Some(new)) = (before.supply, after.supply) {
                    let kept = keeps_backing((&amounts(before), old), (&amounts(after), new));
                    self.holds("there is less behind a token", kept);
                }
            }
        }
    }

    /// The NAV of the model times the supply is the value of what the index holds, but for what is
    /// lost by rounding to 10⁻¹⁸ TAO a token.
    pub fn worth(&mut self, view: &View, model: &Model) {
        let Some(supply) = view.supply.filter(|supply| *supply > 0) else { return };
        let nav = model.basket.nav_e18();
        let worth = |held: &Holding| product(held.amount, held.price_e18);
        let value = view.holdings.iter().map(worth).fold(product(0, 0), |sum, worth| sum + worth);
        // 10⁹ units of the index token for one of TAO.
        let value = value * product(1_000_000_000, 1);
        let (low, high) = (product(nav, supply), product(nav + 1, supply));
        self.holds("supply times NAV is not the basket's value", low <= value && value < high);
    }
}

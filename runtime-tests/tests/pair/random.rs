//! Random operations against a plain model: the same figures, the product of the reserves never
//! falls in a trade, a share is never worth less, and every unit is accounted for.

use std::collections::BTreeMap;

use crate::stage::*;
use cicada_core::pair::Pool;
use cicada_dice::Dice;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::pair::PairError;
use cicada_traits::psp22::PSP22;

/// What these tests draw.
trait Draws {
    /// An amount up to about what is there: small ones, round parts, edges.
    fn amount(&mut self, there: u128) -> u128;
}

impl Draws for Dice {
    fn amount(&mut self, there: u128) -> u128 {
        match self.below(8) {
            0 => u128::from(self.below(4)),
            1 => there,
            2 => there + 1,
            3 => there / 2,
            4 | 5 => u128::from(self.below(10_000)),
            _ => u128::from(self.roll()) % there.max(1),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Add {
        max_a: u128,
        max_b: u128,
    },
    Remove {
        shares: u128,
    },
    SellA(u128),
    SellB(u128),
    /// Buys the second token for the first.
    BuyB(u128),
    /// Buys the first token for the second.
    BuyA(u128),
    Give {
        to: &'static str,
        shares: u128,
    },
}

/// Both tokens and shares of somebody.
type Held = [u128; 3];

/// The pool in plain numbers; none here exceeds 2⁴⁵, so that nothing overflows.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    reserves: [u128; 2],
    shares: u128,
    fee_bps: u128,
    people: BTreeMap<&'static str, Held>,
}

fn root(square: u128) -> u128 {
    let mut root = (square as f64).sqrt() as u128;
    while root * root > square {
        root -= 1;
    }
    while (root + 1) * (root + 1) <= square {
        root += 1;
    }
    root
}

impl Model {
    fn new(fee_bps: u16) -> Self {
        let people = PEOPLE.map(|name| (name, [HELD, HELD, 0])).into();
        Self { reserves: [0, 0], shares: 0, fee_bps: fee_bps.into(), people }
    }

    /// What the operation does; `None` if the contract must refuse it.
    fn apply(&mut self, name: &'static str, op: Op) -> Option<()> {
        let mut after = self.clone();
        after.run(name, op)?;
        *self = after;
        Some(())
    }

    fn run(&mut self, name: &'static str, op: Op) -> Option<()> {
        match op {
            Op::Add { max_a, max_b } => self.add(name, [max_a, max_b]),
            Op::Remove { shares } => self.remove(name, shares),
            Op::SellA(amount) => self.sell(name, 0, amount),
            Op::SellB(amount) => self.sell(name, 1, amount),
            Op::BuyB(amount) => self.buy(name, 0, amount),
            Op::BuyA(amount) => self.buy(name, 1, amount),
            Op::Give { to, shares } => {
                if to != name {
                    self.take(name, 2, shares)?;
                    self.give(to, 2, shares);
                }
                Some(())
            }
        }
    }

    fn take(&mut self, name: &'static str, what: usize, amount: u128) -> Option<()> {
        let held = &mut self.people.get_mut(name)?[what];
        *held = held.checked_sub(amount)?;
        Some(())
    }

    fn give(&mut self, name: &'static str, what: usize, amount: u128) {
        self.people.get_mut(name).expect("known")[what] += amount;
    }

    fn add(&mut self, name: &'static str, most: [u128; 2]) -> Option<()> {
        let (amounts, shares);
        if self.shares == 0 {
            let all = root(most[0] * most[1]);
            (amounts, shares) = (most, all.checked_sub(1_000)?);
            self.shares = 1_000;
        } else {
            shares = (0..2).map(|i| most[i] * self.shares / self.reserves[i]).min()?;
            amounts = [0, 1].map(|i| (shares * self.reserves[i]).div_ceil(self.shares));
        }
        if shares == 0 {
            return None;
        }
        for (i, amount) in amounts.into_iter().enumerate() {
            self.take(name, i, amount)?;
            self.reserves[i] += amount;
        }
        self.shares += shares;
        self.give(name, 2, shares);
        Some(())
    }

    fn remove(&mut self, name: &'static str, shares: u128) -> Option<()> {
        if shares == 0 {
            return None;
        }
        self.take(name, 2, shares)?;
        for i in 0..2 {
            let amount = shares * self.reserves[i] / self.shares;
            self.reserves[i] -= amount;
            self.give(name, i, amount);
        }
        self.shares -= shares;
        Some(())
    }

    fn sell(&mut self, name: &'static str, side: usize, amount: u128) -> Option<()> {
        let (into, from) = (self.reserves[side], self.reserves[1 - side]);
        if into == 0 {
            return None;
        }
        let kept = amount * (10_000 - self.fee_bps);
        let out = from * kept / (into * 10_000 + kept);
        if out == 0 {
            return None;
        }
        self.swap(name, side, amount, out)
    }

    fn buy(&mut self, name: &'static str, side: usize, out: u128) -> Option<()> {
        let (into, from) = (self.reserves[side], self.reserves[1 - side]);
        if out == 0 || out >= from {
            return None;
        }
        let cost = (into * out * 10_000).div_ceil((from - out) * (10_000 - self.fee_bps));
        self.swap(name, side, cost, out)
    }

    fn swap(&mut self, name: &'static str, side: usize, paid: u128, out: u128) -> Option<()> {
        self.take(name, side, paid)?;
        self.give(name, 1 - side, out);
        self.reserves[side] += paid;
        self.reserves[1 - side] -= out;
        Some(())
    }
}

fn random_op(dice: &mut Dice, model: &Model, name: &'static str) -> Op {
    let [a, b] = model.reserves;
    let mine = model.people[name];
    let most = |reserve: u128| reserve.clamp(2_000, 1 << 32);
    match dice.below(16) {
        0 | 1 => {
            let max_a = dice.amount(most(a));
            let fitting = match (max_a * b).checked_div(a) {
                Some(exact) => exact + 1,
                None => dice.amount(9_000),
            };
            Op::Add {
                max_a,
                max_b: if dice.below(3) == 0 { dice.amount(most(b)) } else { fitting },
            }
        }
        2 | 3 => Op::Remove { shares: dice.amount(mine[2]) },
        4..=6 => Op::SellA(dice.amount(most(a))),
        7..=9 => Op::SellB(dice.amount(most(b))),
        10 | 11 => Op::BuyB(dice.amount(b)),
        12 | 13 => Op::BuyA(dice.amount(a)),
        14 => Op::SellA(mine[0] + u128::from(dice.below(2))),
        _ => Op::Give { to: PEOPLE[dice.below(3) as usize], shares: dice.amount(mine[2]) },
    }
}

fn run(stage: &mut Stage, name: &str, op: Op) -> Result<(), PairError> {
    let (a, b) = (stage.a(), stage.b());
    match op {
        Op::Add { max_a, max_b } => stage.add(name, max_a, max_b).value.map(|_| ()),
        Op::Remove { shares } => stage.remove(name, shares).value.map(|_| ()),
        Op::SellA(amount) => stage.sell(name, a, amount).value.map(|_| ()),
        Op::SellB(amount) => stage.sell(name, b, amount).value.map(|_| ()),
        Op::BuyB(amount) => stage.buy(name, a, amount).value.map(|_| ()),
        Op::BuyA(amount) => stage.buy(name, b, amount).value.map(|_| ()),
        Op::Give { to, shares } => {
            let message = on(&stage.pair).transfer(account(to), shares, vec![]);
            stage.call(name, message).value.map_err(|_| PairError::InsufficientShares)
        }
    }
}

/// `before ≤ after` of a / shares², without division: what one share stands for never falls.
fn keeps_worth(before: Pool, after: Pool) -> bool {
    let worth = |pool: Pool, other: Pool| {
        let product = cicada_core::fixed::product(pool.a, pool.b);
        product.full_mul(cicada_core::fixed::product(other.shares, other.shares))
    };
    worth(before, after) <= worth(after, before)
}

fn random_operations(seed: u64, steps: usize, fee_bps: u16) {
    let mut stage = Stage::with(fee_bps, HELD);
    let mut model = Model::new(fee_bps);
    let mut dice = Dice::new(seed);
    let (mut done, mut refused) = (0, 0);
    for step in 0..steps {
        let name = PEOPLE[dice.below(3) as usize];
        let op = random_op(&mut dice, &model, name);
        let context = format!("seed {seed}, step {step}: {op:?} by {name}");
        let before = stage.pool();
        let outcome = run(&mut stage, name, op);
        match model.apply(name, op) {
            Some(()) => {
                assert_eq!(outcome, Ok(()), "{context}");
                done += 1;
            }
            None => {
                assert!(outcome.is_err(), "not refused: {context}");
                refused += 1;
            }
        }
        let pool = stage.pool();
        let expected = Pool { a: model.reserves[0], b: model.reserves[1], shares: model.shares };
        assert_eq!(pool, expected, "{context}");
        if before.shares != 0 {
            assert!(keeps_worth(before, pool), "a share lost worth: {context}");
        }
        assert_eq!(stage.holdings(account(name)), model.people[name].into(), "{context}");
        let mut held = stage.held();
        assert_eq!((held.0, held.1), (pool.a, pool.b), "{context}");
        if step % 50 == 49 {
            for name in PEOPLE {
                let his = stage.holdings(account(name));
                assert_eq!(his, model.people[name].into(), "{context}");
                held = (held.0 + his.0, held.1 + his.1, held.2 + his.2);
            }
            assert_eq!(held, (3 * HELD, 3 * HELD, pool.shares), "lost or made: {context}");
            stage.world.next_block();
        }
    }
    assert_eq!(stage.world.read(on(&stage.pair).balance_of(address(&stage.pair))), 1_000);
    assert!(done > steps / 3 && refused > steps / 20, "{done} done, {refused} refused");
}

#[test]
fn random_operations_do_what_the_model_says() {
    random_operations(71, 2_000, 30);
}

#[test]
fn so_do_others_without_a_fee() {
    random_operations(0xc1cada, 1_000, 0);
}

#[test]
fn so_do_others_with_the_highest_fee() {
    random_operations(5, 500, 100);
}

//! Random acts on the contract and on a plain model of it; after each, every unit of every token
//! is compared.

use crate::stage::*;
use cicada_core::basket::holdings::LOCKED_SUPPLY;
use cicada_dice::Dice;
use cicada_runtime_tests::{account, address};

const COINS: usize = 5;
const ACTS: usize = 300;

#[derive(Clone, Debug, PartialEq)]
struct Model {
    held: Vec<u128>,
    unasked: Vec<u128>,
    frozen: Vec<bool>,
    supply: u128,
    fee: u128,
    tokens: [u128; 3],
    purse: [Vec<u128>; 3],
    owed: [Vec<u128>; 3],
}

impl Model {
    fn new() -> Self {
        let none = || vec![0; COINS];
        Self {
            held: none(),
            unasked: none(),
            frozen: vec![false; COINS],
            supply: 0,
            fee: 0,
            tokens: [0; 3],
            purse: [(); 3].map(|()| vec![FUNDS; COINS]),
            owed: [(); 3].map(|()| none()),
        }
    }

    fn kept(&self, tokens: u128) -> u128 {
        tokens - ceil(tokens, self.fee, 10_000)
    }

    fn mint(&mut self, who: usize, tokens: u128) -> bool {
        // A fifth of the value each, at 0.1, 0.2, … TAO.
        let first = |coin: usize| (tokens / 5).div_ceil((coin as u128 + 1) * 100_000_000);
        let cost = |coin: usize| match self.supply {
            0 => first(coin),
            supply => ceil(self.held[coin], tokens, supply),
        };
        let costs: Vec<u128> = (0..COINS).map(cost).collect();
        let refused = |coin: usize| {
            costs[coin] > 0 && (self.frozen[coin] || self.purse[who][coin] < costs[coin])
        };
        let locked = if self.supply == 0 { LOCKED_SUPPLY } else { 0 };
        let credited = self.kept(tokens);
        if (0..COINS).any(refused) || credited <= locked {
            return false;
        }
        for (coin, cost) in costs.into_iter().enumerate() {
            self.purse[who][coin] -= cost;
            self.held[coin] += cost;
        }
        self.supply += credited;
        self.tokens[who] += credited - locked;
        true
    }

    fn redeem(&mut self, who: usize, tokens: u128) -> bool {
        let left = self.kept(tokens);
        if left == 0 || tokens > self.tokens[who] {
            return false;
        }
        for coin in 0..COINS {
            let paid = floor(self.held[coin], left, self.supply);
            self.held[coin] -= paid;
            match self.frozen[coin] {
                true => self.owed[who][coin] += paid,
                false => self.purse[who][coin] += paid,
            }
        }
        self.supply -= tokens;
        self.tokens[who] -= tokens;
        true
    }

    fn claim(&mut self, who: usize, coin: usize) -> bool {
        let owed = self.owed[who][coin];
        if owed == 0 || self.frozen[coin] {
            return false;
        }
        self.purse[who][coin] += owed;
        self.owed[who][coin] = 0;
        true
    }

    fn sync(&mut self, coin: usize) -> bool {
        let more = self.unasked[coin];
        if more == 0 || self.frozen[coin] {
            return false;
        }
        self.held[coin] += more;
        self.unasked[coin] = 0;
        true
    }
}

struct Run {
    stage: Stage,
    model: Model,
    infos: Vec<Option<Vec<u8>>>,
    done: [usize; 8],
}

impl Run {
    fn new() -> Self {
        let mut stage = Stage::with_coins(COINS);
        stage.set_usual();
        Self { stage, model: Model::new(), infos: vec![None; COINS], done: [0; 8] }
    }

    fn act(&mut self, dice: &mut Dice) -> bool {
        let (who, coin) = (dice.place(3), dice.place(COINS));
        let name = PEOPLE[who];
        // Small ones, where rounding tells, and large ones.
        let amount = match dice.wide(3) {
            0 => 1 + dice.wide(1_000),
            1 => 1 + dice.wide(ONE),
            _ => 1 + dice.wide(50_000 * ONE),
        };
        let kind = dice.wide(16);
        let (place, model, chain) = match kind {
            0..=4 => {
                let amount = if self.model.supply == 0 { amount * 5 } else { amount };
                (0, self.model.mint(who, amount), self.stage.mint(name, amount).value.is_ok())
            }
            5..=8 => {
                let all = self.model.tokens[who];
                let amount = if dice.wide(4) == 0 { all } else { amount.min(all + 1) };
                (1, self.model.redeem(who, amount), self.stage.redeem(name, amount).value.is_ok())
            }
            9..=10 => (2, self.model.claim(who, coin), self.stage.claim(name, coin).value.is_ok()),
            11 => (3, self.model.sync(coin), self.stage.sync(coin).value.is_ok()),
            12 => {
                self.model.fee = dice.wide(101);
                let fee = self.model.fee as u16;
                self.stage.enforce_terms(fee, 0, false);
                // The first mint needs fresh prices.
                self.stage.set_usual();
                (4, true, true)
            }
            13 if self.infos[coin].is_none() && self.model.purse[who][coin] > 0 => {
                let gift = 1 + dice.wide(self.model.purse[who][coin].min(1_000));
                self.model.purse[who][coin] -= gift;
                self.model.unasked[coin] += gift;
                self.stage.donate(name, coin, gift);
                (5, true, true)
            }
            13 | 14 => {
                // Mostly one at once, or nothing could be minted.
                let frozen = self.infos.iter().position(Option::is_some);
                let coin = frozen.filter(|_| dice.below(4) > 0).unwrap_or(coin);
                match self.infos[coin].take() {
                    Some(info) => self.stage.restore(coin, &info),
                    None => self.infos[coin] = Some(self.stage.remove(coin)),
                }
                self.model.frozen[coin] = self.infos[coin].is_some();
                (6, true, true)
            }
            _ => {
                // Prices are only for the first mint here; weights do not move.
                self.stage.set_usual();
                (7, true, true)
            }
        };
        assert_eq!(model, chain, "act {kind} of {name}, coin {coin}, amount {amount}");
        self.done[place] += usize::from(model);
        model
    }

    fn compare(&mut self) {
        let index = address(&self.stage.index);
        assert_eq!(self.stage.amounts(), self.model.held);
        assert_eq!(self.stage.supply(), self.model.supply);
        for (who, name) in PEOPLE.iter().enumerate() {
            assert_eq!(self.stage.tokens(account(name)), self.model.tokens[who], "{name}");
            for coin in 0..COINS {
                assert_eq!(self.stage.owed(name, coin), self.model.owed[who][coin]);
                if !self.model.frozen[coin] {
                    let purse = self.stage.balance(account(name), coin);
                    assert_eq!(purse, self.model.purse[who][coin], "{name}, coin {coin}");
                }
            }
        }
        for coin in (0..COINS).filter(|coin| !self.model.frozen[*coin]) {
            let owed: u128 = self.model.owed.iter().map(|owed| owed[coin]).sum();
            let whole = self.model.held[coin] + self.model.unasked[coin] + owed;
            assert_eq!(self.stage.balance(index, coin), whole, "coin {coin}");
        }
    }
}

fn run(seed: u64) {
    let (mut run, mut dice) = (Run::new(), Dice::new(seed));
    for _ in 0..ACTS {
        if run.act(&mut dice) {
            run.compare();
        }
    }
    // Everybody gets what is his.
    for coin in 0..COINS {
        if let Some(info) = run.infos[coin].take() {
            run.stage.restore(coin, &info);
            run.model.frozen[coin] = false;
        }
        for (who, name) in PEOPLE.iter().enumerate() {
            assert_eq!(run.model.claim(who, coin), run.stage.claim(name, coin).value.is_ok());
        }
    }
    run.compare();
    assert!(run.done.iter().all(|count| *count > 0), "every act came off: {:?}", run.done);
}

#[test]
fn the_contract_does_what_the_plain_model_does_seed_1() {
    run(1);
}

#[test]
fn the_contract_does_what_the_plain_model_does_seed_2() {
    run(2);
}

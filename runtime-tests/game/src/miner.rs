//! Who mints, redeems, swaps and registers with two accounts: for the basket, or for the rewards.

mod epochs;

use crate::basket::stage::{Stage, FUNDS, ONE};
use crate::role::Role;
use cicada_core::activity::Side;
use cicada_core::basket::holdings::Entry;
use cicada_core::basket::rebalance::swap_room_floor;
use cicada_core::Account;
use cicada_dice::Dice;
use cicada_runtime_tests::{account, on, Snapshot};
use cicada_traits::index::Index;
use epochs::{Book, Epochs};

/// His accounts.
pub(crate) const ACCOUNTS: [&str; 2] = ["charlie", "dave"];
/// Who holds most of the index at first, and mints and redeems in every epoch.
const HONEST: &str = "bob";
/// What the honest one mints and redeems in an epoch.
const TURN: u128 = 50 * ONE;
/// Tokens of the index's basket.
const COINS: usize = 4;
/// The time of a moment: a third of the time for which prices are fresh.
const MOMENT_MS: u64 = 100_000;
/// Moments from one basket to the next.
const BASKET: u32 = 4;
/// Moments of an epoch.
const EPOCH: u32 = 6;
/// How many moments there are.
const MOMENTS: u32 = 4 * EPOCH;
/// The weights of the baskets; the prices stay, so that a swap has no other price than that of the end.
const WEIGHTS: [[u16; COINS]; 3] =
    [[2_500; COINS], [4_000, 3_000, 2_000, 1_000], [1_500, 0, 2_500, 6_000]];
/// What the specification lets a swap take out of the index at most, in bps of what is given.
const BONUS_BPS: u128 = 20;

/// What he is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// What others have in the basket.
    Basket,
    /// A larger part of the rewards than capital that stays gives.
    Rewards,
}

/// A fault of the honest ones, to see whether the search would find one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The prices of the second basket are wrong by so much, in bps.
    Prices(u128),
    /// Whatever is minted or redeemed scores, whether it stayed or not.
    Turns,
}

/// Something that he can do, with one of his accounts.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Mints so many units.
    Mint(usize, u128),
    /// Redeems so much of what the account has, in bps.
    Redeem(usize, u128),
    /// Moves so much of it to the other account, in bps.
    Move(usize, u128),
    /// Gives a token for another: so much of what there is room for, in bps.
    Swap(usize, [usize; 2], u128),
    /// Sends a token to the index and has it counted.
    Give(usize, usize, u128),
    /// Registers for the tiers.
    Register(usize),
    /// Leaves them.
    Leave(usize),
    /// Claims what an epoch's root says, of so many epochs ago.
    Claim(usize, usize),
}

/// The miner, and the index and the rewards that he plays with.
pub struct Miner {
    stage: Stage,
    start: Snapshot,
    first: Book,
    epochs: Epochs,
    goal: Goal,
    fault: Option<Fault>,
    /// What swaps may have taken from others, and what the others' own mints and redemptions left to
    /// all holders by rounding, in tenths of a unit of TAO.
    bonus: u128,
}

impl Miner {
    /// With honest others.
    pub fn new(goal: Goal) -> Self {
        Self::with(goal, None)
    }

    /// With a fault of theirs.
    pub fn with(goal: Goal, fault: Option<Fault>) -> Self {
        let mut stage = Stage::with_coins(COINS);
        let mut epochs = Epochs::new(&mut stage, u64::from(EPOCH) * MOMENT_MS);
        epochs.counts_turns = fault == Some(Fault::Turns);
        stage.set_usual();
        let _ = stage.mint(HONEST, 1_000 * ONE).succeeds();
        let have = stage.tokens(account(HONEST));
        epochs.moved(&stage, None, Some(HONEST), have);
        stage.world.advance(MOMENT_MS * u64::from(BASKET));
        epochs.begin(&mut stage);
        let (start, first) = (stage.world.snapshot(), epochs.book.clone());
        let mut role = Self { stage, start, first, epochs, goal, fault, bonus: 0 };
        role.set_basket(0);
        role.start = role.stage.world.snapshot();
        role
    }

    /// What a unit of a token is worth, in tenths of a unit of TAO.
    fn price(coin: usize) -> u128 {
        coin as u128 + 1
    }

    fn set_basket(&mut self, number: usize) {
        let wrong = match self.fault {
            Some(Fault::Prices(bps)) if number == 1 => bps,
            _ => 0,
        };
        let weights = WEIGHTS[number % WEIGHTS.len()];
        let mut entries: Vec<Entry> = self.stage.usual();
        for (coin, (entry, weight_bps)) in entries.iter_mut().zip(weights).enumerate() {
            entry.weight_bps = weight_bps;
            let wrong = if coin == 0 { wrong } else { 0 };
            entry.price_e18 += entry.price_e18 * wrong / 10_000;
        }
        let _ = self.stage.set_basket(&entries).succeeds();
    }

    /// Mints, and redeems, if that is not refused.
    fn turn(&mut self, who: &str, side: Side, tokens: u128) {
        let before = self.stage.tokens(account(who));
        if who == HONEST && self.own() > 0 {
            self.bonus += (0..COINS).map(Self::price).sum::<u128>();
        }
        let done = match side {
            Side::Mint => self.stage.mint(who, tokens),
            Side::Redeem => self.stage.redeem(who, tokens),
        };
        if done.value.is_ok() {
            let moved = self.stage.tokens(account(who)).abs_diff(before);
            self.epochs.turned(&mut self.stage, who, side, moved);
        }
    }

    fn transfer(&mut self, from: usize, part: u128) {
        let [from, to] = [ACCOUNTS[from], ACCOUNTS[1 - from]];
        let tokens = self.stage.tokens(account(from)) / 10_000 * part;
        self.epochs.transfer(&mut self.stage, [from, to], tokens);
    }

    fn swap(&mut self, who: usize, [give, take]: [usize; 2], part: u128) {
        let stage = &mut self.stage;
        let ids = [give, take].map(|coin| Account::of(&stage.coin(coin)));
        let taken_ms = stage.world.read(on(&stage.index).basket_taken_ms());
        let age = stage.world.now() - taken_ms;
        let Ok(room) = swap_room_floor(&stage.holdings(), &ids[0], &ids[1], age) else { return };
        let amount = (room * part / 10_000).min(FUNDS / 2);
        let others = self.others();
        if self.stage.swap(ACCOUNTS[who], give, amount, take).value.is_ok() {
            // Of what it takes out, only what others have in the index is theirs.
            let worth = amount * Self::price(give);
            self.bonus += worth * BONUS_BPS / 10_000 * others / 10_000 + 1;
        }
    }

    /// The part of the index that is not his, in bps, rounded up.
    fn others(&mut self) -> u128 {
        let supply = self.stage.supply();
        (supply - self.own()) * 10_000 / supply + 1
    }

    /// Index tokens of all his accounts.
    fn own(&mut self) -> u128 {
        ACCOUNTS.map(|who| self.stage.tokens(account(who))).iter().sum()
    }

    /// What he has in tokens and in the index, in tenths of a unit of TAO, at what they are worth.
    fn money(&mut self) -> u128 {
        let held = self.stage.amounts().into_iter().enumerate();
        let value: u128 = held.map(|(coin, amount)| amount * Self::price(coin)).sum();
        let [own, supply] = [self.own(), self.stage.supply()].map(|tokens| tokens / 1_000_000);
        let purses = ACCOUNTS.map(|who| self.stage.purse(who));
        let coins = purses.iter().flat_map(|purse| purse.iter().enumerate());
        coins.map(|(coin, amount)| amount * Self::price(coin)).sum::<u128>() + value * own / supply
    }
}

impl Role for Miner {
    type Act = Act;

    fn begin(&mut self) {
        self.stage.world.restore(&self.start);
        self.epochs.book = self.first.clone();
        self.bonus = 0;
    }

    fn moments(&self) -> u32 {
        MOMENTS
    }

    fn draw(&self, dice: &mut Dice) -> Act {
        let who = dice.place(ACCOUNTS.len());
        let part = dice.pick(&[10_000, 10_000, 5_000, 1]);
        let coins = [dice.place(COINS), dice.place(COINS)];
        let amount = dice.pick(&[1, 1_001, ONE / 7, 3 * ONE, 1_000 * ONE, 1_000 * ONE]);
        match dice.below(16) {
            0..=3 => Act::Mint(who, amount),
            4..=6 => Act::Redeem(who, part),
            7..=8 => Act::Move(who, part),
            9..=12 => Act::Swap(who, coins, part),
            13 => Act::Give(who, coins[0], amount / 1_000_000_000),
            14 => dice.pick(&[Act::Register(who), Act::Register(who), Act::Leave(who)]),
            _ => Act::Claim(who, dice.place(3)),
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Mint(who, tokens) => self.turn(ACCOUNTS[who], Side::Mint, tokens),
            Act::Redeem(who, part) => {
                let tokens = self.stage.tokens(account(ACCOUNTS[who])) / 10_000 * part;
                self.turn(ACCOUNTS[who], Side::Redeem, tokens);
            }
            Act::Move(from, part) => self.transfer(from, part),
            Act::Swap(who, coins, part) => self.swap(who, coins, part),
            Act::Give(who, coin, amount) => {
                self.stage.donate(ACCOUNTS[who], coin, amount);
                let _ = self.stage.sync(coin);
            }
            Act::Register(who) => self.epochs.register(&mut self.stage, ACCOUNTS[who]),
            Act::Leave(who) => self.epochs.leave(&mut self.stage, ACCOUNTS[who]),
            Act::Claim(who, ago) => self.epochs.claim(&mut self.stage, ACCOUNTS[who], ago),
        }
        let own = self.own();
        self.epochs.holds(own);
    }

    fn pass(&mut self, moment: u32) {
        match moment % EPOCH {
            1 => self.turn(HONEST, Side::Mint, TURN),
            3 => self.turn(HONEST, Side::Redeem, TURN),
            _ => {}
        }
        self.stage.world.advance(MOMENT_MS);
        let next = moment + 1;
        if next.is_multiple_of(EPOCH) {
            let own = self.own();
            self.epochs.end(&mut self.stage, own);
        }
        if next.is_multiple_of(BASKET) {
            self.set_basket((next / BASKET) as usize);
        }
    }

    fn wealth(&mut self) -> i128 {
        match self.goal {
            Goal::Basket => self.money() as i128,
            Goal::Rewards => self.epochs.paid(&mut self.stage) as i128,
        }
    }

    /// Of the basket what the spread gives at last and others round away while he holds some of it; of the rewards what capital that stayed earns.
    fn allowed(&mut self) -> i128 {
        match self.goal {
            Goal::Basket => self.bonus as i128,
            Goal::Rewards => self.epochs.book.allowed as i128,
        }
    }
}

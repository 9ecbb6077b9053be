//! Random operations, each compared with the model; the contract's tokens are what is staked.

use std::collections::BTreeMap;

use cicada_core::report::ReportKind;
use cicada_core::slashing::{Rates, JUDGED_MS, MIN_STAKE};
use cicada_dice::Dice;
use cicada_runtime_tests::{account, on};
use cicada_traits::staking::Staking;
use cicada_traits::validators::ValidatorsError;

use crate::model::{Model, Operator, Rules};
use crate::stage::{everybody, node, Stage, DAY, DELAY, JUDGE, PURSE, STAKE, STRANGER, TREASURY};

/// Operations of each of the four runs.
const OPERATIONS: u32 = 650;
const SEATS: u8 = 23;

/// What these tests draw.
trait Draws {
    fn seat(&mut self) -> u8;
    /// Some part of an amount, its ends and what lies just beyond it.
    fn amount(&mut self, of: u128) -> u128;
    fn bps(&mut self) -> u32;
}

impl Draws for Dice {
    fn seat(&mut self) -> u8 {
        u8::try_from(self.below(u64::from(SEATS))).unwrap()
    }

    fn amount(&mut self, of: u128) -> u128 {
        match self.below(10) {
            0 => 0,
            1 => of + 1,
            2 => of,
            3 => 1.min(of),
            _ => u128::from(self.roll()) % (of + 1),
        }
    }

    fn bps(&mut self) -> u32 {
        const EDGES: [u32; 8] = [0, 50, 51, 100, 101, 500, 501, u32::MAX];
        EDGES[usize::try_from(self.below(8)).unwrap()]
    }
}

struct Run {
    stage: Stage,
    model: Model,
    dice: Dice,
    done: [u32; 8],
}

impl Run {
    fn new(seed: u64) -> Self {
        let rules = Rules { minimum: MIN_STAKE, delay: DELAY, rates: [100, 500, 1_500, 5_000] };
        let each = Operator { purse: PURSE - STAKE, bonded: STAKE, ..Operator::default() };
        let model = Model::new(vec![each; usize::from(SEATS)], rules);
        Self { stage: Stage::new(), model, dice: Dice::new(seed), done: [0; 8] }
    }

    fn step(&mut self) {
        let what = match self.dice.below(100) {
            0..=21 => 0,
            22..=41 => 1,
            42..=59 => 2,
            60..=79 => 3,
            80..=85 => 4,
            86..=93 => 5,
            94..=96 => 6,
            _ => 7,
        };
        let worked = match what {
            0 => self.bond(),
            1 => self.unbond(),
            2 => self.withdraw(),
            3 => self.report(),
            4 => self.convict(),
            5 => self.wait(),
            6 => self.change_rules(),
            _ => self.rotate(),
        };
        self.done[what] += u32::from(worked);
    }

    fn bond(&mut self) -> bool {
        let seat = self.dice.seat();
        let purse = self.model.operators[usize::from(seat)].purse;
        let amount = if self.dice.below(3) == 0 {
            self.dice.amount(purse)
        } else {
            self.dice.amount(2 * MIN_STAKE).min(purse)
        };
        let answer = self.stage.bond(node(seat), amount).value;
        assert_eq!(answer, self.model.bond(seat, amount), "seat {seat} bonds {amount}");
        answer.is_ok()
    }

    fn unbond(&mut self) -> bool {
        let (seat, now) = (self.dice.seat(), self.stage.world.now());
        let bonded = self.model.operators[usize::from(seat)].bonded;
        let most = if self.dice.below(4) == 0 { bonded } else { bonded / 4 };
        let amount = self.dice.amount(most);
        let answer = self.stage.unbond(node(seat), amount).value;
        assert_eq!(answer, self.model.unbond(seat, amount, now), "seat {seat} unbonds {amount}");
        answer.is_ok()
    }

    fn withdraw(&mut self) -> bool {
        let (seat, now) = (self.dice.seat(), self.stage.world.now());
        let answer = self.stage.withdraw(node(seat)).value;
        assert_eq!(answer, self.model.withdraw(seat, now), "seat {seat} withdraws");
        answer.is_ok()
    }

    fn report(&mut self) -> bool {
        let slot = self.dice.below(30);
        // Now and then more than may lie.
        let count = if self.dice.below(5) == 0 { 12 } else { self.dice.below(5) };
        let list: BTreeMap<u8, u32> =
            (0..count).map(|_| (self.dice.seat(), self.dice.bps())).collect();
        let list: Vec<(u8, u32)> = list.into_iter().collect();
        // Half an hour apart, newer and older.
        let time = slot * JUDGED_MS / 2;
        let epoch = self.model.epoch;
        let said = everybody(&list);
        let _ = self.stage.report_of(JUDGE, ReportKind::Nav, (slot, time), epoch, &said).succeeds();
        let before = self.model.treasury;
        self.model.report(time, &list);
        self.model.treasury > before
    }

    fn convict(&mut self) -> bool {
        let (seat, slot) = (self.dice.seat() % 9, self.dice.below(4));
        let epoch = 1 + u32::try_from(self.dice.below(u64::from(self.model.epoch))).unwrap();
        let evidence = self.stage.two_navs(epoch, seat, slot);
        let answer = self.stage.convict_observer(evidence).value;
        assert_eq!(answer, self.model.convict(seat, epoch, slot), "{seat} in {epoch}, {slot}");
        answer.is_ok()
    }

    fn wait(&mut self) -> bool {
        let ms = [1, DAY, DELAY - 1, DELAY][usize::try_from(self.dice.below(4)).unwrap()];
        self.stage.world.advance(ms);
        self.model.at(self.stage.world.now());
        true
    }

    fn change_rules(&mut self) -> bool {
        let minimum = MIN_STAKE / 2 + u128::from(self.dice.below(2)) * MIN_STAKE / 2;
        let delay = DELAY - self.dice.below(3) * DAY;
        let minor = 100 + u32::try_from(self.dice.below(100)).unwrap();
        let now = self.stage.world.now();
        let rates = [u128::from(minor), 500, 1_500, 5_000];
        let notice = 2 * self.model.rules.delay;
        self.model.next = Some((Rules { minimum, delay, rates }, now + notice));
        let change = |terms: &mut cicada_traits::staking::StakingTerms| {
            terms.minimum = minimum;
            terms.unbonding_ms = delay;
            terms.rates = Rates { minor_bps: minor, ..Rates::DEFAULT };
        };
        let _ = self.stage.change_terms(change).succeeds();
        true
    }

    fn rotate(&mut self) -> bool {
        let heard: Vec<u8> = (0..SEATS).filter(|seat| !self.model.barred.contains(seat)).collect();
        if heard.len() < 16 {
            return false;
        }
        let answer = self.stage.rotate_to("node", &heard).value;
        let seated = self.model.rotate();
        let expected = if seated { Ok(()) } else { Err(ValidatorsError::NotActive) };
        assert_eq!(answer, expected);
        seated
    }

    /// To the unit: what the contract holds is what is staked, and nothing else exists.
    fn check_money(&mut self) {
        let held = self.stage.held();
        assert_eq!(held, self.model.held());
        let treasury = self.stage.balance(account(TREASURY));
        assert_eq!(treasury, self.model.treasury);
        let purses: u128 = self.model.operators.iter().map(|operator| operator.purse).sum();
        let bounties = self.stage.balance(account(STRANGER));
        assert_eq!(bounties, self.model.bounties);
        assert_eq!(held + treasury + bounties + purses, u128::from(SEATS) * PURSE);
    }

    fn check_all(&mut self) {
        for seat in 0..SEATS {
            let (stake, expected) =
                (self.stage.stake(node(seat)), self.model.operators[usize::from(seat)]);
            assert_eq!((stake.bonded, stake.unbonding), (expected.bonded, expected.unbonding));
            let free_at = if expected.unbonding == 0 { 0 } else { expected.free_at };
            assert_eq!(stake.releases_ms, free_at);
            assert_eq!(stake.standing, self.model.standing(seat), "seat {seat}");
            assert_eq!(self.stage.balance(node(seat)), expected.purse);
        }
        let electorate = self.stage.electorate();
        let weights: Vec<u128> = (0..SEATS).map(|seat| self.model.weight(seat)).collect();
        assert_eq!((electorate.epoch, electorate.stakes), (self.model.epoch, weights));
        let barred = self.model.barred.iter().fold(0, |seats, seat| seats | 1u32 << seat);
        assert_eq!(self.stage.world.read(on(&self.stage.validators).barred(None)), barred);
    }
}

fn run(seed: u64) {
    let mut run = Run::new(seed);
    for operation in 0..OPERATIONS {
        run.step();
        run.check_money();
        if operation % 50 == 0 {
            run.check_all();
        }
    }
    run.check_all();
    // Each of the eight did what it is for, often enough to mean something.
    let needed = [50, 50, 15, 30, 3, 20, 5, 1];
    let enough = run.done.iter().zip(needed).all(|(done, needed)| *done >= needed);
    assert!(enough, "only {:?} worked, of at least {needed:?}", run.done);
}

#[test]
fn a_run_from_seed_1_agrees_with_the_model() {
    run(1);
}

#[test]
fn a_run_from_seed_2_agrees_with_the_model() {
    run(2);
}

#[test]
fn a_run_from_seed_3_agrees_with_the_model() {
    run(3);
}

#[test]
fn a_run_from_seed_4_agrees_with_the_model() {
    run(4);
}

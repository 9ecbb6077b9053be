//! Looks for a plan that wins more than the rules allow.

use crate::role::{play, Plan, Role};
use cicada_dice::Dice;
use std::time::{Duration, Instant};

/// The most acts of a plan that is drawn anew; changes may make it longer.
const FIRST_ACTS: u64 = 8;
/// The most acts of a plan.
const MOST_ACTS: usize = 24;
/// How many of the best plans are changed further.
const KEPT: usize = 6;

/// How long is searched.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// So many plays: the same search on every machine.
    Plays(u32),
    /// So much time.
    Time(Duration),
}

/// A plan and what it won.
#[derive(Clone, Debug)]
pub struct Found<A> {
    /// What is done when.
    pub plan: Plan<A>,
    /// What he has more than by doing nothing.
    pub gain: i128,
    /// What the rules let him win.
    pub allowed: i128,
    /// The number of the play, from 1.
    pub play: u32,
    /// When it was found.
    pub after: Duration,
}

impl<A> Found<A> {
    /// What he wins beyond what the rules allow; an attack if it is more than 0.
    pub fn excess(&self) -> i128 {
        self.gain - self.allowed
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Outcome<A> {
    /// How many plans were played.
    pub plays: u32,
    /// The first that is an attack.
    pub first: Option<Found<A>>,
    /// The best.
    pub best: Found<A>,
}

/// Searches from a seed: plans are drawn, and the best of them changed again and again. Ends early
/// with the first attack if `first` is set.
pub fn search<R: Role>(role: &mut R, seed: u64, budget: Budget, first: bool) -> Outcome<R::Act> {
    let start = Instant::now();
    let mut dice = Dice::new(seed);
    let idle = play(role, &Vec::new());
    let nothing =
        Found { plan: Vec::new(), gain: 0, allowed: idle.allowed, play: 1, after: start.elapsed() };
    let mut kept = vec![nothing.clone()];
    let mut outcome = Outcome { plays: 1, first: None, best: nothing };
    while within(budget, outcome.plays, start) && !(first && outcome.first.is_some()) {
        let plan = match dice.below(4) {
            0 => draw(role, &mut dice),
            _ => changed(role, &kept[dice.place(kept.len())].plan, &mut dice),
        };
        let end = play(role, &plan);
        outcome.plays += 1;
        let (gain, allowed) = (end.wealth - idle.wealth, end.allowed);
        let found = Found { plan, gain, allowed, play: outcome.plays, after: start.elapsed() };
        if found.excess() > 0 && outcome.first.is_none() {
            outcome.first = Some(found.clone());
        }
        if found.excess() > outcome.best.excess() {
            outcome.best = found.clone();
        }
        kept.push(found);
        kept.sort_by_key(|found| std::cmp::Reverse(found.excess()));
        kept.truncate(KEPT);
    }
    outcome
}

fn within(budget: Budget, plays: u32, start: Instant) -> bool {
    match budget {
        Budget::Plays(most) => plays < most,
        Budget::Time(most) => start.elapsed() < most,
    }
}

fn draw<R: Role>(role: &R, dice: &mut Dice) -> Plan<R::Act> {
    let acts = dice.between(1, FIRST_ACTS);
    let mut plan: Plan<R::Act> = (0..acts).map(|_| (moment(role, dice), role.draw(dice))).collect();
    plan.sort_by_key(|(at, _)| *at);
    plan
}

fn moment<R: Role>(role: &R, dice: &mut Dice) -> u32 {
    u32::try_from(dice.below(role.moments().into())).unwrap_or_default()
}

/// One to three changes: an act more, less, another, at another moment, or at every moment.
fn changed<R: Role>(role: &R, plan: &Plan<R::Act>, dice: &mut Dice) -> Plan<R::Act> {
    let mut plan = plan.clone();
    for _ in 0..dice.between(1, 3) {
        let place = dice.place(plan.len());
        match dice.below(6) {
            0 | 1 => plan.push((moment(role, dice), role.draw(dice))),
            _ if plan.is_empty() => {}
            2 => drop(plan.remove(place)),
            3 => plan[place].1 = role.draw(dice),
            4 => plan[place].0 = moment(role, dice),
            _ => {
                let (from, act) = plan[place].clone();
                plan.extend((from + 1..role.moments()).map(|at| (at, act.clone())));
            }
        }
    }
    plan.truncate(MOST_ACTS);
    plan.sort_by_key(|(at, _)| *at);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever saves at moment 2 and spends at moment 5 has 7 more; the rules know of 6.
    struct Puzzle {
        now: u32,
        saved: bool,
        wealth: i128,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Save,
        Spend,
    }

    impl Role for Puzzle {
        type Act = Act;

        fn begin(&mut self) {
            *self = Self { now: 0, saved: false, wealth: 100 };
        }

        fn moments(&self) -> u32 {
            8
        }

        fn draw(&self, dice: &mut Dice) -> Act {
            dice.pick(&[Act::Save, Act::Spend])
        }

        fn act(&mut self, act: &Act) {
            match act {
                Act::Save => self.saved |= self.now == 2,
                Act::Spend if self.now == 5 && self.saved => self.wealth += 7,
                Act::Spend => self.wealth -= 1,
            }
        }

        fn pass(&mut self, moment: u32) {
            self.now = moment + 1;
        }

        fn wealth(&mut self) -> i128 {
            self.wealth
        }

        fn allowed(&mut self) -> i128 {
            6
        }
    }

    #[test]
    fn what_the_rules_do_not_know_of_is_found_and_the_same_seed_finds_it_again() {
        let mut puzzle = Puzzle { now: 0, saved: false, wealth: 0 };
        let found = |puzzle: &mut Puzzle, seed| {
            search(puzzle, seed, Budget::Plays(2_000), true).first.expect("it is there")
        };
        for seed in 0..5 {
            let first = found(&mut puzzle, seed);
            assert!(first.excess() > 0 && first.plan.contains(&(2, Act::Save)), "{first:?}");
            assert_eq!(first.play, found(&mut puzzle, seed).play);
        }
        let few = search(&mut puzzle, 0, Budget::Plays(1), true);
        assert!(few.first.is_none() && few.best.gain == 0);
    }
}

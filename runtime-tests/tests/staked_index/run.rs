//! A run from one seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::compare::{Found, View};
use crate::draw::Draw;
use crate::model::{Answer, Mistake, Model};
use crate::op::{BasketOp, Op, PoolOp, RewardOp, StakeOp};
use crate::people::{Coin, Who};
use crate::stage::Stage;

/// Everything is looked at after so many operations.
const LOOK_EVERY: usize = 10;
/// Operations that a failure shows.
const SHOWN: usize = 8;

/// How often each kind of operation was accepted and refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub counts: BTreeMap<&'static str, (u32, u32)>,
    /// Why they were refused.
    pub reasons: BTreeMap<String, u32>,
}

impl Tally {
    pub const EMPTY: Self = Self { counts: BTreeMap::new(), reasons: BTreeMap::new() };

    fn count(&mut self, op: &Op, answer: &Answer) {
        let counts = self.counts.entry(kind(op)).or_default();
        match answer {
            Ok(_) => counts.0 += 1,
            Err(refusal) => {
                counts.1 += 1;
                // Without the figures: which seat, which epoch.
                let reason = format!("{}: {refusal:?}", kind(op));
                let reason = reason.split(" {").next().unwrap_or_default().to_owned();
                *self.reasons.entry(reason).or_default() += 1;
            }
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (kind, (accepted, refused)) in &other.counts {
            let counts = self.counts.entry(kind).or_default();
            *counts = (counts.0 + accepted, counts.1 + refused);
        }
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<18} {:>7} {:>7}", "operation", "done", "refused")?;
        self.counts.iter().try_for_each(|(kind, (done, refused))| {
            writeln!(f, "{kind:<18} {done:>7} {refused:>7}")
        })?;
        writeln!(f, "refused, {} ways:", self.reasons.len())?;
        self.reasons.iter().try_for_each(|(reason, count)| writeln!(f, "{count:>4} {reason}"))
    }
}

/// The name of a kind of operation.
fn kind(op: &Op) -> &'static str {
    match op {
        Op::Wait { .. } => "wait",
        Op::Freeze { .. } => "freeze or thaw",
        Op::Gift { .. } => "gift",
        Op::Stake(op) => match op {
            StakeOp::Bond { .. } => "bond",
            StakeOp::Unbond { .. } => "unbond",
            StakeOp::Withdraw { .. } => "withdraw",
            StakeOp::SetRules { .. } => "rules of stake",
            StakeOp::Resign { .. } => "resign",
            StakeOp::SetWriter { .. } => "writer",
            StakeOp::Accuse { .. } => "accuse",
            StakeOp::ConvictObserver { .. } => "convict observer",
            StakeOp::ConvictSigner { .. } => "convict signer",
            StakeOp::Rotate { .. } => "rotate",
        },
        Op::Basket(op) => match op {
            BasketOp::SetTerms { .. } => "terms of index",
            BasketOp::SetBasket { .. } => "set basket",
            BasketOp::BringBasketAgain => "basket again",
            BasketOp::Mint { .. } => "mint",
            BasketOp::Redeem { .. } => "redeem",
            BasketOp::ClaimOwed { .. } => "claim owed",
            BasketOp::Sync { .. } => "sync",
            BasketOp::Swap { .. } => "swap in basket",
            BasketOp::SettleNav { .. } => "settle NAV",
            BasketOp::JudgeNav => "judge NAV",
            BasketOp::BringNavAgain { .. } => "NAV again",
        },
        Op::Pool(op) => match op {
            PoolOp::Add { .. } => "add liquidity",
            PoolOp::Remove { .. } => "remove liquidity",
            PoolOp::Sell { .. } => "sell",
            PoolOp::Buy { .. } => "buy",
            PoolOp::Skim { .. } => "skim",
        },
        Op::Reward(op) => match op {
            RewardOp::Fund { .. } => "fund",
            RewardOp::SettleEpoch(_) => "settle epoch",
            RewardOp::BringEpochAgain => "epoch again",
            RewardOp::Claim { .. } => "claim",
            RewardOp::SetEmission { .. } => "emission",
        },
    }
}

/// Where contracts and model parted.
#[derive(Clone, Debug)]
pub struct Failure {
    pub seed: u64,
    /// The number of the operation, from 1.
    pub step: usize,
    /// The last operations and what became of them, the failing one last.
    pub last: Vec<String>,
    pub differences: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, operation {}\nthe last operations:", self.seed, self.step)?;
        self.last.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "the difference:")?;
        self.differences.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Contracts and model side by side.
pub struct Run {
    pub stage: Stage,
    pub model: Model,
    pub tally: Tally,
    seed: u64,
    draw: Draw,
    /// What events said was slashed.
    pub slashed: u128,
    view: View,
    last: VecDeque<String>,
    step: usize,
}

impl Run {
    pub fn new(seed: u64) -> Self {
        let mut stage = Stage::new();
        let model = stage.model();
        let view = stage.view(&model);
        Self {
            stage,
            model,
            tally: Tally::default(),
            seed,
            draw: Draw::new(seed),
            slashed: 0,
            view,
            last: VecDeque::new(),
            step: 0,
        }
    }

    /// With a model that is wrong in one thing.
    pub fn mistaken(seed: u64, mistake: Mistake) -> Self {
        let mut run = Self::new(seed);
        run.model.mistake = Some(mistake);
        run
    }

    /// So many random operations, and a look at everything at the end.
    pub fn play(&mut self, operations: usize) -> Result<(), Failure> {
        for _ in 0..operations {
            let op = self.draw.next(&self.model);
            self.perform(&op)?;
            if self.step.is_multiple_of(LOOK_EVERY) {
                self.look()?;
            }
        }
        // Nothing is hidden at the end.
        for coin in self.model.frozen.clone() {
            self.perform(&Op::Freeze { coin, frozen: false })?;
        }
        self.look()
    }

    /// One operation on both sides.
    pub fn perform(&mut self, op: &Op) -> Result<(), Failure> {
        self.step += 1;
        let (after, expected) = self.model.after(op);
        let outcome = self.stage.run(op);
        self.slashed += outcome.slashed;
        self.note(op, &outcome.answer);
        self.tally.count(op, &outcome.answer);
        let mut found = Found::default();
        if outcome.answer != expected {
            let line = format!("answer:\n    chain {:?}\n    model {expected:?}", outcome.answer);
            found.0.push(line);
        }
        let view = self.stage.view(&after);
        found.view(&self.stage, &view, &after);
        found.always(op, &self.view, &view);
        found.worth(&view, &after);
        let _ = found.balances(&mut self.stage, &after, touched(op, &self.model, &after));
        let operators = changed(&self.model.stakes.operators, &after.stakes.operators);
        found.stakes(&mut self.stage, &after, operators);
        (self.model, self.view) = (after, view);
        self.fail_unless_empty(found)
    }

    /// Everything.
    pub fn look(&mut self) -> Result<(), Failure> {
        let mut found = Found::default();
        found.all(&mut self.stage, &self.model, self.slashed);
        self.fail_unless_empty(found)
    }

    fn note(&mut self, op: &Op, answer: &Answer) {
        self.last.push_back(format!("{} : {op:?}\n      → {answer:?}", self.step));
        if self.last.len() > SHOWN {
            self.last.pop_front();
        }
    }

    fn fail_unless_empty(&self, found: Found) -> Result<(), Failure> {
        if found.0.is_empty() {
            return Ok(());
        }
        let last = self.last.iter().cloned().collect();
        Err(Failure { seed: self.seed, step: self.step, last, differences: found.0 })
    }
}

/// The keys whose values differ.
fn changed<K: Ord + Copy, V: PartialEq>(a: &BTreeMap<K, V>, b: &BTreeMap<K, V>) -> BTreeSet<K> {
    a.keys().chain(b.keys()).filter(|key| a.get(key) != b.get(key)).copied().collect()
}

/// The balances that the operation is about, changed or not.
fn touched(op: &Op, before: &Model, after: &Model) -> BTreeSet<(Coin, Who)> {
    let mut touched = changed(&before.balances, &after.balances);
    touched.insert((Coin::Tao, Who::Treasury));
    touched.insert((Coin::Tao, Who::Validators));
    touched.insert((Coin::Tao, Who::Stranger));
    match op {
        Op::Freeze { coin, frozen: false } => {
            touched.extend(coin.holders().into_iter().map(|who| (*coin, who)));
        }
        Op::Pool(_) => touched.extend([(Coin::Tao, Who::Pair), (Coin::Tao20, Who::Pair)]),
        Op::Reward(_) => touched.extend([(Coin::Tao, Who::Rewards)]),
        _ => {}
    }
    touched
}

//! A run from one seed.

use super::chain::{self, Done};
use super::compare::{differences, differences_in_all, Touched};
use super::draw::{Random, HOUR, MINUTE, SECOND};
use super::statements::broken;
use super::Op;
use crate::model::{log_digest, Answer, Model, Places, Setting};
use crate::stage::{Settings, Stage, GENESIS, LIMITS};
use cicada_core::escrow::{AuditEntry, Summary};
use cicada_core::market::Parameters;
use cicada_core::Account;
use cicada_runtime_tests::{address, key, on, AccountId, Key};
use cicada_traits::escrow::EscrowOperator;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// People with money and permissions, and strangers.
const PEOPLE: usize = 10;
const STRANGERS: usize = 2;
/// What each of the people has at first.
pub const PURSE: u128 = 1_000_000_000;
/// Native money for storage deposits.
const NATIVE: u128 = 1_000_000_000_000_000_000;
/// Everything is looked at after so many operations.
const LOOK_EVERY: usize = 50;
/// Operations that a failure shows.
const SHOWN: usize = 10;

/// How often each kind of operation was accepted and refused.
#[derive(Clone, Debug, Default)]
pub struct Tally(pub BTreeMap<&'static str, (u32, u32)>);

/// Where contracts and model parted.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// The number of the operation, from 1.
    pub step: usize,
    /// The last operations and what became of them, the failing one last.
    pub last: Vec<String>,
    /// What is different.
    pub differences: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, operation {}", self.seed, self.step)?;
        writeln!(f, "the last operations:")?;
        self.last.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "the difference:")?;
        self.differences.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl Tally {
    /// Nothing yet.
    pub const EMPTY: Self = Self(BTreeMap::new());

    /// Kinds of operations that were never accepted, but should sometimes be.
    pub fn never_done(&self) -> impl Iterator<Item = &'static str> + '_ {
        let never = |(kind, counts): (&&'static str, &(u32, u32))| {
            (counts.0 == 0 && !kind.starts_with("reputation.")).then_some(*kind)
        };
        self.0.iter().filter_map(never)
    }

    /// Counts what became of an operation.
    fn count(&mut self, op: &Op, accepted: bool) {
        let entry = self.0.entry(op.kind()).or_default();
        *(if accepted { &mut entry.0 } else { &mut entry.1 }) += 1;
    }

    /// Adds another run.
    pub fn add(&mut self, other: &Self) {
        for (kind, (accepted, refused)) in &other.0 {
            let entry = self.0.entry(kind).or_default();
            *entry = (entry.0 + accepted, entry.1 + refused);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, kind: &str, (accepted, refused): (u32, u32)| {
            let share = accepted * 100 / (accepted + refused).max(1);
            writeln!(f, "{kind:<25} {accepted:>7} {refused:>7} {share:>4} %")
        };
        writeln!(f, "{:<25} {:>7} {:>7} {:>6}", "operation", "done", "refused", "done")?;
        let mut all = (0, 0);
        for (kind, counts) in &self.0 {
            row(f, kind, *counts)?;
            all = (all.0 + counts.0, all.1 + counts.1);
        }
        row(f, "all", all)
    }
}

/// Contracts and model side by side.
pub struct Run {
    /// The contracts.
    pub stage: Stage,
    /// The model.
    pub model: Model,
    /// Everybody.
    pub people: Vec<Account>,
    /// What happened so far.
    pub tally: Tally,
    seed: u64,
    random: Random,
    keys: BTreeMap<Account, Key>,
    last: VecDeque<String>,
    step: usize,
    /// The logs of all escrows, from events alone.
    logs: BTreeMap<u64, Vec<AuditEntry>>,
    /// How escrows had ended when that was first seen.
    ended: BTreeMap<u64, Summary>,
}

impl Run {
    /// Deploys everything; everybody joins. Priority and decay differ from seed to seed.
    pub fn new(seed: u64) -> Self {
        let pick = |of: &[u64]| of[usize::try_from(seed).unwrap_or(0) % of.len()];
        let priority_ms = pick(&[0, 12_000, 60_000]);
        let decay_bps = u16::try_from(pick(&[1_000, 300, 0, 5_000])).expect("below 10,000");
        let market = Parameters {
            priority_ms,
            violation_points: 5,
            fast_response_ms: MINUTE,
            slack_ms: 24 * SECOND,
            hand_back_ms: 2 * MINUTE,
        };
        let settings = Settings { auction: market, epoch_ms: HOUR, decay_bps };
        let mut stage = Stage::new(&settings);
        let start_ms = stage.world.now();
        let places = Places {
            token: Account::of(&address(&stage.token)),
            escrow: Account::of(&address(&stage.escrow)),
            reputation: Account::of(&address(&stage.reputation)),
            auction: Account::of(&address(&stage.auction)),
        };
        let setting = Setting {
            places,
            genesis: GENESIS,
            market,
            limits: LIMITS,
            epoch_start_ms: start_ms,
            epoch_ms: HOUR,
            decay_bps,
            late_by_one: false,
        };
        let mut model = Model::new(setting, start_ms);
        let (mut people, mut keys) = (Vec::new(), BTreeMap::new());
        for index in 0..PEOPLE + STRANGERS {
            let name = format!("person-{index}");
            let who = Account(key(&name).public());
            people.push(who);
            keys.insert(who, key(&name));
            if index < PEOPLE {
                let _ = stage.join(&name, PURSE);
                model.mint(who, PURSE);
                model.allowances.insert((who, places.escrow), u128::MAX);
                model.operators.insert((who, places.auction));
            }
            stage.world.fund(AccountId::from(who.0), NATIVE);
        }
        Self {
            random: Random::new(seed, people.clone()),
            stage,
            model,
            people,
            tally: Tally::default(),
            seed,
            keys,
            last: VecDeque::new(),
            step: 0,
            logs: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    /// So many random operations, and a look at everything at the end.
    ///
    /// # Errors
    /// The first difference.
    pub fn play(&mut self, operations: usize) -> Result<(), Failure> {
        for _ in 0..operations {
            let op = self.random.next(&self.model);
            self.perform(&op)?;
            if self.step.is_multiple_of(LOOK_EVERY) {
                self.look()?;
            }
        }
        self.look()
    }

    /// One operation on both sides.
    ///
    /// # Errors
    /// If they differ afterwards.
    pub fn perform(&mut self, op: &Op) -> Result<(), Failure> {
        self.step += 1;
        let (after, expected) = self.model.after(op);
        let done = chain::run(&mut self.stage, &self.keys, op);
        self.note(op, &done.answer);
        self.tally.count(op, done.answer.is_ok());
        let mut found = disagreement(&expected, &done.answer);
        found.extend(self.follow(&done));
        if found.is_empty() {
            let touched = Touched::by(op, &self.model, &after);
            found = differences(&mut self.stage, &after, &touched);
            found.extend(broken(op, &self.model, &after));
        }
        self.model = after;
        self.fail_unless_empty(found)
    }

    /// Everything.
    ///
    /// # Errors
    /// If anything differs, or what had ended has changed.
    pub fn look(&mut self) -> Result<(), Failure> {
        let mut found = differences_in_all(&mut self.stage, &self.model, &self.people);
        for (id, deal) in self.model.escrows.iter().filter(|(_, deal)| deal.has_ended()) {
            let now = self.stage.world.read(on(&self.stage.escrow.clone()).summary(*id));
            let now = now.expect("compared above");
            let then = self.ended.entry(*id).or_insert_with(|| now.clone());
            if *then != now || now.locked != 0 || deal.locked != 0 {
                found.push(format!("escrow {id} changed after its end: {then:?} {now:?}"));
            }
        }
        self.fail_unless_empty(found)
    }

    /// Follows the logs by events, and checks that each digest follows from the entries.
    fn follow(&mut self, done: &Done) -> Vec<String> {
        let mut found = Vec::new();
        for event in &done.advances {
            let log = self.logs.entry(event.escrow).or_default();
            log.push(AuditEntry {
                actor: Account::of(&event.actor),
                action: event.action,
                from: event.from,
                to: event.to,
                time_ms: event.time_ms,
                detail: event.detail,
            });
            let digest = log_digest(self.model.log_start(event.escrow), log);
            if digest != event.digest || event.index as usize + 1 != log.len() {
                found.push(format!("the log of {} does not follow: {event:?}", event.escrow));
            }
        }
        found
    }

    fn note(&mut self, op: &Op, answer: &Answer) {
        let (step, now) = (self.step, self.model.now_ms - self.model.setting.epoch_start_ms);
        let line = format!("{step} at +{now} ms: {op:?}\n      → {answer:?}");
        self.last.push_back(self.with_names(line));
        if self.last.len() > SHOWN {
            self.last.pop_front();
        }
    }

    /// Names instead of accounts.
    fn with_names(&self, mut line: String) -> String {
        let places = self.model.setting.places;
        let people = self.people.iter().enumerate();
        let people = people.map(|(index, account)| (*account, format!("p{index}")));
        let contracts = [
            (places.token, "TOKEN"),
            (places.escrow, "ESCROW"),
            (places.reputation, "REPUTATION"),
            (places.auction, "AUCTION"),
        ];
        let contracts = contracts.map(|(account, name)| (account, name.to_owned()));
        for (account, name) in people.chain(contracts) {
            line = line.replace(&format!("{account:?}"), &name);
        }
        line
    }

    fn fail_unless_empty(&self, differences: Vec<String>) -> Result<(), Failure> {
        if differences.is_empty() {
            return Ok(());
        }
        let differences = differences.into_iter().map(|line| self.with_names(line)).collect();
        let last = self.last.iter().cloned().collect();
        Err(Failure { seed: self.seed, step: self.step, last, differences })
    }
}

/// Whether the chain's answer is none of those that the model would take.
fn disagreement(expected: &Answer, answer: &Answer) -> Vec<String> {
    let agree = match (expected, answer) {
        (Ok(expected), Ok(number)) => expected == number,
        (Err(faults), Err(said)) => said.iter().all(|error| faults.contains(error)),
        _ => false,
    };
    if agree {
        Vec::new()
    } else {
        vec![format!("answer:\n    chain {answer:?}\n    model {expected:?}")]
    }
}

//! Stake, penalties, committees.

use std::collections::{BTreeMap, BTreeSet};

use cicada_core::committee::CommitteeError;
use cicada_core::evidence::EvidenceError;
use cicada_core::slashing::{ParameterError, Standing};
use cicada_traits::staking::StakingError;
use cicada_traits::validators::ValidatorsError;

use super::{Answer, Done, FeedPlace, Mistake, Model, Refusal};
use crate::op::{Proof, Rules, Signed, Source, StakeOp};
use crate::people::{Coin, Who, SEATS};

/// Seats that may be silent: sixteen of 23 still certify.
const MAX_SILENT: usize = 7;

/// For how long a seat that was off pays once.
const HOUR_MS: u64 = 3_600_000;
/// Points that each severity costs.
const POINTS: [u32; 4] = [1, 5, 15, 50];

/// What an account stakes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Operator {
    pub bonded: u128,
    pub unbonding: u128,
    pub free_at_ms: u64,
    /// The epoch in which it was thrown out last; 0 for never.
    pub ejected_in: u32,
    /// Points of reputation that it lost.
    pub lost: u32,
    /// The hour of deviations that counts: when it began, and its worst severity.
    pub hour: Option<(u64, usize)>,
    /// The rules of when it asked to be replaced.
    pub resigned: Option<Rules>,
}

/// Who signed twice where. How it was proven is not in it.
type Offence = (u8, u32, Source, u64);

/// All stakes.
#[derive(Clone, Debug)]
pub struct Stakes {
    pub rules: Rules,
    pub operators: BTreeMap<Who, Operator>,
    /// The nodes of each epoch, the first one's first.
    pub committees: Vec<Vec<u8>>,
    pub barred: BTreeSet<u8>,
    pub changes: FeedPlace,
    pub writer_from: Option<u64>,
    /// Rules that are announced, and from when on they count.
    pub next: Option<(Rules, u64)>,
    /// What whoever brought proofs got.
    pub bounties: u128,
    /// All that was ever slashed.
    pub slashed: u128,
    punished: BTreeSet<Offence>,
}

impl Stakes {
    /// A committee of the first 23 nodes, without stake.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            operators: BTreeMap::new(),
            committees: vec![(0..SEATS).collect()],
            barred: BTreeSet::new(),
            changes: FeedPlace::default(),
            writer_from: Some(0),
            next: None,
            bounties: 0,
            slashed: 0,
            punished: BTreeSet::new(),
        }
    }

    pub fn epoch(&self) -> u32 {
        u32::try_from(self.committees.len()).expect("few epochs")
    }

    /// The nodes in office, in seat order.
    pub fn committee(&self) -> &[u8] {
        self.committees.last().expect("there is one")
    }

    /// Time went on: what was announced may count by now.
    pub fn at(&mut self, now_ms: u64) {
        if let Some((rules, _)) = self.next.filter(|(_, from)| now_ms >= *from) {
            (self.rules, self.next) = (rules, None);
        }
    }

    /// The rules that bind somebody.
    pub fn rules_of(&self, who: Who) -> Rules {
        self.of(who).resigned.unwrap_or(self.rules)
    }

    pub fn of(&self, who: Who) -> Operator {
        self.operators.get(&who).copied().unwrap_or_default()
    }

    /// What all stake together.
    pub fn held(&self) -> u128 {
        self.operators.values().map(|operator| operator.bonded + operator.unbonding).sum()
    }

    pub fn standing(&self, who: Who) -> Standing {
        let operator = self.of(who);
        if operator.ejected_in == self.epoch() {
            Standing::Ejected
        } else if operator.bonded < self.rules_of(who).minimum {
            Standing::Inactive
        } else {
            Standing::Active
        }
    }

    /// Whose word has weight, of all seats.
    fn heard(&self) -> impl Iterator<Item = Option<Who>> + '_ {
        (0u8..).zip(self.committee()).map(move |(seat, node)| {
            let node = Who::Node(*node);
            let heard = !self.barred.contains(&seat) && self.standing(node) == Standing::Active;
            heard.then_some(node)
        })
    }

    /// The weight of each seat's word.
    pub fn weights(&self) -> Vec<u128> {
        let lowest = self.heard().flatten().map(|node| self.rules_of(node).minimum).min();
        let lowest = lowest.unwrap_or(0);
        let weight = |node: Who| self.of(node).bonded.min(lowest + lowest / 4);
        self.heard().map(|node| node.map_or(0, weight)).collect()
    }

    /// The weight of a seat's word.
    pub fn weight(&self, seat: u8) -> u128 {
        self.weights()[usize::from(seat)]
    }

    pub fn points(&self, node: u8) -> u32 {
        50u32.saturating_sub(self.of(Who::Node(node)).lost)
    }
}

/// Which of the severities a deviation of NAV has; none is the worst.
fn band(bps: u128) -> Option<usize> {
    match bps {
        0..=50 => None,
        51..=100 => Some(0),
        101..=500 => Some(1),
        _ => Some(2),
    }
}

impl Model {
    pub(super) fn stake(&mut self, op: &StakeOp) -> Answer {
        match op {
            StakeOp::Bond { by, amount } => self.bond(*by, *amount)?,
            StakeOp::Unbond { by, amount } => self.unbond(*by, *amount)?,
            StakeOp::Withdraw { by } => return self.withdraw(*by),
            StakeOp::SetRules { by, rules, other_token } => {
                self.set_rules(*by, *rules, *other_token)?;
            }
            StakeOp::Resign { by } => {
                let operator = self.stakes.of(*by);
                if operator.bonded == 0 || operator.resigned.is_some() {
                    return Err(StakingError::CannotResign.into());
                }
                let rules = self.stakes.rules;
                self.stakes.operators.entry(*by).or_default().resigned = Some(rules);
            }
            StakeOp::SetWriter { by, allowed } => {
                if *by != Who::Owner {
                    return Err(Refusal::NotWriterOwner);
                }
                if !*allowed {
                    self.stakes.writer_from = None;
                } else if self.stakes.writer_from.is_none() {
                    // With scores to lose, a new writer waits for a week.
                    let in_use = self.stakes.operators.values().any(|all| all.lost > 0);
                    let wait_ms = if in_use { 7 * 86_400_000 } else { 0 };
                    self.stakes.writer_from = Some(self.now_ms + wait_ms);
                }
            }
            StakeOp::Accuse { .. } => return Err(StakingError::NotJudge.into()),
            StakeOp::ConvictObserver { epoch, seat, slot, proof } => {
                self.check_observer(*epoch, *seat, *proof)?;
                self.convicted(*epoch, *seat, Source::Nav, *slot)?;
            }
            StakeOp::ConvictSigner { epoch, seat, source, slot, proof } => {
                self.check_signer(*epoch, *seat, *proof)?;
                self.convicted(*epoch, *seat, *source, *slot)?;
            }
            StakeOp::Rotate { nodes, signed } => self.rotate(nodes, signed)?,
        }
        Ok(Done::Nothing)
    }

    fn bond(&mut self, by: Who, amount: u128) -> Result<(), StakingError> {
        if amount == 0 {
            return Err(StakingError::ZeroAmount);
        }
        if !self.pull(Coin::Tao, by, Who::Validators, amount) {
            return Err(StakingError::TokenRefused);
        }
        self.stakes.operators.entry(by).or_default().bonded += amount;
        Ok(())
    }

    fn unbond(&mut self, by: Who, amount: u128) -> Result<(), StakingError> {
        let Rules { minimum, delay_ms, .. } = self.stakes.rules_of(by);
        let is_seated = self.stakes.committee().iter().any(|node| Who::Node(*node) == by);
        let keep = if is_seated { minimum } else { 0 };
        if amount == 0 {
            return Err(StakingError::ZeroAmount);
        }
        let operator = self.stakes.operators.entry(by).or_default();
        if amount > operator.bonded {
            return Err(StakingError::BeyondStake);
        }
        if operator.bonded - amount < keep {
            return Err(StakingError::Seated);
        }
        operator.bonded -= amount;
        operator.unbonding += amount;
        operator.free_at_ms = self.now_ms + delay_ms;
        Ok(())
    }

    fn withdraw(&mut self, by: Who) -> Answer {
        let late = u64::from(self.errs(Mistake::LateByOne));
        let operator = self.stakes.operators.entry(by).or_default();
        let amount = operator.unbonding;
        if amount == 0 {
            return Err(StakingError::ZeroAmount.into());
        }
        if self.now_ms < operator.free_at_ms + late {
            return Err(StakingError::StillUnbonding.into());
        }
        operator.unbonding = 0;
        operator.free_at_ms = 0;
        if operator.bonded == 0 {
            operator.resigned = None;
        }
        if !self.pay(Coin::Tao, Who::Validators, by, amount) {
            return Err(StakingError::TokenRefused.into());
        }
        Ok(Done::Amount(amount))
    }

    fn set_rules(&mut self, by: Who, rules: Rules, other_token: bool) -> Result<(), StakingError> {
        if by != Who::Owner {
            return Err(StakingError::NotOwner);
        }
        // Parameters are looked at first.
        if !rules.rates.is_sorted() {
            return Err(ParameterError::NotRising.into());
        }
        if other_token {
            return Err(StakingError::Fixed);
        }
        if rules.minimum > 2 * self.stakes.rules.minimum {
            return Err(ParameterError::MinimumTooHigh.into());
        }
        let notice = 2 * self.stakes.rules.delay_ms;
        self.stakes.next = Some((rules, self.now_ms + notice));
        Ok(())
    }

    // ---- penalties ----

    /// Takes a rate of all that a node has; how much that is.
    fn take_stake(&mut self, node: u8, rate: u32, points: u32) -> u128 {
        let down = self.errs(Mistake::PenaltyRoundedDown);
        let told = self.stakes.writer_from.is_some_and(|from_ms| from_ms <= self.now_ms);
        let rate = u128::from(rate);
        let operator = self.stakes.operators.entry(Who::Node(node)).or_default();
        let all = operator.bonded + operator.unbonding;
        let penalty = if down { all * rate / 10_000 } else { (all * rate).div_ceil(10_000) };
        let first = penalty.min(operator.bonded);
        operator.bonded -= first;
        operator.unbonding -= penalty - first;
        if operator.unbonding == 0 {
            operator.free_at_ms = 0;
        }
        if told {
            operator.lost += points;
        }
        self.stakes.slashed += penalty;
        penalty
    }

    /// A seat loses its voice, unless fewer than sixteen would be left.
    fn silence(&mut self, seat: u8) {
        let most = MAX_SILENT + usize::from(self.errs(Mistake::EightBarred));
        if self.stakes.barred.len() < most {
            self.stakes.barred.insert(seat);
        }
    }

    /// Punishes seats of a committee for what they were off at a time, if sixteen were not and no
    /// more were than may lie.
    pub(super) fn deviate(
        &mut self,
        epoch: u32,
        time_ms: u64,
        said: &[(u8, u128)],
    ) -> Result<(), StakingError> {
        if epoch + 1 < self.stakes.epoch() {
            return Ok(());
        }
        let off: Vec<(u8, usize)> =
            said.iter().filter_map(|(seat, bps)| band(*bps).map(|s| (*seat, s))).collect();
        if said.len() - off.len() < 16 || off.len() > 7 {
            return Ok(());
        }
        let mut sum = 0;
        for (seat, severity) in off {
            let node = self.committee_of(epoch)?[usize::from(seat)];
            let rates = self.stakes.rules_of(Who::Node(node)).rates;
            let hour = self.stakes.of(Who::Node(node)).hour;
            let same = hour.filter(|(start, _)| time_ms.abs_diff(*start) < HOUR_MS);
            let (start, paid, told) = match (same, hour) {
                (Some((_, worst)), _) if worst >= severity => continue,
                (Some((start, worst)), _) => (start, rates[worst], POINTS[worst]),
                (None, Some((start, _))) if time_ms < start => continue,
                (None, _) => (time_ms, 0, 0),
            };
            self.stakes.operators.entry(Who::Node(node)).or_default().hour =
                Some((start, severity));
            let rate = rates[severity].saturating_sub(paid);
            sum += self.take_stake(node, rate, POINTS[severity] - told);
        }
        match self.pay(Coin::Tao, Who::Validators, Who::Treasury, sum) {
            true => Ok(()),
            false => Err(StakingError::TokenRefused),
        }
    }

    fn committee_of(&self, epoch: u32) -> Result<&[u8], StakingError> {
        let place = usize::try_from(epoch).expect("fits").checked_sub(1);
        let found = place.and_then(|place| self.stakes.committees.get(place));
        found.map(Vec::as_slice).ok_or(StakingError::UnknownEpoch)
    }

    fn check_observer(&self, epoch: u32, seat: u8, proof: Proof) -> Result<(), StakingError> {
        self.committee_of(epoch)?.get(usize::from(seat)).ok_or(StakingError::UnknownSeat)?;
        match proof {
            Proof::Good | Proof::Turned => Ok(()),
            Proof::Same | Proof::Forged => Err(StakingError::NoConviction),
        }
    }

    fn check_signer(&self, epoch: u32, seat: u8, proof: Proof) -> Result<(), StakingError> {
        let seats = self.committee_of(epoch)?;
        Err(StakingError::Evidence(match (seats.get(usize::from(seat)), proof) {
            (None, _) => EvidenceError::UnknownSeat,
            (_, Proof::Good) => return Ok(()),
            (_, Proof::Turned) => EvidenceError::WrongOrder,
            (_, Proof::Same) => EvidenceError::SameReport,
            (_, Proof::Forged) => EvidenceError::BadSecondSignature,
        }))
    }

    fn convicted(
        &mut self,
        epoch: u32,
        seat: u8,
        source: Source,
        slot: u64,
    ) -> Result<(), StakingError> {
        let node = self.committee_of(epoch)?[usize::from(seat)];
        let again = !self.stakes.punished.insert((node, epoch, source, slot));
        if again && !self.errs(Mistake::ProofCountsTwice) {
            return Err(StakingError::AlreadyPunished);
        }
        let rate = self.stakes.rules_of(Who::Node(node)).rates[3];
        let amount = self.take_stake(node, rate, POINTS[3]);
        let place = self.stakes.committee().iter().position(|other| *other == node);
        if let Some(place) = place {
            let in_office = self.stakes.epoch();
            self.stakes.operators.entry(Who::Node(node)).or_default().ejected_in = in_office;
            self.silence(u8::try_from(place).expect("few seats"));
        }
        let bounty = amount / 20;
        self.stakes.bounties += bounty;
        let paid = self.pay(Coin::Tao, Who::Validators, Who::Stranger, bounty)
            && self.pay(Coin::Tao, Who::Validators, Who::Treasury, amount - bounty);
        match paid {
            true => Ok(()),
            false => Err(StakingError::TokenRefused),
        }
    }

    // ---- committees ----

    fn rotate(&mut self, nodes: &[u8], signed: &Signed) -> Result<(), ValidatorsError> {
        let changes = self.stakes.changes.follow(self.now_ms, self.now_ms, false)?;
        if nodes.iter().collect::<BTreeSet<_>>().len() < nodes.len() {
            return Err(CommitteeError::RepeatedMember.into());
        }
        self.verify(signed)?;
        let those = |standing| -> BTreeSet<u8> {
            let is =
                |seat: &u8| self.stakes.standing(Who::Node(nodes[usize::from(*seat)])) == standing;
            (0..SEATS).filter(is).collect()
        };
        let (inactive, ejected) = (those(Standing::Inactive), those(Standing::Ejected));
        if inactive.len() > MAX_SILENT {
            return Err(ValidatorsError::NotActive);
        }
        self.stakes.barred.clear();
        ejected.into_iter().for_each(|seat| self.silence(seat));
        self.stakes.committees.push(nodes.to_vec());
        self.stakes.changes = changes;
        Ok(())
    }
}

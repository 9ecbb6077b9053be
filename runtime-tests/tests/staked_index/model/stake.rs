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
}

/// Who did what where. How it was proven is not in it.
type Offence = (u8, u32, Source, u64, bool);

/// All stakes.
#[derive(Clone, Debug)]
pub struct Stakes {
    pub rules: Rules,
    pub operators: BTreeMap<Who, Operator>,
    /// The nodes of each epoch, the first one's first.
    pub committees: Vec<Vec<u8>>,
    pub barred: BTreeSet<u8>,
    pub changes: FeedPlace,
    pub is_judge: bool,
    pub is_writer: bool,
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
            is_judge: true,
            is_writer: true,
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
        } else if operator.bonded < self.rules.minimum {
            Standing::Inactive
        } else {
            Standing::Active
        }
    }

    /// The weight of a seat's word.
    pub fn weight(&self, seat: u8) -> u128 {
        let node = Who::Node(self.committee()[usize::from(seat)]);
        let heard = !self.barred.contains(&seat) && self.standing(node) == Standing::Active;
        if heard {
            self.of(node).bonded.min(2 * self.rules.minimum)
        } else {
            0
        }
    }

    pub fn points(&self, node: u8) -> u32 {
        50u32.saturating_sub(self.of(Who::Node(node)).lost)
    }
}

/// Which of the four severities a deviation of NAV has.
fn band(bps: u128) -> Option<usize> {
    match bps {
        0..=50 => None,
        51..=100 => Some(0),
        101..=500 => Some(1),
        501..=1_500 => Some(2),
        _ => Some(3),
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
            StakeOp::SetJudge { by, allowed } => {
                if *by != Who::Owner {
                    return Err(StakingError::NotOwner.into());
                }
                self.stakes.is_judge = *allowed;
            }
            StakeOp::SetWriter { by, allowed } => {
                if *by != Who::Owner {
                    return Err(Refusal::NotWriterOwner);
                }
                self.stakes.is_writer = *allowed;
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
        let Rules { minimum, delay_ms, .. } = self.stakes.rules;
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
        if !self.pay(Coin::Tao, Who::Validators, by, amount) {
            return Err(StakingError::TokenRefused.into());
        }
        Ok(Done::Amount(amount))
    }

    fn set_rules(&mut self, by: Who, rules: Rules, other_token: bool) -> Result<(), StakingError> {
        if by != Who::Owner {
            return Err(StakingError::NotOwner);
        }
        if other_token {
            return Err(StakingError::TokenFixed);
        }
        if !rules.rates.is_sorted() {
            return Err(ParameterError::NotRising.into());
        }
        self.stakes.rules = rules;
        Ok(())
    }

    // ---- penalties ----

    /// Punishes a node, unless it was for the same; what it loses.
    fn punish(&mut self, offence: Offence, severity: usize) -> Option<u128> {
        let again = !self.stakes.punished.insert(offence);
        if again && !(offence.4 && self.errs(Mistake::ProofCountsTwice)) {
            return None;
        }
        let down = self.errs(Mistake::PenaltyRoundedDown);
        let rate = u128::from(self.stakes.rules.rates[severity]);
        let (epoch, told) = (self.stakes.epoch(), self.stakes.is_writer);
        let seat = self.stakes.committee().iter().position(|node| *node == offence.0);
        let operator = self.stakes.operators.entry(Who::Node(offence.0)).or_default();
        let all = operator.bonded + operator.unbonding;
        let penalty = if down { all * rate / 10_000 } else { (all * rate).div_ceil(10_000) };
        let first = penalty.min(operator.bonded);
        operator.bonded -= first;
        operator.unbonding -= penalty - first;
        if operator.unbonding == 0 {
            operator.free_at_ms = 0;
        }
        if told {
            operator.lost += [1, 5, 15, 50][severity];
        }
        if let (3, Some(seat)) = (severity, seat) {
            operator.ejected_in = epoch;
            self.silence(u8::try_from(seat).expect("few seats"));
        }
        self.stakes.slashed += penalty;
        Some(penalty)
    }

    /// A seat loses its voice, unless fewer than sixteen would be left.
    fn silence(&mut self, seat: u8) {
        let most = MAX_SILENT + usize::from(self.errs(Mistake::EightBarred));
        if self.stakes.barred.len() < most {
            self.stakes.barred.insert(seat);
        }
    }

    /// Punishes the seats in office for what they were off in a slot.
    pub(super) fn deviate(&mut self, slot: u64, off: &[(u8, u128)]) -> Result<(), StakingError> {
        let epoch = self.stakes.epoch();
        let mut sum = 0;
        for (seat, bps) in off {
            let node = self.stakes.committee()[usize::from(*seat)];
            if let Some(severity) = band(*bps) {
                let penalty = self.punish((node, epoch, Source::Nav, slot, false), severity);
                sum += penalty.unwrap_or_default();
            }
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
        let penalty = self.punish((node, epoch, source, slot, true), 3);
        let amount = penalty.ok_or(StakingError::AlreadyPunished)?;
        match self.pay(Coin::Tao, Who::Validators, Who::Treasury, amount) {
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
        self.stakes.barred = inactive;
        ejected.into_iter().for_each(|seat| self.silence(seat));
        self.stakes.committees.push(nodes.to_vec());
        self.stakes.changes = changes;
        Ok(())
    }
}

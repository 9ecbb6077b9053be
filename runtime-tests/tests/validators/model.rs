//! Stake as a plain ledger: what the contract has to agree with.

use std::collections::BTreeSet;

use cicada_core::slashing::Standing;
use cicada_traits::staking::StakingError;

/// One operator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Operator {
    pub purse: u128,
    pub bonded: u128,
    pub unbonding: u128,
    pub free_at: u64,
    /// The epoch in which he was thrown out last.
    pub ejected: u32,
    /// The hour of deviations that counts: when it began, and which of the four was the worst.
    pub hour: Option<(u64, usize)>,
}

/// The rules that change in the runs.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub minimum: u128,
    pub delay: u64,
    /// Of minor, moderate, severe, critical, in bps.
    pub rates: [u128; 4],
}

/// Everything, as the documents say it.
pub struct Model {
    pub operators: Vec<Operator>,
    pub treasury: u128,
    pub epoch: u32,
    pub barred: BTreeSet<u8>,
    pub rules: Rules,
    /// Rules that are announced, and from when on they count.
    pub next: Option<(Rules, u64)>,
    pub bounties: u128,
    /// Operator, epoch and slot of what was proven.
    punished: BTreeSet<(u8, u32, u64)>,
}

impl Model {
    pub fn new(operators: Vec<Operator>, rules: Rules) -> Self {
        let (barred, punished) = (BTreeSet::new(), BTreeSet::new());
        let (next, bounties) = (None, 0);
        Self { operators, treasury: 0, epoch: 1, barred, rules, next, bounties, punished }
    }

    fn of(&mut self, seat: u8) -> &mut Operator {
        &mut self.operators[usize::from(seat)]
    }

    /// What the contract must hold.
    pub fn held(&self) -> u128 {
        self.operators.iter().map(|operator| operator.bonded + operator.unbonding).sum()
    }

    pub fn bond(&mut self, seat: u8, amount: u128) -> Result<(), StakingError> {
        let operator = self.of(seat);
        if amount == 0 {
            return Err(StakingError::ZeroAmount);
        }
        if amount > operator.purse {
            return Err(StakingError::TokenRefused);
        }
        operator.purse -= amount;
        operator.bonded += amount;
        Ok(())
    }

    pub fn unbond(&mut self, seat: u8, amount: u128, now: u64) -> Result<(), StakingError> {
        let Rules { delay, minimum, .. } = self.rules;
        let operator = self.of(seat);
        if amount == 0 {
            return Err(StakingError::ZeroAmount);
        }
        if amount > operator.bonded {
            return Err(StakingError::BeyondStake);
        }
        // All of them are in office.
        if operator.bonded - amount < minimum {
            return Err(StakingError::Seated);
        }
        operator.bonded -= amount;
        operator.unbonding += amount;
        operator.free_at = now + delay;
        Ok(())
    }

    pub fn withdraw(&mut self, seat: u8, now: u64) -> Result<u128, StakingError> {
        let operator = self.of(seat);
        let amount = operator.unbonding;
        if amount == 0 {
            return Err(StakingError::ZeroAmount);
        }
        if now < operator.free_at {
            return Err(StakingError::StillUnbonding);
        }
        operator.unbonding = 0;
        operator.purse += amount;
        Ok(amount)
    }

    /// Time went on: what was announced may count by now.
    pub fn at(&mut self, now: u64) {
        if let Some((rules, _)) = self.next.filter(|(_, from)| now >= *from) {
            (self.rules, self.next) = (rules, None);
        }
    }

    /// Which of the four severities a deviation of NAV has.
    fn band(bps: u32) -> Option<usize> {
        match bps {
            0..=50 => None,
            51..=100 => Some(0),
            101..=500 => Some(1),
            _ => Some(2),
        }
    }

    /// Takes a rate of all that there is; how much that was.
    fn take(&mut self, seat: u8, rate: u128) -> u128 {
        let operator = self.of(seat);
        let penalty = ((operator.bonded + operator.unbonding) * rate).div_ceil(10_000);
        let first = penalty.min(operator.bonded);
        operator.bonded -= first;
        operator.unbonding -= penalty - first;
        penalty
    }

    /// A seat loses its voice, unless fewer than sixteen would be left.
    fn silence(&mut self, seat: u8) {
        if self.barred.len() < 7 {
            self.barred.insert(seat);
        }
    }

    /// All 23 were heard, and these were off.
    pub fn report(&mut self, time: u64, off: &[(u8, u32)]) {
        let off: Vec<(u8, usize)> = off
            .iter()
            .filter_map(|(seat, bps)| Self::band(*bps).map(|severity| (*seat, severity)))
            .collect();
        if off.len() > 7 {
            return;
        }
        for (seat, severity) in off {
            let hour = self.of(seat).hour;
            let same = hour.filter(|(start, _)| time.abs_diff(*start) < 3_600_000);
            let (start, paid) = match (same, hour) {
                (Some((_, worst)), _) if worst >= severity => continue,
                (Some((start, worst)), _) => (start, self.rules.rates[worst]),
                (None, Some((start, _))) if time < start => continue,
                (None, _) => (time, 0),
            };
            self.of(seat).hour = Some((start, severity));
            let rate = self.rules.rates[severity].saturating_sub(paid);
            self.treasury += self.take(seat, rate);
        }
    }

    pub fn convict(&mut self, seat: u8, epoch: u32, slot: u64) -> Result<(), StakingError> {
        if !self.punished.insert((seat, epoch, slot)) {
            return Err(StakingError::AlreadyPunished);
        }
        let (rate, in_office) = (self.rules.rates[3], self.epoch);
        let penalty = self.take(seat, rate);
        let bounty = penalty / 20;
        self.bounties += bounty;
        self.treasury += penalty - bounty;
        self.of(seat).ejected = in_office;
        self.silence(seat);
        Ok(())
    }

    pub fn standing(&self, seat: u8) -> Standing {
        let operator = self.operators[usize::from(seat)];
        if operator.ejected == self.epoch {
            Standing::Ejected
        } else if operator.bonded < self.rules.minimum {
            Standing::Inactive
        } else {
            Standing::Active
        }
    }

    /// The weight of a seat's word.
    pub fn weight(&self, seat: u8) -> u128 {
        let heard = !self.barred.contains(&seat) && self.standing(seat) == Standing::Active;
        if heard {
            self.operators[usize::from(seat)].bonded.min(self.rules.minimum * 5 / 4)
        } else {
            0
        }
    }

    /// The next epoch, with the same seats. False if too few could be heard in it.
    pub fn rotate(&mut self) -> bool {
        let those = |standing| -> BTreeSet<u8> {
            (0..23).filter(|seat| self.standing(*seat) == standing).collect()
        };
        let (inactive, ejected) = (those(Standing::Inactive), those(Standing::Ejected));
        if inactive.len() > 7 {
            return false;
        }
        self.barred.clear();
        ejected.into_iter().for_each(|seat| self.silence(seat));
        self.epoch += 1;
        true
    }
}

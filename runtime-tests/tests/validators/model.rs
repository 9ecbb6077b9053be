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
    /// Operator, epoch, slot, and whether it was proven.
    punished: BTreeSet<(u8, u32, u64, bool)>,
}

impl Model {
    pub fn new(operators: Vec<Operator>, rules: Rules) -> Self {
        let (barred, punished) = (BTreeSet::new(), BTreeSet::new());
        Self { operators, treasury: 0, epoch: 1, barred, rules, punished }
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

    fn punish(&mut self, seat: u8, epoch: u32, slot: u64, proven: bool, severity: usize) -> bool {
        if !self.punished.insert((seat, epoch, slot, proven)) {
            return false;
        }
        let (rate, in_office) = (self.rules.rates[severity], self.epoch);
        let operator = self.of(seat);
        let penalty = ((operator.bonded + operator.unbonding) * rate).div_ceil(10_000);
        let first = penalty.min(operator.bonded);
        operator.bonded -= first;
        operator.unbonding -= penalty - first;
        if severity == 3 {
            operator.ejected = in_office;
            self.silence(seat);
        }
        self.treasury += penalty;
        true
    }

    /// A seat loses its voice, unless fewer than sixteen would be left.
    fn silence(&mut self, seat: u8) {
        if self.barred.len() < 7 {
            self.barred.insert(seat);
        }
    }

    pub fn report(&mut self, slot: u64, deviations: &[(u8, u128)]) {
        for (seat, bps) in deviations {
            if let Some(severity) = Self::band(*bps) {
                self.punish(*seat, self.epoch, slot, false, severity);
            }
        }
    }

    pub fn convict(&mut self, seat: u8, epoch: u32, slot: u64) -> Result<(), StakingError> {
        match self.punish(seat, epoch, slot, true, 3) {
            true => Ok(()),
            false => Err(StakingError::AlreadyPunished),
        }
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
            self.operators[usize::from(seat)].bonded.min(2 * self.rules.minimum)
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
        self.barred = inactive;
        ejected.into_iter().for_each(|seat| self.silence(seat));
        self.epoch += 1;
        true
    }
}

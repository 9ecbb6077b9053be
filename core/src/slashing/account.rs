//! The stake of one operator: in, out, and what a penalty leaves.

use super::{standing, OffenceKind, Rates, Severity, Stake, Standing};
use crate::fixed::{add, sub, MathError};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// For how long a seat that was off pays once, in milliseconds: an hour.
pub const JUDGED_MS: u64 = 3_600_000;

/// The most that a stake weighs: 5/4 of the minimum. Of 23, the 7 that may lie then weigh at most
/// 35/4 minima, and the 9 others of the smallest report at least 9: no purse makes the median.
pub fn weight_cap(minimum: u128) -> u128 {
    minimum.saturating_add(minimum / 4)
}

/// The weights of a committee, in seat order. Of each seat that may serve: what is bonded, and the
/// minimum that binds it, which is at most that; none for the others, who weigh 0.
///
/// The cap is one for all, of the lowest minimum: were it each seat's own, whoever is bound by older
/// terms would outweigh the others after a change of the minimum.
pub fn weights(seats: &[Option<(u128, u128)>]) -> Vec<u128> {
    let lowest = seats.iter().flatten().map(|(_, minimum)| *minimum).min();
    let cap = weight_cap(lowest.unwrap_or_default());
    seats.iter().map(|seat| seat.map_or(0, |(bonded, _)| bonded.min(cap))).collect()
}

/// Why stake does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum StakeError {
    /// Nothing to move.
    ZeroAmount,
    /// More than is bonded.
    BeyondStake,
    /// What is being taken out is not free yet.
    StillUnbonding,
    /// Who sits in the committee in office keeps the minimum in.
    Seated,
    /// A calculation has no result.
    Math(MathError),
}

impl From<MathError> for StakeError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// The hour that was judged last for one kind of distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct JudgedHour {
    /// When its first deviation came, in milliseconds since 1970.
    pub from_ms: u64,
    /// Its worst deviation.
    pub worst: Severity,
}

/// What a contract keeps of an operator's stake. All that he takes out is one lot with one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct StakeAccount {
    /// The amounts. Together they fit 128 bits.
    pub stake: Stake,
    /// From when on what is being taken out may be withdrawn, in milliseconds since 1970; 0 if
    /// nothing is.
    pub releases_ms: u64,
    /// The epoch in which he was ejected last; 0 for never.
    pub ejected_in: u32,
    /// What was judged last of the NAVs.
    pub navs: JudgedHour,
    /// And of the rankings: who is off in one is not free of the other.
    pub rankings: JudgedHour,
    /// Whether he wants to leave his seat; the terms of then judge him.
    pub is_resigned: bool,
}

impl StakeAccount {
    /// Adds to what is bonded.
    ///
    /// # Errors
    /// [`StakeError::ZeroAmount`]; [`StakeError::Math`] if all that a penalty reaches would not fit
    /// 128 bits.
    pub fn bond(&mut self, amount: u128) -> Result<(), StakeError> {
        if amount == 0 {
            return Err(StakeError::ZeroAmount);
        }
        let more = Stake { bonded: add(self.stake.bonded, amount)?, ..self.stake };
        more.remaining()?;
        self.stake = more;
        Ok(())
    }

    /// Begins to take stake out, as long as `keep` stays bonded. The whole lot waits `unbonding_ms`
    /// from `now_ms` on, also what was in it before; a delay that changes later does not change it.
    ///
    /// Who has a seat keeps the minimum: else he could wait until all is out, with his voice still
    /// in office, and lie for nothing.
    ///
    /// # Errors
    /// [`StakeError::ZeroAmount`], [`StakeError::BeyondStake`], [`StakeError::Seated`];
    /// [`StakeError::Math`] if time ends before the delay does.
    pub fn unbond(
        &mut self,
        amount: u128,
        keep: u128,
        now_ms: u64,
        unbonding_ms: u64,
    ) -> Result<(), StakeError> {
        if amount == 0 {
            return Err(StakeError::ZeroAmount);
        }
        let bonded = sub(self.stake.bonded, amount).map_err(|_| StakeError::BeyondStake)?;
        if bonded < keep {
            return Err(StakeError::Seated);
        }
        let unbonding = add(self.stake.unbonding, amount)?;
        self.releases_ms = now_ms.checked_add(unbonding_ms).ok_or(MathError::Overflow)?;
        self.stake = Stake { bonded, unbonding };
        Ok(())
    }

    /// Takes out the lot; exactly at its time it is free.
    ///
    /// # Errors
    /// [`StakeError::ZeroAmount`], [`StakeError::StillUnbonding`].
    pub fn withdraw(&mut self, now_ms: u64) -> Result<u128, StakeError> {
        let amount = self.stake.unbonding;
        if amount == 0 {
            return Err(StakeError::ZeroAmount);
        }
        if now_ms < self.releases_ms {
            return Err(StakeError::StillUnbonding);
        }
        self.stake.unbonding = 0;
        self.releases_ms = 0;
        Ok(amount)
    }

    /// Takes the penalty of a proven offence, rounded up, from what is bonded first; says how much.
    ///
    /// # Errors
    /// [`StakeError::Math`].
    pub fn slash_ceil(&mut self, rate_bps: u32) -> Result<u128, StakeError> {
        let (after, penalty) = self.stake.slash_ceil(rate_bps)?;
        self.stake = after;
        if after.unbonding == 0 {
            self.releases_ms = 0;
        }
        Ok(penalty)
    }

    /// Takes the penalty of a deviation at `time_ms`. Within [`JUDGED_MS`] of one that was judged,
    /// it costs only what it is worse. What is older than that hour costs nothing any more. Says how
    /// much it was, and the severity that it comes on top of; none if nothing is due.
    ///
    /// # Errors
    /// [`StakeError::Math`].
    pub fn judge_ceil(
        &mut self,
        rates: &Rates,
        kind: OffenceKind,
        severity: Severity,
        time_ms: u64,
    ) -> Result<Option<(u128, Severity)>, StakeError> {
        let mut hour = match kind {
            OffenceKind::RankingDeviation => self.rankings,
            OffenceKind::NavDeviation | OffenceKind::Equivocation => self.navs,
        };
        let same = hour.worst != Severity::None && time_ms.abs_diff(hour.from_ms) < JUDGED_MS;
        let before = if same { hour.worst } else { Severity::None };
        if severity <= before || (!same && time_ms < hour.from_ms) {
            return Ok(None);
        }
        let rate = rates.of(severity).saturating_sub(rates.of(before));
        let penalty = self.slash_ceil(rate)?;
        if !same {
            hour.from_ms = time_ms;
        }
        hour.worst = severity;
        match kind {
            OffenceKind::RankingDeviation => self.rankings = hour,
            OffenceKind::NavDeviation | OffenceKind::Equivocation => self.navs = hour,
        }
        Ok(Some((penalty, before)))
    }

    /// Whether the operator may serve in `epoch`. Ejection ends with the epoch in which it came.
    pub fn standing(&self, minimum: u128, epoch: u32) -> Standing {
        let ejected = self.ejected_in != 0 && self.ejected_in == epoch;
        standing(self.stake.bonded, minimum, ejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slashing::{Bands, MIN_STAKE};
    use proptest::prelude::*;

    const DAY: u64 = 86_400_000;
    const NAV: OffenceKind = OffenceKind::NavDeviation;

    fn bonded(amount: u128) -> StakeAccount {
        let mut account = StakeAccount::default();
        account.bond(amount).unwrap();
        account
    }

    #[test]
    fn stake_goes_in_waits_and_comes_out() {
        let mut account = bonded(1_000);
        assert_eq!(account.withdraw(0), Err(StakeError::ZeroAmount));
        assert_eq!(account.unbond(1_001, 0, 5, DAY), Err(StakeError::BeyondStake));
        assert_eq!(account.unbond(0, 0, 5, DAY), Err(StakeError::ZeroAmount));
        assert_eq!(account.bond(0), Err(StakeError::ZeroAmount));
        assert_eq!(account.unbond(400, 601, 5, DAY), Err(StakeError::Seated));
        account.unbond(400, 600, 5, DAY).unwrap();
        assert_eq!(account.stake, Stake { bonded: 600, unbonding: 400 });
        assert_eq!(account.withdraw(5 + DAY - 1), Err(StakeError::StillUnbonding));
        assert_eq!(account.withdraw(5 + DAY), Ok(400));
        assert_eq!(account, bonded(600));
    }

    #[test]
    fn adding_to_the_lot_starts_its_clock_again() {
        let mut account = bonded(1_000);
        account.unbond(400, 0, 0, DAY).unwrap();
        // A shorter delay by now: the whole lot has it.
        account.unbond(1, 0, DAY - 1, 10).unwrap();
        assert_eq!(account.releases_ms, DAY + 9);
        account.unbond(1, 0, DAY - 1, DAY).unwrap();
        assert_eq!(account.withdraw(2 * DAY - 2), Err(StakeError::StillUnbonding));
        assert_eq!(account.withdraw(2 * DAY - 1), Ok(402));
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut account = bonded(u128::MAX);
        let before = account;
        let overflow = Err(StakeError::Math(MathError::Overflow));
        assert_eq!(account.bond(1), overflow);
        assert_eq!(account.unbond(1, 0, 1, u64::MAX), overflow);
        assert_eq!(account, before);
        account.unbond(1, 0, 0, DAY).unwrap();
        assert_eq!(account.bond(1), overflow, "a penalty could not be computed");
    }

    #[test]
    fn a_lot_that_is_slashed_away_has_no_time() {
        let mut account = bonded(10);
        account.unbond(10, 0, 7, DAY).unwrap();
        assert_eq!(account.slash_ceil(10_000), Ok(10));
        assert_eq!(account, StakeAccount::default());
        assert_eq!(account.slash_ceil(10_000), Ok(0));
    }

    #[test]
    fn ejection_lasts_an_epoch_and_bonded_stake_decides_otherwise() {
        let mut account = bonded(MIN_STAKE);
        assert_eq!(account.standing(MIN_STAKE, 0), Standing::Active, "no committee, no ejection");
        account.ejected_in = 3;
        assert_eq!(account.standing(MIN_STAKE, 3), Standing::Ejected);
        assert_eq!(account.standing(MIN_STAKE, 4), Standing::Active);
        account.unbond(1, 0, 0, DAY).unwrap();
        assert_eq!(account.standing(MIN_STAKE, 4), Standing::Inactive);
    }

    #[test]
    fn one_cap_of_the_lowest_minimum_is_for_all() {
        assert_eq!(weights(&[]), []);
        assert_eq!(weights(&[None, Some((1_000, 1_000)), Some((9_000, 1_000))]), [0, 1_000, 1_250]);
        // Who is bound by an older, higher minimum, or a lower one.
        assert_eq!(weights(&[Some((1_250, 1_000)), Some((600, 500))]), [625, 600]);
        assert_eq!(weights(&[Some((2_500, 2_000)), Some((1_000, 1_000))]), [1_250, 1_000]);
    }

    #[test]
    fn being_off_costs_once_an_hour_and_then_what_is_worse() {
        let mut account = bonded(10_000);
        let mut judge = |severity, time_ms| {
            account
                .judge_ceil(&Rates::DEFAULT, NAV, severity, time_ms)
                .unwrap()
                .map(|(cost, _)| cost)
        };
        assert_eq!(judge(Severity::None, DAY), None);
        assert_eq!(judge(Severity::Minor, DAY), Some(100));
        assert_eq!(judge(Severity::Minor, DAY + JUDGED_MS - 1), None, "the same hour");
        assert_eq!(judge(Severity::Moderate, DAY + 1), Some(396), "4 % more, of 9,900");
        assert_eq!(judge(Severity::Moderate, DAY - 1), None, "an hour has two sides");
        assert_eq!(judge(Severity::Severe, DAY - JUDGED_MS), None, "too old");
        assert_eq!(judge(Severity::Minor, DAY + JUDGED_MS), Some(96), "a new hour");
    }

    #[test]
    fn a_later_nav_that_was_off_does_not_wash_a_ranking_away() {
        let mut account = bonded(10_000);
        let mut judge = |kind, severity, time_ms| {
            let judged = account.judge_ceil(&Rates::DEFAULT, kind, severity, time_ms).unwrap();
            judged.map(|(cost, _)| cost)
        };
        let ranking = OffenceKind::RankingDeviation;
        assert_eq!(judge(NAV, Severity::Minor, DAY + 2 * JUDGED_MS), Some(100));
        assert_eq!(judge(ranking, Severity::Severe, DAY), Some(1_485), "15 % of 9,900");
        assert_eq!(judge(ranking, Severity::Severe, DAY + 1), None, "once an hour");
        assert_eq!(judge(NAV, Severity::Minor, DAY + 3 * JUDGED_MS), Some(85));
    }

    proptest! {
        #[test]
        fn seven_never_outweigh_nine_others_whatever_terms_bind_them(
            seats in prop::collection::vec((1..=u128::MAX / 64, 0..=u128::MAX / 64), 16),
        ) {
            let stakes: Vec<_> =
                seats.iter().map(|(minimum, more)| Some((minimum + more, *minimum))).collect();
            let mut found = weights(&stakes);
            found.sort_unstable();
            let nine: u128 = found[..9].iter().sum();
            prop_assert!(found[9..].iter().sum::<u128>() < nine);
        }

        #[test]
        fn any_number_of_deviations_in_an_hour_costs_no_more_than_the_worst(
            found in prop::collection::vec((1u32..5, 0..JUDGED_MS), 1..40),
        ) {
            let mut account = bonded(1_000_000_000);
            for (severity, time_ms) in &found {
                let severity = Bands::NAV.severity([0, 60, 200, 600, 9_999][*severity as usize]);
                // Zero is a time like another.
                account.judge_ceil(&Rates::DEFAULT, NAV, severity, DAY + time_ms).unwrap();
            }
            prop_assert!(1_000_000_000 - account.stake.bonded <= 150_000_000);
        }

        #[test]
        fn nothing_is_lost_or_made(
            moves in prop::collection::vec((0u8..4, 0u128..2_000, 0u64..3_000), 1..60),
        ) {
            let mut account = StakeAccount::default();
            let (mut held, mut now) = (0u128, 0u64);
            for (what, amount, later) in moves {
                now += later;
                match what {
                    0 => held += account.bond(amount).map_or(0, |()| amount),
                    1 => drop(account.unbond(amount, 0, now, 2_500)),
                    2 => held -= account.withdraw(now).unwrap_or(0),
                    _ => held -= account.slash_ceil(1_500).unwrap(),
                }
                prop_assert_eq!(account.stake.remaining(), Ok(held));
                prop_assert_eq!(account.releases_ms == 0, account.stake.unbonding == 0);
            }
        }
    }
}

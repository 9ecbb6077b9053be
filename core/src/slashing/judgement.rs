//! Who pays for being off: never more than may lie, and only beside a quorum that agrees.

use super::{Bands, Severity};
use crate::quorum::Quorum;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// How far a seat was off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Deviation {
    /// The seat.
    pub seat: u8,
    /// The deviation in bps, rounded up; `u32::MAX` for anything beyond.
    pub bps: u32,
}

/// Why deviations cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JudgementError {
    /// The committee has no such seat.
    UnknownSeat,
    /// Seats do not rise strictly.
    NotInOrder,
}

/// Those that are off, of all that said something. None if fewer
/// than `needed` were within tolerance, or more off than may lie: what so many see is no fault of
/// theirs.
///
/// # Errors
/// [`JudgementError`].
pub fn judge(
    quorum: &Quorum,
    bands: &Bands,
    needed: u8,
    deviations: &[Deviation],
) -> Result<Vec<Deviation>, JudgementError> {
    let mut off = Vec::new();
    let mut agree = 0u8;
    let mut before = None;
    for deviation in deviations {
        if deviation.seat >= quorum.n() {
            return Err(JudgementError::UnknownSeat);
        }
        if before.is_some_and(|before| deviation.seat <= before) {
            return Err(JudgementError::NotInOrder);
        }
        before = Some(deviation.seat);
        match bands.severity(deviation.bps) {
            Severity::None => agree = agree.saturating_add(1),
            _ => off.push(*deviation),
        }
    }
    if agree < needed || off.len() > usize::from(quorum.max_liars()) {
        off.clear();
    }
    Ok(off)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quorum::{FaultModel, COMMITTEE};
    use proptest::prelude::*;

    fn quorum() -> Quorum {
        Quorum::of(FaultModel::Byzantine, COMMITTEE).unwrap()
    }

    fn judged(needed: u8, bps: &[u32]) -> usize {
        let said: Vec<Deviation> =
            (0..).zip(bps).map(|(seat, bps)| Deviation { seat, bps: *bps }).collect();
        judge(&quorum(), &Bands::NAV, needed, &said).unwrap().len()
    }

    #[test]
    fn seven_are_off_beside_sixteen_and_nobody_beside_fifteen() {
        let mut said = [0; 23];
        said[..7].fill(2_000);
        assert_eq!(judged(16, &said), 7);
        said[7] = 51;
        assert_eq!(judged(16, &said), 0, "a fault of the feed");
        assert_eq!(judged(15, &said), 0, "eight are more than may lie");
        said[7] = 50;
        assert_eq!(judged(16, &said[..22]), 0, "fifteen agree");
        assert_eq!(judged(9, &said[..16]), 7, "a part of the committee");
    }

    #[test]
    fn seats_are_known_and_in_order() {
        let check = |seats: &[u8]| {
            let said: Vec<Deviation> =
                seats.iter().map(|seat| Deviation { seat: *seat, bps: 0 }).collect();
            judge(&quorum(), &Bands::NAV, 1, &said).map(|off| off.len())
        };
        assert_eq!(check(&[0, 22]), Ok(0));
        assert_eq!(check(&[0, 23]), Err(JudgementError::UnknownSeat));
        assert_eq!(check(&[4, 4]), Err(JudgementError::NotInOrder));
        assert_eq!(check(&[4, 3]), Err(JudgementError::NotInOrder));
    }

    proptest! {
        #[test]
        fn nobody_pays_beyond_the_fault_model(
            bps in prop::collection::vec(0u32..4_000, 0..24),
        ) {
            let said: Vec<Deviation> =
                (0..).zip(&bps).map(|(seat, bps)| Deviation { seat, bps: *bps }).collect();
            let found = judge(&quorum(), &Bands::NAV, 16, &said);
            if bps.len() > 23 {
                prop_assert_eq!(found, Err(JudgementError::UnknownSeat));
                return Ok(());
            }
            let found = found.unwrap();
            let agree = bps.iter().filter(|bps| **bps <= 50).count();
            prop_assert_eq!(found.len(), if agree >= 16 { bps.len() - agree } else { 0 });
            prop_assert!(found.len() <= 7);
            prop_assert!(found.iter().all(|one| one.bps > 50));
        }
    }
}

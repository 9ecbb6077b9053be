//! Events of the contracts, as far as they matter here.

use crate::rows::{Change, Penalty, SettledNav, Trade};
use cicada_core::activity::{value_floor, Side};
use cicada_core::hash::Hash;
use cicada_core::report::Feed;
use cicada_core::slashing::{OffenceKind, Severity};
use cicada_core::Account;
use parity_scale_codec::{DecodeAll, Error};

/// An event of the index by its name; `None` if it does not matter. `time_ms` is its block's time.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_index(name: &str, data: &[u8], time_ms: u64) -> Result<Option<Change>, Error> {
    let side = match name {
        "Minted" => Side::Mint,
        "Redeemed" => Side::Redeem,
        "NavSettled" => return settled(data).map(Some),
        _ => return Ok(None),
    };
    let (miner, tokens, _fee, nav_e18) = <(Account, u128, u128, u128)>::decode_all(&mut &data[..])?;
    // Beyond all TAO that there can be: as if there were no NAV.
    let value = value_floor(tokens, nav_e18).unwrap_or(0);
    Ok(Some(Change::Traded(Trade { time_ms, miner, side, value })))
}

fn settled(data: &[u8]) -> Result<Change, Error> {
    type Fields = (u64, Hash, u32, u32, u32, u64, u128);
    let (slot, digest, epoch, signers, observers, time_ms, nav_e18) =
        Fields::decode_all(&mut &data[..])?;
    let nav = SettledNav { digest, epoch, signers, observers, time_ms, nav_e18 };
    Ok(Change::Settled(slot, nav))
}

/// An event of the contract of validators by its name; `None` if it does not matter.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_validators(name: &str, data: &[u8]) -> Result<Option<Change>, Error> {
    if name != "Slashed" {
        return Ok(None);
    }
    type Fields = (Account, OffenceKind, u32, Feed, u64, Severity, u128);
    let (operator, offence, epoch, feed, slot, severity, amount) =
        Fields::decode_all(&mut &data[..])?;
    let penalty = Penalty { operator, offence, epoch, feed, slot, severity, amount };
    Ok(Some(Change::Slashed(penalty)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::nav::ONE_E18;
    use parity_scale_codec::Encode;

    #[test]
    fn mints_and_redemptions_have_their_value_at_nav() {
        let data = ([7u8; 32], 3 * ONE_E18, 0u128, ONE_E18 / 2).encode();
        for (name, side) in [("Minted", Side::Mint), ("Redeemed", Side::Redeem)] {
            let trade = Trade { time_ms: 5, miner: [7; 32], side, value: 1_500_000_000 };
            assert_eq!(of_index(name, &data, 5).unwrap(), Some(Change::Traded(trade)));
        }
        assert_eq!(of_index("Owed", &data, 5).unwrap(), None);
        assert!(of_index("Minted", &data[1..], 5).is_err(), "cut off");
        assert!(of_index("Minted", &[&data[..], &[0]].concat(), 5).is_err(), "too long");
    }

    #[test]
    fn without_a_nav_or_beyond_all_tao_there_is_no_value() {
        for (tokens, nav) in [(ONE_E18, 0), (u128::MAX, u128::MAX)] {
            let data = ([7u8; 32], tokens, 0u128, nav).encode();
            let Some(Change::Traded(trade)) = of_index("Minted", &data, 5).unwrap() else {
                panic!("no trade");
            };
            assert_eq!(trade.value, 0);
        }
    }

    #[test]
    fn a_settled_nav_and_a_penalty_are_read() {
        let data = (4u64, [1u8; 32], 2u32, 0b11u32, 0b110u32, 99u64, ONE_E18).encode();
        let Some(Change::Settled(4, nav)) = of_index("NavSettled", &data, 5).unwrap() else {
            panic!("not settled");
        };
        assert_eq!((nav.attendance().seats, nav.time_ms), (0b111, 99));
        let feed = Feed { kind: cicada_core::report::ReportKind::Nav, contract: [3; 32] };
        let offence = OffenceKind::NavDeviation;
        let data = ([1u8; 32], offence, 2u32, feed, 4u64, Severity::Minor, 10u128).encode();
        let Some(Change::Slashed(penalty)) = of_validators("Slashed", &data).unwrap() else {
            panic!("no penalty");
        };
        assert_eq!((penalty.slot, penalty.severity, penalty.amount), (4, Severity::Minor, 10));
        assert_eq!(of_validators("Bonded", &data).unwrap(), None);
    }
}

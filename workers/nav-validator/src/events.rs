//! Events of the contracts, as far as they matter here.

use crate::rows::{Change, Penalty, SettledAward, SettledNav, Trade};
use cicada_core::activity::held::Movement;
use cicada_core::activity::{value_floor, Side};
use cicada_core::hash::Hash;
use cicada_core::report::Feed;
use cicada_core::slashing::{OffenceKind, Severity};
use cicada_core::Account;
use parity_scale_codec::{DecodeAll, Error};

/// A contract whose events are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The index.
    Index,
    /// The contract of validators.
    Validators,
    /// The index token.
    Token,
    /// The contract of rewards.
    Rewards,
}

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
    Ok(Some(Change::Traded(Trade { time_ms, miner, side, tokens, value })))
}

fn settled(data: &[u8]) -> Result<Change, Error> {
    type Fields = (u64, Hash, u32, u32, u32, u64, u128);
    let (slot, digest, epoch, signers, observers, time_ms, nav_e18) =
        Fields::decode_all(&mut &data[..])?;
    let nav = SettledNav { digest, epoch, signers, observers, time_ms, nav_e18 };
    Ok(Change::Settled(slot, nav))
}

/// An event of the index token by its name; `None` if it does not matter.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_token(name: &str, data: &[u8], time_ms: u64) -> Result<Option<Change>, Error> {
    if name != "Transfer" {
        return Ok(None);
    }
    let (from, to, tokens) =
        <(Option<Account>, Option<Account>, u128)>::decode_all(&mut &data[..])?;
    Ok(Some(Change::Moved(Movement { time_ms, from, to, tokens })))
}

/// An event of the contract of rewards by its name; `None` if it does not matter.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_rewards(name: &str, data: &[u8], time_ms: u64) -> Result<Option<Change>, Error> {
    match name {
        "Registered" => {
            let account = Account::decode_all(&mut &data[..])?;
            Ok(Some(Change::Registered(account, time_ms)))
        }
        "Unregistered" => {
            let (account, _free_ms) = <(Account, u64)>::decode_all(&mut &data[..])?;
            Ok(Some(Change::Unregistered(account, time_ms)))
        }
        "EpochSettled" => awarded(data, time_ms).map(Some),
        _ => Ok(None),
    }
}

fn awarded(data: &[u8], settled_ms: u64) -> Result<Change, Error> {
    type Fields = ((u64, Hash), (u128, u128, u128), (Hash, u32), (Hash, u32, u32));
    let ((epoch, _digest), _money, _claims, (ranking, ranked_by, committee)) =
        Fields::decode_all(&mut &data[..])?;
    Ok(Change::Awarded(epoch, SettledAward { ranking, ranked_by, committee, settled_ms }))
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
            let (tokens, value) = (3 * ONE_E18, 1_500_000_000);
            let trade = Trade { time_ms: 5, miner: [7; 32], side, tokens, value };
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
        assert_eq!((nav.attendance().seats, nav.time_ms), (0b110, 99), "who observed");
        let feed = Feed { kind: cicada_core::report::ReportKind::Nav, contract: [3; 32] };
        let offence = OffenceKind::NavDeviation;
        let data = ([1u8; 32], offence, 2u32, feed, 4u64, Severity::Minor, 10u128).encode();
        let Some(Change::Slashed(penalty)) = of_validators("Slashed", &data).unwrap() else {
            panic!("no penalty");
        };
        assert_eq!((penalty.slot, penalty.severity, penalty.amount), (4, Severity::Minor, 10));
        assert_eq!(of_validators("Bonded", &data).unwrap(), None);
    }

    #[test]
    fn transfers_and_registrations_are_read() {
        let data = (None::<Account>, Some([1u8; 32]), 7u128).encode();
        let moved = Movement { time_ms: 5, from: None, to: Some([1; 32]), tokens: 7 };
        assert_eq!(of_token("Transfer", &data, 5).unwrap(), Some(Change::Moved(moved)));
        assert_eq!(of_token("Approval", &data, 5).unwrap(), None);
        assert!(of_token("Transfer", &data[1..], 5).is_err());
        let come = of_rewards("Registered", &[3; 32], 5).unwrap();
        assert_eq!(come, Some(Change::Registered([3; 32], 5)));
        let gone = of_rewards("Unregistered", &([3u8; 32], 9u64).encode(), 6).unwrap();
        assert_eq!(gone, Some(Change::Unregistered([3; 32], 6)));
        assert_eq!(of_rewards("Claimed", &data, 5).unwrap(), None);
        let money = (1u128, 2u128, 3u128);
        let data = (4u64, [1u8; 32], money, [2u8; 32], 9u32, [3u8; 32], 0b101u32, 6u32).encode();
        let Some(Change::Awarded(4, award)) = of_rewards("EpochSettled", &data, 77).unwrap() else {
            panic!("no award");
        };
        assert_eq!((award.ranking, award.settled_ms), ([3; 32], 77));
        assert_eq!((award.attendance().seats, award.attendance().epoch), (0b101, 6));
        assert!(of_rewards("EpochSettled", &data[1..], 77).is_err());
        assert!(of_rewards("Registered", &[3; 31], 5).is_err());
    }
}

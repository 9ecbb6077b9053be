//! Events of the contracts, as far as they matter here.

use crate::rows::{Change, Penalty, SettledAward, SettledNav, Trade};
use cicada_chain::{ContractEvent, Error};
use cicada_contracts::index::events::{Minted, NavSettled, Redeemed};
use cicada_contracts::rewards::events::{EpochSettled, Registered, Unregistered};
use cicada_contracts::token::events::Transfer;
use cicada_contracts::validators::events::Slashed;
use cicada_contracts::{index, rewards, token, validators, Interface};
use cicada_core::activity::held::Movement;
use cicada_core::activity::{value_floor, Side};

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

impl Source {
    /// What the contract's events look like.
    pub fn interface(self) -> &'static Interface {
        match self {
            Self::Index => &index::INTERFACE,
            Self::Validators => &validators::INTERFACE,
            Self::Token => &token::INTERFACE,
            Self::Rewards => &rewards::INTERFACE,
        }
    }
}

/// An event of the index; `None` if it does not matter. `time_ms` is its block's time.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_index(event: &ContractEvent, time_ms: u64) -> Result<Option<Change>, Error> {
    let traded = |miner, side, tokens, nav_e18| {
        // Beyond all TAO that there can be: as if there were no NAV.
        let value = value_floor(tokens, nav_e18).unwrap_or(0);
        Ok(Some(Change::Traded(Trade { time_ms, miner, side, tokens, value })))
    };
    if let Some(Minted { who, tokens, nav_e18, .. }) = event.read()? {
        return traded(who, Side::Mint, tokens, nav_e18);
    }
    if let Some(Redeemed { who, tokens, nav_e18, .. }) = event.read()? {
        return traded(who, Side::Redeem, tokens, nav_e18);
    }
    Ok(event.read::<NavSettled>()?.map(|settled| {
        let NavSettled { slot, digest, epoch, signers, observers, time_ms, nav_e18 } = settled;
        let nav = SettledNav { digest, epoch, signers, observers, time_ms, nav_e18 };
        Change::Settled(slot, nav)
    }))
}

/// An event of the index token; `None` if it does not matter.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_token(event: &ContractEvent, time_ms: u64) -> Result<Option<Change>, Error> {
    Ok(event.read()?.map(|Transfer { from, to, value: tokens }| {
        Change::Moved(Movement { time_ms, from, to, tokens })
    }))
}

/// An event of the contract of rewards; `None` if it does not matter.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_rewards(event: &ContractEvent, time_ms: u64) -> Result<Option<Change>, Error> {
    if let Some(Registered { account }) = event.read()? {
        return Ok(Some(Change::Registered(account, time_ms)));
    }
    if let Some(Unregistered { account, .. }) = event.read()? {
        return Ok(Some(Change::Unregistered(account, time_ms)));
    }
    Ok(event.read()?.map(|EpochSettled { epoch, ranking, ranked_by, committee, .. }| {
        let award = SettledAward { ranking, ranked_by, committee, settled_ms: time_ms };
        Change::Awarded(epoch, award)
    }))
}

/// An event of the contract of validators; `None` if it does not matter.
///
/// # Errors
/// If the data are not those of such an event.
pub fn of_validators(event: &ContractEvent) -> Result<Option<Change>, Error> {
    Ok(event.read::<Slashed>()?.map(|slashed| {
        let Slashed { operator, offence, epoch, feed, slot, severity, amount } = slashed;
        Change::Slashed(Penalty { operator, offence, epoch, feed, slot, severity, amount })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_contracts::index::events::Owed;
    use cicada_contracts::rewards::events::Claimed;
    use cicada_contracts::token::events::Approval;
    use cicada_contracts::validators::events::Bonded;
    use cicada_contracts::Event;
    use cicada_core::hash::Digest;
    use cicada_core::nav::ONE_E18;
    use cicada_core::report::{Feed, ReportKind};
    use cicada_core::slashing::{OffenceKind, Severity};
    use cicada_core::Account;
    use parity_scale_codec::Encode;

    fn emitted<E: Event + Encode>(event: &E) -> ContractEvent {
        ContractEvent {
            block: 1,
            block_hash: Digest::ZERO,
            index: 0,
            contract: Account::NOBODY,
            topics: vec![E::TOPIC],
            data: event.encode(),
        }
    }

    /// The same without its first byte, and with one more.
    fn spoilt(event: &ContractEvent) -> [ContractEvent; 2] {
        let with = |data| ContractEvent { data, ..event.clone() };
        [with(event.data[1..].to_vec()), with([&event.data[..], &[0]].concat())]
    }

    #[test]
    fn mints_and_redemptions_have_their_value_at_nav() {
        let (who, tokens, fee, nav_e18) = ([7; 32], 3 * ONE_E18, 0, ONE_E18 / 2);
        let minted = emitted(&Minted { who: Account(who), tokens, fee, nav_e18 });
        let redeemed = emitted(&Redeemed { who: Account(who), tokens, fee, nav_e18 });
        for (event, side) in [(&minted, Side::Mint), (&redeemed, Side::Redeem)] {
            let trade =
                Trade { time_ms: 5, miner: Account(who), side, tokens, value: 1_500_000_000 };
            assert_eq!(of_index(event, 5).unwrap(), Some(Change::Traded(trade)));
        }
        let owed = emitted(&Owed { who: Account(who), token: Account([1; 32]), amount: 2 });
        assert_eq!(of_index(&owed, 5).unwrap(), None);
        for event in spoilt(&minted) {
            assert!(of_index(&event, 5).is_err());
        }
    }

    #[test]
    fn without_a_nav_or_beyond_all_tao_there_is_no_value() {
        for (tokens, nav_e18) in [(ONE_E18, 0), (u128::MAX, u128::MAX)] {
            let event = emitted(&Minted { who: Account([7; 32]), tokens, fee: 0, nav_e18 });
            let Some(Change::Traded(trade)) = of_index(&event, 5).unwrap() else {
                panic!("no trade");
            };
            assert_eq!(trade.value, 0);
        }
    }

    #[test]
    fn a_settled_nav_and_a_penalty_are_read() {
        let settled = NavSettled {
            slot: 4,
            digest: Digest([1; 32]),
            epoch: 2,
            signers: 0b11,
            observers: 0b110,
            time_ms: 99,
            nav_e18: ONE_E18,
        };
        let Some(Change::Settled(4, nav)) = of_index(&emitted(&settled), 5).unwrap() else {
            panic!("not settled");
        };
        assert_eq!((nav.attendance().seats, nav.time_ms), (0b110, 99), "who observed");
        let slashed = Slashed {
            operator: Account([1; 32]),
            offence: OffenceKind::NavDeviation,
            epoch: 2,
            feed: Feed { kind: ReportKind::Nav, contract: Account([3; 32]) },
            slot: 4,
            severity: Severity::Minor,
            amount: 10,
        };
        let Some(Change::Slashed(penalty)) = of_validators(&emitted(&slashed)).unwrap() else {
            panic!("no penalty");
        };
        assert_eq!((penalty.slot, penalty.severity, penalty.amount), (4, Severity::Minor, 10));
        let bonded = emitted(&Bonded { operator: Account([1; 32]), amount: 10 });
        assert_eq!(of_validators(&bonded).unwrap(), None);
    }

    #[test]
    fn transfers_and_registrations_are_read() {
        let transfer = emitted(&Transfer { from: None, to: Some(Account([1; 32])), value: 7 });
        let moved = Movement { time_ms: 5, from: None, to: Some(Account([1; 32])), tokens: 7 };
        assert_eq!(of_token(&transfer, 5).unwrap(), Some(Change::Moved(moved)));
        let approval =
            emitted(&Approval { owner: Account([1; 32]), spender: Account([2; 32]), amount: 7 });
        assert_eq!(of_token(&approval, 5).unwrap(), None);
        let come = emitted(&Registered { account: Account([3; 32]) });
        assert_eq!(of_rewards(&come, 5).unwrap(), Some(Change::Registered(Account([3; 32]), 5)));
        let gone = emitted(&Unregistered { account: Account([3; 32]), free_ms: 9 });
        assert_eq!(of_rewards(&gone, 6).unwrap(), Some(Change::Unregistered(Account([3; 32]), 6)));
        let claimed = emitted(&Claimed { account: Account([3; 32]), amount: 1, cumulative: 2 });
        assert_eq!(of_rewards(&claimed, 5).unwrap(), None);
        let settled = emitted(&EpochSettled {
            epoch: 4,
            digest: Digest([1; 32]),
            pool: 1,
            awarded: 2,
            carried_out: 3,
            claims_root: Digest([2; 32]),
            claims: 9,
            ranking: Digest([3; 32]),
            ranked_by: 0b101,
            committee: 6,
        });
        let Some(Change::Awarded(4, award)) = of_rewards(&settled, 77).unwrap() else {
            panic!("no award");
        };
        assert_eq!((award.ranking, award.settled_ms), (Digest([3; 32]), 77));
        assert_eq!((award.attendance().seats, award.attendance().epoch), (0b101, 6));
        for event in [&transfer, &come, &settled].into_iter().flat_map(spoilt) {
            assert!(of_token(&event, 5).is_err() || of_rewards(&event, 5).is_err());
        }
    }
}

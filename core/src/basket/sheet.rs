//! What a basket is made of besides prices: emissions, and what the index has. Every validator has
//! the same sheet of a time, so whoever has the prices has the entries.

use super::holdings::{check_entries, rebased, Entry, Holding, MAX_HOLDINGS};
use super::observed::{median_e18, Observation};
use super::{BasketError, BASKET_SIZE};
use crate::fixed::{split_largest_remainder, BPS};
use crate::nav::ObservationError;
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// A subnet whose token should be in the basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Wanted {
    /// The subnet's number.
    pub netuid: u16,
    /// The contract of its token.
    pub token: Account,
    /// Its emission of all days, in the smallest unit of TAO; 0 if it is only priced.
    pub emission: u128,
}

/// What a validator has found at a time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sheet {
    /// The contract of the index token, which is not in its own basket.
    pub index_token: Account,
    /// The subnets of highest emission with their tokens, the highest first.
    pub ranked: Vec<Wanted>,
    /// What the index has, as it says it itself.
    pub held: Vec<Holding>,
}

impl Sheet {
    /// What needs a price: the targets by rank, then what is held besides. So that no basket asks
    /// the index to hold more than [`MAX_HOLDINGS`] tokens, the lowest targets that are not held
    /// yet are left out.
    pub fn wanted(&self) -> Vec<Wanted> {
        let has = |held: &&Holding| held.amount > 0 || held.weight_bps > 0;
        let held: Vec<&Holding> = self.held.iter().filter(has).collect();
        let mut room = MAX_HOLDINGS.saturating_sub(held.len());
        let mut wanted: Vec<Wanted> = Vec::with_capacity(MAX_HOLDINGS);
        for target in self.ranked.iter().take(BASKET_SIZE) {
            if held.iter().any(|held| held.token == target.token) {
                wanted.push(*target);
            } else if let Some(less) = room.checked_sub(1) {
                room = less;
                wanted.push(*target);
            }
        }
        for Holding { netuid, token, .. } in held {
            if !wanted.iter().any(|one| one.netuid == *netuid || one.token == *token) {
                wanted.push(Wanted { netuid: *netuid, token: *token, emission: 0 });
            }
        }
        wanted
    }

    /// The entries at these prices. A token without one is not among them, so it has neither price
    /// nor weight; the others share the weights.
    ///
    /// # Errors
    /// Those of [`check_entries`] and [`rebased`]: whatever the contract could refuse.
    pub fn entries(
        &self,
        time_ms: u64,
        mut price_of: impl FnMut(u16) -> Result<Option<u128>, BasketError>,
    ) -> Result<Vec<Entry>, BasketError> {
        let mut priced = Vec::with_capacity(MAX_HOLDINGS);
        for one in self.wanted() {
            if let Some(price_e18) = price_of(one.netuid)? {
                priced.push((one, price_e18));
            }
        }
        let emissions: Vec<u128> = priced.iter().map(|(one, _)| one.emission).collect();
        if emissions.iter().all(|emission| *emission == 0) {
            return Err(BasketError::Empty);
        }
        let weights = split_largest_remainder(BPS, &emissions)?;
        let mut entries = Vec::with_capacity(priced.len());
        for ((Wanted { netuid, token, .. }, price_e18), weight) in priced.into_iter().zip(weights) {
            let weight_bps = u16::try_from(weight).map_err(|_| BasketError::WrongSum)?;
            entries.push(Entry { netuid, token, weight_bps, price_e18 });
        }
        check_entries(&entries, &self.index_token)?;
        rebased(&self.held, &entries, time_ms)?;
        Ok(entries)
    }

    /// The entries at the medians of observations, which are checked before.
    ///
    /// # Errors
    /// As [`Sheet::entries`].
    pub fn agreed(
        &self,
        time_ms: u64,
        observations: &[Observation],
        weights: &[u128],
        needed: u8,
    ) -> Result<Vec<Entry>, BasketError> {
        self.entries(time_ms, |netuid| {
            median_e18(netuid, observations, weights, needed).map_err(|error| match error {
                ObservationError::Math(error) => BasketError::Math(error),
                _ => BasketError::NoPrice,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const INDEX: Account = Account([0xee; 32]);
    const NOW: u64 = 1_738_425_600_000;

    fn target(netuid: u8, emission: u128) -> Wanted {
        Wanted { netuid: netuid.into(), token: Account([netuid; 32]), emission }
    }

    fn held(netuid: u8, weight_bps: u16, amount: u128) -> Holding {
        let (token, netuid) = ([netuid; 32], netuid.into());
        Holding { token: Account(token), netuid, weight_bps, price_e18: 1, amount, unpriced_ms: 0 }
    }

    fn sheet(ranked: Vec<Wanted>, held: Vec<Holding>) -> Sheet {
        Sheet { index_token: INDEX, ranked, held }
    }

    fn priced(sheet: &Sheet, without: &[u16]) -> Result<Vec<(u16, u16)>, BasketError> {
        let price = |netuid| Ok((!without.contains(&netuid)).then_some(10));
        let entries = sheet.entries(NOW, price)?;
        Ok(entries.iter().map(|entry| (entry.netuid, entry.weight_bps)).collect())
    }

    #[test]
    fn targets_by_rank_and_then_what_is_held_besides() {
        let sheet = sheet(vec![target(2, 3), target(1, 1)], vec![held(3, 0, 5), held(2, 0, 5)]);
        assert_eq!(priced(&sheet, &[]), Ok(vec![(2, 7_500), (1, 2_500), (3, 0)]));
    }

    #[test]
    fn without_a_price_there_is_neither_price_nor_weight_and_the_others_go_on() {
        let ranked = vec![target(2, 3), target(1, 1), target(4, 1)];
        let sheet = sheet(ranked, vec![held(3, 0, 5), held(2, 7_500, 5)]);
        assert_eq!(priced(&sheet, &[2]), Ok(vec![(1, 5_000), (4, 5_000), (3, 0)]));
        assert_eq!(priced(&sheet, &[3, 4]), Ok(vec![(2, 7_500), (1, 2_500)]));
        assert_eq!(priced(&sheet, &[1, 2, 4]), Err(BasketError::Empty), "nothing has weight");
        // What is held of it stays held, and counts nothing until it has a price again.
        let entries = sheet.entries(NOW, |netuid| Ok((netuid != 2).then_some(10))).unwrap();
        let next = rebased(&sheet.held, &entries, NOW).unwrap().held;
        let [.., last] = &next[..] else { panic!("nothing is held") };
        assert_eq!((last.netuid, last.amount, last.price_e18, last.weight_bps), (2, 5, 0, 0));
        assert_eq!(last.unpriced_ms, NOW);
    }

    #[test]
    fn the_lowest_targets_wait_until_there_is_room() {
        let ranked: Vec<_> = (0..20).map(|rank| target(100 + rank, 100)).collect();
        let mut holds: Vec<_> = (0..20).map(|netuid| held(netuid, 0, 1)).collect();
        // Twenty that leave, twenty that come: exactly forty.
        let both = sheet(ranked.clone(), holds.clone());
        assert_eq!(priced(&both, &[]).unwrap().len(), 40);
        // One more that is held, and one of the targets besides.
        holds.push(held(20, 0, 1));
        holds.push(held(119, 500, 0));
        let more = sheet(ranked.clone(), holds.clone());
        let entries = priced(&more, &[]).unwrap();
        assert_eq!(entries.len(), 40);
        let left_out = |netuid: u16| !entries.iter().any(|(one, _)| *one == netuid);
        assert!(left_out(118) && !left_out(119) && !left_out(117), "the lowest that is not held");
        assert_eq!(entries.iter().map(|(_, weight)| u32::from(*weight)).sum::<u32>(), 10_000);
        // Nobody swaps, and one target after another changes: there is a basket all the same.
        let mut all = holds;
        for round in 0..60u8 {
            let ranked: Vec<_> =
                (0..20).map(|rank| target(100 + (rank + round) % 90, 100)).collect();
            let sheet = sheet(ranked, all.clone());
            let time_ms = NOW + u64::from(round) * 300_000;
            let entries = sheet.entries(time_ms, |_| Ok(Some(10))).unwrap();
            all = rebased(&all, &entries, time_ms).unwrap().held;
            all.iter_mut().for_each(|held| held.amount = held.amount.max(1_000));
            assert!(all.len() <= MAX_HOLDINGS);
            if all.len() == MAX_HOLDINGS {
                // Somebody swaps the last out at last.
                all.iter_mut().rev().take(3).for_each(|held| held.amount = 0);
            }
        }
    }

    #[test]
    fn what_the_contract_refuses_is_no_basket() {
        let own = Wanted { token: INDEX, ..target(1, 1) };
        assert_eq!(priced(&sheet(vec![own], vec![]), &[]), Err(BasketError::OwnToken));
        let twice = vec![target(1, 1), Wanted { netuid: 2, ..target(1, 1) }];
        assert_eq!(priced(&sheet(twice, vec![]), &[]), Err(BasketError::RepeatedToken));
        assert_eq!(priced(&sheet(vec![], vec![held(1, 0, 5)]), &[]), Err(BasketError::Empty));
        let huge = sheet(vec![target(1, 1)], vec![held(1, 1, u128::MAX), held(2, 0, u128::MAX)]);
        let entries = huge.entries(NOW, |_| Ok(Some(u128::MAX)));
        assert!(matches!(entries, Err(BasketError::Math(_))), "{entries:?}");
    }
}

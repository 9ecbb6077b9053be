//! The NAV of this validator, signed once for a slot.

use crate::contracts::{Contracts, Office};
use crate::prices::{Price, Prices};
use crate::store::Store;
use anyhow::{bail, ensure, Context, Result};
use cicada_core::basket::holdings::Holding;
use cicada_core::hash::{Hash, Native};
use cicada_core::nav::{is_stale, nav_e18_floor, Observation, Position};
use cicada_core::report::{Feed, FeedState};
use cicada_network::NodeKeys;
use cicada_program::now_ms;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A NAV and what it is made of.
#[derive(Clone, Debug)]
pub struct OwnNav {
    /// At scale 10¹⁸.
    pub nav_e18: u128,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// The block at which holdings and supply were read.
    pub block: u64,
    /// Index tokens.
    pub supply: u128,
    /// Subnet, amount and price of what is held.
    pub positions: Vec<(u16, Position)>,
}

/// What is held, at its prices. What is not held needs no price.
///
/// # Errors
/// Names the subnets without a fresh price.
pub fn positions(
    holdings: &[Holding],
    prices: &BTreeMap<u16, Price>,
) -> Result<Vec<(u16, Position)>> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for held in holdings.iter().filter(|held| held.amount > 0) {
        match prices.get(&held.netuid) {
            Some(price) => {
                let position = Position { holding: held.amount, price_e18: price.price_e18 };
                found.push((held.netuid, position));
            }
            None => missing.push(held.netuid.to_string()),
        }
    }
    if !missing.is_empty() {
        bail!("no fresh price of subnet {}", missing.join(", "));
    }
    Ok(found)
}

/// A slot that is to be observed.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// The feed of the NAV.
    pub feed: Feed,
    /// The slot.
    pub slot: u64,
    /// Our seat.
    pub seat: u8,
    /// The committee's digest.
    pub config_digest: Hash,
}

/// Computes and signs.
pub struct Observer {
    /// The keys of the seat.
    pub keys: Arc<NodeKeys>,
    store: Arc<Store>,
    prices: Option<Mutex<Prices>>,
    spacing_ms: u64,
    // One at a time.
    gate: tokio::sync::Mutex<()>,
}

impl Observer {
    /// With the keys of a seat.
    pub fn new(
        keys: Arc<NodeKeys>,
        store: Arc<Store>,
        prices: Option<&Path>,
        spacing_ms: u64,
    ) -> Self {
        let prices = prices.map(|path| Mutex::new(Prices::new(path)));
        Self { keys, store, prices, spacing_ms, gate: tokio::sync::Mutex::new(()) }
    }

    /// The NAV as we see it now.
    ///
    /// # Errors
    /// In words, if a price or the chain is missing.
    pub async fn own_nav(&self, contracts: &Contracts) -> Result<OwnNav> {
        let prices = self.prices.as_ref().context("no file of prices is configured")?;
        let index = contracts.index().await?;
        let time_ms = now_ms();
        let prices = prices.lock().unwrap_or_else(PoisonError::into_inner).at(time_ms)?;
        let positions = positions(&index.holdings, &prices)?;
        let values: Vec<Position> = positions.iter().map(|(_, position)| *position).collect();
        let nav_e18 = nav_e18_floor(&values, index.supply)
            .map_err(|error| anyhow::anyhow!("the NAV: {error:?}"))?;
        Ok(OwnNav { nav_e18, time_ms, block: index.block, supply: index.supply, positions })
    }

    /// Our observation for a slot: what was signed for it before, or a new one if the slot comes
    /// next and its time has come. It is on disk before it is returned.
    ///
    /// # Errors
    /// In words.
    pub async fn observation(
        &self,
        contracts: &Contracts,
        slot: u64,
    ) -> Result<(Office, Observation)> {
        let _one = self.gate.lock().await;
        let office = contracts.office().await?;
        let seat = office
            .seat_of(&self.keys.attestation_key())
            .with_context(|| format!("these keys have no seat in committee {}", office.epoch))?;
        let config_digest = office.config_digest;
        let task = Task { feed: contracts.nav_feed(), slot, seat, config_digest };
        let known = self.store.observation(slot, &config_digest)?;
        let newest = contracts.nav_state().await?;
        let again = self.known(&task, known, &newest, now_ms())?;
        let observation = match again {
            Some(observation) => observation,
            None => {
                let nav = self.own_nav(contracts).await?;
                self.sign(&task, nav.nav_e18, nav.time_ms)?
            }
        };
        Ok((office, observation))
    }

    /// What was signed for this slot; `None` if it may be signed now.
    fn known(
        &self,
        task: &Task,
        known: Option<Observation>,
        newest: &FeedState,
        now_ms: u64,
    ) -> Result<Option<Observation>> {
        let slot = task.slot;
        if slot <= newest.slot {
            let known = known.with_context(|| format!("slot {slot} is settled without us"))?;
            return Ok(Some(known));
        }
        let next = newest.slot.saturating_add(1);
        ensure!(slot == next, "slot {slot} is not the next one: that is {next}");
        if let Some(known) = known {
            // As long as it is fresh, another value would contradict it.
            return Ok(Some(known).filter(|known| !is_stale(known.time_ms, now_ms)));
        }
        let from = newest.time_ms.saturating_add(self.spacing_ms);
        ensure!(newest.slot == 0 || now_ms >= from, "too soon after slot {}", newest.slot);
        Ok(None)
    }

    /// Signs a NAV and returns when that is on disk.
    fn sign(&self, task: &Task, nav_e18: u128, time_ms: u64) -> Result<Observation> {
        ensure!(nav_e18 > 0, "a NAV of 0 is not signed");
        let mut observation = Observation { seat: task.seat, nav_e18, time_ms, signature: [0; 64] };
        let message = observation.message::<Native>(&task.config_digest, &task.feed, task.slot);
        observation.signature = self.keys.attest(&message);
        self.store.keep_observation(task.slot, &task.config_digest, &observation)?;
        Ok(observation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::nav::STALENESS_MS;
    use cicada_core::report::ReportKind;
    use cicada_network::verify_attestation;

    const NOW: u64 = 1_738_425_600_000;
    const TASK: Task = Task {
        feed: Feed { kind: ReportKind::Nav, contract: [3; 32] },
        slot: 5,
        seat: 2,
        config_digest: [8; 32],
    };
    const NEWEST: FeedState = FeedState { slot: 4, digest: [1; 32], time_ms: NOW };

    fn observer() -> (Observer, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(NodeKeys::generate(&folder.path().join("keys.toml")).unwrap());
        let store = Arc::new(Store::open(&folder.path().join("data"), b"").unwrap());
        (Observer::new(keys, store, None, 10_000), folder)
    }

    fn held(netuid: u16, amount: u128) -> Holding {
        Holding { token: [0; 32], netuid, weight_bps: 500, price_e18: 0, amount }
    }

    #[test]
    fn what_is_held_needs_a_price_and_what_is_not_needs_none() {
        let price = |price_e18| Price { time_ms: NOW, price_e18 };
        let prices = BTreeMap::from([(1, price(10)), (2, price(20))]);
        let found = positions(&[held(2, 7), held(9, 0), held(1, 5)], &prices).unwrap();
        let expected = [
            (2, Position { holding: 7, price_e18: 20 }),
            (1, Position { holding: 5, price_e18: 10 }),
        ];
        assert_eq!(found, expected);
        let error = positions(&[held(9, 1), held(1, 1), held(8, 1)], &prices).unwrap_err();
        assert_eq!(error.to_string(), "no fresh price of subnet 9, 8");
    }

    #[test]
    fn an_observation_is_signed_with_the_key_of_the_seat_and_kept() {
        let (observer, _folder) = observer();
        let signed = observer.sign(&TASK, 77, NOW).unwrap();
        let message = signed.message::<Native>(&TASK.config_digest, &TASK.feed, TASK.slot);
        assert!(verify_attestation(&signed.signature, &message, &observer.keys.attestation_key()));
        assert_eq!(observer.store.observation(5, &[8; 32]).unwrap(), Some(signed));
        assert!(observer.sign(&TASK, 78, NOW).is_err(), "no second value");
        assert!(observer.sign(&Task { slot: 6, ..TASK }, 0, NOW).is_err(), "no NAV of 0");
    }

    #[test]
    fn only_the_next_slot_is_signed_and_not_too_soon() {
        let (observer, _folder) = observer();
        let ask = |slot, now| {
            let known = observer.known(&Task { slot, ..TASK }, None, &NEWEST, now);
            known.map(|known| known.is_none()).map_err(|error| error.to_string())
        };
        assert_eq!(ask(5, NOW + 10_000), Ok(true));
        assert!(ask(5, NOW + 9_999).unwrap_err().contains("too soon"));
        assert!(ask(6, NOW + 10_000).unwrap_err().contains("that is 5"));
        assert!(ask(4, NOW + 10_000).unwrap_err().contains("without us"));
        let first = FeedState::EMPTY;
        let known = observer.known(&Task { slot: 1, ..TASK }, None, &first, 0).unwrap();
        assert_eq!(known, None, "nothing was before the first");
    }

    #[test]
    fn a_slot_that_takes_long_is_looked_at_again_once_the_first_look_is_stale() {
        let (observer, _folder) = observer();
        let first = observer.sign(&TASK, 77, NOW).unwrap();
        let again = |now| observer.known(&TASK, Some(first), &NEWEST, now).unwrap();
        assert_eq!(again(NOW + STALENESS_MS), Some(first));
        assert_eq!(again(NOW + STALENESS_MS + 1), None);
        assert!(observer.sign(&TASK, 78, NOW + STALENESS_MS).is_err());
        let renewed = observer.sign(&TASK, 78, NOW + STALENESS_MS + 1).unwrap();
        assert_eq!(observer.store.observation(5, &[8; 32]).unwrap(), Some(renewed));
        let settled = FeedState { slot: 5, ..NEWEST };
        let after = observer.known(&TASK, Some(first), &settled, NOW + 2 * STALENESS_MS).unwrap();
        assert_eq!(after, Some(first), "a settled slot is not signed again");
    }
}

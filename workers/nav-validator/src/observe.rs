//! The NAV of this validator, signed once for a slot.

use crate::contracts::{Contracts, Index, Office};
use crate::outlook::{Newest, Outlooks};
use crate::prices::{Price, Prices};
use crate::store::Store;
use anyhow::{bail, ensure, Context, Result};
use cicada_core::basket::holdings::Holding;
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::{nav_e18_floor, scheduled, Observation, Own, Position, STALENESS_MS};
use cicada_core::report::{Feed, FeedState};
use cicada_files::{write_whole, PLAIN};
use cicada_network::NodeKeys;
use cicada_program::now_ms;
use parity_scale_codec::{DecodeAll, Encode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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

/// What is held, at its prices. What is not held needs no price, and what the newest certified
/// basket has no price of counts 0. What has no fresh price here counts at the certified one, if
/// that is fresh (`is_fresh`): sixteen have seen it, and one missing price silences nobody.
///
/// # Errors
/// Names the subnets without a fresh price.
pub fn positions(
    holdings: &[Holding],
    prices: &BTreeMap<u16, Price>,
    is_fresh: bool,
) -> Result<Vec<(u16, Position)>> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let counts = |held: &&Holding| held.amount > 0 && held.price_e18 > 0;
    for held in holdings.iter().filter(counts) {
        let certified = is_fresh.then_some(held.price_e18);
        match prices.get(&held.netuid).map(|price| price.price_e18).or(certified) {
            Some(price_e18) => {
                found.push((held.netuid, Position { holding: held.amount, price_e18 }));
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
    pub config_digest: Digest,
    /// The scheduled time.
    pub time_ms: u64,
}

/// What is observed: slot, committee, time.
pub(crate) type Which = (u64, Digest, u64);

/// Computes and signs.
pub struct Observer {
    /// The keys of the seat.
    pub keys: Arc<NodeKeys>,
    store: Arc<Store>,
    prices: Option<Mutex<Prices>>,
    interval_ms: u64,
    /// Where it is told to the consensus node.
    file: Option<PathBuf>,
    /// Since when this process runs, in milliseconds since 1970.
    started_ms: u64,
    /// What the chain says.
    pub outlooks: Outlooks,
    newest: Newest<Which, Observation>,
}

impl Observer {
    /// With the keys of a seat. NAVs are scheduled `interval_ms` after one another.
    pub fn new(
        keys: Arc<NodeKeys>,
        store: Arc<Store>,
        prices: Option<&Path>,
        interval_ms: u64,
        file: Option<PathBuf>,
    ) -> Self {
        let prices = prices.map(|path| Mutex::new(Prices::new(path)));
        let (started_ms, outlooks, newest) = (now_ms(), Outlooks::default(), Newest::default());
        Self { keys, store, prices, interval_ms, file, started_ms, outlooks, newest }
    }

    /// The NAV as we see it now, for people.
    ///
    /// # Errors
    /// In words, if a price or the chain is missing.
    pub async fn own_nav(&self, contracts: &Contracts) -> Result<OwnNav> {
        self.nav_of(contracts.index().await?, now_ms())
    }

    /// The NAV of a time: of what the index held in the last block that is not later, at the prices
    /// of that time.
    ///
    /// # Errors
    /// In words, if a price or the chain is missing, or no later block is final yet.
    async fn nav_at(&self, contracts: &Contracts, time_ms: u64) -> Result<(Office, OwnNav)> {
        let block = contracts.chain.block_of(time_ms).await?;
        let block = block.with_context(|| format!("no block after {time_ms} ms is final yet"))?;
        let nav = self.nav_of(contracts.index_at(block).await?, time_ms)?;
        Ok((contracts.office_at(block).await?, nav))
    }

    fn nav_of(&self, index: Index, time_ms: u64) -> Result<OwnNav> {
        let prices = self.prices.as_ref().context("no file of prices is configured")?;
        let prices = prices.lock().unwrap_or_else(PoisonError::into_inner).at(time_ms)?;
        let is_fresh = time_ms.saturating_sub(index.priced_ms) <= STALENESS_MS;
        let positions = positions(&index.holdings, &prices, is_fresh)?;
        let values: Vec<Position> = positions.iter().map(|(_, position)| *position).collect();
        let nav_e18 = nav_e18_floor(&values, index.supply)
            .map_err(|error| anyhow::anyhow!("the NAV: {error:?}"))?;
        Ok(OwnNav { nav_e18, time_ms, block: index.block, supply: index.supply, positions })
    }

    /// Our observation for a slot: what was signed for it before, or a new one if the slot comes
    /// next and a round of it has begun. It is on disk before it is returned. What cannot be signed
    /// is refused from what is remembered of the chain.
    ///
    /// # Errors
    /// In words.
    pub async fn observation(
        &self,
        contracts: &Contracts,
        slot: u64,
    ) -> Result<(Office, Observation)> {
        let outlook = self.outlooks.now(contracts).await?;
        let office = &outlook.office;
        let seat = self.seat_in(office)?;
        let config_digest = office.committee.config_digest;
        if slot <= outlook.nav.slot {
            let known = self.store.observation(slot, &config_digest)?;
            let known = known.with_context(|| format!("slot {slot} is settled without us"))?;
            return Ok((office.clone(), known));
        }
        let time_ms = self.due(slot, &outlook.nav, now_ms())?;
        let task = Task { feed: contracts.nav_feed(), slot, seat, config_digest, time_ms };
        let which = (slot, config_digest, time_ms);
        let observation = self.newest.of(which, true, self.observe(contracts, task)).await?;
        Ok((office.clone(), observation))
    }

    /// Our seat.
    ///
    /// # Errors
    /// If there is none.
    pub fn seat_in(&self, office: &Office) -> Result<u8> {
        let seat = office.committee.seat_of(&self.keys.attestation_key());
        seat.with_context(|| {
            format!("these keys have no seat in committee {}", office.committee.epoch)
        })
    }

    /// The time of which a slot is to be observed at `now_ms`.
    fn due(&self, slot: u64, newest: &FeedState, now_ms: u64) -> Result<u64> {
        let next = newest.slot.saturating_add(1);
        ensure!(slot == next, "slot {slot} is not the next one: that is {next}");
        ensure!(newest.time_ms > 0, "there is no basket yet");
        scheduled(newest.time_ms, self.interval_ms, now_ms)
            .with_context(|| format!("too soon after slot {}", newest.slot))
    }

    /// Nothing is signed of a time before this process started: another, or this one before its disk
    /// was put back, may have signed something else.
    ///
    /// # Errors
    /// If it is.
    pub fn may_sign(&self, time_ms: u64) -> Result<()> {
        ensure!(
            time_ms > self.started_ms,
            "what was signed before this process started is not known: from the next round on"
        );
        Ok(())
    }

    /// What was signed of a time, or is signed now; the node is told either way.
    async fn observe(&self, contracts: &Contracts, task: Task) -> Result<Observation> {
        let known = self.store.observation(task.slot, &task.config_digest)?;
        if let Some(known) = known.filter(|known| known.time_ms >= task.time_ms) {
            if !self.is_told(&task, &known) {
                let block = contracts.chain.block_of(known.time_ms).await?;
                let block = block.context("no later block is final yet")?;
                self.tell(&task, known, contracts.office_at(block).await?.stakes)?;
            }
            return Ok(known);
        }
        self.may_sign(task.time_ms)?;
        let (then, nav) = self.nav_at(contracts, task.time_ms).await?;
        let observation = self.sign(&task, nav.nav_e18)?;
        self.tell(&task, observation, then.stakes)?;
        Ok(observation)
    }

    /// Whether the consensus node knows.
    fn is_told(&self, task: &Task, observation: &Observation) -> bool {
        let Some(file) = &self.file else {
            return true;
        };
        let told = std::fs::read(file).ok().and_then(|bytes| Own::decode_all(&mut &bytes[..]).ok());
        told.is_some_and(|told| told.slot == task.slot && told.observation == *observation)
    }

    /// Tells the consensus node what was signed.
    fn tell(&self, task: &Task, observation: Observation, weights: Vec<u128>) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let own = Own { slot: task.slot, observation, signed_ms: now_ms(), weights };
        Ok(write_whole(file, &own.encode(), PLAIN)?)
    }

    /// Signs a NAV and returns when that is on disk.
    fn sign(&self, task: &Task, nav_e18: u128) -> Result<Observation> {
        ensure!(nav_e18 > 0, "a NAV of 0 is not signed");
        let time_ms = task.time_ms;
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
    use cicada_core::nav::ROUND_MS;
    use cicada_core::report::ReportKind;
    use cicada_core::Account;
    use cicada_network::verify_attestation;

    const INTERVAL: u64 = 10_000;

    struct Bench {
        observer: Observer,
        started_ms: u64,
        task: Task,
        newest: FeedState,
        _folder: tempfile::TempDir,
    }

    /// Slot 5 comes next, and was scheduled after the process started.
    fn bench() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(NodeKeys::generate(&folder.path().join("keys.toml")).unwrap());
        let store = Arc::new(Store::open(&folder.path().join("data"), b"").unwrap());
        let file = Some(folder.path().join("nav.scale"));
        let observer = Observer::new(keys, store, None, INTERVAL, file);
        let started_ms = observer.started_ms;
        let newest = FeedState { slot: 4, digest: Digest([1; 32]), time_ms: started_ms };
        let task = Task {
            feed: Feed { kind: ReportKind::Nav, contract: Account([3; 32]) },
            slot: 5,
            seat: 2,
            config_digest: Digest([8; 32]),
            time_ms: started_ms + INTERVAL,
        };
        Bench { observer, started_ms, task, newest, _folder: folder }
    }

    fn held(netuid: u16, amount: u128) -> Holding {
        let (token, weight_bps, price_e18) = ([0; 32], 500, 1);
        Holding { token: Account(token), netuid, weight_bps, price_e18, amount, unpriced_ms: 0 }
    }

    #[test]
    fn what_is_held_needs_a_price_and_what_is_not_needs_none() {
        let price = |price_e18| Price { time_ms: 0, price_e18 };
        let prices = BTreeMap::from([(1, price(10)), (2, price(20))]);
        let unpriced = Holding { price_e18: 0, weight_bps: 0, ..held(8, 9) };
        let all = [held(2, 7), held(9, 0), held(1, 5), unpriced];
        let found = positions(&all, &prices, false).unwrap();
        let expected = [
            (2, Position { holding: 7, price_e18: 20 }),
            (1, Position { holding: 5, price_e18: 10 }),
        ];
        assert_eq!(found, expected, "and what no basket has a price of counts nothing");
        let some = [held(9, 3), held(1, 1), held(8, 1)];
        let error = positions(&some, &prices, false).unwrap_err();
        assert_eq!(error.to_string(), "no fresh price of subnet 9, 8");
        // Certified a short time ago, it serves in the place of an own one.
        let found = positions(&some, &prices, true).unwrap();
        let worth = found.iter().map(|(netuid, position)| (*netuid, position.price_e18));
        assert_eq!(worth.collect::<Vec<_>>(), [(9, 1), (1, 10), (8, 1)]);
    }

    #[test]
    fn an_observation_is_signed_with_the_key_of_the_seat_kept_and_told_to_the_node() {
        let Bench { observer, task, _folder, .. } = bench();
        let signed = observer.sign(&task, 77).unwrap();
        let message = signed.message::<Native>(&task.config_digest, &task.feed, task.slot);
        assert!(verify_attestation(&signed.signature, &message, &observer.keys.attestation_key()));
        assert_eq!(signed.time_ms, task.time_ms, "the scheduled time, not that of the signature");
        assert_eq!(observer.store.observation(5, &Digest([8; 32])).unwrap(), Some(signed));
        assert!(observer.sign(&task, 78).is_err(), "no second value");
        assert!(observer.sign(&Task { slot: 6, ..task }, 0).is_err(), "no NAV of 0");
        // Who was killed in between tells it the next time.
        assert!(!observer.is_told(&task, &signed));
        observer.tell(&task, signed, vec![1, 2]).unwrap();
        assert!(observer.is_told(&task, &signed));
        assert!(!observer.is_told(&Task { slot: 6, ..task }, &signed));
        let told = std::fs::read(_folder.path().join("nav.scale")).unwrap();
        let told = Own::decode_all(&mut &told[..]).unwrap();
        assert_eq!((told.slot, told.observation, told.weights), (5, signed, vec![1, 2]));
    }

    #[test]
    fn only_the_next_slot_is_signed_of_its_scheduled_time_and_never_before() {
        let Bench { observer, newest, started_ms, .. } = bench();
        let due = |slot, newest: &FeedState, now| {
            observer.due(slot, newest, now).map_err(|error| error.to_string())
        };
        let first = started_ms + INTERVAL;
        assert_eq!(due(5, &newest, first), Ok(first));
        assert_eq!(due(5, &newest, first + ROUND_MS - 1), Ok(first), "whoever asks when");
        assert_eq!(due(5, &newest, first + ROUND_MS), Ok(first + ROUND_MS), "the next round");
        assert!(due(5, &newest, first - 1).unwrap_err().contains("too soon"));
        assert!(due(6, &newest, first).unwrap_err().contains("that is 5"));
        assert!(due(1, &FeedState::EMPTY, first).unwrap_err().contains("no basket"));
    }

    #[test]
    fn a_slot_that_takes_long_is_signed_again_of_the_next_round() {
        let Bench { observer, task, .. } = bench();
        observer.sign(&task, 77).unwrap();
        let second = Task { time_ms: task.time_ms + ROUND_MS, ..task };
        let renewed = observer.sign(&second, 78).unwrap();
        assert_eq!(observer.store.observation(5, &Digest([8; 32])).unwrap(), Some(renewed));
        assert!(observer.sign(&task, 77).is_err(), "nothing of a round that is over");
    }

    #[test]
    fn what_a_disk_that_was_put_back_may_have_signed_is_not_signed() {
        let Bench { observer, started_ms, .. } = bench();
        let error = observer.may_sign(started_ms).unwrap_err();
        assert!(error.to_string().contains("from the next round on"));
        assert!(observer.may_sign(started_ms + 1).is_ok());
        // However old the store is: another process has another start.
        let Observer { keys, store, .. } = observer;
        let again = Observer {
            started_ms: started_ms + 60_000,
            ..Observer::new(keys, store, None, INTERVAL, None)
        };
        assert!(again.may_sign(started_ms + 60_000).is_err());
    }
}

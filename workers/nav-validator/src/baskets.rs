//! The basket as this validator finds it: emissions and holdings, which are the same everywhere, and
//! its own prices, which it signs once for a slot and time.
//!
//! The emission file has JSON lines `{"day", "netuid", "emission"}`: the day in days since 1970,
//! the emission of that day in smallest units of TAO. The 14 whole days before the basket's count.

use crate::config::{Config, Place};
use crate::contracts::{Contracts, Office};
use crate::observe::{Observer, Which};
use crate::outlook::Newest;
use crate::prices::Prices;
use anyhow::{anyhow, ensure, Context, Result};
use cicada_core::basket::agreed::Own;
use cicada_core::basket::holdings::{Entry, Holding};
use cicada_core::basket::observed::{scheduled, Observation};
use cicada_core::basket::sheet::{Sheet, Wanted};
use cicada_core::basket::{ranked, Candidate, EMISSION_DAYS};
use cicada_core::hash::Native;
use cicada_core::Account;
use cicada_files::{write_whole, PLAIN};
use cicada_program::now_ms;
use parity_scale_codec::Encode;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

const DAY_MS: u64 = 86_400_000;

#[derive(Deserialize)]
struct Line {
    day: u64,
    netuid: u16,
    emission: String,
}

/// What the subnets emitted on the 14 days before `today`, a line that is not of them is passed over.
///
/// # Errors
/// Names the line that cannot be read: weights must be the same everywhere.
pub fn candidates(text: &str, today: u64) -> Result<Vec<Candidate>> {
    let mut found = BTreeMap::<u16, [u128; EMISSION_DAYS]>::new();
    for (number, line) in (1..).zip(text.lines()) {
        let at = || format!("line {number}");
        let line: Line = serde_json::from_str(line).with_context(at)?;
        let emission = line.emission.parse().with_context(at)?;
        let back = today.checked_sub(line.day).and_then(|days| days.checked_sub(1));
        let place = back.and_then(|back| usize::try_from(back).ok());
        if let Some(day) = place.and_then(|at| found.entry(line.netuid).or_default().get_mut(at)) {
            *day = emission;
        }
    }
    Ok(found.into_iter().map(|(netuid, emission)| Candidate { netuid, emission }).collect())
}

/// The sheet of these candidates.
///
/// # Errors
/// Names the subnet that has no token.
pub fn sheet(
    candidates: &[Candidate],
    tokens: &BTreeMap<u16, Account>,
    index_token: Account,
    held: Vec<Holding>,
) -> Result<Sheet> {
    let ranked = ranked(candidates).map_err(|error| anyhow!("{error:?}"))?;
    let wanted = |(netuid, emission): (u16, u128)| {
        let token = tokens.get(&netuid).with_context(|| format!("no token of subnet {netuid}"))?;
        Ok(Wanted { netuid, token: *token, emission })
    };
    let ranked = ranked.into_iter().map(wanted).collect::<Result<Vec<_>>>()?;
    Ok(Sheet { index_token, ranked, held })
}

/// The prices of what a sheet wants, in order of subnets. What has none, or one of 0, is left out.
pub fn prices(sheet: &Sheet, known: &BTreeMap<u16, u128>) -> Vec<(u16, u128)> {
    let wanted = sheet.wanted();
    let is_wanted = |netuid: &u16| wanted.iter().any(|one| one.netuid == *netuid);
    let found = known.iter().filter(|(netuid, price)| is_wanted(netuid) && **price > 0);
    found.map(|(netuid, price)| (*netuid, *price)).collect()
}

/// Finds what the basket is made of, signs the prices, and writes both where the consensus node
/// reads them.
pub struct Baskets {
    emissions: PathBuf,
    tokens: BTreeMap<u16, Account>,
    prices: Mutex<Prices>,
    file: PathBuf,
    interval_ms: u64,
    newest: Newest<Which, Own>,
    /// The newest slot and time of which another seat wants a basket.
    wanted: Mutex<Option<(u64, u64)>>,
}

impl Baskets {
    /// As configured; `None` if that says nothing of baskets.
    pub fn new(config: &Config, place: &Place) -> Option<Self> {
        Some(Self {
            emissions: config.emissions.clone()?,
            tokens: place.tokens.clone(),
            prices: Mutex::new(Prices::new(config.prices.as_ref()?)),
            file: config.basket.clone()?,
            interval_ms: config.basket_interval.0,
            newest: Newest::default(),
            wanted: Mutex::default(),
        })
    }

    /// Notes that another seat wants the basket of a slot and time.
    pub fn want(&self, slot: u64, time_ms: u64) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some((slot, time_ms));
    }

    /// Whether one does.
    pub fn is_wanted(&self, slot: u64, time_ms: u64) -> bool {
        let wanted = *self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted == Some((slot, time_ms))
    }

    /// The time of which a basket is now.
    pub fn time(&self, now_ms: u64) -> u64 {
        scheduled(self.interval_ms, now_ms)
    }

    fn sheet(&self, index_token: Account, held: Vec<Holding>, time_ms: u64) -> Result<Sheet> {
        let at = || self.emissions.display().to_string();
        let text = fs::read_to_string(&self.emissions).with_context(at)?;
        let candidates = candidates(&text, time_ms / DAY_MS).with_context(at)?;
        sheet(&candidates, &self.tokens, index_token, held)
    }

    fn prices(&self, sheet: &Sheet, time_ms: u64) -> Result<Vec<(u16, u128)>> {
        let known = self.prices.lock().unwrap_or_else(PoisonError::into_inner).at(time_ms)?;
        let known = known.into_iter().map(|(netuid, price)| (netuid, price.price_e18));
        Ok(prices(sheet, &known.collect()))
    }

    /// The basket of now by our prices alone, for people.
    ///
    /// # Errors
    /// In words.
    pub async fn own_view(&self, contracts: &Contracts) -> Result<(u64, Vec<Entry>)> {
        let time_ms = now_ms();
        let held = contracts.index().await?.holdings;
        let sheet = self.sheet(contracts.token, held, time_ms)?;
        let known: BTreeMap<u16, u128> = self.prices(&sheet, time_ms)?.into_iter().collect();
        let entries = sheet.entries(time_ms, |netuid| Ok(known.get(&netuid).copied()));
        Ok((time_ms, entries.map_err(|error| anyhow!("{error:?}"))?))
    }

    /// What we have signed for a slot, which the node is told, too.
    ///
    /// # Errors
    /// In words.
    pub async fn own(
        &self,
        contracts: &Contracts,
        observer: &Observer,
        slot: u64,
    ) -> Result<(Office, Own)> {
        let outlook = observer.outlooks.now(contracts).await?;
        let (office, newest) = (&outlook.office, &outlook.basket);
        let seat = observer.seat_in(office)?;
        let next = newest.slot.saturating_add(1);
        ensure!(slot == next, "slot {slot} is not the next one: that is {next}");
        let time_ms = self.time(now_ms());
        ensure!(time_ms > newest.time_ms, "too soon after slot {}", newest.slot);
        observer.may_sign(time_ms)?;
        let which = (slot, office.committee.config_digest, time_ms);
        let observe = self.observe(contracts, observer, which, seat);
        let own = self.newest.of(which, true, observe).await?;
        Ok((office.clone(), own))
    }

    /// Signs the prices of a time, once: what the index held in the last block that is not later.
    async fn observe(
        &self,
        contracts: &Contracts,
        observer: &Observer,
        (slot, config_digest, time_ms): Which,
        seat: u8,
    ) -> Result<Own> {
        let block = contracts.chain.block_of(time_ms).await?;
        let block = block.with_context(|| format!("no block after {time_ms} ms is final yet"))?;
        let then = contracts.office_at(block).await?;
        ensure!(
            then.committee.config_digest == config_digest,
            "the committee has changed since {time_ms} ms: the next time is waited for"
        );
        let held = contracts.index_at(block).await?.holdings;
        let sheet = self.sheet(contracts.token, held, time_ms)?;
        let prices = self.prices(&sheet, time_ms)?;
        ensure!(!prices.is_empty(), "no token has a price of the 300 s up to {time_ms} ms");
        let mut observation = Observation { seat, time_ms, prices, signature: [0; 64] };
        let feed = contracts.basket_feed();
        let message = observation.message::<Native>(&config_digest, &feed, slot);
        observation.signature = observer.keys.attest(&message);
        let own = Own { slot, observation, signed_ms: now_ms(), weights: then.stakes, sheet };
        write_whole(&self.file, &own.encode(), PLAIN)?;
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: u64 = 20_000;

    fn line(day: u64, netuid: u16, emission: u128) -> String {
        format!("{{\"day\":{day},\"netuid\":{netuid},\"emission\":\"{emission}\"}}\n")
    }

    #[test]
    fn fourteen_whole_days_count() {
        let text: String = (TODAY - 20..=TODAY + 1).map(|day| line(day, 7, 100)).collect();
        let found = candidates(&text, TODAY).unwrap();
        assert_eq!(found, [Candidate { netuid: 7, emission: [100; EMISSION_DAYS] }]);
        let two = candidates(&(line(TODAY - 14, 1, 5) + &line(TODAY - 15, 2, 9)), TODAY).unwrap();
        let totals: Vec<_> = two.iter().map(|one| one.total().unwrap()).collect();
        assert_eq!(totals, [5, 0]);
        let error = candidates(&(line(1, 1, 1) + "nonsense"), TODAY).unwrap_err();
        assert!(format!("{error:#}").contains("line 2"));
    }

    fn emitted(netuid: u16, each: u128) -> Candidate {
        Candidate { netuid, emission: [each; EMISSION_DAYS] }
    }

    #[test]
    fn what_has_no_price_is_left_out_and_stops_nothing() {
        let tokens: BTreeMap<u16, Account> = [(1, Account([1; 32])), (2, Account([2; 32]))].into();
        let holding = |netuid: u8, amount| Holding {
            token: Account([netuid; 32]),
            netuid: netuid.into(),
            weight_bps: 0,
            amount,
            price_e18: 0,
            unpriced_ms: 0,
        };
        let all = [emitted(1, 1), emitted(2, 3), emitted(3, 0)];
        let held = vec![holding(3, 5), holding(2, 5), holding(4, 0)];
        let sheet = |tokens| sheet(&all, tokens, Account([9; 32]), held.clone());
        let found = sheet(&tokens).unwrap();
        let order: Vec<u16> = found.wanted().iter().map(|one| one.netuid).collect();
        assert_eq!(order, [2, 1, 3], "targets by rank, and what is held besides");
        let signs = |known: &[(u16, u128)]| prices(&found, &known.iter().copied().collect());
        let whole = [(1, 50), (2, 40), (3, 30), (4, 20), (5, 10)];
        assert_eq!(signs(&whole), whole[..3]);
        assert_eq!(signs(&[(3, 30), (1, 0)]), [(3, 30)], "a price of 0 is none");
        let error = sheet(&BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("no token of subnet 2"));
    }
}

//! The basket as this validator finds it: weights by emission, prices of now.
//!
//! The emission file has JSON lines `{"day", "netuid", "emission"}`: the day in days since 1970,
//! the emission of that day in smallest units of TAO. The 14 whole days before today count.

use crate::config::Config;
use crate::prices::{Price, Prices};
use anyhow::{Context, Result};
use cicada_core::basket::agreed::Observed;
use cicada_core::basket::holdings::{Entry, Holding};
use cicada_core::basket::{select, Candidate, EMISSION_DAYS};
use cicada_core::Account;
use parity_scale_codec::Encode;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
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

/// The basket of these candidates; what is held besides is priced, without weight, if it has a price.
///
/// # Errors
/// Names the subnet that has no token or no fresh price.
pub fn observed(
    candidates: &[Candidate],
    tokens: &BTreeMap<u16, Account>,
    held: &[Holding],
    prices: &BTreeMap<u16, Price>,
) -> Result<Observed> {
    let targets = select(candidates).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut time_ms = u64::MAX;
    let mut entries = Vec::new();
    for target in &targets {
        let netuid = target.netuid;
        let token = *tokens.get(&netuid).with_context(|| format!("no token of subnet {netuid}"))?;
        let price = prices.get(&netuid);
        let price = price.with_context(|| format!("no fresh price of subnet {netuid}"))?;
        time_ms = time_ms.min(price.time_ms);
        let (weight_bps, price_e18) = (target.weight_bps, price.price_e18);
        entries.push(Entry { netuid, token, weight_bps, price_e18 });
    }
    for left in held.iter().filter(|held| held.amount > 0) {
        let known = targets.iter().any(|target| target.netuid == left.netuid);
        if let (false, Some(price)) = (known, prices.get(&left.netuid)) {
            time_ms = time_ms.min(price.time_ms);
            let (netuid, token, price_e18) = (left.netuid, left.token, price.price_e18);
            entries.push(Entry { netuid, token, weight_bps: 0, price_e18 });
        }
    }
    Ok(Observed { time_ms, entries })
}

/// Finds the basket, and writes it where the consensus node reads it.
pub struct Baskets {
    emissions: PathBuf,
    tokens: BTreeMap<u16, Account>,
    prices: Mutex<Prices>,
    file: PathBuf,
}

impl Baskets {
    /// As configured; `None` if that says nothing of baskets.
    pub fn new(config: &Config) -> Option<Self> {
        Some(Self {
            emissions: config.emissions.clone()?,
            tokens: config.tokens(),
            prices: Mutex::new(Prices::new(config.prices.as_ref()?)),
            file: config.basket.clone()?,
        })
    }

    /// The basket of now.
    ///
    /// # Errors
    /// In words.
    pub fn at(&self, held: &[Holding], now_ms: u64) -> Result<Observed> {
        let at = || self.emissions.display().to_string();
        let text = fs::read_to_string(&self.emissions).with_context(at)?;
        let candidates = candidates(&text, now_ms / DAY_MS).with_context(at)?;
        let prices = self.prices.lock().unwrap_or_else(PoisonError::into_inner).at(now_ms)?;
        observed(&candidates, &self.tokens, held, &prices)
    }

    /// Writes the basket of now for the node, whole or not at all.
    ///
    /// # Errors
    /// In words; the file is then as it was.
    pub fn write(&self, held: &[Holding], now_ms: u64) -> Result<()> {
        let bytes = self.at(held, now_ms)?.encode();
        if fs::read(&self.file).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        replace(&self.file, &bytes).with_context(|| self.file.display().to_string())
    }
}

fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, bytes)?;
    Ok(fs::rename(new, file)?)
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

    fn price(time_ms: u64) -> Price {
        Price { time_ms, price_e18: 10 }
    }

    #[test]
    fn what_leaves_the_basket_is_priced_without_weight() {
        let emitted = |netuid: u16, each| Candidate { netuid, emission: [each; EMISSION_DAYS] };
        let tokens: BTreeMap<u16, Account> = [(1, [1; 32]), (2, [2; 32])].into();
        let prices: BTreeMap<u16, Price> = [(1, price(50)), (2, price(40)), (3, price(30))].into();
        let holding = |netuid: u8, amount| Holding {
            token: [netuid; 32],
            netuid: netuid.into(),
            weight_bps: 0,
            amount,
            price_e18: 0,
            unpriced_ms: 0,
        };
        let all = [emitted(1, 1), emitted(2, 3), emitted(3, 0)];
        let found = observed(&all, &tokens, &[holding(3, 5), holding(2, 5)], &prices).unwrap();
        let weights: Vec<_> =
            found.entries.iter().map(|entry| (entry.netuid, entry.weight_bps)).collect();
        assert_eq!(weights, [(2, 7_500), (1, 2_500), (3, 0)]);
        assert_eq!(found.time_ms, 30, "as old as the oldest price");
        let none = observed(&all, &tokens, &[holding(3, 0), holding(9, 5)], &prices).unwrap();
        assert_eq!(none.entries.len(), 2, "nothing is held of 3, and 9 has no price");
        let missing = |tokens: &_, prices: &_| {
            format!("{:#}", observed(&all, tokens, &[], prices).unwrap_err())
        };
        assert!(missing(&BTreeMap::new(), &prices).contains("no token of subnet 2"));
        assert!(missing(&tokens, &BTreeMap::new()).contains("no fresh price of subnet 2"));
    }

    #[test]
    fn the_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("basket.scale");
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

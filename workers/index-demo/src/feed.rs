//! Prices of subnet tokens that move, and the file in which validators read them.
//!
//! The process is the same for the same seed. It draws numbers with SplitMix64. Subnet *i* begins at
//! a price of 0.01 to 0.2 TAO and has on each of 14 days an emission of 1 to 100 TAO, all
//! equally likely. In each step all prices move together by up to 60 bps up or down, and each one by
//! up to 50 bps more, equally likely. With a file of recorded prices, lines of the same form as
//! those that are written, each step takes the next line of every subnet, and keeps the last price
//! when there is none any more.

use anyhow::{ensure, Context, Result};
use cicada_amounts::TAO;
use cicada_core::basket::EMISSION_DAYS;
use cicada_dice::Dice;
use cicada_files::{write_whole, PLAIN};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// One TAO at the scale of prices.
const ONE_E18: u128 = 1_000_000_000_000_000_000;
const PARTS: u128 = 1_000_000;
/// 60 bps and 50 bps in parts of a million.
const TOGETHER: u64 = 6_000;
const ALONE: u64 = 5_000;

/// A factor of 1 − `most` to 1 + `most` millionths, in millionths.
fn factor(dice: &mut Dice, most: u64) -> u128 {
    PARTS - u128::from(most) + u128::from(dice.between(0, 2 * most))
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    time_ms: u64,
    netuid: u16,
    price_e18: String,
}

/// Prices of now.
pub struct Feed {
    dice: Dice,
    prices: BTreeMap<u16, u128>,
    recorded: Option<BTreeMap<u16, VecDeque<u128>>>,
}

impl Feed {
    /// First prices. With a `recorded` file they are the first of each subnet there.
    ///
    /// # Errors
    /// If the file cannot be read, or a subnet has no price in it.
    pub fn new(seed: u64, netuids: &[u16], recorded: Option<&Path>) -> Result<Self> {
        let mut dice = Dice::new(seed);
        let mut first =
            |netuid: &u16| (*netuid, u128::from(dice.between(10, 200)) * ONE_E18 / 1_000);
        let prices = netuids.iter().map(&mut first).collect();
        let recorded = recorded.map(read).transpose()?;
        let mut feed = Self { dice, prices, recorded };
        if let Some(recorded) = &mut feed.recorded {
            for (netuid, price) in &mut feed.prices {
                let found = recorded.get_mut(netuid).and_then(VecDeque::pop_front);
                *price = found.with_context(|| format!("no recorded price of subnet {netuid}"))?;
            }
        }
        Ok(feed)
    }

    /// All prices of now.
    pub fn prices(&self) -> &BTreeMap<u16, u128> {
        &self.prices
    }

    /// Moves all prices.
    pub fn step(&mut self) {
        let together = factor(&mut self.dice, TOGETHER);
        for (netuid, price) in &mut self.prices {
            let alone = factor(&mut self.dice, ALONE);
            match &mut self.recorded {
                Some(recorded) => {
                    let next = recorded.get_mut(netuid).and_then(VecDeque::pop_front);
                    *price = next.unwrap_or(*price);
                }
                None => *price = (*price * together / PARTS * alone / PARTS).max(1),
            }
        }
    }

    /// Appends all prices as they are at `time_ms` to a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&self, path: &Path, time_ms: u64) -> Result<()> {
        let mut text = String::new();
        for (netuid, price) in &self.prices {
            let price_e18 = price.to_string();
            let line = Line { time_ms, netuid: *netuid, price_e18 };
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
        }
        let mut file = File::options().create(true).append(true).open(path)?;
        file.write_all(text.as_bytes()).with_context(|| path.display().to_string())
    }
}

/// Writes what stands in a file of prices, `factor_bps` of them, into the place of another.
///
/// # Errors
/// If that cannot be read or written.
pub fn distort(from: &Path, to: &Path, factor_bps: u128) -> Result<()> {
    let mut text = String::new();
    for line in std::fs::read_to_string(from)?.lines() {
        let mut line: Line = serde_json::from_str(line)?;
        let price: u128 = line.price_e18.parse()?;
        line.price_e18 = (price * factor_bps / 10_000).to_string();
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(write_whole(to, text.as_bytes(), PLAIN)?)
}

fn read(path: &Path) -> Result<BTreeMap<u16, VecDeque<u128>>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut recorded: BTreeMap<u16, VecDeque<u128>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let at = || format!("{}, line {number}", path.display());
        let line: Line = serde_json::from_str(line).with_context(at)?;
        let price = line.price_e18.parse().with_context(at)?;
        ensure!(price > 0, "{}: a price of 0", at());
        recorded.entry(line.netuid).or_default().push_back(price);
    }
    Ok(recorded)
}

/// What the subnets emitted on each of the 14 days before `today`, in days since 1970, drawn from
/// the seed: lines as validators read them.
pub fn emissions(seed: u64, netuids: &[u16], today: u64) -> String {
    // Other numbers than those of the prices.
    let mut dice = Dice::new(!seed);
    let days = today.saturating_sub(EMISSION_DAYS as u64)..today;
    let lines = netuids.iter().flat_map(|netuid| days.clone().map(move |day| (*netuid, day)));
    let line = |(netuid, day): (u16, u64)| {
        let emission = (u128::from(dice.between(1, 100)) * TAO).to_string();
        format!("{{\"day\":{day},\"netuid\":{netuid},\"emission\":\"{emission}\"}}\n")
    };
    lines.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETUIDS: [u16; 3] = [1, 2, 9];

    fn all(feed: &Feed) -> Vec<u128> {
        NETUIDS.iter().map(|netuid| feed.prices()[netuid]).collect()
    }

    #[test]
    fn a_seed_gives_one_walk_within_its_bounds() {
        let walk = |seed| {
            let mut feed = Feed::new(seed, &NETUIDS, None).unwrap();
            let mut steps = vec![all(&feed)];
            for _ in 0..100 {
                feed.step();
                steps.push(all(&feed));
            }
            steps
        };
        let steps = walk(71);
        assert_eq!(steps, walk(71));
        assert_ne!(steps, walk(72));
        for price in &steps[0] {
            assert!((ONE_E18 / 100..=ONE_E18 / 5).contains(price));
        }
        for pair in steps.windows(2) {
            for (before, after) in pair[0].iter().zip(&pair[1]) {
                // 60 bps and 50 bps, one after the other.
                assert!(before.abs_diff(*after) * 10_000 <= before * 111);
            }
        }
    }

    #[test]
    fn validators_and_we_read_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.jsonl");
        let mut feed = Feed::new(1, &NETUIDS, None).unwrap();
        let first = all(&feed);
        feed.append(&path, 1_000).unwrap();
        feed.step();
        let second = all(&feed);
        feed.append(&path, 400_000).unwrap();
        let other = folder.path().join("other.jsonl");
        distort(&path, &other, 10_200).unwrap();
        let theirs = nav_validator::prices::Prices::new(&other).at(400_000).unwrap();
        for (netuid, price) in NETUIDS.iter().zip(&second) {
            assert_eq!(theirs[netuid].price_e18, price * 102 / 100);
        }
        let mut again = Feed::new(5, &NETUIDS, Some(&path)).unwrap();
        assert_eq!(all(&again), first);
        again.step();
        again.step();
        assert_eq!(all(&again), second, "the last one is kept");
        assert!(Feed::new(5, &[1, 7], Some(&path)).is_err(), "none of subnet 7");
    }

    #[test]
    fn emissions_are_drawn_from_the_seed_too() {
        let drawn = emissions(71, &NETUIDS, 20_000);
        assert_eq!(drawn, emissions(71, &NETUIDS, 20_000));
        assert_ne!(drawn, emissions(72, &NETUIDS, 20_000));
        let candidates = nav_validator::baskets::candidates(&drawn, 20_000).unwrap();
        assert_eq!(candidates.len(), 3);
        assert!(candidates.iter().all(|one| one.emission.iter().all(|day| *day >= TAO)));
    }
}

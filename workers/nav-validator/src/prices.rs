//! Prices of subnet tokens from a file that another program appends to.

use anyhow::{Context, Result};
use cicada_core::nav::is_stale;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The most bytes that are read at once.
const MOST: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Line {
    time_ms: u64,
    netuid: u16,
    price_e18: String,
}

/// A price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// When it was observed, in milliseconds since 1970.
    pub time_ms: u64,
    /// In TAO, at scale 10¹⁸.
    pub price_e18: u128,
}

/// The prices of a file of JSON lines `{"time_ms", "netuid", "price_e18"}`.
pub struct Prices {
    path: PathBuf,
    read_to: u64,
    known: BTreeMap<u16, BTreeMap<u64, u128>>,
}

impl Prices {
    /// Nothing is read yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), read_to: 0, known: BTreeMap::new() }
    }

    /// The newest price of each subnet that is not later than `now_ms` and not stale. Lines that
    /// cannot be read are passed over: one bad line must not silence a validator.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn at(&mut self, now_ms: u64) -> Result<BTreeMap<u16, Price>> {
        self.read_on().with_context(|| format!("prices: {}", self.path.display()))?;
        let mut prices = BTreeMap::new();
        for (netuid, known) in &mut self.known {
            let newest = known.range(..=now_ms).next_back();
            let Some((time_ms, price_e18)) = newest.map(|(time, price)| (*time, *price)) else {
                continue;
            };
            *known = known.split_off(&time_ms);
            if !is_stale(time_ms, now_ms) {
                prices.insert(*netuid, Price { time_ms, price_e18 });
            }
        }
        Ok(prices)
    }

    /// Takes over whole lines that were appended; begins anew if the file was replaced by a shorter.
    fn read_on(&mut self) -> Result<()> {
        let mut file = File::open(&self.path)?;
        if file.metadata()?.len() < self.read_to {
            self.read_to = 0;
            self.known.clear();
        }
        file.seek(SeekFrom::Start(self.read_to))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match parse(line) {
                Ok((netuid, price)) => {
                    self.known.entry(netuid).or_default().insert(price.time_ms, price.price_e18);
                }
                Err(error) => tracing::warn!("a line of {}: {error:#}", self.path.display()),
            }
        }
        self.read_to = self.read_to.saturating_add(u64::try_from(whole)?);
        Ok(())
    }
}

fn parse(line: &[u8]) -> Result<(u16, Price)> {
    let line: Line = serde_json::from_slice(line)?;
    let price_e18 = line.price_e18.parse().context("price_e18")?;
    Ok((line.netuid, Price { time_ms: line.time_ms, price_e18 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const NOW: u64 = 1_738_425_600_000;

    fn line(time_ms: u64, netuid: u16, price: u128) -> String {
        format!("{{\"time_ms\":{time_ms},\"netuid\":{netuid},\"price_e18\":\"{price}\"}}\n")
    }

    struct Feed {
        _folder: tempfile::TempDir,
        path: PathBuf,
        prices: Prices,
    }

    fn feed(text: &str) -> Feed {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.jsonl");
        std::fs::write(&path, text).unwrap();
        Feed { _folder: folder, prices: Prices::new(&path), path }
    }

    fn append(feed: &Feed, text: &str) {
        let mut file = File::options().append(true).open(&feed.path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn now(feed: &mut Feed, now_ms: u64) -> Vec<(u16, u128)> {
        let prices = feed.prices.at(now_ms).unwrap();
        prices.into_iter().map(|(netuid, price)| (netuid, price.price_e18)).collect()
    }

    #[test]
    fn the_newest_that_is_not_later_than_now() {
        let text = [line(NOW - 9, 1, 10), line(NOW, 1, 11), line(NOW + 1, 1, 12), line(NOW, 2, 5)];
        let mut feed = feed(&text.concat());
        assert_eq!(now(&mut feed, NOW), [(1, 11), (2, 5)]);
        assert_eq!(now(&mut feed, NOW + 1), [(1, 12), (2, 5)]);
        append(&feed, &line(NOW + 2, 2, 6));
        assert_eq!(now(&mut feed, NOW + 2), [(1, 12), (2, 6)]);
    }

    #[test]
    fn older_than_300_seconds_is_none() {
        let mut feed = feed(&line(NOW, 1, 10));
        assert_eq!(now(&mut feed, NOW + 300_000), [(1, 10)]);
        assert!(now(&mut feed, NOW + 300_001).is_empty());
        assert!(now(&mut feed, NOW - 1).is_empty(), "from the future");
    }

    #[test]
    fn half_a_line_waits_and_a_bad_one_is_passed_over() {
        let (half, rest) = (line(NOW, 1, 10), line(NOW, 2, 20));
        let mut feed = feed(&half[..20]);
        assert!(now(&mut feed, NOW).is_empty());
        append(&feed, &half[20..]);
        append(&feed, &format!("nonsense\n{}", rest.replace("\"20\"", "20")));
        append(&feed, &rest);
        assert_eq!(now(&mut feed, NOW), [(1, 10), (2, 20)]);
    }

    #[test]
    fn a_file_that_became_shorter_is_read_anew_and_a_missing_one_is_an_error() {
        let mut feed = feed(&[line(NOW, 1, 10), line(NOW, 2, 20)].concat());
        assert_eq!(now(&mut feed, NOW).len(), 2);
        std::fs::write(&feed.path, line(NOW, 3, 30)).unwrap();
        assert_eq!(now(&mut feed, NOW), [(3, 30)]);
        std::fs::remove_file(&feed.path).unwrap();
        assert!(format!("{:#}", feed.prices.at(NOW).unwrap_err()).contains("prices"));
    }
}

//! Prices of subnet tokens from a file that another program appends to.

use anyhow::{Context, Result};
use cicada_core::nav::STALENESS_MS;
use cicada_core::report::MAX_TIME_AHEAD_MS;
use cicada_program::now_ms;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most bytes that are read at once.
const MOST: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Line {
    time_ms: u64,
    netuid: u16,
    price_e18: String,
}

/// For how long observed prices are kept, in milliseconds: as long as something may be asked of them.
const KEPT_MS: u64 = 3 * STALENESS_MS;

/// The price of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// When the newest that it rests on was observed, in milliseconds since 1970.
    pub time_ms: u64,
    /// In TAO, at scale 10¹⁸.
    pub price_e18: u128,
}

/// The prices of a file of JSON lines `{"time_ms", "netuid", "price_e18"}`.
pub struct Prices {
    path: PathBuf,
    file: Option<(u64, u64)>,
    read_to: u64,
    known: BTreeMap<u16, BTreeMap<u64, u128>>,
}

impl Prices {
    /// Nothing is read yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), file: None, read_to: 0, known: BTreeMap::new() }
    }

    /// The price of each subnet at a time: the lower median of what was observed in the 300 s up to
    /// it. Lines that cannot be read, or lie in the future, are passed over: one bad line must not
    /// silence a validator.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn at(&mut self, time_ms: u64) -> Result<BTreeMap<u16, Price>> {
        let latest = now_ms().saturating_add(MAX_TIME_AHEAD_MS);
        self.read_on(latest).with_context(|| format!("prices: {}", self.path.display()))?;
        let mut prices = BTreeMap::new();
        let from = time_ms.saturating_sub(STALENESS_MS);
        for (netuid, known) in &mut self.known {
            if let Some((newest, _)) = known.last_key_value() {
                *known = known.split_off(&newest.saturating_sub(KEPT_MS));
            }
            let mut found: Vec<u128> =
                known.range(from..=time_ms).map(|(_, price)| *price).collect();
            let newest = known.range(from..=time_ms).next_back();
            let Some((time_ms, _)) = newest else {
                continue;
            };
            found.sort_unstable();
            let middle = found.len().saturating_sub(1) / 2;
            if let Some(price_e18) = found.get(middle) {
                prices.insert(*netuid, Price { time_ms: *time_ms, price_e18: *price_e18 });
            }
        }
        Ok(prices)
    }

    /// Takes over whole lines that were appended, none later than `latest`; begins anew if the file is
    /// another or shorter.
    fn read_on(&mut self, latest: u64) -> Result<()> {
        let mut file = File::open(&self.path)?;
        let about = file.metadata()?;
        let this = (about.dev(), about.ino());
        if self.file != Some(this) || about.len() < self.read_to {
            self.file = Some(this);
            self.read_to = 0;
            self.known.clear();
        }
        file.seek(SeekFrom::Start(self.read_to))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match parse(line) {
                Ok((netuid, price)) if price.time_ms > latest => tracing::warn!(
                    "a line of {}: subnet {netuid} at {} ms, which is in the future",
                    self.path.display(),
                    price.time_ms
                ),
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
    fn the_median_of_the_300_seconds_up_to_a_time() {
        let text = [line(NOW - 9, 1, 10), line(NOW, 1, 14), line(NOW + 1, 1, 12), line(NOW, 2, 5)];
        let mut feed = feed(&text.concat());
        assert_eq!(now(&mut feed, NOW), [(1, 10), (2, 5)], "the lower of two");
        assert_eq!(now(&mut feed, NOW + 1), [(1, 12), (2, 5)]);
        append(&feed, &line(NOW + 2, 1, 900));
        assert_eq!(now(&mut feed, NOW + 2), [(1, 12), (2, 5)], "one that is far off moves little");
        assert_eq!(now(&mut feed, NOW), [(1, 10), (2, 5)], "what comes later changes nothing");
    }

    #[test]
    fn older_than_300_seconds_is_none() {
        let mut feed = feed(&line(NOW, 1, 10));
        assert_eq!(now(&mut feed, NOW + 300_000), [(1, 10)]);
        assert!(now(&mut feed, NOW + 300_001).is_empty());
        assert!(now(&mut feed, NOW - 1).is_empty(), "from the future");
    }

    #[test]
    fn a_file_that_was_replaced_is_read_anew_however_long_it_is() {
        let mut feed = feed(&[line(NOW, 1, 10), line(NOW, 2, 20)].concat());
        assert_eq!(now(&mut feed, NOW), [(1, 10), (2, 20)]);
        for text in [
            [line(NOW, 1, 30), line(NOW, 2, 40)].concat(),
            [line(NOW, 1, 30), line(NOW, 2, 40), line(NOW, 3, 50)].concat(),
        ] {
            let fresh = feed.path.with_extension("new");
            std::fs::write(&fresh, text).unwrap();
            std::fs::rename(&fresh, &feed.path).unwrap();
            assert_eq!(now(&mut feed, NOW)[..2], [(1, 30), (2, 40)]);
        }
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
    fn a_line_of_the_future_is_passed_over() {
        // A clock that is wrong, and microseconds in the place of milliseconds.
        let ahead = line(now_ms() + MAX_TIME_AHEAD_MS + 60_000, 1, 99);
        let text = [line(NOW, 1, 10), ahead, line(NOW * 1_000, 1, 99), line(NOW, 2, 20)];
        let mut feed = feed(&text.concat());
        assert_eq!(now(&mut feed, NOW), [(1, 10), (2, 20)]);
        append(&feed, &line(NOW + 1, 1, 10));
        assert_eq!(now(&mut feed, NOW + 1), [(1, 10), (2, 20)], "also at the next look");
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

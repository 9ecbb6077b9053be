//! What a miner earned and lost: one small file, so that limits of losses outlive a restart.

use crate::plan::Batch;
use anyhow::{ensure, Context, Result};
use cicada_amounts::Units;
use cicada_core::arbitrage::{halt, Halt, Limits, Wealth};
use cicada_files::{write_whole, PLAIN};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const DAY_MS: u64 = 86_400_000;

/// All figures that are kept. Amounts in units of TAO, if nothing else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Whose losses and gains: chain, contracts and account in one digest; empty before the first look.
    #[serde(default)]
    pub of: String,
    /// Days since 1970, of the newest valuation; in UTC.
    pub day: u64,
    /// What the miner had at the first look of that day.
    pub day_start: Units,
    /// The most that it ever had, since it was last resumed.
    pub peak: Units,
    /// What it had at the newest look.
    pub now: Units,
    /// Whether it stopped for its losses, until it is resumed.
    pub stopped: bool,
    /// Batches that were done to the end.
    pub batches: u64,
    /// Batches of which a transaction failed.
    pub failed: u64,
    /// Transactions that are final, approvals included.
    pub transactions: u64,
    /// Index tokens that were minted, in smallest units.
    pub minted: Units,
    /// Index tokens that were redeemed, in smallest units.
    pub redeemed: Units,
    /// What plans promised.
    pub promised: Units<i128>,
    /// What the account gained through batches, at the NAV before each, less gas.
    pub earned: Units<i128>,
    /// Gas at the configured rates.
    pub gas: Units,
    /// Fees of the chain, in base units of its currency.
    pub chain_fees: Units,
    /// When neutral volume was last made, in milliseconds since 1970.
    pub neutral_ms: u64,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Transactions that are final, approvals included.
    pub transactions: u64,
    /// Index tokens that were minted.
    pub minted: Units,
    /// Index tokens that were redeemed.
    pub redeemed: Units,
    /// Gas at the configured rates, in units of TAO.
    pub gas: Units,
    /// Fees of the chain, in base units of its currency.
    pub chain_fees: Units,
    /// What went wrong, if anything did.
    pub failure: Option<String>,
}

impl Ledger {
    /// Reads the file; an empty ledger if there is none.
    ///
    /// # Errors
    /// In words.
    pub fn load(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.with_context(|| path.display().to_string())?,
        };
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// As [`Ledger::load`], for one chain, one market and one account.
    ///
    /// # Errors
    /// In words, also if the ledger is of another.
    pub fn load_of(path: &Path, of: &str) -> Result<Self> {
        let ledger = Self::load(path)?;
        ensure!(
            ledger.of.is_empty() || ledger.of == of,
            "{}: it is of another account or market, or the chain was reset since: name another file",
            path.display()
        );
        Ok(Self { of: of.into(), ..ledger })
    }

    /// Writes the file: whole, or not at all.
    ///
    /// # Errors
    /// In words.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(write_whole(path, text.as_bytes(), PLAIN)?)
    }

    /// Notes what the miner has, and says whether its losses stop it. A stop for losses in all
    /// lasts until [`Ledger::resume`], a stop for those of a day until the next one.
    pub fn value(&mut self, now: u128, now_ms: u64, limits: &Limits) -> Option<Halt> {
        let day = now_ms / DAY_MS;
        if day != self.day {
            (self.day, self.day_start) = (day, Units(now));
        }
        self.peak = self.peak.max(Units(now));
        self.now = Units(now);
        let halted = halt(&self.wealth(), limits);
        self.stopped |= halted == Some(Halt::StopLoss);
        if self.stopped {
            return Some(Halt::StopLoss);
        }
        halted
    }

    fn wealth(&self) -> Wealth {
        Wealth { day_start: self.day_start.0, peak: self.peak.0, now: self.now.0 }
    }

    /// Forgets earlier losses: what the miner has at the next look counts as its highest.
    pub fn resume(&mut self) {
        (self.day, self.day_start, self.peak, self.stopped) = (0, Units(0), Units(0), false);
    }

    /// Notes a batch; `gained` before gas.
    pub fn add(&mut self, batch: &Batch, promised: i128, gained: i128, done: &Done, now_ms: u64) {
        if done.failure.is_some() {
            self.failed = self.failed.saturating_add(1);
        } else {
            self.batches = self.batches.saturating_add(1);
        }
        if matches!(batch, Batch::NeutralVolume { .. }) {
            self.neutral_ms = now_ms;
        }
        self.promised.0 = self.promised.0.saturating_add(promised);
        self.earned.0 = self.earned.0.saturating_add(gained);
        self.spend(done);
    }

    /// Notes what transactions cost.
    pub fn spend(&mut self, done: &Done) {
        let gas = i128::try_from(done.gas.0).unwrap_or(i128::MAX);
        self.earned.0 = self.earned.0.saturating_sub(gas);
        self.gas.0 = self.gas.0.saturating_add(done.gas.0);
        self.transactions = self.transactions.saturating_add(done.transactions);
        self.minted.0 = self.minted.0.saturating_add(done.minted.0);
        self.redeemed.0 = self.redeemed.0.saturating_add(done.redeemed.0);
        self.chain_fees.0 = self.chain_fees.0.saturating_add(done.chain_fees.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 20_000 * DAY_MS + DAY_MS / 2;

    #[test]
    fn losses_of_a_day_stop_until_the_next() {
        let (mut ledger, limits) = (Ledger::default(), Limits::default());
        assert_eq!(ledger.value(1_000, NOON, &limits), None);
        assert_eq!(ledger.value(951, NOON + 1, &limits), None);
        assert_eq!(ledger.value(950, NOON + 2, &limits), Some(Halt::DailyLoss));
        assert_eq!(ledger.value(950, NOON + DAY_MS / 2, &limits), None, "at midnight");
    }

    #[test]
    fn losses_in_all_stop_for_good_even_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/ledger.json");
        let limits = Limits::default();
        let mut ledger = Ledger::load(&path).unwrap();
        assert_eq!(ledger, Ledger::default());
        assert_eq!(ledger.value(1_000, NOON, &limits), None);
        assert_eq!(ledger.value(900, NOON + DAY_MS, &limits), Some(Halt::StopLoss));
        ledger.save(&path).unwrap();
        let mut again = Ledger::load(&path).unwrap();
        assert_eq!(again, ledger);
        assert_eq!(again.value(2_000, NOON + DAY_MS, &limits), Some(Halt::StopLoss));
        again.resume();
        assert_eq!(again.value(900, NOON + DAY_MS, &limits), None);
    }

    #[test]
    fn a_damaged_file_is_not_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.json");
        fs::write(&path, "{").unwrap();
        assert!(Ledger::load(&path).is_err());
    }

    #[test]
    fn figures_add_up() {
        let mut ledger = Ledger::default();
        let (minted, gas, chain_fees) = (Units(5), Units(7), Units(2));
        let done = Done { transactions: 3, minted, gas, chain_fees, ..Done::default() };
        ledger.add(&Batch::NeutralVolume { tokens: Units(5) }, -9, -1, &done, NOON);
        let failed = Done { failure: Some("refused".into()), ..Done::default() };
        ledger.add(&Batch::RedeemStock { tokens: Units(5) }, 1, 0, &failed, NOON + 1);
        assert_eq!((ledger.batches, ledger.failed, ledger.transactions), (1, 1, 3));
        assert_eq!((ledger.promised.0, ledger.earned.0, ledger.minted.0), (-8, -8, 5));
        assert_eq!(ledger.neutral_ms, NOON);
    }

    #[test]
    fn losses_on_one_chain_stop_nobody_on_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.json");
        let mut ledger = Ledger::load_of(&path, "here").unwrap();
        ledger.peak = Units(100);
        ledger.save(&path).unwrap();
        assert_eq!(Ledger::load_of(&path, "here").unwrap().peak, Units(100));
        let said = Ledger::load_of(&path, "elsewhere").unwrap_err().to_string();
        assert!(said.contains("ledger.json") && said.contains("another"), "{said}");
    }
}

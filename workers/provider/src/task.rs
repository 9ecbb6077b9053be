//! A kind of work, as the configuration has it.

use crate::job::find_program;
use anyhow::{anyhow, ensure, Context, Result};
use cicada_amounts::parse_mmc;
use cicada_chain::{account_of, parse_address, signer};
use cicada_core::escrow;
use cicada_core::market::Consent;
use cicada_core::name::Name;
use cicada_core::Account;
use cicada_payload::MAX_PLAIN;
use cicada_program::duration;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::PathBuf;

const MIB: u64 = 1024 * 1024;

/// A kind of work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Its name in the market.
    #[serde(rename = "type", deserialize_with = "name")]
    pub task_type: Name,
    /// Program and arguments; the payload comes on standard input, the result is standard output.
    pub command: Vec<String>,
    /// More variables for its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What is asked per unit, in MMC.
    #[serde(deserialize_with = "amount")]
    pub price: u128,
    /// The least effective price per unit, in MMC; a request that pays less is left alone. Nobody
    /// else bounds it: who has failed often is paid a small part of `price`.
    #[serde(deserialize_with = "amount")]
    pub min_price: u128,
    /// The units of the offer.
    pub units: u64,
    /// The most units taken of one request; by default all.
    pub max_units: Option<u64>,
    /// The bond per unit, in MMC.
    #[serde(default, deserialize_with = "amount")]
    pub bond: u128,
    /// What the provider is able to.
    #[serde(default, deserialize_with = "names")]
    pub capabilities: Vec<Name>,
    /// Whether requesters may take the offer without asking, from `min_price` on.
    #[serde(default)]
    pub firm: bool,
    /// Whom the provider accepts as arbitrators: addresses. With none, requests with arbitrators are
    /// left alone.
    #[serde(default, deserialize_with = "accounts")]
    pub arbitrators: Vec<Account>,
    /// How many of them must agree at least; with 0, requests without arbitrators are taken too.
    #[serde(default)]
    pub min_required: u8,
    /// The most that arbitrators may cost who raises a dispute, in basis points of the price.
    #[serde(default = "max_fee")]
    pub max_fee_bps: u16,
    /// The longest review that is waited for.
    #[serde(default = "day", deserialize_with = "duration")]
    pub max_review: u64,
    /// The shortest dispute: arbitrators need time.
    #[serde(default = "ten_minutes", deserialize_with = "duration")]
    pub min_dispute: u64,
    /// The longest dispute that is waited for.
    #[serde(default = "week", deserialize_with = "duration")]
    pub max_dispute: u64,
    /// The most that all penalties of a service level may take, in basis points of the price.
    #[serde(default = "max_penalty")]
    pub max_penalty_bps: u16,
    /// The least time to respond, if there is a service level: the chain needs some of it to make
    /// the assignment final and to mark the start.
    #[serde(default = "minute", deserialize_with = "duration")]
    pub min_response: u64,
    /// The least time to work, of which the chain needs some too.
    #[serde(default = "minute", deserialize_with = "duration")]
    pub min_duration: u64,
    /// Private requests whose payload may come later than this are left alone.
    #[serde(default = "quarter", deserialize_with = "duration")]
    pub max_hand_over: u64,
    /// How long the offer stands; then it is renewed.
    #[serde(default = "day", deserialize_with = "duration")]
    pub offer_for: u64,
    /// Requests with a longer duration are left alone; a job is stopped at its request's.
    #[serde(default = "hour", deserialize_with = "duration")]
    pub max_duration: u64,
    /// Processor time, in seconds.
    #[serde(default = "hour_s")]
    pub cpu_seconds: u64,
    /// Address space, in MiB.
    #[serde(default = "memory")]
    pub memory_mib: u64,
    /// Largest file that it writes, in MiB.
    #[serde(default = "files")]
    pub file_mib: u64,
    /// Open files.
    #[serde(default = "open_files")]
    pub open_files: u64,
    /// Processes of the account that jobs run as.
    #[serde(default = "processes")]
    pub processes: u64,
    /// Largest result, in MiB; at most 15.
    #[serde(default = "result_mib")]
    pub output_mib: u64,
    /// What it may write to /tmp, its working directory, and as much to /dev/shm, in MiB of memory.
    #[serde(default = "files")]
    pub temporary_mib: u64,
    /// Files and folders that it may read, beside the system's and the files that its command names.
    #[serde(default)]
    pub readable: Vec<PathBuf>,
}

fn minute() -> u64 {
    60_000
}
fn quarter() -> u64 {
    900_000
}
fn ten_minutes() -> u64 {
    600_000
}
fn week() -> u64 {
    7 * day()
}
fn max_fee() -> u16 {
    200
}
fn max_penalty() -> u16 {
    2_000
}
fn day() -> u64 {
    86_400_000
}
fn hour() -> u64 {
    3_600_000
}
fn hour_s() -> u64 {
    3_600
}
fn memory() -> u64 {
    1_024
}
fn files() -> u64 {
    256
}
fn open_files() -> u64 {
    64
}
fn processes() -> u64 {
    64
}
fn result_mib() -> u64 {
    8
}

fn amount<'de, D: Deserializer<'de>>(d: D) -> Result<u128, D::Error> {
    parse_mmc(&String::deserialize(d)?).map_err(serde::de::Error::custom)
}

fn to_name(text: String) -> Result<Name, String> {
    let bad = format!("'{text}' is no name: 1 to 32 of a-z, 0-9, '-', '_', '.'");
    Name::new(text).map_err(|_| bad)
}

fn name<'de, D: Deserializer<'de>>(d: D) -> Result<Name, D::Error> {
    to_name(String::deserialize(d)?).map_err(serde::de::Error::custom)
}

fn names<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Name>, D::Error> {
    let texts = Vec::<String>::deserialize(d)?;
    let names: Result<Vec<_>, _> = texts.into_iter().map(to_name).collect();
    let mut names = names.map_err(serde::de::Error::custom)?;
    names.sort();
    names.dedup();
    Ok(names)
}

/// Addresses, or development accounts such as `//Dave`.
fn accounts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Account>, D::Error> {
    let account = |text: &String| match text.starts_with("//") {
        true => signer(text).map(|signer| account_of(&signer)).map_err(|e| e.to_string()),
        false => parse_address(text).map_err(|_| format!("'{text}' is no address")),
    };
    let texts = Vec::<String>::deserialize(d)?;
    texts.iter().map(account).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

impl Task {
    /// What requests may ask of the provider.
    pub fn consent(&self) -> Consent {
        Consent {
            review: escrow::Range { least_ms: 0, most_ms: self.max_review },
            dispute: escrow::Range { least_ms: self.min_dispute, most_ms: self.max_dispute },
            max_penalty_bps: self.max_penalty_bps,
            min_response_ms: self.min_response,
            min_duration_ms: self.min_duration,
            // The longest job and the latest hand-over, and an hour to respond.
            max_time_ms: [self.max_duration, self.max_hand_over, hour()]
                .into_iter()
                .fold(0, u64::saturating_add),
            arbitrators: self.arbitrators.clone(),
            min_required: self.min_required,
            max_fee_bps: self.max_fee_bps,
        }
    }

    /// Bytes of memory, of a file, of a result, of temporary files.
    pub fn sizes(&self) -> [u64; 4] {
        let sizes = [self.memory_mib, self.file_mib, self.output_mib, self.temporary_mib];
        sizes.map(|mib| mib.saturating_mul(MIB))
    }

    /// Checks it, and that `max_jobs` of it can be done at once.
    pub(crate) fn check(&self, max_jobs: usize) -> Result<()> {
        let name = self.task_type.as_str();
        let program = self.command.first();
        let program = program.with_context(|| format!("task {name} has no command"))?;
        find_program(program).map_err(|reason| anyhow!("task {name}: {reason}"))?;
        let most = u64::try_from(MAX_PLAIN).unwrap_or(u64::MAX);
        ensure!(self.sizes()[2] <= most, "task {name}: output_mib is at most {}", most / MIB);
        let all_jobs = self.max_units.map(|most| most.saturating_mul(max_jobs as u64));
        ensure!(
            !self.firm || all_jobs.is_some_and(|all| self.units <= all),
            "task {name}: a firm offer is taken without asking, so its units are at most max_units times max_jobs"
        );
        ensure!(self.units > 0 && self.price > 0, "task {name} needs units and a price");
        ensure!(self.min_price > 0, "task {name}: min_price is more than 0");
        ensure!(
            self.min_duration <= self.max_duration,
            "task {name}: min_duration ({} ms; 1m if it is not said) is at most max_duration ({} ms)",
            self.min_duration,
            self.max_duration
        );
        ensure!(
            self.consent().check().is_ok(),
            "task {name}: max_penalty_bps is at most 10000, min_dispute at most max_dispute, arbitrators are at most 32"
        );
        Ok(())
    }
}

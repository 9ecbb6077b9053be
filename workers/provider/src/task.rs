//! A kind of work, as the configuration has it.

use crate::job::find_program;
use anyhow::{anyhow, ensure, Context, Result};
use cicada_amounts::Mmc;
use cicada_chain::{account_of, signer};
use cicada_core::escrow;
use cicada_core::market::Consent;
use cicada_core::name::Name;
use cicada_core::Account;
use cicada_payload::MAX_PLAIN;
use cicada_program::{ms, Millis};
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
    pub price: Mmc,
    /// The least effective price per unit, in MMC; a request that pays less is left alone. Nobody
    /// else bounds it: who has failed often is paid a small part of `price`.
    pub min_price: Mmc,
    /// The units of the offer.
    pub units: u64,
    /// The most units taken of one request; by default all.
    pub max_units: Option<u64>,
    /// The bond per unit, in MMC.
    #[serde(default)]
    pub bond: Mmc,
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
    #[serde(default = "bps::<200>")]
    pub max_fee_bps: u16,
    /// The longest review that is waited for.
    #[serde(default = "ms::<DAY>")]
    pub max_review: Millis,
    /// The shortest dispute: arbitrators need time.
    #[serde(default = "ms::<600_000>")]
    pub min_dispute: Millis,
    /// The longest dispute that is waited for.
    #[serde(default = "ms::<WEEK>")]
    pub max_dispute: Millis,
    /// The most that all penalties of a service level may take, in basis points of the price.
    #[serde(default = "bps::<2_000>")]
    pub max_penalty_bps: u16,
    /// The least time to respond, if there is a service level: the chain needs some of it to make
    /// the assignment final and to mark the start.
    #[serde(default = "ms::<MINUTE>")]
    pub min_response: Millis,
    /// The least time to work, of which the chain needs some too.
    #[serde(default = "ms::<MINUTE>")]
    pub min_duration: Millis,
    /// Private requests whose payload may come later than this are left alone.
    #[serde(default = "ms::<900_000>")]
    pub max_hand_over: Millis,
    /// How long the offer stands; then it is renewed.
    #[serde(default = "ms::<DAY>")]
    pub offer_for: Millis,
    /// Requests with a longer duration are left alone; a job is stopped at its request's.
    #[serde(default = "ms::<HOUR>")]
    pub max_duration: Millis,
    /// Processor time, in seconds.
    #[serde(default = "number::<3_600>")]
    pub cpu_seconds: u64,
    /// Address space, in MiB.
    #[serde(default = "number::<1_024>")]
    pub memory_mib: u64,
    /// Largest file that it writes, in MiB.
    #[serde(default = "number::<256>")]
    pub file_mib: u64,
    /// Open files.
    #[serde(default = "number::<64>")]
    pub open_files: u64,
    /// Processes of the account that jobs run as.
    #[serde(default = "number::<64>")]
    pub processes: u64,
    /// Largest result, in MiB; at most 15.
    #[serde(default = "number::<8>")]
    pub output_mib: u64,
    /// What it may write to /tmp, its working directory, and as much to /dev/shm, in MiB of memory.
    #[serde(default = "number::<256>")]
    pub temporary_mib: u64,
    /// Files and folders that it may read, beside the system's and the files that its command names.
    #[serde(default)]
    pub readable: Vec<PathBuf>,
}

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

// Defaults in the configuration.
fn bps<const BPS: u16>() -> u16 {
    BPS
}
fn number<const NUMBER: u64>() -> u64 {
    NUMBER
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
        false => text.parse().map_err(|error: cicada_core::BadText| error.to_string()),
    };
    let texts = Vec::<String>::deserialize(d)?;
    texts.iter().map(account).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

impl Task {
    /// What requests may ask of the provider.
    pub fn consent(&self) -> Consent {
        Consent {
            review: escrow::Range { least_ms: 0, most_ms: self.max_review.0 },
            dispute: escrow::Range { least_ms: self.min_dispute.0, most_ms: self.max_dispute.0 },
            max_penalty_bps: self.max_penalty_bps,
            min_response_ms: self.min_response.0,
            min_duration_ms: self.min_duration.0,
            // The longest job and the latest hand-over, and an hour to respond.
            max_time_ms: [self.max_duration, self.max_hand_over, Millis(HOUR)]
                .into_iter()
                .fold(0, |sum, time| time.0.saturating_add(sum)),
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
        ensure!(self.units > 0 && self.price.0 > 0, "task {name} needs units and a price");
        ensure!(self.min_price.0 > 0, "task {name}: min_price is more than 0");
        ensure!(
            self.min_duration <= self.max_duration,
            "task {name}: min_duration ({} ms; 1m if it is not said) is at most max_duration ({} ms)",
            self.min_duration.0,
            self.max_duration.0
        );
        ensure!(
            self.consent().check().is_ok(),
            "task {name}: max_penalty_bps is at most 10000, min_dispute at most max_dispute, arbitrators are at most 32"
        );
        Ok(())
    }
}

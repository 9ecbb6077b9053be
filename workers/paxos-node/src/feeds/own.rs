//! Files that this node's own validator writes for it, in SCALE, and when proposals came that are
//! held against them.

use cicada_core::hash::{Digest, Native};
use cicada_core::report::Report;
use parity_scale_codec::DecodeAll;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The most proposals of a feed whose coming is remembered.
const MOST: usize = 256;

/// When the newest proposals of a feed first reached this node: one that was right then is right
/// when a later view asks again. What was wrong otherwise than by coming too soon takes no room from the rest.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<VecDeque<(Digest, u64)>>);

impl Arrivals {
    /// When a proposal that is here at `now_ms` came, in milliseconds since 1970.
    pub(super) fn of(&self, report: &Report, now_ms: u64) -> u64 {
        let digest = report.digest::<Native>();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.iter().find(|(other, _)| *other == digest);
        known.map_or(now_ms, |(_, come_ms)| *come_ms)
    }

    /// Remembers when it came.
    pub(super) fn remember(&self, report: &Report, come_ms: u64) {
        let digest = report.digest::<Native>();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|(other, _)| *other == digest) {
            return;
        }
        if known.len() >= MOST {
            known.pop_front();
        }
        known.push_back((digest, come_ms));
    }
}

/// More bytes than any of these files has.
const LONGEST: u64 = 64 * 1024;

/// The content of a file; `None` if there is no such file.
///
/// # Errors
/// In words, if it cannot be read or holds something else.
pub(super) fn read<T: DecodeAll>(path: &Path) -> Result<Option<T>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(said(&error)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|error| said(&error))?;
    T::decode_all(&mut &bytes[..]).map(Some).map_err(|error| said(&error))
}

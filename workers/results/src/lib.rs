//! Reads evaluation results from JSON lines.
//!
//! One result per line:
//! `{"framework":"claude","shard":0,"challenge":"…","points":10,"success":true,
//! "evaluator":"…","answer_hash":"<64 hex>","time":<milliseconds since 1970>}`.
//! A line that is malformed is reported with its number and never counted; empty lines are skipped,
//! and so is a byte-order mark before the first. Of several results of a framework for one challenge
//! the earliest counts, of equally early ones the first in the file; so what was ranked at a time does
//! not change with what is appended later.

mod index;
mod lines;

pub use index::{Follower, Index, Sums};

use cicada_core::hash::Digest;
use cicada_core::quote::{Framework, InvalidFramework};
use cicada_core::results::{EvaluationResult, ResultError, Tally};
use lines::Lines;
use serde::Deserialize;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

/// The longest line that is read, in bytes. A longer one is reported and skipped.
pub const MAX_LINE: usize = 4096;
/// Times in milliseconds since 1970 are here, from 1973 to 5138; in seconds or in microseconds they
/// are not.
const TIMES_MS: Range<u64> = 100_000_000_000..100_000_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    framework: String,
    shard: u8,
    challenge: String,
    points: u32,
    success: bool,
    evaluator: String,
    answer_hash: String,
    time: u64,
}

/// Why a line is not counted.
#[derive(Debug)]
pub enum Reason {
    /// Longer than [`MAX_LINE`] or not UTF-8.
    Unreadable,
    /// It begins with a byte-order mark, as only a file may.
    ByteOrderMark,
    /// `time` is in another unit than milliseconds.
    Time(u64),
    /// Not the JSON object that a result is.
    Json(serde_json::Error),
    /// The framework's name is invalid.
    Framework(InvalidFramework),
    /// `answer_hash` is not 64 hexadecimal digits.
    AnswerHash,
    /// Well formed, but against the rules.
    Rule(ResultError),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => write!(f, "longer than {MAX_LINE} bytes or not UTF-8"),
            Self::ByteOrderMark => {
                f.write_str("a byte-order mark in the middle: files were joined; take it out")
            }
            Self::Time(time) => write!(
                f,
                "time is in milliseconds since 1970, 13 digits today: {time} is in another unit"
            ),
            Self::Json(error) => write!(f, "not a result: {error}"),
            Self::Framework(error) => error.fmt(f),
            Self::AnswerHash => f.write_str("answer_hash must be 64 hexadecimal digits"),
            Self::Rule(error) => error.fmt(f),
        }
    }
}

/// A line that was not counted.
#[derive(Debug)]
pub struct Problem {
    /// Its number; the first line is 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// What a file of results comes to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The scores.
    pub tally: Tally,
    /// How many results were counted.
    pub counted: usize,
    /// How many valid results are later than asked for.
    pub later: usize,
    /// The lines that were not counted.
    pub problems: Vec<Problem>,
}

/// Reads the results of `path` that were verified at `until_ms` or before.
///
/// Two copies of a file that grew at different speeds agree about any time that both have
/// passed, as long as lines are only appended.
///
/// # Errors
/// If the file cannot be opened or read.
pub fn read(path: &Path, until_ms: u64) -> io::Result<Outcome> {
    let file = File::open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    tally(BufReader::new(file), until_ms)
}

/// As [`read`], from any source of lines.
///
/// # Errors
/// If reading fails, or the text is in UTF-16.
pub fn tally(source: impl BufRead, until_ms: u64) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut results = Vec::new();
    let mut lines = Lines::new(source);
    while let Some((line, bytes)) = lines.next()? {
        match parse(bytes.as_deref()) {
            Ok(None) => {}
            Ok(Some(result)) if result.time_ms > until_ms => outcome.later += 1,
            Ok(Some(result)) => results.push((line, result)),
            Err(reason) => outcome.problems.push(Problem { line, reason }),
        }
    }
    results.sort_by_key(|(line, result)| (result.time_ms, *line));
    for (line, result) in results {
        match outcome.tally.add(&result) {
            Ok(()) => outcome.counted += 1,
            Err(error) => outcome.problems.push(Problem { line, reason: Reason::Rule(error) }),
        }
    }
    outcome.problems.sort_by_key(|problem| problem.line);
    Ok(outcome)
}

/// The result of a line, none if it is empty. `None` is a line that is too long.
fn parse(line: Option<&[u8]>) -> Result<Option<EvaluationResult>, Reason> {
    let line = line.ok_or(Reason::Unreadable)?;
    let text = std::str::from_utf8(line).map_err(|_| Reason::Unreadable)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    if text.starts_with('\u{feff}') {
        return Err(Reason::ByteOrderMark);
    }
    let line: Line = serde_json::from_str(text).map_err(Reason::Json)?;
    if !TIMES_MS.contains(&line.time) {
        return Err(Reason::Time(line.time));
    }
    let mut answer_hash = [0; 32];
    hex::decode_to_slice(&line.answer_hash, &mut answer_hash).map_err(|_| Reason::AnswerHash)?;
    Ok(Some(EvaluationResult {
        framework: Framework::new(line.framework).map_err(Reason::Framework)?,
        shard: line.shard,
        challenge: line.challenge,
        points: line.points,
        success: line.success,
        evaluator: line.evaluator,
        answer_hash: Digest(answer_hash),
        time_ms: line.time,
    }))
}

#[cfg(test)]
mod tests;

//! Reads evaluation results from JSON lines.
//!
//! One result per line:
//! `{"framework":"claude","shard":0,"challenge":"…","points":10,"success":true,
//! "evaluator":"…","answer_hash":"<64 hex>","time":<milliseconds since 1970>}`.
//! A line that is malformed, or that repeats a framework's challenge, is reported with its
//! number and never counted; empty lines are skipped.

use cicada_core::quote::{Framework, InvalidFramework};
use cicada_core::results::{EvaluationResult, ResultError, Tally};
use serde::Deserialize;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The longest line that is read, in bytes. A longer one is reported and skipped.
pub const MAX_LINE: usize = 4096;

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
/// If reading fails.
pub fn tally(mut source: impl BufRead, until_ms: u64) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    for line in 1.. {
        let Some(bytes) = next_line(&mut source)? else {
            break;
        };
        match parse(bytes) {
            Ok(None) => {}
            Ok(Some(result)) if result.time_ms > until_ms => outcome.later += 1,
            Ok(Some(result)) => match outcome.tally.add(&result) {
                Ok(()) => outcome.counted += 1,
                Err(error) => {
                    let reason = Reason::Rule(error);
                    outcome.problems.push(Problem { line, reason });
                }
            },
            Err(reason) => outcome.problems.push(Problem { line, reason }),
        }
    }
    Ok(outcome)
}

/// The next line without its end; `Some(None)` if it is longer than [`MAX_LINE`].
fn next_line(source: &mut impl BufRead) -> io::Result<Option<Option<Vec<u8>>>> {
    let mut line = Vec::new();
    let (mut read, mut long) = (false, false);
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(read.then_some((!long).then_some(line)));
        }
        read = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        long |= line.len() + piece.len() > MAX_LINE;
        if !long {
            line.extend_from_slice(piece);
        }
        let used = end.map_or(buffer.len(), |end| end + 1);
        source.consume(used);
        if end.is_some() {
            return Ok(Some((!long).then_some(line)));
        }
    }
}

fn parse(line: Option<Vec<u8>>) -> Result<Option<EvaluationResult>, Reason> {
    let line = line.ok_or(Reason::Unreadable)?;
    let text = std::str::from_utf8(&line).map_err(|_| Reason::Unreadable)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let line: Line = serde_json::from_str(text).map_err(Reason::Json)?;
    let mut answer_hash = [0; 32];
    hex::decode_to_slice(&line.answer_hash, &mut answer_hash).map_err(|_| Reason::AnswerHash)?;
    Ok(Some(EvaluationResult {
        framework: Framework::new(line.framework).map_err(Reason::Framework)?,
        shard: line.shard,
        challenge: line.challenge,
        points: line.points,
        success: line.success,
        evaluator: line.evaluator,
        answer_hash,
        time_ms: line.time,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(framework: &str, challenge: &str, points: u32, time: u64) -> String {
        format!(
            r#"{{"framework":"{framework}","shard":3,"challenge":"{challenge}","points":{points},"success":true,"evaluator":"e1","answer_hash":"{}","time":{time}}}"#,
            "ab".repeat(32)
        )
    }

    fn scores(outcome: &Outcome) -> Vec<(&str, u64)> {
        let scores = outcome.tally.scores();
        scores.iter().map(|(name, score)| (name.as_str(), *score)).collect()
    }

    #[test]
    fn good_lines_count_and_bad_ones_are_named() {
        let lines = [
            line("claude", "a", 10, 1),
            "not json".into(),
            line("claude", "a", 10, 2),
            String::new(),
            line("Claude", "b", 10, 2),
            line("claude", "b", 5, 2).replace("\"shard\":3", "\"shard\":71"),
            line("claude", "c", 5, 2).replace("abab", "xyxy"),
            line("claude", "d", 5, 2).replace("\"points\":5", "\"points\":-5"),
            line("claude", "e", 5, 2).replace("\"time\"", "\"when\""),
            "x".repeat(MAX_LINE + 1),
            line("openai", "a", 7, 2),
        ];
        let outcome = tally(lines.join("\n").as_bytes(), 10).unwrap();
        assert_eq!(scores(&outcome), [("claude", 10), ("openai", 7)]);
        assert_eq!(outcome.counted, 2);
        let numbers: Vec<_> = outcome.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(numbers, [2, 3, 5, 6, 7, 8, 9, 10]);
        assert!(outcome.problems[1].to_string().starts_with("line 3: duplicate"));
    }

    #[test]
    fn a_later_result_waits_for_its_time() {
        let text = [line("claude", "a", 10, 1), line("claude", "b", 10, 5)].join("\n");
        let at = |until| tally(text.as_bytes(), until).unwrap();
        assert_eq!((scores(&at(4)), at(4).later), (vec![("claude", 10)], 1));
        assert_eq!((scores(&at(5)), at(5).later), (vec![("claude", 20)], 0));
        assert!(scores(&at(0)).is_empty());
    }

    #[test]
    fn the_last_line_needs_no_newline_and_a_missing_file_is_named() {
        let text = format!("{}\n", line("claude", "a", 1, 1));
        assert_eq!(tally(text.as_bytes(), 1).unwrap().counted, 1);
        assert_eq!(tally(text.trim_end().as_bytes(), 1).unwrap().counted, 1);
        let error = read(Path::new("/no/such/file"), 1).unwrap_err();
        assert!(error.to_string().contains("/no/such/file"));
    }
}

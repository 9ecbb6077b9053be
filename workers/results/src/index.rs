//! Results in the order of their times, so that the scores of any time are at hand.

use crate::lines::{At, Lines};
use crate::parse;
use cicada_core::leaderboard::MAX_FRAMEWORKS;
use cicada_core::quote::Framework;
use cicada_core::results::{EvaluationResult, MAX_NAME_LEN, SHARDS};
use sha2::{Digest, Sha256};
use std::collections::btree_map::Entry as Place;
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Results that share one beginning sum: what a question adds up at most.
const CHUNK: usize = 2_048;
/// A file that changed less than this before it was read may change again without another time:
/// the coarsest clocks of file systems count two seconds.
const SETTLED_MS: i128 = 2_500;

/// What results come to: points of frameworks and of shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// Each framework that has a result, with the points of its successes.
    pub scores: BTreeMap<Framework, u64>,
    /// The same points by shard.
    pub shards: [u64; SHARDS as usize],
}

impl Default for Sums {
    fn default() -> Self {
        Self { scores: BTreeMap::new(), shards: [0; SHARDS as usize] }
    }
}

impl Sums {
    // A sum of 32-bit points does not leave 64 bits.
    fn add(&mut self, one: &One) {
        let score = self.scores.entry(one.framework.clone()).or_default();
        *score = score.saturating_add(one.points);
        if let Some(shard) = self.shards.get_mut(usize::from(one.shard)) {
            *shard = shard.saturating_add(one.points);
        }
    }
}

// A result that counts.
#[derive(Clone, Debug)]
struct One {
    time_ms: u64,
    line: usize,
    framework: Framework,
    shard: u8,
    points: u64,
}

#[derive(Debug)]
struct Chunk {
    before: Sums,
    results: Vec<One>,
}

/// All results of a file as it was once. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Index(Vec<Arc<Chunk>>);

impl Index {
    /// What the results up to a time come to, in milliseconds since 1970.
    pub fn at(&self, until_ms: u64) -> Sums {
        let begins_in_time = |chunk: &Arc<Chunk>| {
            chunk.results.first().is_some_and(|first| first.time_ms <= until_ms)
        };
        let at = self.0.partition_point(begins_in_time);
        let Some(chunk) = at.checked_sub(1).and_then(|at| self.0.get(at)) else {
            return Sums::default();
        };
        let mut sums = chunk.before.clone();
        chunk.results.iter().take_while(|one| one.time_ms <= until_ms).for_each(|o| sums.add(o));
        sums
    }

    // With other results from a place on.
    fn rebuilt(&self, results: &[One], from: usize) -> Self {
        let kept = from / CHUNK;
        let mut chunks: Vec<_> = self.0.iter().take(kept).cloned().collect();
        let mut before = chunks.last().map_or_else(Sums::default, |last| {
            let mut sums = last.before.clone();
            last.results.iter().for_each(|one| sums.add(one));
            sums
        });
        for results in results.get(chunks.len() * CHUNK..).unwrap_or_default().chunks(CHUNK) {
            let chunk = Chunk { before: before.clone(), results: results.to_vec() };
            results.iter().for_each(|one| before.add(one));
            chunks.push(Arc::new(chunk));
        }
        Self(chunks)
    }
}

// What tells one state of a file from another. The time is that of the last change, not that of the
// last modification, which programs may set as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    changed_ns: i128,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let seconds = i128::from(metadata.ctime()).saturating_mul(1_000_000_000);
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            changed_ns: seconds.saturating_add(i128::from(metadata.ctime_nsec())),
        }
    }

    // Whether the file is old enough that any further change gives another stamp.
    fn settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i128::try_from(now).unwrap_or(i128::MAX);
        (self.changed_ns / 1_000_000).saturating_add(SETTLED_MS) <= now
    }
}

type Key = (Framework, u8, String);
type When = (u64, usize);

/// Follows a file that grows, and notices when it is another one.
pub struct Follower {
    path: PathBuf,
    read: Read,
    // The file when it was looked at last, and whether its whole text was compared since.
    stamp: Option<Stamp>,
    sure: bool,
    index: Index,
}

impl Follower {
    /// Follows a file from its beginning, once it is looked at.
    pub fn new(path: PathBuf) -> Self {
        let (read, index) = (Read::default(), Index::default());
        Self { path, read, stamp: None, sure: false, index }
    }

    /// Looks at the file, and gives its results as they are now.
    ///
    /// What was appended is read at once. When a file lies still, its whole text is compared once with
    /// what was read, so that no change in its middle is missed.
    ///
    /// # Errors
    /// If it cannot be read, or is in UTF-16; they name it.
    pub fn look(&mut self) -> io::Result<Index> {
        match self.try_look() {
            Ok(()) => Ok(self.index.clone()),
            Err(error) => {
                *self = Self::new(std::mem::take(&mut self.path));
                Err(io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
            }
        }
    }

    fn try_look(&mut self) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        let stamp = Stamp::of(&file.metadata()?);
        let same = self.stamp == Some(stamp);
        if same && (self.sure || !stamp.settled()) {
            return Ok(());
        }
        let known = self.stamp.is_some_and(|known| known.file == stamp.file);
        let settled = stamp.settled();
        let grown = stamp.length > self.read.at.bytes;
        let goes_on = known
            && stamp.length >= self.read.at.bytes
            && ((grown && !settled) || self.read.is_beginning_of(&mut file)?);
        if !goes_on {
            self.read = Read::default();
        }
        file.seek(SeekFrom::Start(self.read.at.bytes))?;
        if !self.read.go_on(BufReader::new(&file))? {
            self.read = Read::in_order(BufReader::new(File::open(&self.path)?))?;
        }
        self.index = self.index.rebuilt(&self.read.results, self.read.changed);
        self.read.changed = self.read.results.len();
        (self.stamp, self.sure) = (Some(stamp), settled);
        Ok(())
    }
}

// What was read of a file.
#[derive(Default)]
struct Read {
    at: At,
    // Which result counts of a challenge.
    best: BTreeMap<Key, When>,
    // The first result of each framework that is ranked, and whether there was no room for more.
    first: BTreeMap<Framework, When>,
    crowded: bool,
    // Those that count, by time and line.
    results: Vec<One>,
    // The first of them that is not in the index.
    changed: usize,
}

impl Read {
    fn is_beginning_of(&self, file: &mut File) -> io::Result<bool> {
        file.rewind()?;
        let mut digest = Sha256::new();
        let read = io::copy(&mut file.take(self.at.bytes), &mut digest)?;
        Ok(read == self.at.bytes && digest.finalize() == self.at.digest.clone().finalize())
    }

    // Reads the rest; false if all must be read anew, in the order of the times.
    fn go_on(&mut self, source: impl BufRead) -> io::Result<bool> {
        let mut lines = Lines::from(source, self.at.clone());
        if self.at.open && !lines.close()? {
            return Ok(false);
        }
        self.at = lines.at().clone();
        while let Some((line, text)) = lines.next()? {
            let parsed = parse(text.as_deref()).ok().flatten();
            if lines.at().open && parsed.is_none() {
                // Half a line: the rest will come.
                break;
            }
            self.at = lines.at().clone();
            if parsed.is_some_and(|result| !self.add(line, result)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    // A whole file whose lines are not in the order of their times.
    fn in_order(source: impl BufRead) -> io::Result<Self> {
        let (mut read, mut results) = (Self::default(), Vec::new());
        let mut lines = Lines::new(source);
        while let Some((line, text)) = lines.next()? {
            let parsed = parse(text.as_deref()).ok().flatten();
            if lines.at().open && parsed.is_none() {
                break;
            }
            read.at = lines.at().clone();
            results.extend(parsed.map(|result| (line, result)));
        }
        results.sort_by_key(|(line, result)| (result.time_ms, *line));
        for (line, result) in results {
            read.add(line, result);
        }
        Ok(read)
    }

    // Counts a result under the rules of `Tally`; false if who is ranked depends on it, which came
    // too late.
    fn add(&mut self, line: usize, result: EvaluationResult) -> bool {
        let named = |name: &str| (1..=MAX_NAME_LEN).contains(&name.len());
        if result.shard >= SHARDS || !named(&result.challenge) || !named(&result.evaluator) {
            return true;
        }
        let when = (result.time_ms, line);
        let full = self.first.len() >= MAX_FRAMEWORKS;
        if full && (self.crowded || !self.first.contains_key(&result.framework)) {
            if self.first.values().any(|first| when < *first) {
                return false;
            }
            self.crowded |= !self.first.contains_key(&result.framework);
        }
        match self.first.get_mut(&result.framework) {
            Some(first) => *first = when.min(*first),
            None if full => return true,
            None => drop(self.first.insert(result.framework.clone(), when)),
        }
        let EvaluationResult { framework, shard, challenge, success, points, .. } = result;
        let place = |of: When| move |one: &One| (one.time_ms, one.line) < of;
        match self.best.entry((framework.clone(), shard, challenge)) {
            Place::Occupied(best) if *best.get() < when => return true,
            Place::Occupied(mut best) => {
                let at = self.results.partition_point(place(best.insert(when)));
                self.results.remove(at);
                self.changed = self.changed.min(at);
            }
            Place::Vacant(free) => drop(free.insert(when)),
        }
        let at = self.results.partition_point(place(when));
        let points = if success { u64::from(points) } else { 0 };
        self.results.insert(at, One { time_ms: when.0, line, framework, shard, points });
        self.changed = self.changed.min(at);
        true
    }
}

#[cfg(test)]
mod tests;

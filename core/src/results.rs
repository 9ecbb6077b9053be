//! Evaluation results and the score that follows from them.

use crate::goedel;
use crate::hash::Digest;
use crate::quote::Framework;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::fmt;

/// The number of shards of the challenge: 0 to 70.
pub const SHARDS: u8 = 71;

/// The longest name of a challenge or evaluator, in bytes.
pub const MAX_NAME_LEN: usize = 64;

/// One evaluation of one framework on one challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationResult {
    /// Who was evaluated.
    pub framework: Framework,
    /// The shard of the challenge, 0 to 70.
    pub shard: u8,
    /// The challenge, unique within its shard.
    pub challenge: String,
    /// Points that a success is worth.
    pub points: u32,
    /// Whether the answer was verified to be right.
    pub success: bool,
    /// Who verified it.
    pub evaluator: String,
    /// SHA-256 of the answer.
    pub answer_hash: Digest,
    /// When it was verified, in milliseconds since 1970.
    pub time_ms: u64,
}

/// Why a result is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultError {
    /// The shard is above 70.
    UnknownShard,
    /// The challenge or the evaluator has no name, or one that is too long.
    InvalidName,
    /// This framework's result on this challenge stands already.
    Duplicate,
    /// The score of the framework or of the shard would exceed 64 bits, or there are too many
    /// frameworks.
    TooMuch,
}

impl fmt::Display for ResultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownShard => "the shard must be 0 to 70",
            Self::InvalidName => "challenge and evaluator need names of 1 to 64 bytes",
            Self::Duplicate => "duplicate: this framework has a result on this challenge already",
            Self::TooMuch => "the score exceeds 64 bits, or there are more than 64 frameworks",
        })
    }
}

#[cfg(feature = "std")]
impl std::error::Error for ResultError {}

/// Adds up results: the sum of the points of a framework's successful results, each challenge
/// counted once, by its first result.
#[derive(Clone, Debug)]
pub struct Tally {
    scores: BTreeMap<Framework, u64>,
    shards: [u64; goedel::SHARDS],
    seen: BTreeSet<(Framework, u8, String)>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { scores: BTreeMap::new(), shards: [0; goedel::SHARDS], seen: BTreeSet::new() }
    }
}

impl Tally {
    /// Counts one result. A framework whose results all failed is listed with score 0.
    ///
    /// # Errors
    /// [`ResultError`]; the tally is then as before.
    pub fn add(&mut self, result: &EvaluationResult) -> Result<(), ResultError> {
        if result.shard >= SHARDS {
            return Err(ResultError::UnknownShard);
        }
        let named = |name: &String| (1..=MAX_NAME_LEN).contains(&name.len());
        if !named(&result.challenge) || !named(&result.evaluator) {
            return Err(ResultError::InvalidName);
        }
        let key = (result.framework.clone(), result.shard, result.challenge.clone());
        if self.seen.contains(&key) {
            return Err(ResultError::Duplicate);
        }
        let known = self.scores.get(&result.framework).copied();
        if known.is_none() && self.scores.len() >= crate::leaderboard::MAX_FRAMEWORKS {
            return Err(ResultError::TooMuch);
        }
        let points = if result.success { u64::from(result.points) } else { 0 };
        let score = known.unwrap_or(0).checked_add(points).ok_or(ResultError::TooMuch)?;
        let shard = self.shards.get_mut(usize::from(result.shard));
        let shard = shard.ok_or(ResultError::UnknownShard)?;
        *shard = shard.checked_add(points).ok_or(ResultError::TooMuch)?;
        self.scores.insert(result.framework.clone(), score);
        self.seen.insert(key);
        Ok(())
    }

    /// The scores so far.
    pub fn scores(&self) -> &BTreeMap<Framework, u64> {
        &self.scores
    }

    /// The scores of the shards so far: the points of each one's successful results, over all
    /// frameworks. They add up to the same as those of the frameworks.
    pub fn shards(&self) -> &[u64; goedel::SHARDS] {
        &self.shards
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(challenge: &str, points: u32, success: bool) -> EvaluationResult {
        EvaluationResult {
            framework: Framework::new("claude").unwrap(),
            shard: 70,
            challenge: challenge.into(),
            points,
            success,
            evaluator: "e".into(),
            answer_hash: Digest::ZERO,
            time_ms: 1,
        }
    }

    fn score(tally: &Tally) -> u64 {
        tally.scores().values().sum()
    }

    #[test]
    fn only_successes_count_and_each_challenge_once() {
        let mut tally = Tally::default();
        assert_eq!(tally.add(&result("a", 10, true)), Ok(()));
        assert_eq!(tally.add(&result("b", 20, false)), Ok(()));
        assert_eq!(tally.add(&result("a", 10, true)), Err(ResultError::Duplicate));
        assert_eq!(tally.add(&result("b", 20, true)), Err(ResultError::Duplicate));
        assert_eq!(score(&tally), 10);
    }

    #[test]
    fn a_refused_result_changes_nothing() {
        let mut tally = Tally::default();
        let bad = EvaluationResult { shard: 71, ..result("a", 1, true) };
        assert_eq!(tally.add(&bad), Err(ResultError::UnknownShard));
        let nameless = EvaluationResult { evaluator: String::new(), ..result("a", 1, true) };
        assert_eq!(tally.add(&nameless), Err(ResultError::InvalidName));
        assert_eq!(tally.add(&result(&"x".repeat(65), 1, true)), Err(ResultError::InvalidName));
        assert!(tally.scores().is_empty());
        assert_eq!(tally.add(&result("a", 1, true)), Ok(()));
    }

    #[test]
    fn a_framework_that_never_succeeds_is_listed_with_zero() {
        let mut tally = Tally::default();
        tally.add(&result("a", 10, false)).unwrap();
        assert_eq!(tally.scores().len(), 1);
        assert_eq!(score(&tally), 0);
    }

    #[test]
    fn shards_add_up_the_successes_of_all_frameworks() {
        let mut tally = Tally::default();
        let of = |name: &str, shard, challenge| {
            let framework = Framework::new(name).unwrap();
            EvaluationResult { framework, shard, ..result(challenge, u32::MAX, true) }
        };
        for name in ["claude", "openai"] {
            assert_eq!(tally.add(&of(name, 3, "a")), Ok(()));
            assert_eq!(tally.add(&of(name, 3, "b")), Ok(()));
        }
        assert_eq!(tally.add(&of("claude", 70, "a")), Ok(()));
        let failed = EvaluationResult { success: false, ..of("claude", 70, "b") };
        assert_eq!(tally.add(&failed), Ok(()));
        assert_eq!(tally.add(&of("claude", 3, "a")), Err(ResultError::Duplicate));
        let points = u64::from(u32::MAX);
        let expected = |shard| match shard {
            3 => 4 * points,
            70 => points,
            _ => 0,
        };
        for (shard, score) in tally.shards().iter().enumerate() {
            assert_eq!(*score, expected(shard), "shard {shard}");
        }
        assert_eq!(tally.shards().iter().sum::<u64>(), score(&tally));
    }

    #[test]
    fn there_is_room_for_64_frameworks() {
        let mut tally = Tally::default();
        for i in 0..65 {
            let framework = Framework::new(format!("f{i}")).unwrap();
            let added = tally.add(&EvaluationResult { framework, ..result("a", 1, true) });
            assert_eq!(added, if i < 64 { Ok(()) } else { Err(ResultError::TooMuch) });
        }
    }
}

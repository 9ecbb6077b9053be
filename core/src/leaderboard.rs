//! The ranking of the frameworks, the commitment to the scores of the shards, and their root.

use crate::feed::FeedValue;
use crate::goedel::commitment;
use crate::hash::{Digest, Hasher};
use crate::merkle;
use crate::quote::{Framework, Quote};
use crate::report::{Feed, FeedState, Report, ReportKind};
use crate::results::Tally;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use parity_scale_codec::{Decode, Encode};

/// The longest encoding of a quote: a name with its length, two `u64`, four `u128`.
const MAX_QUOTE_LEN: usize = 33 + 2 * 8 + 4 * 16;

/// The most frameworks that one leaderboard can rank.
pub const MAX_FRAMEWORKS: usize = 64;

/// One row of a leaderboard. Its rank is its position; its prices follow from the score.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Standing {
    /// Whose performance.
    pub framework: Framework,
    /// Points of its verified successful results.
    pub score: u64,
    /// Tokens traded in the 24 hours before.
    pub volume_24h: u128,
}

impl Standing {
    /// The quote of this row in a leaderboard of the given time, in milliseconds.
    pub fn quote(&self, time_ms: u64) -> Quote {
        Quote::new(self.framework.clone(), self.score, self.volume_24h, time_ms)
    }
}

/// Why rows are no leaderboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum ContentError {
    /// No rows at all.
    Empty,
    /// More rows than [`MAX_FRAMEWORKS`].
    TooManyFrameworks,
    /// Not in order of falling score, then rising name.
    NotRanked,
    /// A framework stands in two rows.
    RepeatedFramework,
}

/// Brings scores into the order of a leaderboard: score descending, then name ascending.
pub fn rank(
    scores: BTreeMap<Framework, u64>,
    volume_24h: impl Fn(&Framework) -> u128,
) -> Vec<Standing> {
    let mut standings: Vec<Standing> = scores
        .into_iter()
        .map(|(framework, score)| Standing { volume_24h: volume_24h(&framework), framework, score })
        .collect();
    // The sort is stable and the map is in order of names.
    standings.sort_by_key(|standing| Reverse(standing.score));
    standings
}

/// What one slot settles.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Board {
    /// The rows, in order of rank.
    pub standings: Vec<Standing>,
    /// The [commitment](crate::goedel::commitment) to the scores of all 71 shards.
    pub shards: Digest,
}

impl Board {
    /// What results come to, with the 24-hour volumes of their frameworks.
    pub fn of<H: Hasher>(tally: &Tally, volume_24h: impl Fn(&Framework) -> u128) -> Self {
        Self {
            standings: rank(tally.scores().clone(), volume_24h),
            shards: commitment::<H>(tally.shards()),
        }
    }
}

/// Checks that rows are a leaderboard: their number, their order, no framework twice.
///
/// # Errors
/// [`ContentError`].
pub fn check(standings: &[Standing]) -> Result<(), ContentError> {
    if standings.is_empty() {
        return Err(ContentError::Empty);
    }
    if standings.len() > MAX_FRAMEWORKS {
        return Err(ContentError::TooManyFrameworks);
    }
    let mut rest = standings;
    while let Some((row, below)) = rest.split_first() {
        if below.iter().any(|other| other.framework == row.framework) {
            return Err(ContentError::RepeatedFramework);
        }
        let ranked = below.first().is_none_or(|next| {
            (Reverse(row.score), &row.framework) < (Reverse(next.score), &next.framework)
        });
        if !ranked {
            return Err(ContentError::NotRanked);
        }
        rest = below;
    }
    Ok(())
}

/// The root of a leaderboard: one leaf, the canonical encoding of all its quotes in order of rank
/// and then the commitment to the shards.
///
/// One leaf for all, because they are settled together, and a contract pays for each hash. The
/// commitment has a fixed length and no quote is the beginning of another, so a leaf has one reading.
pub fn root<H: Hasher>(board: &Board, time_ms: u64) -> Digest {
    let quotes = board.standings.len().saturating_mul(MAX_QUOTE_LEN);
    let mut leaf = Vec::with_capacity(quotes.saturating_add(board.shards.0.len()));
    for standing in &board.standings {
        standing.quote(time_ms).encode_to(&mut leaf);
    }
    leaf.extend_from_slice(&board.shards.0);
    merkle::leaf_hash::<H>(&leaf)
}

/// The report of a leaderboard that follows `state` in its feed.
pub fn report<H: Hasher>(feed: Feed, state: &FeedState, board: &Board, time_ms: u64) -> Report {
    state.next_report(feed, time_ms, root::<H>(board, time_ms))
}

/// Whether this is the content of the report.
pub fn matches<H: Hasher>(report: &Report, board: &Board) -> bool {
    report.leaf_count == 1 && report.root == root::<H>(board, report.time_ms)
}

/// A settled leaderboard, as the chain keeps it for ever.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Record {
    /// What the committee attested.
    pub report: Report,
    /// The committee that did.
    pub epoch: u32,
    /// Bit `i` is set if seat `i` signed the certificate that settled it.
    pub signers: u32,
    /// The rows and the commitment.
    pub board: Board,
}

impl Record {
    /// The quotes of this record, in order of rank.
    pub fn quotes(&self) -> impl Iterator<Item = Quote> + '_ {
        self.board.standings.iter().map(|standing| standing.quote(self.report.time_ms))
    }
}

/// A record without its rows, for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct RecordHeader {
    /// Its slot.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// When it was observed, in milliseconds since 1970.
    pub time_ms: u64,
    /// The committee that attested it.
    pub epoch: u32,
    /// Bit `i` is set if seat `i` signed.
    pub signers: u32,
    /// The commitment to the scores of all 71 shards.
    pub shards: Digest,
}

/// What became of a certified report that was brought to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Settlement {
    /// It is now final.
    Recorded,
    /// It was final already; nothing changed.
    AlreadyDone,
    /// It is genuine and cannot be applied: its slot is taken, and nothing else changed.
    Void,
}

/// What the nodes agree on for one slot of a leaderboard: the report and its content.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The report to attest.
    pub report: Report,
    /// Its content.
    pub board: Board,
}

impl FeedValue for Proposal {
    const KIND: ReportKind = ReportKind::Leaderboard;

    fn report(&self) -> &Report {
        &self.report
    }

    fn check_content<H: Hasher>(&self, _seats: u8) -> Result<(), String> {
        check(&self.board.standings)
            .map_err(|error| format!("the decided rows are no leaderboard: {error:?}"))?;
        match matches::<H>(&self.report, &self.board) {
            true => Ok(()),
            false => {
                Err("the decided rows and commitment are not those of the decided report".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use crate::Account;
    use proptest::prelude::*;

    fn row(name: &str, score: u64) -> Standing {
        Standing { framework: Framework::new(name).unwrap(), score, volume_24h: 0 }
    }

    #[test]
    fn rows_are_ranked_by_score_then_name() {
        let scores = [("openai", 45), ("claude", 50), ("beta", 45), ("zero", 0)];
        let scores = scores.map(|(name, score)| (Framework::new(name).unwrap(), score));
        let standings = rank(scores.into_iter().collect(), |_| 7);
        let order: Vec<_> = standings.iter().map(|row| row.framework.as_str()).collect();
        assert_eq!(order, ["claude", "beta", "openai", "zero"]);
        assert!(standings.iter().all(|row| row.volume_24h == 7));
        assert_eq!(check(&standings), Ok(()));
    }

    #[test]
    fn rows_out_of_order_are_refused() {
        assert_eq!(check(&[]), Err(ContentError::Empty));
        assert_eq!(check(&[row("a", 1), row("b", 2)]), Err(ContentError::NotRanked));
        assert_eq!(check(&[row("b", 1), row("a", 1)]), Err(ContentError::NotRanked));
        assert_eq!(
            check(&[row("a", 3), row("b", 2), row("a", 1)]),
            Err(ContentError::RepeatedFramework)
        );
        let many: Vec<_> = (0..65).map(|i| row(&format!("f{i:02}"), 1)).collect();
        assert_eq!(check(&many[..64]), Ok(()));
        assert_eq!(check(&many), Err(ContentError::TooManyFrameworks));
    }

    proptest! {
        #[test]
        fn a_ranking_is_valid_and_its_root_binds_every_figure_and_the_shards(
            scores in proptest::collection::btree_map("[a-z]{1,8}", 0u64.., 1..20),
            pick: usize,
            time in 0u64..u64::MAX,
        ) {
            let scores: BTreeMap<_, _> = scores
                .into_iter()
                .map(|(name, score)| (Framework::new(name).unwrap(), score))
                .collect();
            let board = Board { standings: rank(scores, |_| 1), shards: Digest([5; 32]) };
            prop_assert_eq!(check(&board.standings), Ok(()));
            let feed = Feed { kind: ReportKind::Leaderboard, contract: Account([1; 32]) };
            let report = report::<Native>(feed, &FeedState::EMPTY, &board, time);
            prop_assert!(matches::<Native>(&report, &board));
            let place = pick % board.standings.len();
            let change = |edit: &dyn Fn(&mut Board)| {
                let mut changed = board.clone();
                edit(&mut changed);
                matches::<Native>(&report, &changed)
            };
            prop_assert!(!change(&|board| board.standings[place].score ^= 1));
            prop_assert!(!change(&|board| board.standings[place].volume_24h += 1));
            prop_assert!(!change(&|board| board.shards.0[pick % 32] ^= 1));
            prop_assert!(!change(&|board| drop(board.standings.remove(place))));
            let later = Report { time_ms: time + 1, ..report };
            prop_assert!(!matches::<Native>(&later, &board));
        }
    }
}

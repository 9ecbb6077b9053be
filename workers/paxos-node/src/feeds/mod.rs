//! The feeds that share the log. Every value begins with its report, and the report names its feed.
//!
//! | feed | value | a node agrees if |
//! |---|---|---|
//! | `leaderboard` | `leaderboard::Proposal` | its own results give the same rows and commitment, and the exchange the same volumes |
//! | `nav` | `nav::Proposal` | enough observations are genuine and of one time, its own validator's among them, and their median is near it |
//! | `basket` | `basket::agreed::Proposal` | enough observations are genuine and of one time, its own validator's among them, the entries follow from them, and each price is near its own |
//! | `rewards` | `rewards::Proposal` | its own validator has the same award, and what that signed of its ranking is in it |
//!
//! Values of the last three end with their [`Proposer`], who waits for his turn. A feed is a module
//! here that says all of itself in its `Content`, and a line in the list of all.

mod basket;
mod content;
mod leaderboard;
mod line;
mod nav;
mod observers;
mod own;
mod proposer;
mod rewards;

#[cfg(test)]
mod tests;

use crate::ranking::Results;
use crate::settled::Settled;
use crate::volumes::Seen;
use cicada_consensus::{Application, AttestationRequest, Now, Position, Refusal};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_network::{Network, PublicKeys};
pub(crate) use content::{Declared, OwnOption};
use content::{Entry, Setup};
use line::Limit;
pub use line::{Line, MAX_SKEW_MS};
use parity_scale_codec::{Decode, Encode};
pub use proposer::Proposer;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// All feeds, in the order in which people see them.
pub(crate) const ALL: &[Declared] = &[
    Declared::of::<leaderboard::Leaderboard>(),
    Declared::of::<nav::Nav>(),
    Declared::of::<basket::Basket>(),
    Declared::of::<rewards::Rewards>(),
];

/// The longest value of all feeds, in bytes. A basket of 40 tokens needs 27,608 if 32 seats observe
/// all of them, and 65 more for its proposer: each node has to see what each price rests on. One comes in 300 s at most; 64 rows
/// of a leaderboard need 3,800, NAVs of 32 seats 2,967.
pub const LONGEST_VALUE: usize = 28 * 1024;

/// Where this node's own view of things comes from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The results.
    pub results: Results,
    /// Frameworks that this node agrees to leave out of the leaderboard again.
    pub withdrawn: Vec<Framework>,
    /// Where its own validator writes, by feed.
    pub own: BTreeMap<ReportKind, PathBuf>,
    /// The exchange's volumes, as far as they were read.
    pub volumes: Seen,
    /// What the chain has of each feed, as far as it was read.
    pub settled: Settled,
}

/// All feeds of a network, as the log builds them.
pub struct Feeds {
    entries: Vec<Box<dyn Entry>>,
    // Which of them stands at a position, and with which slot.
    places: BTreeMap<Position, (usize, u64)>,
}

impl Feeds {
    /// The feeds of a network whose contracts have an address, all empty. `members` are the keys
    /// of its nodes.
    pub fn new(network: &Network, members: &Arc<PublicKeys>, sources: &Sources) -> Self {
        let made = ALL.iter().filter_map(|declared| {
            let feed = network.feed(declared.kind)?;
            (declared.make)(&Setup { feed, network, members, sources })
        });
        Self { entries: made.collect(), places: BTreeMap::new() }
    }

    /// All feeds, always in the same order.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.entries.iter().map(|entry| entry.line())
    }

    /// The feed that reports call so.
    pub fn line(&self, feed: &Feed) -> Option<&Line> {
        self.lines().find(|line| line.feed() == *feed)
    }

    /// The feed of a kind.
    pub fn of(&self, kind: ReportKind) -> Option<&Line> {
        self.lines().find(|line| line.feed().kind == kind)
    }

    /// Whose report stands at a position of the log, as a place in [`Self::lines`], and its slot.
    pub fn place(&self, position: Position) -> Option<(usize, u64)> {
        self.places.get(&position).copied()
    }

    fn examine(&self, value: &[u8], by: (Now, Limit)) -> Result<(), Refusal> {
        let examine = || {
            let report = begin(value).ok_or("it does not begin with a report")?;
            let entry = self.entries.iter().find(|entry| entry.line().feed() == report.feed);
            entry.ok_or(line::ANOTHER_FEED)?.examine(&report, value, by)
        };
        examine().map_err(Refusal)
    }
}

impl Application for Feeds {
    fn check(&self, value: &[u8], now: Now) -> Result<(), Refusal> {
        self.examine(value, (now, Limit::Vote))
    }

    fn wants(&self, value: &[u8], now: Now) -> Result<(), Refusal> {
        self.examine(value, (now, Limit::Lead))
    }

    fn certified(&mut self, position: Position) {
        let Some((at, slot)) = self.place(position) else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(at) {
            entry.line_mut().certify(slot);
        }
    }

    fn apply(&mut self, position: Position, value: &[u8]) -> Option<AttestationRequest> {
        let report = begin(value)?;
        let mut entries = self.entries.iter_mut().enumerate();
        let (at, entry) = entries.find(|(_, entry)| entry.line().feed() == report.feed)?;
        if !entry.apply(&report, value) {
            return None;
        }
        self.places.insert(position, (at, report.slot));
        Some(entry.line_mut().extend(position, report))
    }
}

/// The report that a value begins with.
pub(crate) fn begin(value: &[u8]) -> Option<Report> {
    Report::decode(&mut &value[..]).ok()
}

fn declared(kind: ReportKind) -> Option<&'static Declared> {
    ALL.iter().find(|declared| declared.kind == kind)
}

/// The report of a value without its proposer that is, as far as its form goes, one of its feed. Of kinds that are no
/// feed of the log, the report is all that is read.
pub fn report_of(value: &[u8]) -> Option<Report> {
    let report = begin(value)?;
    let is_whole = declared(report.feed.kind)
        .is_none_or(|declared| matches!((declared.open)(value), Some((_, None))));
    is_whole.then_some(report)
}

/// A value as it goes into the log, from what its proposer signed.
pub fn seal(report: &Report, content: &[u8], proposer: &Proposer) -> Vec<u8> {
    match declared(report.feed.kind) {
        Some(declared) if declared.has_turns => [content, &proposer.encode()].concat(),
        _ => content.to_vec(),
    }
}

/// What was proposed, without its proposer, and him, if the value names one.
pub fn open(value: &[u8]) -> (&[u8], Option<Proposer>) {
    let declared = begin(value).and_then(|report| declared(report.feed.kind));
    // Of what is no value of its feed, all is shown.
    declared.and_then(|declared| (declared.open)(value)).unwrap_or((value, None))
}

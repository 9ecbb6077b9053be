//! The feeds that share the log. Every value begins with its report, and the report names its feed.
//!
//! | feed | value | a node agrees if |
//! |---|---|---|
//! | `leaderboard` | `leaderboard::Proposal` | its own results give the same rows and commitment, and the exchange the same volumes |
//! | `nav` | `nav::Proposal` | enough observations are genuine and of one time, its own validator's among them, and their median is near it |
//! | `basket` | `basket::agreed::Proposal` | enough observations are genuine and of one time, its own validator's among them, the entries follow from them, and each price is near its own |
//! | `rewards` | `rewards::Proposal` | its own validator has the same award, and what that signed of its ranking is in it |
//!
//! Values of the last three end with their [`Proposer`], who waits for his turn.

mod basket;
mod line;
mod nav;
mod observers;
mod own;
mod proposer;
mod rewards;

#[cfg(test)]
mod tests;

use crate::board::Leaderboard;
use crate::ranking::Results;
use crate::settled::Settled;
use crate::volumes::Seen;
use basket::Basket;
use cicada_consensus::{Application, AttestationRequest, Now, Origin, Position, Refusal};
use cicada_core::nav::min_observations;
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_core::{basket as baskets, leaderboard as boards, nav as navs, rewards as awards};
use cicada_network::{Network, PublicKeys};
use line::Limit;
pub use line::{Line, MAX_SKEW_MS};
use nav::Nav;
use observers::Observers;
use parity_scale_codec::{Decode, DecodeAll};
use proposer::Turns;
pub use proposer::{open, seal, Proposer};
use rewards::Rewards;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The longest value of all feeds, in bytes. A basket of 40 tokens needs 27,608 if 32 seats observe
/// all of them, and 65 more for its proposer: each node has to see what each price rests on. One comes in 300 s at most; 64 rows
/// of a leaderboard need 3,800, NAVs of 32 seats 2,967.
pub const LONGEST_VALUE: usize = 28 * 1024;

/// The name of the leaderboard's feed, which is always there.
pub const LEADERBOARD: &str = "leaderboard";

/// What a feed holds under its reports.
pub(crate) trait Content: Send {
    /// Whether this node, by its own observation, finds a value right, and, if it is fresh, whether
    /// its content follows those applied. That its report does, and who proposed it, the caller has
    /// checked; the value comes without him.
    fn check(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), String>;

    /// Takes a decided value whose report comes next. Whether its content may: that depends on
    /// nothing but the values before it.
    fn apply(&mut self, value: &[u8]) -> bool;
}

/// Where this node's own view of things comes from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The results.
    pub results: Results,
    /// Frameworks that this node agrees to leave out of the leaderboard again.
    pub withdrawn: Vec<Framework>,
    /// Its validator's directory of awards.
    pub awards: Option<PathBuf>,
    /// Its validator's NAV.
    pub nav: Option<PathBuf>,
    /// Its validator's basket.
    pub basket: Option<PathBuf>,
    /// The exchange's volumes, as far as they were read.
    pub volumes: Seen,
    /// What the chain has of each feed, as far as it was read.
    pub settled: Settled,
}

struct Entry {
    line: Line,
    // Where proposers wait for their turn.
    turns: Option<Turns>,
    content: Box<dyn Content>,
}

/// All feeds of a network, as the log builds them.
pub struct Feeds {
    // Four at most.
    entries: Vec<Entry>,
    // Which of them stands at a position, and with which slot.
    places: BTreeMap<Position, (usize, u64)>,
}

impl Feeds {
    /// The feeds of a network whose contracts have an address, all empty. `members` are the keys
    /// of its nodes.
    pub fn new(network: &Network, members: Arc<PublicKeys>, sources: Sources) -> Self {
        let config_digest = network.config_digest();
        let mut feeds = Self { entries: Vec::new(), places: BTreeMap::new() };
        let mut add = |name, feed: Feed, content| {
            let settled = sources.settled.clone();
            let line = Line::new(name, feed, config_digest, network.rules, settled);
            let turns = Turns::of(feed.kind, network, &members);
            feeds.entries.push(Entry { line, turns, content });
        };
        let volumes = network.chain.exchange.map(|_| sources.volumes);
        let board = Leaderboard {
            results: sources.results,
            volumes,
            withdrawn: sources.withdrawn,
            same_ms: network.rules.same_ms,
            last: None,
        };
        add(LEADERBOARD, network.leaderboard_feed(), Box::new(board));
        let seats = u8::try_from(network.nodes.len()).unwrap_or(u8::MAX);
        if let Some(needed) = min_observations(seats) {
            let observers = |feed, file| {
                let (members, arrivals) = (members.clone(), own::Arrivals::default());
                Observers { feed, config_digest, members, seats, needed, file, arrivals }
            };
            if let Some(feed) = network.nav_feed() {
                add("nav", feed, Box::new(Nav(observers(feed, sources.nav))));
            }
            if let Some(feed) = network.basket_feed() {
                add("basket", feed, Box::new(Basket(observers(feed, sources.basket))));
            }
        }
        if let Some(feed) = network.rewards_feed() {
            let arrivals = own::Arrivals::default();
            // No number of them is needed, and what the own validator has signed is with its award.
            let (needed, file) = (0, None);
            let members = members.clone();
            let seats = Observers { feed, config_digest, members, seats, needed, file, arrivals };
            add("rewards", feed, Box::new(Rewards::new(sources.awards, seats)));
        }
        feeds
    }

    /// All feeds, always in the same order, the leaderboard first.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.entries.iter().map(|entry| &entry.line)
    }

    /// The feed that reports call so.
    pub fn line(&self, feed: &Feed) -> Option<&Line> {
        self.lines().find(|line| line.feed() == *feed)
    }

    /// The feed that people call so.
    pub fn named(&self, name: &str) -> Option<&Line> {
        self.lines().find(|line| line.name() == name)
    }

    /// Whose report stands at a position of the log, as a place in [`Self::lines`], and its slot.
    pub fn place(&self, position: Position) -> Option<(usize, u64)> {
        self.places.get(&position).copied()
    }

    fn examine(&self, value: &[u8], origin: Origin, now: Now, limit: Limit) -> Result<(), String> {
        let report = begin(value).ok_or("it does not begin with a report")?;
        let entry = self.entries.iter().find(|entry| entry.line.feed() == report.feed);
        let entry = entry.ok_or(line::ANOTHER_FEED)?;
        let (content, proposer) = open(value);
        if origin == Origin::Fresh {
            entry.line.follows(&report, now, limit)?;
            // First: what comes before its turn has not come at all, and counts as heard by nobody.
            if let Some(turns) = &entry.turns {
                turns.allow(&report, content, proposer, (now, limit))?;
            }
        }
        entry.content.check(content, origin, now)
    }
}

impl Application for Feeds {
    fn check(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), Refusal> {
        self.examine(value, origin, now, Limit::Vote).map_err(Refusal)
    }

    fn wants(&self, value: &[u8], now: Now) -> Result<(), Refusal> {
        self.examine(value, Origin::Fresh, now, Limit::Lead).map_err(Refusal)
    }

    fn certified(&mut self, position: Position) {
        let Some((at, slot)) = self.place(position) else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(at) {
            entry.line.certify(slot);
        }
    }

    fn apply(&mut self, position: Position, value: &[u8]) -> Option<AttestationRequest> {
        let report = begin(value)?;
        let mut entries = self.entries.iter_mut().enumerate();
        let (at, entry) = entries.find(|(_, entry)| entry.line.feed() == report.feed)?;
        if !entry.line.continues(&report) || !entry.content.apply(open(value).0) {
            return None;
        }
        self.places.insert(position, (at, report.slot));
        Some(entry.line.extend(position, report))
    }
}

/// The report that a value begins with.
pub(crate) fn begin(value: &[u8]) -> Option<Report> {
    Report::decode(&mut &value[..]).ok()
}

/// The report of a value without its proposer that is, as far as its form goes, one of its feed. Of kinds that are no
/// feed of the log, the report is all that is read.
pub fn report_of(value: &[u8]) -> Option<Report> {
    let report = begin(value)?;
    let whole = match report.feed.kind {
        ReportKind::Leaderboard => is::<boards::Proposal>(value),
        ReportKind::Nav => is::<navs::Proposal>(value),
        ReportKind::Basket => is::<baskets::agreed::Proposal>(value),
        ReportKind::Rewards => is::<awards::Proposal>(value),
        ReportKind::Committee | ReportKind::Capability => true,
    };
    whole.then_some(report)
}

fn is<T: DecodeAll>(value: &[u8]) -> bool {
    T::decode_all(&mut &value[..]).is_ok()
}

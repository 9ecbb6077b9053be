//! What a feed says of itself, once, and what the node runs of it.

use super::line::{Limit, Line, Pace};
use super::proposer::{Proposer, Turns};
use super::Sources;
use crate::settled::Slots;
use cicada_chain::Chain;
use cicada_consensus::Now;
use cicada_core::feed::FeedValue;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_core::Account;
use cicada_network::{Network, PublicKeys};
use parity_scale_codec::{Decode, DecodeAll};
use std::path::PathBuf;
use std::sync::Arc;

/// A feed of the log: what its values are, when they come, and which of them this node finds right.
pub(crate) trait Content: Send + Sized + 'static {
    /// What the committee agrees on.
    type Value: FeedValue;

    /// What people call a value, with its article.
    const CALLED: &'static str;
    /// When its reports come.
    const PACE: Pace = Pace::AT_ONCE;
    /// Whether its values end with their [`Proposer`], who waits for his turn: they do where he
    /// chooses something.
    const HAS_TURNS: bool = true;
    /// The option that says where this node's own validator writes what it has found.
    const OPTION: Option<OwnOption> = None;

    /// The feed, still empty; none if such a network cannot have it.
    fn new(setup: &Setup<'_>) -> Option<Self>;

    /// What the chain has of all feeds of the contract that settles this one.
    fn settled(chain: Chain, contract: Account) -> Slots;

    /// From when on a value is to be proposed. That this is right, [`Entry::examine`] sees to.
    fn due_ms(value: &Self::Value) -> u64 {
        value.report().time_ms
    }

    /// Whether a value belongs together. Of a decided one this alone says whether it counts, so it
    /// rests on nothing but the value and the network: no clock, no file.
    ///
    /// # Errors
    /// In words.
    fn form(&self, value: &Self::Value) -> Result<(), String>;

    /// Whether those signed what a value names whose form is right.
    ///
    /// # Errors
    /// In words.
    fn genuine(&self, _value: &Self::Value) -> Result<(), String> {
        Ok(())
    }

    /// Whether this node, by its own observation, finds a fresh value right that is genuine, and its
    /// content follows those applied.
    ///
    /// # Errors
    /// In words.
    fn compare(&self, value: &Self::Value, now: Now) -> Result<(), String>;

    /// Takes a decided value whose report comes next and whose form is right.
    fn apply(&mut self, _value: Self::Value) {}
}

/// An option of the program that names what the node's own validator writes for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnOption {
    /// Its name, also in the configuration file.
    pub(crate) name: &'static str,
    /// Its variable in the environment.
    pub(crate) env: &'static str,
    /// What it takes.
    pub(crate) takes: &'static str,
    /// What it is for.
    pub(crate) help: &'static str,
}

/// What a feed is made from.
pub(crate) struct Setup<'a> {
    pub(super) feed: Feed,
    pub(super) network: &'a Network,
    /// The keys of its nodes.
    pub(super) members: &'a Arc<PublicKeys>,
    pub(super) sources: &'a Sources,
}

impl Setup<'_> {
    /// What the feed's [`Content::OPTION`] names, if it is given.
    pub(super) fn own(&self) -> Option<PathBuf> {
        self.sources.own.get(&self.feed.kind).cloned()
    }

    /// How many nodes there are.
    pub(super) fn seats(&self) -> u8 {
        u8::try_from(self.network.nodes.len()).unwrap_or(u8::MAX)
    }
}

/// What was proposed, without its proposer, and him, if the value names one.
type Opened<'a> = (&'a [u8], Option<Proposer>);

/// A feed as the list of all feeds has it.
pub(crate) struct Declared {
    /// What its reports are about.
    pub(crate) kind: ReportKind,
    /// [`Content::OPTION`].
    pub(crate) option: Option<OwnOption>,
    /// [`Content::settled`].
    pub(crate) settled: fn(Chain, Account) -> Slots,
    pub(super) has_turns: bool,
    /// Makes it.
    pub(super) make: fn(&Setup<'_>) -> Option<Box<dyn Entry>>,
    /// Takes a value apart; none if it is no value of the feed.
    pub(super) open: for<'a> fn(&'a [u8]) -> Option<Opened<'a>>,
}

impl Declared {
    /// What a feed says of itself.
    pub(super) const fn of<C: Content>() -> Self {
        Self {
            kind: C::Value::KIND,
            option: C::OPTION,
            settled: C::settled,
            has_turns: C::HAS_TURNS,
            make: make::<C>,
            open: |value| read::<C>(value).map(|(_, opened)| opened),
        }
    }
}

fn make<C: Content>(setup: &Setup<'_>) -> Option<Box<dyn Entry>> {
    Some(Box::new(Running {
        line: Line::new(setup.feed, setup.network, C::PACE, setup.sources.settled.clone()),
        turns: if C::HAS_TURNS { Turns::of(setup) } else { None },
        content: C::new(setup)?,
    }))
}

// A value, and what it is made of. Without a proposer it may stand in a log, from before there were
// turns; nobody votes for it any more.
fn read<C: Content>(bytes: &[u8]) -> Option<(C::Value, Opened<'_>)> {
    let mut rest = bytes;
    let value = C::Value::decode(&mut rest).ok()?;
    let content = bytes.get(..bytes.len().checked_sub(rest.len())?)?;
    let proposer = match rest {
        [] => None,
        mut rest if C::HAS_TURNS => Some(Proposer::decode_all(&mut rest).ok()?),
        _ => return None,
    };
    Some((value, (content, proposer)))
}

/// A feed that runs, whatever its values are.
pub(super) trait Entry: Send {
    fn line(&self) -> &Line;

    fn line_mut(&mut self) -> &mut Line;

    /// Whether a value that begins with this report is right, now.
    ///
    /// # Errors
    /// In words.
    fn examine(&self, report: &Report, bytes: &[u8], by: (Now, Limit)) -> Result<(), String>;

    /// Takes a decided value that begins with this report. Whether it counts.
    fn apply(&mut self, report: &Report, bytes: &[u8]) -> bool;
}

struct Running<C> {
    line: Line,
    // Where proposers wait for their turn.
    turns: Option<Turns>,
    content: C,
}

impl<C: Content> Entry for Running<C> {
    fn line(&self) -> &Line {
        &self.line
    }

    fn line_mut(&mut self) -> &mut Line {
        &mut self.line
    }

    fn examine(&self, report: &Report, bytes: &[u8], by: (Now, Limit)) -> Result<(), String> {
        self.line.follows(report, by)?;
        let read = read::<C>(bytes);
        // First: what comes before its turn has not come at all, and counts as heard by nobody.
        if let Some(turns) = &self.turns {
            let Some((value, (content, Some(proposer)))) = &read else {
                return Err("it does not say who proposed it".into());
            };
            turns.allow((report.slot, C::due_ms(value)), content, proposer, by)?;
        }
        let (value, _) = read.ok_or_else(|| format!("not {}", C::CALLED))?;
        self.content.form(&value)?;
        self.content.genuine(&value)?;
        self.content.compare(&value, by.0)
    }

    fn apply(&mut self, report: &Report, bytes: &[u8]) -> bool {
        let next = self.line.continues(report).then(|| read::<C>(bytes)).flatten();
        match next {
            Some((value, _)) if self.content.form(&value).is_ok() => {
                self.content.apply(value);
                true
            }
            _ => false,
        }
    }
}

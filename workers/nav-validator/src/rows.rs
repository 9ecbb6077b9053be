//! What is kept on disk, row by row.

use cicada_core::activity::held::Movement;
use cicada_core::activity::{Event, Side};
use cicada_core::hash::Digest;
use cicada_core::participation::Attendance;
use cicada_core::report::Feed;
use cicada_core::rewards::{Award, Payout, Placement};
use cicada_core::scores::Score;
use cicada_core::slashing::{OffenceKind, Severity};
use cicada_core::Account;
use parity_scale_codec::{Decode, Encode};

/// The newest final block that was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
    /// Its number.
    pub block: u64,
    /// Its hash.
    pub hash: Digest,
    /// Its time, in milliseconds since 1970.
    pub time_ms: u64,
}

/// A mint or a redemption; block and index are its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Trade {
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// Who.
    pub miner: Account,
    /// Which way.
    pub side: Side,
    /// Index tokens, in their smallest units.
    pub tokens: u128,
    /// Their value at NAV, in units of TAO.
    pub value: u128,
}

impl Trade {
    /// As `core` counts it.
    pub fn event(&self, (block, index): (u64, u32)) -> Event {
        let Self { time_ms, miner, side, tokens, value } = *self;
        Event { block, index, time_ms, miner, side, tokens, value }
    }
}

/// A NAV that the chain settled; its slot is its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SettledNav {
    /// The digest of its report.
    pub digest: Digest,
    /// The committee that attested it.
    pub epoch: u32,
    /// Seats that signed the certificate.
    pub signers: u32,
    /// Seats with weight that observed.
    pub observers: u32,
    /// The time of its report, in milliseconds since 1970.
    pub time_ms: u64,
    /// The median, at scale 10¹⁸.
    pub nav_e18: u128,
}

impl SettledNav {
    /// Who took part: a seat that observed. A certificate is signed without any look at the market.
    pub fn attendance(&self) -> Attendance {
        Attendance { epoch: self.epoch, time_ms: self.time_ms, seats: self.observers }
    }
}

/// An epoch of rewards that the chain settled; its number is its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SettledAward {
    /// The digest of its ranking.
    pub ranking: Digest,
    /// Seats that had signed that ranking.
    pub ranked_by: u32,
    /// The committee that attested it.
    pub committee: u32,
    /// The time of the block in which it was settled, in milliseconds since 1970.
    pub settled_ms: u64,
}

impl SettledAward {
    /// Who took part: a seat that ranked it. It counts when it is settled: an epoch ends with a block,
    /// and what comes in later ones is not known to all.
    pub fn attendance(&self) -> Attendance {
        Attendance { epoch: self.committee, time_ms: self.settled_ms, seats: self.ranked_by }
    }
}

/// A penalty; block and index are its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Penalty {
    /// Whose.
    pub operator: Account,
    /// For what.
    pub offence: OffenceKind,
    /// The committee in which he signed.
    pub epoch: u32,
    /// The feed.
    pub feed: Feed,
    /// The slot.
    pub slot: u64,
    /// How bad it was.
    pub severity: Severity,
    /// What it cost, in units of TAO.
    pub amount: u128,
}

/// Something that happened on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A mint or a redemption.
    Traded(Trade),
    /// The NAV of a slot.
    Settled(u64, SettledNav),
    /// The award of an epoch.
    Awarded(u64, SettledAward),
    /// A penalty.
    Slashed(Penalty),
    /// A transfer of index tokens.
    Moved(Movement),
    /// A miner is registered from this time on.
    Registered(Account, u64),
    /// A miner is not registered any more from this time on.
    Unregistered(Account, u64),
}

/// A final block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Number, hash and time.
    pub at: Cursor,
    /// What happened, with its position among the events of the block.
    pub changes: Vec<(u32, Change)>,
}

/// A miner in earlier epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Past {
    /// The value that counted, in units of TAO.
    pub value: u128,
    /// In how many epochs anything counted.
    pub epochs: u32,
}

/// Events that did not count, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct IgnoredCounts {
    /// Outside the epoch, or taken twice.
    pub outside: u64,
    /// Below the least value that counts.
    pub too_small: u64,
    /// Above the most that count in a minute.
    pub too_frequent: u64,
    /// What did not stay for an epoch.
    pub not_held: u64,
}

/// An epoch of rewards that is over. What the chain made of it stands on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Epoch {
    /// What is to be certified.
    pub award: Award,
    /// The first block at or after its end: its events belong to the next epoch.
    pub closed_by: u64,
    /// The scores, in order of addresses.
    pub scores: Vec<Score>,
    /// The miners, those with a rank first.
    pub placements: Vec<Placement>,
    /// The validators' pay.
    pub validators: Vec<Payout>,
    /// Miners far above their own average.
    pub spikes: Vec<Account>,
    /// What did not count.
    pub ignored: IgnoredCounts,
    /// Gini coefficient of the miners' rewards, in bps.
    pub gini_bps: u128,
    /// The part of the ten largest of them, in bps.
    pub top_ten_bps: u128,
}

//! What the nodes of a network keep to beside their committee: how often a feed reports, who
//! proposes when, and how much of it may wait for the chain.

use cicada_core::nav::ROUND_MS;
use cicada_core::report::ReportKind;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The least time from one report of a feed to the next, in milliseconds, by the reports' times and
/// by the nodes' clocks. Below 1 it is 1: the time of each report is later than that of the last.
///
/// In files it is a table by the feeds' names; who is not named keeps its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distances([u64; ReportKind::ALL.len()]);

impl Default for Distances {
    fn default() -> Self {
        Self::made(ReportKind::distance_ms)
    }
}

impl Distances {
    /// None for any feed.
    pub const NONE: Self = Self([0; ReportKind::ALL.len()]);

    fn made(of: impl Fn(ReportKind) -> Option<u64>) -> Self {
        let mut all = Self::NONE;
        for (place, kind) in all.0.iter_mut().zip(ReportKind::ALL) {
            *place = of(*kind).unwrap_or(0);
        }
        all
    }

    /// The feeds that have one.
    fn feeds() -> impl Iterator<Item = ReportKind> {
        ReportKind::ALL.iter().copied().filter(|kind| kind.distance_ms().is_some())
    }

    /// With another one of the feed of this name, or of `all`; none if there is no such feed.
    #[must_use]
    pub fn with(self, name: &str, distance_ms: u64) -> Option<Self> {
        let named = |kind: ReportKind| name == "all" || name == kind.name();
        let is_any = Self::feeds().any(named);
        is_any.then(|| {
            Self::made(|kind| {
                kind.distance_ms()?;
                Some(if named(kind) { distance_ms } else { self.of(kind) })
            })
        })
    }

    /// That of a feed.
    pub fn of(&self, kind: ReportKind) -> u64 {
        let mut all = ReportKind::ALL.iter().zip(self.0);
        all.find(|(of, _)| **of == kind).map_or(0, |(_, distance_ms)| distance_ms)
    }

    /// The earliest time of the report after one of `previous_ms`.
    pub fn earliest(&self, kind: ReportKind, previous_ms: u64) -> u64 {
        previous_ms.saturating_add(self.of(kind).max(1))
    }
}

impl FromStr for Distances {
    type Err = String;

    /// From `leaderboard=500,basket=1000`; `all=0` names every feed. Who is not named keeps its
    /// default.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').try_fold(Self::default(), |distances, part| {
            let wrong = || format!("{part}: write FEED=MILLISECONDS, such as leaderboard=500");
            let (feed, value) = part.split_once('=').ok_or_else(wrong)?;
            let value: u64 = value.trim().parse().map_err(|_| wrong())?;
            distances.with(feed.trim(), value).ok_or_else(|| {
                let names: Vec<&str> = Self::feeds().map(ReportKind::name).collect();
                format!("{part}: {} or all", names.join(", "))
            })
        })
    }
}

impl Serialize for Distances {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(Self::feeds().map(|kind| (kind.name(), self.of(kind))))
    }
}

impl<'de> Deserialize<'de> for Distances {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let named = BTreeMap::<String, u64>::deserialize(from)?;
        named.iter().try_fold(Self::default(), |distances, (name, distance_ms)| {
            let unknown = || D::Error::custom(format!("unknown feed `{name}`"));
            let kind = ReportKind::named(name).ok_or_else(unknown)?;
            distances.with(kind.name(), *distance_ms).ok_or_else(unknown)
        })
    }
}

/// How far ahead a leader's clock may be: it proposes nothing so shortly before others take it.
const SKEW_MS: u64 = 2_000;

/// What all nodes of a network keep to; its digest is in every message between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// While more certified slots of a feed than this are not on the chain, nobody votes for
    /// another. 0: the chain is not asked, as in benchmarks, where there is none.
    pub backlog: u64,
    /// At so many a leader proposes no other.
    pub leader_backlog: u64,
    /// How long each seat waits for the one before it with a NAV, a basket or an award: nobody votes
    /// for one before the turn of who proposed it. 0: everybody may at once.
    pub turn_delay_ms: u64,
    /// How long the first seat needs until it can propose: until a block after the time of a NAV is
    /// final, and an award is computed. The others wait for so much longer.
    pub due_after_ms: u64,
    /// How long after the last a leaderboard comes that says the same. 0: as any other.
    pub same_ms: u64,
    /// Between two reports.
    pub distance_ms: Distances,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            backlog: 8,
            leader_backlog: 4,
            turn_delay_ms: 5_000,
            due_after_ms: 30_000,
            same_ms: 240_000,
            distance_ms: Distances::default(),
        }
    }
}

impl Rules {
    /// Those of a network without a chain: as fast as it goes. For tests and benchmarks.
    pub const UNASKED: Self = Self {
        backlog: 0,
        leader_backlog: 0,
        turn_delay_ms: 0,
        due_after_ms: 0,
        same_ms: 0,
        distance_ms: Distances::NONE,
    };

    /// From when on nodes vote for what a seat, of so many, proposes for a slot that is due at
    /// `due_ms`. The first may at once; the others wait until it can have done so, and each for
    /// the one before it.
    pub fn turn_ms(&self, due_ms: u64, slot: u64, seat: u8, seats: u8) -> u64 {
        match (turn(seat, slot, seats), self.turn_delay_ms) {
            (0, _) | (_, 0) => due_ms,
            (turns, delay_ms) => due_ms
                .saturating_add(self.due_after_ms)
                .saturating_add(delay_ms.saturating_mul(turns)),
        }
    }

    /// From when on such a seat proposes, and a leader takes it up: a little later, since more
    /// refusals than there may be liars cost a view.
    pub fn lead_ms(&self, due_ms: u64, slot: u64, seat: u8, seats: u8) -> u64 {
        let from_ms = self.turn_ms(due_ms, slot, seat, seats);
        from_ms.saturating_add(SKEW_MS.min(from_ms.saturating_sub(due_ms)))
    }

    /// Checks them for a network of so many seats.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, seats: usize) -> Result<(), &'static str> {
        let asked = self.backlog > 0;
        if asked && !(1..=self.backlog).contains(&self.leader_backlog) {
            return Err("[rules] leader_backlog is not from 1 to backlog");
        }
        // A slot that is not decided is due anew with each round.
        let last = u8::try_from(seats.saturating_sub(1)).unwrap_or(u8::MAX);
        match self.lead_ms(0, 0, last, last.saturating_add(1)) < ROUND_MS {
            true => Ok(()),
            false => Err("[rules] turn_delay_ms: not every seat has its turn within 300 s"),
        }
    }

    /// In one order, with one length.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { backlog, leader_backlog, turn_delay_ms, due_after_ms, same_ms, distance_ms } =
            *self;
        let own = [backlog, leader_backlog, turn_delay_ms, due_after_ms, same_ms];
        let all = own.into_iter().chain(Distances::feeds().map(|kind| distance_ms.of(kind)));
        all.flat_map(u64::to_le_bytes).collect()
    }
}

/// How many seats go before this one for a slot: seat `slot mod seats` is the first.
pub fn turn(seat: u8, slot: u64, seats: u8) -> u64 {
    let seats = u64::from(seats.max(1));
    u64::from(seat).saturating_add(seats).saturating_sub(slot % seats) % seats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_read_from_a_list() {
        let default = Distances::default();
        assert_eq!("all=0".parse(), Ok(Distances::NONE));
        let read = |text: &str| text.parse::<Distances>().unwrap();
        assert_eq!(Some(read("nav=7")), default.with("nav", 7));
        assert_eq!(read("nav=7").of(ReportKind::Nav), 7);
        assert_eq!(read("nav=7").of(ReportKind::Basket), 300_000);
        let two = read("all=5, basket=300");
        let kinds = [ReportKind::Leaderboard, ReportKind::Nav, ReportKind::Basket];
        assert_eq!(kinds.map(|kind| two.of(kind)), [5, 5, 300]);
        assert_eq!(two.of(ReportKind::Rewards), 5);
        assert_eq!(two.of(ReportKind::Committee), 0);
        for wrong in ["", "nav", "nav=soon", "price=1", "nav=1,,", "committee=1"] {
            assert!(wrong.parse::<Distances>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn distances_are_a_table_in_files() {
        let read = |text: &str| toml::from_str::<Distances>(text);
        let text = toml::to_string(&Distances::default()).unwrap();
        let before = "leaderboard = 10000\nnav = 10000\nbasket = 300000\nrewards = 60000\n";
        assert!(text.starts_with(before), "{text}");
        assert_eq!(read(&text), Ok(Distances::default()));
        assert_eq!(read(""), Ok(Distances::default()));
        assert_eq!(read("nav = 7").ok(), Distances::default().with("nav", 7));
        for wrong in ["price = 1", "all = 0", "committee = 1", "nav = -1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_report_is_later_even_without_a_distance() {
        assert_eq!(Distances::NONE.earliest(ReportKind::Basket, 7), 8);
        assert_eq!(Distances::default().earliest(ReportKind::Basket, 7), 300_007);
    }

    #[test]
    fn a_leader_stops_before_the_others_refuse() {
        let rules = |backlog, leader_backlog| Rules { backlog, leader_backlog, ..Rules::default() };
        assert_eq!(Rules::default().check(32), Ok(()));
        assert_eq!(Rules::UNASKED.check(32), Ok(()));
        assert_eq!(rules(4, 4).check(23), Ok(()));
        assert!(rules(4, 5).check(23).is_err() && rules(4, 0).check(23).is_err());
    }

    #[test]
    fn each_seat_has_its_turn_once() {
        for slot in 0..50 {
            let mut turns: Vec<u64> = (0..23).map(|seat| turn(seat, slot, 23)).collect();
            assert_eq!(turn((slot % 23) as u8, slot, 23), 0, "slot mod seats goes first");
            turns.sort_unstable();
            assert_eq!(turns, (0..23).collect::<Vec<u64>>());
        }
        let rules = Rules::default();
        assert_eq!(rules.turn_ms(1_000, 5, 5, 23), 1_000);
        assert_eq!(rules.turn_ms(1_000, 5, 7, 23), 41_000);
        assert_eq!(rules.turn_ms(1_000, 5, 4, 23), 141_000);
        assert_eq!(rules.lead_ms(1_000, 5, 5, 23), 1_000, "nobody can before the first");
        assert_eq!(rules.lead_ms(1_000, 5, 7, 23), 43_000);
        for rules in [Rules::UNASKED, Rules { turn_delay_ms: 0, ..rules }] {
            assert_eq!(rules.turn_ms(1_000, 5, 4, 23), 1_000);
            assert_eq!(rules.lead_ms(1_000, 5, 4, 23), 1_000);
        }
    }

    #[test]
    fn each_figure_is_bound() {
        let default = Rules::default();
        let distance_ms = |feed: &str| format!("{feed}=1").parse().unwrap();
        let other = |distance_ms| Rules { distance_ms, ..default };
        let all = [
            Rules { backlog: 9, ..default },
            Rules { leader_backlog: 3, ..default },
            Rules { turn_delay_ms: 4_999, ..default },
            Rules { due_after_ms: 29_999, ..default },
            Rules { same_ms: 239_999, ..default },
        ];
        let distances: Vec<_> =
            Distances::feeds().map(|kind| other(distance_ms(kind.name()))).collect();
        let mut bytes: Vec<_> = all.iter().chain(&distances).map(Rules::bytes).collect();
        bytes.extend([default.bytes(), Rules { turn_delay_ms: 29_999, ..default }.bytes()]);
        let count = bytes.len();
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!((bytes.len(), bytes[0].len()), (count, (5 + distances.len()) * 8));
        // Nodes of a network hear each other only if these stay.
        let figures: [u64; 9] = [8, 4, 5_000, 30_000, 240_000, 10_000, 10_000, 300_000, 60_000];
        let figures: Vec<u8> = figures.into_iter().flat_map(u64::to_le_bytes).collect();
        assert!(default.bytes().starts_with(&figures));
    }

    #[test]
    fn all_turns_fit_in_a_round() {
        let rules = |turn_delay_ms| Rules { turn_delay_ms, ..Rules::default() };
        assert_eq!(rules(12_181).check(23), Ok(()));
        assert!(rules(12_182).check(23).is_err());
        assert_eq!(rules(u64::MAX).check(1), Ok(()), "who is alone waits for nobody");
    }
}

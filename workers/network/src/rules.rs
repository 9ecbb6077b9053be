//! What the nodes of a network keep to beside their committee: how often a feed reports, and how
//! much of it may wait for the chain.

use cicada_core::report::ReportKind;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The least time from one report of a feed to the next, in milliseconds, by the reports' times and
/// by the nodes' clocks. Below 1 it is 1: the time of each report is later than that of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are the feeds")]
pub struct Distances {
    pub leaderboard: u64,
    pub nav: u64,
    pub basket: u64,
    pub rewards: u64,
}

impl Default for Distances {
    fn default() -> Self {
        Self { leaderboard: 10_000, nav: 10_000, basket: 300_000, rewards: 60_000 }
    }
}

impl Distances {
    /// None for any feed.
    pub const NONE: Self = Self { leaderboard: 0, nav: 0, basket: 0, rewards: 0 };

    /// That of a feed.
    pub fn of(&self, kind: ReportKind) -> u64 {
        match kind {
            ReportKind::Leaderboard => self.leaderboard,
            ReportKind::Nav => self.nav,
            ReportKind::Basket => self.basket,
            ReportKind::Rewards => self.rewards,
            ReportKind::Committee | ReportKind::Capability => 0,
        }
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
        let mut distances = Self::default();
        for part in text.split(',') {
            let wrong = || format!("{part}: write FEED=MILLISECONDS, such as leaderboard=500");
            let (feed, value) = part.split_once('=').ok_or_else(wrong)?;
            let value: u64 = value.trim().parse().map_err(|_| wrong())?;
            match feed.trim() {
                "all" => {
                    distances =
                        Self { leaderboard: value, nav: value, basket: value, rewards: value }
                }
                "leaderboard" => distances.leaderboard = value,
                "nav" => distances.nav = value,
                "basket" => distances.basket = value,
                "rewards" => distances.rewards = value,
                _ => return Err(format!("{part}: leaderboard, nav, basket, rewards or all")),
            }
        }
        Ok(distances)
    }
}

/// What all nodes of a network keep to; its digest is in every message between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// While more certified slots of a feed than this are not on the chain, nobody votes for
    /// another. 0: the chain is not asked, as in benchmarks, where there is none.
    pub backlog: u64,
    /// At so many a leader proposes no other.
    pub leader_backlog: u64,
    /// Between two reports.
    pub distance_ms: Distances,
}

impl Default for Rules {
    fn default() -> Self {
        Self { backlog: 8, leader_backlog: 4, distance_ms: Distances::default() }
    }
}

impl Rules {
    /// Those of a network without a chain: as fast as it goes. For tests and benchmarks.
    pub const UNASKED: Self = Self { backlog: 0, leader_backlog: 0, distance_ms: Distances::NONE };

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let asked = self.backlog > 0;
        match (asked, (1..=self.backlog).contains(&self.leader_backlog)) {
            (true, false) => Err("[rules] leader_backlog is not from 1 to backlog"),
            _ => Ok(()),
        }
    }

    /// In one order, with one length.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Distances { leaderboard, nav, basket, rewards } = self.distance_ms;
        let all = [self.backlog, self.leader_backlog, leaderboard, nav, basket, rewards];
        all.iter().flat_map(|number| number.to_le_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_read_from_a_list() {
        let default = Distances::default();
        assert_eq!("all=0".parse(), Ok(Distances::NONE));
        assert_eq!("nav=7".parse(), Ok(Distances { nav: 7, ..default }));
        let two = "all=5, basket=300".parse();
        assert_eq!(two, Ok(Distances { leaderboard: 5, nav: 5, basket: 300, rewards: 5 }));
        for wrong in ["", "nav", "nav=soon", "price=1", "nav=1,,"] {
            assert!(wrong.parse::<Distances>().is_err(), "{wrong}");
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
        assert_eq!(Rules::default().check(), Ok(()));
        assert_eq!(Rules::UNASKED.check(), Ok(()));
        assert_eq!(rules(4, 4).check(), Ok(()));
        assert!(rules(4, 5).check().is_err() && rules(4, 0).check().is_err());
    }
}

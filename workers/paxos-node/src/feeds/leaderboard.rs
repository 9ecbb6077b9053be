//! The leaderboard: a node agrees to what it can recompute from its own results, and to volumes
//! that it has read itself at the final block of the leaderboard's time.

use super::content::{Content, Setup};
use super::line::Pace;
use crate::ranking::Results;
use crate::settled::{newest, Slots};
use crate::volumes::Seen;
use cicada_chain::Chain;
use cicada_consensus::Now;
use cicada_contracts::leaderboard;
use cicada_core::feed::FeedValue;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{check, matches, Board, Proposal, Standing};
use cicada_core::quote::Framework;
use cicada_core::Account;
use cicada_network::ContractName;

/// The feed's content.
pub(super) struct Leaderboard {
    results: Results,
    // What the exchange says, if there is one.
    volumes: Option<Seen>,
    // Frameworks that this node agrees to leave out again.
    withdrawn: Vec<Framework>,
    // How long after the last one comes that says the same.
    same_ms: u64,
    last: Option<Proposal>,
}

impl Leaderboard {
    fn recompute(&self, proposal: &Proposal) -> Result<(), String> {
        let mine = self.results.at(proposal.report.time_ms);
        let mine = mine.map_err(|error| format!("cannot read my results {error}"))?;
        let row = |board: &Board, at: usize| match board.standings.get(at) {
            Some(row) => format!("{} with {} points", row.framework.as_str(), row.score),
            None => "nothing".to_owned(),
        };
        let same = |at: &usize| {
            let figures = |row: &Standing| (row.framework.clone(), row.score);
            let of = |board: &Board| board.standings.get(*at).map(figures);
            of(&mine) == of(&proposal.board)
        };
        let rows = mine.standings.len().max(proposal.board.standings.len());
        if let Some(at) = (0..rows).find(|at| !same(at)) {
            return Err(format!(
                "rank {}: proposed is {}, my own results give {}",
                at.saturating_add(1),
                row(&proposal.board, at),
                row(&mine, at)
            ));
        }
        match mine.shards == proposal.board.shards {
            true => Ok(()),
            false => {
                Err("the commitment to the shards is not the one that my own results give".into())
            }
        }
    }

    // Whether the volumes are those at the final block of the proposal's time.
    fn compare_volumes(&self, proposal: &Proposal) -> Result<(), String> {
        let volumes = match &self.volumes {
            Some(seen) => Some(seen.at(proposal.report.time_ms)?),
            None => None,
        };
        for row in &proposal.board.standings {
            let name = row.framework.as_str();
            let Some(volumes) = &volumes else {
                if row.volume_24h == 0 {
                    continue;
                }
                return Err(format!("{name} has a 24-hour volume, but there is no exchange"));
            };
            let mine = volumes.get(&row.framework).copied().unwrap_or(0);
            if row.volume_24h != mine {
                return Err(format!(
                    "{name}: proposed is a 24-hour volume of {}, the exchange says {mine}",
                    row.volume_24h
                ));
            }
        }
        Ok(())
    }

    // Whether nobody is left out who was ranked before, and nothing is said again soon.
    fn follows(&self, proposal: &Proposal, now: Now) -> Result<(), String> {
        let (Some(last), board) = (&self.last, &proposal.board) else {
            return Ok(());
        };
        let after_ms = |time_ms: u64| time_ms.saturating_sub(last.report.time_ms);
        let after_ms = after_ms(proposal.report.time_ms.min(now.wall_ms));
        if last.board == *board && after_ms < self.same_ms {
            let (slot, least_ms) = (last.report.slot, self.same_ms);
            return Err(format!(
                "it says the same as slot {slot}, {after_ms} ms after it; that takes {least_ms} ms"
            ));
        }
        let ranked = |name: &Framework| board.standings.iter().any(|row| row.framework == *name);
        let missing = |name: &&Framework| !ranked(name) && !self.withdrawn.contains(name);
        match last.board.standings.iter().map(|row| &row.framework).find(missing) {
            Some(gone) => Err(format!(
                "{} is missing: it was ranked before, and this node was not told to --withdraw it",
                gone.as_str()
            )),
            None => Ok(()),
        }
    }
}

impl Content for Leaderboard {
    type Value = Proposal;

    const CALLED: &'static str = "a leaderboard";
    const PACE: Pace = Pace { one_by_one: false, ..Pace::AT_ONCE };
    // Nothing in it is its proposer's choice but the time.
    const HAS_TURNS: bool = false;

    fn new(Setup { network, sources, .. }: &Setup<'_>) -> Option<Self> {
        Some(Self {
            results: sources.results.clone(),
            volumes: network.contracts.get(ContractName::Exchange).map(|_| sources.volumes.clone()),
            withdrawn: sources.withdrawn.clone(),
            same_ms: network.rules.same_ms,
            last: None,
        })
    }

    fn settled(chain: Chain, contract: Account) -> Slots {
        newest(chain, contract, Proposal::KIND, leaderboard::latest())
    }

    fn form(&self, Proposal { report, board }: &Proposal) -> Result<(), String> {
        check(&board.standings).map_err(|error| format!("not a leaderboard: {error:?}"))?;
        match matches::<Native>(report, board) {
            true => Ok(()),
            false => Err("the report's root is not that of its rows and its commitment".into()),
        }
    }

    fn compare(&self, proposal: &Proposal, now: Now) -> Result<(), String> {
        self.follows(proposal, now)?;
        self.recompute(proposal)?;
        self.compare_volumes(proposal)
    }

    fn apply(&mut self, proposal: Proposal) {
        self.last = Some(proposal);
    }
}

//! The leaderboard: a node agrees to what it can recompute from its own results, and to volumes
//! that it has read itself at the final block of the leaderboard's time.

use crate::feeds::Content;
use crate::ranking::Results;
use crate::volumes::Seen;
use cicada_consensus::{Now, Origin};
use cicada_core::hash::Native;
use cicada_core::leaderboard::{check, matches, Board, Proposal, Standing};
use cicada_core::quote::Framework;
use parity_scale_codec::DecodeAll;

/// The content of the leaderboard's feed.
pub(crate) struct Leaderboard {
    /// The own results.
    pub(crate) results: Results,
    /// What the exchange says, if there is one.
    pub(crate) volumes: Option<Seen>,
    /// Frameworks that this node agrees to leave out again.
    pub(crate) withdrawn: Vec<Framework>,
    /// How long after the last one comes that says the same.
    pub(crate) same_ms: u64,
    /// The newest.
    pub(crate) last: Option<Proposal>,
}

impl Leaderboard {
    // A value whose form is right.
    fn read(value: &[u8]) -> Result<Proposal, String> {
        let proposal =
            Proposal::decode_all(&mut &value[..]).map_err(|_| "not a leaderboard".to_owned())?;
        let Proposal { report, board } = &proposal;
        check(&board.standings).map_err(|error| format!("not a leaderboard: {error:?}"))?;
        match matches::<Native>(report, board) {
            true => Ok(proposal),
            false => Err("the report's root is not that of its rows and its commitment".into()),
        }
    }

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
    // An adopted value, which only crash mode knows, was found valid by who proposed it first and
    // does not lie in that mode. The state at its block may be gone: to ask for it could block the
    // log.
    fn check(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), String> {
        let proposal = Self::read(value)?;
        if origin == Origin::Fresh {
            self.follows(&proposal, now)?;
        }
        self.recompute(&proposal)?;
        match (origin, &self.volumes) {
            (Origin::Adopted, Some(_)) => Ok(()),
            _ => self.compare_volumes(&proposal),
        }
    }

    fn apply(&mut self, value: &[u8]) -> bool {
        let Ok(proposal) = Self::read(value) else {
            return false;
        };
        self.last = Some(proposal);
        true
    }
}

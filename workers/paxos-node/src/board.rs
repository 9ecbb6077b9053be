//! The leaderboard: a node agrees to what it can recompute from its own results.

use crate::feeds::Content;
use crate::ranking::Ranking;
use cicada_consensus::{Now, Origin};
use cicada_core::hash::Native;
use cicada_core::leaderboard::{check, matches, Proposal, Standing};
use cicada_core::quote::Framework;
use parity_scale_codec::DecodeAll;
use std::path::PathBuf;

/// The content of the leaderboard's feed.
pub(crate) struct Board {
    results: Ranking,
    // Those of the newest leaderboard.
    frameworks: Vec<Framework>,
}

impl Board {
    /// Before the first leaderboard; `results` is read anew whenever the file has changed.
    pub(crate) fn new(results: PathBuf) -> Self {
        Self { results: Ranking::new(results), frameworks: Vec::new() }
    }

    // A value whose form is right.
    fn read(value: &[u8]) -> Result<Proposal, String> {
        let proposal =
            Proposal::decode_all(&mut &value[..]).map_err(|_| "not a leaderboard".to_owned())?;
        check(&proposal.standings).map_err(|error| format!("not a leaderboard: {error:?}"))?;
        match matches::<Native>(&proposal.report, &proposal.standings) {
            true => Ok(proposal),
            false => Err("the report's root is not that of its rows".into()),
        }
    }

    fn recompute(&self, proposal: &Proposal, now: Now) -> Result<(), String> {
        let mine = self
            .results
            .at(proposal.report.time_ms, now.wall_ms)
            .map_err(|error| format!("cannot read my results {error}"))?;
        let row = |rows: &[Standing], at: usize| match rows.get(at) {
            Some(row) => format!("{} with {} points", row.framework.as_str(), row.score),
            None => "nothing".to_owned(),
        };
        let rows = mine.len().max(proposal.standings.len());
        match (0..rows).find(|at| mine.get(*at) != proposal.standings.get(*at)) {
            None => Ok(()),
            Some(at) => Err(format!(
                "rank {}: proposed is {}, my own results give {}",
                at.saturating_add(1),
                row(&proposal.standings, at),
                row(&mine, at)
            )),
        }
    }

    // Whether nobody is left out who was ranked before.
    fn follows(&self, proposal: &Proposal) -> Result<(), String> {
        let ranked = |name: &Framework| proposal.standings.iter().any(|r| r.framework == *name);
        match self.frameworks.iter().find(|name| !ranked(name)) {
            Some(gone) => Err(format!("{} is missing: it was ranked before", gone.as_str())),
            None => Ok(()),
        }
    }
}

impl Content for Board {
    fn check(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), String> {
        let proposal = Self::read(value)?;
        if origin == Origin::Fresh {
            self.follows(&proposal)?;
        }
        if proposal.standings.iter().any(|row| row.volume_24h != 0) {
            return Err("a 24-hour volume, but there is no exchange yet".into());
        }
        self.recompute(&proposal, now)
    }

    fn apply(&mut self, value: &[u8]) -> bool {
        let Ok(proposal) = Self::read(value) else {
            return false;
        };
        self.frameworks = proposal.standings.into_iter().map(|row| row.framework).collect();
        true
    }
}

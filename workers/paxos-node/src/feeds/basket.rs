//! The index's target weights and prices: a node agrees to what its own validator has found, with
//! some room for prices that were observed at another moment.

use super::{own, Content};
use cicada_consensus::{Now, Origin};
use cicada_core::basket::agreed::{Difference, Observed, Proposal, PRICE_TOLERANCE_BPS};
use cicada_core::basket::holdings::{check_entries, matches, Entry};
use cicada_core::hash::Native;
use cicada_core::nav::STALENESS_MS;
use cicada_core::Account;
use parity_scale_codec::DecodeAll;
use std::path::PathBuf;

/// The feed's content.
pub(super) struct Basket {
    /// The index, which is no token of its own basket either.
    pub(super) index: Account,
    /// The SCALE of [`Observed`] that this node's validator writes.
    pub(super) file: Option<PathBuf>,
}

impl Basket {
    // A value whose form is right.
    fn read(&self, value: &[u8]) -> Result<Proposal, String> {
        let proposal =
            Proposal::decode_all(&mut &value[..]).map_err(|_| "not a basket".to_owned())?;
        check_entries(&proposal.entries, &self.index)
            .map_err(|error| format!("not a basket: {error:?}"))?;
        match matches::<Native>(&proposal.report, &proposal.entries) {
            true => Ok(proposal),
            false => Err("the report's root is not that of its entries".into()),
        }
    }

    fn compare(&self, proposed: &[Entry], time_ms: u64) -> Result<(), String> {
        let file =
            self.file.as_ref().ok_or("I have no validator's basket: --basket is not given")?;
        let mine = own::read::<Observed>(file)
            .map_err(|error| format!("cannot read my basket {error}"))?
            .ok_or("my validator has not written a basket yet")?;
        mine.agrees(proposed, time_ms)
            .map_err(|difference| explain(difference, proposed, &mine.entries))
    }
}

impl Content for Basket {
    // An adopted value, which only crash mode knows, was found valid by who proposed it first and
    // does not lie in that mode. The prices have moved since: to ask again could block the log.
    fn check(&self, value: &[u8], origin: Origin, _: Now) -> Result<(), String> {
        let Proposal { report, entries } = self.read(value)?;
        match origin {
            Origin::Fresh => self.compare(&entries, report.time_ms),
            Origin::Adopted => Ok(()),
        }
    }

    fn apply(&mut self, value: &[u8]) -> bool {
        self.read(value).is_ok()
    }
}

fn explain(difference: Difference, proposed: &[Entry], mine: &[Entry]) -> String {
    let netuid = |place: usize| proposed.get(place).map_or(0, |entry| entry.netuid);
    match difference {
        Difference::Stale => {
            format!("my validator's basket is older than {STALENESS_MS} ms at the report's time")
        }
        Difference::Count => {
            format!("{} tokens, my validator has {}", proposed.len(), mine.len())
        }
        Difference::Target { place } => {
            let rank = place.saturating_add(1);
            format!("place {rank}: my validator has not this token with this weight")
        }
        Difference::Price { place, off_bps } => format!(
            "subnet {}: the price is {off_bps} bps off my validator's, more than \
             {PRICE_TOLERANCE_BPS}",
            netuid(place)
        ),
    }
}

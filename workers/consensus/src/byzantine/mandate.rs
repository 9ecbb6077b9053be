//! What the leader of a view may propose, as the pledges of a quorum bind it.

use super::statement::{Kind, QuorumCertificate};
use crate::io::Keys;
use crate::message::{Claim, Justification, Pledge};
use crate::mutant::Mutant;
use crate::types::{Config, Position, Seat, View, FIRST_VIEW};
use cicada_core::hash::Digest;
use std::collections::BTreeMap;

/// The most claims in one pledge: far more than any window.
pub(crate) const MAX_CLAIMS: usize = 256;

/// What may be proposed in a view.
///
/// Take any quorum of pledges. What was decided in an earlier view `c` was committed by a
/// quorum there; the two share more honest nodes than liars, and an honest one among them
/// names its lock, of `c` or later. By induction every lock of `c` or later is on the decided
/// value. So the highest lock that any of them proves is on that value, and binding the new
/// leader to it is safe; where none is proved nothing was decided, and the position is free.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mandate {
    view: View,
    base: Position,
    bound: BTreeMap<Position, Digest>,
}

impl Mandate {
    /// The mandate of the first view: everything is free.
    pub fn first() -> Self {
        Self { view: FIRST_VIEW, base: 0, bound: BTreeMap::new() }
    }

    /// The view.
    pub fn view(&self) -> View {
        self.view
    }

    /// Everything up to here is decided.
    pub fn base(&self) -> Position {
        self.base
    }

    /// The values that must be proposed, by position.
    pub fn bound(&self) -> &BTreeMap<Position, Digest> {
        &self.bound
    }

    /// The last position that is bound.
    pub fn last_bound(&self) -> Position {
        self.bound.keys().next_back().copied().unwrap_or(0)
    }

    /// Whether the leader may propose this value there.
    pub fn allows(&self, position: Position, digest: &Digest) -> bool {
        position > self.base && self.bound.get(&position).is_none_or(|bound| bound == digest)
    }
}

impl Justification {
    /// Reads the mandate, if the justification is complete and genuine.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn judge(&self, config: &Config, keys: &impl Keys) -> Result<Mandate, &'static str> {
        let size = usize::from(config.quorum_size());
        let needed = if config.mutated(Mutant::FewPledges) { 1 } else { size };
        if self.pledges.len() < needed || self.pledges.len() > size {
            return Err("not exactly a quorum of pledges");
        }
        let view = self.pledges.first().map(|pledge| pledge.view).ok_or("no pledge")?;
        let mut last: Option<Seat> = None;
        for pledge in &self.pledges {
            let ascending = last.is_none_or(|last| last < pledge.seat);
            if !ascending && !config.mutated(Mutant::RepeatedPledge) {
                return Err("the pledges are not those of different seats");
            }
            if pledge.view != view && !config.mutated(Mutant::StalePledges) {
                return Err("a pledge for another view");
            }
            pledge.check(config, keys)?;
            last = Some(pledge.seat);
        }
        let base = self.pledges.iter().map(|pledge| pledge.tip).max().unwrap_or(0);
        // How far the earlier epochs went is known to all.
        if base > config.base() {
            let proves = |tip: &&QuorumCertificate| {
                tip.statement.position == base && tip.genuine(Kind::Committed, config, keys)
            };
            self.tip.as_ref().filter(proves).ok_or("the last decision is not proved")?;
        }
        let bound = self.bound(base, config, keys)?;
        Ok(Mandate { view, base, bound })
    }

    // The highest claim at each position, with its proof.
    fn bound(
        &self,
        base: Position,
        config: &Config,
        keys: &impl Keys,
    ) -> Result<BTreeMap<Position, Digest>, &'static str> {
        let mut highest: BTreeMap<Position, Claim> = BTreeMap::new();
        let claims = self.pledges.iter().flat_map(|pledge| &pledge.claims);
        for claim in claims.filter(|claim| claim.position > base) {
            let known = highest.entry(claim.position).or_insert(*claim);
            let better = match config.mutated(Mutant::LowestLock) {
                false => claim.view > known.view,
                true => claim.view < known.view,
            };
            if better {
                *known = *claim;
            }
        }
        let mut bound = BTreeMap::new();
        for (position, claim) in highest {
            let proof = self.locks.iter().find(|lock| lock.statement.position == position);
            if config.mutated(Mutant::BelieveLocks) {
                bound.insert(position, claim.digest);
                continue;
            }
            let proof = proof.ok_or("a lock is not proved")?;
            if proof.statement.view != claim.view || !proof.genuine(Kind::Prepared, config, keys) {
                return Err("the proof of a lock is not genuine");
            }
            bound.insert(position, proof.statement.digest);
        }
        Ok(bound)
    }
}

impl Pledge {
    /// Whether a pledge by itself is well formed and signed.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn check(&self, config: &Config, keys: &impl Keys) -> Result<(), &'static str> {
        if self.seat >= config.quorum.n() || self.view <= FIRST_VIEW {
            return Err("a pledge of nobody, or for the first view");
        }
        if self.tip < config.base() {
            return Err("a pledge for what an earlier epoch decided");
        }
        let mut last = self.tip;
        for claim in &self.claims {
            if claim.position <= last || claim.view >= self.view {
                return Err("claims out of order, or of a later view");
            }
            last = claim.position;
        }
        if self.claims.len() > MAX_CLAIMS {
            return Err("too many claims");
        }
        match self.statement().verify(config, keys, self.seat, &self.signature) {
            true => Ok(()),
            false => Err("the signature of a pledge is not genuine"),
        }
    }
}

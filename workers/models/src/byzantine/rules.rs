//! What must hold at every moment.

use super::domain::Signed;
use super::local::Local;
use super::{Byzantine, Kind, State};
use cicada_consensus::{Position, View};
use cicada_core::hash::Digest;

impl Byzantine {
    // Statements of one kind about different values: at one position, or at one in one view.
    pub(super) fn conflict(&self, certified: Signed, across_views: bool) -> bool {
        let mut seen: Vec<(Position, View, Digest)> = Vec::new();
        let bits = self.domain.statements.iter().enumerate();
        for (_, s) in bits.filter(|(number, _)| certified >> number & 1 == 1) {
            let view = if across_views { 0 } else { s.view };
            if seen.iter().any(|(p, v, d)| (*p, *v) == (s.position, view) && *d != s.digest) {
                return true;
            }
            seen.push((s.position, view, s.digest));
        }
        false
    }

    pub(super) fn all_locals(&self, state: &State, holds: impl Fn(&Local) -> bool) -> bool {
        let tables = self.tables();
        self.nodes(state).iter().all(|id| holds(tables.local(*id)))
    }

    pub(super) fn locks_are_proved(&self, state: &State) -> bool {
        let proofs = self.proofs(state);
        self.all_locals(state, |local| {
            local.locks().iter().all(|lock| {
                let number = self.domain.number(lock);
                number.is_some_and(|number| proofs.prepared >> number & 1 == 1)
            })
        })
    }

    // A pledge names, at each position after its tip, the last commit of an earlier view.
    pub(super) fn pledges_are_true(&self, local: &Local) -> bool {
        let made = |number: &usize| local.signed >> number & 1 == 1;
        self.domain.pledges.iter().filter(|(number, _)| made(number)).all(|(_, pledge)| {
            (pledge.tip + 1..=self.domain.positions).all(|position| {
                let commits = self.domain.of_kind(Kind::Committed);
                let earlier = commits.filter(|(number, s)| {
                    made(number) && s.position == position && s.view < pledge.view
                });
                let last = earlier.map(|(_, s)| (s.view, s.digest)).max();
                let claim = pledge.claims.iter().find(|claim| claim.position == position);
                claim.map(|claim| (claim.view, claim.digest)) == last
            })
        })
    }

    pub(super) fn single_votes(&self, local: &Local) -> bool {
        [Kind::Prepared, Kind::Committed].iter().all(|kind| {
            let mask = self.domain.of_kind(*kind).fold(0, |mask, (number, _)| mask | 1 << number);
            !self.conflict(local.signed & mask, false)
        })
    }
}

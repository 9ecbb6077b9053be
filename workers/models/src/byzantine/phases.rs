//! Whole phases as single steps; [`super::Pace::Phases`] says why that is enough.

use super::tables::{Id, Tables};
use super::world::World;
use super::{domain, Byzantine, Kind, Move, Proofs, State, SEATS};
use cicada_consensus::{Position, View};
use std::collections::BTreeSet;

#[derive(Clone, Copy)]
enum Phase {
    Pledge,
    Prepare,
    Commit,
}

impl Byzantine {
    // The first view has no pledges.
    fn phase_of(&self, number: u8) -> Option<(View, Phase)> {
        let number = u64::from(number) + 1;
        let phase = [Phase::Pledge, Phase::Prepare, Phase::Commit][(number % 3) as usize];
        let view = number / 3 + 1;
        (view <= self.params.views).then_some((view, phase))
    }

    /// The states in which the next phase may end.
    pub(super) fn phase(&self, state: &State) -> Vec<State> {
        let Some((view, phase)) = self.phase_of(state.phase) else {
            return Vec::new();
        };
        let mut tables = self.tables();
        let signed = self.signed(state, &tables);
        let world = self.world(&signed[..self.honest]);
        let proofs = Proofs {
            prepared: tables.certified(Kind::Prepared, &world),
            committed: tables.certified(Kind::Committed, &world),
        };
        let mandates = tables.mandates(proofs.prepared, proofs.committed, &world);
        let mandates: Vec<u16> =
            mandates.iter().copied().filter(|m| tables.mandate(*m).view() == view).collect();
        let mut ends: Vec<[Id; SEATS]> = vec![state.nodes];
        for (seat, id) in self.nodes(state).iter().enumerate() {
            let mut choices = BTreeSet::from([*id]);
            for position in 1..=self.params.positions {
                choices = choices
                    .into_iter()
                    .flat_map(|id| {
                        let moves = self.phase_moves(view, phase, position, &mandates, &proofs);
                        outcomes(seat, id, phase, &moves, &mut tables, &world)
                    })
                    .collect();
            }
            let with = |nodes: &[Id; SEATS], choice: Id| {
                let mut nodes = *nodes;
                nodes[seat] = choice;
                nodes
            };
            ends = ends
                .iter()
                .flat_map(|nodes| choices.iter().map(|choice| with(nodes, *choice)))
                .collect();
        }
        let ends = ends.into_iter().map(|nodes| self.canonical(nodes, state.phase + 1, &tables));
        ends.collect::<BTreeSet<State>>().into_iter().collect()
    }

    fn phase_moves(
        &self,
        view: View,
        phase: Phase,
        position: Position,
        mandates: &[u16],
        proofs: &Proofs,
    ) -> Vec<(Move, bool)> {
        match phase {
            Phase::Pledge => vec![(Move::Pledge(view), true)],
            Phase::Prepare => {
                let values = 0..domain::VALUES as u8;
                let all = values.flat_map(|value| {
                    mandates.iter().map(move |m| (Move::Propose(*m, position, value), true))
                });
                all.collect()
            }
            Phase::Commit => {
                let all = self.domain.of_kind(Kind::Prepared);
                let here = all.filter(|(_, s)| s.position == position && s.view == view);
                here.map(|(bit, _)| (Move::Commit(bit as u8), proofs.prepared >> bit & 1 == 1))
                    .collect()
            }
        }
    }
}

// What a node may be after one of these moves. Only commits may be left out.
fn outcomes(
    seat: usize,
    id: Id,
    phase: Phase,
    moves: &[(Move, bool)],
    tables: &mut Tables,
    world: &World,
) -> BTreeSet<Id> {
    let mut found: BTreeSet<Id> = moves
        .iter()
        .filter_map(|(action, proved)| tables.after(seat, id, *action, *proved, world))
        .collect();
    if found.is_empty() || matches!(phase, Phase::Commit) {
        found.insert(id);
    }
    found
}

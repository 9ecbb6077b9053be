//! The leader of a view: gathers pledges, then proposes.

use super::flights::Flight;
use super::mandate::Mandate;
use super::statement::{Kind, QuorumCertificate, Statement};
use crate::io::{Application, Keys};
use crate::message::{Claim, Justification, Pledge, Request};
use crate::node::Node;
use crate::resend::Resend;
use crate::types::{digest, Ballot, Position, Seat, Value, View, FIRST_VIEW};
use cicada_core::hash::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// A new leader with the pledges it has so far, and what they prove.
#[derive(Clone, Debug)]
pub(crate) struct Gathering {
    view: View,
    entered: QuorumCertificate,
    pledges: BTreeMap<Seat, Pledge>,
    tips: BTreeMap<Position, QuorumCertificate>,
    locks: BTreeMap<(Position, View), QuorumCertificate>,
    values: BTreeMap<(Position, Digest), Value>,
    resend: Resend,
    // How often somebody was asked for decisions.
    fetches: usize,
}

/// A leader with its mandate.
#[derive(Clone, Debug)]
pub(crate) struct Reign {
    pub(super) mandate: Mandate,
    pub(super) justification: Option<Justification>,
    /// Who knows the mandate.
    pub(super) informed: BTreeSet<Seat>,
    pub(super) pledged: BTreeSet<Seat>,
    pub(super) flights: BTreeMap<Position, Flight>,
    pub(super) next: Position,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Role {
    #[default]
    Follower,
    Gathering(Box<Gathering>),
    Leading(Box<Reign>),
}

impl Role {
    pub(super) fn reign(&mut self) -> Option<&mut Reign> {
        match self {
            Self::Leading(reign) => Some(reign),
            Self::Follower | Self::Gathering(_) => None,
        }
    }

    /// The view led.
    pub(crate) fn leading(&self, seat: Seat) -> Option<Ballot> {
        match self {
            Self::Leading(reign) => Some(Ballot { round: reign.mandate.view(), seat }),
            Self::Follower | Self::Gathering(_) => None,
        }
    }

    /// A position is decided, by whomever; the digest of what was in flight there.
    pub(crate) fn decided(&mut self, position: Position) -> Option<Digest> {
        let reign = self.reign()?;
        reign.next = reign.next.max(position.saturating_add(1));
        reign.flights.remove(&position).map(|flight| flight.digest)
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    /// After a start: the leader of the first view leads at once, and says again what it said.
    pub(crate) fn resume_leading(&mut self) {
        let view = self.byzantine.views.view;
        let leader = self.config.leader(view) == self.config.seat;
        if view != FIRST_VIEW || !leader || self.ended.is_some() {
            return;
        }
        let said: Vec<(Position, Digest)> = self
            .byzantine
            .acceptor
            .prepared()
            .map(|(position, _, digest)| (position, digest))
            .collect();
        let last = said.iter().map(|(position, _)| *position).max();
        let base = self.config.base();
        self.byzantine.role = Role::Leading(Box::new(Reign {
            mandate: Mandate::first(),
            justification: None,
            informed: self.config.others().collect(),
            pledged: BTreeSet::new(),
            flights: BTreeMap::new(),
            next: last.unwrap_or(base).max(self.log.applied()).max(base).saturating_add(1),
        }));
        for (position, hash) in said {
            if let Some(value) = self.byzantine.acceptor.value(position, &hash).cloned() {
                self.launch_value(position, value);
            }
        }
    }

    pub(super) fn step_down_quietly(&mut self) {
        self.byzantine.role = Role::Follower;
        self.proposals.recall();
    }

    /// 1a: asks for pledges.
    pub(super) fn gather(&mut self, view: View, entered: QuorumCertificate) {
        let resend = Resend::new(self.now.timer_ms, self.config.timing.resend_ms);
        self.byzantine.role = Role::Gathering(Box::new(Gathering {
            view,
            entered: entered.clone(),
            pledges: BTreeMap::new(),
            tips: BTreeMap::new(),
            locks: BTreeMap::new(),
            values: BTreeMap::new(),
            resend,
            fetches: 0,
        }));
        // The own pledge goes the way of all others.
        let seat = self.config.seat;
        let own = self.on_lead(seat, view, entered.clone());
        let others = self.config.others().collect();
        self.send(others, Request::Lead { view, entered });
        if let crate::message::Answer::Pledged { pledge, tip, locks, values } = own {
            self.on_pledged(seat, pledge, tip, locks, values);
        }
    }

    pub(crate) fn on_pledged(
        &mut self,
        from: Seat,
        pledge: Pledge,
        tip: Option<QuorumCertificate>,
        locks: Vec<QuorumCertificate>,
        values: Vec<(Position, Value)>,
    ) {
        let Role::Gathering(gathering) = &self.byzantine.role else {
            return;
        };
        let expected = pledge.seat == from && pledge.view == gathering.view;
        if !expected || pledge.check(&self.config, &self.keys).is_err() {
            return;
        }
        let tip = tip.filter(|tip| tip.statement.position == pledge.tip);
        let tip_known =
            pledge.tip == self.config.base() || gathering.tips.contains_key(&pledge.tip);
        let new_tip =
            tip.filter(|tip| !tip_known && tip.genuine(Kind::Committed, &self.config, &self.keys));
        if !tip_known && new_tip.is_none() {
            return;
        }
        let Some(proved) = self.prove_claims(&pledge, &locks, &values) else {
            return;
        };
        let Role::Gathering(gathering) = &mut self.byzantine.role else {
            return;
        };
        if let Some(tip) = new_tip {
            gathering.tips.insert(pledge.tip, tip);
        }
        for (claim, lock, value) in proved {
            gathering.locks.insert((claim.position, claim.view), lock);
            gathering.values.insert((claim.position, claim.digest), value);
        }
        gathering.pledges.insert(from, pledge);
        self.lead_with_mandate();
    }

    // The claims of a pledge that are not known yet, with proofs and values. `None` if one
    // cannot be proved: such a pledge would spoil the justification.
    fn prove_claims(
        &self,
        pledge: &Pledge,
        locks: &[QuorumCertificate],
        values: &[(Position, Value)],
    ) -> Option<Vec<(Claim, QuorumCertificate, Value)>> {
        let Role::Gathering(gathering) = &self.byzantine.role else {
            return None;
        };
        let mut proved = Vec::new();
        for claim in &pledge.claims {
            let Claim { position, view, digest: hash } = *claim;
            let known = gathering.locks.get(&(position, view));
            if known.is_some_and(|lock| lock.statement.digest == hash) {
                continue;
            }
            let wanted = Statement { kind: Kind::Prepared, position, view, digest: hash };
            let lock = locks.iter().find(|lock| lock.statement == wanted)?;
            let value = values.iter().find(|(at, v)| *at == position && digest(v) == hash)?;
            if !lock.genuine(Kind::Prepared, &self.config, &self.keys) {
                return None;
            }
            proved.push((*claim, lock.clone(), value.1.clone()));
        }
        Some(proved)
    }

    /// Leads once a quorum has pledged, all with tips that are known here.
    pub(crate) fn lead_with_mandate(&mut self) {
        // Those who lack the end of the epoch learn it; there is nothing left to lead.
        if self.ended.is_some() {
            return;
        }
        let Role::Gathering(gathering) = &self.byzantine.role else {
            return;
        };
        let size = usize::from(self.config.quorum_size());
        if gathering.pledges.len() < size {
            return;
        }
        let applied = self.log.applied();
        let Some(justification) = gathering.justification(size, applied) else {
            return self.fetch_tips();
        };
        let Ok(mandate) = justification.judge(&self.config, &self.keys) else {
            return;
        };
        let values = gathering.values.clone();
        let last = mandate.last_bound().max(self.log.last());
        self.byzantine.views.mandate = Some(mandate.clone());
        self.byzantine.role = Role::Leading(Box::new(Reign {
            pledged: justification.pledges.iter().map(|pledge| pledge.seat).collect(),
            mandate: mandate.clone(),
            justification: Some(justification),
            informed: BTreeSet::new(),
            flights: BTreeMap::new(),
            next: last.max(applied).saturating_add(1),
        }));
        for position in applied.saturating_add(1)..=last {
            let value = match mandate.bound().get(&position) {
                Some(hash) => values.get(&(position, *hash)).cloned(),
                None => Some(Value::new()),
            };
            if let (Some(value), None) = (value, self.log.get(position)) {
                self.launch_value(position, value);
            }
        }
        self.pump_values();
    }

    // Asks those who know more, one after the other: a liar proves a tip without what lies before.
    fn fetch_tips(&mut self) {
        let applied = self.log.applied();
        let Role::Gathering(gathering) = &mut self.byzantine.role else {
            return;
        };
        let ahead: Vec<Seat> =
            gathering.pledges.values().filter(|p| p.tip > applied).map(|p| p.seat).collect();
        let turn = gathering.fetches.checked_rem(ahead.len());
        gathering.fetches = gathering.fetches.wrapping_add(1);
        if let Some(seat) = turn.and_then(|turn| ahead.get(turn)) {
            self.fetch(*seat);
        }
    }

    pub(crate) fn tick_gathering(&mut self) {
        let (now, pause) = (self.now.timer_ms, self.config.timing.resend_ms);
        let Role::Gathering(gathering) = &mut self.byzantine.role else {
            return;
        };
        if !gathering.resend.due(now, pause) {
            return;
        }
        let (view, entered) = (gathering.view, gathering.entered.clone());
        let silent = |seat: &Seat| !gathering.pledges.contains_key(seat);
        let to = self.config.others().filter(silent).collect();
        self.send(to, Request::Lead { view, entered });
        self.lead_with_mandate();
    }
}

impl Gathering {
    // The pledges of the lowest seats with a tip that is `known`, and the proofs that exactly
    // those need. `None` while there are too few.
    fn justification(&self, size: usize, known: Position) -> Option<Justification> {
        let known = self.pledges.values().filter(|pledge| pledge.tip <= known);
        let pledges: Vec<Pledge> = known.take(size).cloned().collect();
        if pledges.len() < size {
            return None;
        }
        let base = pledges.iter().map(|pledge| pledge.tip).max().unwrap_or(0);
        let mut highest: BTreeMap<Position, View> = BTreeMap::new();
        for claim in pledges.iter().flat_map(|pledge| &pledge.claims) {
            let view = highest.entry(claim.position).or_insert(claim.view);
            *view = claim.view.max(*view);
        }
        let claimed = highest.into_iter().filter(|(position, _)| *position > base);
        let locks = claimed.filter_map(|key| self.locks.get(&key).cloned()).collect();
        Some(Justification { pledges, tip: self.tips.get(&base).cloned(), locks })
    }
}

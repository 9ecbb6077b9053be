//! Views: who leads, and how all go on to the next leader.
//!
//! A node that sees work undone for too long signs a wish for the next view. A quorum of such
//! wishes ends the view before and lets everybody enter; more wishes than there can be liars
//! make a node wish the same. So nobody can push the views ahead, and no correct node stays
//! behind. None of this bears on safety.

use super::mandate::Mandate;
use super::statement::{Kind, QuorumCertificate, Statement};
use crate::io::{Application, Keys};
use crate::message::{Answer, Request};
use crate::mutant::Mutant;
use crate::node::{invalid, Node};
use crate::types::{Position, Seat, View, FIRST_VIEW};
use cicada_core::certificate::Signature;
use std::collections::BTreeMap;

/// The view that a node is in, and what is wished.
#[derive(Clone, Debug)]
pub(crate) struct Views {
    pub(crate) view: View,
    pub(crate) entered: Option<QuorumCertificate>,
    /// What the leader of this view may propose, once that is known.
    pub(crate) mandate: Option<Mandate>,
    entered_ms: u64,
    moved_ms: u64,
    // Views since the last decision.
    fruitless: u32,
    wishes: BTreeMap<Seat, (View, Signature)>,
    // Of those that are beyond the view that this node wishes for.
    support: BTreeMap<Seat, Signature>,
    repeat_ms: u64,
}

impl Default for Views {
    fn default() -> Self {
        Self {
            view: FIRST_VIEW,
            entered: None,
            mandate: Some(Mandate::first()),
            entered_ms: 0,
            moved_ms: 0,
            fruitless: 0,
            wishes: BTreeMap::new(),
            support: BTreeMap::new(),
            repeat_ms: 0,
        }
    }
}

impl Views {
    /// After a restart: where the acceptor left off.
    pub(crate) fn resume(&mut self, view: View) {
        self.view = view;
        self.mandate = (view == FIRST_VIEW).then(Mandate::first);
    }

    /// A vote was cast: give it time.
    pub(crate) fn stir(&mut self, now: u64) {
        self.moved_ms = now;
    }

    /// A value was decided.
    pub(crate) fn fruit(&mut self, now: u64) {
        self.moved_ms = now;
        self.fruitless = 0;
    }

    fn wish_of(&self, seat: Seat) -> View {
        self.wishes.get(&seat).map_or(0, |(view, _)| *view)
    }

    /// Wishes for nothing any more: the epoch has ended.
    pub(super) fn withdraw(&mut self, seat: Seat) {
        self.wishes.remove(&seat);
    }

    /// The highest view that at least `count` seats wish for, or a higher one.
    fn wished_by(&self, count: usize) -> Option<View> {
        let mut wishes: Vec<View> = self.wishes.values().map(|(view, _)| *view).collect();
        wishes.sort_unstable();
        wishes.into_iter().rev().nth(count.saturating_sub(1))
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    /// Where this node is, for one who is elsewhere.
    pub(super) fn view_answer(&self) -> Answer {
        let views = &self.byzantine.views;
        let (view, entered) = (views.view, views.entered.clone());
        Answer::View { view, entered, decided: self.log.applied() }
    }

    pub(crate) fn on_timeout(
        &mut self,
        from: Seat,
        view: View,
        signature: Signature,
        entered: Option<QuorumCertificate>,
    ) -> Answer {
        if let Some(entered) = entered {
            self.follow(entered);
        }
        let views = &self.byzantine.views;
        if view <= views.view {
            if views.entered.is_some() {
                return self.view_answer();
            }
            // It went on by a justification or a commit, or has restarted since.
            let signature = Statement::timeout(view).sign(&self.config, &self.keys);
            return Answer::Wish { view, signature };
        }
        if self.config.mutated(Mutant::BelieveTimeouts) {
            self.enter(view, None);
            return Answer::Noted;
        }
        if view > views.wish_of(from) {
            if !Statement::timeout(view).verify(&self.config, &self.keys, from, &signature) {
                return invalid("the signature of a timeout is not genuine");
            }
            self.byzantine.views.wishes.insert(from, (view, signature));
            self.weigh_wishes();
        }
        Answer::Noted
    }

    pub(crate) fn on_wish(&mut self, from: Seat, view: View, signature: Signature) {
        let views = &self.byzantine.views;
        let asked = view > views.view && view == views.wish_of(self.config.seat);
        if asked && Statement::timeout(view).verify(&self.config, &self.keys, from, &signature) {
            self.byzantine.views.support.insert(from, signature);
            self.weigh_wishes();
        }
    }

    pub(crate) fn on_view(
        &mut self,
        from: Seat,
        entered: Option<QuorumCertificate>,
        decided: Position,
    ) {
        if let Some(entered) = entered {
            self.follow(entered);
        }
        if decided > self.log.applied() {
            self.fetch(from);
        }
    }

    /// Enters the view that a quorum wished for, if it is a later one.
    pub(super) fn follow(&mut self, entered: QuorumCertificate) {
        let view = entered.statement.view;
        let later = view > self.byzantine.views.view;
        if later && entered.genuine(Kind::Timeout, &self.config, &self.keys) {
            self.enter(view, Some(entered));
        }
    }

    // Joins the wishes of others, and enters once a quorum wishes the same.
    fn weigh_wishes(&mut self) {
        let alone = self.config.mutated(Mutant::FollowAnyTimeout);
        let weak = if alone { 1 } else { usize::from(self.config.quorum.weak_size()) };
        let views = &self.byzantine.views;
        let (view, own) = (views.view, views.wish_of(self.config.seat));
        let next = view.saturating_add(1);
        // The leader may leave its own view.
        let resigned = views.wish_of(self.config.leader(view)) == next;
        let joined = views.wished_by(weak).filter(|wished| *wished > view && *wished > own);
        let joined = joined.or_else(|| (resigned && own < next).then_some(next));
        if let Some(joined) = joined {
            return self.wish(joined);
        }
        let mut shares: BTreeMap<View, BTreeMap<Seat, Signature>> = BTreeMap::new();
        for (seat, (wished, signature)) in &self.byzantine.views.wishes {
            if *wished > view {
                shares.entry(*wished).or_default().insert(*seat, *signature);
            }
        }
        let supported = shares.entry(own).or_default();
        for (seat, signature) in &self.byzantine.views.support {
            supported.insert(*seat, *signature);
        }
        for (wished, shares) in shares.into_iter().rev().filter(|(wished, _)| *wished > view) {
            let statement = Statement::timeout(wished);
            let entered = QuorumCertificate::assemble(&self.config, statement, &shares);
            if entered.is_some() {
                return self.enter(wished, entered);
            }
        }
    }

    /// Asks everybody for a view.
    pub(super) fn wish(&mut self, view: View) {
        let signature = Statement::timeout(view).sign(&self.config, &self.keys);
        self.byzantine.views.wishes.insert(self.config.seat, (view, signature));
        self.byzantine.views.support.clear();
        self.repeat_wish();
        self.weigh_wishes();
    }

    fn repeat_wish(&mut self) {
        let Some((view, signature)) = self.byzantine.views.wishes.get(&self.config.seat).copied()
        else {
            return;
        };
        let again = self.now.timer_ms.saturating_add(self.config.timing.resend_ms);
        self.byzantine.views.repeat_ms = again;
        let entered = self.byzantine.views.entered.clone();
        let others = self.config.others().collect();
        self.send(others, Request::Timeout { view, signature, entered });
    }

    /// Goes to a later view.
    pub(super) fn enter(&mut self, view: View, entered: Option<QuorumCertificate>) {
        let now = self.now.timer_ms;
        let views = &mut self.byzantine.views;
        if view <= views.view {
            return;
        }
        views.view = view;
        views.mandate = None;
        views.entered_ms = now;
        views.fruitless = views.fruitless.saturating_add(1);
        views.wishes.retain(|_, (wished, _)| *wished > view);
        views.support.clear();
        views.entered.clone_from(&entered);
        self.step_down_quietly();
        let leads = self.config.leader(view) == self.config.seat && self.ended.is_none();
        if let (true, Some(entered)) = (leads, entered) {
            self.gather(view, entered);
        }
        self.suggest_own();
    }

    // Whether something was prepared in this view, or locked in any, and is not decided; or
    // lies before something that is.
    fn undecided(&self, view: View) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let acceptor = &self.byzantine.acceptor;
        let open = |position| self.log.get(position).is_none();
        self.log.has_gap()
            || acceptor.prepared().any(|(position, prepared, _)| prepared == view && open(position))
            || acceptor.locks().any(|lock| open(lock.statement.position))
    }

    /// Whether work has waited too long for this view's leader.
    fn overdue(&self) -> bool {
        let views = &self.byzantine.views;
        let now = self.now.timer_ms;
        // One of as many leaders in a row as there may be liars, and one more, is correct: only
        // if none of those decided anything was the time too short.
        let turn = u32::from(self.config.quorum.weak_size());
        let rounds = views.fruitless.checked_div(turn).unwrap_or(0);
        let patience = self.config.timing.view_ms << rounds.min(5);
        let undecided = self.undecided(views.view).then_some(views.moved_ms);
        let waiting = [self.proposals.oldest_ms(), self.suggestions.oldest_ms()];
        let oldest = waiting.into_iter().flatten().chain(undecided).min();
        let Some(oldest) = oldest else {
            return false;
        };
        let since = oldest.max(views.entered_ms);
        // Other values may be decided meanwhile, but not for ever.
        now >= since.max(views.moved_ms).saturating_add(patience)
            || now >= since.saturating_add(patience.saturating_mul(8))
    }

    pub(crate) fn tick_views(&mut self) {
        let views = &self.byzantine.views;
        let wished = views.wish_of(self.config.seat) > views.view;
        if !wished && self.overdue() && !self.config.mutated(Mutant::NeverTimeOut) {
            self.drop_stale_work();
            if self.overdue() {
                let next = self.byzantine.views.view.saturating_add(1);
                self.wish(next);
            }
        } else if wished
            && self.now.timer_ms >= views.repeat_ms
            && !self.config.mutated(Mutant::NeverRepeat)
        {
            self.repeat_wish();
        }
    }
}

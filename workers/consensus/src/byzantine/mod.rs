//! The Byzantine form: signed, certificate-carrying Multi-Paxos, relayed by the leader.
//!
//! | step | message | answer |
//! |---|---|---|
//! | 1a → 1b | [`Request::Lead`] with the timeouts that end the view before | [`Answer::Pledged`] |
//! | 1c → 2av | [`Request::Propose`] with the pledges that justify it | [`Answer::Prepared`] |
//! | 2av → 2b | [`Request::Commit`] with the 2av of a quorum | [`Answer::Committed`] |
//! | decided | [`Request::Decided`] with the 2b of a quorum | [`Answer::Attested`] |
//!
//! `acceptor` and `mandate` carry agreement; `views` and `leader` only see to it that something
//! is decided.
//!
//! [`Request::Lead`]: crate::Request::Lead
//! [`Request::Propose`]: crate::Request::Propose
//! [`Request::Commit`]: crate::Request::Commit
//! [`Request::Decided`]: crate::Request::Decided
//! [`Answer::Pledged`]: crate::Answer::Pledged
//! [`Answer::Prepared`]: crate::Answer::Prepared
//! [`Answer::Committed`]: crate::Answer::Committed
//! [`Answer::Attested`]: crate::Answer::Attested

mod acceptor;
mod flights;
mod leader;
mod mandate;
mod statement;
mod views;
mod voting;

pub use acceptor::{Acceptor, Objection};
pub use mandate::Mandate;
pub use statement::{Kind, QuorumCertificate, Statement};

use crate::io::{Application, Keys};
use crate::node::Node;
use crate::types::{Position, Seat, View};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use leader::Role;
use std::collections::BTreeMap;
use views::Views;

/// Two statements of one seat that no correct node signs both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Who signed both.
    pub seat: Seat,
    /// One statement and its signature.
    pub first: (Statement, Signature),
    /// The other.
    pub second: (Statement, Signature),
}

/// What a node keeps for the Byzantine form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Byzantine {
    pub(crate) acceptor: Acceptor,
    pub(crate) views: Views,
    pub(crate) role: Role,
    // Whether the first tick has come.
    started: bool,
    // The leaders' proposals seen at undecided positions.
    seen: BTreeMap<Position, (View, Digest, Signature)>,
}

impl Byzantine {
    /// The epoch has ended: nothing is led or wished for any more. Locks beyond the end are
    /// kept and named: who has not learned the end must still see one decision there at most.
    pub(crate) fn close(&mut self, seat: Seat) {
        self.role = Role::Follower;
        self.views.withdraw(seat);
    }

    /// Forgets the votes up to a position: everything up to there is decided.
    pub(crate) fn forget_up_to(&mut self, position: Position) {
        self.acceptor.forget_up_to(position);
        self.seen = self.seen.split_off(&position.saturating_add(1));
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    /// A position is decided; the digest of what this leader had in flight there.
    pub(crate) fn decided_in_view(
        &mut self,
        position: Position,
        decided: &Digest,
    ) -> Option<Digest> {
        self.suggestions.remove(decided);
        self.byzantine.views.fruit(self.now.timer_ms);
        self.byzantine.role.decided(position)
    }

    pub(crate) fn tick_byzantine(&mut self) {
        if !self.byzantine.started {
            self.byzantine.started = true;
            self.resume_leading();
        }
        self.tick_gathering();
        self.tick_flights();
        self.tick_suggestions();
        self.tick_views();
    }
}

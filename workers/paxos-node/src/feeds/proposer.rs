//! Who proposed a value, and from when on he may: so that nobody is always the first who chooses
//! whose observations stand in a NAV.
//!
//! A value of a feed with turns ends with its proposer: his seat, and its
//! signature. A leader can change neither, so one that lies waits for its turn
//! like anybody. What is attested is the report alone.

use super::content::Setup;
use super::line::Limit;
use cicada_consensus::{Now, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_network::{proposer_message, PublicKeys, Rules};
use parity_scale_codec::{Decode, Encode};
use std::sync::Arc;

/// Who proposed a value, in SCALE behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposer {
    /// The seat.
    pub seat: Seat,
    /// Its signature of the value before it, under the rules of the network.
    pub signature: Signature,
}

/// What a node needs to judge whose turn it is.
pub(super) struct Turns {
    rules: Rules,
    rules_digest: Digest,
    members: Arc<PublicKeys>,
    seats: u8,
}

impl Turns {
    /// Those of a network that has turns.
    pub(super) fn of(setup: &Setup<'_>) -> Option<Self> {
        let rules = setup.network.rules;
        (rules.turn_delay_ms > 0).then(|| Self {
            rules,
            rules_digest: setup.network.rules_digest(),
            members: setup.members.clone(),
            seats: setup.seats(),
        })
    }

    /// Whether who proposed a fresh value of a slot, which is due at `due_ms`, may do so by now.
    ///
    /// # Errors
    /// In words.
    pub(super) fn allow(
        &self,
        (slot, due_ms): (u64, u64),
        content: &[u8],
        Proposer { seat, signature }: &Proposer,
        (now, limit): (Now, Limit),
    ) -> Result<(), String> {
        let (seat, seats) = (*seat, self.seats);
        let from_ms = match limit {
            Limit::Vote => self.rules.turn_ms(due_ms, slot, seat, seats),
            Limit::Lead => self.rules.lead_ms(due_ms, slot, seat, seats),
        };
        let wait_ms = from_ms.saturating_sub(now.wall_ms);
        if wait_ms > 0 {
            return Err(format!("slot {slot} is seat {seat}'s to propose {wait_ms} ms from now"));
        }
        let message = proposer_message(&self.rules_digest, content);
        match self.members.verify_consensus(seat, &message.0, signature) {
            true => Ok(()),
            false => Err(format!("the signature of seat {seat}, who proposed it, is forged")),
        }
    }
}

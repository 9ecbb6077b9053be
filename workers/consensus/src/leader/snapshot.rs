//! What a model tells the states of a leader apart by.

use super::{Leader, Role};
use std::hash::{Hash, Hasher};

impl Leader {
    /// For [`crate::Node::hash_state`]: all but times, attempts, which only make times, and the
    /// list of those who promised, which is for people.
    pub(crate) fn hash_state(&self, state: &mut impl Hasher) {
        self.seen.hash(state);
        match &self.role {
            Role::Follower => 0u8.hash(state),
            Role::Canvassing(canvass) => (3u8, canvass.ballot, &canvass.yes).hash(state),
            Role::Campaigning(campaign) => {
                let waited = campaign.quorum_ms.is_some();
                (1u8, campaign.ballot, &campaign.votes, campaign.decided, waited).hash(state);
            }
            Role::Leading(reign) => {
                (2u8, reign.ballot, reign.next, reign.flights.len()).hash(state);
                for (position, flight) in &reign.flights {
                    let counted = (&flight.accepted, &flight.refused);
                    (position, &flight.digest, flight.since, counted).hash(state);
                }
            }
        }
    }
}

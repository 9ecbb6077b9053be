//! The NAV: signed observations of the validators. A node needs no prices to agree to them. It
//! vouches that they are genuine, enough and in time; the median is the contract's to compute.

use super::Content;
use cicada_consensus::{Now, Origin};
use cicada_core::hash::{Hash, Native};
use cicada_core::nav::{check, matches, ObservationError, Proposal, STALENESS_MS};
use cicada_core::report::Feed;
use cicada_network::PublicKeys;
use parity_scale_codec::DecodeAll;
use std::sync::Arc;

/// What is to be known of a committee to judge its observations.
pub(super) struct Nav {
    pub(super) feed: Feed,
    pub(super) config_digest: Hash,
    pub(super) members: Arc<PublicKeys>,
    pub(super) seats: u8,
    /// How many must observe.
    pub(super) needed: u8,
}

impl Nav {
    // A value whose form is right.
    fn read(&self, value: &[u8]) -> Result<Proposal, String> {
        let proposal = Proposal::decode_all(&mut &value[..]).map_err(|_| "not a NAV".to_owned())?;
        let Proposal { report, observations } = &proposal;
        check(observations, self.seats, self.needed, report.time_ms)
            .map_err(|error| explain(error, observations.len()))?;
        match matches::<Native>(report, observations) {
            true => Ok(proposal),
            false => Err("the report's root is not that of its observations".into()),
        }
    }
}

impl Content for Nav {
    // The same at any time: a signature does not age.
    fn check(&self, value: &[u8], _: Origin, _: Now) -> Result<(), String> {
        let Proposal { report, observations } = self.read(value)?;
        let genuine = |seat: u8, message: &Hash, signature| {
            self.members.verify_attestation(seat, message, signature)
        };
        let forged = observations.iter().find(|observation| {
            let message =
                observation.message::<Native>(&self.config_digest, &self.feed, report.slot);
            !genuine(observation.seat, &message, &observation.signature)
        });
        match forged {
            None => Ok(()),
            Some(forged) => Err(format!("the observation of seat {} is forged", forged.seat)),
        }
    }

    // Whoever voted for it has verified the signatures; here that would be work for every NAV of
    // the log at each start.
    fn apply(&mut self, value: &[u8]) -> bool {
        self.read(value).is_ok()
    }
}

fn explain(error: ObservationError, found: usize) -> String {
    match error {
        ObservationError::TooFew { needed } => format!("{found} observations, {needed} are needed"),
        ObservationError::NotInOrder => "observations not in order of seats, or two of one".into(),
        ObservationError::UnknownSeat => "an observation of a seat that there is not".into(),
        ObservationError::ZeroNav => "an observation of 0".into(),
        ObservationError::Stale => format!("an observation older than {STALENESS_MS} ms"),
        ObservationError::TimeAhead => "an observation later than the report".into(),
        ObservationError::NoStake | ObservationError::Math(_) => format!("no NAV: {error:?}"),
    }
}

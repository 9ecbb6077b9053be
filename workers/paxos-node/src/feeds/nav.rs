//! The NAV: signed observations of the validators. A node vouches that they are genuine, that the
//! contract can make a NAV of them, and that it is near what its own validator has observed.

use super::{own, Content};
use cicada_consensus::{Now, Origin};
use cicada_core::hash::{Hash, Native};
use cicada_core::nav::{
    check, matches, Difference, ObservationError, Own, Proposal, AGREE_BPS, HEARD_MS,
};
use cicada_core::report::Feed;
use cicada_network::PublicKeys;
use parity_scale_codec::{DecodeAll, Encode};
use std::path::PathBuf;
use std::sync::Arc;

/// What is to be known of a committee to judge its observations.
pub(super) struct Nav {
    pub(super) feed: Feed,
    pub(super) config_digest: Hash,
    pub(super) members: Arc<PublicKeys>,
    pub(super) seats: u8,
    /// How many must observe.
    pub(super) needed: u8,
    /// The SCALE of [`Own`] that this node's validator writes.
    pub(super) file: Option<PathBuf>,
    pub(super) arrivals: own::Arrivals,
}

impl Nav {
    // A value whose form is right. Whose word has weight, the log does not know.
    fn read(&self, value: &[u8]) -> Result<Proposal, String> {
        let proposal = Proposal::decode_all(&mut &value[..]).map_err(|_| "not a NAV".to_owned())?;
        let Proposal { report, observations } = &proposal;
        let weights = vec![1; usize::from(self.seats)];
        check(observations, &weights, self.needed, report.time_ms)
            .map_err(|error| explain(error, observations.len()))?;
        match matches::<Native>(report, observations) {
            true => Ok(proposal),
            false => Err("the report's root is not that of its observations".into()),
        }
    }

    fn genuine(&self, Proposal { report, observations }: &Proposal) -> Result<(), String> {
        let forged = observations.iter().find(|observation| {
            let message =
                observation.message::<Native>(&self.config_digest, &self.feed, report.slot);
            let (seat, signature) = (observation.seat, &observation.signature);
            !self.members.verify_attestation(seat, &message, signature)
        });
        match forged {
            None => Ok(()),
            Some(forged) => Err(format!("the observation of seat {} is forged", forged.seat)),
        }
    }

    fn compare(
        &self,
        Proposal { report, observations }: &Proposal,
        now: Now,
    ) -> Result<(), String> {
        let file = self.file.as_ref().ok_or("I have no validator's NAV: --nav is not given")?;
        let mine = own::read::<Own>(file)
            .map_err(|error| format!("cannot read my NAV {error}"))?
            .ok_or("my validator has not written a NAV yet")?;
        let come_ms = self.arrivals.of(report, now.wall_ms);
        mine.agrees(report, observations, self.needed, come_ms)
            .map_err(|difference| differs(difference, &mine, observations.len()))
    }
}

impl Content for Nav {
    // An adopted value, which only crash mode knows, was found right by who proposed it first.
    fn check(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), String> {
        let proposal = self.read(value)?;
        self.genuine(&proposal)?;
        match origin {
            Origin::Fresh => self.compare(&proposal, now),
            Origin::Adopted => Ok(()),
        }
    }

    // Whoever voted for it has verified the signatures; here that would be work for every NAV of
    // the log at each start.
    fn apply(&mut self, value: &[u8]) -> bool {
        self.read(value).is_ok()
    }
}

fn differs(difference: Difference, mine: &Own, found: usize) -> String {
    match difference {
        Difference::Unseen => "my validator has not observed this slot at this time".into(),
        Difference::Observations(error) => explain(error, found),
        // What it rests on, so that whoever proposed it can do better.
        Difference::LeftOut => format!(
            "my validator's observation, signed {HEARD_MS} ms before it came, is not in it: {}",
            hex::encode(mine.observation.encode())
        ),
        Difference::Median { off_bps } => {
            format!("the median is {off_bps} bps off my validator's NAV, more than {AGREE_BPS}")
        }
    }
}

pub(super) fn explain(error: ObservationError, found: usize) -> String {
    match error {
        ObservationError::TooFew { needed } => {
            format!("{found} observations; {needed} of seats with weight are needed")
        }
        ObservationError::NotInOrder => "observations not in order of seats, or two of one".into(),
        ObservationError::UnknownSeat => "an observation of a seat that there is not".into(),
        ObservationError::ZeroNav => "an observation of 0".into(),
        ObservationError::WrongTime => "an observation of another time than the report".into(),
        ObservationError::NoStake | ObservationError::Math(_) => format!("no NAV: {error:?}"),
    }
}

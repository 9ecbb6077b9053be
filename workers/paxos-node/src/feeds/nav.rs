//! The NAV: signed observations of the validators. A node vouches that they are genuine, that the
//! contract can make a NAV of them, and that it is near what its own validator has observed.

use super::observers::Observers;
use super::Content;
use cicada_consensus::{Now, Origin};
use cicada_core::hash::Native;
use cicada_core::nav::{
    check, matches, Difference, ObservationError, Own, Proposal, AGREE_BPS, HEARD_MS,
};
use parity_scale_codec::{DecodeAll, Encode};

/// The feed's content.
pub(super) struct Nav(pub(super) Observers);

impl Nav {
    // A value whose form is right.
    fn read(&self, value: &[u8]) -> Result<Proposal, String> {
        let proposal = Proposal::decode_all(&mut &value[..]).map_err(|_| "not a NAV".to_owned())?;
        let Proposal { report, observations } = &proposal;
        check(observations, &self.0.weights(), self.0.needed, report.time_ms)
            .map_err(|error| explain(error, observations.len()))?;
        match matches::<Native>(report, observations) {
            true => Ok(proposal),
            false => Err("the report's root is not that of its observations".into()),
        }
    }

    fn genuine(&self, Proposal { report, observations }: &Proposal) -> Result<(), String> {
        let Observers { config_digest, feed, .. } = &self.0;
        self.0.genuine(observations.iter().map(|one| {
            (one.seat, one.message::<Native>(config_digest, feed, report.slot), &one.signature)
        }))
    }

    fn compare(
        &self,
        Proposal { report, observations }: &Proposal,
        now: Now,
    ) -> Result<(), String> {
        let mine: Own = self.0.own("NAV", "--nav")?;
        let come_ms = self.0.arrivals.of(report, now.wall_ms);
        let agreed = mine.agrees(report, observations, self.0.needed, come_ms);
        if matches!(agreed, Ok(()) | Err(Difference::Unseen)) {
            self.0.arrivals.remember(report, come_ms);
        }
        agreed.map_err(|difference| differs(difference, &mine, observations.len()))
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

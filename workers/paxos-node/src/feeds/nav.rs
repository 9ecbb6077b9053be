//! The NAV: signed observations of the validators. A node vouches that they are genuine, that the
//! contract can make a NAV of them, and that it is near what its own validator has observed.

use super::content::{Content, OwnOption, Setup};
use super::line::Pace;
use super::observers::{settled_by_index, Observers, Seats};
use crate::settled::Slots;
use cicada_chain::Chain;
use cicada_consensus::Now;
use cicada_core::hash::Native;
use cicada_core::nav::{
    check, matches, Difference, ObservationError, Own, Proposal, AGREE_BPS, HEARD_MS,
};
use cicada_core::report::MAX_TIME_AHEAD_MS;
use cicada_core::Account;
use parity_scale_codec::Encode;

const OWN: OwnOption = OwnOption {
    name: "nav",
    env: "PAXOS_NODE_NAV",
    takes: "FILE",
    help: "The file where this node's own validator writes what it observed of the NAV (SCALE). \
           Without it this node agrees to no NAV",
};

/// The feed's content.
pub(super) struct Nav(Observers);

impl Content for Nav {
    type Value = Proposal;

    const CALLED: &'static str = "a NAV";
    // Its time is that of its round, before which no validator signs.
    const PACE: Pace = Pace { ahead_ms: MAX_TIME_AHEAD_MS, ..Pace::SCHEDULED };
    const OPTION: Option<OwnOption> = Some(OWN);

    fn new(setup: &Setup<'_>) -> Option<Self> {
        Observers::of(setup).map(Self)
    }

    fn settled(chain: Chain, contract: Account) -> Slots {
        settled_by_index(chain, contract)
    }

    // Whoever voted for it has verified the signatures; here that would be work for every NAV of
    // the log at each start.
    fn form(&self, Proposal { report, observations }: &Proposal) -> Result<(), String> {
        check(observations, &self.0.weights(), self.0.needed, report.time_ms)
            .map_err(|error| explain(error, observations.len()))?;
        match matches::<Native>(report, observations) {
            true => Ok(()),
            false => Err("the report's root is not that of its observations".into()),
        }
    }

    fn genuine(&self, Proposal { report, observations }: &Proposal) -> Result<(), String> {
        let Seats { config_digest, feed, .. } = &self.0.seats;
        self.0.seats.genuine(observations.iter().map(|one| {
            (one.seat, one.message::<Native>(config_digest, feed, report.slot), &one.signature)
        }))
    }

    fn compare(
        &self,
        Proposal { report, observations }: &Proposal,
        now: Now,
    ) -> Result<(), String> {
        let mine: Own = self.0.own("NAV", &OWN)?;
        let come_ms = self.0.arrivals.of(report, now.wall_ms);
        let agreed = mine.agrees(report, observations, self.0.needed, come_ms);
        if matches!(agreed, Ok(()) | Err(Difference::Unseen)) {
            self.0.arrivals.remember(report, come_ms);
        }
        agreed.map_err(|difference| differs(difference, &mine, observations.len()))
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

//! The index's target weights and prices: signed observations of the validators, and the entries
//! that follow from them. A node vouches that the observations are genuine and the entries those
//! that its own validator's sheet makes of them.

use super::content::{Content, OwnOption, Setup};
use super::line::Pace;
use super::nav::explain as explain_observations;
use super::observers::{settled_by_index, Observers, Seats};
use crate::settled::Slots;
use cicada_chain::Chain;
use cicada_consensus::Now;
use cicada_core::basket::agreed::{Difference, Own, Proposal};
use cicada_core::basket::holdings::{matches, MAX_HOLDINGS};
use cicada_core::basket::observed::check;
use cicada_core::hash::Native;
use cicada_core::nav::{AGREE_BPS, HEARD_MS};
use cicada_core::Account;
use parity_scale_codec::Encode;

const OWN: OwnOption = OwnOption {
    name: "basket",
    env: "PAXOS_NODE_BASKET",
    takes: "FILE",
    help:
        "The file where this node's own validator writes what it observed for the basket (SCALE). \
           Without it this node agrees to no basket",
};

/// The feed's content. As many as must observe must name a price.
pub(super) struct Basket(Observers);

impl Content for Basket {
    type Value = Proposal;

    const CALLED: &'static str = "a basket";
    const PACE: Pace = Pace::SCHEDULED;
    const OPTION: Option<OwnOption> = Some(OWN);

    fn new(setup: &Setup<'_>) -> Option<Self> {
        Observers::of(setup).map(Self)
    }

    fn settled(chain: Chain, contract: Account) -> Slots {
        settled_by_index(chain, contract)
    }

    // What the index holds, the log does not know. Whoever voted for it has verified the signatures.
    fn form(&self, proposal: &Proposal) -> Result<(), String> {
        let Proposal { report, entries, observations } = proposal;
        if entries.is_empty() || entries.len() > MAX_HOLDINGS {
            return Err(format!("a basket of {} tokens", entries.len()));
        }
        check(observations, &self.0.weights(), self.0.needed, report.time_ms)
            .map_err(|error| explain_observations(error, observations.len()))?;
        if let Some(one) = observations.iter().find(|one| !one.is_well_formed()) {
            return Err(format!("the prices of seat {} are not in order", one.seat));
        }
        match matches::<Native>(report, entries) {
            true => Ok(()),
            false => Err("the report's root is not that of its entries".into()),
        }
    }

    fn genuine(&self, Proposal { report, observations, .. }: &Proposal) -> Result<(), String> {
        let Seats { config_digest, feed, .. } = &self.0.seats;
        self.0.seats.genuine(observations.iter().map(|one| {
            (one.seat, one.message::<Native>(config_digest, feed, report.slot), &one.signature)
        }))
    }

    fn compare(&self, proposal: &Proposal, now: Now) -> Result<(), String> {
        let mine: Own = self.0.own("basket", &OWN)?;
        let come_ms = self.0.arrivals.of(&proposal.report, now.wall_ms);
        let agreed = mine.agrees(proposal, self.0.needed, come_ms);
        if matches!(agreed, Ok(()) | Err(Difference::Unseen)) {
            self.0.arrivals.remember(&proposal.report, come_ms);
        }
        agreed.map_err(|difference| explain(difference, proposal, &mine))
    }
}

fn explain(difference: Difference, proposal: &Proposal, mine: &Own) -> String {
    let entry = |place: usize| match proposal.entries.get(place) {
        Some(entry) => format!("place {}, subnet {}", place.saturating_add(1), entry.netuid),
        None => String::new(),
    };
    match difference {
        Difference::Unseen => "my validator has not observed this slot at this time".into(),
        Difference::Observations(error) => explain_observations(error, proposal.observations.len()),
        // What it rests on, so that whoever proposed it can do better.
        Difference::LeftOut => format!(
            "my validator's observation, signed {HEARD_MS} ms before it came, is not in it: {}",
            hex::encode(mine.observation.encode())
        ),
        Difference::Basket(error) => format!("the observations make no basket: {error:?}"),
        Difference::Count { expected } => {
            format!("{} tokens, and {expected} follow", proposal.entries.len())
        }
        Difference::Entry { place } => {
            format!("{}: not what follows from the observations", entry(place))
        }
        Difference::Withheld { netuid } => format!(
            "subnet {netuid} has no price, my validator names one, and so few of these observers \
             do not that all of them may lie"
        ),
        Difference::Price { place, off_bps } => format!(
            "{}: the price is {off_bps} bps off my validator's, more than {AGREE_BPS}",
            entry(place)
        ),
    }
}

//! Who observes: what a node knows of its committee to judge what the validators signed for a feed,
//! and what its own validator has told it. The same for NAV and basket.

use super::content::{OwnOption, Setup};
use super::own::{read, Arrivals};
use crate::settled::Slots;
use cicada_chain::Chain;
use cicada_contracts::index;
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_core::nav::min_observations;
use cicada_core::report::{Feed, ReportKind};
use cicada_core::Account;
use cicada_network::PublicKeys;
use parity_scale_codec::DecodeAll;
use std::path::PathBuf;
use std::sync::Arc;

/// The seats whose validators sign something for one feed.
pub(super) struct Seats {
    pub(super) feed: Feed,
    pub(super) config_digest: Digest,
    pub(super) members: Arc<PublicKeys>,
    pub(super) count: u8,
}

impl Seats {
    /// Those of a network.
    pub(super) fn of(setup: &Setup<'_>) -> Self {
        Self {
            feed: setup.feed,
            config_digest: setup.network.config_digest(),
            members: setup.members.clone(),
            count: setup.seats(),
        }
    }

    /// Whether each message is signed by its seat.
    ///
    /// # Errors
    /// Names the first seat that did not sign.
    pub(super) fn genuine<'a>(
        &self,
        mut signed: impl Iterator<Item = (u8, Digest, &'a Signature)>,
    ) -> Result<(), String> {
        let is_forged = |(seat, message, signature): &(u8, Digest, &Signature)| {
            !self.members.verify_attestation(*seat, message, signature)
        };
        match signed.find(is_forged) {
            None => Ok(()),
            Some((seat, ..)) => Err(format!("the observation of seat {seat} is forged")),
        }
    }
}

/// The observers of one feed.
pub(super) struct Observers {
    pub(super) seats: Seats,
    /// How many must observe.
    pub(super) needed: u8,
    pub(super) arrivals: Arrivals,
    // The SCALE that this node's validator writes.
    file: Option<PathBuf>,
}

impl Observers {
    /// Those of a network that has enough seats.
    pub(super) fn of(setup: &Setup<'_>) -> Option<Self> {
        let (seats, file) = (Seats::of(setup), setup.own());
        let needed = min_observations(seats.count)?;
        Some(Self { seats, needed, arrivals: Arrivals::default(), file })
    }

    /// The weight of each seat, as far as the log knows: the same for all.
    pub(super) fn weights(&self) -> Vec<u128> {
        vec![1; usize::from(self.seats.count)]
    }

    /// What the own validator has told. `what` it is called, and the `option` that names the file.
    ///
    /// # Errors
    /// In words, if there is nothing.
    pub(super) fn own<T: DecodeAll>(&self, what: &str, option: &OwnOption) -> Result<T, String> {
        let file = self.file.as_ref().ok_or_else(|| {
            format!("I have no validator's {what}: --{} is not given", option.name)
        })?;
        read(file)
            .map_err(|error| format!("cannot read my {what} {error}"))?
            .ok_or_else(|| format!("my validator has not written a {what} yet"))
    }
}

/// What the chain has of the two feeds of the index.
pub(super) fn settled_by_index(chain: Chain, contract: Account) -> Slots {
    Box::pin(async move {
        let (basket, nav) = chain.read(&contract, &index::feeds()).await?;
        Ok(vec![(ReportKind::Basket, basket.slot), (ReportKind::Nav, nav.slot)])
    })
}

//! Who observes: what a node knows of its committee to judge what the validators signed for a feed,
//! and what its own validator has told it. The same for NAV and basket.

use super::own::{read, Arrivals};
use cicada_core::certificate::Signature;
use cicada_core::hash::Hash;
use cicada_core::report::Feed;
use cicada_network::PublicKeys;
use parity_scale_codec::DecodeAll;
use std::path::PathBuf;
use std::sync::Arc;

/// The observers of one feed.
pub(super) struct Observers {
    pub(super) feed: Feed,
    pub(super) config_digest: Hash,
    pub(super) members: Arc<PublicKeys>,
    pub(super) seats: u8,
    /// How many must observe.
    pub(super) needed: u8,
    /// The SCALE that this node's validator writes.
    pub(super) file: Option<PathBuf>,
    pub(super) arrivals: Arrivals,
}

impl Observers {
    /// The weight of each seat, as far as the log knows: the same for all.
    pub(super) fn weights(&self) -> Vec<u128> {
        vec![1; usize::from(self.seats)]
    }

    /// Whether each message is signed by its seat.
    ///
    /// # Errors
    /// Names the first seat that did not sign.
    pub(super) fn genuine<'a>(
        &self,
        mut signed: impl Iterator<Item = (u8, Hash, &'a Signature)>,
    ) -> Result<(), String> {
        let is_forged = |(seat, message, signature): &(u8, Hash, &Signature)| {
            !self.members.verify_attestation(*seat, message, signature)
        };
        match signed.find(is_forged) {
            None => Ok(()),
            Some((seat, ..)) => Err(format!("the observation of seat {seat} is forged")),
        }
    }

    /// What the own validator has told. `what` it is called, and the `option` that names the file.
    ///
    /// # Errors
    /// In words, if there is nothing.
    pub(super) fn own<T: DecodeAll>(&self, what: &str, option: &str) -> Result<T, String> {
        let file = self
            .file
            .as_ref()
            .ok_or_else(|| format!("I have no validator's {what}: {option} is not given"))?;
        read(file)
            .map_err(|error| format!("cannot read my {what} {error}"))?
            .ok_or_else(|| format!("my validator has not written a {what} yet"))
    }
}

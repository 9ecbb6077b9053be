//! Reading at a block that is named, instead of at the newest final one.

use crate::dry_run::call_args;
use crate::events::emitted;
use crate::{Bundle, Chain, ContractEvent, Error};
use cicada_core::hash::Hash;
use cicada_core::Account;
use parity_scale_codec::{Decode, DecodeAll};
use subxt::dynamic;

/// A final block, as a follower of some contracts sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// Its time, in milliseconds since 1970; 0 for the first block of a chain.
    pub time_ms: u64,
    /// The events of the contracts, in order.
    pub events: Vec<ContractEvent>,
}

impl Chain {
    /// A final block with the events of `contracts`. A node that prunes old blocks has only the
    /// newest ones.
    ///
    /// # Errors
    /// [`Error::Node`], also if the block is not final yet.
    pub async fn block_events(
        &self,
        number: u64,
        contracts: &[Account],
    ) -> Result<FinalBlock, Error> {
        let what = format!("reading block {number}");
        let at = self.client.at_block(number).await.map_err(Error::node(&what))?;
        let now = dynamic::storage::<(), u64>("Timestamp", "Now");
        let time = at.storage().try_fetch(now, ()).await.map_err(Error::node(&what))?;
        let time_ms = match time {
            Some(time) => time.decode().map_err(Error::decode(&what))?,
            None => 0,
        };
        let events = at.events().fetch().await.map_err(Error::node(&what))?;
        let hash = at.block_hash().0;
        let mut found = Vec::new();
        for event in events.iter() {
            let event = event.map_err(Error::decode(&what))?;
            found.extend(emitted(&event, number, hash)?);
        }
        found.retain(|event: &ContractEvent| contracts.contains(&event.contract));
        Ok(FinalBlock { number, hash, time_ms, events: found })
    }

    /// Reads a view at a block. A node that prunes old state has only that of the newest ones.
    ///
    /// # Errors
    /// As [`Chain::read`].
    pub async fn read_at<T: Decode>(
        &self,
        block: u64,
        contract: &Account,
        bundle: &Bundle,
        message: &str,
        args: &[u8],
    ) -> Result<T, Error> {
        let entry = bundle.message(message)?;
        let args = call_args(&[0; 32], contract, &entry.call(args));
        let what = format!("reading {message} at block {block}");
        let at = self.client.at_block(block).await.map_err(Error::node(&what))?;
        let dry_run = self.dry_run_at(&at, "ContractsApi_call", args, bundle, entry).await?;
        T::decode_all(&mut &dry_run.returned[..]).map_err(Error::decode(&what))
    }
}

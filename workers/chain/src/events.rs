//! Events of contracts, in final blocks only.

use crate::Error;
use cicada_core::hash::Digest;
use cicada_core::Account;
use parity_scale_codec::Decode;
use subxt::events::Event;
use subxt::PolkadotConfig;

/// An event of a contract. Block and index name it for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractEvent {
    /// The number of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: Digest,
    /// Its position among all events of the block.
    pub index: u32,
    /// The contract that emitted it.
    pub contract: Account,
    /// Its topics; the first tells its kind.
    pub topics: Vec<Digest>,
    /// Its fields, in SCALE.
    pub data: Vec<u8>,
}

impl ContractEvent {
    /// This event as one of a contract's interface; none if it is another one.
    ///
    /// # Errors
    /// [`Error::Decode`] if it is this event and its fields cannot be read.
    pub fn read<E: cicada_contracts::Event>(&self) -> Result<Option<E>, Error> {
        E::read(&self.topics, &self.data).map_err(Error::decode(E::NAME))
    }
}

/// The event, if a contract emitted it.
pub(crate) fn emitted(
    event: &Event<'_, PolkadotConfig>,
    block: u64,
    block_hash: Digest,
) -> Result<Option<ContractEvent>, Error> {
    if (event.pallet_name(), event.event_name()) != ("Contracts", "ContractEmitted") {
        return Ok(None);
    }
    let (contract, data) = <(Account, Vec<u8>)>::decode(&mut event.field_bytes())
        .map_err(Error::decode("an event of a contract"))?;
    Ok(Some(ContractEvent {
        block,
        block_hash,
        index: event.index(),
        contract,
        topics: event.topics().iter().map(|topic| Digest(topic.0)).collect(),
        data,
    }))
}
